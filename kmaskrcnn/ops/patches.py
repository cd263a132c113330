"""The surroundings of some cells of a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def patches(
    features: Sequence[tf.Tensor], cells: tf.Tensor, radius: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Squares of features around cells, so that what is wanted of few cells is computed for few.

    Args:
        features: (B, H_l, W_l, F), one map a level.
        cells: (B, S) int32, counted through all levels, row by row.
        radius: r cells on each side of the middle, k = 2r + 1.

    Returns:
        (B · S, k, k, F), zeros outside of the features, and which cells are inside, (B · S, k, k).
    """
    batch, count = tf.unstack(tf.shape(cells))
    cells = tf.reshape(cells, [-1])
    images = tf.repeat(tf.range(batch), count)
    found, insides = [], []
    for feature in features:
        height, width = tf.unstack(tf.shape(feature)[1:3])
        rows, columns, inside = _square(cells, height, width, radius)
        where = tf.broadcast_to(images[:, None, None], tf.shape(inside))
        where = tf.stack([where, rows, columns], axis=-1)
        found.append(tf.gather_nd(feature, where) * tf.cast(inside[..., None], feature.dtype))
        insides.append(inside)
        cells -= height * width
    return tf.add_n(found), tf.reduce_any(insides, 0)


def _square(cells, height, width, radius):
    """Rows, columns and whether they are inside, each (n, k, k), around cells (n,) of one level."""
    offsets = tf.range(-radius, radius + 1)
    on_level = (cells >= 0) & (cells < height * width)
    cells = tf.where(on_level, cells, 0)
    rows = (cells // width)[:, None, None] + offsets[:, None]
    columns = (cells % width)[:, None, None] + offsets
    shape = [tf.size(cells), 2 * radius + 1, 2 * radius + 1]
    rows, columns = tf.broadcast_to(rows, shape), tf.broadcast_to(columns, shape)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = tf.clip_by_value(rows, 0, height - 1), tf.clip_by_value(columns, 0, width - 1)
    return rows, columns, inside & on_level[:, None, None]
