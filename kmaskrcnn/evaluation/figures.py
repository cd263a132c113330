"""The figures of COCO by name: means of curves, nan where there is no truth to measure by."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kmaskrcnn.evaluation.engine import THRESHOLDS, Curves

HALF, THREE_QUARTERS = (int(np.argmin(abs(THRESHOLDS - t))) for t in (0.5, 0.75))


def summary(curves: Curves) -> dict[str, float]:
    """The twelve figures that COCO prints of boxes and masks."""
    precision, recall = curves.precision[..., -1], curves.recall
    figures = precisions(precision, curves.areas)
    for i, limit in enumerate(curves.limits):
        figures[f"AR{limit}"] = mean(recall[:, :, 0, i])
    for i, area in enumerate(curves.areas[1:], 1):
        figures[f"AR_{area}"] = mean(recall[:, :, i, -1])
    return figures


def keypoint_summary(curves: Curves) -> dict[str, float]:
    """The ten figures that COCO prints of keypoints."""
    recall = curves.recall[..., -1]
    figures = precisions(curves.precision[..., -1], curves.areas)
    figures |= {
        "AR": mean(recall[..., 0]),
        "AR50": mean(recall[HALF, ..., 0]),
        "AR75": mean(recall[THREE_QUARTERS, ..., 0]),
    }
    for i, area in enumerate(curves.areas[1:], 1):
        figures[f"AR_{area}"] = mean(recall[..., i])
    return figures


def precisions(precision: np.ndarray, areas: Sequence[str]) -> dict[str, float]:
    """AP over all thresholds, at 0.5 and at 0.75, and by size; of (…, classes, areas)."""
    figures = {
        "AP": mean(precision[..., 0]),
        "AP50": mean(precision[HALF, ..., 0]),
        "AP75": mean(precision[THREE_QUARTERS, ..., 0]),
    }
    for i, area in enumerate(areas[1:], 1):
        figures[f"AP_{area}"] = mean(precision[..., i])
    return figures


def per_class(curves: Curves, class_names: Sequence[str]) -> dict[str, float]:
    """``AP/<class>`` of every class."""
    precision = curves.precision[:, :, :, 0, -1]
    return {f"AP/{name}": mean(precision[:, :, i]) for i, name in enumerate(class_names)}


def mean(values: np.ndarray) -> float:
    """Of what was measured: -1 was not."""
    values = values[values > -1]
    return float(np.mean(values)) if values.size else math.nan


def prefixed(kind: str, figures: dict[str, float]) -> dict[str, float]:
    """The figures under what was measured: ``mask/AP``."""
    return {f"{kind}/{key}": value for key, value in figures.items()}
