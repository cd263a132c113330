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


def checked_masks(name: str, masks: Any, count: int) -> np.ndarray | None:
    """A read-only copy of ``count`` square masks (K, M, M) in [0, 1], float16 or float32."""
    if masks is None:
        return None
    half = getattr(masks, "dtype", None) == np.float16
    masks = checked_array(name, masks, np.float16 if half else np.float32, (count, None, None))
    if masks.shape[1] != masks.shape[2]:
        raise ValueError(f"expected square {name} (K, M, M), got {masks.shape}")
    refuse(f"{name} in [0, 1]", masks, ((masks < 0) | (masks > 1)).any(axis=(1, 2)))
    return masks


def checked_names(name: str, names: Any) -> tuple[str, ...]:
    """Names as a tuple; a single text is refused, it would be a tuple of letters."""
    if isinstance(names, str):
        raise ValueError(f"expected {name} as a list of names, got {names!r}")
    return tuple(str(each) for each in names)


def checked_pairs(name: str, pairs: Any, count: int) -> tuple[tuple[int, int], ...]:
    """Pairs of whole numbers from 0 to ``count`` - 1."""
    array = checked_array(name, pairs if len(pairs) else np.zeros((0, 2)), np.int64, (None, 2))
    wrong = ((array < 0) | (array >= count)).any(axis=1)
    refuse(f"{name} as pairs of numbers from 0 to {count - 1}", array, wrong)
    return tuple((int(first), int(second)) for first, second in array)


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
