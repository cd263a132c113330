"""From padded RGB images in 0..255 to the network's normalised input."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn.ops import frames
from kmaskrcnn.tensors import Windows


@keras.saving.register_keras_serializable("kmaskrcnn")
class ImageNormalization(keras.layers.Layer):
    """(image - mean) / std, padded to the stride, and where the images lie in the padded batch.

    The padding is zero *after* the normalisation, as torchvision and Detectron2 have it; on
    matterport's square canvas it is black like any other pixel.

    Args:
        pixel_mean, pixel_std: one value a channel, RGB, in 0..255.
        stride: height and width are padded to its next multiple, at the bottom and right.
        canvas, frame: the config's `canvas` and `box_frame`.
    """

    def __init__(self, pixel_mean, pixel_std, stride=32, canvas="corner", frame="pixels", **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.canvas, self.frame = canvas, frame
        self.pixel_mean = tuple(pixel_mean)
        self.pixel_std = tuple(pixel_std)
        self.stride = stride
        self.built = True

    def call(self, images: tf.Tensor, image_sizes: tf.Tensor) -> tuple[tf.Tensor, Windows]:
        """images (B, H, W, 3) of any dtype, image_sizes (B, 2) → (B, H', W', 3) compute dtype."""
        images = self._normalised(images, image_sizes)
        height, width = tf.shape(images)[1], tf.shape(images)[2]
        padding = [[0, 0], [0, -height % self.stride], [0, -width % self.stride], [0, 0]]
        images = tf.pad(images, padding)
        return tf.cast(images, self.compute_dtype), self._windows(image_sizes, tf.shape(images))

    def _normalised(self, images, image_sizes):
        """image / std - mean / std, by whole rows: three channels alone would be slow to step."""
        shape = tf.shape(images)
        rows, columns = _inside(image_sizes, shape, self.canvas)
        scale = 1.0 / np.array(self.pixel_std, np.float32)
        shift = -np.array(self.pixel_mean, np.float32) * scale
        scale, shift = (
            tf.reshape(columns[..., None] * factor, [shape[0], 1, -1]) for factor in (scale, shift)
        )
        lines = tf.cast(tf.reshape(images, [shape[0], shape[1], -1]), tf.float32)
        lines = (lines * scale + shift) * rows[..., None]
        return tf.ensure_shape(tf.reshape(lines, shape), images.shape)

    def _windows(self, image_sizes, shape) -> Windows:
        padded_size = shape[1:3]
        found = frames.image_windows(image_sizes, padded_size, self.canvas)
        if self.frame == "pixels":
            return Windows(found, found, padded_size)
        found = frames.normalise(found, padded_size)
        whole = tf.broadcast_to([0.0, 0.0, 1.0, 1.0], tf.shape(found))
        return Windows(whole, found, padded_size)

    def get_config(self):
        config = {"pixel_mean": self.pixel_mean, "pixel_std": self.pixel_std}
        config |= {"stride": self.stride, "canvas": self.canvas, "frame": self.frame}
        return {**super().get_config(), **config}


def _inside(image_sizes: tf.Tensor, shape: tf.Tensor, canvas: str) -> list[tf.Tensor]:
    """(B, H) and (B, W) float32: 1 on an image's own rows and columns, 0 on its padding.

    All is its own on a square canvas.
    """
    sizes = tf.cast(image_sizes, tf.int32) if canvas == "corner" else tf.reshape(shape[1:3], [1, 2])
    sizes = tf.broadcast_to(sizes, [shape[0], 2])
    return [
        tf.cast(tf.range(shape[1 + axis])[None] < sizes[:, axis, None], tf.float32)
        for axis in (0, 1)
    ]
