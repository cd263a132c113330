"""The images and categories that a COCO file lists: each once, and found by its id."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.json_files import parse
from kmaskrcnn.data.formats.outlines import Size, usable_size
from kmaskrcnn.data.report import Report

ID = (str, int, float)


class ImageRecord(msgspec.Struct, gc=False):
    """What is kept of an image's record: a file may list a hundred thousand.

    Attributes:
        id: the file's.
        file_name: as the file says; the end of its ``coco_url`` where it says only that (LVIS).
        height, width: in pixels, where the file says them.
        neg_category_ids, not_exhaustive_category_ids: LVIS', as the file says.
    """

    id: int | str
    file_name: str = ""
    height: int | float | None = None
    width: int | float | None = None
    coco_url: str | None = None
    neg_category_ids: tuple[int | str, ...] = ()
    not_exhaustive_category_ids: tuple[int | str, ...] = ()

    def __post_init__(self) -> None:
        """Takes the folder and name out of an address, which is not kept."""
        if not self.file_name and self.coco_url:
            self.file_name = "/".join(self.coco_url.split("/")[-2:])
        self.coco_url = None

    @property
    def size(self) -> Size | None:
        """(height, width); None where the file says nothing usable."""
        return usable_size(self.height, self.width)


class Categories(NamedTuple):
    """The classes: ``names`` and the first id of each (C), and the label of every id."""

    names: tuple[str, ...]
    ids: tuple[Any, ...]
    labels: dict[Any, int]


class Ids:
    """Looks ids up, also where a file writes them as numbers here and as text there."""

    def __init__(self, known: Iterable[Any]) -> None:
        """Takes the ids that there are."""
        self._known = {i: i for i in known}
        self._by_text = {str(i): i for i in self._known}

    def find(self, given: Any) -> tuple[Any, bool]:
        """The id that is meant, None where there is none; and whether it had to be converted."""
        if isinstance(given, Hashable) and given in self._known:
            return self._known[given], False
        if isinstance(given, str | int) and str(given).strip() in self._by_text:
            return self._by_text[str(given).strip()], True
        return None, False


def read_images(listed: Sequence[msgspec.Raw], path: Path, report: Report) -> list[ImageRecord]:
    """The image records, each id once.

    A record that is there twice is taken once. Where an id stands for two files, nobody knows whose
    its annotations are: both are left out.

    Raises:
        DataError: a record without an id or a file name; none that can be used.
    """
    records = [_parse_image(record, number, path) for number, record in enumerate(listed)]
    files: dict[Any, str] = {}
    ambiguous = {r.id for r in records if files.setdefault(r.id, r.file_name) != r.file_name}
    kept: dict[Any, ImageRecord] = {}
    for record in records:
        if record.id in ambiguous:
            place = f"{path}, image {record.id}: {record.file_name}"
            report.add("image left out, its id stands for several files", place)
        elif record.id in kept:
            report.add("image that is listed twice taken once", f"{path}, image {record.id}")
        else:
            kept[record.id] = record
    if not kept:
        raise DataError(
            f"{path}: no images{' but those of ambiguous ids' if records else ''}. Expected a list "
            "of {'id', 'file_name', 'width', 'height'} under 'images', each id once."
        )
    return list(kept.values())


_DECODER = msgspec.json.Decoder(ImageRecord)


def _parse_image(text: msgspec.Raw, number: int, path: Path) -> ImageRecord:
    image: ImageRecord | None
    try:
        image = _DECODER.decode(text)
    except ValueError:
        image = _mended(parse(text))
    if image is None or not image.file_name:
        raise DataError(
            f"{path}: images[{number}] is {parse(text)!r:.120}; expected an object with id and "
            "file_name."
        )
    return image


def _mended(record: Any) -> ImageRecord | None:
    """An image whose record holds values of unusual types; None where it cannot be used."""
    if not isinstance(record, dict) or not isinstance(record.get("id"), ID):
        return None
    name, url = record.get("file_name"), record.get("coco_url")
    height, width = record.get("height"), record.get("width")
    sized = isinstance(height, int | float) and isinstance(width, int | float)
    return ImageRecord(
        record["id"],
        name if isinstance(name, str) else "",
        *((height, width) if sized else (None, None)),
        coco_url=url if isinstance(url, str) else None,
        neg_category_ids=_ids(record.get("neg_category_ids")),
        not_exhaustive_category_ids=_ids(record.get("not_exhaustive_category_ids")),
    )


def _ids(given: Any) -> tuple[Any, ...]:
    return tuple(i for i in given if isinstance(i, ID)) if isinstance(given, list) else ()


def read_categories(
    categories: Sequence[Any], used: Collection[Any], path: Path, report: Report
) -> Categories:
    """The classes, in the file's order; a parent category that no annotation uses is left out.

    Args:
        categories: the file's records.
        used: what its annotations say under ``category_id``.
        path: the file, for messages.
        report: takes what is left out.

    Raises:
        DataError: a category without id or name, an id of two names, no category.
    """
    for category in categories:
        if (
            not isinstance(category, dict)
            or not isinstance(category.get("id"), ID)
            or category.get("name") is None
        ):
            raise DataError(
                f"{path}: a category without id or name: {category!r:.120}. Expected {{'id': …, "
                "'name': …}."
            )
    names = _names_by_id(categories, path, report)
    parents = {
        str(c["supercategory"])
        for c in categories
        if c.get("supercategory") not in (None, c["name"])
    }
    ids = Ids(names)
    found = {ids.find(given)[0] for given in used}
    kept = {i: n for i, n in names.items() if i in found or n not in parents}
    for name in sorted(set(names.values()) - set(kept.values())):
        report.add("parent category without an annotation left out", f"{name!r} in {path}")
    if not kept:
        raise DataError(
            f"{path}: no categories. Expected a list of {{'id': …, 'name': …}} under 'categories'."
        )
    first: dict[str, Any] = {}
    for number, name in kept.items():
        if name in first:
            report.add("two categories of one name taken as one", f"{name!r} in {path}")
        first.setdefault(name, number)
    order = {name: label for label, name in enumerate(first)}
    labels = {number: order[name] for number, name in kept.items()}
    return Categories(tuple(first), tuple(first.values()), labels)


def _names_by_id(categories: Sequence[Any], path: Path, report: Report) -> dict[Any, str]:
    names: dict[Any, str] = {}
    for category in categories:
        number, name = category["id"], str(category["name"])
        if names.get(number, name) != name:
            raise DataError(
                f"{path}: category id {number!r} occurs twice, as {names[number]!r} and as "
                f"{name!r}. Give each its own; the annotations refer to it."
            )
        if number in names:
            report.add("category that is listed twice taken once", f"{name!r} in {path}")
        names[number] = name
    return names
