"""Which found and which true objects overlap, in a table as long as there are such pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.pairs import Pair, by_image, overlaps
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
    there = by_image(truth.objects.images, np.arange(len(truth.objects.images)))
    parts = [Pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
    for image, rows in by_image(found.images, np.arange(len(found.images))).items():
        others = there.get(image, np.zeros(0, int))
        pair = Pair(image, rows, others)
        ious = overlaps(truth, found, pair, iou_type == "mask", ignored[others])
        first, second = np.nonzero(ious >= NEAR)
        parts.append(Pairs(rows[first], others[second], ious[first, second]))
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))
