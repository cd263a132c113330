"""Whether a score of 0.8 means that eight of ten are right (Guo et al., 2017)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kmaskrcnn.evaluation.matching import Matches


class Calibration(NamedTuple):
    """A reliability diagram.

    Attributes:
        edges: (bins + 1,) of the scores, 0 to 1; a score on an edge belongs to the upper bin.
        counts: (bins,) found objects in each.
        scores: (bins,) their mean score; nan in an empty bin.
        right: (bins,) share of them that is right; nan in an empty bin.
        error: the expected calibration error: the mean distance of the two, by count; nan for
            nothing found.
    """

    edges: np.ndarray
    counts: np.ndarray
    scores: np.ndarray
    right: np.ndarray
    error: float


def calibration(matches: Matches, label: int | None = None, bins: int = 10) -> Calibration:
    """How far the scores can be read as probabilities of being right.

    Args:
        matches: what is right: found at their IoU.
        label: of one class; None for all together.
        bins: of equal width.
    """
    rows = matches.counted if label is None else matches.counted & (matches.found.labels == label)
    scores, right = matches.found.scores[rows].astype(np.float64), matches.right[rows]
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_scores = np.bincount(places, scores, bins) / counts
        shares = np.bincount(places, right, bins) / counts
    distances = np.where(counts > 0, np.abs(mean_scores - shares), 0)
    error = float(counts @ distances / counts.sum()) if len(scores) else math.nan
    return Calibration(edges, counts, mean_scores, shares, error)
