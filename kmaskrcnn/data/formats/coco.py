"""COCO instances JSON: polygons, run-length codes (compressed or not), crowds, keypoints.

Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_annotations import parse_annotation
from kmaskrcnn.data.formats.coco_keypoints import read_keypoint_names
from kmaskrcnn.data.formats.coco_tables import Ids, read_categories, read_images, read_size
from kmaskrcnn.data.formats.files import below, inside, last_part, read_json
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.report import Report

KEYS = ("images", "annotations", "categories")
MISSING = "a file outside of the folder"
UNKNOWN = {
    "image_id": "annotation of an image that the file does not list left out",
    "category_id": "object left out, its category is not among the file's",
}


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
        photographs: bool = True,
    ) -> None:
        """Reads ``path``; ``images`` is the images' folder, looked for around the file when None.

        Args:
            path: the JSON.
            images: a folder.
            skip_broken: an image that is not found is no error yet; objects whose run-length code
                or keypoints cannot be read are left out.
            content: of the file, where it has been read already.
            photographs: False: they are not looked for. (To measure results, the file is enough.)

        Raises:
            DataError: not a COCO instances file, a category id of two names, missing images, a
                run-length code that is broken or of another size than its image.
        """
        self.path = Path(path)
        self.report = Report()
        content = check_content(read_json(self.path) if content is None else content, self.path)
        self._records = read_images(content["images"], self.path, self.report)
        annotations = self._objects_of(content["annotations"])
        categories = read_categories(content["categories"], annotations, self.path, self.report)
        self.category_ids, self.class_names = categories.ids, categories.names
        self.keypoint_names, self.keypoint_skeleton = read_keypoint_names(
            [c for c in content["categories"] if c["id"] in categories.labels],
            str(self.path),
            self.report,
        )
        self._instances = self._read_annotations(annotations, categories.labels, skip_broken)
        self.images = self.path.parent
        self._files = [self.images / record["file_name"] for record in self._records]
        if photographs:
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
            size=read_size(record),
            source=f"{self.path}, image {record['id']}",
        )

    def _objects_of(self, annotations: Iterable[Any]) -> list[dict[str, Any]]:
        """The annotations that are objects {…}."""
        kept = []
        for number, annotation in enumerate(annotations):
            if isinstance(annotation, dict):
                kept.append(annotation)
            else:
                place = f"{self.path}, annotations[{number}]: {annotation!r:.80}"
                self.report.add("annotation left out, it is no object {…}", place)
        return kept

    def _read_annotations(
        self, annotations: Iterable[Any], labels: dict[Any, int], skip_broken: bool
    ) -> dict[Any, list[Instance]]:
        sizes = {record["id"]: read_size(record) for record in self._records}
        images, categories = Ids(sizes), Ids(labels)
        instances: dict[Any, list[Instance]] = defaultdict(list)
        seen: dict[Any, Any] = {}
        for number, annotation in enumerate(annotations):
            name = str(annotation.get("id", f"[{number}] (without an id)"))
            place = f"{self.path}, annotation {name}"
            if self._is_copy(annotation, seen.setdefault(name, annotation), place):
                continue
            image_id = self._found(images, annotation, "image_id", place)
            category = self._found(categories, annotation, "category_id", place)
            if image_id is None or category is None:
                continue
            try:
                instance = parse_annotation(
                    annotation,
                    labels[category],
                    sizes[image_id],
                    place,
                    self.report,
                    len(self.keypoint_names),
                )
            except DataError as error:
                if not skip_broken:
                    raise
                self.report.add("object left out, it cannot be read", str(error))
                continue
            if instance is not None:
                instances[image_id].append(instance)
        self._note_boxes(instances)
        return dict(instances)

    def _note_boxes(self, instances: dict[Any, list[Instance]]) -> None:
        """Counts objects without a mask; one line where the whole file has none."""
        kind = "object without a mask, only its box is trained on"
        everyone = [i for row in instances.values() for i in row]
        without = [i for i in everyone if i.mask is None]
        if without and len(without) == len(everyone):
            self.report.add(kind, f"{self.path}: all {len(without)}")
            return
        for instance in without:
            self.report.add(kind, f"{self.path}, annotation {instance.annotation_id}")

    def _is_copy(self, annotation: Any, first: Any, place: str) -> bool:
        """Whether an annotation repeats ``first``, which was read before; counts shared ids."""
        if annotation is first:
            return False
        if annotation == first:
            self.report.add("annotation that is listed twice taken once", place)
            return True
        self.report.add("annotation id that occurs more than once (all are kept)", place)
        return False

    def _found(self, ids: Ids, annotation: dict[str, Any], key: str, place: str) -> Any:
        """The image or the category that an annotation refers to; None is counted."""
        given = annotation.get(key)
        found, converted = ids.find(given)
        if found is None:
            self.report.add(UNKNOWN[key], f"{place}, {key} {given!r:.40}")
        elif converted:
            self.report.add(f"{key} of another type than the list's taken as the same", place)
        return found


def recognise(opening: Opening) -> list[Path]:
    """The COCO instances files of a file or folder."""
    return opening.jsons_of(lambda content: foreign(content) is None)


def open_file(found: Sequence[Path], opening: Opening) -> CocoDataset:
    """The dataset of a COCO file.

    Raises:
        DataError: there are several.
    """
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(opening.path)) for file in found)
        raise DataError(
            f"{opening.path}: several annotation files ({names}). Name one of them, or a split."
        )
    content = opening.take_content(found[0])
    return CocoDataset(found[0], opening.images, opening.skip_broken, content)


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
    if any(isinstance(a, dict) and "segments_info" in a for a in content["annotations"][:1]):
        return "it is a panoptic file (segments_info); use the instances file"
    return None


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
    inside(path.parent, records[0]["file_name"], f"{path}, image {records[0]['id']}")
    tried = ", ".join(str(folder) for folder in folders)
    raise DataError(
        f"{path}: the images are not found; {records[0]['file_name']!r} was looked for in {tried}. "
        "Name their folder: images=…, on the command line --images."
    )


def _locate(folder: Path, file_name: str) -> Path | None:
    """The image's path under ``folder``: as the file says, or by its last part alone."""
    candidates = (below(folder, file_name), below(folder, last_part(file_name)))
    return next((file for file in candidates if file is not None and file.is_file()), None)


def _image_files(
    folder: Path, records: list[dict[str, Any]], path: Path, skip_broken: bool
) -> list[Path]:
    with os.scandir(folder) as entries:
        there = {entry.name for entry in entries}
    files, missing = [], []
    for record in records:
        name = record["file_name"]
        file = folder / name if name in there else _locate(folder, name)
        if file is None and not skip_broken:
            file = inside(folder, name, f"{path}, image {record['id']}")
            missing.append(name)
        files.append(file or below(folder, name) or folder / MISSING)
    if missing:
        raise DataError(
            f"{path}: {len(missing)} of {len(records)} images are missing in {folder}: "
            f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}. Add them, name another "
            "folder (images=…), or leave such images out (skip_broken=True)."
        )
    return files
