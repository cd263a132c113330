"""COCO instances JSON: polygons, run-length codes (compressed or not), crowds, keypoints.

Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.formats.coco_images import ImageFiles
from kmaskrcnn.data.formats.coco_index import Annotations
from kmaskrcnn.data.formats.coco_keypoints import read_keypoint_names
from kmaskrcnn.data.formats.coco_kinds import check_file, foreign
from kmaskrcnn.data.formats.coco_scan import scan
from kmaskrcnn.data.formats.coco_tables import read_categories, read_images
from kmaskrcnn.data.formats.json_files import JsonFile, parse
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.report import Report


class CocoDataset:
    """A COCO file and its images. Annotations are checked when it is opened; an image's are parsed,
    and the image is read, when they are asked for. The file's text stays in memory.

    Attributes:
        class_names: in the file's order; a parent category that no annotation uses is left out.
        category_ids: the file's id of each class.
        keypoint_names, keypoint_skeleton: as the categories name them; empty where none does.
        report: what was mended or left out, with annotation ids.
    """

    kind = "COCO instances"

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        skip_broken: bool = False,
        file: JsonFile | None = None,
        photographs: bool = True,
    ) -> None:
        """Reads ``path``; ``images`` is the images' folder, looked for around the file when None.

        Args:
            path: the JSON.
            images: a folder.
            skip_broken: an image that is not found is no error yet; objects whose run-length code
                or keypoints cannot be read are left out.
            file: the JSON, where it has been read already.
            photographs: False: they are not looked for. (To measure results, the file is enough.)

        Raises:
            DataError: not a COCO instances file, a category id of two names, missing images, a
                run-length code that is broken or of another size than its image.
        """
        self.path = Path(path)
        self.report = Report()
        file = check_file(JsonFile(self.path) if file is None else file)
        with file.clear_errors():
            self._records = read_images(file.top["images"], self.path, self.report)
            listed = [parse(category) for category in file.top["categories"]]
        found = scan(file.top["annotations"], self._records)
        categories = read_categories(listed, found.category_ids, self.path, self.report)
        self.category_ids, self.class_names = categories.ids, categories.names
        self._labels = categories.labels
        self.keypoint_names, self.keypoint_skeleton = read_keypoint_names(
            [c for c in listed if c["id"] in categories.labels], str(self.path), self.report
        )
        self._annotations = Annotations(
            file.top["annotations"],
            self._records,
            categories.labels,
            len(self.keypoint_names),
            self.path,
            self.report,
        )
        self._annotations.choose(found, skip_broken)
        self._files = ImageFiles(self.path, self._records)
        if photographs:
            self._files.find(images, skip_broken)
        self.images = self._files.folder

    @property
    def description(self) -> str:
        """One line about what was found."""
        counts = self.class_counts()
        objects = sum(counts)
        return (
            f"{self.kind}, {self.path}: {len(self)} images in {self.images}, {objects} "
            f"objects of {len(self.class_names)} classes"
            + (f", {len(self.keypoint_names)} keypoints" if self.keypoint_names else "")
        )

    def class_counts(self) -> list[int]:
        """Objects of each class."""
        labels = self._annotations.labels
        return np.bincount(labels, minlength=len(self.class_names)).tolist()

    @property
    def image_ids(self) -> list[Any]:
        """The file's id of each image."""
        return [record.id for record in self._records]

    def image_labels(self, index: int) -> list[int]:
        """The labels of an image's objects."""
        return self._annotations.labels[self._annotations.of_image(index)].tolist()

    def image_size(self, index: int) -> tuple[int, int] | None:
        """The (height, width) of an image, where the file says it."""
        return self._records[index].size

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int, /) -> Sample:
        index = range(len(self))[index]
        record = self._records[index]
        return Sample(
            self._files[index],
            self._annotations[index],
            image_id=record.id,
            size=record.size,
            source=f"{self.path}, image {record.id}",
        )


def recognise(opening: Opening) -> list[Path]:
    """The COCO instances files of a file or folder."""
    return opening.jsons_of(lambda file: foreign(file) is None)


def open_file(found: Sequence[Path], opening: Opening) -> CocoDataset:
    """The dataset of a COCO file.

    Raises:
        DataError: there are several.
    """
    file = opening.take_json(opening.only(found))
    return CocoDataset(found[0], opening.images, opening.skip_broken, file)
