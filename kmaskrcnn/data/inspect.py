"""A look at a dataset before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from kmaskrcnn.data.broken import Broken, Progress, SoundImages, find_broken
from kmaskrcnn.data.dataset import Dataset, Sample, checked_label
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import look_at
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.inspection import Inspection, Problem
from kmaskrcnn.data.load import open_unchecked
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.suspicions import findings, measure, twins


def inspect(
    dataset: Dataset | str | Path,
    images: str | Path | None = None,
    split: str | None = None,
    *,
    progress: Progress | None = None,
) -> Inspection:
    """Looks at every image's header and at every annotation: what is there, and what looks wrong.

    Args:
        dataset: a dataset, or a path as for ``load``: images that are missing then are no error,
            but listed.
        images, split: as for ``load``, where a path is given.
        progress: is told how many steps are done, and how many there are; two an image.

    Raises:
        DataError: a path where nothing can be opened.
    """
    if isinstance(dataset, (str, Path)):
        dataset = open_unchecked(dataset, images, split)
    known = list(dataset.broken) if isinstance(dataset, SoundImages) else None
    dataset = dataset.dataset if isinstance(dataset, SoundImages) else dataset
    total = len(dataset)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, 2 * total)

    broken = find_broken(dataset, lambda done, _: tell(done)) if known is None else known
    tally = _Tally(dataset, {image.index for image in broken})
    for index in range(total):
        tally.add(index)
        tell(total + index + 1)
    return tally.result(broken, _repairs(dataset))


def _repairs(dataset: Dataset) -> dict[str, list[str]]:
    """What the dataset's report holds, without the images that are listed as broken."""
    report = getattr(dataset, "report", None)
    if not isinstance(report, Report):
        return {}
    kinds = [kind for kind in report.counts if not kind.startswith("image left out")]
    return {kind: report.places(kind) for kind in kinds}


class _Tally:
    """Counts while it goes through a dataset."""

    def __init__(self, dataset: Dataset, broken: set[int]) -> None:
        self.dataset = dataset
        self.names = tuple(dataset.class_names)
        self.broken = broken
        self.problems: list[Problem] = []
        self.class_objects: Counter[int] = Counter()
        self.class_images: Counter[int] = Counter()
        self.sizes: list[tuple[int, int]] = []
        self.num_objects: list[int] = []
        self.areas: list[float] = []
        self.num_crowds = 0
        self.files: dict[str, dict[str, int]] = {}  # name → path → how often

    def add(self, index: int) -> None:
        """One more image."""
        if index in self.broken:
            return
        sample = self.dataset[index]
        self._note_file(sample)
        size = _size_of(sample)
        self.sizes.append(size)
        self.num_objects.append(len(sample.instances))
        self.num_crowds += sum(instance.crowd for instance in sample.instances)
        self._add_objects(sample, size)

    def _note_file(self, sample: Sample) -> None:
        if isinstance(sample.image, np.ndarray):
            return
        path = Path(sample.image)
        paths = self.files.setdefault(path.name, {})
        paths[str(path)] = paths.get(str(path), 0) + 1

    def _add_objects(self, sample: Sample, size: tuple[int, int]) -> None:
        measured, usable, labels = [], [], set()
        for instance in sample.instances:
            number = instance.annotation_id
            try:
                label = checked_label(instance, len(self.names), sample.name)
                figures = measure(instance)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                problem = Problem("unreadable", sample.name, number, str(error))
                self.problems.append(problem)
                continue
            self.class_objects[label] += 1
            labels.add(label)
            measured.append(figures)
            usable.append(instance)
            if not instance.crowd:
                self.areas.append(figures.area)
            for kind, detail in findings(instance, figures, size):
                self.problems.append(Problem(kind, sample.name, number, detail))
        self.class_images.update(labels)
        for first, second in twins(usable, measured):
            twin = f"the same box and class as annotation {usable[first].annotation_id}"
            number = usable[second].annotation_id
            self.problems.append(Problem("twice", sample.name, number, twin))

    def result(self, broken: list[Broken], repairs: dict[str, list[str]]) -> Inspection:
        """What was counted."""
        labels = range(len(self.names))
        whole = getattr(self.dataset, "description", type(self.dataset).__name__)
        return Inspection(
            self.dataset,
            whole,
            self.names,
            tuple(self.class_objects[label] for label in labels),
            tuple(self.class_images[label] for label in labels),
            np.array(self.sizes, int).reshape(-1, 2),
            np.array(self.num_objects, int),
            np.array(self.areas, float),
            self.num_crowds,
            tuple(broken),
            (*self.problems, *self._same_names()),
            repairs,
        )

    def _same_names(self) -> list[Problem]:
        found = []
        for name, paths in self.files.items():
            for path, count in paths.items():
                if count > 1:
                    found.append(Problem("image listed twice", path, None, f"{count} times"))
            if len(paths) > 1:
                places = ", ".join(list(paths)[:3])
                found.append(Problem("file name in several folders", name, None, places))
        return found


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
