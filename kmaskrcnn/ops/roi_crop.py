"""matterport's RoI pooling: one bilinear sample a bin, of boxes in normalised coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from kmaskrcnn.ops import roi_checks
from kmaskrcnn.ops.crop import crop_and_resize
from kmaskrcnn.ops.levels import pool_by_level


def roi_crop(
    features: Sequence[tf.Tensor],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
    *,
    output_size: int | tuple[int, int],
) -> tf.Tensor:
    """Samples an S×S grid in each RoI, whose first and last points are corners of the RoI.

    This is ``tf.image.crop_and_resize``, which matterport's PyramidROIAlign calls: coordinate 1 is
    the centre of the last feature cell, and a sample beyond it is 0. A box clipped to 1 has its
    last samples exactly there, so that the last bit of a coordinate decides between a value and 0:
    the boxes are passed on as they come. Gradients reach the features, not the boxes.

    Args:
        features: one (B, H_l, W_l, F) tensor a level, all of one dtype; sampled in float32.
        boxes: (R, 4) float32 x1 y1 x2 y2 over (side - 1) of the padded input.
        batch_indices: (R,) int, the image of each box.
        levels: (R,) int, index into `features` of each box; see `assign_levels`.
        output_size: S, or (height, width).

    Returns:
        (R, S, S, F) of the features' dtype. Zeros for a box with a coordinate that is NaN,
        infinite, or beyond 2**24.

    Raises:
        ValueError: wrong static shapes, dtypes, or numbers of levels.
        tf.errors.InvalidArgumentError: an image or level index that does not exist.
    """
    scales = [1.0] * len(features)
    features, boxes, batch_indices, levels = roi_checks.checked_rois(
        features, scales, boxes, batch_indices, levels
    )
    size = roi_checks.as_pair(output_size)
    indices = roi_checks.checked_indices("roi_crop", features, boxes, batch_indices, levels)
    boxes = tf.cast(boxes, tf.float32)
    usable = tf.abs(boxes) <= roi_checks.LARGEST_COORDINATE  # no for NaN
    boxes = tf.where(tf.reduce_all(usable, axis=1, keepdims=True), boxes, -1.0)

    def crop(feature: tf.Tensor, _: float, boxes: tf.Tensor, batch_indices: tf.Tensor) -> tf.Tensor:
        corners = tf.gather(boxes, [1, 0, 3, 2], axis=1)
        return crop_and_resize(tf.cast(feature, tf.float32), corners, batch_indices, size)

    pooled = pool_by_level(crop, features, scales, boxes, *indices)
    pooled.set_shape([boxes.shape[0], *size, features[0].shape[-1]])
    return tf.cast(pooled, features[0].dtype)
