"""Detections against a dataset: the truth read once, predictions taken one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.evaluation.boundary import boundary_figures
from kmaskrcnn.evaluation.cityscapes import cityscapes_figures
from kmaskrcnn.evaluation.coco import checked_limits, checked_sigmas, coco_figures
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.counts import count_figures
from kmaskrcnn.evaluation.lvis import lvis_figures
from kmaskrcnn.evaluation.results import Predictions, read_found
from kmaskrcnn.evaluation.truth import Truth, read_truth
from kmaskrcnn.evaluation.voc import voc_figures
from kmaskrcnn.metrics import checked_metrics

Measure = Callable[[Dataset, Truth, FoundObjects], dict[str, float]]
BESIDE_COCO: dict[str, Measure] = {
    "lvis": lvis_figures,
    "voc": voc_figures,
    "boundary": boundary_figures,
    "cityscapes": cityscapes_figures,
    "counts": count_figures,
}


class Evaluator:
    """Measures detections against a dataset, any number of times; the truth is read once."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        metrics: Sequence[str] = ("coco",),
        max_detections: Sequence[int] = (1, 10, 100),
        keypoint_sigmas: Sequence[float] | None = None,
    ) -> None:
        """Holds the dataset, reads nothing yet.

        Args:
            dataset: its samples' objects are the truth.
            metrics: "coco", "lvis", "voc", "boundary", "cityscapes", "counts".
            max_detections: of "coco": detections of an image and class that count, for the three
                AR; the last also for AP. COCO's 100 cuts images with hundreds of objects of one
                class. (Of keypoints always 20 count, as in COCO.)
            keypoint_sigmas: how exactly each of the J keypoints can be told, as a share of the
                object's size: the tolerance of OKS. None: COCO's for 17, and for another number
                the mean of those, 0.067, for each.
        """
        self.dataset, self.metrics = dataset, checked_metrics(metrics)
        self.max_detections = checked_limits(max_detections)
        self.keypoint_sigmas = checked_sigmas(keypoint_sigmas, len(keypoint_names_of(dataset)))
        self._truth: Truth | None = None
        self._lock = threading.Lock()

    @property
    def truth(self) -> Truth:
        """The ground truth; read when it is first asked for."""
        with self._lock:
            if self._truth is None:
                self._truth = read_truth(self.dataset)
            return self._truth

    def evaluate(self, predictions: Predictions) -> dict[str, float]:
        """Figures of ``predictions``.

        Args:
            predictions: index in the dataset and what was found there, in any order; taken one at a
                time. A missing index is an image where nothing was found. Or a JSON of COCO
                results (see `evaluation.results`).

        Returns: the figures of each metric, 0 to 1; nan where there is no truth to measure by. Of
            "coco": ``box/AP``, ``box/AP50``, ``box/AP75``, ``box/AP_small`` …, ``box/AR1``,
            ``box/AR10``, ``box/AR100``, ``box/AR_small`` …, ``box/AP/<class>``, and the same under
            ``mask/`` where both sides have masks. ``keypoints/AP``, ``…/AP50``, ``…/AP75``,
            ``…/AP_medium``, ``…/AP_large``, ``keypoints/AR``, ``…/AR50`` (at an OKS of 0.5) … and
            ``keypoints/AP/<class>`` where both sides have keypoints. Of the others see their
            modules: ``lvis_mask/AP_rare``, ``voc_box/AP50``, ``boundary/AP``, ``cityscapes/AP``,
            ``counts/absolute`` ….

        Raises:
            ValueError: an index twice or outside of the dataset, another image size than the
                truth's, other classes, other keypoints.
            DataError: results that cannot be read; names the file and the entry.
        """
        found = self.read(predictions)
        figures: dict[str, float] = {}
        for metric in self.metrics:
            if metric == "coco":
                figures |= coco_figures(
                    self.truth, found, self.max_detections, self.keypoint_sigmas
                )
            else:
                figures |= BESIDE_COCO[metric](self.dataset, self.truth, found)
        return figures

    def read(self, predictions: Predictions) -> FoundObjects:
        """What was found, as columns: what `evaluate` takes, to be read once and used twice."""
        return read_found(predictions, self.dataset, self.truth)


def evaluate_coco(dataset: Dataset, predictions: Predictions, **options: Any) -> dict[str, float]:
    """Figures of predictions (index in the dataset, detections; or a file); see `Evaluator`."""
    return Evaluator(dataset, **options).evaluate(predictions)
