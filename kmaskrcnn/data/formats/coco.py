"""COCO instances JSON: polygons, run-length codes (compressed or not), crowds, keypoints.

Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_annotations import parse_annotation
from kmaskrcnn.data.formats.coco_keypoints import read_keypoint_names
from kmaskrcnn.data.formats.files import read_json
from kmaskrcnn.data.report import Report

KEYS = ("images", "annotations", "categories")


class CocoDataset:
    """A COCO file and its images. Annotations are checked when it is opened, images read when they
    are asked for.

    Attributes:
        class_names: in the file's order; a parent category that no annotation uses is left out.
        category_ids: the file's id of each class.
        keypoint_names, keypoint_skeleton: as the categories name them; empty where none does.
        report: what was mended or left out, with annotation ids.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        skip_broken: bool = False,
        content: Any = None,
    ) -> None:
        """Reads ``path``; ``images`` is the images' folder, looked for around the file when None.

        Args:
            path: the JSON.
            images: a folder.
            skip_broken: an image that is not found is no error yet.
            content: of the file, where it has been read already.

        Raises:
            DataError: not a COCO instances file, a category or image twice, an unknown category,
                missing images.
        """
        self.path = Path(path)
        self.report = Report()
        content = check_content(read_json(self.path) if content is None else content, self.path)
        self._records = _image_records(content["images"], self.path)
        _check_annotations(content["annotations"], self.path)
        self.category_ids, self.class_names = self._categories(content)
        self.keypoint_names, self.keypoint_skeleton = read_keypoint_names(
            [c for c in content["categories"] if c["id"] in self.category_ids],
            str(self.path),
            self.report,
        )
        self._instances = self._read_annotations(content["annotations"])
        self.images = _find_images(self.path, self._records, images, skip_broken)
        self._files = _image_files(self.images, self._records, self.path, skip_broken)

    @property
    def description(self) -> str:
        """One line about what was found."""
        counts = self.class_counts()
        objects = sum(counts)
        return (
            f"COCO instances, {self.path}: {len(self)} images in {self.images}, {objects} "
            f"objects of {len(self.class_names)} classes"
            + (f", {len(self.keypoint_names)} keypoints" if self.keypoint_names else "")
        )

    def class_counts(self) -> list[int]:
        """Objects of each class."""
        counts = [0] * len(self.class_names)
        for instances in self._instances.values():
            for instance in instances:
                counts[instance.label] += 1
        return counts

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int, /) -> Sample:
        record = self._records[index]
        return Sample(
            self._files[index],
            self._instances.get(record["id"], ()),
            image_id=record["id"],
            size=_record_size(record),
        )

    def _categories(self, content: dict[str, Any]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        used = {annotation.get("category_id") for annotation in content["annotations"]}
        categories = content["categories"]
        try:
            parents = {
                c.get("supercategory") for c in categories if c.get("supercategory") != c["name"]
            }
            ids = [c["id"] for c in categories]
            names = [str(c["name"]) for c in categories]
        except (KeyError, AttributeError, TypeError) as error:
            raise DataError(f"{self.path}: a category without id or name ({error!r}).") from error
        _unique(ids, f"{self.path}: category id")
        _unique(names, f"{self.path}: category name")
        kept = [(i, n) for i, n in zip(ids, names, strict=True) if i in used or n not in parents]
        for name in sorted(set(names) - {n for _, n in kept}):
            self.report.add(
                "parent category without an annotation left out", f"{name!r} in {self.path}"
            )
        if not kept:
            raise DataError(
                f"{self.path}: no categories. Expected a list of {{'id': …, 'name': …}} under "
                "'categories'."
            )
        return tuple(i for i, _ in kept), tuple(n for _, n in kept)

    def _read_annotations(self, annotations: Iterable[Any]) -> dict[Any, list[Instance]]:
        labels = {category: label for label, category in enumerate(self.category_ids)}
        sizes = {record["id"]: _record_size(record) for record in self._records}
        instances: dict[Any, list[Instance]] = defaultdict(list)
        seen = set()
        for number, annotation in enumerate(annotations):
            name = annotation.get("id", f"[{number}] (without an id)")
            place = f"{self.path}, annotation {name}"
            if name in seen:
                self.report.add("annotation id that occurs more than once (all are kept)", place)
            seen.add(name)
            image_id = annotation.get("image_id")
            if image_id not in sizes:
                self.report.add(
                    "annotation of an image that the file does not list left out",
                    f"{place}, image {image_id}",
                )
                continue
            instance = parse_annotation(
                annotation, labels, sizes[image_id], place, self.report, len(self.keypoint_names)
            )
            if instance is not None:
                instances[image_id].append(instance)
        return dict(instances)


def check_content(content: Any, path: Path) -> dict[str, Any]:
    """The content of a JSON, which must be COCO instances.

    Raises:
        DataError: JSON of another kind.
    """
    problem = foreign(content)
    if problem:
        raise DataError(f"{path}: not a COCO instances file: {problem}.")
    return content


def foreign(content: Any) -> str | None:
    """Why ``content`` is no COCO instances file; None when it is one."""
    if isinstance(content, list):
        return (
            "the top is a list, as in COCO results; expected an object with the keys "
            + ", ".join(KEYS)
        )
    if not isinstance(content, dict):
        return (
            f"the top is {type(content).__name__}, expected an object with the keys "
            + ", ".join(KEYS)
        )
    if "shapes" in content and "imagePath" in content:
        return "it looks like LabelMe (shapes, imagePath)"
    missing = [key for key in KEYS if not isinstance(content.get(key), list)]
    if missing:
        found = ", ".join(map(str, list(content)[:8])) or "none"
        return f"no list under {', '.join(missing)} (of {', '.join(KEYS)}); found the keys {found}"
    if any("segments_info" in a for a in content["annotations"][:1]):
        return "it is a panoptic file (segments_info); use the instances file"
    return None


def _image_records(records: list[Any], path: Path) -> list[dict[str, Any]]:
    for number, record in enumerate(records):
        if (
            not isinstance(record, dict)
            or "id" not in record
            or not isinstance(record.get("file_name"), str)
        ):
            raise DataError(
                f"{path}: images[{number}] is {record!r:.120}; expected an object with id and "
                "file_name."
            )
    if not records:
        raise DataError(
            f"{path}: no images. Expected a list of {{'id', 'file_name', 'width', 'height'}} "
            "under 'images'."
        )
    _unique([record["id"] for record in records], f"{path}: image id")
    return records


def _check_annotations(annotations: list[Any], path: Path) -> None:
    for number, annotation in enumerate(annotations):
        if not isinstance(annotation, dict):
            raise DataError(
                f"{path}: annotations[{number}] is {annotation!r:.80}, expected an object {{…}}."
            )


def _record_size(record: dict[str, Any]) -> tuple[int, int] | None:
    """(height, width) of an image record; None where it says nothing usable."""
    height, width = record.get("height"), record.get("width")
    if not isinstance(height, int | float) or not isinstance(width, int | float):
        return None
    return (int(height), int(width)) if height >= 1 and width >= 1 else None


def _unique(values: list[Any], what: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(
                f"{what} {value!r} occurs twice. Give each its own; the annotations refer to it."
            )
        seen.add(value)


def _find_images(
    path: Path, records: list[dict[str, Any]], images: str | Path | None, skip_broken: bool
) -> Path:
    """The folder that holds one of the first images; of all where some may be missing."""
    if images is not None:
        if not Path(images).is_dir():
            raise DataError(f"{images}: the images' folder does not exist.")
        return Path(images)
    split = path.stem.removeprefix("instances_").removeprefix("person_keypoints_")
    up = path.parent.parent
    folders = [path.parent, path.parent / "images", path.parent / split, up / split]
    folders += [up / "images" / split, up / "images", up / "JPEGImages", up]
    for record in records if skip_broken else records[:3]:
        for folder in folders:
            if _locate(folder, record["file_name"]) is not None:
                return folder
    tried = ", ".join(str(folder) for folder in folders)
    raise DataError(
        f"{path}: the images are not found; {records[0]['file_name']!r} was looked for in {tried}. "
        "Name their folder: images=…, on the command line --images."
    )


def _locate(folder: Path, file_name: str) -> Path | None:
    """The image's path under ``folder``: as the file says, or by its last part alone."""
    name = file_name.replace("\\", "/")
    for candidate in (folder / name, folder / name.rsplit("/", 1)[-1]):
        if candidate.is_file():
            return candidate
    return None


def _image_files(
    folder: Path, records: list[dict[str, Any]], path: Path, skip_broken: bool
) -> list[Path]:
    with os.scandir(folder) as entries:
        there = {entry.name for entry in entries}
    files, missing = [], []
    for record in records:
        name = record["file_name"]
        file = folder / name if name in there else _locate(folder, name)
        if file is None:
            missing.append(name)
        files.append(file or folder / name)
    if missing and not skip_broken:
        raise DataError(
            f"{path}: {len(missing)} of {len(records)} images are missing in {folder}: "
            f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}. Add them, name another "
            "folder (images=…), or leave such images out (skip_broken=True)."
        )
    return files
