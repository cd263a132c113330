"""Objects that were found twice or in parts: the best of them kept, or all of them joined."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.detections.objects import Objects, Self
from kmaskrcnn.ops import regions


def merge(
    found: Self,
    iou: float = 0.5,
    how: str = "best",
    share_of: str = "union",
    by: str | None = None,
    across_classes: bool = False,
) -> Self:
    """One object of each group that overlaps; see `Detections.merged`."""
    if how not in ("best", "union"):
        raise ValueError(f"how: expected 'best' or 'union', got {how!r}")
    if not 0 <= iou <= 1:
        raise ValueError(f"iou: expected a share from 0 to 1, got {iou!r}")
    same = overlaps(found, share_of, by) > iou
    if not across_classes:
        same &= found.labels[:, None] == found.labels
    if how == "best":
        return found[_best(same, found.scores)]
    return _joined(found, _groups(same, found.scores))


def overlaps(found: Objects, share_of: str = "union", by: str | None = None) -> np.ndarray:
    """(K, K) float64: how much each two objects share, made of run lengths, not of full masks.

    Args:
        share_of: ``"union"`` divides by what either covers (IoU), ``"smaller"`` by the smaller one.
        by: ``"masks"`` or ``"boxes"``; None: masks where there are any.
    """
    if share_of not in ("union", "smaller"):
        raise ValueError(f"share_of: expected 'union' or 'smaller', got {share_of!r}")
    if by not in (None, "masks", "boxes"):
        raise ValueError(f"by: expected 'masks' or 'boxes', got {by!r}")
    if not len(found):
        return np.zeros((0, 0))
    if by == "masks" or (by is None and found.has_masks):
        shapes: Any = found.rle()
    else:
        corners = found.boxes.astype(np.float64)
        shapes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    of_each = share_of == "smaller"  # pycocotools divides by the first's area where it is a crowd
    shares = np.asarray(coco_mask.iou(shapes, shapes, [int(of_each)] * len(found)))
    return np.fmax(shares, shares.T)


def _best(same: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Places of those that no better kept one is the same as: non-maximum suppression."""
    gone = np.zeros(len(scores), bool)
    for i in np.argsort(-scores, kind="stable"):
        if not gone[i]:
            gone |= same[i]
            gone[i] = False
    return np.flatnonzero(~gone)


def _groups(same: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Places of each group, its best first; what is the same as one of a group belongs to it."""
    same = same | np.eye(len(scores), dtype=bool)
    left, groups = np.ones(len(scores), bool), []
    for i in np.argsort(-scores, kind="stable"):
        if left[i]:
            group = same[i]
            while (larger := same[group].any(axis=0)).sum() > group.sum():
                group = larger
            members = np.flatnonzero(group)
            groups.append(members[np.argsort(-scores[members], kind="stable")])
            left &= ~group
    return sorted(groups, key=lambda members: int(members[0]))


def _joined(found: Self, groups: list[np.ndarray]) -> Self:
    """Score, class and keypoints of each group's best; boxes and masks around and of them all."""
    best = found[[int(members[0]) for members in groups]]
    boxes = [
        np.concatenate([found.boxes[g, :2].min(axis=0), found.boxes[g, 2:].max(axis=0)])
        for g in groups
    ]
    if not found.has_masks:
        return best.replaced(boxes=np.reshape(boxes, (-1, 4)))
    masks = [regions.union([found.region(int(i)) for i in members]) for members in groups]
    return best.replaced(
        boxes=np.reshape(boxes, (-1, 4)), mask_probabilities=None, mask_regions=masks
    )
