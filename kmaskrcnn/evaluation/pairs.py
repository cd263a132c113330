"""What was found and what is there of one class, image by image, and how much it overlaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.evaluation.columns import FoundObjects, rows_by_class
from kmaskrcnn.evaluation.truth import Truth


class Pair(NamedTuple):
    """The objects of one class in one image: rows of the columns, either may be empty.

    Attributes:
        image: place in the dataset.
        found: (D,) rows, by falling score.
        there: (T,) rows.
    """

    image: int
    found: np.ndarray
    there: np.ndarray


def pairs_by_class(truth: Truth, found: FoundObjects) -> Iterator[list[Pair]]:
    """For each class its images, in the order of the file's ids."""
    best_first = np.argsort(-found.scores, kind="stable")
    labels, classes = found.labels[best_first], len(truth.class_names)
    claimed = (best_first[rows] for rows in rows_by_class(labels, classes))
    there = rows_by_class(truth.objects.labels, classes)
    for found_rows, true_rows in zip(claimed, there, strict=True):
        found_in = by_image(found.images, found_rows)
        true_in = by_image(truth.objects.images, true_rows)
        images = sorted({*found_in, *true_in}, key=lambda image: truth.ranks[image])
        none = np.zeros(0, int)
        yield [Pair(i, found_in.get(i, none), true_in.get(i, none)) for i in images]


def by_image(images: np.ndarray, rows: np.ndarray) -> dict[int, np.ndarray]:
    """Image → its rows, in their order."""
    order = np.argsort(images[rows], kind="stable")
    places, starts = np.unique(images[rows][order], return_index=True)
    return dict(zip(places.tolist(), np.split(rows[order], starts)[1:], strict=True))


def overlaps(
    truth: Truth, found: FoundObjects, pair: Pair, masks: bool, crowd: np.ndarray
) -> np.ndarray:
    """(D, T) IoU of masks or boxes; with a crowd the share of the found object that lies in it.

    Args:
        crowd: (T,) bool.
    """
    if not len(pair.found) or not len(pair.there):
        return np.zeros((len(pair.found), len(pair.there)))
    if masks:
        size = truth.sizes[pair.image]
        there = codes([truth.objects.masks[row] for row in pair.there], size)
        claimed = codes([(found.masks or [])[row] for row in pair.found], size)
        return coco_mask.iou(claimed, there, crowd.astype(np.uint8).tolist())
    if found.boxes is None:
        raise ValueError("the predictions have no boxes")
    boxes = np.ascontiguousarray(found.boxes[pair.found])
    return coco_mask.iou(boxes, truth.objects.boxes[pair.there], crowd.astype(np.uint8).tolist())


def codes(counts: Sequence[bytes], size: tuple[int, int]) -> list[dict[str, Any]]:
    """Run lengths as pycocotools takes them."""
    return [{"size": list(size), "counts": own} for own in counts]
