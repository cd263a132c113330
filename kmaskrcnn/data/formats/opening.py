"""What a reader is asked to open, and a row of the table of formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import split_names
from kmaskrcnn.data.formats.json_files import JsonFile

KEPT_BYTES = 2**24
"""Of JSON files that are kept until the dataset is open, beside the largest of them."""
NOT_INSTANCES = re.compile(r"^(captions|person_keypoints|panoptic|stuff|image_info|labels)_")
"""Other files of a COCO download, and keypoints: an instances file beside them is meant."""


@dataclass(frozen=True)
class Opening:
    """A path with what the caller said about it, and what was looked up on the way.

    Attributes:
        path: an existing file or folder.
        images: the images' folder, where the caller names it.
        split: one of several parts; None: the caller names none.
        class_name: what objects are called where the files do not say.
        skip_broken: files that are missing or broken are counted, and no error yet.
    """

    path: Path
    images: str | Path | None = None
    split: str | None = None
    class_name: str = "object"
    skip_broken: bool = False
    _read: dict[Path, JsonFile] = field(default_factory=dict, repr=False, compare=False)

    @property
    def folder(self) -> Path | None:
        """The path, if it is a folder."""
        return self.path if self.path.is_dir() else None

    def folders_of_split(self) -> list[Opening]:
        """The same for the folder inside that is called like the split, if there is one."""
        if self.folder is None or self.split is None:
            return []
        homes = [self.path / name for name in split_names(self.split)]
        return [replace(self, path=p, split=None, _read={}) for p in homes if p.is_dir()][:1]

    @cached_property
    def jsons(self) -> list[Path]:
        """Files that begin like JSON: the path itself, or those of the split in or just below it;
        those of COCO that are no instances only where there are no others."""
        files = [self.path] if self.folder is None else self._listed_jsons()
        return [file for file in files if file.is_file() and _begins_like_json(file)]

    def _listed_jsons(self) -> list[Path]:
        others: list[Path] = []
        for pattern in ("*.json", "annotations/*.json", "*/*.json"):
            found = [p for p in sorted(self.path.glob(pattern)) if p.stem != "splits"]
            files = [p for p in found if not NOT_INSTANCES.match(p.stem)] or _keypoints(found)
            if files:
                return [file for file in files if self.is_of_split(file)]
            others = others or found
        return [file for file in others if self.is_of_split(file)]

    def jsons_of(
        self, is_kind: Callable[[JsonFile], bool], num_tried: int | None = None
    ) -> list[Path]:
        """The JSON files that ``is_kind`` accepts, among the first ``num_tried``.

        It looks at ``file.top`` first, which costs little, and at ``file.content``, which fills
        memory where a file is large, only if the keys at the top are those of its format.
        """
        return [file for file in self.jsons[:num_tried] if self._is(file, is_kind)]

    def _is(self, file: Path, is_kind: Callable[[JsonFile], bool]) -> bool:
        try:
            return is_kind(self.json(file))
        except (ValueError, RecursionError):  # in a part that is parsed only now
            return False

    def json(self, path: Path) -> JsonFile:
        """A JSON file, which is read once while it is asked what it is.

        Raises:
            DataError: see ``JsonFile``.
        """
        if path not in self._read:
            file = JsonFile(path)
            if sum(len(known.data) for known in self._read.values()) > KEPT_BYTES:
                self._read.clear()
            self._read[path] = file
        return self._read[path]

    def take_json(self, path: Path) -> JsonFile:
        """``json``, which is not kept any longer: whoever takes it decides how long it lives."""
        file = self.json(path)
        self._read.clear()
        return file

    def only(self, found: Sequence[Path]) -> Path:
        """The one file that was found.

        Raises:
            DataError: there are several, and nobody knows which is meant.
        """
        if len(found) > 1:
            names = ", ".join(str(file.relative_to(self.path)) for file in found[:10])
            raise DataError(
                f"{self.path}: several annotation files ({names}). Name one of them, or a split."
            )
        return found[0]

    def is_of_split(self, file: Path) -> bool:
        """Whether a file below the path belongs to the split, by its name or its folders'."""
        if self.split is None:
            return True
        parts = {
            *re.findall(r"[^\W_]+", file.stem),
            *re.findall(r"[^\W\d_]+", file.stem),
            *file.relative_to(self.path).parts,
            file.stem,
        }
        return any(name in parts for name in split_names(self.split))


class Format(NamedTuple):
    """A row of the table: a format, how it is recognised, what opens it.

    Attributes:
        name: as people call it.
        expects: what is looked for, in words, for the error that nothing was found.
        recognise: the files or folders of an opening that are of this format; none: it is another.
        open: the dataset of what was recognised.
    """

    name: str
    expects: str
    recognise: Callable[[Opening], Sequence[Path]]
    open: Callable[[Sequence[Path], Opening], Dataset]


def _keypoints(files: list[Path]) -> list[Path]:
    return [file for file in files if file.stem.startswith("person_keypoints_")]


def _begins_like_json(file: Path) -> bool:
    """Whether the first character, behind a byte order mark and blanks, is that of JSON."""
    try:
        with file.open("rb") as stream:
            head = stream.read(1024)
    except OSError:
        return False
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
