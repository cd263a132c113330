"""PyTorch's tensors as pickles describe them: views of storages, whose bytes lie elsewhere."""

import abc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kmaskrcnn.weights.files.elements import (
    CODES,
    itemsize,
    native,
    num_bytes,
    stored_dtype,
    whole_numbers,
)
from kmaskrcnn.weights.files.limits import Limits
from kmaskrcnn.weights.files.pickled_arrays import Packed, plain_builders
from kmaskrcnn.weights.files.pickles import Builders, Other

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


class Source(abc.ABC):
    """Where storages lie: bytes by key, each read once, so that tensors share what they shared.

    Attributes:
        order: of the bytes of a number, as NumPy writes it.
    """

    order = "<"

    def __init__(self) -> None:
        self._cache: dict[str, bytearray] = {}

    def content(self, key: str, limits: Limits) -> bytearray:
        """The bytes of a storage."""
        if key not in self._cache:
            self._cache[key] = self.read(key, limits)
        return self._cache[key]

    @abc.abstractmethod
    def read(self, key: str, limits: Limits) -> bytearray:
        """The same, each time out of the file; what it takes is taken from ``limits``."""


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

    source: Source
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


def storages(source: Source, sizes: dict[str, int]) -> Callable[[Any], Storage]:
    """What makes a storage of its description outside of the tensors'.

    Args:
        source: has its bytes.
        sizes: gets the bytes of an element of each storage, by its key.
    """

    def storage(identity: Any) -> Storage:
        if not isinstance(identity, tuple) or len(identity) not in (5, 6):
            raise ValueError("a storage without type, key and size")
        _, code, key, _, count, *view = identity
        start = 0
        if view and view[0] is not None:  # of older files: a storage within another
            _, start, count = view[0]
        start, count = whole_numbers([start, count], "the size of a storage")
        sizes[checked_key(key)] = itemsize(_checked_code(code))
        return Storage(source, key, code, start, count)

    return storage


def tensor_builders(limits: Limits) -> Builders:
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


def checked_key(key: Any) -> str:
    """The key of a storage, if it can be one; else ``ValueError``."""
    if not isinstance(key, str) or len(key) > _MAX_KEY:
        raise ValueError("a storage without key")
    return key
