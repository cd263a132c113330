"""Boundary AP: COCO's AP of masks that also have to agree along their outlines.

Cheng et al. 2021, arXiv:2103.16562: a pair's overlap is the smaller one of the IoU of the masks and
the IoU of their rims, as wide as 2 % of the image's diagonal.
"""

from __future__ import annotations

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.engine import Task, count
from kmaskrcnn.evaluation.figures import per_class, prefixed, summary
from kmaskrcnn.evaluation.truth import Truth

LIMITS = (1, 10, 100)


def boundary_figures(dataset: Dataset, truth: Truth, found: FoundObjects) -> dict[str, float]:
    """``boundary/…``, the figures of COCO; empty where either side has no masks."""
    if not truth.has_masks or found.masks is None:
        return {}
    curves = count(truth, found, Task("boundary", LIMITS))
    return prefixed("boundary", summary(curves) | per_class(curves, truth.class_names))
