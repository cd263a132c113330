"""The figures of pycocotools' ``COCOeval`` by name, without its printing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pycocotools.cocoeval import COCOeval

AREAS = ("small", "medium", "large")  # below 32², to 96², above, in pixels


def summary(evaluation: COCOeval) -> dict[str, float]:
    """The twelve figures of ``COCOeval.summarize``, nan for its -1, without its printing."""
    precision = evaluation.eval["precision"]  # thresholds, recalls, classes, areas, limits
    recall = evaluation.eval["recall"]  # thresholds, classes, areas, limits
    half, three_quarters = (int(np.argmin(abs(evaluation.params.iouThrs - t))) for t in (0.5, 0.75))
    figures = {
        "AP": _mean(precision[:, :, :, 0, -1]),
        "AP50": _mean(precision[half, :, :, 0, -1]),
        "AP75": _mean(precision[three_quarters, :, :, 0, -1]),
    }
    for i, area in enumerate(AREAS, 1):
        figures[f"AP_{area}"] = _mean(precision[:, :, :, i, -1])
    for i, limit in enumerate(evaluation.params.maxDets):
        figures[f"AR{limit}"] = _mean(recall[:, :, 0, i])
    for i, area in enumerate(AREAS, 1):
        figures[f"AR_{area}"] = _mean(recall[:, :, i, -1])
    return figures


def keypoint_summary(evaluation: COCOeval) -> dict[str, float]:
    """The ten figures of ``COCOeval.summarize`` for keypoints, nan for its -1."""
    figures = {}
    for name, key in (("AP", "precision"), ("AR", "recall")):
        values = evaluation.eval[key][..., -1]  # thresholds, …, classes, areas
        thresholds = evaluation.params.iouThrs
        half, three_quarters = (int(np.argmin(abs(thresholds - t))) for t in (0.5, 0.75))
        figures[name] = _mean(values[..., 0])
        figures[f"{name}50"] = _mean(values[half, ..., 0])
        figures[f"{name}75"] = _mean(values[three_quarters, ..., 0])
        for i, area in enumerate(AREAS[1:], 1):  # small people have no keypoints
            figures[f"{name}_{area}"] = _mean(values[..., i])
    return figures


def per_class(evaluation: COCOeval, class_names: Sequence[str]) -> dict[str, float]:
    """``AP/<class>`` of every class."""
    precision = evaluation.eval["precision"]
    return {f"AP/{name}": _mean(precision[:, :, i, 0, -1]) for i, name in enumerate(class_names)}


def _mean(values: np.ndarray) -> float:
    values = values[values > -1]
    return float(np.mean(values)) if values.size else math.nan
