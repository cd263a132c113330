"""COCO's average precision and recall: pycocotools does the counting, so its figures are ours."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval, Params

from kmaskrcnn.data.dataset import Dataset, keypoint_names_of, side_by_side
from kmaskrcnn.evaluation.figures import keypoint_summary, per_class, summary
from kmaskrcnn.evaluation.truth import Truth, make_coco, read_truth
from kmaskrcnn.structures import Detections

COCO_SIGMAS = Params("keypoints").kpt_oks_sigmas  # of COCO's 17 keypoints of people


class _Found(NamedTuple):
    """COCO results; None for what the detections do not have."""

    boxes: list[dict[str, Any]]
    masks: list[dict[str, Any]] | None
    keypoints: list[dict[str, Any]] | None


class CocoEvaluator:
    """Measures detections against a dataset, any number of times; the truth is read once.

    Figures are pycocotools' own (``COCOeval``), whatever the order of the images: areas as the
    dataset states them, else the mask's; crowds are ignored regions; images without detections
    count. Detections are sized by the mask where masks are measured, and by the box where boxes or
    keypoints are, as Detectron2 hands them to pycocotools.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        max_detections: Sequence[int] = (1, 10, 100),
        keypoint_sigmas: Sequence[float] | None = None,
    ) -> None:
        """Holds the dataset, reads nothing yet.

        Args:
            dataset: its samples' objects are the truth.
            max_detections: detections of an image and class that count, for the three AR; the last
                also for AP. COCO's 100 cuts images with hundreds of objects of one class. (Of
                keypoints always 20 count, as in COCO.)
            keypoint_sigmas: how exactly each of the J keypoints can be told, as a share of the
                object's size: the tolerance of OKS. None: COCO's for 17, and for another number
                the mean of those, 0.067, for each.
        """
        if len(max_detections) != 3 or sorted(max_detections) != list(max_detections):
            raise ValueError(f"max_detections: expected 3 rising numbers, got {max_detections}")
        self.dataset = dataset
        self.max_detections = tuple(int(n) for n in max_detections)
        self.keypoint_sigmas = _sigmas(keypoint_sigmas, len(keypoint_names_of(dataset)))
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
            ``mask/`` where both sides have masks. ``keypoints/AP``, ``…/AP50``, ``…/AP75``,
            ``…/AP_medium``, ``…/AP_large``, ``keypoints/AR``, ``…/AR50`` (at an OKS of 0.5) … and
            ``keypoints/AP/<class>`` where both sides have keypoints. 0 to 1; nan where there is no
            truth to measure by.

        Raises:
            ValueError: an index twice or outside of the dataset, another image size than the
                truth's, other classes, other keypoints.
        """
        truth, found = self.truth, self._gather(predictions)
        figures = self._measure("box", "bbox", truth.boxes, found.boxes)
        if truth.masks is not None and found.masks is not None:
            figures |= self._measure("mask", "segm", truth.masks, _with_areas(found.masks))
        if truth.keypoints is not None and found.keypoints is not None:
            figures |= self._measure("keypoints", "keypoints", truth.keypoints, found.keypoints)
        return figures

    def _gather(self, predictions: Iterable[tuple[int, Detections]]) -> _Found:
        boxes: list[dict[str, Any]] = []
        masks: list[dict[str, Any]] = []
        keypoints: list[dict[str, Any]] = []
        seen: set[int] = set()
        kinds: set[tuple[bool, bool]] = set()
        for index, found in predictions:
            self._check(index, found, seen)
            kinds.add((found.has_masks, found.keypoints is not None))
            for result in found.to_coco(self.truth.image_ids[index], self._category_ids()):
                rle, points = result.pop("segmentation", None), result.pop("keypoints", None)
                width, height = result["bbox"][2:]
                boxes.append(result | {"area": width * height, "iscrowd": 0})
                if points is not None:
                    keypoints.append(boxes[-1] | {"keypoints": points})
                if rle is not None:
                    masks.append(result | {"segmentation": rle, "iscrowd": 0})
        with_masks = _in_all("masks", {kind[0] for kind in kinds})
        with_keypoints = _in_all("keypoints", {kind[1] for kind in kinds})
        return _Found(boxes, masks if with_masks else None, keypoints if with_keypoints else None)

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
        names = keypoint_names_of(self.dataset)
        if names and found.keypoints is not None:
            count = found.keypoints.shape[1]
            if count != len(names) or found.keypoint_names not in ((), names):
                given = found.keypoint_names or f"{count} without names"
                raise ValueError(f"image {index}: the truth's keypoints are {names}, got {given}")

    def _measure(
        self, name: str, iou_type: str, truth: COCO, results: list[dict[str, Any]]
    ) -> dict[str, float]:
        names = tuple(self.dataset.class_names)
        found = make_coco(results, truth.dataset["images"], names)
        with self._lock, contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, found, iou_type)
            if iou_type == "keypoints":
                evaluation.params.kpt_oks_sigmas = self.keypoint_sigmas
            else:
                evaluation.params.maxDets = list(self.max_detections)
            evaluation.evaluate()
            evaluation.accumulate()
        figures = keypoint_summary(evaluation) if iou_type == "keypoints" else summary(evaluation)
        figures |= per_class(evaluation, names)
        return {f"{name}/{key}": value for key, value in figures.items()}


def evaluate_coco(
    dataset: Dataset, predictions: Iterable[tuple[int, Detections]], **options: Any
) -> dict[str, float]:
    """Figures of ``predictions`` (index in the dataset, detections); see ``CocoEvaluator``."""
    return CocoEvaluator(dataset, **options).evaluate(predictions)


def _in_all(what: str, kinds: set[bool]) -> bool:
    if len(kinds) > 1:
        raise ValueError(f"expected {what} in all detections or in none, got both")
    return False not in kinds


def _sigmas(sigmas: Sequence[float] | None, count: int) -> np.ndarray:
    if sigmas is None:
        return COCO_SIGMAS if count == len(COCO_SIGMAS) else np.full(count, COCO_SIGMAS.mean())
    if len(sigmas) != count or min(sigmas, default=1) <= 0:
        raise ValueError(
            f"keypoint_sigmas: expected {count} numbers above 0, one a keypoint, got {sigmas}"
        )
    return np.array(sigmas, float)


def _with_areas(masks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One at a time: ``area`` of a list of more than 255 codes overflows in pycocotools 2.0.11."""
    return [m | {"area": float(coco_mask.area(m["segmentation"]))} for m in masks]
