"""Masks as windows: an integer box x1 y1 x2 y2 (half open, inside the image) and the bool crop
inside it.

COCO run-length codes are read here and not by pycocotools, which trusts its input and reads outside
of memory when a code from a file is wrong. What pycocotools rasterises (polygons) it also encodes,
so both meet here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError

Window = tuple[int, int, int, int]
FAR = 8
"""So many image sides away a point is a mistake: it is moved, as it costs time and memory."""
EMPTY: tuple[Window, np.ndarray] = ((0, 0, 0, 0), np.zeros((0, 0), bool))


def read_counts(code: Mapping[str, Any]) -> np.ndarray:
    """The run lengths (int64, background first, down the columns) of a COCO code, compressed or
    not.

    Raises:
        DataError: the runs do not add up to the size, or are no run lengths.
    """
    counts, size = code["counts"], code["size"]
    if isinstance(counts, str | bytes):
        counts = _decompress(
            counts.encode("ascii", "replace") if isinstance(counts, str) else counts
        )
    try:
        counts = np.asarray(counts, np.int64).reshape(-1)
        expected = int(size[0]) * int(size[1])
    except (TypeError, ValueError, OverflowError, IndexError) as error:
        raise DataError(f"a run-length code that cannot be read ({error})") from error
    if (counts.size and (counts.min() < 0 or counts.max() > expected)) or counts.sum() != expected:
        raise DataError(
            f"a run-length code of {counts.sum()} pixels for a mask of {size[0]}×{size[1]} "
            f"(height×width) = {expected}"
        )
    return counts


def _decompress(text: bytes) -> np.ndarray:
    """The inverse of pycocotools' ``rleToString``.

    Five bits a character, the lowest first; from the fourth run on, differences to the last but
    one.
    """
    values = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    last = np.flatnonzero((values & 32) == 0)
    if (
        not len(text)
        or values.min() < 0
        or values.max() > 63
        or last.size == 0
        or last[-1] != values.size - 1
    ):
        raise DataError("a compressed run-length code that is cut off or holds foreign characters")
    first = np.concatenate([[0], last[:-1] + 1])
    if (last - first).max() > 7:
        raise DataError("a compressed run-length code with a run that no image can hold")
    place = np.arange(values.size) - np.repeat(first, last - first + 1)
    counts = np.add.reduceat((values & 31) << (5 * place), first)
    counts -= ((values[last] & 16) > 0) * (1 << (5 * (last - first + 1)))
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return counts


def decode_window(code: Mapping[str, Any]) -> tuple[Window, np.ndarray]:
    """The tight window of a COCO code, and the bool crop (h, w) in it. Never unfolds more than the
    mask's columns.

    Raises:
        DataError: see ``read_counts``.
    """
    counts = read_counts(code)
    height = int(code["size"][0])
    ends = np.cumsum(counts)
    inside = np.flatnonzero(counts[1::2]) * 2 + 1
    if not inside.size:
        return EMPTY
    left = int(ends[inside[0] - 1] // height)
    right = int((ends[inside[-1]] - 1) // height) + 1
    clipped = np.diff(np.clip(ends, left * height, right * height), prepend=left * height)
    values = np.arange(counts.size) % 2 == 1
    columns = np.repeat(values, clipped).reshape(right - left, height).T
    rows = np.flatnonzero(columns.any(1))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return (left, top, right, bottom), np.ascontiguousarray(columns[top:bottom])


def array_window(mask: np.ndarray) -> tuple[Window, np.ndarray]:
    """The tight window of an array (H, W), and the bool crop in it."""
    rows = np.flatnonzero(mask.any(1))
    if not rows.size:
        return EMPTY
    part = mask[rows[0] : rows[-1] + 1]
    columns = np.flatnonzero(part.any(0))
    crop = np.ascontiguousarray(part[:, columns[0] : columns[-1] + 1]).astype(bool)
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1), crop


def _polygons_rle(polygons: Sequence[np.ndarray], size: tuple[int, int]) -> dict[str, Any]:
    """The union of polygons (P, 2), or flat; those of fewer than three points have no area."""
    limit = FAR * np.array(size[::-1], np.float64)
    flat = []
    for polygon in polygons:
        points = np.asarray(polygon, np.float64).reshape(-1, 2)
        if np.isnan(points).any():
            raise DataError("a polygon with a point that is not a number (nan)")
        if len(points) > 2:
            flat.append(np.clip(points, -limit, limit).reshape(-1))
    if not flat:
        return coco_mask.frPyObjects({"size": list(size), "counts": [size[0] * size[1]]}, *size)
    return coco_mask.merge(coco_mask.frPyObjects(flat, *size))


def encode(mask: np.ndarray) -> dict[str, Any]:
    """A bool array (H, W) as a compressed COCO code."""
    return coco_mask.encode(np.asfortranarray(mask, np.uint8))


def instance_rle(instance: Instance, size: tuple[int, int]) -> dict[str, Any]:
    """An object's mask as compressed run lengths; its box filled where it has none.

    Raises:
        DataError: a run-length code that is broken or does not fit its own size, or a point that is
            not a number.
    """
    mask = instance.mask
    if mask is None:
        left, top, right, bottom = (float(v) for v in np.asarray(instance.box))
        mask = [np.array([[left, top], [right, top], [right, bottom], [left, bottom]])]
    if isinstance(mask, Mapping):
        runs = {"size": list(size), "counts": read_counts(mask).tolist()}
        return coco_mask.frPyObjects(runs, *size)
    if isinstance(mask, np.ndarray):
        return encode(mask)
    return _polygons_rle(mask, size)
