"""COCO's keypoints: what the categories name, and what an annotation says.

COCO stores the index of a keypoint's pixel. Here coordinates are continuous, pixel i covers
[i, i + 1), so that half a pixel is added on the way in and taken off on the way out, as in
Detectron2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.report import Report

Skeleton = tuple[tuple[int, int], ...]


def read_keypoint_names(
    categories: Iterable[Mapping[str, Any]], place: str, report: Report
) -> tuple[tuple[str, ...], Skeleton]:
    """The names of the J keypoints and the pairs that a drawing joins, counted from 0.

    A dataset has one list of keypoints. Where categories differ, none is read, and the report says
    so.

    Args:
        categories: of the file; those without keypoints do not matter.
        place: the file, for messages.
        report: takes what is left out.
    """
    named = [c for c in categories if isinstance(c.get("keypoints"), list) and c["keypoints"]]
    lists = {tuple(str(name) for name in category["keypoints"]) for category in named}
    if len(lists) > 1:
        report.add("keypoints left out, the categories name different ones", place)
    if len(lists) != 1:
        return (), ()
    (names,) = lists
    skeletons = [c["skeleton"] for c in named if isinstance(c.get("skeleton"), list)]
    return names, _parse_skeleton(skeletons[0] if skeletons else [], len(names), place, report)


def _parse_skeleton(pairs: Sequence[Any], count: int, place: str, report: Report) -> Skeleton:
    """COCO counts from 1."""
    skeleton = []
    for pair in pairs:
        if (
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(end, int) and 1 <= end <= count for end in pair)
        ):
            skeleton.append((pair[0] - 1, pair[1] - 1))
        else:
            report.add(f"bone left out, it does not join two of keypoints 1 … {count}", place)
    return tuple(skeleton)


def parse_keypoints(given: Any, count: int, place: str, report: Report) -> np.ndarray | None:
    """An annotation's list x1, y1, v1, x2, … as (J, 3) float64, continuous pixels.

    Args:
        given: the list; None or empty: there is none.
        count: J, 0 where the categories name no keypoints.
        place: the file and the annotation, for messages.
        report: takes what is left out.

    Returns:
        x, y, visibility; zeros where not labelled. None: the annotation has no keypoints.

    Raises:
        DataError: no list of 3 · J numbers, or a visibility that is not 0, 1 or 2.
    """
    if given is None or (isinstance(given, list) and not given):
        return None
    if not count:
        report.add("keypoints left out, the categories do not name them", place)
        return None
    try:
        flat = np.asarray(given, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{place}: 'keypoints' is not a list of numbers ({error}).") from error
    if flat.shape != (3 * count,):
        raise DataError(
            f"{place}: 'keypoints' has {flat.size} numbers, expected {3 * count}: x, y and "
            f"visibility of each of the {count} keypoints that the category names."
        )
    keypoints = flat.reshape(count, 3)
    if not np.isin(keypoints[:, 2], (0, 1, 2)).all():
        raise DataError(
            f"{place}: a keypoint's visibility is {keypoints[:, 2].tolist()}; expected 0 (not "
            "labelled), 1 (hidden) or 2 (visible)."
        )
    unknown = ~np.isfinite(keypoints).all(axis=1)
    if unknown.any():
        report.add("keypoint left out, a coordinate is not a finite number", place)
    labelled = (keypoints[:, 2] > 0) & ~unknown
    return np.where(labelled[:, None], keypoints + [0.5, 0.5, 0], 0)
