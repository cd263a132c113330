"""Anchors: the boxes of fixed sizes and shapes that the RPN starts from (Faster R-CNN, §3.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def cell_anchors(
    sizes: Sequence[float],
    aspect_ratios: Sequence[float],
    *,
    rounded: bool = False,
    ratio_first: bool = False,
    dtype: str = "float32",
) -> np.ndarray:
    """Anchors of one grid cell, around the origin; every anchor has the area size².

    Args:
        sizes: square roots of the areas, in pixels of the network's input.
        aspect_ratios: height / width.
        rounded: round the corners to whole pixels (half to even), as torchvision does.
        ratio_first: the order of the anchors. False: all ratios of the first size, then the next
            size (Detectron2). True: all sizes of the first ratio, then the next ratio (torchvision,
            matterport). Without effect where there is one size.
        dtype: of the result.

    Returns:
        (A, 4) x1 y1 x2 y2, A = len(sizes) · len(aspect_ratios).

    Raises:
        ValueError: a list is empty, or a size or ratio is not positive.
    """
    for name, values in (("sizes", sizes), ("aspect_ratios", aspect_ratios)):
        if len(values) == 0 or min(values) <= 0:
            raise ValueError(
                f"{name} of anchors must be at least one positive number, got {values}"
            )
    root_ratios = np.sqrt(np.asarray(aspect_ratios, np.float64))[None, :]
    side = np.asarray(sizes, np.float64)[:, None]
    half_width, half_height = side / root_ratios / 2, side * root_ratios / 2  # (sizes, ratios)
    anchors = np.stack([-half_width, -half_height, half_width, half_height], axis=-1)
    if ratio_first:
        anchors = anchors.swapaxes(0, 1)
    anchors = anchors.reshape(-1, 4).astype(dtype)
    return np.round(anchors) if rounded else anchors


def grid_anchors(
    grid_size: tf.Tensor,
    stride: float | Sequence[float] | tf.Tensor,
    cell: np.ndarray,
    *,
    offset: float = 0.0,
) -> tf.Tensor:
    """The anchors of one cell, repeated over a feature map.

    Args:
        grid_size: (2,) int32 height, width of the feature map.
        stride: pixels from one cell to the next; one number, or vertical and horizontal
            (torchvision divides image by grid, which need not give the same for both).
        cell: (A, 4) anchors of one cell, of `cell_anchors`.
        offset: where in its cell an anchor's centre lies, in strides: 0 the upper left corner, as
            all published configurations have it, 0.5 the middle.

    Returns:
        (H · W · A, 4) pixels of the cell's dtype, in the order y, x, anchor.
    """
    strides = tf.unstack(tf.broadcast_to(tf.cast(stride, cell.dtype), [2]))
    height, width = tf.unstack(tf.cast(grid_size, tf.int32))
    centres_y = (tf.range(height, dtype=cell.dtype) + offset) * strides[0]
    centres_x = (tf.range(width, dtype=cell.dtype) + offset) * strides[1]
    along_x = tf.reshape(centres_x, [-1, 1, 1]) * np.array([1, 0, 1, 0], cell.dtype)  # (W, 1, 4)
    along_y = tf.reshape(centres_y, [-1, 1]) * np.array([0, 1, 0, 1], cell.dtype)  # (H, 4)
    row = tf.reshape(along_x + cell, [1, -1])  # (1, W · A · 4)
    column = tf.tile(along_y, [1, width * len(cell)])  # (H, W · A · 4)
    return tf.reshape(row + column, [-1, 4])
