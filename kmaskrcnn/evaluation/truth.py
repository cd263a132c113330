"""The ground truth of a dataset as pycocotools wants it, masks as run lengths only."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from kmaskrcnn.data.dataset import Dataset, Instance, Sample, keypoint_names_of
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.keypoints import checked_keypoints
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import instance_rle
from kmaskrcnn.detections.coco import PIXEL_INDEX


class Truth(NamedTuple):
    """Ground truth of N images, held for any number of evaluations.

    Attributes:
        image_ids: (N) our id of each image, its place when images are sorted by the file's ids.
        sizes: (N) height, width.
        boxes: COCO with boxes and the areas that the dataset states.
        masks: COCO with masks; None if no object of the dataset has a mask.
        keypoints: COCO with keypoints; None if the dataset names none.
    """

    image_ids: list[int]
    sizes: list[tuple[int, int]]
    boxes: COCO
    masks: COCO | None
    keypoints: COCO | None = None


def read_truth(dataset: Dataset) -> Truth:
    """Reads every sample's objects once; images only where nothing states their size.

    An object without a mask, among others that have one, is an ignored region of its box where
    masks are measured: what is found there is neither right nor wrong. Each is counted in the
    dataset's report.

    Raises:
        DataError: a run-length code that does not fit its image, a label without a class name,
            keypoints that are not those of the dataset's ``keypoint_names``.
    """
    report = getattr(dataset, "report", None)
    report = report if isinstance(report, Report) else Report()
    keypoint_names = keypoint_names_of(dataset)
    ids, sizes, boxes, masks, keypoints, without = [], [], [], [], [], []
    for index in range(len(dataset)):
        sample = dataset[index]
        size = sample_size(sample)
        ids.append(sample.image_id)
        sizes.append(size)
        for instance in sample.instances:
            place = f"{sample.name}, annotation {instance.annotation_id}"
            box, mask = _annotations(instance, size, place)
            boxes.append(box | {"image_id": index})
            masks.append(mask | {"image_id": index})
            if keypoint_names:
                listed = _keypoints(instance, keypoint_names, sample.name)
                keypoints.append(boxes[-1] | listed)
            if instance.mask is None:
                without.append(place)
    order = _ranks(ids)
    for annotation in boxes + masks + keypoints:
        annotation["image_id"] = order[annotation["image_id"]]
    has_masks = not boxes or len(without) < len(boxes)
    for place in without if has_masks else []:
        report.add("object without a mask ignored where masks are measured", place)
    names = dataset.class_names
    images = [
        {"id": image_id, "height": height, "width": width}
        for image_id, (height, width) in sorted(zip(order, sizes, strict=True))
    ]
    masks_truth = make_coco(masks, images, names) if has_masks else None
    keypoints_truth = make_coco(keypoints, images, names) if keypoint_names else None
    return Truth(order, sizes, make_coco(boxes, images, names), masks_truth, keypoints_truth)


def sample_size(sample: Sample) -> tuple[int, int]:
    """(height, width): as the annotation says, or as the image is."""
    size = sample.size
    if size is None:
        image = sample.image
        size = np.shape(image) if isinstance(image, np.ndarray) else read_image(image).shape
    return int(size[0]), int(size[1])


def _annotations(
    instance: Instance, size: tuple[int, int], place: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One object for the measure of boxes and for that of masks."""
    if instance.mask is None and instance.box is None:
        raise ValueError(f"{place}: expected a mask or a box, got neither")
    rle = instance_rle(instance, size)
    if instance.box is None:
        bbox = coco_mask.toBbox(rle).tolist()
    else:
        left, top, right, bottom = (float(v) for v in instance.box)
        bbox = [left, top, right - left, bottom - top]
    area = float(coco_mask.area(rle)) if instance.area is None else float(instance.area)
    crowd = int(instance.crowd)
    common = {"category_id": int(instance.label) + 1, "area": area, "bbox": bbox}
    unknown = int(instance.mask is None)
    return (
        common | {"iscrowd": crowd},
        common | {"iscrowd": crowd or unknown, "segmentation": rle},
    )


def _keypoints(instance: Instance, names: Sequence[str], place: str) -> dict[str, Any]:
    """COCO's list and count; an object of which none is labelled is ignored by pycocotools."""
    points = checked_keypoints(instance, names, place)
    labelled = points[:, 2] > 0
    listed = np.where(labelled[:, None], points - PIXEL_INDEX, 0)
    return {"keypoints": listed.reshape(-1).tolist(), "num_keypoints": int(labelled.sum())}


def _ranks(ids: Sequence[Any]) -> list[int]:
    """1-based places of the images in the order of their ids, or as they come if ids are no order.

    pycocotools breaks ties of score by the order of the image ids: a shuffled dataset must not
    change the figures.
    """
    kinds = {type(i) for i in ids}
    if len(set(ids)) < len(ids) or len(kinds) != 1 or not kinds <= {int, str}:
        return list(range(1, len(ids) + 1))
    place = {image_id: rank for rank, image_id in enumerate(sorted(ids), 1)}
    return [place[image_id] for image_id in ids]


def make_coco(
    annotations: Iterable[dict[str, Any]], images: list[dict[str, Any]], class_names: Sequence[str]
) -> COCO:
    """pycocotools' object over annotations or results; ids are given here, from 1.

    (pycocotools takes id 0 of a truth for "not matched".)
    """
    coco = COCO()
    coco.dataset = {
        "images": images,
        "categories": [{"id": i, "name": name} for i, name in enumerate(class_names, 1)],
        "annotations": [a | {"id": number} for number, a in enumerate(annotations, 1)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco
