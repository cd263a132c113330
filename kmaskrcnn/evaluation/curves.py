"""Precision and recall over the threshold of score, and the threshold of the best F1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kmaskrcnn.evaluation.matching import Matches

RECALLS = np.linspace(0, 1, 101)  # at which COCO's AP reads the precision
WITHOUT = 0.5  # the threshold where nothing says a better one


@dataclass(frozen=True, eq=False)
class Curve:
    """One class, or all together: how right its found objects are, down to each score.

    Attributes:
        scores: (N,) of the objects that count, falling.
        right: (N,) bool: which of them stand for a truth.
        num_truth: objects that are there.
    """

    scores: np.ndarray
    right: np.ndarray
    num_truth: int

    @cached_property
    def hits(self) -> np.ndarray:
        """(N,) how many are right, down to each."""
        return np.cumsum(self.right)

    @cached_property
    def precision(self) -> np.ndarray:
        """(N,) share of the objects down to each that is right."""
        return self.hits / np.arange(1, len(self.right) + 1)

    @cached_property
    def recall(self) -> np.ndarray:
        """(N,) share of the truth that is found by then; nan without any."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.hits / np.float64(self.num_truth)

    @cached_property
    def f1(self) -> np.ndarray:
        """(N,) harmonic mean of the two: 2 TP / (found + there)."""
        both = np.arange(1, len(self.right) + 1) + self.num_truth
        return 2 * self.hits / both

    @property
    def best(self) -> int | None:
        """Where F1 is highest; None where nothing right is found.

        Objects of one score come together: only the last of them is a place to stop at.
        """
        if not self.right.any():
            return None
        stops = np.append(self.scores[1:] < self.scores[:-1], True)
        return int(np.argmax(np.where(stops, self.f1, -1)))

    @property
    def threshold(self) -> float:
        """The score of the best F1, to be kept itself; nan where nothing right is found."""
        return math.nan if self.best is None else float(self.scores[self.best])

    @property
    def average_precision(self) -> float:
        """COCO's AP at the IoU of the matches: precision at 101 recalls, none lower than later."""
        if not self.num_truth:
            return math.nan
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        places = np.searchsorted(self.recall, RECALLS, side="left")
        return float(np.mean(np.append(envelope, 0.0)[places]))

    def at(self, score: float) -> tuple[float, float, float]:
        """Precision, recall and F1 of what scores at least so much; nan where undefined."""
        kept = int(np.searchsorted(-self.scores, -score, side="right"))
        right = int(self.hits[kept - 1]) if kept else 0
        precision = right / kept if kept else math.nan
        recall = right / self.num_truth if self.num_truth else math.nan
        both = kept + self.num_truth
        return precision, recall, 2 * right / both if both else math.nan


def curve(matches: Matches, label: int | None = None) -> Curve:
    """The curve of a class; of all classes together without a label."""
    of_truth, of_found = ~matches.ignored, matches.counted
    if label is not None:
        of_truth = of_truth & (matches.truth.labels == label)
        of_found = of_found & (matches.found.labels == label)
    scores, right = matches.found.scores[of_found], matches.right[of_found]
    order = np.argsort(-scores, kind="stable")
    return Curve(scores[order], right[order], int(of_truth.sum()))


def best_thresholds(matches: Matches) -> np.ndarray:
    """(C,) the score of the best F1 of each class.

    A class of which nothing right is found takes the one of all classes together; 0.5 if there is
    none either.
    """
    together = curve(matches).threshold
    otherwise = WITHOUT if math.isnan(together) else together
    own = [curve(matches, label).threshold for label in range(len(matches.class_names))]
    return np.array([otherwise if math.isnan(score) else score for score in own])
