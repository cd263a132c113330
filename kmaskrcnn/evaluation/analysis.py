"""Everything about a dataset's predictions that one threshold of AP does not say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.calibration import Calibration, calibration
from kmaskrcnn.evaluation.confusion import confusion_matrix
from kmaskrcnn.evaluation.counts import CountError, count_error
from kmaskrcnn.evaluation.curves import Curve, best_thresholds, curve
from kmaskrcnn.evaluation.matching import Matches, match
from kmaskrcnn.evaluation.mistakes import Mistakes, find_mistakes
from kmaskrcnn.evaluation.quality import image_quality
from kmaskrcnn.structures import Detections


@dataclass(frozen=True, eq=False)
class Analysis:
    """Figures of one table of matches, each counted when it is first asked for.

    Attributes:
        matches: who stands for whom.
    """

    matches: Matches

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """Class → precision, recall and F1 over the score."""
        return {name: curve(self.matches, i) for i, name in enumerate(self.matches.class_names)}

    @cached_property
    def together(self) -> Curve:
        """The same of all classes together."""
        return curve(self.matches)

    @cached_property
    def thresholds(self) -> np.ndarray:
        """(C,) the score of the best F1 of each class; where nothing is right, of all together."""
        return best_thresholds(self.matches)

    @cached_property
    def confusion(self) -> np.ndarray:
        """(C + 1, C + 1) true by found classes at the thresholds, the background last."""
        return confusion_matrix(self.matches, self.thresholds)

    @cached_property
    def calibration(self) -> Calibration:
        """Of the scores of all classes."""
        return calibration(self.matches)

    @cached_property
    def counts(self) -> dict[str, CountError]:
        """Class → error of counting at the thresholds; of all objects under ``""``."""
        named = {"": None} | {name: i for i, name in enumerate(self.matches.class_names)}
        return {n: count_error(self.matches, self.thresholds, i) for n, i in named.items()}

    @cached_property
    def quality(self) -> np.ndarray:
        """(N,) of each image at the thresholds, 0 to 1; see `image_quality`."""
        return image_quality(self.matches, self.thresholds)

    @property
    def mean_quality(self) -> float:
        """Of all images; nan without any."""
        return float(self.quality.mean()) if len(self.quality) else math.nan

    @cached_property
    def mistakes(self) -> Mistakes:
        """False alarms and misses at the thresholds."""
        return find_mistakes(self.matches, self.thresholds)

    @cached_property
    def missed(self) -> frozenset[int]:
        """The truths that were missed at the thresholds."""
        return frozenset(self.mistakes.misses.tolist())

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists; what cannot be measured is nan."""
        matches, mistakes = self.matches, self.mistakes
        return {
            "iou": matches.iou,
            "iou_type": matches.iou_type,
            "images": matches.num_images,
            "classes": {name: self._of_class(i) for i, name in enumerate(matches.class_names)},
            "all": _operating_point(self.together, self.together.threshold)
            | {"counts": self.counts[""]._asdict()},
            "confusion": {
                "classes": [*matches.class_names, None],
                "rows": "true, the last is the background",
                "columns": "found, the last is the background",
                "matrix": self.confusion.tolist(),
            },
            "calibration": {
                key: value.tolist() if isinstance(value, np.ndarray) else value
                for key, value in self.calibration._asdict().items()
            },
            "quality": {"mean": self.mean_quality, "of_images": self.quality.tolist()},
            "false_alarms": _tally(mistakes.alarm_kinds),
            "misses": _tally(mistakes.miss_kinds),
        }

    def _of_class(self, label: int) -> dict[str, Any]:
        name = self.matches.class_names[label]
        point = _operating_point(self.curves[name], float(self.thresholds[label]))
        return point | {"counts": self.counts[name]._asdict()}


def analyse(
    dataset: Dataset,
    predictions: Iterable[tuple[int, Detections]],
    iou: float = 0.5,
    iou_type: str = "mask",
) -> Analysis:
    """Matches what was found with what is there, and counts from that all figures of `Analysis`.

    Args:
        dataset, predictions, iou, iou_type: see `match`.
    """
    return Analysis(match(dataset, predictions, iou, iou_type))


def _operating_point(of: Curve, threshold: float) -> dict[str, Any]:
    precision, recall, f1 = of.at(threshold) if not math.isnan(threshold) else (math.nan,) * 3
    return {
        "AP": of.average_precision,
        "truth": of.num_truth,
        "threshold": threshold,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }


def _tally(kinds: np.ndarray) -> dict[str, int]:
    names, numbers = np.unique(kinds.astype(str), return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))
