"""COCO's average precision and recall: pycocotools does the counting, so its figures are ours."""

from __future__ import annotations

import contextlib
import io
import math
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kmaskrcnn.data.dataset import Dataset, side_by_side
from kmaskrcnn.evaluation.truth import Truth, make_coco, read_truth
from kmaskrcnn.structures import Detections

AREAS = ("small", "medium", "large")  # below 32², to 96², above, in pixels


class CocoEvaluator:
    """Measures detections against a dataset, any number of times; the truth is read once.

    Figures are pycocotools' own (``COCOeval``), whatever the order of the images: areas as the
    dataset states them, else the mask's; crowds are ignored regions; images without detections
    count. Detections are sized by the box where boxes are measured, and by the mask where masks are
    (as Detectron2 and torchvision hand them to pycocotools).
    """

    def __init__(self, dataset: Dataset, *, max_detections: Sequence[int] = (1, 10, 100)) -> None:
        """Holds the dataset, reads nothing yet.

        Args:
            dataset: its samples' objects are the truth.
            max_detections: detections of an image and class that count, for the three AR; the last
                also for AP. COCO's 100 cuts images with hundreds of objects of one class.
        """
        if len(max_detections) != 3 or sorted(max_detections) != list(max_detections):
            raise ValueError(f"max_detections: expected 3 rising numbers, got {max_detections}")
        self.dataset = dataset
        self.max_detections = tuple(int(n) for n in max_detections)
        self._truth: Truth | None = None
        self._lock = threading.RLock()  # COCOeval writes into the truth

    @property
    def truth(self) -> Truth:
        """The ground truth in pycocotools' form."""
        with self._lock:
            if self._truth is None:
                self._truth = read_truth(self.dataset)
            return self._truth

    def evaluate(self, predictions: Iterable[tuple[int, Detections]]) -> dict[str, float]:
        """Figures of ``predictions``.

        Args:
            predictions: index in the dataset and what was found there, in any order; taken one at a
                time. A missing index is an image where nothing was found.

        Returns: ``box/AP``, ``box/AP50``, ``box/AP75``, ``box/AP_small`` …, ``box/AR1``,
            ``box/AR10``, ``box/AR100``, ``box/AR_small`` …, ``box/AP/<class>``, and the same under
            ``mask/`` where both sides have masks. 0 to 1; nan where there is no truth to measure
            by.

        Raises:
            ValueError: an index twice or outside of the dataset, another image size than the
                truth's, other classes.
        """
        truth = self.truth
        boxes: list[dict[str, Any]] = []
        masks: list[dict[str, Any]] = []
        seen: set[int] = set()
        kinds: set[bool] = set()
        for index, found in predictions:
            self._check(index, found, seen)
            kinds.add(found.mask_probabilities is not None)
            for result in found.to_coco(truth.image_ids[index], self._category_ids()):
                rle = result.pop("segmentation", None)
                width, height = result["bbox"][2:]
                boxes.append(result | {"area": width * height, "iscrowd": 0})
                if rle is not None:
                    masks.append(result | {"segmentation": rle, "iscrowd": 0})
        if len(kinds) > 1:
            raise ValueError("expected masks in all detections or in none, got both")
        figures = self._measure("box", "bbox", truth.boxes, boxes)
        if truth.masks is not None and False not in kinds:
            figures |= self._measure("mask", "segm", truth.masks, _with_areas(masks))
        return figures

    def _category_ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.dataset.class_names, 1)}

    def _check(self, index: int, found: Detections, seen: set[int]) -> None:
        truth = self.truth
        if not 0 <= index < len(truth.sizes) or index in seen:
            why = "it came twice" if index in seen else f"the dataset has {len(truth.sizes)}"
            raise ValueError(f"predictions: expected each index at most once, got {index}: {why}")
        seen.add(index)
        if found.image_size != truth.sizes[index]:
            raise ValueError(
                f"image {index}: the truth is of {truth.sizes[index]} (height, width), "
                f"the detections are of {found.image_size}"
            )
        if set(found.class_names) != set(self.dataset.class_names):
            raise ValueError(side_by_side(found.class_names, self.dataset.class_names))

    def _measure(
        self, name: str, iou_type: str, truth: COCO, results: list[dict[str, Any]]
    ) -> dict[str, float]:
        names = tuple(self.dataset.class_names)
        found = make_coco(results, truth.dataset["images"], names)
        with self._lock, contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, found, iou_type)
            evaluation.params.maxDets = list(self.max_detections)
            evaluation.evaluate()
            evaluation.accumulate()
        figures = summary(evaluation) | per_class(evaluation, names)
        return {f"{name}/{key}": value for key, value in figures.items()}


def evaluate_coco(
    dataset: Dataset, predictions: Iterable[tuple[int, Detections]], **options: Any
) -> dict[str, float]:
    """Figures of ``predictions`` (index in the dataset, detections); see ``CocoEvaluator``."""
    return CocoEvaluator(dataset, **options).evaluate(predictions)


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


def per_class(evaluation: COCOeval, class_names: Sequence[str]) -> dict[str, float]:
    """``AP/<class>`` of every class."""
    precision = evaluation.eval["precision"]
    return {f"AP/{name}": _mean(precision[:, :, i, 0, -1]) for i, name in enumerate(class_names)}


def _mean(values: np.ndarray) -> float:
    values = values[values > -1]
    return float(np.mean(values)) if values.size else math.nan


def _with_areas(masks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One at a time: ``area`` of a list of more than 255 codes overflows in pycocotools 2.0.11."""
    return [m | {"area": float(coco_mask.area(m["segmentation"]))} for m in masks]
