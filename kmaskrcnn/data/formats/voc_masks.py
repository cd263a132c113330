"""The PNGs of Pascal VOC: palettes or colours as numbers, and which class a number or a colour is.

Follows the development kit's ``VOClabelcolormap.m`` and, for classes of one's own, the
``labelmap.txt`` that CVAT and datumaro write and the ``class_names.txt`` of LabelMe's export.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import read_lines, read_png

VOID = 255
"""The border around objects, and what is too small to tell: of no class."""
VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
NO_CLASS = ("background", "_background_", "__ignore__", "void", "ignored")
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)


def colour_map() -> np.ndarray:
    """VOC's 256 colours, (256, 3) uint8 RGB: bit k of a number, by threes, is a bit of R, G, B."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.int64)
    for step in range(8):
        bits = (numbers[:, None] >> (3 * step + np.arange(3))) & 1
        colours |= bits << (7 - step)
    return colours.astype(np.uint8)


def pack(colours: np.ndarray) -> np.ndarray:
    """RGB (…, 3) as the one number that ``read_png`` makes of a colour."""
    red, green, blue = (colours[..., i].astype(np.int64) for i in range(3))
    return blue + (green << 16) + (red << 32)


COLOURS = {int(code): number for number, code in enumerate(pack(colour_map()))}


class Classes(NamedTuple):
    """Class names, and the number in the files of each; ``colours`` (packed RGB → number) where the
    files are painted in colours of their own."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    colours: dict[int, int] | None = None


def read_classes(folder: Path) -> Classes:
    """The classes that a file in ``folder`` lists; VOC's twenty where there is none.

    Raises:
        DataError: a file that cannot be read, or that names no class; with the line.
    """
    if (folder / "labelmap.txt").is_file():
        return _read_label_map(folder / "labelmap.txt")
    if (folder / "class_names.txt").is_file():
        lines = [line.strip() for line in read_lines(folder / "class_names.txt")]
        names = [line for line in lines if line and line != "__ignore__"]
        return _kept(folder / "class_names.txt", dict(enumerate(names)))
    return Classes(VOC_CLASSES, tuple(range(1, 21)))


def _read_label_map(path: Path) -> Classes:
    """Lines ``name:r,g,b:parts:actions``, comments after #."""
    names: dict[int, str] = {}
    colours: dict[int, int] = {}
    for number, line in enumerate(read_lines(path), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        name, _, rest = text.partition(":")
        try:
            colour = np.array([int(part) for part in rest.split(":")[0].split(",")])
            colour = colour.reshape(3).astype(np.uint8)
        except (ValueError, OverflowError):
            raise DataError(
                f"{path}:{number}: {text!r:.80}; expected name:red,green,blue:parts:actions."
            ) from None
        names[len(names)] = name.strip()
        colours[int(pack(colour))] = len(names) - 1
    return _kept(path, names)._replace(colours=colours)


def _kept(path: Path, names: dict[int, str]) -> Classes:
    kept = {number: name for number, name in names.items() if name.lower() not in NO_CLASS}
    if not kept or len(set(kept.values())) < len(kept):
        raise DataError(
            f"{path}: {', '.join(kept.values()) or 'no class'}. Expected a class a line, each once."
        )
    return Classes(tuple(kept.values()), tuple(kept))


def read_numbers(path: Path, colours: dict[int, int] | None = None) -> np.ndarray:
    """A PNG of VOC as (H, W) numbers: palette indices, grey values, or what ``colours`` say.

    Args:
        path: the PNG.
        colours: packed RGB → number, which goes before the palette's order; None: VOC's colours,
            and any others by numbers above 255.

    Raises:
        DataError: missing, cut off or broken.
    """
    values = read_png(path)
    if values.dtype != np.int64:  # grey
        return values
    indices = _palette_indices(path) if colours is None else None
    if indices is not None and indices.shape == values.shape:
        return indices
    known = COLOURS if colours is None else colours
    unique, inverse = np.unique(values, return_inverse=True)
    others = 256 + np.arange(unique.size)
    numbers = [known.get(int(code), int(other)) for code, other in zip(unique, others, strict=True)]
    return np.array(numbers)[inverse.reshape(values.shape)]


def _palette_indices(path: Path) -> np.ndarray | None:
    """The values of a PNG with a palette, which OpenCV turns into colours; None of another."""
    try:
        with Image.open(path) as image:
            return np.asarray(image) if image.mode == "P" else None
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a PNG that can be decoded ({error}). Replace it.") from error
