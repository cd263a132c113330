"""COCO's counting: precision and recall of each class, counted by faster-coco-eval.

Its C++ gives the figures of pycocotools (to the last bit but one), several times as fast. It is
asked class by class, with the images that hold the class, because its time and memory grow with
images × classes, and ours so with the objects that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster

from kmaskrcnn.evaluation.columns import FoundObjects, TrueObjects, rows_by_class
from kmaskrcnn.evaluation.truth import Federation, Truth
from kmaskrcnn.memory import garbage_kept

THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of IoU or OKS
AREAS = ("all", "small", "medium", "large")  # all, below 32², to 96², above, in pixels
KEYPOINT_AREAS = ("all", "medium", "large")  # small people have no keypoints
RECALLS = 101
KEYPOINT_LIMIT = 20
NO_MASK = {"size": [1, 1], "counts": b"1"}


class Curves(NamedTuple):
    """What AP and AR are means of; -1 where a class has no truth.

    Attributes:
        precision: (10 thresholds, 101 recalls, C, areas, limits) float64.
        recall: (10 thresholds, C, areas, limits) float64, the highest that is reached.
        areas: names of the ranges of size.
        limits: detections of an image and class that count.
    """

    precision: np.ndarray
    recall: np.ndarray
    areas: tuple[str, ...]
    limits: tuple[int, ...]


class Task(NamedTuple):
    """What is measured.

    Attributes:
        iou_type: "bbox", "segm", "boundary" or "keypoints".
        limits: rising numbers of detections of an image and class; AP is of the last.
        sigmas: (J,) how exactly each keypoint can be told.
        federation: None: every class was looked for in every image.
    """

    iou_type: str
    limits: tuple[int, ...]
    sigmas: np.ndarray | None = None
    federation: Federation | None = None

    @property
    def masked(self) -> bool:
        """Whether masks are measured."""
        return self.iou_type in ("segm", "boundary")


@garbage_kept()
def count(truth: Truth, found: FoundObjects, task: Task) -> Curves:
    """Precision and recall of every class."""
    areas = KEYPOINT_AREAS if task.iou_type == "keypoints" else AREAS
    shape = (len(truth.class_names), len(areas), len(task.limits))
    precision = np.full((len(THRESHOLDS), RECALLS, *shape), -1.0)
    recall = np.full((len(THRESHOLDS), *shape), -1.0)
    there = rows_by_class(truth.objects.labels, shape[0])
    claimed = rows_by_class(found.labels, shape[0])
    for label, (true_rows, found_rows) in enumerate(zip(there, claimed, strict=True)):
        if len(true_rows):
            evaluation = _evaluated(truth, found, task, label, (true_rows, found_rows))
            precision[:, :, label] = evaluation["precision"][:, :, 0]
            recall[:, label] = evaluation["recall"][:, 0]
    return Curves(precision, recall, areas, task.limits)


def _evaluated(
    truth: Truth, found: FoundObjects, task: Task, label: int, rows: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """The curves of one class, of its rows in truth and found."""
    true_rows, found_rows = rows
    there, claimed = truth.objects.images[true_rows], found.images[found_rows]
    places, compared = np.union1d(there, claimed), np.intersect1d(there, claimed)
    images = [_image(truth, task.federation, place, label) for place in places.tolist()]
    evaluation = COCOeval_faster(
        _coco(images, _truth_of(truth, task, true_rows, compared)),
        _coco(images, _results_of(truth, found, task, found_rows, compared)),
        task.iou_type,
        print_function=_silent,
        kpt_oks_sigmas=task.sigmas,
        lvis_style=task.federation is not None,
    )
    evaluation.params.maxDets = list(task.limits)
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval


def _image(truth: Truth, federation: Federation | None, place: int, label: int) -> dict[str, Any]:
    height, width = truth.sizes[place]
    image: dict[str, Any] = {"id": int(truth.ranks[place]), "height": height, "width": width}
    if federation is not None:  # the only category is 1
        image["neg_category_ids"] = [1] * (label in federation.absent[place])
        image["not_exhaustive_category_ids"] = [1] * (label in federation.incomplete[place])
    return image


def _coco(images: list[dict[str, Any]], columns: dict[str, Sequence[Any]]) -> COCO:
    """One class's annotations or results; their ids are given here, from 1 (0 is "unmatched")."""
    numbers = range(1, len(columns["image_id"]) + 1)
    columns = {"id": numbers, "category_id": [1] * len(numbers), **columns}
    rows = zip(*columns.values(), strict=True)
    annotations = [dict(zip(columns, row, strict=True)) for row in rows]
    categories = [{"id": 1, "name": "", "frequency": "f"}]
    return COCO({"images": images, "annotations": annotations, "categories": categories})


def _truth_of(
    truth: Truth, task: Task, rows: np.ndarray, compared: np.ndarray
) -> dict[str, Sequence[Any]]:
    """The objects of some rows in COCO's terms; of masks, those not known are crowds."""
    objects = truth.objects
    crowd = objects.crowd | ~objects.has_mask if task.masked else objects.crowd
    columns = {
        "image_id": truth.ranks[objects.images[rows]].tolist(),
        "area": objects.areas[rows].tolist(),
        "iscrowd": crowd[rows].astype(int).tolist(),
        "bbox": objects.boxes[rows].tolist(),
    }
    if task.masked:
        columns["segmentation"] = _codes(truth, objects, rows, compared)
    if task.iou_type == "keypoints" and objects.keypoints is not None:
        columns["keypoints"] = _flat(objects.keypoints[rows])
        columns["num_keypoints"] = np.count_nonzero(objects.keypoints[rows, :, 2], axis=1).tolist()
    return columns


def _results_of(
    truth: Truth, found: FoundObjects, task: Task, rows: np.ndarray, compared: np.ndarray
) -> dict[str, Sequence[Any]]:
    """What was found, in COCO's terms; its size is the mask's where masks are measured."""
    areas = found.areas if found.mask_areas is None or not task.masked else found.mask_areas
    columns = {
        "image_id": truth.ranks[found.images[rows]].tolist(),
        "area": areas[rows].tolist(),
        "score": found.scores[rows].tolist(),
    }
    if task.masked:
        columns["segmentation"] = _codes(truth, found, rows, compared)
    elif found.boxes is not None:
        columns["bbox"] = found.boxes[rows].tolist()
    if task.iou_type == "keypoints" and found.keypoints is not None:
        columns["keypoints"] = _flat(found.keypoints[rows])
    return columns


def _codes(
    truth: Truth, objects: TrueObjects | FoundObjects, rows: np.ndarray, compared: np.ndarray
) -> list[dict[str, Any]]:
    """Run lengths; of images where nothing is to be compared a mask of one pixel in their place."""
    masks, sizes = objects.masks or [], truth.sizes
    places = objects.images[rows]
    asked = np.isin(places, compared).tolist()
    return [
        {"size": sizes[place], "counts": masks[row]} if ask else NO_MASK
        for place, row, ask in zip(places.tolist(), rows.tolist(), asked, strict=True)
    ]


def _flat(keypoints: np.ndarray) -> list[list[float]]:
    """(N, J, 3) → N lists of 3 J numbers."""
    return keypoints.reshape(len(keypoints), np.prod(keypoints.shape[1:])).tolist()


def _silent(*_: Any) -> None:
    """Takes what would be printed."""
