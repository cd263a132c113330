"""Arithmetic of boxes: areas, overlaps, deltas, clipping.

Boxes are ``x1 y1 x2 y2`` in continuous pixels (pixel i covers [i, i + 1)). Whatever the dtype or
the mixed-precision policy of the caller, everything here is computed and returned in float32: in
bfloat16 an edge at 1332.7 would move to 1336. Leading batch dimensions are allowed throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

MAX_LOG_SCALE = math.log(1000.0 / 16.0)
"""Largest log growth of a side that `decode` lets through (Detectron2, torchvision)."""

_SMALLEST_SIDE = 1e-6


def area(boxes: tf.Tensor) -> tf.Tensor:
    """Areas of boxes; an inverted box has none.

    Args:
        boxes: (…, 4) pixels.

    Returns:
        (…,) float32 square pixels, at least 0.
    """
    x1, y1, x2, y2 = _columns(boxes)
    return tf.maximum(x2 - x1, 0.0) * tf.maximum(y2 - y1, 0.0)


def iou_matrix(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Intersection over union of every pair; 0 where both boxes are empty.

    Args:
        boxes: (…, N, 4) pixels.
        others: (…, M, 4) pixels.

    Returns:
        (…, N, M) float32 in [0, 1].
    """
    intersection = _intersection_matrix(boxes, others)
    union = area(boxes)[..., :, None] + area(others)[..., None, :] - intersection
    return tf.math.divide_no_nan(intersection, union)


def intersection_over_area(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """How much of each of `others` lies inside each of `boxes` (COCO's rule for crowd regions).

    Args:
        boxes: (…, N, 4) pixels, the crowd regions.
        others: (…, M, 4) pixels, the boxes asked about.

    Returns:
        (…, N, M) float32 in [0, 1]; 0 where the other box is empty.
    """
    intersection = _intersection_matrix(boxes, others)
    return tf.math.divide_no_nan(intersection, area(others)[..., None, :])


def encode(
    boxes: tf.Tensor,
    references: tf.Tensor,
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
) -> tf.Tensor:
    """Deltas that move `references` onto `boxes` (Faster R-CNN, eq. 2).

    Sides under 1e-6 px count as 1e-6 px, so that padding gives finite deltas.

    Args:
        boxes: (…, 4) pixels, where the references should go.
        references: (…, 4) pixels, anchors or proposals.
        weights: factors of dx, dy, dw, dh.

    Returns:
        (…, 4) float32 dx dy dw dh, without unit.
    """
    centre_x, centre_y, width, height = _centres_and_sides(boxes)
    reference_x, reference_y, reference_width, reference_height = _centres_and_sides(references)
    width, height, reference_width, reference_height = (
        tf.maximum(side, _SMALLEST_SIDE)
        for side in (width, height, reference_width, reference_height)
    )
    deltas = (
        weights[0] * (centre_x - reference_x) / reference_width,
        weights[1] * (centre_y - reference_y) / reference_height,
        weights[2] * tf.math.log(width / reference_width),
        weights[3] * tf.math.log(height / reference_height),
    )
    return tf.stack(deltas, axis=-1)


def decode(
    deltas: tf.Tensor,
    references: tf.Tensor,
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    clamp: float | None = MAX_LOG_SCALE,
) -> tf.Tensor:
    """Boxes that deltas make of their references; the inverse of `encode`.

    Args:
        deltas: (…, 4) dx dy dw dh. For deltas of each class, (…, C, 4) with references (…, 1, 4).
        references: (…, 4) pixels, broadcast against the deltas.
        weights: the factors given to `encode`.
        clamp: upper limit of dw and dh after division by their weights. There is no lower limit,
            as in Detectron2 and torchvision. None: no upper limit either (matterport).

    Returns:
        (…, 4) float32 pixels, not clipped to any image.
    """
    dx, dy, dw, dh = _columns(deltas)
    reference_x, reference_y, reference_width, reference_height = _centres_and_sides(references)
    centre_x = dx / weights[0] * reference_width + reference_x
    centre_y = dy / weights[1] * reference_height + reference_y
    limit = math.inf if clamp is None else clamp
    half_width = 0.5 * tf.exp(tf.minimum(dw / weights[2], limit)) * reference_width
    half_height = 0.5 * tf.exp(tf.minimum(dh / weights[3], limit)) * reference_height
    corners = (
        centre_x - half_width,
        centre_y - half_height,
        centre_x + half_width,
        centre_y + half_height,
    )
    return tf.stack(corners, axis=-1)


def clip(boxes: tf.Tensor, windows: tf.Tensor) -> tf.Tensor:
    """Move every corner into its image.

    Args:
        boxes: (B, …, 4), of known rank; (B, R, 4) or (B, R, C, 4).
        windows: (B, 4) where each image lies, without its padding; in the frame of the boxes.

    Returns:
        float32 of the shape of `boxes`; a box outside its image becomes empty.
    """
    boxes, windows = tf.cast(boxes, tf.float32), tf.cast(windows, tf.float32)
    for _ in range(boxes.shape.rank - windows.shape.rank):
        windows = tf.expand_dims(windows, axis=-2)
    near = tf.concat([windows[..., :2], windows[..., :2]], axis=-1)
    far = tf.concat([windows[..., 2:], windows[..., 2:]], axis=-1)
    return tf.minimum(tf.maximum(boxes, near), far)


def _columns(boxes: tf.Tensor) -> list[tf.Tensor]:
    """The four columns (…,) of (…, 4), in float32."""
    return tf.unstack(tf.cast(boxes, tf.float32), num=4, axis=-1)


def _centres_and_sides(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Centre x, centre y, width, height, each (…,)."""
    x1, y1, x2, y2 = _columns(boxes)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height


def _intersection_matrix(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Areas shared by every pair, (…, N, M), one axis at a time to keep the temporaries small."""
    x1, y1, x2, y2 = (column[..., :, None] for column in _columns(boxes))
    other_x1, other_y1, other_x2, other_y2 = (column[..., None, :] for column in _columns(others))
    width = tf.minimum(x2, other_x2) - tf.maximum(x1, other_x1)
    height = tf.minimum(y2, other_y2) - tf.maximum(y1, other_y1)
    return tf.nn.relu(width) * tf.nn.relu(height)
