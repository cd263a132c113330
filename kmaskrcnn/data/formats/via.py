"""VIA, the VGG Image Annotator, versions 1 and 2: one JSON of all images' regions.

Format: https://www.robots.ox.ac.uk/~vgg/software/via/ (the export ``via_region_data.json``, whose
regions are an object in version 1 and a list in version 2, and the saved project)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import below, count_labels, last_part, refuse_missing
from kmaskrcnn.data.formats.json_files import JsonFile, read_json
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.via_regions import choose_attribute, class_of, outline
from kmaskrcnn.data.report import Report

PROJECT = "_via_img_metadata"
Region = tuple[str, Mapping[str, Any]]


class Entry(NamedTuple):
    """An image of the file: its key, its file name, and its regions, each with its number."""

    key: str
    file_name: str
    regions: list[Region]


class ViaDataset:
    """A file of VIA and its images. Points and lines are left out; rectangles, circles and ellipses
    become polygons.

    Attributes:
        class_names: the options that a project lists, then other values in use, sorted.
        class_attribute: the attribute of the regions that is their class; None: they have none.
        report: what was mended or left out, with the image and the number of the region.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        class_name: str = "object",
        skip_broken: bool = False,
        class_attribute: str | None = None,
    ) -> None:
        """Reads ``path``; ``images`` is the images' folder, looked for around the file when None.

        Args:
            path: the JSON.
            images: a folder.
            class_name: of all objects, where the regions have no attributes.
            skip_broken: an entry that is no image, or whose image is not found, is no error yet.
            class_attribute: the attribute that is the class; None: the one that most regions have;
                of several one called class, label, category, type, name or object.

        Raises:
            DataError: not a file of VIA, an entry that is no image, images that are missing.
        """
        self.path = Path(path)
        self.report = Report()
        content = read_json(self.path)
        entries = self._read_entries(content, skip_broken)
        regions = [region for entry in entries for _, region in entry.regions]
        self.class_attribute = class_attribute or choose_attribute(regions)
        self.class_names = self._names(content, regions, class_name)
        labels = {name: label for label, name in enumerate(self.class_names)}
        self._entries = entries
        self._instances = [self._read_regions(entry, labels) for entry in entries]
        folders = _folders(self.path, content) if images is None else [Path(images)]
        self._files = [_find(entry.file_name, folders) for entry in entries]
        refuse_missing(self._files, str(self.path), skip_broken)

    @property
    def description(self) -> str:
        """One line about what was found."""
        classes = (
            f"class {self.class_names[0]!r}"
            if self.class_attribute is None
            else f"{len(self.class_names)} classes of the attribute {self.class_attribute!r}"
        )
        objects = sum(map(len, self._instances))
        return f"VIA, {self.path}: {len(self)} images, {objects} objects, {classes}"

    def class_counts(self) -> list[int]:
        """Objects of each class."""
        labels = [[instance.label for instance in row] for row in self._instances]
        return count_labels(labels, len(self.class_names))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int, /) -> Sample:
        entry = self._entries[index]
        source = f"{self.path}, {entry.key!r:.200}"
        return Sample(self._files[index], self._instances[index], image_id=entry.key, source=source)

    def _read_entries(self, content: Any, skip_broken: bool) -> list[Entry]:
        table = content.get(PROJECT, content) if isinstance(content, dict) else None
        if not isinstance(table, dict):
            raise DataError(
                f"{self.path}: not a file of VIA 1 or 2: expected an object of images, each with "
                f"filename and regions, found {type(table).__name__}."
            )
        entries = []
        for key, value in table.items():
            try:
                entries.append(self._read_entry(key, value))
            except DataError as error:
                if not skip_broken:
                    raise
                self.report.add("entry left out, it is no image", str(error))
        if not entries:
            raise DataError(f"{self.path}: no images.")
        return entries

    def _read_entry(self, key: str, value: Any) -> Entry:
        name = value.get("filename") if isinstance(value, dict) else None
        regions = value.get("regions") if isinstance(value, dict) else None
        regions = dict(enumerate(regions)) if isinstance(regions, list) else regions
        if not isinstance(name, str) or not isinstance(regions, dict):
            raise DataError(
                f"{self.path}, {key!r:.200}: expected an image with filename and regions, got "
                f"{value!r:.80}."
            )
        sound: list[Region] = []
        for number, region in regions.items():
            if isinstance(region, dict):
                sound.append((str(number), region))
            else:
                place = f"{self.path}, {key!r:.200}, region {number}"
                self.report.add("region left out, it is no object {…}", place)
        return Entry(key, name, sound)

    def _names(
        self, content: dict[str, Any], regions: Sequence[Mapping[str, Any]], class_name: str
    ) -> tuple[str, ...]:
        if self.class_attribute is None:
            return (class_name,)
        used = {name for region in regions for name in class_of(region, self.class_attribute)[:1]}
        listed = _options(content, self.class_attribute)
        if not used:
            raise DataError(f"{self.path}: no region has a value of {self.class_attribute!r}.")
        return (*listed, *sorted(used.difference(listed)))

    def _read_regions(self, entry: Entry, labels: Mapping[str, int]) -> list[Instance]:
        instances = []
        for number, region in entry.regions:
            place = f"{self.path}, {entry.file_name!r:.200}, region {number}"
            label = self._label(region, labels, place)
            if label is None:
                continue
            polygon = outline(region.get("shape_attributes"), place, self.report)
            if polygon is not None:
                name = f"{entry.key}:{number}"
                instances.append(Instance(label, [polygon], annotation_id=name))
        return instances

    def _label(
        self, region: Mapping[str, Any], labels: Mapping[str, int], place: str
    ) -> int | None:
        if self.class_attribute is None:
            return 0
        names = class_of(region, self.class_attribute)
        if not names:
            self.report.add(f"region left out, it has no {self.class_attribute!r:.40}", place)
            return None
        if len(names) > 1:
            self.report.add("region of several classes, the first is taken", place)
        return labels[names[0]]


def is_via(file: JsonFile) -> bool:
    """Whether a JSON is VIA's: a project, or an object whose first value is an image's."""
    if not isinstance(file.top, dict):
        return False
    first = next(iter(file.top.values()), None)
    is_image = isinstance(first, dict) and "filename" in first and "regions" in first
    return PROJECT in file.top or is_image


def recognise(opening: Opening) -> list[Path]:
    """The files of VIA in or just below a folder."""
    return opening.jsons_of(is_via)


def open_file(found: Sequence[Path], opening: Opening) -> ViaDataset:
    """The dataset of a file of VIA.

    Raises:
        DataError: there are several.
    """
    path = opening.only(found)
    return ViaDataset(path, opening.images, opening.class_name, opening.skip_broken)


def _options(content: Mapping[str, Any], attribute: str) -> list[str]:
    """What a project offers under an attribute of regions."""
    found: Any = content
    for key in ("_via_attributes", "region", attribute, "options"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return [str(name) for name in found] if isinstance(found, Mapping) else []


def _folders(path: Path, content: Mapping[str, Any]) -> list[Path]:
    """Where images are looked for: beside the file, and where its project says, inside of that."""
    found: Any = content
    for key in ("_via_settings", "core", "default_filepath"):
        found = found.get(key) if isinstance(found, Mapping) else None
    said = below(path.parent, found) if isinstance(found, str) else None
    near = [path.parent, path.parent / "images", path.parent.parent / "images"]
    return [*near, said] if said is not None else near


def _find(name: str, folders: Sequence[Path]) -> Path:
    """The image's path by its name, or by the name's last part; in the first folder if nowhere."""
    tried = [below(folder, part) for folder in folders for part in (name, last_part(name))]
    files = [path for path in tried if path is not None]
    there = (path for path in files if path.is_file())
    return next(there, files[0] if files else folders[0] / "unnamed")
