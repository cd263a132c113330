"""Pascal VOC for segmentation: a PNG of objects and a PNG of classes an image.

Format: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/ (``SegmentationObject``,
``SegmentationClass``, ``JPEGImages``, ``ImageSets/Segmentation``; boxes in ``Annotations``)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import (
    Masks,
    inside,
    list_images,
    read_lines,
    refuse_missing,
    split_names,
)
from kmaskrcnn.data.formats.mask_dataset import Entry, MaskDataset
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.voc_masks import VOID, Classes, read_classes, read_numbers
from kmaskrcnn.data.formats.xml_files import read_xml, text_of
from kmaskrcnn.data.rle import encode

OBJECTS = ("SegmentationObject", "SegmentationObjectPNG")
CLASSES = ("SegmentationClass", "SegmentationClassPNG")
MAX_OBJECTS = 2**12
"""Of an image: a PNG that shows more is something else."""


class VocDataset(MaskDataset):
    """Images with VOC's masks. An object's class is what most of its pixels are in
    ``SegmentationClass``; the void border (255) belongs to none.

    Attributes:
        class_names: VOC's twenty, or those of ``labelmap.txt`` or ``class_names.txt``.
        report: of an image that was read: objects without a class, boxes of the XML without a mask.
    """

    kind = "Pascal VOC"

    def __init__(self, root: Path, entries: Sequence[Entry], classes: Classes) -> None:
        """Describes ``entries``, whose masks are in ``root``."""
        super().__init__(entries, root, classes.names)
        self._classes = classes
        self._labels = {number: label for label, number in enumerate(classes.numbers)}

    def _read_masks(self, index: int) -> Masks:
        entry = self._entries[index]
        if entry.masks is None:
            return Masks([], [], [], None)
        objects = read_numbers(entry.masks)
        classes = self._read_class_image(entry.masks, objects.shape)
        masks = Masks([], [], [], objects.shape[:2])
        numbers = np.setdiff1d(objects, (0, VOID))
        if len(numbers) > MAX_OBJECTS:
            raise DataError(f"{entry.masks}: {len(numbers)} objects; is it a photograph?")
        listed = self._listed_objects(entry.name)
        difficult: list[bool] = []
        for number in numbers:
            mask = objects == number
            label = self._label_of(classes[mask])
            if label is None:
                place = f"{entry.masks}, object {number}"
                self.report.add("object left out, no pixel of it has a class", place)
                continue
            masks.codes.append(encode(mask))
            masks.names.append(f"{entry.name}:{number}")
            masks.labels.append(label)
            said = listed[number - 1] if number <= len(listed) else None
            difficult.append(said == (self.class_names[label], True))
        self._count_boxes(entry.name, listed, masks.labels)
        return masks._replace(difficult=difficult)

    def _read_class_image(self, objects: Path, shape: tuple[int, ...]) -> np.ndarray:
        relative = objects.relative_to(_home(self.folder, OBJECTS))
        path = _home(self.folder, CLASSES) / relative
        classes = read_numbers(path, self._classes.colours)
        if classes.shape != shape:
            raise DataError(
                f"{path} is {classes.shape[0]}×{classes.shape[1]} (height×width), {objects} is "
                f"{shape[0]}×{shape[1]}; both must be as large as the image."
            )
        return classes

    def _label_of(self, numbers: np.ndarray) -> int | None:
        """The class that most pixels have, of those that have one."""
        found, counts = np.unique(numbers, return_counts=True)
        known = [
            (count, -self._labels[int(number)])
            for number, count in zip(found, counts, strict=True)
            if int(number) in self._labels
        ]
        return -max(known)[1] if known else None

    def _listed_objects(self, name: str) -> list[tuple[str, bool]]:
        """Class and ``difficult`` of the objects of the XML; the first is number 1 of the mask."""
        file = inside(self.folder / "Annotations", name + ".xml", str(self.folder))
        if not file.is_file():
            return []
        try:
            objects = read_xml(file).findall("object")
        except DataError as error:
            self.report.add("XML of boxes that cannot be read, not needed for masks", str(error))
            return []
        return [(text_of(one, "name"), text_of(one, "difficult") == "1") for one in objects]

    def _count_boxes(
        self, name: str, listed: Sequence[tuple[str, bool]], labels: Sequence[int]
    ) -> None:
        """Counts the objects of the XML that no mask is of."""
        boxes = Counter(class_name for class_name, _ in listed)
        boxes.subtract(self.class_names[label] for label in labels)
        for class_name, count in boxes.items():
            if count > 0:
                place = f"{self.folder / 'Annotations' / name}.xml: {count} × {class_name!r:.40}"
                self.report.add("object of the XML without a mask, it is not trained on", place)


def recognise(opening: Opening) -> list[Path]:
    """The folders that hold ``SegmentationObject``: the path, or those one or two steps below."""
    if opening.folder is None:
        return []
    found = [
        path
        for depth in ("", "*/", "*/*/")
        for path in opening.folder.glob(depth + OBJECTS[0] + "*")
    ]
    return sorted({path.parent for path in found if path.is_dir() and path.name in OBJECTS})


def open_folder(found: Sequence[Path], opening: Opening) -> VocDataset:
    """The dataset of a VOC folder: the images of a list in ``ImageSets/Segmentation``, or all that
    have masks.

    Raises:
        DataError: several years, a split without a list, images that are missing, no masks.
    """
    if len(found) > 1:
        homes = ", ".join(str(home.relative_to(opening.path)) for home in found)
        raise DataError(f"{opening.path}: several folders of Pascal VOC ({homes}). Name one.")
    root = found[0]
    names = _listed(root, opening.split)
    folder = Path(opening.images) if opening.images is not None else root / "JPEGImages"
    photographs = {image.stem: image for image in list_images(folder)}
    masks = _home(root, OBJECTS)
    entries = []
    for name in names or sorted(mask.stem for mask in list_images(masks)):
        mask = inside(masks, name + ".png", str(root))
        image = photographs.get(name) or inside(folder, name + ".jpg", str(root))
        entries.append(Entry(name, image, mask))
    drawn = [entry for entry in entries if entry.masks is not None and entry.masks.is_file()]
    if not drawn:
        raise DataError(
            f"{masks}: no mask of any of {len(entries)} images"
            + "".join(f"; {entry.masks} is not there." for entry in entries[:1])
        )
    refuse_missing([entry.image for entry in drawn], str(root), opening.skip_broken)
    dataset = VocDataset(root, drawn, read_classes(root))
    for entry in entries:
        if entry not in drawn:
            dataset.report.add("image left out, it has no mask file", str(entry.image))
    return dataset


def _home(root: Path, names: Sequence[str]) -> Path:
    """The folder that goes by one of ``names``; the PNGs' where arrays lie beside them."""
    homes = [root / name for name in reversed(names)]
    return next((home for home in homes if home.is_dir()), homes[-1])


def _listed(root: Path, split: str | None) -> list[str]:
    """The names of the split's list; without a split those of every list, each once."""
    lists = sorted((root / "ImageSets" / "Segmentation").glob("*.txt"))
    chosen = [f for f in lists if split is None or f.stem in split_names(split)]
    if split is not None and not chosen:
        there = ", ".join(file.stem for file in lists) or "none"
        raise DataError(
            f"{root / 'ImageSets' / 'Segmentation'}: no list for the split {split!r}; there are "
            f"{there}."
        )
    lines = [line.split() for file in chosen for line in read_lines(file)]
    return list(dict.fromkeys(words[0] for words in lines if words))
