"""Image folders and masks in PNG files: finding, reading, and keeping what was read."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import declared_size, is_cut_off, stored_size
from kmaskrcnn.data.images import refuse_gigantic

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2"}
_VALIDATION = ("val", "valid", "validation", "dev")
_NO_NAME = re.compile(r"^[A-Za-z]:|[\0-\x1f\ud800-\udfff]")  # a drive; bytes that are no text
MAX_NAME = 255
"""Bytes of one part of a path, as file systems have it."""
_NUMBER = re.compile(r"(\d+)")


def list_images(folder: Path) -> list[Path]:
    """The image files in a folder, in natural order (2 before 10)."""
    if not folder.is_dir():
        return []
    files = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.name[0] != "."]
    return sorted(files, key=natural)


def natural(path: Path) -> list[Any]:
    """A sorting key in which numbers count as numbers."""
    return [int(part) if part.isdigit() else part for part in _NUMBER.split(path.name)]


def inside(folder: Path, name: str, place: str) -> Path:
    """The file that an annotation names, which must lie in ``folder`` or below it.

    Raises:
        DataError: the name leads out of the folder (``../..``, another root, a drive) or is none.
    """
    path = below(folder, name)
    if path is None:
        raise DataError(
            f"{place}: the file name {name!r:.200} leads out of {folder} and is not followed. Put "
            "the file into that folder and write its name as seen from there, or name the folder "
            "that holds it (images=…)."
        )
    return path


def below(folder: Path, name: str) -> Path | None:
    """``folder / name`` with the separators of any system; None where it lies outside, or where
    file systems take no such name. Links are not resolved: a linked folder of images is inside.
    """
    name = name.replace("\\", "/")
    home = os.path.abspath(folder)
    parts = os.path.relpath(os.path.join(home, name), home).split(os.sep)
    longest = max(len(part.encode(errors="replace")) for part in parts)
    if parts[0] == os.pardir or longest > MAX_NAME or _NO_NAME.search(name):
        return None
    return Path(folder, *parts)


def last_part(name: str) -> str:
    """The last part of a path of any system."""
    return name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def read_png(path: Path) -> np.ndarray:
    """The values of a mask file: (H, W) integers; colours become one number each, alpha is ignored.

    Raises:
        DataError: missing, cut off, broken or gigantic.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the mask cannot be read ({error.strerror or error}).") from error
    refuse_gigantic(str(path), declared_size(data) or (0, 0))
    if is_cut_off(data):
        raise DataError(f"{path}: the mask is cut off after {len(data)} bytes. Copy it again.")
    try:
        encoded = np.frombuffer(data, np.uint8)
        values = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error:  # more pixels than OpenCV takes
        values = None
    if values is None:
        raise DataError(f"{path}: not a PNG that can be decoded ({len(data)} bytes). Replace it.")
    if values.ndim == 2:
        return values
    colours = values[..., :3].astype(np.int64)
    return colours[..., 0] + (colours[..., 1] << 16) + (colours[..., 2] << 32)


def refuse_other_sizes(masks: Iterable[Path], image: Path) -> None:
    """Compares the headers of masks with their image's, before they are decoded: a small file may
    unpack to hundreds of megabytes.

    Raises:
        DataError: a mask that is larger or smaller than its image.
    """
    size = stored_size(image)
    for path in masks:
        found = stored_size(path)
        if size is not None and found is not None and sorted(found) != sorted(size):
            raise DataError(
                f"{path} is {found[0]}×{found[1]} (height×width), its image {image.name} "
                f"{size[0]}×{size[1]}; a mask must be as large as its image."
            )


def split_names(split: str) -> tuple[str, ...]:
    """The split's name, and the others it goes by: val, valid, validation and dev are one."""
    others = _VALIDATION if split in _VALIDATION else ()
    return (split, *(name for name in others if name != split))


def read_lines(path: Path, max_bytes: int = 2**26) -> list[str]:
    """The lines of a text file.

    Raises:
        DataError: missing, larger than ``max_bytes``, no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise DataError(f"{path}: expected at most {max_bytes:,} bytes of text.")
        return data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8 ({error}). Save it as such.") from error


def refuse_missing(images: Sequence[Path], place: str, skip_broken: bool) -> None:
    """Raises a ``DataError`` that names the images that are not there; with ``skip_broken`` they
    are no error yet."""
    missing = [] if skip_broken else [image for image in images if not image.is_file()]
    if missing:
        shown = ", ".join(str(image) for image in missing[:5]) + " …" * (len(missing) > 5)
        raise DataError(
            f"{place}: {len(missing)} of {len(images)} images are missing: {shown}. Add them, name "
            "their folder (images=…, on the command line --images), or leave such images out "
            "(skip_broken=True)."
        )


class Masks(NamedTuple):
    """An image's masks as run-length codes, with names for messages, and their (height, width);
    empty ``crowds``, ``difficult``: none is; ``void``: pixels that evaluation leaves out.
    """

    codes: list[dict[str, Any]]
    names: list[str]
    labels: list[int]
    size: tuple[int, int] | None
    crowds: Sequence[bool] = ()
    void: dict[str, Any] | None = None
    difficult: Sequence[bool] = ()

    def instances(self) -> list[Instance]:
        """The same as instances."""
        none = [False] * len(self.codes)
        flags = zip(self.crowds or none, self.difficult or none, strict=True)
        rows = zip(self.labels, self.codes, flags, self.names, strict=True)
        return [
            Instance(label, code, crowd=crowd, annotation_id=name, difficult=difficult)
            for label, code, (crowd, difficult), name in rows
        ]


class MaskCache:
    """Masks that were read from files once, kept as run-length codes up to a number of bytes.

    Hundreds of masks an image, decoded in every epoch, would keep a training waiting; as codes they
    take some hundred bytes each.
    """

    def __init__(self, read: Callable[[int], Masks], max_bytes: int = 2**28) -> None:
        """``read(index)`` is asked for what is not kept; it may run in several threads."""
        self._read = read
        self._kept: dict[int, Masks] = {}
        self._left = max_bytes
        self._lock = threading.Lock()

    def __getitem__(self, index: int) -> Masks:
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        masks = self._read(index)
        num_bytes = sum(200 + len(code["counts"]) for code in masks.codes)
        with self._lock:
            if index not in self._kept and num_bytes <= self._left:
                self._left -= num_bytes
                self._kept[index] = masks
        return masks


def count_labels(samples: Iterable[Sequence[int]], num_classes: int) -> list[int]:
    """How often each label occurs."""
    counts = [0] * num_classes
    for labels in samples:
        for label in labels:
            counts[label] += 1
    return counts
