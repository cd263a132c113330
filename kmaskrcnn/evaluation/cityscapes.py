"""Cityscapes' average precision of instances.

The rules of cityscapesScripts' evalInstanceLevelSemanticLabeling.py
(https://github.com/mcordts/cityscapesScripts), which reads folders of PNGs and does not run on
NumPy 2.4: written again here, for any dataset, and held to its answers by a test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.figures import prefixed
from kmaskrcnn.evaluation.pairs import Pair, codes, overlaps, pairs_by_class
from kmaskrcnn.evaluation.truth import Truth

THRESHOLDS = np.arange(0.5, 1.0, 0.05)  # of IoU, which has to be above
SMALLEST = 100  # pixels of an object that is to be found


class _Counts(NamedTuple):
    """Pixels of one class in one image: of D found and T true objects, and of both together.

    Attributes:
        scores: (D,).
        found: (D,) pixels.
        void: (D,) pixels that lie in the image's void.
        there: (T,) pixels.
        group: (T,) bool, regions of several objects.
        both: (D, T) pixels.
    """

    scores: np.ndarray
    found: np.ndarray
    void: np.ndarray
    there: np.ndarray
    group: np.ndarray
    both: np.ndarray


def cityscapes_figures(dataset: Dataset, truth: Truth, found: FoundObjects) -> dict[str, float]:
    """``cityscapes/AP``, ``cityscapes/AP50``, and both for each class; empty without masks.

    AP is the mean over ten IoU of the area under the curve as it is, its precision not smoothed.
    Groups (our crowds), objects below 100 pixels and void pixels (`Sample.void`) are neither right
    nor wrong: a found object that lies in them by more than the IoU asked for is ignored.
    """
    if not truth.has_masks or found.masks is None:
        return {}
    values = np.full((len(truth.class_names), len(THRESHOLDS)), math.nan)
    for label, pairs in enumerate(pairs_by_class(truth, found)):
        counts = [_count(truth, found, pair) for pair in pairs]
        values[label] = [_class_precision(counts, threshold) for threshold in THRESHOLDS]
    figures = {"AP": _mean(values), "AP50": _mean(values[:, 0])}
    for name, row in zip(truth.class_names, values, strict=True):
        figures |= {f"AP/{name}": float(row.mean()), f"AP50/{name}": float(row[0])}
    return prefixed("cityscapes", figures)


def _count(truth: Truth, found: FoundObjects, pair: Pair) -> _Counts:
    """Pixels of one image."""
    objects, size = truth.objects, truth.sizes[pair.image]
    claimed = codes([(found.masks or [])[row] for row in pair.found], size)
    there = codes([objects.masks[row] for row in pair.there], size)
    pixels = np.array([coco_mask.area(code) for code in claimed], float)
    shares = overlaps(truth, found, pair, masks=True, crowd=np.ones(len(there), bool))
    void = np.zeros(len(claimed))
    outside = truth.void[pair.image]
    if claimed and outside is not None:
        void = coco_mask.iou(claimed, codes([outside], size), [1])[:, 0]
    return _without_empty(
        _Counts(
            found.scores[pair.found],
            pixels,
            np.round(void * pixels),
            np.array([coco_mask.area(code) for code in there], float),
            objects.crowd[pair.there] | ~objects.has_mask[pair.there],
            np.round(shares * pixels[:, None]),
        )
    )


def _without_empty(counts: _Counts) -> _Counts:
    """The same without found objects of no pixel at all."""
    kept = counts.found > 0
    return counts._replace(
        scores=counts.scores[kept],
        found=counts.found[kept],
        void=counts.void[kept],
        both=counts.both[kept],
    )


def _class_precision(counts: Sequence[_Counts], threshold: float) -> float:
    """AP of one class at one IoU; nan where there is no object to be found."""
    if not any(_to_be_found(own).any() for own in counts):
        return math.nan
    right, wrong, missed = [], [], 0
    for own in counts:
        matches = _matches(own, threshold)
        found = [np.sort(own.scores[column]) for column in matches.T[_to_be_found(own)]]
        right += [scores[-1] for scores in found if len(scores)]
        wrong += [score for scores in found for score in scores[:-1]]
        missed += sum(not len(scores) for scores in found)
        wrong += own.scores[~matches.any(axis=1) & ~_ignored(own, threshold)].tolist()
    return _area_under(np.array(right), np.array(wrong), missed)


def _to_be_found(counts: _Counts) -> np.ndarray:
    """(T,) bool."""
    return ~counts.group & (counts.there >= SMALLEST)


def _matches(counts: _Counts, threshold: float) -> np.ndarray:
    """(D, T) bool, whether the IoU is above the threshold."""
    union = counts.found[:, None] + counts.there - counts.both
    return (counts.both > 0) & (counts.both / np.maximum(union, 1) > threshold)


def _ignored(counts: _Counts, threshold: float) -> np.ndarray:
    """(D,) bool, whether too much of a found object lies in what is left out."""
    pixels = counts.void + counts.both @ counts.group + counts.both @ (counts.there < SMALLEST)
    return pixels / np.maximum(counts.found, 1) > threshold


def _area_under(right: np.ndarray, wrong: np.ndarray, missed: int) -> float:
    """The area under the curve through one point a score, and through precision 1 at recall 0.

    Each point counts for half the way to its two neighbours.
    """
    scores = np.unique(np.concatenate([right, wrong]))
    found = len(right) - np.searchsorted(np.sort(right), scores)
    alarms = len(wrong) - np.searchsorted(np.sort(wrong), scores)
    precision = np.append(found / np.maximum(found + alarms, 1), 1.0)
    recall = np.append(found / max(len(right) + missed, 1), 0.0)
    padded = np.concatenate([recall[:1], recall, [0.0]])
    return float(precision @ (padded[:-2] - padded[2:])) / 2


def _mean(values: np.ndarray) -> float:
    """Over the classes that are there."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if there.size else math.nan
