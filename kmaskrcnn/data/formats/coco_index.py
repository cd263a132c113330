"""Which annotations of a COCO file are whose: checked once, and parsed when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_annotations import parse_annotation
from kmaskrcnn.data.formats.coco_scan import Scan, name_of
from kmaskrcnn.data.formats.coco_tables import Ids, ImageRecord
from kmaskrcnn.data.formats.json_files import parse
from kmaskrcnn.data.report import Report

UNKNOWN = {
    "image_id": "annotation of an image that the file does not list left out",
    "category_id": "object left out, its category is not among the file's",
}


class Annotations:
    """A file's annotations by image.

    Attributes:
        labels: (K) of the objects that are left, image by image.
    """

    def __init__(
        self,
        listed: Sequence[msgspec.Raw],
        images: Sequence[ImageRecord],
        labels: Mapping[Any, int],
        num_keypoints: int,
        path: Path,
        report: Report,
    ) -> None:
        """Describes the file; ``choose`` looks at it.

        Args:
            listed: the annotations as the file holds them.
            images: the file's.
            labels: of each category id.
            num_keypoints: that the categories name.
            path: the file, for messages.
            report: takes the repairs and omissions.
        """
        self._listed = listed
        self._sizes = [image.size for image in images]
        self._image_ids, self._category_ids = Ids(image.id for image in images), Ids(labels)
        self._images = {image.id: index for index, image in enumerate(images)}
        self._labels = labels
        self._num_keypoints = num_keypoints
        self._path = path
        self._report = report

    def choose(self, found: Scan, skip_broken: bool) -> None:
        """Settles what is doubtful, and sorts what is left by image.

        Args:
            found: what a scan of the same annotations found.
            skip_broken: objects that cannot be read are left out and counted.

        Raises:
            DataError: see ``parse_annotation``.
        """
        labels = _labels_of(found, self._labels)
        certain = found.ordinary & (labels >= 0) & ~_repeated(found.names)
        certain &= np.isin(found.num_keypoints, (0, self._num_keypoints))
        images, has_mask = np.where(certain, found.images, -1), found.has_mask
        seen: dict[str, int] = {}
        for number in np.flatnonzero(~certain).tolist():
            settled = self._settle(number, seen, skip_broken)
            if settled is not None:
                images[number], instance = settled
                labels[number], has_mask[number] = instance.label, instance.mask is not None
        kept = np.flatnonzero(images >= 0)
        self._note_boxes(kept, has_mask)
        self._numbers = kept[np.argsort(images[kept], kind="stable")].astype(np.int32)
        self.labels = labels[self._numbers].astype(np.int32)
        self._ends = np.cumsum(np.bincount(images[kept], minlength=len(self._sizes)))

    def of_image(self, index: int) -> slice:
        """Where an image's objects are among those that are left."""
        return slice(int(self._ends[index - 1]) if index else 0, int(self._ends[index]))

    def images_of(self, label: int) -> set[int]:
        """The indices of the images that a class is on."""
        places = np.flatnonzero(self.labels == label)
        return set(np.searchsorted(self._ends, places, side="right").tolist())

    def __getitem__(self, index: int) -> list[Instance]:
        """The objects of an image, in the file's order."""
        place = self.of_image(index)
        pairs = zip(self._numbers[place].tolist(), self.labels[place].tolist(), strict=True)
        instances = (self._parse(self._content(n), n, label, index) for n, label in pairs)
        return [instance for instance in instances if instance is not None]

    def _content(self, number: int) -> Any:
        try:
            return parse(self._listed[number])
        except (ValueError, RecursionError) as error:
            place = f"{self._path}, annotations[{number}]"
            raise DataError(f"{place}: not JSON ({error}). Export the file again.") from error

    def _place(self, annotation: Mapping[str, Any], number: int) -> str:
        return f"{self._path}, annotation {name_of(annotation.get('id', msgspec.UNSET), number)}"

    def _parse(
        self, annotation: dict[str, Any], number: int, label: int, image: int
    ) -> Instance | None:
        return parse_annotation(
            annotation,
            label,
            self._sizes[image],
            self._place(annotation, number),
            self._report,
            self._num_keypoints,
        )

    def _settle(
        self, number: int, seen: dict[str, int], skip_broken: bool
    ) -> tuple[int, Instance] | None:
        """The image's index and the instance of a doubtful annotation; None: it is left out."""
        try:
            annotation = self._content(number)
            if not isinstance(annotation, dict):
                place = f"{self._path}, annotations[{number}]: {annotation!r:.80}"
                self._report.add("annotation left out, it is no object {…}", place)
                return None
            if self._is_copy(annotation, number, seen):
                return None
            image_id = self._found(self._image_ids, annotation, "image_id", number)
            category = self._found(self._category_ids, annotation, "category_id", number)
            if image_id is None or category is None:
                return None
            image = self._images[image_id]
            instance = self._parse(annotation, number, self._labels[category], image)
        except DataError as error:
            if not skip_broken:
                raise
            self._report.add("object left out, it cannot be read", str(error))
            return None
        return None if instance is None else (image, instance)

    def _is_copy(self, annotation: dict[str, Any], number: int, seen: dict[str, int]) -> bool:
        """Whether an annotation repeats one that was seen before; counts shared ids."""
        first = seen.setdefault(name_of(annotation.get("id", msgspec.UNSET), number), number)
        if first == number:
            return False
        place = self._place(annotation, number)
        if annotation == self._content(first):
            self._report.add("annotation that is listed twice taken once", place)
            return True
        self._report.add("annotation id that occurs more than once (all are kept)", place)
        return False

    def _found(self, ids: Ids, annotation: dict[str, Any], key: str, number: int) -> Any:
        """The image or the category that an annotation refers to; None is counted."""
        given = annotation.get(key)
        found, converted = ids.find(given)
        place = self._place(annotation, number)
        if found is None:
            self._report.add(UNKNOWN[key], f"{place}, {key} {given!r:.40}")
        elif converted:
            self._report.add(f"{key} of another type than the list's taken as the same", place)
        return found

    def _note_boxes(self, kept: np.ndarray, has_mask: np.ndarray) -> None:
        """Counts objects without a mask; one line where the whole file has none."""
        kind = "object without a mask, only its box is trained on"
        without = kept[~has_mask[kept]].tolist()
        if without and len(without) == len(kept):
            self._report.add(kind, f"{self._path}: all {len(without)}")
            return
        for number in without:
            self._report.add(kind, self._place(self._content(number), number))


def _labels_of(found: Scan, labels: Mapping[Any, int]) -> np.ndarray:
    """The label of each annotation (N); −1 where its category is doubtful."""
    return np.array([*(labels.get(i, -1) for i in found.category_ids), -1])[found.categories]


def _repeated(names: np.ndarray) -> np.ndarray:
    """Which names occur more than once (N)."""
    _, where, counts = np.unique(names, return_inverse=True, return_counts=True)
    return counts[where] > 1
