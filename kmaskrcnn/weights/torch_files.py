"""PyTorch's files as arrays, without PyTorch: a pickle of descriptions, and storages beside it.

Since 1.6 a file is an archive: ``data.pkl``, and each storage a member of its own. Before, it is
five pickles (a magic number, a protocol, the machine, the value, the keys of the storages) and
behind them the storages. Detectron's files are a single pickle, with NumPy's arrays in it, or
with tensors whose storages are such older files, as bytes.
"""

import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from kmaskrcnn.weights.archives import open_archive, read_member
from kmaskrcnn.weights.elements import (
    CODES,
    itemsize,
    native,
    num_bytes,
    stored_dtype,
    whole_numbers,
)
from kmaskrcnn.weights.limits import Limits
from kmaskrcnn.weights.pickled_arrays import Packed, as_bytes, plain_builders
from kmaskrcnn.weights.pickles import Machine, Other
from kmaskrcnn.weights.state_dicts import arrays_of
from kmaskrcnn.weights.streams import Stream

_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older files
_PROTOCOL = 1001  # the second
_MAX_KEY = 64  # letters of a storage's key: it is a number

_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bf2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "b1",
    "ComplexFloatStorage": "c8",
    "ComplexDoubleStorage": "c16",
}
_DTYPES = {
    "float64": "f8",
    "float32": "f4",
    "float16": "f2",
    "bfloat16": "bf2",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint64": "u8",
    "uint32": "u4",
    "uint16": "u2",
    "uint8": "u1",
    "bool": "b1",
    "complex64": "c8",
    "complex128": "c16",
}


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


class _Source:
    """Where storages lie: bytes by key, read once."""

    order = "<"

    def __init__(self) -> None:
        self._cache: dict[str, bytearray] = {}

    def content(self, key: str, limits: Limits) -> bytearray:
        if key not in self._cache:
            self._cache[key] = self._read(key, limits)
        return self._cache[key]

    def _read(self, key: str, limits: Limits) -> bytearray:
        raise NotImplementedError


class _Archive(_Source):
    """Storages as members of an archive."""

    def __init__(self, archive: zipfile.ZipFile, folder: str, order: str) -> None:
        super().__init__()
        self._archive, self._folder, self.order = archive, folder, order

    def _read(self, key: str, limits: Limits) -> bytearray:
        return read_member(self._archive, f"{self._folder}data/{key}", limits)


class _Tail(_Source):
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
            count = stream.number(8) * sizes[_checked_key(key)]
            self._places[key] = (stream.skip(count), count)

    def _read(self, key: str, limits: Limits) -> bytearray:
        start, count = self._places[key]
        limits.memory.take(count, f"storage {key}")
        self._file.seek(start)
        return bytearray(self._file.read(count))


@dataclass(frozen=True)
class Storage:
    """A row of elements that tensors are views of.

    Attributes:
        source: has the bytes.
        key: of the bytes there.
        code: type of the elements.
        start: where it begins there, in elements: older files have storages inside of others.
        count: how many elements it has.
    """

    source: _Source
    key: str
    code: str
    start: int
    count: int


@dataclass(frozen=True)
class Tensor(Packed):
    """A view of a storage: the arguments of ``torch._utils._rebuild_tensor``.

    Attributes:
        storage: what it is a view of.
        offset: its first element.
        shape: its sides.
        strides: how many elements further the next one along each side is.
        code: type of the elements, that of the storage but for storages of bytes.
    """

    storage: Storage
    offset: Any
    shape: Any
    strides: Any
    code: str

    def array(self, limits: Limits, name: str) -> np.ndarray:
        (offset,) = whole_numbers([self.offset], f"the offset of {name}")
        shape = whole_numbers(self.shape, f"the shape of {name}")
        strides = whole_numbers(self.strides, f"the strides of {name}")
        size, storage = itemsize(self.code), self.storage
        start = storage.start * itemsize(storage.code) + offset * size
        end = storage.start + storage.count
        reach = start + size * (1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)))
        limits.memory.take(num_bytes(shape, self.code), f"{name} of shape {shape}")
        if 0 in shape:
            return native(np.zeros(shape, stored_dtype(self.code)), self.code)
        content = storage.source.content(storage.key, limits)
        if reach > min(len(content), end * itemsize(storage.code)):
            raise ValueError(f"{name} of shape {shape} reaches beyond its storage")
        stored = stored_dtype(self.code, storage.source.order)
        steps = [stride * size for stride in strides]
        return native(np.ndarray(shape, stored, content, start, steps), self.code)


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
    return _machine(stream, limits, source, {}).load()


def _pickled(file: BinaryIO, limits: Limits) -> Any:
    """The value of a pickle, or of an older file of PyTorch."""
    builders = {**_builders(limits), "torch.storage._load_from_bytes": _unpacker(limits)}
    value = Machine(Stream(file), limits, builders).load()
    return _older(file, limits) if value == _MAGIC else value


def _older(file: BinaryIO, limits: Limits) -> Any:
    stream, source, sizes = Stream(file), _Tail(file), dict[str, int]()
    machine = _machine(stream, limits, source, sizes)
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


def _machine(stream: Stream, limits: Limits, source: _Source, sizes: dict[str, int]) -> Machine:
    """A machine that knows storages; ``sizes`` gets the bytes an element of each, by key."""

    def storage(identity: Any) -> Storage:
        if not isinstance(identity, tuple) or len(identity) not in (5, 6):
            raise ValueError("a storage without type, key and size")
        _, code, key, _, count, *view = identity
        start = 0
        if view and view[0] is not None:  # of older files: a storage within another
            _, start, count = view[0]
        start, count = whole_numbers([start, count], "the size of a storage")
        sizes[_checked_key(key)] = itemsize(_checked_code(code))
        return Storage(source, key, code, start, count)

    return Machine(stream, limits, _builders(limits), storage)


def _builders(limits: Limits) -> dict[str, Any]:
    """What the pickle of a file of PyTorch may name."""
    return {
        **plain_builders(limits),
        **{f"torch.{name}": code for name, code in (_STORAGES | _DTYPES).items()},
        **{f"torch.cuda.{name}": code for name, code in _STORAGES.items()},
        "torch.storage.UntypedStorage": "u1",
        "torch._utils._rebuild_tensor": _rebuild_tensor,
        "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
        "torch._utils._rebuild_tensor_v3": _rebuild_typed_tensor,
        "torch._utils._rebuild_parameter": _rebuild_parameter,
        "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
        "torch.Size": lambda sides=(): sides,
        "torch.device": lambda *_: Other(),
    }


def _rebuild_tensor(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    grad: Any = 0,
    hooks: Any = 0,
    bits: Any = 0,
) -> Tensor:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without storage")
    if bits:
        raise ValueError("a tensor that is to be conjugated or negated: expected plain numbers")
    return Tensor(storage, offset, shape, strides, storage.code)


def _rebuild_typed_tensor(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    grad: Any,
    hooks: Any,
    code: Any,
    bits: Any = 0,
) -> Tensor:
    tensor = _rebuild_tensor(storage, offset, shape, strides, bits=bits)
    return replace(tensor, code=_checked_code(code))


def _rebuild_parameter(data: Any, *_: Any) -> Packed:
    if not isinstance(data, Packed):
        raise ValueError("a parameter without tensor")
    return data


def _checked_code(code: Any) -> str:
    if not isinstance(code, str) or code not in CODES:
        raise ValueError("a storage or tensor without type")
    return code


def _checked_key(key: Any) -> str:
    if not isinstance(key, str) or len(key) > _MAX_KEY:
        raise ValueError("a storage without key")
    return key
