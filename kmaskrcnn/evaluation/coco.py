"""COCO's average precision and recall of boxes, masks and keypoints (cocodataset.org)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools.cocoeval import Params

from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.engine import KEYPOINT_LIMIT, Task, count
from kmaskrcnn.evaluation.figures import keypoint_summary, per_class, prefixed, summary
from kmaskrcnn.evaluation.truth import Truth

COCO_SIGMAS = Params("keypoints").kpt_oks_sigmas  # of COCO's 17 keypoints of people


def coco_figures(
    truth: Truth, found: FoundObjects, limits: tuple[int, ...], sigmas: np.ndarray
) -> dict[str, float]:
    """``box/…``, ``mask/…`` and ``keypoints/…``, of what both sides have.

    Areas are as the dataset states them, else the mask's; crowds are ignored regions; images
    without detections count. Detections are sized by the mask where masks are measured, and by the
    box where boxes or keypoints are, as Detectron2 hands them to pycocotools.

    Args:
        limits: detections of an image and class that count for AR, the last also for AP.
        sigmas: (J,) how exactly each keypoint can be told.
    """
    figures: dict[str, float] = {}
    if found.boxes is not None:
        figures |= _figures("box", truth, found, Task("bbox", limits))
    if truth.has_masks and found.masks is not None:
        figures |= _figures("mask", truth, found, Task("segm", limits))
    if truth.objects.keypoints is not None and found.keypoints is not None:
        task = Task("keypoints", (KEYPOINT_LIMIT,), sigmas)
        figures |= _figures("keypoints", truth, found, task)
    return figures


def _figures(kind: str, truth: Truth, found: FoundObjects, task: Task) -> dict[str, float]:
    curves = count(truth, found, task)
    figures = keypoint_summary(curves) if kind == "keypoints" else summary(curves)
    return prefixed(kind, figures | per_class(curves, truth.class_names))


def checked_limits(limits: Sequence[int]) -> tuple[int, ...]:
    """Three rising numbers, for the three AR."""
    if len(limits) != 3 or sorted(limits) != list(limits):
        raise ValueError(f"max_detections: expected 3 rising numbers, got {limits}")
    return tuple(int(n) for n in limits)


def checked_sigmas(sigmas: Sequence[float] | None, count: int) -> np.ndarray:
    """(J,) as given, or COCO's for 17 keypoints, and their mean for another number of them."""
    if sigmas is None:
        return COCO_SIGMAS if count == len(COCO_SIGMAS) else np.full(count, COCO_SIGMAS.mean())
    if len(sigmas) != count or min(sigmas, default=1) <= 0:
        raise ValueError(
            f"keypoint_sigmas: expected {count} numbers above 0, one a keypoint, got {sigmas}"
        )
    return np.array(sigmas, float)
