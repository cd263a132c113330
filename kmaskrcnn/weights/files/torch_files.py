"""PyTorch's files as arrays, without PyTorch: a pickle of descriptions, and storages beside it.

Since 1.6 a file is an archive: ``data.pkl``, and each storage a member of its own. Before, it is
five pickles (a magic number, a protocol, the machine, the value, the keys of the storages) and
behind them the storages. Detectron's files are a single pickle, with NumPy's arrays in it, or
with tensors whose storages are such older files, as bytes.
"""

import io
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kmaskrcnn.weights.files.archives import open_archive, read_member
from kmaskrcnn.weights.files.limits import Limits
from kmaskrcnn.weights.files.pickled_arrays import as_bytes
from kmaskrcnn.weights.files.pickled_tensors import Source, checked_key, storages, tensor_builders
from kmaskrcnn.weights.files.pickles import Machine
from kmaskrcnn.weights.files.state_dicts import arrays_of
from kmaskrcnn.weights.files.streams import Stream

_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older files
_PROTOCOL = 1001  # the second


def read_torch(path: Path, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of a file of PyTorch or Detectron, by their names.

    Args:
        path: the file. Its first bytes tell which of the kinds it is.
        limits: what it may use.

    Returns:
        Those of the part that holds the weights; see :func:`arrays_of`.

    Raises:
        RefusedError: it asks for more than arrays, or for too much memory.
        EOFError, ValueError, KeyError, zipfile.BadZipFile: it is broken.
    """
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
        file.seek(0)
        content = _zipped(file, limits) if zipped else _pickled(file, limits)
        return arrays_of(content, limits)


class _Archive(Source):
    """Storages as members of an archive."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, order: str) -> None:
        super().__init__()
        self._archive, self._folder, self.order = archive, folder, order

    def read(self, key: str, limits: Limits) -> bytearray:
        return read_member(self._archive, f"{self._folder}data/{key}", limits)


class _Tail(Source):
    """Storages behind the pickles of an older file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}  # where it starts, its bytes

    def locate(self, keys: Any, sizes: dict[str, int], stream: Stream) -> None:
        """Notes where each storage lies: a count of elements, then the elements."""
        if not isinstance(keys, list):
            raise ValueError("the keys of its storages are no list")
        for key in keys:
            count = stream.number(8) * sizes[checked_key(key)]
            self._places[key] = (stream.skip(count), count)

    def read(self, key: str, limits: Limits) -> bytearray:
        start, count = self._places[key]
        limits.memory.take(count, f"storage {key}")
        self._file.seek(start)
        return bytearray(self._file.read(count))


def _zipped(file: BinaryIO, limits: Limits) -> Any:
    """The value in ``data.pkl``, in whatever folder of the archive it lies."""
    archive = open_archive(file, limits)
    names = archive.namelist()
    pickles = [name for name in names if name.split("/")[1:] == ["data.pkl"]]
    if not pickles:
        raise ValueError(f"an archive without data.pkl, but with {', '.join(names)[:80]}")
    folder = pickles[0].removesuffix("data.pkl")
    order = "<"
    if f"{folder}byteorder" in names:
        big = read_member(archive, f"{folder}byteorder", limits) == b"big"
        order = ">" if big else "<"
    source = _Archive(archive, folder, order)
    stream = Stream(io.BytesIO(read_member(archive, pickles[0], limits)))
    return Machine(stream, limits, tensor_builders(limits), storages(source, {})).load()


def _pickled(file: BinaryIO, limits: Limits) -> Any:
    """The value of a pickle, or of an older file of PyTorch."""
    builders = {**tensor_builders(limits), "torch.storage._load_from_bytes": _unpacker(limits)}
    value = Machine(Stream(file), limits, builders).load()
    return _older(file, limits) if value == _MAGIC else value


def _older(file: BinaryIO, limits: Limits) -> Any:
    """The fourth of the pickles, with its storages found; see the top of this file."""
    stream, source, sizes = Stream(file), _Tail(file), dict[str, int]()
    machine = Machine(stream, limits, tensor_builders(limits), storages(source, sizes))
    magic, protocol, system = machine.load(), machine.load(), machine.load()
    if magic != _MAGIC or protocol != _PROTOCOL or not isinstance(system, dict):
        raise ValueError("not what torch.save wrote before version 1.6")
    source.order = "<" if system.get("little_endian", True) else ">"
    value = machine.load()
    source.locate(machine.load(), sizes, stream)
    return value


def _unpacker(limits: Limits) -> Any:
    """Storages of tensors in a plain pickle: bytes that are an older file of a storage."""

    def unpack(data: Any) -> Any:
        limits.memory.take(len(data), "a storage within its pickle")
        return _older(io.BytesIO(as_bytes(data)), limits)

    return unpack
