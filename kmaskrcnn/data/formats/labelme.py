"""LabelMe: one JSON (or XML of its web tool) an image, with polygons, rectangles, circles and
painted masks.

Format: https://github.com/wkentaro/labelme (files of versions 3 to 5, and of tools that write them)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import IMAGE_SUFFIXES, below, last_part, natural
from kmaskrcnn.data.formats.json_files import JsonFile, read_json
from kmaskrcnn.data.formats.labelme_shapes import (
    IGNORED,
    Shape,
    decode_base64,
    read_shapes,
    to_instances,
)
from kmaskrcnn.data.formats.labelme_web import read_web
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.outlines import Size, usable_size
from kmaskrcnn.data.images import decode_image
from kmaskrcnn.data.report import Report

MAX_BYTES = 2**29
"""A JSON may have so many, its embedded photograph included."""
NEAR = (".", "images", "../images", "../Images", "../JPEGImages", "..")
"""Where photographs are looked for, from the JSON's folder."""
PARALLEL = ("Images", "images")
"""Folders beside that of the annotations, with the same folders in them."""


class Record(NamedTuple):
    """An image: its JSON, its file (None: embedded in the JSON), its size, and what is on it."""

    file: Path
    image: Path | None
    size: Size | None
    instances: list[Instance]


class LabelMeDataset:
    """LabelMe files and their photographs, which lie beside them, in ``images`` or inside them.

    Shapes of one label and one ``group_id`` are one object. Lines, points and shapes labelled
    ``__ignore__`` are left out. An embedded photograph is decoded when it is asked for.

    Attributes:
        class_names: those of ``labels.txt`` where there is one, else the labels in use, sorted.
        report: what was mended or left out, with files and numbers of shapes.
    """

    def __init__(
        self,
        files: Sequence[Path],
        images: str | Path | None = None,
        skip_broken: bool = False,
    ) -> None:
        """Reads ``files``; ``images`` is the photographs' folder, looked for around them when None.

        Args:
            files: the JSON or XML files.
            images: a folder.
            skip_broken: files that are not LabelMe's are left out and counted; a photograph that is
                not found is no error yet.

        Raises:
            DataError: a file that is no LabelMe JSON, photographs that are not found, no class.
        """
        self.report = Report()
        self.folder = files[0].parent if len(files) != 1 else files[0]
        if images is not None and not Path(images).is_dir():
            raise DataError(f"{images}: the images' folder does not exist.")
        found = []
        for file in files:
            try:
                content = read_labelme(file)
            except DataError as error:
                if not skip_broken:
                    raise
                self.report.add("annotation file left out", str(error))
                continue
            found.append((file, content, read_shapes(*_shapes(content, file), self.report)))
        self.class_names = self._names([shapes for _, _, shapes in found])
        labels = {name: label for label, name in enumerate(self.class_names)}
        self._records = [
            self._record(file, content, shapes, labels, images) for file, content, shapes in found
        ]
        missing = [r for r in self._records if r.image is not None and not r.image.is_file()]
        if missing and not skip_broken:
            raise DataError(_missing(missing, len(self._records)))

    @property
    def description(self) -> str:
        """One line about what was found."""
        embedded = sum(record.image is None for record in self._records)
        return (
            f"LabelMe, {self.folder}: {len(self)} images, {sum(self.class_counts())} objects of "
            f"{len(self.class_names)} classes" + (f", {embedded} embedded" if embedded else "")
        )

    def class_counts(self) -> list[int]:
        """Objects of each class."""
        labels = [i.label for record in self._records for i in record.instances]
        return np.bincount(np.array(labels, int), minlength=len(self.class_names)).tolist()

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int, /) -> Sample:
        file, image, size, instances = self._records[index]
        picture = _embedded(file, size) if image is None else image
        return Sample(picture, instances, image_id=file.stem, size=size, source=str(file))

    def _names(self, shapes: Sequence[Sequence[Shape]]) -> tuple[str, ...]:
        used = {shape.label for row in shapes for shape in row}
        folder = self.folder if self.folder.is_dir() else self.folder.parent
        lists = [p for p in (folder / "labels.txt", folder.parent / "labels.txt") if p.is_file()]
        names = tuple(sorted(used))
        if lists:
            lines = lists[0].read_text(encoding="utf-8", errors="replace").splitlines()
            named = dict.fromkeys(line.strip() for line in lines)
            names = tuple(name for name in named if name and name not in IGNORED)
        if not names:
            raise DataError(
                f"{self.folder}: LabelMe files without a labelled outline. Expected shapes with a "
                "label: polygons, rectangles, circles or masks."
            )
        return names

    def _record(
        self,
        file: Path,
        content: dict[str, Any],
        shapes: Sequence[Shape],
        labels: dict[str, int],
        images: str | Path | None,
    ) -> Record:
        known = [shape for shape in shapes if shape.label in labels]
        for shape in shapes:
            if shape.label not in labels:
                place = f"{file}, shapes[{shape.number}]: {shape.label!r}"
                self.report.add("object left out, its label is not in labels.txt", place)
        image: Path | None = _find_image(file, str(content.get("imagePath") or ""), images)
        if image is None and not isinstance(content.get("imageData"), str):
            image = Path(images or file.parent) / last_part(
                str(content.get("imagePath") or file.stem)
            )
        return Record(file, image, _size(content), to_instances(known, labels, file.stem))


def recognise_jsons(opening: Opening) -> list[Path]:
    """The JSON files of a file or folder, if one of the first is LabelMe's."""
    return opening.jsons if opening.jsons_of(_is_labelme_file, num_tried=3) else []


def recognise_xmls(opening: Opening) -> list[Path]:
    """An XML file, or those of the split in, or one or two steps below, a folder."""
    if opening.folder is None:
        return [opening.path] if opening.path.suffix.lower() == ".xml" else []
    for pattern in ("*.xml", "*/*.xml", "*/*/*.xml"):
        files = [f for f in sorted(opening.path.glob(pattern)) if opening.is_of_split(f)]
        if files:
            return files
    return []


def open_files(found: Sequence[Path], opening: Opening) -> LabelMeDataset:
    """The dataset of LabelMe's files.

    Raises:
        DataError: they lie in several folders, which may be several parts.
    """
    homes = sorted({file.parent for file in found})
    if len(homes) > 1:
        names = ", ".join(str(home.relative_to(opening.path)) for home in homes[:10])
        raise DataError(
            f"{opening.path}: LabelMe files in several folders ({names}). Name one of them, or a "
            "split."
        )
    files = sorted(found, key=natural)
    return LabelMeDataset(files, opening.images, opening.skip_broken)


def _is_labelme_file(file: JsonFile) -> bool:
    return is_labelme(file.top)


def is_labelme(content: Any) -> bool:
    """Whether the content of a JSON is LabelMe's."""
    return isinstance(content, dict) and "shapes" in content and "imagePath" in content


def read_labelme(file: Path) -> dict[str, Any]:
    """The content of a LabelMe file.

    Raises:
        DataError: missing, too large, cut off, no JSON, or JSON of another kind.
    """
    if file.suffix.lower() == ".xml":
        return read_web(file)
    content = read_json(file, MAX_BYTES)
    if not is_labelme(content) or not isinstance(content["shapes"], list):
        found = list(content)[:8] if isinstance(content, dict) else type(content).__name__
        raise DataError(
            f"{file}: not a LabelMe file: expected an object with a list under 'shapes' and with "
            f"'imagePath', found {found}."
        )
    return content


def _shapes(content: dict[str, Any], file: Path) -> tuple[list[Any], Size | None, str]:
    return content["shapes"], _size(content), str(file)


def _size(content: dict[str, Any]) -> Size | None:
    """(height, width) as the file says; None where it does not, and the photograph does."""
    return usable_size(content.get("imageHeight"), content.get("imageWidth"))


def _find_image(file: Path, name: str, images: str | Path | None) -> Path | None:
    """The photograph by its path from the JSON, else by its name, else by the JSON's name.

    A path counts as far as the folder above the JSON's; what leads further, or begins at the root
    of another machine, is dropped, and only the name is looked for around the JSON.
    """
    folders = [Path(images)] if images is not None else [file.parent / near for near in NEAR]
    if images is None:  # Annotations/x/1.xml and Images/x/1.jpg
        folders += [file.parent.parent.parent / name / file.parent.name for name in PARALLEL]
    names = [last_part(name), *(file.stem + suffix for suffix in sorted(IMAGE_SUFFIXES))]
    home = Path(images or file.parent).absolute()
    root = home.parent if images is None else home
    near = below(root, os.path.join(home.relative_to(root), name.replace("\\", "/")))
    candidates = [near, *(below(folder, name) for name in names for folder in folders)]
    return next((file for file in candidates if file is not None and file.is_file()), None)


def _missing(records: Sequence[Record], total: int) -> str:
    shown = ", ".join(f"{r.image.name} of {r.file.name}" for r in records[:5] if r.image)
    where = ", ".join(str(records[0].file.parent / near) for near in NEAR)
    return (
        f"{records[0].file}: {len(records)} of {total} images are missing: {shown}"
        f"{' …' if len(records) > 5 else ''}; looked for in {where}. Name their folder (images=…), "
        "or leave such images out (skip_broken=True)."
    )


def _embedded(file: Path, size: Size | None) -> np.ndarray:
    """The photograph in the JSON's ``imageData``."""
    text = read_labelme(file).get("imageData")
    try:
        data = decode_base64(text or "")
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: imageData is no base64 ({error}).") from error
    return decode_image(data, file, size)
