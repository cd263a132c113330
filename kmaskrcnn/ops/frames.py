"""Where the images lie in the padded input of the network, and in which frame boxes are counted.

All references but one count boxes in pixels of the input, with the image in its upper left corner.
matterport centres the image on a square and divides: (box - [0, 0, 1, 1]) / (side - 1).
"""

from __future__ import annotations

import tensorflow as tf

_FAR_EDGES = (0.0, 0.0, 1.0, 1.0)


def image_windows(image_sizes: tf.Tensor, padded_size: tf.Tensor, canvas: str) -> tf.Tensor:
    """Where each image lies in the padded input.

    Args:
        image_sizes: (B, 2) height, width without padding.
        padded_size: (2,) int height, width of the batch.
        canvas: "corner", or "square": centred, the odd pixel at the bottom and right.

    Returns:
        (B, 4) float32 x1 y1 x2 y2, pixels.
    """
    sizes = tf.reverse(tf.cast(image_sizes, tf.float32), [-1])
    if canvas == "corner":
        return tf.concat([tf.zeros_like(sizes), sizes], -1)
    padded = tf.reverse(tf.cast(padded_size, tf.float32), [-1])
    start = tf.floor((padded - sizes) / 2)
    return tf.concat([start, start + sizes], -1)


def normalise(boxes: tf.Tensor, padded_size: tf.Tensor) -> tf.Tensor:
    """(…, 4) pixels → (box - [0, 0, 1, 1]) / (side - 1), of which the last pixel's index is 1."""
    return (tf.cast(boxes, tf.float32) - _FAR_EDGES) / _spans(padded_size)


def denormalise(boxes: tf.Tensor, padded_size: tf.Tensor) -> tf.Tensor:
    """The inverse of `normalise`."""
    return boxes * _spans(padded_size) + _FAR_EDGES


def _spans(padded_size: tf.Tensor) -> tf.Tensor:
    """(4,) width - 1, height - 1, twice."""
    return tf.tile(tf.reverse(tf.cast(padded_size, tf.float32), [0]) - 1.0, [2])
