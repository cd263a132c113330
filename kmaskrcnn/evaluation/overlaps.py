"""Which found and which true objects overlap, in a table as long as there are such pairs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.truth import Truth

NEAR = 0.1  # IoU below which a pair is not held: too little to say that one was meant by the other


class Pairs(NamedTuple):
    """P pairs of objects of one image that overlap by at least `NEAR`.

    Attributes:
        found: (P,) row of the found objects.
        truth: (P,) row of the true ones.
        iou: (P,) float64; with an ignored truth the share of the found object that lies in it.
    """

    found: np.ndarray
    truth: np.ndarray
    iou: np.ndarray

    def of(self, rows: np.ndarray) -> Pairs:
        """Some of them."""
        return Pairs(*(column[rows] for column in self))


def find_pairs(truth: Truth, found: FoundObjects, ignored: np.ndarray, iou_type: str) -> Pairs:
    """All pairs of a dataset; masks are compared image by image, as run lengths.

    Args:
        truth: of the dataset.
        found: objects, each image's one after another.
        ignored: (T,) bool, true objects that only excuse what is found in them.
        iou_type: "mask" or "box".
    """
    there = _rows_of_images(truth.objects.images)
    parts = [Pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
    for image, rows in _rows_of_images(found.images).items():
        if image not in there:
            continue
        others, size = there[image], truth.sizes[image]
        shapes = (
            _shapes(found, rows, size, iou_type),
            _shapes(truth.objects, others, size, iou_type),
        )
        ious = coco_mask.iou(*shapes, ignored[others].astype(np.uint8))
        first, second = np.nonzero(ious >= NEAR)
        parts.append(Pairs(rows[first], others[second], ious[first, second]))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _rows_of_images(images: np.ndarray) -> dict[int, np.ndarray]:
    """Image → its rows, rising."""
    order = np.argsort(images, kind="stable")
    values, starts = np.unique(images[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, starts)[1:], strict=True))


def _shapes(objects: Any, rows: np.ndarray, size: tuple[int, int], iou_type: str) -> Any:
    """What pycocotools compares: run lengths, or x y width height."""
    if iou_type == "box":
        return objects.boxes[rows]
    return [{"size": list(size), "counts": objects.masks[row]} for row in rows]
