"""What the datasets whose objects are drawn in image files have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.formats.files import MaskCache, Masks, count_labels, refuse_other_sizes
from kmaskrcnn.data.report import Report


class Entry(NamedTuple):
    """An image of such a dataset: its id, its photograph, and the file that draws its objects."""

    name: str
    image: Path
    masks: Path | None


class MaskDataset(ABC):
    """Images whose objects are read from files when a sample is asked for, and kept as run-length
    codes. A format says how one image's are read.

    Attributes:
        kind: what the format is called, for the description.
        class_names: that the labels index.
        report: what was mended or left out; of an image, once it has been read.
    """

    kind: str

    def __init__(self, entries: Sequence[Entry], folder: Path, class_names: Sequence[str]) -> None:
        """Describes them; nothing is read yet."""
        self.folder = folder
        self.class_names = tuple(class_names)
        self.report = Report()
        self._entries = entries
        self._masks = MaskCache(self._read_sound_masks)

    @property
    def description(self) -> str:
        """One line about what was found."""
        names = self.class_names
        classes = f"class {names[0]!r}" if len(names) == 1 else f"{len(names)} classes"
        return f"{self.kind}, {self.folder}: {len(self)} images, {classes}"

    def class_counts(self) -> list[int]:
        """Objects of each class; reads every mask."""
        labels = (self._masks[index].labels for index in range(len(self)))
        return count_labels(labels, len(self.class_names))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int, /) -> Sample:
        name, image, file = self._entries[index]
        masks = self._masks[index % len(self)]
        source = None if file is None else str(file)
        return Sample(image, masks.instances(), name, masks.size, source, void=masks.void)

    def _read_sound_masks(self, index: int) -> Masks:
        entry = self._entries[index]
        refuse_other_sizes([] if entry.masks is None else [entry.masks], entry.image)
        return self._read_masks(index)

    @abstractmethod
    def _read_masks(self, index: int) -> Masks:
        """The objects of one image, as its format draws them."""
