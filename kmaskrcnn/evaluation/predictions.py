"""What was found in a dataset's images, taken one image at a time and kept as run lengths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Dataset, keypoint_names_of, side_by_side
from kmaskrcnn.detections.coco import PIXEL_INDEX
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.truth import Truth
from kmaskrcnn.ops import regions
from kmaskrcnn.structures import Detections


def read_predictions(
    predictions: Iterable[tuple[int, Detections]], dataset: Dataset, truth: Truth
) -> FoundObjects:
    """All predictions as columns; of a mask its run lengths and its area are kept, no pixels.

    Args:
        predictions: index in the dataset and what was found there, in any order; taken one at a
            time, and let go.
        dataset, truth: what they are measured against.

    Raises:
        ValueError: an index twice or outside of the dataset, another image size than the truth's,
            other classes, other keypoints; masks, or keypoints, of some images only.
    """
    seen: set[int] = set()
    parts = []
    for index, found in predictions:
        _check(dataset, truth, index, found, seen)
        parts.append(_of_image(index, found, truth.class_names))
    with_masks = _in_all("masks", {part.masks is not None for part in parts})
    with_keypoints = _in_all("keypoints", {part.keypoints is not None for part in parts})
    return _joined([_nothing(with_masks, with_keypoints, len(keypoint_names_of(dataset))), *parts])


def _check(dataset: Dataset, truth: Truth, index: int, found: Detections, seen: set[int]) -> None:
    if not 0 <= index < len(truth.sizes) or index in seen:
        why = "it came twice" if index in seen else f"the dataset has {len(truth.sizes)}"
        raise ValueError(f"predictions: expected each index at most once, got {index}: {why}")
    seen.add(index)
    if found.image_size != truth.sizes[index]:
        raise ValueError(
            f"image {index}: the truth is of {truth.sizes[index]} (height, width), "
            f"the detections are of {found.image_size}"
        )
    if set(found.class_names) != set(truth.class_names):
        raise ValueError(side_by_side(found.class_names, truth.class_names))
    names = keypoint_names_of(dataset)
    if names and found.keypoints is not None:
        count = found.keypoints.shape[1]
        if count != len(names) or found.keypoint_names not in ((), names):
            given = found.keypoint_names or f"{count} without names"
            raise ValueError(f"image {index}: the truth's keypoints are {names}, got {given}")


def _of_image(index: int, found: Detections, class_names: Sequence[str]) -> FoundObjects:
    """The objects of one image; labels are those of the dataset, whatever the detector's order."""
    places = np.array([class_names.index(name) for name in found.class_names], int)
    edges = found.boxes.astype(np.float64)
    sides = edges[:, 2:] - edges[:, :2]
    masks, areas = [], []
    for region in found.regions() if found.has_masks else ():
        masks.append(regions.to_rle(region, found.image_size)["counts"].encode())
        areas.append(region.area)
    return FoundObjects(
        np.full(len(found), index),
        places[found.labels],
        np.concatenate([edges[:, :2], sides], axis=1),
        found.scores.astype(np.float64),
        np.prod(sides, axis=1),
        masks if found.has_masks else None,
        np.array(areas, float) if found.has_masks else None,
        None if found.keypoints is None else (found.keypoints - PIXEL_INDEX).astype(np.float64),
    )


def _nothing(with_masks: bool, with_keypoints: bool, num_keypoints: int) -> FoundObjects:
    """No objects at all."""
    rows = np.zeros(0)
    return FoundObjects(
        rows.astype(int),
        rows.astype(int),
        np.zeros((0, 4)),
        rows,
        rows,
        [] if with_masks else None,
        rows if with_masks else None,
        np.zeros((0, num_keypoints, 3)) if with_keypoints and num_keypoints else None,
    )


def _joined(parts: Sequence[FoundObjects]) -> FoundObjects:
    """The parts one after another; the first says whether there are masks and keypoints."""
    columns: dict[str, Any] = {}
    for name, first in parts[0]._asdict().items():
        column = [getattr(part, name) for part in parts]
        if isinstance(first, list):
            columns[name] = [row for rows in column for row in rows]
        else:
            columns[name] = None if first is None else np.concatenate(column)
    return FoundObjects(**columns)


def _in_all(what: str, kinds: set[bool]) -> bool:
    if len(kinds) > 1:
        raise ValueError(f"expected {what} in all detections or in none, got both")
    return False not in kinds
