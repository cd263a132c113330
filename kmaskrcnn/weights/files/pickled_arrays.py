"""NumPy arrays as pickles hold them: described when they are met, made when they are wanted."""

import abc
import math
from typing import Any

import numpy as np

from kmaskrcnn.weights.files.elements import CODES, native, stored_dtype, whole_numbers
from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.pickles import Builders, Built, Other, dict_of


class Packed(abc.ABC):
    """An array that a file describes."""

    @abc.abstractmethod
    def array(self, limits: Limits, name: str) -> np.ndarray | None:
        """Makes the array.

        Args:
            limits: the memory it takes is taken from these.
            name: what messages call it.

        Returns:
            Numbers, in this machine's byte order; None for what is text.

        Raises:
            RefusedError: it takes too much memory, or holds Python objects.
            ValueError: the description does not fit the data.
        """


class NumpyDtype(Built):
    """``numpy.dtype("f4")``; the byte order comes with the state."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code, self.order = code, "|"

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("a broken pickle: a type without byte order")
        self.order = state[1]


class NumpyArray(Packed, Built):
    """What ``ndarray.__reduce__`` and its kin put into a pickle."""

    def __init__(self, *state: Any) -> None:
        self._state = state  # shape, type, whether in Fortran's order, bytes

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) not in (4, 5):  # 5: behind a version
            raise ValueError("a broken pickle: an array without shape, type and bytes")
        self._state = state[-4:]

    def array(self, limits: Limits, name: str) -> np.ndarray | None:
        if len(self._state) != 4 or not isinstance(self._state[1], NumpyDtype):
            raise ValueError(f"{name} has no shape, type and bytes")
        shape, dtype, fortran_order, data = self._state
        code = _checked_code(dtype, name)
        if code is None:
            return None
        shape = whole_numbers(shape, f"the shape of {name}")
        stored = stored_dtype(code, dtype.order)
        raw = as_bytes(data)
        needed = math.prod(shape) * stored.itemsize
        if needed != len(raw):
            raise ValueError(f"{name} of shape {shape} needs {needed:,} bytes, has {len(raw):,}")
        limits.memory.take(needed, name)
        flat = np.frombuffer(bytearray(raw), stored)
        return native(flat.reshape(shape, order="F" if fortran_order else "C"), code)


def _checked_code(dtype: NumpyDtype, name: str) -> str | None:
    """The code of a type of numbers, None for text."""
    code = dtype.code if isinstance(dtype.code, str) else ""
    if code[:1] in ("S", "U"):
        return None
    if code not in CODES:
        raise RefusedError(f"{name} is made of {code[:20]!r}, expected numbers")
    return code


def as_bytes(data: Any) -> bytes:
    """Bytes, or those that stand in a string: of Python 2, or below protocol 3."""
    if isinstance(data, str):
        return data.encode("latin1")
    if isinstance(data, bytes):
        return data
    raise ValueError(f"a broken pickle: {type(data).__name__} where bytes should be")


def plain_builders(limits: Limits) -> Builders:
    """What any pickle of arrays may name: NumPy's arrays, dicts, and what is passed over."""

    def ordered_dict(items: Any = ()) -> dict:
        limits.steps.take(len(items), "its pickle")
        return dict_of(items.items() if isinstance(items, dict) else items)

    def other(*_: Any) -> Other:
        return Other()

    return {
        "collections.OrderedDict": ordered_dict,
        "collections.Counter": ordered_dict,
        "_codecs.encode": _encode,
        **dict.fromkeys(("builtins.bytes", "__builtin__.bytes"), lambda: b""),
        "numpy.ndarray": None,
        "numpy.dtype": NumpyDtype,
        **{f"numpy.{core}.{name}": make for core in ("core", "_core") for name, make in _NUMPY},
        **dict.fromkeys(_PASSED_OVER, other),
    }


def _encode(text: Any, encoding: Any = "latin1") -> Any:
    """Bytes stay the string that they are pickled as, until :func:`as_bytes` is wanted of them."""
    if encoding != "latin1":
        raise ValueError("a broken pickle: bytes in an unknown encoding")
    return text


def _reconstruct(*_: Any) -> NumpyArray:
    return NumpyArray()


def _scalar(dtype: Any, data: Any = None) -> NumpyArray:
    return NumpyArray((), dtype, False, data)


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> NumpyArray:
    return NumpyArray(shape, dtype, order == "F", data)


_NUMPY = (
    ("multiarray._reconstruct", _reconstruct),
    ("multiarray.scalar", _scalar),
    ("numeric._frombuffer", _from_buffer),
)
# Settings of a training, beside the weights.
_PASSED_OVER = (
    "argparse.Namespace",
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("set", "complex")),
)
