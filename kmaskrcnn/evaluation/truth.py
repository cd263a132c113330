"""The ground truth of a dataset, read once: boxes, areas, masks as run lengths, keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Dataset, Instance, Sample, checked_label, keypoint_names_of
from kmaskrcnn.data.keypoints import checked_keypoints
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import instance_rle
from kmaskrcnn.detections.coco import PIXEL_INDEX
from kmaskrcnn.evaluation.columns import TrueObjects


class Federation(NamedTuple):
    """Which classes of an image the annotators looked for, as in LVIS.

    Attributes:
        absent: labels of each image that are known not to be in it.
        incomplete: labels of each image of which not every object is annotated.
    """

    absent: list[frozenset[int]]
    incomplete: list[frozenset[int]]


class Truth(NamedTuple):
    """Ground truth of N images, held for any number of evaluations.

    Attributes:
        class_names: that labels are rows of.
        image_ids: (N) the file's, or the place in the dataset.
        ranks: (N,) int, from 1: each image's place when they are sorted by the file's ids.
        sizes: (N) height, width.
        void: (N) run lengths of the pixels that Cityscapes' AP leaves out; None: there are none.
        objects: of all images.
        has_masks: whether any object has one (or there are none at all).
        federation: what each image was searched for; None: for everything.
    """

    class_names: tuple[str, ...]
    image_ids: list[Any]
    ranks: np.ndarray
    sizes: list[tuple[int, int]]
    void: list[bytes | None]
    objects: TrueObjects
    has_masks: bool
    federation: Federation | None = None


def read_truth(dataset: Dataset) -> Truth:
    """Reads every sample's objects once; images only where nothing states their size.

    An object without a mask, among others that have one, is an ignored region of its box where
    masks are measured: what is found there is neither right nor wrong. Each is counted in the
    dataset's report.

    Raises:
        DataError: a run-length code that does not fit its image, a label without a class name,
            keypoints that are not those of the dataset's ``keypoint_names``.
    """
    names, keypoint_names = tuple(dataset.class_names), keypoint_names_of(dataset)
    images, rows, points, without = [], [], [], []
    for index in range(len(dataset)):
        sample = dataset[index]
        images.append(_Image.of(sample, index))
        for instance in sample.instances:
            place = f"{sample.name}, annotation {instance.annotation_id}"
            label = checked_label(instance, len(names), sample.name)
            rows.append((index, label, *_shape(instance, images[-1].size, place)))
            if keypoint_names:
                points.append(_keypoints(instance, keypoint_names, sample.name))
            if instance.mask is None:
                without.append(place)
    has_masks = not rows or len(without) < len(rows)
    _count(dataset, without if has_masks else ())
    objects = _columns(rows)
    if keypoint_names:
        shape = (-1, len(keypoint_names), 3)
        objects = objects._replace(keypoints=np.array(points, float).reshape(shape))
    return _assembled(names, images, objects, has_masks)


class _Image(NamedTuple):
    """What is held of one sample."""

    image_id: Any
    size: tuple[int, int]
    void: bytes | None
    absent: frozenset[int] | None
    incomplete: frozenset[int]

    @classmethod
    def of(cls, sample: Sample, index: int) -> _Image:
        size = sample.true_size()
        void = None
        if sample.void is not None:
            void = instance_rle(Instance(0, sample.void), size)["counts"]
        return cls(
            index if sample.image_id is None else sample.image_id,
            size,
            void,
            None if sample.absent is None else frozenset(sample.absent),
            frozenset(sample.incomplete),
        )


def _assembled(
    names: tuple[str, ...], images: Sequence[_Image], objects: TrueObjects, has_masks: bool
) -> Truth:
    """The truth of all images; federated where any of them was not searched for everything."""
    ids = [image.image_id for image in images]
    federation = None
    if any(image.absent is not None for image in images):
        absent = [image.absent or frozenset() for image in images]
        federation = Federation(absent, [image.incomplete for image in images])
    sizes, void = [image.size for image in images], [image.void for image in images]
    ranks = np.array(_ranks(ids), int)
    return Truth(names, ids, ranks, sizes, void, objects, has_masks, federation)


def _shape(instance: Instance, size: tuple[int, int], place: str) -> tuple[Any, ...]:
    """Box, area, crowd, run lengths, whether they are the mask's, difficult: a row's columns."""
    if instance.mask is None and instance.box is None:
        raise ValueError(f"{place}: expected a mask or a box, got neither")
    rle = instance_rle(instance, size)
    if instance.box is None:
        box = coco_mask.toBbox(rle).tolist()
    else:
        left, top, right, bottom = (float(v) for v in instance.box)
        box = [left, top, right - left, bottom - top]
    area = float(coco_mask.area(rle)) if instance.area is None else float(instance.area)
    has_mask = instance.mask is not None
    return box, area, instance.crowd, rle["counts"], has_mask, instance.difficult


def _keypoints(instance: Instance, names: Sequence[str], place: str) -> np.ndarray:
    """(J, 3), zeros for what is not labelled."""
    points = checked_keypoints(instance, names, place)
    return np.where(points[:, 2:] > 0, points - PIXEL_INDEX, 0)


def _columns(rows: Sequence[tuple[Any, ...]]) -> TrueObjects:
    """One array, or list of run lengths, a column."""
    columns = zip(*rows, strict=True) if rows else [()] * 8
    images, labels, boxes, areas, crowd, masks, has_mask, difficult = columns
    return TrueObjects(
        np.array(images, int),
        np.array(labels, int),
        np.array(boxes, float).reshape(-1, 4),
        np.array(areas, float),
        np.array(crowd, bool),
        list(masks),
        np.array(has_mask, bool),
        np.array(difficult, bool),
    )


def _count(dataset: Dataset, without: Sequence[str]) -> None:
    """Objects without a mask among others, in the dataset's report if it has one."""
    report = getattr(dataset, "report", None)
    if isinstance(report, Report):
        for place in without:
            report.add("object without a mask ignored where masks are measured", place)


def _ranks(ids: Sequence[Any]) -> list[int]:
    """1-based places of the images in the order of their ids, or as they come if ids are no order.

    COCO's rules break ties of score by the order of the image ids: a shuffled dataset must not
    change the figures.
    """
    kinds = {type(i) for i in ids}
    if len(set(ids)) < len(ids) or len(kinds) != 1 or not kinds <= {int, str}:
        return list(range(1, len(ids) + 1))
    place = {image_id: rank for rank, image_id in enumerate(sorted(ids), 1)}
    return [place[image_id] for image_id in ids]
