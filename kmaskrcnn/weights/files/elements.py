"""Element types by a short code, such as ``f4``: NumPy's own, and ``bf2`` for bfloat16.

NumPy has no bfloat16: the upper half of a float32. Its 16 bits are read as such and widened.
"""

import math
from typing import Any

import numpy as np

CODES = (
    *("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"),
    *("f2", "f4", "f8", "c8", "c16", "bf2"),
)
_MAX_DIMENSIONS = 32  # of NumPy 1


def itemsize(code: str) -> int:
    """Bytes of one element as stored: 4 of ``f4``, 2 of ``bf2``."""
    return int(code.lstrip("biufc"))


def stored_dtype(code: str, order: str = "<") -> np.dtype:
    """The NumPy type that the bytes are looked at through; bfloat16 is two bytes."""
    return np.dtype(order + ("u2" if code == "bf2" else code))


def native(values: np.ndarray, code: str) -> np.ndarray:
    """What was stored, in this machine's byte order and in C order; bfloat16 as float32."""
    values = np.asarray(values, values.dtype.newbyteorder("="), order="C")
    return widened(values) if code == "bf2" else values


def widened(bits: np.ndarray) -> np.ndarray:
    """bfloat16 to float32.

    Args:
        bits: any shape, of any type of two bytes: the bits of each value.

    Returns:
        The same values, float32, same shape.
    """
    wide = np.asarray(bits).view(np.uint16).astype(np.uint32, order="C")
    return np.asarray(wide << np.uint32(16)).view(np.float32)


def whole_numbers(values: Any, what: str) -> tuple[int, ...]:
    """A shape, or strides: a few integers that are not negative; else ``ValueError``."""
    if not isinstance(values, tuple | list) or len(values) > _MAX_DIMENSIONS:
        raise ValueError(f"{what} is no list of at most {_MAX_DIMENSIONS} numbers")
    if not all(isinstance(value, int) and value >= 0 for value in values):
        raise ValueError(f"{what} is not made of whole numbers")
    return tuple(values)


def num_bytes(shape: tuple[int, ...], code: str) -> int:
    """What an array takes as it is returned: bfloat16 four bytes an element."""
    return math.prod(shape) * (4 if code == "bf2" else itemsize(code))
