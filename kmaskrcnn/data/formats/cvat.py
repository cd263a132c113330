"""CVAT's own XML, "CVAT for images 1.1": one file of all images' shapes.

Format: https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.cvat_shapes import Box, read_boxes, read_outlines
from kmaskrcnn.data.formats.files import (
    count_labels,
    inside,
    last_part,
    refuse_missing,
    split_names,
)
from kmaskrcnn.data.formats.labelme_shapes import Shape, to_instances
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.outlines import Size
from kmaskrcnn.data.formats.xml_files import read_xml
from kmaskrcnn.data.images import refuse_gigantic
from kmaskrcnn.data.report import Report

ROOT = re.compile(rb"<annotations[\s>]")
MAX_SIDE = 1e6


class Record(NamedTuple):
    """An image of the file: its name, its photograph, its size, and what is drawn on it."""

    name: str
    image: Path
    size: Size
    outlines: list[Shape]
    boxes: list[tuple[int, str, Box]]


class CvatDataset:
    """An XML of CVAT and its images. Shapes of one label and one group are one object; polylines,
    points, cuboids and skeletons are left out.

    Attributes:
        class_names: the labels of the task or project, then others in use, sorted.
        report: what was mended or left out, with the image and the number of the shape.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        split: str | None = None,
        skip_broken: bool = False,
    ) -> None:
        """Reads ``path``; ``images`` is the images' folder, looked for around the file when None.

        Args:
            path: the XML.
            images: a folder.
            split: a subset of the project; None: its only one.
            skip_broken: an image without a usable size, or that is not found, is no error yet.

        Raises:
            DataError: no XML of CVAT's images, an image without name, width and height, several
                subsets and none named, images that are missing.
        """
        self.path = Path(path)
        self.report = Report()
        root = read_xml(self.path)
        elements = _of_subset(root, split, self.path)
        home = Path(images) if images is not None else None
        self._records = [r for e in elements if (r := self._record(e, home, skip_broken))]
        self.class_names = self._names(root)
        labels = {name: label for label, name in enumerate(self.class_names)}
        self._instances = [list(_instances(record, labels)) for record in self._records]
        refuse_missing([record.image for record in self._records], str(self.path), skip_broken)

    @property
    def description(self) -> str:
        """One line about what was found."""
        return (
            f"CVAT, {self.path}: {len(self)} images, {sum(map(len, self._instances))} objects of "
            f"{len(self.class_names)} classes"
        )

    def class_counts(self) -> list[int]:
        """Objects of each class."""
        rows = [[instance.label for instance in row] for row in self._instances]
        return count_labels(rows, len(self.class_names))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int, /) -> Sample:
        record = self._records[index]
        source = f"{self.path}, image {record.name!r:.200}"
        return Sample(record.image, self._instances[index], record.name, record.size, source)

    def _record(self, image: Element, home: Path | None, skip_broken: bool) -> Record | None:
        place = f"{self.path}, image {image.get('name', '')!r:.200}"
        try:
            size = _size(image, place)
            file = _find(image, self.path.parent, home, place)
        except DataError as error:
            if not skip_broken:
                raise
            self.report.add("image left out, its entry cannot be used", str(error))
            return None
        outlines = read_outlines(image, size, place, self.report)
        boxes = read_boxes(image, size, place, self.report)
        return Record(image.get("name", ""), file, size, outlines, boxes)

    def _names(self, root: Element) -> tuple[str, ...]:
        listed = [(e.text or "").strip() for e in root.iterfind("meta//labels/label/name")]
        used = {shape.label for record in self._records for shape in record.outlines}
        used |= {label for record in self._records for _, label, _ in record.boxes}
        names = tuple(name for name in dict.fromkeys([*listed, *sorted(used)]) if name)
        if not names:
            raise DataError(f"{self.path}: no labels, neither listed nor in use.")
        return names


def _instances(record: Record, labels: dict[str, int]) -> Iterator[Instance]:
    yield from to_instances(record.outlines, labels, record.name)
    for number, label, box in record.boxes:
        yield Instance(labels[label], box=box, annotation_id=f"{record.name}:{number}")


def recognise(opening: Opening) -> list[Path]:
    """A file of CVAT, or those in, or one or two steps below, a folder."""
    if opening.folder is None:
        return [opening.path] if _is_cvat(opening.path) else []
    for pattern in ("*.xml", "*/*.xml", "*/*/*.xml"):
        found = [file for file in sorted(opening.folder.glob(pattern))[:10] if _is_cvat(file)]
        if found:
            return found
    return []


def open_file(found: Sequence[Path], opening: Opening) -> CvatDataset:
    """The dataset of a file of CVAT: the one whose name says the split, or that holds it.

    Raises:
        DataError: there are several.
    """
    named = [f for f in found if opening.folder is not None and opening.is_of_split(f)]
    split = None if named else opening.split
    return CvatDataset(opening.only(named or found), opening.images, split, opening.skip_broken)


def _is_cvat(file: Path) -> bool:
    if file.suffix.lower() != ".xml":
        return False
    try:
        with file.open("rb") as stream:
            return ROOT.search(stream.read(2048)) is not None
    except OSError:
        return False


def _of_subset(root: Element, split: str | None, path: Path) -> list[Element]:
    """The images of a subset; of the only one where none is named."""
    images = root.findall("image")
    subsets = sorted({image.get("subset", "") for image in images} - {""})
    if not images:
        video = ", but tracks of a video: export it as CVAT for images" * bool(
            root.findall("track")
        )
        raise DataError(f"{path}: no images{video}.")
    if split is None and len(subsets) > 1:
        raise DataError(f"{path}: several parts ({', '.join(subsets)}). Name a split.")
    if split is None:
        return images
    names = [name.lower() for name in split_names(split)]
    found = [image for image in images if image.get("subset", "").lower() in names]
    if not found:
        raise DataError(f"{path}: no part {split!r}; there are {', '.join(subsets) or 'none'}.")
    return found


def _size(image: Element, place: str) -> Size:
    try:
        height, width = (int(image.get(key, "")) for key in ("height", "width"))
    except ValueError:
        height = width = 0
    if not image.get("name") or not 1 <= height < MAX_SIDE or not 1 <= width < MAX_SIDE:
        raise DataError(f"{place}: expected an image with name, width and height.")
    refuse_gigantic(place, (height, width))
    return height, width


def _find(image: Element, folder: Path, home: Path | None, place: str) -> Path:
    """The photograph, in ``images`` (and there in its subset) or beside the file."""
    name, subset = image.get("name", ""), image.get("subset", "")
    homes = [folder / "images", folder] if home is None else [home]
    tried = [
        inside(base, part, place) for base in homes for part in (f"{subset or '.'}/{name}", name)
    ]
    tried += [inside(base, last_part(name), place) for base in homes]
    return next((path for path in tried if path.is_file()), tried[1])
