"""COCO results in a file: what some detector found, measured without that detector.

Format: https://cocodataset.org/#format-results
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Dataset, Instance, keypoint_names_of
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_tables import Ids
from kmaskrcnn.data.formats.json_files import read_json
from kmaskrcnn.data.rle import FAR, instance_rle
from kmaskrcnn.data.rle_checks import checked_areas
from kmaskrcnn.evaluation.columns import FoundObjects
from kmaskrcnn.evaluation.predictions import read_predictions
from kmaskrcnn.evaluation.truth import Truth
from kmaskrcnn.memory import garbage_kept
from kmaskrcnn.structures import Detections

KINDS = ("bbox", "segmentation", "keypoints")
BEYOND = 1e9  # no coordinate and no score is
Entries = list[dict[str, Any]]
Predictions = Iterable[tuple[int, Detections]] | str | Path | FoundObjects


def read_found(predictions: Predictions, dataset: Dataset, truth: Truth) -> FoundObjects:
    """What was found, as columns, in whatever form it comes: see `Evaluator.evaluate`."""
    if isinstance(predictions, FoundObjects):
        return predictions
    if isinstance(predictions, str | Path):
        return read_results(predictions, dataset, truth)
    return read_predictions(predictions, dataset, truth)


@garbage_kept()
def read_results(path: str | Path, dataset: Dataset, truth: Truth) -> FoundObjects:
    """The results in a file, as pycocotools' ``loadRes`` takes them.

    What the entries have is measured. Objects are sized by the box where one is given, else by the
    mask or by the extent of the keypoints. (A model's own `Detections` are sized by the mask where
    masks are measured.)

    Args:
        path: JSON, a list of ``{"image_id", "category_id", "score"}`` with "bbox", "segmentation"
            or "keypoints".
        dataset: says its categories by ``category_ids``; without them they count from 1.
        truth: of that dataset.

    Raises:
        DataError: names the file and the entry: an image or a category that the dataset has not; a
            number, mask or list that is none; a box, mask or keypoints of some entries only.
    """
    entries = _entries(path)
    kinds = _kinds(path, entries)
    names = getattr(dataset, "category_ids", range(1, len(truth.class_names) + 1))
    images = _places(path, entries, "image_id", truth.image_ids)
    labels = _places(path, entries, "category_id", names)
    sizes = [truth.sizes[image] for image in images]
    masks = _masks(path, entries, sizes) if "segmentation" in kinds else None
    mask_areas = None if masks is None else _mask_areas(path, masks, sizes)
    count = len(keypoint_names_of(dataset))
    keypoints = _keypoints(path, entries, count) if count and "keypoints" in kinds else None
    boxes = _numbers(path, entries, "bbox", 4) if "bbox" in kinds else None
    scores = _numbers(path, [{"score": [e.get("score")]} for e in entries], "score", 1)[:, 0]
    areas = _areas(boxes, mask_areas, keypoints)
    sized = None if masks is None else areas
    return FoundObjects(images, labels, boxes, scores, areas, masks, sized, keypoints)


def _entries(path: str | Path) -> Entries:
    """The list in the file; some tools write it under "annotations"."""
    content = read_json(Path(path))
    entries = content.get("annotations") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise DataError(f"{path}: not COCO results: expected a list of objects [{{…}}, …].")
    return entries


def _kinds(path: str | Path, entries: Entries) -> set[str]:
    """Which of `KINDS` the first entry has, and all others with it; all where there is none."""
    if not entries:
        return set(KINDS)
    kinds = {kind for kind in KINDS if entries[0].get(kind)}
    if not kinds:
        raise DataError(f"{path}, entry 0: expected one of {', '.join(KINDS)}, got none.")
    for number, entry in enumerate(entries):
        missing = sorted(kind for kind in kinds if kind not in entry)
        if missing:
            raise DataError(f"{path}, entry {number}: no {missing[0]}, which entry 0 has.")
    return kinds


def _places(path: str | Path, entries: Entries, key: str, known: Iterable[Any]) -> np.ndarray:
    """(N,) places of the entries' ids in a list of the dataset's."""
    place = {name: i for i, name in enumerate(known)}
    ids = Ids(place)
    places = np.zeros(len(entries), int)
    for number, entry in enumerate(entries):
        found, _ = ids.find(entry.get(key))
        if found is None:
            raise DataError(
                f"{path}, entry {number}: {key} {entry.get(key)!r:.40} is not among the dataset's, "
                f"which are {', '.join(map(str, list(place)[:5]))} …"
            )
        places[number] = place[found]
    return places


def _numbers(path: str | Path, entries: Entries, key: str, width: int) -> np.ndarray:
    """(N, width) float64 of the lists under a key."""
    for number, entry in enumerate(entries):
        if not _is_list_of_numbers(entry[key]) or len(entry[key]) != width:
            raise DataError(
                f"{path}, entry {number}: {key}: expected {width} finite numbers, got "
                f"{entry[key]!r:.80}."
            )
    return np.array([entry[key] for entry in entries], float).reshape(-1, width)


def _is_list_of_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int | float) and abs(v) < BEYOND for v in values
    )


def _keypoints(path: str | Path, entries: Entries, count: int) -> np.ndarray:
    """(N, J, 3)."""
    return _numbers(path, entries, "keypoints", 3 * count).reshape(-1, count, 3)


def _masks(path: str | Path, entries: Entries, sizes: Sequence[tuple[int, int]]) -> list[bytes]:
    """N compressed run lengths, not yet checked."""
    masks = []
    for number, (entry, size) in enumerate(zip(entries, sizes, strict=True)):
        try:
            masks.append(_code(entry["segmentation"], size))
        except (DataError, ValueError, TypeError) as error:
            raise DataError(f"{path}, entry {number}: segmentation: {error}") from error
    return masks


def _mask_areas(
    path: str | Path, masks: Sequence[bytes], sizes: Sequence[tuple[int, int]]
) -> np.ndarray:
    try:
        return checked_areas(masks, sizes)
    except DataError as error:
        raise DataError(f"{path}, {error}") from error


def _areas(
    boxes: np.ndarray | None, masks: np.ndarray | None, keypoints: np.ndarray | None
) -> np.ndarray:
    """(N,) sizes, of the first of the three that there is."""
    if boxes is not None:
        return boxes[:, 2] * boxes[:, 3]
    if masks is not None:
        return masks
    if keypoints is not None:
        return np.prod(np.ptp(keypoints[..., :2], axis=1), axis=1)
    raise DataError("the results have keypoints only, and the dataset has none to measure them by.")


def _code(segmentation: Any, size: tuple[int, int]) -> bytes:
    """Run lengths or polygons of a file as compressed run lengths."""
    if isinstance(segmentation, dict):
        if list(segmentation.get("size", ())) != list(size) or "counts" not in segmentation:
            raise DataError(
                f"expected counts and size {list(size)} (height, width), as the image's, got "
                f"{ {**segmentation, 'counts': '…'} }"
            )
        counts = segmentation["counts"]
        if isinstance(counts, str):
            return counts.encode()
        return instance_rle(Instance(0, segmentation), size)["counts"]
    rings = segmentation if isinstance(segmentation, list) else []
    if not rings or not all(_is_list_of_numbers(ring) and len(ring) >= 6 for ring in rings):
        raise DataError(f"expected run lengths or polygons, got {segmentation!r:.80}")
    limit = FAR * np.array(size[::-1], float)
    polygons = [np.clip(np.reshape(ring, (-1, 2)), -limit, limit) for ring in rings]
    return instance_rle(Instance(0, polygons), size)["counts"]
