"""Keypoints and heatmaps: where a point falls on a RoI's grid, and where a heatmap has its peak.

Heatmaps are S × S over their box. A continuous coordinate c belongs to cell floor(c), and a cell d
stands for d + 0.5 (Heckbert 1990), in both directions.
"""

from __future__ import annotations

import cv2
import numpy as np
import tensorflow as tf

_SCORES = ("probability", "logit")


def keypoint_targets(
    keypoints: tf.Tensor, boxes: tf.Tensor, heatmap_size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """The cell of its RoI's heatmap that each keypoint lies in (He et al. 2017, section 5).

    A point on the right or lower edge of the box belongs to the last cell, as in torchvision's and
    Detectron2's ``keypoints_to_heatmap``.

    Args:
        keypoints: (…, J, 3) x, y in the pixels of the boxes, visibility (0: not labelled).
        boxes: (…, 4) x1 y1 x2 y2, one for each set of J.
        heatmap_size: S.

    Returns:
        Cells (…, J) int32, row · S + column; and (…, J) bool: labelled, and inside of the box. The
        cell of others is 0.
    """
    keypoints = tf.cast(keypoints, tf.float32)
    corners = tf.cast(boxes, tf.float32)[..., None, :]
    points, low, high = keypoints[..., :2], corners[..., :2], corners[..., 2:]
    side = tf.where(high > low, high - low, 1.0)
    columns_rows = tf.floor((points - low) * (heatmap_size / side))
    columns_rows = tf.where(points == high, heatmap_size - 1.0, columns_rows)
    inside = (columns_rows >= 0) & (columns_rows < heatmap_size) & (high > low)
    valid = tf.reduce_all(inside, axis=-1) & (keypoints[..., 2] > 0)
    whole = tf.cast(tf.where(valid[..., None], columns_rows, 0.0), tf.int32)
    return whole[..., 1] * heatmap_size + whole[..., 0], valid


def decode_heatmaps(
    heatmaps: np.ndarray, boxes: np.ndarray, score: str = "probability"
) -> np.ndarray:
    """The peak of each heatmap, stretched bicubically over its box (Detectron2, torchvision).

    The stretched map has a cell a pixel, the box's sides rounded up, so the frame matters: both
    references decode in pixels of the network's input and scale the points afterwards.

    Args:
        heatmaps: (R, S, S, J) logits.
        boxes: (R, 4) x1 y1 x2 y2 in pixels of the network's input; a side below 1 counts as 1.
        score: ``"probability"``, Detectron2's: the peak's share when the softmax is normalised over
            the S × S cells, so that boxes of all sizes compare (a cubic overshoot may exceed 1); or
            ``"logit"``, torchvision's: the stretched map at its peak.

    Returns:
        (R, J, 3) float32: x, y in the pixels of the boxes, score.
    """
    if score not in _SCORES:
        raise ValueError(f"score: expected one of {_SCORES}, got {score!r}")
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    maps = np.moveaxis(np.asarray(heatmaps, np.float32), -1, 1)
    keypoints = np.zeros((*maps.shape[:2], 3), np.float32)
    for found, box, own_maps in zip(keypoints, boxes, maps, strict=True):
        sides = np.maximum(box[2:] - box[:2], np.float32(1))
        columns, rows = (int(side) for side in np.ceil(sides))
        peaks = _peaks(own_maps, rows, columns)
        found[:, :2] = (peaks[:, :2] + np.float32(0.5)) * (sides / (columns, rows)) + box[:2]
        found[:, 2] = peaks[:, 2]
    if score == "probability":
        keypoints[..., 2] = _probabilities(maps, keypoints[..., 2])
    return keypoints


def _peaks(maps: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """(J, 3): column, row and value of the greatest cell of each map (S, S), stretched.

    OpenCV's cubic is PyTorch's (Keys 1981 with a = -0.75, half-pixel centres, the border repeated).
    """
    peaks = np.zeros((len(maps), 3), np.float32)
    for peak, heatmap in zip(peaks, maps, strict=True):  # a stretched map at a time
        stretched = cv2.resize(heatmap, (columns, rows), interpolation=cv2.INTER_CUBIC)
        row, column = divmod(int(np.argmax(stretched)), columns)
        peak[:] = column, row, stretched[row, column]
    return peaks


def _probabilities(maps: np.ndarray, peaks: np.ndarray) -> np.ndarray:
    """(R, J) of maps (R, J, S, S) and the logits (R, J) of their peaks."""
    greatest = maps.max(axis=(2, 3), initial=-np.inf)
    total = np.exp(maps - greatest[..., None, None]).sum(axis=(2, 3))
    overshoot = np.minimum(peaks - greatest, 80)  # the peak of logits in the thousands
    return np.exp(overshoot) / total
