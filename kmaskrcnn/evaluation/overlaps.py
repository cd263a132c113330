"""What was found, what is there, and which of it overlap: three narrow tables of a whole dataset.

Masks are compared image by image as run lengths and then let go of, so that memory grows with the
number of objects and not with their pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Dataset, Sample, checked_label, side_by_side
from kmaskrcnn.data.rle import instance_rle
from kmaskrcnn.evaluation.truth import sample_size
from kmaskrcnn.structures import Detections

IOU_TYPES = ("mask", "box")
NEAR = 0.1  # IoU below which a pair is not held: too little to say that one was meant by the other


class Found(NamedTuple):
    """D found objects, in the order of their images.

    Attributes:
        image: (D,) index in the dataset.
        row: (D,) place in that image's `Detections`.
        label: (D,) index of the dataset's class names.
        score: (D,) float32.
        area: (D,) square pixels, of the mask or of the box.
    """

    image: np.ndarray
    row: np.ndarray
    label: np.ndarray
    score: np.ndarray
    area: np.ndarray


class Truths(NamedTuple):
    """T objects that are there, in the order of their images.

    Attributes:
        image, row, label, area: as of `Found`; the row in the sample's instances.
        ignored: (T,) bool: a crowd, or an object without a mask where masks are compared. What is
            found there is neither right nor wrong.
    """

    image: np.ndarray
    row: np.ndarray
    label: np.ndarray
    area: np.ndarray
    ignored: np.ndarray


class Pairs(NamedTuple):
    """P pairs of one image that overlap by at least `NEAR`.

    Attributes:
        found: (P,) index in `Found`, rising.
        truth: (P,) index in `Truths`, rising for each found object.
        iou: (P,) float64; with an ignored truth the share of the found object that lies in it.
    """

    found: np.ndarray
    truth: np.ndarray
    iou: np.ndarray


def read_overlaps(
    dataset: Dataset, predictions: Iterable[tuple[int, Detections]], iou_type: str = "mask"
) -> tuple[Found, Truths, Pairs]:
    """The three tables, from one pass over the dataset and the predictions.

    Args:
        dataset: its samples' objects are the truth; images are opened only where nothing states
            their size.
        predictions: index in the dataset and what was found there, in any order, one at a time. A
            missing index is an image where nothing was found.
        iou_type: "mask" or "box": what is compared.

    Raises:
        ValueError: an index twice or outside of the dataset, another image size than the truth's,
            other classes, or masks to compare and none there.
    """
    if iou_type not in IOU_TYPES:
        raise ValueError(f"iou_type: expected 'mask' or 'box', got {iou_type!r}")
    images: dict[int, tuple[Found, Truths, Pairs]] = {}
    for index, detections in predictions:
        if not 0 <= index < len(dataset) or index in images:
            why = "it came twice" if index in images else f"the dataset has {len(dataset)}"
            raise ValueError(f"predictions: expected each index at most once, got {index}: {why}")
        images[index] = _one_image(dataset, index, detections, iou_type)
    for index in set(range(len(dataset))) - set(images):
        nothing = Detections.empty(dataset.class_names, sample_size(dataset[index]))
        images[index] = _one_image(dataset, index, nothing, iou_type)
    return _joined([images[index] for index in sorted(images)])


def _one_image(
    dataset: Dataset, index: int, detections: Detections, iou_type: str
) -> tuple[Found, Truths, Pairs]:
    sample = dataset[index]
    size = sample_size(sample)
    _check(index, detections, size, dataset.class_names)
    compared = _masks if iou_type == "mask" else _boxes
    shapes, there = compared(index, detections, sample, size)
    order = [list(dataset.class_names).index(name) for name in detections.class_names]
    labels = np.array(order, np.int32)[detections.labels]
    found = Found(*_places(index, labels), detections.scores, _areas(shapes))
    classes = len(dataset.class_names)
    named = [checked_label(i, classes, sample.name) for i in sample.instances]
    excused = [i.crowd or (iou_type == "mask" and i.mask is None) for i in sample.instances]
    ignored = np.array(excused, bool)
    truth = Truths(*_places(index, np.array(named, np.int32)), _areas(there), ignored)
    return found, truth, _pairs(shapes, there, ignored)


def _places(index: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first three columns of one image's objects."""
    return np.full(len(labels), index), np.arange(len(labels)), labels


def _check(
    index: int, detections: Detections, size: tuple[int, int], class_names: Sequence[str]
) -> None:
    if detections.image_size != size:
        raise ValueError(
            f"image {index}: the truth is of {size} (height, width), "
            f"the detections are of {detections.image_size}"
        )
    if set(detections.class_names) != set(class_names):
        raise ValueError(side_by_side(detections.class_names, class_names))


def _masks(
    index: int, detections: Detections, sample: Sample, size: tuple[int, int]
) -> tuple[Any, Any]:
    """The run lengths of what was found and of what is there."""
    if len(detections) and not detections.has_masks:
        raise ValueError(
            f"image {index}: expected masks, as iou_type is 'mask', and these detections have "
            "boxes only: compare by iou_type='box'."
        )
    found = detections.rle() if len(detections) else []
    return found, [instance_rle(instance, size) for instance in sample.instances]


def _boxes(
    index: int, detections: Detections, sample: Sample, size: tuple[int, int]
) -> tuple[Any, Any]:
    """(D, 4) and (T, 4) x y width height; of the mask where no box is stated."""
    there = [
        coco_mask.toBbox(instance_rle(i, size)) if i.box is None else _xywh(np.asarray([i.box]))[0]
        for i in sample.instances
    ]
    return _xywh(detections.boxes), np.array(there, np.float64).reshape(-1, 4)


def _xywh(boxes: np.ndarray) -> np.ndarray:
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def _areas(shapes: list[dict[str, Any]] | np.ndarray) -> np.ndarray:
    """One at a time: pycocotools 2.0.11 overflows for lists of more than 255 codes."""
    if isinstance(shapes, np.ndarray):
        return shapes[:, 2] * shapes[:, 3]
    return np.array([float(coco_mask.area(rle)) for rle in shapes])


def _pairs(shapes: Any, there: Any, ignored: np.ndarray) -> Pairs:
    """The pairs of one image, counted from 0."""
    if not len(shapes) or not len(there):
        return Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    ious = coco_mask.iou(shapes, there, ignored.astype(np.uint8))
    found, truth = np.nonzero(ious >= NEAR)
    return Pairs(found, truth, ious[found, truth])


def _joined(images: list[tuple[Found, Truths, Pairs]]) -> tuple[Found, Truths, Pairs]:
    """The images' tables below each other; pairs then count through the whole."""
    found, truth, pairs = ([image[i] for image in images] for i in range(3))
    ends = [np.cumsum([0] + [len(table[0]) for table in tables]) for tables in (found, truth)]
    shifted = [
        Pairs(p.found + first, p.truth + second, p.iou)
        for p, first, second in zip(pairs, *(end[:-1] for end in ends), strict=True)
    ]
    return (
        Found(*_columns(found, Found)),
        Truths(*_columns(truth, Truths)),
        Pairs(*_columns(shifted, Pairs)),
    )


def _columns(tables: Sequence[Any], kind: Any) -> list[np.ndarray]:
    if not tables:
        return [np.zeros(0, int) for _ in kind._fields]
    return [np.concatenate(column) for column in zip(*tables, strict=True)]
