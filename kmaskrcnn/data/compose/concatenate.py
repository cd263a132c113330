"""Several datasets as one: classes are the same where their names are."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kmaskrcnn.data.compose.classes import align
from kmaskrcnn.data.compose.derived import described
from kmaskrcnn.data.dataset import Dataset, Sample, get_sample, keypoint_names_of
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.lookups import labels_of_image, size_of_image
from kmaskrcnn.data.report import Report

ImageId = int | str


class Concatenation:
    """Datasets one after the other.

    Attributes:
        parts: the datasets, their labels indexing ``class_names``.
        class_names: of all parts, in the order in which they come first.
        keypoint_names, keypoint_skeleton: of the parts that have some.
        image_ids: of the images; one that an earlier image has already is replaced.
        report: what was mended or left out of any part.
        description: what it is, in a line.
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        """Joins the names, and looks at the images' ids."""
        self.class_names = tuple(dict.fromkeys(n for d in datasets for n in d.class_names))
        self._datasets = datasets
        self.parts = [align(dataset, self.class_names) for dataset in datasets]
        with_keypoints = _with_keypoints(datasets)
        self.keypoint_names = keypoint_names_of(with_keypoints)
        self.keypoint_skeleton = getattr(with_keypoints, "keypoint_skeleton", ())
        reports = (getattr(dataset, "report", None) for dataset in datasets)
        self.report = Report(*(report for report in reports if isinstance(report, Report)))
        self.description = " + ".join(described(dataset) for dataset in datasets)
        self.image_ids = unique_ids(itertools.chain(*map(image_ids_of, datasets)))
        self._ends = list(itertools.accumulate(map(len, datasets)))

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The files' id of each class, where they all have ids and do not contradict each other."""
        ids = self._agreed("category_ids")
        if len(set(ids)) < len(ids):
            raise AttributeError("category_ids: two classes have the same")
        return ids

    @property
    def frequencies(self) -> tuple[str, ...]:
        """How frequent each class is, where all parts say so, and the same."""
        return self._agreed("frequencies")

    def _agreed(self, name: str) -> tuple[Any, ...]:
        """What the parts say of each class."""
        pairs = {
            pair
            for dataset in self._datasets
            for pair in zip(dataset.class_names, getattr(dataset, name), strict=True)
        }
        of_class = dict(pairs)
        if len(of_class) < len(pairs):
            raise AttributeError(f"{name}: those of the parts contradict each other")
        return tuple(of_class[class_name] for class_name in self.class_names)

    @property
    def class_counts(self) -> Callable[[], list[int]]:
        """Objects of each class, where every part counts its own."""
        counters = [part.class_counts for part in self.parts]  # type: ignore[attr-defined]
        return lambda: [sum(counts) for counts in zip(*(c() for c in counters), strict=True)]

    @property
    def repeats(self) -> np.ndarray:
        """How often each image is seen in an epoch, where a part says so; those of others once."""
        if not any(hasattr(part, "repeats") for part in self.parts):
            raise AttributeError("repeats")
        return np.concatenate([getattr(p, "repeats", np.ones(len(p))) for p in self.parts])

    def __len__(self) -> int:
        return self._ends[-1]

    def image_labels(self, index: int) -> list[int]:
        """The labels of an image's objects."""
        return labels_of_image(*self._found(index))

    def image_size(self, index: int) -> tuple[int, int]:
        """The (height, width) of an image."""
        return size_of_image(*self._found(index))

    def __getitem__(self, index: int, /) -> Sample:
        part, place = self._found(index)
        return replace(part[place], image_id=self.image_ids[index])

    def _found(self, index: int) -> tuple[Dataset, int]:
        """The part that has an image, and its index there."""
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        number = bisect_right(self._ends, index)
        part = self.parts[number]
        return part, index - self._ends[number] + len(part)


def concatenate(*datasets: Dataset) -> Dataset:
    """Datasets one after the other, with the classes of all.

    Classes are matched by name, in the order in which they come first; to match ``"car"`` and
    ``"automobile"``, rename one of them before. Where images of two datasets have the same id, the
    later gets another, so that figures and results tell them apart.

    Raises:
        DataError: no dataset, or keypoints of other names in two of them.
    """
    if not datasets:
        raise DataError("nothing to concatenate; expected one dataset or more.")
    return Concatenation(datasets)


def image_ids_of(dataset: Dataset) -> Iterator[ImageId]:
    """The id of each image, its index where it has none; samples are read if need be."""
    given = getattr(dataset, "image_ids", None)
    if given is None:
        given = (get_sample(dataset, index).image_id for index in range(len(dataset)))
    return (index if image_id is None else image_id for index, image_id in enumerate(given))


def unique_ids(ids: Iterable[ImageId]) -> list[ImageId]:
    """The ids, but for those that come again: numbers above all of them, or a text and a number."""
    ids = list(ids)
    numbers = itertools.count(max((i for i in ids if isinstance(i, int)), default=-1) + 1)
    taken, unique = set(ids), []
    used: set[ImageId] = set()
    for image_id in ids:
        if image_id in used and isinstance(image_id, int):
            image_id = next(numbers)
        elif image_id in used:
            again = (f"{image_id} ({number})" for number in itertools.count(2))
            image_id = next(text for text in again if text not in taken)
            taken.add(image_id)
        used.add(image_id)
        unique.append(image_id)
    return unique


def _with_keypoints(datasets: Sequence[Dataset]) -> Dataset:
    """The first dataset with keypoints, else the first; all others must have the same or none."""
    named = [dataset for dataset in datasets if keypoint_names_of(dataset)]
    for dataset in named[1:]:
        expected, given = keypoint_names_of(named[0]), keypoint_names_of(dataset)
        if given != expected:
            raise DataError(
                "the keypoints of datasets that are concatenated must be the same, in one order.\n"
                f"  {', '.join(expected)}: {described(named[0])}\n"
                f"  {', '.join(given)}: {described(dataset)}"
            )
    return (named or list(datasets))[0]
