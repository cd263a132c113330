"""YOLO for segmentation: ``images``, ``labels`` beside it, and a ``data.yaml`` that names both.

Format: https://docs.ultralytics.com/datasets/segment/
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import count_labels, natural, refuse_missing
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.yolo_labels import Line, read_labels, size_of, to_instance
from kmaskrcnn.data.formats.yolo_yaml import (
    choose_part,
    listed_images,
    read_data_yaml,
    read_yaml,
)
from kmaskrcnn.data.report import Report

SUFFIXES = (".yaml", ".yml")


class YoloDataset:
    """Images with label files. Labels are read when a sample is asked for; an image without a label
    file has no objects.

    Attributes:
        class_names: those of ``data.yaml``, in the order of their ids.
        report: what was mended or left out, with file and line; of an image, once it was read.
    """

    def __init__(
        self, images: Sequence[Path], labels: Sequence[Path], names: Sequence[str], place: str
    ) -> None:
        """Describes them; ``labels`` stand beside ``images``, ``place`` is what to call both.

        Raises:
            DataError: not one image has a label file.
        """
        self.class_names = tuple(names)
        self.report = Report()
        self._place = place
        self._images = images
        self._labels = labels
        self._there = [path.is_file() for path in labels]
        if not any(self._there):
            raise DataError(
                f"{place}: {len(images)} images, and no label file of any"
                + "".join(f"; {path} is not there" for path in labels[:1])
                + ". Expected a text file an image, in a folder labels beside images."
            )

    @property
    def description(self) -> str:
        """One line about what was found."""
        without = self._there.count(False)
        return (
            f"YOLO labels, {self._place}: {len(self)} images, {len(self.class_names)} classes"
            + (f", {without} images without a label file" if without else "")
        )

    def class_counts(self) -> list[int]:
        """Objects of each class; reads every label file."""
        rows = ([line.label for line in self._read(i)] for i in range(len(self)))
        return count_labels(rows, len(self.class_names))

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int, /) -> Sample:
        image = self._images[index]
        lines = self._read(index % len(self))
        size = size_of(image) if lines else None
        found = [to_instance(line, size, self.report) for line in lines if size]
        instances = [instance for instance in found if instance is not None]
        return Sample(image, instances, image_id=image.stem, source=str(self._labels[index]))

    def _read(self, index: int) -> list[Line]:
        if not self._there[index]:
            return []
        return read_labels(self._labels[index], len(self.class_names))


def recognise(opening: Opening) -> list[Path]:
    """A YAML file; or of a folder ``data.yaml`` and others that name classes."""
    if opening.folder is None:
        return [opening.path] if opening.path.suffix.lower() in SUFFIXES else []
    files = sorted(p for s in SUFFIXES for p in opening.folder.glob(f"*{s}"))
    return [path for path in files if path.is_file() and _names_classes(path)]


def _names_classes(path: Path) -> bool:
    if path.stem == "data":
        return True
    try:
        content = read_yaml(path)
    except DataError:
        return False
    return isinstance(content, dict) and isinstance(content.get("names"), list | dict)


def open_file(found: Sequence[Path], opening: Opening) -> YoloDataset:
    """The dataset of a ``data.yaml``, of one of its parts.

    Raises:
        DataError: several files or parts, none of them named; images that are missing.
    """
    data = read_data_yaml(opening.only(found))
    part = choose_part(data, opening.split)
    listed = sorted(listed_images(data, part), key=lambda pair: natural(pair[0]))
    if not listed:
        raise DataError(f"{data.path}: no images under {part!r}.")
    images = [_image(path, home, opening.images) for path, home in listed]
    refuse_missing(images, str(data.path), opening.skip_broken)
    labels = [labels_of(path) for path, _ in listed]
    return YoloDataset(images, labels, data.names, f"{data.path}, {part}")


def _image(path: Path, home: Path, images: str | Path | None) -> Path:
    return path if images is None else Path(images) / path.relative_to(home)


def labels_of(image: Path) -> Path:
    """Where an image's label file lies: ``labels`` for the last folder called ``images``."""
    parts = list(image.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
    return Path(*parts).with_suffix(".txt")
