"""Validation at the door: arrays of the expected shape, type and range, or an error with both."""

from __future__ import annotations

from typing import Any

import numpy as np


def checked_array(name: str, value: Any, dtype: type, shape: tuple[int | None, ...]) -> np.ndarray:
    """A read-only copy of ``value`` as ``dtype``.

    Args:
        name: of the value, for the message.
        value: anything NumPy takes.
        dtype: wanted; for an integer type the values must be whole.
        shape: wanted, None where any length will do.

    Raises:
        ValueError: another shape, no numbers, NaN or infinite, or a fraction where whole numbers
            are wanted.
    """
    raw = np.asarray(value)
    fits = raw.ndim == len(shape) and all(
        want in (None, got) for want, got in zip(shape, raw.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name}: expected shape ({wanted}), got {raw.shape}")
    if not np.issubdtype(raw.dtype, np.number) or np.iscomplexobj(raw):
        raise ValueError(f"{name}: expected numbers, got dtype {raw.dtype}")
    refuse(f"finite {name}", raw, ~np.isfinite(raw).all(axis=tuple(range(1, raw.ndim))))
    array: np.ndarray = np.array(raw, dtype=dtype)
    if np.issubdtype(dtype, np.integer):
        refuse(f"whole numbers in {name}", raw, array != raw)
    array.flags.writeable = False
    return array


def refuse(expected: str, array: np.ndarray, wrong: Any) -> None:
    """Raises ValueError with the first row of ``array`` that is ``wrong``."""
    if np.any(wrong):
        first = int(np.flatnonzero(wrong)[0])
        row = np.array2string(array[first], precision=4, threshold=8)
        raise ValueError(f"expected {expected}, got {row} in row {first}")


def checked_size(size: Any) -> tuple[int, int]:
    """(height, width) as whole numbers of at least 1."""
    values = np.asarray(size)
    if values.shape != (2,) or not (values >= 1).all() or (values % 1 != 0).any():
        raise ValueError(f"image_size: expected (height, width), both ≥ 1, got {size!r}")
    return int(values[0]), int(values[1])
