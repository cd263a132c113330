"""One PNG per instance: every pixel that is not 0 belongs to the object.

Two layouts: a folder per image, ``<id>/images/*`` and ``<id>/masks/*.png`` (Data Science Bowl
2018), with an optional ``splits.json`` of the form ``{"train": [ids], …}``; and a folder of images
beside a folder of masks called ``<image>_<class>_<number>.png`` (pycococreator).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import (
    MaskCache,
    Masks,
    count_labels,
    list_images,
    natural,
    read_png,
    refuse_other_sizes,
    split_names,
)
from kmaskrcnn.data.formats.json_files import read_json
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import encode


class Item(NamedTuple):
    """An image with its mask files, and the class of each."""

    name: str
    image: Path
    masks: Sequence[Path]
    classes: Sequence[str]


class InstancePngDataset:
    """Images with one PNG per instance. Masks are read when a sample is asked for, and kept."""

    def __init__(self, items: Sequence[Item], folder: Path) -> None:
        """Describes ``items``; nothing is read yet."""
        self.folder = folder
        self.report = Report()
        self.class_names = tuple(sorted({name for item in items for name in item.classes}))
        self._items = items
        self._masks = MaskCache(self._read_masks)
        if not self.class_names:
            raise DataError(
                f"{folder}: {len(items)} images, but no masks. Expected PNG files, one an object."
            )
        for item in items:
            if not item.masks:
                self.report.add(
                    "image without a mask file kept as an image without objects", str(item.image)
                )

    @property
    def description(self) -> str:
        """One line about what was found."""
        return (
            f"one PNG per instance, {self.folder}: {len(self)} images, "
            f"{sum(self.class_counts())} objects of {len(self.class_names)} classes"
        )

    def class_counts(self) -> list[int]:
        """Mask files of each class."""
        labels = ([self.class_names.index(name) for name in item.classes] for item in self._items)
        return count_labels(labels, len(self.class_names))

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int, /) -> Sample:
        item = self._items[index]
        masks = self._masks[index % len(self)]
        source = str(item.masks[0]) if item.masks else None
        return Sample(item.image, masks.instances(), item.name, masks.size, source)

    def _read_masks(self, index: int) -> Masks:
        item = self._items[index]
        masks = Masks([], [], [], None)
        refuse_other_sizes(item.masks, item.image)
        for path, name in zip(item.masks, item.classes, strict=True):
            mask = read_png(path) != 0
            height, width = masks.size or mask.shape
            if mask.shape != (height, width):
                raise DataError(
                    f"{path} is {mask.shape[0]}×{mask.shape[1]} (height×width), but "
                    f"{item.masks[0]} is {height}×{width}; all masks of an image must be as large "
                    "as the image."
                )
            masks = masks._replace(size=(height, width))
            if not mask.any():
                self.report.add("mask without a pixel left out", str(path))
                continue
            label = self.class_names.index(name)
            masks.codes.append(encode(mask))
            masks.names.append(path.stem)
            masks.labels.append(label)
        return masks


def recognise_homes(opening: Opening) -> list[Path]:
    """The folders that hold an image of their own, one or two steps below; none where a split is
    asked for that is a folder of its own."""
    if opening.folder is None or (
        opening.folders_of_split() and not (opening.folder / "splits.json").is_file()
    ):
        return []
    level = [opening.folder]
    for _ in range(2):
        level = [p for parent in level for p in sorted(parent.iterdir()) if p.is_dir()]
        homes = [p for p in level if (p / "images").is_dir() and (p / "masks").is_dir()]
        if homes and len(list_images(homes[0] / "images")) <= 1:
            return homes
    return []


def open_homes(found: Sequence[Path], opening: Opening) -> InstancePngDataset:
    """The dataset of folders ``<id>`` with ``images`` and ``masks``. With ``skip_broken`` an id
    without its folder is counted, and one without its image no error yet.

    Raises:
        DataError: a split that ``splits.json`` lacks, an id without a folder or with no or several
            images.
    """
    folder, skip_broken = opening.path, opening.skip_broken
    homes = {home.name: home for home in found}
    names = _split_names(folder, opening.split, sorted(homes))
    missing = [name for name in names if name not in homes]
    if missing and not skip_broken:
        raise DataError(
            f"{folder}: no folder for {len(missing)} ids of the split, such as {missing[0]!r}."
        )
    items = [_read_home(homes[n], opening.class_name, skip_broken) for n in names if n in homes]
    dataset = InstancePngDataset(items, folder)
    for name in missing:
        dataset.report.add("id of the split left out, it has no folder", f"{folder}, {name}")
    return dataset


def _split_names(folder: Path, split: str | None, everyone: list[str]) -> list[str]:
    if split is None:
        return everyone
    path = folder / "splits.json"
    try:
        splits = read_json(path)
        names = next((splits[name] for name in split_names(split) if name in splits), None)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: the split {split!r} is asked for, but the file cannot be read ({error}). "
            'Expected {"train": [ids of images], …}.'
        ) from error
    if not isinstance(names, list):
        raise DataError(
            f"{path}: no list under {split!r}; there are {', '.join(map(str, splits))}."
        )
    return [str(name) for name in names]


def _read_home(home: Path, class_name: str, skip_broken: bool) -> Item:
    images = list_images(home / "images")
    if skip_broken and len(images) != 1:
        images = [home / "images" / f"one image ({len(images)} are there)"]
    if len(images) != 1:
        raise DataError(
            f"{home / 'images'}: {len(images)} images; expected one, its masks lie in masks/."
        )
    masks = list_images(home / "masks")
    return Item(home.name, images[0], masks, [class_name] * len(masks))


def open_named_masks(
    groups: dict[Path, list[tuple[Path, str]]], folder: Path, class_name: str
) -> InstancePngDataset:
    """The dataset of images and their masks, each with the rest of its name, as in ``square_0``."""
    items = []
    for image, found in groups.items():
        masks = sorted((path for path, _ in found), key=natural)
        rests = dict(found)
        classes = [re.sub(r"[_\-. ]*\d+$", "", rests[path]) or class_name for path in masks]
        items.append(Item(image.stem, image, masks, classes))
    return InstancePngDataset(items, folder)
