"""COCO instances JSON: polygons stay polygons, run lengths stay run lengths.

Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from kmaskrcnn.data.dataset import Dataset, Instance, Mask, Sample, keypoint_names_of
from kmaskrcnn.data.keypoints import checked_keypoints
from kmaskrcnn.data.writing.photographs import Photographs
from kmaskrcnn.data.writing.samples import Job, Size, place_of, polygons_of, to_region
from kmaskrcnn.detections.coco import PIXEL_INDEX
from kmaskrcnn.ops.regions import to_rle

HOLDS = {"keypoints", "absent and incomplete classes"}


def write_coco(job: Job, folder: Path) -> None:
    """``instances.json`` and ``images/``; of several parts ``annotations/instances_<part>.json``
    and ``images/<part>/``. Annotations are written as they come: of many only the images' names are
    held.
    """
    for part in job.parts:
        path = folder / (f"annotations/instances_{part}.json" if part else "instances.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            _write_file(job, part, Photographs(folder / "images" / part, job.images), file)


def _write_file(job: Job, part: str, photographs: Photographs, file: TextIO) -> None:
    dataset = job.parts[part]
    images: list[dict[str, Any]] = []
    taken: set[int] = set()
    categories = _categories(dataset, next(iter(job.parts.values())))
    file.write('{"annotations": [')
    number = 0
    for index, sample in enumerate(job.samples(part, HOLDS)):
        height, width = size = sample.true_size()
        image_id = _free_id(sample.image_id, taken)
        name = photographs.put(sample, index)
        image = {"id": image_id, "file_name": name, "height": height, "width": width}
        images.append(image | _searched(sample, categories))
        for annotation in _annotations(sample, size, dataset):
            annotation["category_id"] = categories[annotation["category_id"]]["id"]
            number += 1
            file.write(",\n" if number > 1 else "\n")
            json.dump({"id": number, "image_id": image_id, **annotation}, file)
    rest = json.dumps({"images": images, "categories": categories}, ensure_ascii=False)
    file.write(f"],\n{rest[1:]}\n")


def _searched(sample: Sample, categories: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Which classes were looked for, as LVIS says it; nothing where all were."""
    if sample.absent is None and not sample.incomplete:
        return {}
    lists = {
        "neg_category_ids": sample.absent or (),
        "not_exhaustive_category_ids": sample.incomplete,
    }
    return {key: [categories[label]["id"] for label in rows] for key, rows in lists.items()}


def _free_id(given: Any, taken: set[int]) -> int:
    """The image's own id where it is a number that no other has, else the next free one."""
    own = isinstance(given, int | np.integer) and given >= 0 and int(given) not in taken
    number = int(given) if own else max(taken, default=0) + 1
    taken.add(number)
    return number


def _categories(dataset: Dataset, first: Dataset) -> list[dict[str, Any]]:
    """With the ids that the file of the ``first`` part had, keypoints, and LVIS' frequencies."""
    names = dataset.class_names
    ids = list(getattr(first, "category_ids", ()))
    if len(ids) != len(names) or not all(isinstance(i, int) for i in ids):
        ids = list(range(1, len(names) + 1))
    keypoints: dict[str, Any] = {}
    if keypoint_names_of(dataset):
        skeleton = getattr(dataset, "keypoint_skeleton", ())
        keypoints["keypoints"] = list(keypoint_names_of(dataset))
        keypoints["skeleton"] = [[a + 1, b + 1] for a, b in skeleton]  # COCO counts from 1
    rows = [{"id": i, "name": str(name), **keypoints} for i, name in zip(ids, names, strict=True)]
    for row, frequency in zip(rows, getattr(dataset, "frequencies", ()), strict=False):
        row["frequency"] = frequency
    return rows


def _annotations(sample: Sample, size: Size, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Each object's, its label in the place of its category's id."""
    keypoint_names = keypoint_names_of(dataset)
    for instance in sample.instances:
        place = place_of(sample, instance)
        region = to_region(instance, size, place)
        box = region.window if instance.box is None else [float(edge) for edge in instance.box]
        annotation = {
            "category_id": int(instance.label),
            "segmentation": segmentation(instance, size, place),
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "area": float(region.area if instance.area is None else instance.area),
            "iscrowd": int(instance.crowd),
        }
        if keypoint_names and instance.keypoints is not None:
            annotation |= _keypoints(instance, keypoint_names, place)
        yield annotation


def segmentation(instance: Instance, size: Size, place: str) -> Any:
    """The mask as COCO has it: lists of x, y, run lengths, or an empty list."""
    mask: Mask = instance.mask
    if mask is None:
        return []
    polygons = polygons_of(instance)
    if polygons is not None:
        return [polygon.reshape(-1).tolist() for polygon in polygons]
    if isinstance(mask, Mapping) and isinstance(mask["counts"], str | bytes):
        counts = mask["counts"]
        text = counts.decode("ascii") if isinstance(counts, bytes) else counts
        return {"size": [int(side) for side in mask["size"]], "counts": text}
    return to_rle(to_region(instance, size, place), size)


def _keypoints(instance: Instance, names: Sequence[str], place: str) -> dict[str, Any]:
    points = checked_keypoints(instance, names, place)
    labelled = points[:, 2] > 0
    listed = np.where(labelled[:, None], points - PIXEL_INDEX, 0)
    return {
        "keypoints": np.asarray(listed, np.float64).reshape(-1).tolist(),
        "num_keypoints": int(labelled.sum()),
    }
