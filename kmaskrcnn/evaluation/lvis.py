"""LVIS' average precision: many classes, of which each image was searched for a few only.

Gupta et al. 2019, arXiv:1908.03195; the rules of lvis-api (https://github.com/lvis-dataset/lvis-api).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects, select
from kmaskrcnn.evaluation.engine import Curves, Task, count
from kmaskrcnn.evaluation.figures import mean, per_class, prefixed, summary
from kmaskrcnn.evaluation.truth import Federation, Truth

PER_IMAGE = 300  # detections that count, of all classes together
GROUPS = {"r": "AP_rare", "c": "AP_common", "f": "AP_frequent"}


def lvis_figures(dataset: Dataset, truth: Truth, found: FoundObjects) -> dict[str, float]:
    """``lvis_box/…`` and ``lvis_mask/…``, of what both sides have.

    Of an image the 300 best detections count. Those of a class that was not looked for in the image
    are left out; where a class is not annotated exhaustively, unmatched ones are ignored. Objects
    are sized as for COCO's figures.

    Raises:
        ValueError: the dataset does not say which classes were looked for.
    """
    if truth.federation is None:
        raise ValueError(
            "metric 'lvis': the dataset does not say which classes each image was searched for "
            "(Sample.absent). Open a file of LVIS, with neg_category_ids, or take 'coco'."
        )
    best = select(found, _best_of_images(found))
    best = select(best, _looked_for(truth, truth.federation, best))
    frequencies = getattr(dataset, "frequencies", ())
    figures: dict[str, float] = {}
    if found.boxes is not None:
        figures |= _figures("box", truth, best, frequencies)
    if truth.has_masks and found.masks is not None:
        figures |= _figures("mask", truth, best, frequencies)
    return figures


def _best_of_images(found: FoundObjects) -> np.ndarray:
    """The rows of the best of each image, in their order."""
    order = np.lexsort((-found.scores, found.images))  # stable
    images = found.images[order]
    place = np.arange(len(order)) - np.searchsorted(images, images)
    return np.sort(order[place < PER_IMAGE])


def _looked_for(truth: Truth, federation: Federation, found: FoundObjects) -> np.ndarray:
    """The rows whose class is known to be in their image, or known not to be."""
    absent = [(image, label) for image, known in enumerate(federation.absent) for label in known]
    images, labels = np.array(absent, int).reshape(-1, 2).T
    images = np.concatenate([images, truth.objects.images])
    labels = np.concatenate([labels, truth.objects.labels])
    classes = len(truth.class_names)
    known = np.isin(found.images * classes + found.labels, images * classes + labels)
    return np.flatnonzero(known)


def _figures(
    kind: str, truth: Truth, found: FoundObjects, frequencies: Sequence[str]
) -> dict[str, float]:
    iou_type = "bbox" if kind == "box" else "segm"
    curves = count(truth, found, Task(iou_type, (PER_IMAGE,), federation=truth.federation))
    figures = summary(curves) | _by_frequency(curves, frequencies)
    return prefixed(f"lvis_{kind}", figures | per_class(curves, truth.class_names))


def _by_frequency(curves: Curves, frequencies: Sequence[str]) -> dict[str, float]:
    """AP of the rare, the common and the frequent classes; nothing where that is not known."""
    if not frequencies:
        return {}
    precision = curves.precision[:, :, :, 0, -1]
    members = {group: np.array(frequencies) == group for group in GROUPS}
    return {name: mean(precision[:, :, members[group]]) for group, name in GROUPS.items()}
