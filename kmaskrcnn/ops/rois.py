"""RoIs of a padded batch as one flat list, and lists padded to few lengths."""

from __future__ import annotations

import tensorflow as tf

ROW_MULTIPLE = 8


def flatten(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """(B, R, 4) → boxes (B·R, 4) and the image of each, (B·R,) int32."""
    batch, count = tf.unstack(tf.shape(boxes)[:2])
    return tf.reshape(boxes, [-1, 4]), tf.repeat(tf.range(batch), count)


def pad_rows(rows: tf.Tensor, multiple: int = ROW_MULTIPLE) -> tf.Tensor:
    """(n, …) → the next multiple of rows, at least one multiple; the new rows are zeros.

    A convolution over a new number of rows costs oneDNN a new primitive: few numbers are kept.
    """
    count = tf.shape(rows)[0]
    missing = tf.maximum(-count % multiple, multiple * tf.cast(count == 0, tf.int32))
    return tf.pad(rows, [[0, missing], *[[0, 0]] * (rows.shape.rank - 1)])
