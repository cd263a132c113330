"""The ``.npz`` of NumPy: an archive of arrays, each behind a header that says its shape."""

import io
import math
from pathlib import Path

import numpy as np

from kmaskrcnn.weights.files.archives import open_archive, read_member
from kmaskrcnn.weights.files.limits import Limits

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npz(path: Path, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` by their names."""
    with path.open("rb") as file:
        archive = open_archive(file, limits)
        names = archive.namelist()
        return {
            name.removesuffix(".npy"): _array(read_member(archive, name, limits), name)
            for name in names
        }


def _array(content: bytearray, name: str) -> np.ndarray:
    """An ``.npy``, whose header must fit what stands behind it: NumPy allocates before it reads."""
    file = io.BytesIO(content)
    header = _HEADERS.get(np.lib.format.read_magic(file))
    if header is None:
        raise ValueError(f"{name} is of an unknown version")
    shape, fortran_order, dtype = header(file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which need allow_pickle: expected numbers")
    needed, found = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if needed != found or min(shape, default=0) < 0 or dtype.itemsize == 0:
        raise ValueError(f"{name} of shape {shape} needs {needed:,} bytes, {found:,} are there")
    flat = np.frombuffer(content, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if fortran_order else "C")
