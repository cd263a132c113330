"""Cityscapes: ``gtFine`` (or ``gtCoarse``) beside ``leftImg8bit``, each with a folder a part and in
it a folder a city.

Format: https://github.com/mcordts/cityscapesScripts (``*_instanceIds.png`` as
``createTrainIdInstanceImgs.py`` and its twin write them, ``*_polygons.json`` as they are drawn)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.cityscapes_polygons import FIRST_INSTANCE, LABELS, PER_CLASS, paint
from kmaskrcnn.data.formats.files import Masks, read_png, refuse_missing, split_names
from kmaskrcnn.data.formats.mask_dataset import Entry, MaskDataset
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.rle import encode

CLASSES = {
    number: LABELS[number]
    for number in range(FIRST_INSTANCE, len(LABELS))
    if number not in (29, 30)
}
"""The classes of Cityscapes' instances that its benchmark counts, by their ids."""
VOID = (*range(7), 9, 10, 14, 15, 16, 18, 29, 30)
"""The ids that its figures leave out (``ignoreInEval`` of cityscapesScripts' ``labels.py``)."""
GROUND_TRUTHS = ("gtFine", "gtCoarse")
FILE = re.compile(r"(.+)_gt(?:Fine|Coarse)_(instanceIds\.png|polygons\.json)$")
PHOTOGRAPHS = "leftImg8bit"


class CityscapesDataset(MaskDataset):
    """Images with instance-id PNGs, or with polygons where there is no PNG. Groups (``cargroup``)
    are crowds.

    Attributes:
        class_names, category_ids: the eight classes that have instances.
        report: of an image, once it was read: objects of classes that the benchmark leaves out.
    """

    kind = "Cityscapes"
    category_ids = tuple(CLASSES)

    def __init__(self, entries: Sequence[Entry], folder: Path) -> None:
        """Describes them; nothing is read yet."""
        super().__init__(entries, folder, list(CLASSES.values()))

    def _read_masks(self, index: int) -> Masks:
        path = self._entries[index].masks
        if path is None:
            return Masks([], [], [], None)
        values = read_png(path) if path.suffix == ".png" else paint(path, self.report)
        if values.dtype == np.int64:
            raise DataError(f"{path}: colours; expected numbers in 16 bits, grey.")
        crowds: list[bool] = []
        void = encode(np.isin(values, VOID))
        masks = Masks([], [], [], values.shape[:2], crowds, void)
        for value in np.unique(values).tolist():
            number = value // PER_CLASS if value >= PER_CLASS else value
            if number in CLASSES:
                masks.codes.append(encode(values == value))
                masks.names.append(f"{path.stem}:{value}")
                masks.labels.append(list(CLASSES).index(number))
                crowds.append(value < PER_CLASS)
            elif value >= PER_CLASS:
                kind = "object left out, its class is none of Cityscapes' eight"
                self.report.add(kind, f"{path}, {value}")
        return masks


def recognise(opening: Opening) -> list[Path]:
    """The annotation files of a download, of its ``gtFine``, or of a part or a city of that."""
    if opening.folder is None:
        return [opening.path] if FILE.match(opening.path.name) else []
    homes = [opening.folder / name for name in GROUND_TRUTHS]
    for home in (*homes, opening.folder):
        for depth in ("*/*/", "*/", ""):
            found = sorted(home.glob(f"{depth}*_gt*_*.*"))
            found = [file for file in found if FILE.match(file.name)]
            if found:
                return found
    return []


def open_files(found: Sequence[Path], opening: Opening) -> CityscapesDataset:
    """The dataset of the files of one part.

    Raises:
        DataError: several parts and none is named, a part that is not there, images that are
            missing.
    """
    parts = sorted({part for file in found if (part := _part(file))})
    chosen = list(found)
    if opening.split is not None:
        chosen = [file for file in found if _part(file) in split_names(opening.split)]
    elif len(parts) > 1:
        raise DataError(f"{opening.path}: several parts ({', '.join(parts)}). Name a split.")
    if not chosen:
        there = ", ".join(parts) or "none"
        raise DataError(f"{opening.path}: no part {opening.split!r}; there are {there}.")
    drawn = {_base(file): file for file in sorted(chosen, reverse=True)}  # PNGs before polygons
    entries = [Entry(b, _photograph(drawn[b], opening.images), drawn[b]) for b in sorted(drawn)]
    refuse_missing([entry.image for entry in entries], str(opening.path), opening.skip_broken)
    return CityscapesDataset(entries, opening.path)


def _base(file: Path) -> str:
    """``aachen_000000_000019`` of a file."""
    found = FILE.match(file.name)
    return found[1] if found else file.stem


def _steps(file: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder that holds ``gtFine``, and the folders between that and the file."""
    for home in file.parents:
        if home.name in GROUND_TRUTHS:
            return home.parent, file.parent.relative_to(home).parts
    return file.parent, ()


def _part(file: Path) -> str | None:
    """The part that a file belongs to: the first folder in ``gtFine``."""
    return next(iter(_steps(file)[1]), None)


def _photograph(file: Path, images: str | Path | None) -> Path:
    """The photograph of an annotation: in the same folders of ``leftImg8bit``, or in ``images``."""
    above, steps = _steps(file)
    home = Path(images) if images is not None else above / PHOTOGRAPHS
    folders = [home.joinpath(*steps[skip:]) for skip in range(len(steps) + 1)]
    names = [f"{_base(file)}_{PHOTOGRAPHS}{suffix}" for suffix in (".png", ".jpg", ".jpeg")]
    tried = [folder / name for folder in (*folders, file.parent) for name in names]
    return next((path for path in tried if path.is_file()), tried[0])
