"""What the tests of hostile files share: how they are made, and what reading them may cost."""

import os
import pickle
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_MEBIBYTE = 1 << 20


class Calls:
    """Unpickled by Python, it calls ``function(*arguments)``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def touch(path: Path) -> Calls:
    """A pickle's payload that leaves a file at ``path``."""
    return Calls(os.system, f"echo harm > {path}")


@contextmanager
def cheap(mebibytes: float = 8, seconds: float = 10) -> Iterator[None]:
    """Fails where the block allocates or lasts much longer than a file of a few bytes may."""
    tracemalloc.start()
    start = time.monotonic()
    try:
        yield
    finally:
        peak = tracemalloc.get_traced_memory()[1] / _MEBIBYTE
        tracemalloc.stop()
    assert peak < mebibytes, f"{peak:.0f} MiB were allocated"
    assert time.monotonic() - start < seconds


def archive(
    path: Path, content: bytes, storages: dict[str, bytes] | None = None, **options
) -> Path:
    """A file as PyTorch writes it: ``data.pkl`` and storages."""
    with zipfile.ZipFile(path, "w", **options) as file:
        file.writestr("archive/data.pkl", content)
        for key, data in (storages or {}).items():
            file.writestr(f"archive/data/{key}", data)
    return path


def older(path: Path, content: bytes, storages: dict[str, bytes] | None = None) -> Path:
    """A file as PyTorch wrote it before 1.6; the storages are of bytes."""
    storages = storages or {}
    head = [pickle.dumps(value, 2) for value in (_MAGIC, 1001, {"little_endian": True})]
    tail = [len(data).to_bytes(8, "little") + data for data in storages.values()]
    path.write_bytes(b"".join([*head, content, pickle.dumps(list(storages), 2), *tail]))
    return path


def short(text: str) -> bytes:
    """The opcode of a short string."""
    return pickle.SHORT_BINUNICODE + bytes([len(text)]) + text.encode()


def named(module: str, name: str) -> bytes:
    """The opcode of a global."""
    return f"c{module}\n{name}\n".encode()


def value(item) -> bytes:
    """The opcodes of a plain value, without what stands around them in a pickle."""
    return pickle.dumps(item, 2)[2:-1]


def model(item: bytes, name: bytes = short("w")) -> bytes:
    """A pickle of ``{"w": item}``."""
    return b"\x80\x04}" + name + item + b"s."


def storage(key: str = "0", count: int = 4, kind: str = "ByteStorage") -> bytes:
    """The opcodes of a storage."""
    parts = short("storage") + named("torch", kind) + short(key) + short("cpu") + value(count)
    return b"(" + parts + b"tQ"


def tensor(stored: bytes, offset=0, shape=(4,), strides=(1,)) -> bytes:
    """The opcodes of a tensor."""
    view = b"".join(value(item) for item in (offset, shape, strides, False, None))
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + stored + view + b"tR"


def numpy_array(data: bytes, shape=(2,), dtype: str = "f4", order: str = "<") -> bytes:
    """The opcodes of an array whose parts need not fit each other."""
    made = named("numpy.core.multiarray", "_reconstruct") + named("numpy", "ndarray")
    kind = named("numpy", "dtype") + value((dtype, False, True)) + b"R"
    kind += value((3, order, None, None, None, -1, -1, 0)) + b"b"
    raw = pickle.BINBYTES + len(data).to_bytes(4, "little") + data
    return (
        made
        + value((0,))
        + short("b")
        + b"\x87R(K\x01"
        + value(shape)
        + kind
        + b"\x89"
        + raw
        + b"tb"
    )


def floats(count: int) -> bytes:
    """The bytes of 0, 1, 2, … as float32."""
    return np.arange(count, dtype="<f4").tobytes()
