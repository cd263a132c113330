"""Pascal VOC's average precision at an IoU of 0.5, of boxes and of masks.

The rules of VOCevaldet.m (http://host.robots.ox.ac.uk/pascal/VOC/), and for masks those of
Hariharan et al. 2014 (arXiv:1407.1808), whose AP^r they are.
"""

from __future__ import annotations

import math

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.figures import prefixed
from kmaskrcnn.evaluation.pairs import Pair, overlaps, pairs_by_class
from kmaskrcnn.evaluation.truth import Truth

ENOUGH = 0.5  # IoU
RIGHT, WRONG, IGNORED = 1, 0, -1


def voc_figures(dataset: Dataset, truth: Truth, found: FoundObjects) -> dict[str, float]:
    """``voc_box/…`` and ``voc_mask/…``, of what both sides have.

    ``AP50`` is the area under the curve (VOC 2010 and later), ``AP50_11points`` the mean at eleven
    recalls (VOC 2007), each also for every class. A found object belongs to the object that it
    overlaps most; the best scored one is right, others are false alarms. Difficult objects, and
    crowds, are neither.
    """
    figures: dict[str, float] = {}
    if found.boxes is not None:
        figures |= prefixed("voc_box", _figures(truth, found, masks=False))
    if truth.has_masks and found.masks is not None:
        figures |= prefixed("voc_mask", _figures(truth, found, masks=True))
    return figures


def _figures(truth: Truth, found: FoundObjects, masks: bool) -> dict[str, float]:
    area, points = {}, {}
    for name, pairs in zip(truth.class_names, pairs_by_class(truth, found), strict=True):
        verdicts = [np.zeros(0, int), *(_verdicts(truth, found, pair, masks) for pair in pairs)]
        scores = [np.zeros(0), *(found.scores[pair.found] for pair in pairs)]
        order = np.argsort(-np.concatenate(scores), kind="stable")
        there = sum(int(_counts(truth, pair, masks).sum()) for pair in pairs)
        recall, precision = _curve(np.concatenate(verdicts)[order], there)
        area[f"AP50/{name}"] = area_under(recall, precision) if there else math.nan
        points[f"AP50_11points/{name}"] = eleven_points(recall, precision) if there else math.nan
    return {"AP50": _mean(area), "AP50_11points": _mean(points), **area, **points}


def _counts(truth: Truth, pair: Pair, masks: bool) -> np.ndarray:
    """(T,) bool, whether an object is to be found."""
    objects = truth.objects
    known = objects.has_mask[pair.there] if masks else True
    return ~objects.crowd[pair.there] & ~objects.difficult[pair.there] & known


def _verdicts(truth: Truth, found: FoundObjects, pair: Pair, masks: bool) -> np.ndarray:
    """(D,) RIGHT, WRONG or IGNORED of what was found in an image, by falling score."""
    verdicts = np.full(len(pair.found), WRONG)
    if not len(pair.found) or not len(pair.there):
        return verdicts
    counts = _counts(truth, pair, masks)
    single = ~truth.objects.crowd[pair.there]
    iou = overlaps(truth, found, pair, masks, ~single)
    verdicts[(iou * ~single).max(axis=1) >= ENOUGH] = IGNORED
    nearest = (iou * single).argmax(axis=1)
    near = (iou * single).max(axis=1) >= ENOUGH
    verdicts[near] = np.where(counts[nearest[near]], WRONG, IGNORED)
    claims = np.flatnonzero(near & counts[nearest])
    _, first = np.unique(nearest[claims], return_index=True)
    verdicts[claims[first]] = RIGHT
    return verdicts


def _curve(verdicts: np.ndarray, there: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision after each found object that counts, by falling score."""
    right = verdicts[verdicts != IGNORED] == RIGHT
    found = np.cumsum(right)
    return found / max(there, 1), found / np.arange(1, len(right) + 1)


def area_under(recall: np.ndarray, precision: np.ndarray) -> float:
    """The area under the curve, whose precision never falls towards lower recall."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * envelope))


def eleven_points(recall: np.ndarray, precision: np.ndarray) -> float:
    """The mean of the highest precision from each of the recalls 0, 0.1 … 1 on."""
    best = (precision[recall >= t].max(initial=0) for t in np.arange(11) / 10)
    return float(np.mean(list(best)))


def _mean(figures: dict[str, float]) -> float:
    """Over the classes that are there."""
    values = [value for value in figures.values() if not math.isnan(value)]
    return float(np.mean(values)) if values else math.nan
