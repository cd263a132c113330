"""Objects of many images side by side, one row each: small enough for a whole dataset in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class TrueObjects(NamedTuple):
    """The N objects of a dataset.

    Attributes:
        images: (N,) int, the place of its image in the dataset.
        labels: (N,) int, rows of the dataset's ``class_names``.
        boxes: (N, 4) float64, x y width height in pixels of the original image.
        areas: (N,) float64, square pixels: as the dataset states, else of the mask.
        crowd: (N,) bool, regions of many objects that were not told apart.
        masks: N compressed run lengths; of the box where there is no mask.
        has_mask: (N,) bool, whether the object's mask is known.
        difficult: (N,) bool, hard to tell, as Pascal VOC marks it.
        keypoints: (N, J, 3) float64, COCO's x y (indices of pixels) and visibility; None where the
            dataset names none.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    crowd: np.ndarray
    masks: list[bytes]
    has_mask: np.ndarray
    difficult: np.ndarray
    keypoints: np.ndarray | None = None


class FoundObjects(NamedTuple):
    """The N objects that were found in a dataset's images, each image's one after another.

    Attributes:
        images, labels: as in `TrueObjects`.
        boxes: (N, 4) float64, x y width height; None where boxes are not known.
        scores: (N,) float64.
        areas: (N,) float64, square pixels of the boxes, or of what else there is.
        masks: N compressed run lengths; None where masks were not predicted.
        mask_areas: (N,) float64, their areas; None without masks.
        keypoints: (N, J, 3) float64, COCO's x y and a score; None where none were predicted.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray | None
    scores: np.ndarray
    areas: np.ndarray
    masks: list[bytes] | None = None
    mask_areas: np.ndarray | None = None
    keypoints: np.ndarray | None = None


def select(found: FoundObjects, rows: np.ndarray) -> FoundObjects:
    """Some of the objects, in the order of ``rows``."""
    chosen: dict[str, Any] = {}
    for name, column in found._asdict().items():
        if isinstance(column, list):
            chosen[name] = [column[row] for row in rows]
        else:
            chosen[name] = None if column is None else column[rows]
    return FoundObjects(**chosen)


def rows_by_class(labels: np.ndarray, num_classes: int) -> list[np.ndarray]:
    """The rows of each class, in their order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, num_classes)))
