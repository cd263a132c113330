"""Many compressed run-length codes checked at once: one at a time takes longer than to use them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.rle import read_counts

CHUNK = 2000  # codes that are unfolded at a time


def checked_areas(codes: Sequence[bytes], sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """(N,) float64, the pixels of N masks, whose codes fit their sizes.

    pycocotools trusts its input and reads outside of memory when a code is wrong.

    Args:
        codes: compressed COCO run lengths.
        sizes: (height, width) of each.

    Raises:
        DataError: names the place of the first code that is no run lengths, or of another size.
    """
    areas = np.zeros(len(codes))
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        pixels = np.array([height * width for height, width in sizes[part]])
        found = _areas(codes[part], pixels)
        if found is None:
            _complain(codes, sizes, range(len(codes))[part])
        areas[part] = found
    return areas


def _areas(codes: Sequence[bytes], pixels: np.ndarray) -> np.ndarray | None:
    """The areas, or None where any code is wrong. See `data.rle` for the code itself."""
    lengths = np.array([len(code) for code in codes])
    values = np.frombuffer(b"".join(codes), np.uint8).astype(np.int64) - 48
    goes_on = values & 32 != 0
    if not lengths.all() or values.min() < 0 or values.max() > 63:
        return None
    if goes_on[np.cumsum(lengths) - 1].any():
        return None
    last = np.flatnonzero(~goes_on)
    first = np.concatenate([[0], last[:-1] + 1])
    if (last - first).max() > 7:
        return None
    place = np.arange(values.size) - np.repeat(first, last - first + 1)
    runs = np.add.reduceat((values & 31) << (5 * place), first)
    runs -= ((values[last] & 16) > 0) * (1 << (5 * (last - first + 1)))
    return _summed(runs, np.searchsorted(np.cumsum(lengths), last, side="right"), pixels)


def _summed(runs: np.ndarray, owner: np.ndarray, pixels: np.ndarray) -> np.ndarray | None:
    """Areas from runs that are differences to the last but one, from each code's fourth on."""
    starts = np.searchsorted(owner, np.arange(len(pixels)))
    place = np.arange(runs.size) - starts[owner]
    sums = np.zeros((2, len(pixels)))
    for parity in (0, 1):
        own = np.flatnonzero((place % 2 == parity) & (place > 0))
        whole = np.cumsum(runs[own])
        begin = np.searchsorted(owner[own], np.arange(len(pixels)))
        before = np.concatenate([[0], whole])[begin]
        runs[own] = whole - before[owner[own]]
        sums[parity] = np.bincount(owner[own], runs[own], len(pixels))
    sums[0] += runs[starts]
    return None if runs.min() < 0 or (sums.sum(axis=0) != pixels).any() else sums[1]


def _complain(codes: Sequence[bytes], sizes: Sequence[tuple[int, int]], places: range) -> None:
    """Raises the error of the first wrong code."""
    for place in places:
        try:
            read_counts({"size": sizes[place], "counts": codes[place]})
        except DataError as error:
            raise DataError(f"entry {place}: {error}") from error
    raise DataError(f"entries {places[0]} to {places[-1]}: a code among them is no run lengths")
