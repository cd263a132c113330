"""What every writer asks for: samples one after the other, their sizes, and objects as regions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kmaskrcnn.data.dataset import Dataset, Instance, Sample, checked_label, get_sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import array_window, decode_window
from kmaskrcnn.ops.regions import Region, box_region

Size = tuple[int, int]
Progress = Callable[[int, int], object]
"""Is called with how many images are written, and how many there are."""


def _objects(sample: Sample, is_one: Callable[[Instance], bool]) -> list[str]:
    return [place_of(sample, instance) for instance in sample.instances if is_one(instance)]


EXTRAS: dict[str, Callable[[Sample], Sequence[str]]] = {
    "keypoints": lambda sample: _objects(sample, lambda one: one.keypoints is not None),
    "marks of difficult objects": lambda sample: _objects(sample, lambda one: one.difficult),
    "void pixels": lambda sample: [] if sample.void is None else [sample.name],
    "absent and incomplete classes": lambda sample: (
        [sample.name] if sample.absent is not None or sample.incomplete else []
    ),
}
"""What few formats hold → where a sample has it."""


@dataclass
class Job:
    """What is written: the parts of a dataset, how their images are, and what could not be held.

    Attributes:
        parts: name → dataset, all of the same classes; ``""`` where there is one part alone.
        images: ``"copy"``, ``"link"`` or ``"none"``.
        report: takes what the format cannot hold.
        progress: is told after each image.
    """

    parts: Mapping[str, Dataset]
    images: str = "copy"
    report: Report = field(default_factory=Report)
    progress: Progress | None = None
    _done: int = 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of all parts."""
        return tuple(next(iter(self.parts.values())).class_names)

    def samples(self, part: str, holds: Collection[str] = ()) -> Iterator[Sample]:
        """Of one part, each label checked; what is said of them beyond ``holds``, names out of
        ``EXTRAS``, is counted as lost."""
        dataset = self.parts[part]
        total = sum(len(each) for each in self.parts.values())
        for index in range(len(dataset)):
            sample = get_sample(dataset, index)
            for what, told in EXTRAS.items():
                for place in () if what in holds else told(sample):
                    self.report.add(f"{what} left out, the format has no place for them", place)
            for instance in sample.instances:
                checked_label(instance, len(dataset.class_names), sample.name)
            yield sample
            self._done += 1
            if self.progress is not None:
                self.progress(self._done, total)

    def lose(self, what: str, sample: Sample, instance: Instance) -> None:
        """Counts what of an object the format cannot hold."""
        self.report.add(what, place_of(sample, instance))


def place_of(sample: Sample, instance: Instance) -> str:
    """How messages call an object."""
    return f"{sample.name}, annotation {instance.annotation_id}"


def to_region(instance: Instance, size: Size, place: str) -> Region:
    """An object's pixels in an image of ``size`` (height, width): its mask's, or its box's.

    Raises:
        DataError: a mask of another size, a broken code, neither mask nor box.
    """
    mask = instance.mask
    if mask is None:
        if instance.box is None:
            raise DataError(f"{place}: an object with neither a mask nor a box.")
        return box_region(np.asarray(instance.box, np.float64), size)
    if isinstance(mask, Mapping | np.ndarray):
        given = tuple(mask["size"]) if isinstance(mask, Mapping) else mask.shape
        if given != tuple(size):
            raise DataError(f"{place}: a mask of {given} (height, width), its image is {size}.")
        return Region(*(decode_window(mask) if isinstance(mask, Mapping) else array_window(mask)))
    return Region(*rasterise([np.asarray(polygon, np.float64) for polygon in mask], size))


def polygons_of(instance: Instance) -> list[np.ndarray] | None:
    """The polygons (P, 2) of an object that is outlined by such; None where it is not."""
    if instance.mask is None or isinstance(instance.mask, Mapping | np.ndarray):
        return None
    return [np.asarray(polygon, np.float64) for polygon in instance.mask]
