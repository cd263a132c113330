"""LVIS v1 JSON: COCO instances of a thousand classes, of which each image was searched for some.

Format: https://www.lvisdataset.org/dataset; its reader: lvis/lvis.py of
https://github.com/lvis-dataset/lvis-api.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.formats.coco_kinds import foreign, keys_of_first
from kmaskrcnn.data.formats.coco_tables import Ids
from kmaskrcnn.data.formats.json_files import JsonFile, parse
from kmaskrcnn.data.formats.opening import Opening

OF_IMAGES = {"neg_category_ids", "not_exhaustive_category_ids"}
RARE, COMMON = 10, 100
"""Images that a class is at most on (Gupta et al. 2019, arXiv:1908.03195)."""


class LvisDataset(CocoDataset):
    """An LVIS file and its images, which are COCO's: ``train2017/…`` and ``val2017/…`` below one
    folder.

    The samples say which classes are known to be ``absent``, and of which not every object is
    annotated (``incomplete``).

    Attributes:
        frequencies: (C) "r", "c" or "f": rare, common, frequent, as the file says; where it does
            not, by its number of images.
    """

    kind = "LVIS"

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        skip_broken: bool = False,
        file: JsonFile | None = None,
        photographs: bool = True,
    ) -> None:
        """As ``CocoDataset``."""
        file = JsonFile(path) if file is None else file
        super().__init__(path, images, skip_broken, file, photographs)
        self._ids = Ids(self._labels)
        categories = [parse(category) for category in file.top["categories"]]
        named = {c["id"]: c for c in categories}
        self.frequencies = tuple(
            self._frequency(named[number], label) for label, number in enumerate(self.category_ids)
        )

    def __getitem__(self, index: int, /) -> Sample:
        record = self._records[index]
        return replace(
            super().__getitem__(index),
            absent=self._known(record.neg_category_ids),
            incomplete=self._known(record.not_exhaustive_category_ids),
        )

    def _known(self, category_ids: Iterable[Any]) -> tuple[int, ...]:
        """The labels of categories; those that the file does not name are nobody's."""
        found = (self._ids.find(number)[0] for number in category_ids)
        return tuple(sorted({self._labels[number] for number in found if number is not None}))

    def _frequency(self, category: dict[str, Any], label: int) -> str:
        said = category.get("frequency")
        if said in ("r", "c", "f"):
            return said
        count = category.get("image_count")
        if not isinstance(count, int):
            place = f"{self.path}, category {category['id']}"
            self.report.add("frequency of a class counted in this file", place)
            count = len(self._annotations.images_of(label))
        return "r" if count <= RARE else "c" if count <= COMMON else "f"


def recognise(opening: Opening) -> list[Path]:
    """The LVIS files of a file or folder."""
    return opening.jsons_of(is_lvis)


def is_lvis(file: JsonFile) -> bool:
    """Whether a COCO file says which classes its images were searched for."""
    return foreign(file) is None and bool(OF_IMAGES & keys_of_first(file.top["images"]))


def open_file(found: Sequence[Path], opening: Opening) -> LvisDataset:
    """The dataset of an LVIS file.

    Raises:
        DataError: there are several.
    """
    file = opening.take_json(opening.only(found))
    return LvisDataset(found[0], opening.images, opening.skip_broken, file)
