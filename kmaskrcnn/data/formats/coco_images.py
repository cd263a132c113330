"""Where the images of a COCO file lie: found around it, and none of them outside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_tables import ImageRecord
from kmaskrcnn.data.formats.files import below, inside, last_part

MISSING = "a file outside of the folder"


class ImageFiles:
    """The images' paths by index; those of a hundred thousand are their names in one folder.

    Attributes:
        folder: of the images; that of the JSON until they are found.
    """

    def __init__(self, path: Path, records: Sequence[ImageRecord]) -> None:
        """Describes the images whose records ``path``, a JSON, holds; looks for none yet."""
        self.folder = path.parent
        self._path = path
        self._records = records
        self._elsewhere: dict[int, Path] = {}

    def __getitem__(self, index: int) -> Path:
        return self._elsewhere.get(index) or self.folder / self._records[index].file_name

    def find(self, images: str | Path | None, skip_broken: bool) -> None:
        """Looks for the images.

        Args:
            images: their folder; None: it is looked for around the JSON.
            skip_broken: images that are not found are no error yet.

        Raises:
            DataError: no folder with one of the first images, an image that is not in it, or one
                whose name leads out of it.
        """
        self.folder = self._find_folder(images, skip_broken)
        listed: dict[str, set[str]] = {}
        missing = []
        for index, record in enumerate(self._records):
            name = record.file_name
            folder, _, last = name.rpartition("/")
            if folder not in listed:
                listed[folder] = _names_in(self.folder, folder)
            if last in listed[folder]:
                continue
            file = _locate(self.folder, name)
            if file is None and not skip_broken:
                inside(self.folder, name, f"{self._path}, image {record.id}")
                missing.append(name)
            self._elsewhere[index] = file or below(self.folder, name) or self.folder / MISSING
        if missing:
            raise DataError(
                f"{self._path}: {len(missing)} of {len(self._records)} images are missing in "
                f"{self.folder}: {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}. Add "
                "them, name another folder (images=…), or leave such images out (skip_broken=True)."
            )

    def _find_folder(self, images: str | Path | None, skip_broken: bool) -> Path:
        """The folder that holds one of the first images; of all where some may be missing."""
        if images is not None:
            if not Path(images).is_dir():
                raise DataError(f"{images}: the images' folder does not exist.")
            return Path(images)
        folders = _usual_folders(self._path)
        there = [folder for folder in folders if folder.is_dir()]
        for record in self._records if skip_broken else self._records[:3]:
            for name in (record.file_name, last_part(record.file_name)):
                for folder in there:
                    if _is_file(below(folder, name)):
                        return folder
        first = self._records[0]
        inside(self._path.parent, first.file_name, f"{self._path}, image {first.id}")
        raise DataError(
            f"{self._path}: the images are not found; {first.file_name!r} was looked for in "
            f"{', '.join(str(folder) for folder in folders)}. Name their folder: images=…, on the "
            "command line --images."
        )


def _names_in(folder: Path, below_it: str) -> set[str]:
    """What is in a folder below another, read once for the thousands of images in it."""
    place = below(folder, below_it) if below_it else folder
    try:
        return set() if place is None else set(os.listdir(place))
    except OSError:
        return set()


def _usual_folders(path: Path) -> list[Path]:
    """Where the images of a JSON usually are."""
    split = path.stem.removeprefix("instances_").removeprefix("person_keypoints_")
    up = path.parent.parent
    folders = [path.parent, path.parent / "images", path.parent / split, up / split]
    return [*folders, up / "images" / split, up / "images", up / "JPEGImages", up]


def _locate(folder: Path, name: str) -> Path | None:
    """The image's path under ``folder``: as the file says, or by its last part alone."""
    candidates = (below(folder, name), below(folder, last_part(name)))
    return next((file for file in candidates if _is_file(file)), None)


def _is_file(path: Path | None) -> bool:
    return path is not None and path.is_file()
