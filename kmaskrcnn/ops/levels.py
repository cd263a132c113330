"""Which level of a feature pyramid a RoI is pooled from, and pooling level by level.

Lin et al., Feature Pyramid Networks, 2017, equation 1, as three projects compute it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

RULES = ("detectron2", "torchvision", "matterport")

Pool = Callable[[tf.Tensor, float, tf.Tensor, tf.Tensor], tf.Tensor]


def assign_levels(
    boxes: tf.Tensor,
    *,
    num_levels: int,
    rule: str = "detectron2",
    canvas: Any = None,
    min_level: int = 2,
    canonical_size: float = 224.0,
    canonical_level: int = 4,
) -> tf.Tensor:
    """The pyramid level that each box is pooled from, by its size.

    With k = canonical_level and r = sqrt(area) / canonical_size it is floor(k + log2(r + 1e-8)) in
    Detectron2, floor(k + log2(r) + 1e-6) in torchvision, and k + round(log2(r)), half to even, in
    matterport, whose boxes are normalised; clipped to the levels there are.

    Args:
        boxes: (..., 4) x1 y1 x2 y2 in input pixels; with rule "matterport" over (side - 1).
        num_levels: how many levels, the first of which is `min_level`.
        rule: "detectron2", "torchvision" or "matterport".
        canvas: (2,) height and width of the padded input, pixels; only "matterport" needs it.
        min_level: 2 for a pyramid that begins with P2.
        canonical_size: side of a box that belongs to `canonical_level`, input pixels.
        canonical_level: see `canonical_size`.

    Returns:
        (...) int32 in [0, num_levels): indices into the list of levels. Empty, inverted and NaN
        boxes get 0.

    Raises:
        ValueError: an unknown rule, or "matterport" without a canvas.
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, not {rule!r}.")
    if rule == "matterport" and canvas is None:
        raise ValueError("rule 'matterport' has normalised boxes: it needs the canvas, too.")
    boxes = tf.cast(boxes, tf.float32)
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    side = tf.sqrt(tf.where(area > 0, area, tf.zeros_like(area)))
    if rule == "detectron2":
        level = tf.floor(canonical_level + _log2(divided(side, canonical_size) + 1e-8))
    elif rule == "torchvision":
        level = tf.floor(canonical_level + _log2(divided(side, canonical_size)) + 1e-6)
    else:
        canvas_side = tf.sqrt(tf.cast(tf.reduce_prod(canvas), tf.float32))
        relative = divided(side, canonical_size / canvas_side)
        level = canonical_level + tf.round(_log2(relative))
    return tf.cast(tf.clip_by_value(level - min_level, 0, num_levels - 1), tf.int32)


def divided(value: tf.Tensor, constant: tf.Tensor | float) -> tf.Tensor:
    """`value` / `constant`, rounded alike in graphs, which turn x / 7 into x · (1 / 7)."""
    return tf.math.divide_no_nan(value, tf.cast(constant, value.dtype))


def _log2(value: tf.Tensor) -> tf.Tensor:
    return divided(tf.math.log(value), tf.math.log(2.0))


def pool_by_level(
    pool: Pool,
    features: Sequence[tf.Tensor],
    scales: Sequence[float],
    boxes: tf.Tensor,
    batch_indices: tf.Tensor,
    levels: tf.Tensor,
) -> tf.Tensor:
    """Pools the RoIs of each level together and puts them back into their order.

    Args:
        pool: (feature (B, H, W, F), scale, boxes (n, 4), batch_indices (n,)) → (n, S, S, F).
        features: one map a level.
        scales: feature pixels per unit of a box, of each level.
        boxes: (R, 4).
        batch_indices: (R,) int32.
        levels: (R,) int32.

    Returns:
        (R, S, S, F).
    """
    if len(features) == 1:
        return pool(features[0], scales[0], boxes, batch_indices)
    order, pooled = [], []
    for index, (feature, scale) in enumerate(zip(features, scales, strict=True)):
        members = tf.cast(tf.where(tf.equal(levels, index))[:, 0], tf.int32)
        order.append(members)
        rois = tf.gather(boxes, members), tf.gather(batch_indices, members)
        pooled.append(pool(feature, scale, *rois))
    return tf.dynamic_stitch(order, pooled)
