"""Memory: how much the process has held, and the error that says what to lower when it is short."""

from __future__ import annotations

import ctypes
import gc
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import tensorflow as tf

_TENSOR = re.compile(r"shape\s*(\[[\d,]*\]) and type (\w+) on \S*?device:(\w+:\d+)")
_ARRAY = re.compile(r"Unable to allocate (.+)")


class OutOfMemoryError(MemoryError):
    """There was no memory for an array; the message names what to lower, with its present values.

    Attributes:
        knobs: setting → its value, the one with most effect first.
        asked: what there was no room for, as far as it is known.
    """

    def __init__(self, asked: str, knobs: Mapping[str, object]) -> None:
        super().__init__(asked, knobs)
        self.asked, self.knobs = asked, MappingProxyType(dict(knobs))

    def __str__(self) -> str:
        return f"Out of memory for {self.asked}. Lower one of: {written(self.knobs)}."


def written(knobs: Mapping[str, object]) -> str:
    """``batch_size=2, min_size=800 (max_size=1333), rois_per_image=512``."""
    rest = dict(knobs)
    longest = rest.pop("max_size", None)
    texts = [f"{name}={value}" for name, value in rest.items()]
    if longest is not None:
        texts = [t + f" (max_size={longest})" * t.startswith("min_size=") for t in texts]
    return ", ".join(texts)


@contextmanager
def clear_errors(**knobs: object) -> Iterator[None]:
    """Raises `OutOfMemoryError` in the place of TensorFlow's, NumPy's and Python's own errors.

    Args:
        **knobs: what can be lowered here, the one with most effect first: setting → its value.
    """
    try:
        yield
    except OutOfMemoryError:
        raise
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise OutOfMemoryError(_asked(str(error)), knobs) from None


def _asked(message: str) -> str:
    """What there was no memory for, out of an error's text."""
    tensor, array = _TENSOR.search(message), _ARRAY.search(message)
    if tensor:
        shape, dtype, device = tensor.groups()
        return f"a tensor of shape {shape}, {dtype}, on {device}"
    return array[1] if array else "what this step needs"


@contextmanager
def garbage_kept() -> Iterator[None]:
    """Holds back Python's search for unreachable circles of objects.

    It walks through all objects that live each time when a quarter more were made. Where many small
    ones are made and let go of without circles, it takes a third of the time and finds nothing.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def give_back() -> None:
    """Has the C library return to the system what was freed; glibc keeps arrays up to 32 MB.

    After reading a file of weights that is most of its size.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library than glibc
        return


def peak_memory() -> float:
    """Bytes that this process has had in memory at most; nan where the system does not tell."""
    try:
        with open("/proc/self/status") as file:
            return 1024.0 * next(int(line.split()[1]) for line in file if line[:6] == "VmHWM:")
    except (OSError, StopIteration):
        return _peak_memory_of_unix()


def peak_gpu_memory() -> float:
    """Bytes that TensorFlow has held on the fullest GPU at most; nan without a GPU."""
    names = [
        device.name.partition("device:")[2] for device in tf.config.list_logical_devices("GPU")
    ]
    peaks = [tf.config.experimental.get_memory_info(name)["peak"] for name in names]
    return float(max(peaks, default=math.nan))


def _peak_memory_of_unix() -> float:
    try:
        import resource  # there is none on Windows
    except ImportError:
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024
    return float(unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
