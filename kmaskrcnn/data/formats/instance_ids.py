"""One PNG per image, whose values are the numbers of its instances and 0 (PennFudan).

A ``classes.json`` beside the PNGs may name their classes, as ``data.write`` leaves it:
``{"class_names": ["cat", "dog"], "objects": {"<image>": ["dog", "cat"]}, "crowds": {"<image>":
[2]}}``, where the object of number 1 comes first. Without it all objects are of one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import Masks, read_png
from kmaskrcnn.data.formats.json_files import read_json
from kmaskrcnn.data.formats.mask_dataset import Entry, MaskDataset
from kmaskrcnn.data.rle import encode

TABLE = "classes.json"
MAX_INSTANCES = 2**16
"""Of an image: a mask that holds more numbers is something else, such as a photograph."""


class InstanceIdDataset(MaskDataset):
    """Images with instance-id PNGs (8 or 16 bits, palettes, colours)."""

    kind = "instance-id PNGs"

    def __init__(
        self, images: Sequence[Path], masks: Sequence[Path | None], folder: Path, class_name: str
    ) -> None:
        """Describes them; ``masks`` stand beside ``images``, None for an image without objects.

        Raises:
            DataError: a ``classes.json`` of another content.
        """
        self._table = _read_table(next((m.parent / TABLE for m in masks if m is not None), None))
        names = self._table["class_names"] if self._table else [class_name]
        entries = [Entry(i.stem, i, mask) for i, mask in zip(images, masks, strict=True)]
        super().__init__(entries, folder, names)
        for entry in entries:
            if entry.masks is None:
                self.report.add(
                    "image without a mask file kept as an image without objects", str(entry.image)
                )

    def _read_masks(self, index: int) -> Masks:
        path = self._entries[index].masks
        if path is None:
            return Masks([], [], [], None)
        values = read_png(path)
        numbers = [int(number) for number in np.unique(values) if number]
        if len(numbers) > MAX_INSTANCES:
            raise DataError(f"{path}: {len(numbers)} values in a mask; is it a photograph?")
        if not numbers:
            self.report.add("mask file without an object", str(path))
        codes = [encode(values == number) for number in numbers]
        names = [f"{path.stem}:{number}" for number in numbers]
        labels = [self._label(path, number) for number in numbers]
        crowds = self._table["crowds"].get(path.stem, ()) if self._table else ()
        return Masks(codes, names, labels, values.shape[:2], [n in crowds for n in numbers])

    def _label(self, path: Path, number: int) -> int:
        """Of the object of that number, by the table."""
        if not self._table:
            return 0
        classes = self._table["objects"].get(path.stem, ())
        if number > len(classes):
            raise DataError(
                f"{path}: object {number}, but {path.with_name(TABLE)} lists the classes of "
                f"{len(classes)} objects under {path.stem!r}."
            )
        return self.class_names.index(classes[number - 1])


def _read_table(path: Path | None) -> dict[str, Any]:
    """The content of ``classes.json``, checked; empty where there is no such file."""
    if path is None or not path.is_file():
        return {}
    content = read_json(path)
    table = content if isinstance(content, dict) else {}
    names, objects, crowds = (
        table.get(key, default)
        for key, default in (("class_names", None), ("objects", None), ("crowds", {}))
    )
    sound = (
        isinstance(names, list)
        and names
        and isinstance(objects, dict)
        and isinstance(crowds, dict)
        and all(isinstance(name, str) for name in names)
        and all(isinstance(row, list) for row in (*objects.values(), *crowds.values()))
        and {name for row in objects.values() for name in map(str, row)} <= set(names)
    )
    if not sound:
        raise DataError(
            f"{path}: expected {{'class_names': [names], 'objects': {{image: [the class of each of "
            "its objects]}, 'crowds': {image: [numbers of its objects]}}."
        )
    return {"class_names": names, "objects": objects, "crowds": crowds}
