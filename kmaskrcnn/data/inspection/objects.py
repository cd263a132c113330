"""What is remembered of an image when a dataset is looked at: figures, no pixels and no masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Sample, checked_label
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import look_at
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.inspection.fingerprints import Fingerprint
from kmaskrcnn.data.inspection.suspicions import copies, findings, measure

NO_MASK = "box without a mask"  # which is a problem only where others have masks


@dataclass(frozen=True)
class Problem:
    """Something that looks wrong, and where.

    Attributes:
        kind: in a few words.
        file: the image's path, or how messages call it.
        annotation_id: the file's; None where it is about the image.
        detail: figures.
        image: index in the dataset; None where it is about several.
        instance: place among the image's objects; None where it is about the image.
    """

    kind: str
    file: str
    annotation_id: int | str | None
    detail: str
    image: int | None = None
    instance: int | None = None

    def __str__(self) -> str:
        annotation = "" if self.annotation_id is None else f", annotation {self.annotation_id}"
        return f"{self.file}{annotation}: {self.detail}"


class Objects(NamedTuple):
    """The objects of a dataset that have an area and are no crowd: columns of one length K.

    Attributes:
        images: (K,) int, index of each one's image among the usable ones.
        labels: (K,) int.
        boxes: (K, 4) float64 x1 y1 x2 y2 in pixels of the image; their mask's where there is none.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray


@dataclass(frozen=True, eq=False)
class Seen:
    """One image: what its annotations say of it.

    Attributes:
        index: in the dataset.
        file: its path, or how messages call it.
        is_file: whether that is a path.
        size: (height, width).
        num_objects, num_crowds: of its annotations.
        num_masks: of those that can be read.
        labels: of all that can be read.
        areas: pixels of those that are no crowd.
        boxed_labels, boxes: (k,) and (k, 4), of those that have an area.
        problems: what looks wrong.
        fingerprint: None where none was asked for.
    """

    index: int
    file: str
    is_file: bool
    size: tuple[int, int]
    num_objects: int
    num_crowds: int
    num_masks: int
    labels: list[int]
    areas: list[float]
    boxed_labels: np.ndarray
    boxes: np.ndarray
    problems: list[Problem]
    fingerprint: Fingerprint | None


def see(sample: Sample, index: int, num_classes: int, fingerprint: Fingerprint | None) -> Seen:
    """All that is remembered of a sample whose image can be used."""
    size = _size_of(sample)
    places, instances, figures, problems = [], [], [], []
    for place, instance in enumerate(sample.instances):
        try:
            checked_label(instance, num_classes, sample.name)
            measured = measure(instance)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            problems.append(_problem("unreadable", sample, index, place, str(error)))
            continue
        places.append(place)
        instances.append(instance)
        figures.append(measured)
        for kind, detail in findings(instance, measured, size):
            problems.append(_problem(kind, sample, index, place, detail))
        if instance.mask is None and measured.has_area and not instance.crowd:
            problems.append(_problem(NO_MASK, sample, index, place, "only a box"))
    for _, second, (kind, detail) in copies(instances, figures, size):
        problems.append(_problem(kind, sample, index, places[second], detail))
    single = [(i, f) for i, f in zip(instances, figures, strict=True) if not i.crowd]
    return Seen(
        index,
        sample.name,
        not isinstance(sample.image, np.ndarray),
        size,
        len(sample.instances),
        sum(instance.crowd for instance in sample.instances),
        sum(instance.mask is not None for instance in instances),
        [int(instance.label) for instance in instances],
        [f.area for _, f in single],
        np.array([i.label for i, f in single if f.has_area], int),
        np.array([f.extent for _, f in single if f.has_area], float).reshape(-1, 4),
        problems,
        fingerprint,
    )


def _problem(kind: str, sample: Sample, image: int, place: int, detail: str) -> Problem:
    number = sample.instances[place].annotation_id
    return Problem(kind, sample.name, number, detail, image, place)


def gather(seen: Sequence[Seen]) -> Objects:
    """The objects of all images, as columns."""
    counts = [len(image.boxes) for image in seen]
    return Objects(
        np.repeat(np.arange(len(seen)), counts),
        np.concatenate([np.zeros(0, int), *(image.boxed_labels for image in seen)]),
        np.concatenate([np.zeros((0, 4)), *(image.boxes for image in seen)]),
    )


def _size_of(sample: Sample) -> tuple[int, int]:
    """(height, width) as the annotation says, or as the image is."""
    if sample.size is not None:
        return int(sample.size[0]), int(sample.size[1])
    if isinstance(sample.image, np.ndarray):
        return int(sample.image.shape[0]), int(sample.image.shape[1])
    header = look_at(Path(sample.image))
    if header is not None and header.size is not None and header.size[0] == header.size[1]:
        return header.size
    try:
        height, width = read_image(sample.image).shape[:2]  # an EXIF rotation turns it
    except DataError:
        return header.size if header is not None and header.size is not None else (0, 0)
    return height, width
