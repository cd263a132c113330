"""How well objects are counted, image by image, wherever each of them lies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.curves import best_thresholds
from kmaskrcnn.evaluation.figures import prefixed
from kmaskrcnn.evaluation.matching import Matches, match_columns
from kmaskrcnn.evaluation.truth import Truth


class CountError(NamedTuple):
    """Found objects less those that are there, over images.

    Attributes:
        images: on which there are any, or any was found; all others are right and say nothing.
        there, found: objects on them together.
        mean: the error an image; below 0 too few are found.
        absolute: the mean of its size.
        rms: the root of the mean of its square.
        exact: share of the images with exactly as many found as there are.
    """

    images: int
    there: int
    found: int
    mean: float
    absolute: float
    rms: float
    exact: float


def image_counts(
    matches: Matches, score: float | np.ndarray, label: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(N,) objects there and (N,) objects found on each image; what crowds hold does not count."""
    there, found = ~matches.ignored, matches.counted & matches.above(score)
    if label is not None:
        there, found = (
            there & (matches.truth.labels == label),
            found & (matches.found.labels == label),
        )
    return (
        np.bincount(matches.truth.images[there], minlength=matches.num_images),
        np.bincount(matches.found.images[found], minlength=matches.num_images),
    )


def count_error(
    matches: Matches, score: float | np.ndarray, label: int | None = None
) -> CountError:
    """The error of counting one class, or all objects together.

    Args:
        matches: of a dataset.
        score: least score of what is counted, one number or one for each class (C).
        label: the class; None for all.
    """
    there, found = image_counts(matches, score, label)
    told = (there > 0) | (found > 0)
    there, found = there[told], found[told]
    if not len(there):
        return CountError(0, 0, 0, math.nan, math.nan, math.nan, math.nan)
    error = found - there
    return CountError(
        len(there),
        int(there.sum()),
        int(found.sum()),
        float(error.mean()),
        float(np.abs(error).mean()),
        float(np.sqrt((error**2).mean())),
        float((error == 0).mean()),
    )


def count_figures(dataset: Dataset, truth: Truth, found: FoundObjects) -> dict[str, float]:
    """``counts/…`` at the thresholds of the best F1, by masks where both sides have them.

    ``mean``, ``absolute``, ``rms`` (objects an image) and ``exact`` (share of the images) of all
    objects, and each with ``/<class>``, as are the thresholds: ``counts/threshold/<class>``.
    """
    with_masks = truth.has_masks and found.masks is not None
    matches = match_columns(truth, found, iou_type="mask" if with_masks else "box")
    thresholds = best_thresholds(matches)
    figures = _named(count_error(matches, thresholds), "")
    for label, name in enumerate(matches.class_names):
        figures |= _named(count_error(matches, thresholds, label), f"/{name}")
        figures[f"threshold/{name}"] = float(thresholds[label])
    return prefixed("counts", figures)


def _named(error: CountError, ending: str) -> dict[str, float]:
    names = ("mean", "absolute", "rms", "exact")
    return {name + ending: getattr(error, name) for name in names}
