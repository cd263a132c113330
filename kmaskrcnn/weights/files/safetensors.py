"""The ``.safetensors`` of Hugging Face: the length of a header, the header in JSON, the arrays."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.weights.files.elements import (
    itemsize,
    native,
    num_bytes,
    stored_dtype,
    whole_numbers,
)
from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.streams import Stream

_LONGEST_HEADER = 2 << 20  # bytes; that of a Mask R-CNN has some 50,000
_CODES = {
    **{"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "bf2", "BOOL": "b1"},
    **{f"I{8 * size}": f"i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"u{size}" for size in (1, 2, 4, 8)},
}


def read_safetensors(path: Path, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of a ``.safetensors`` by their names; bfloat16 comes as float32.

    Raises:
        RefusedError: its header is too long, or types are unknown, or arrays overlap.
        EOFError, ValueError: it is broken.
    """
    with path.open("rb") as file:
        stream = Stream(file)
        length = stream.number(8)
        stream.expect(length)
        if length > _LONGEST_HEADER:
            raise RefusedError(
                f"its header has {length:,} bytes, expected at most {_LONGEST_HEADER:,}"
            )
        header = json.loads(stream.read(length))
        if not isinstance(header, dict):
            raise ValueError("its header is no table of arrays")
        header.pop("__metadata__", None)
        return {
            name: _array(stream, 8 + length, name, entry, limits)
            for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"])
        }


def _array(stream: Stream, start: int, name: str, entry: dict[str, Any], limits: Limits) -> Any:
    """One array. They follow each other without gaps, so the stream already stands at each."""
    code = _CODES.get(entry["dtype"])
    if code is None:
        raise RefusedError(f"{name[:80]} is made of {str(entry['dtype'])[:20]}, expected numbers")
    shape = whole_numbers(entry["shape"], f"the shape of {name[:80]}")
    begin, end = whole_numbers(entry["data_offsets"], f"the place of {name[:80]}")
    needed = math.prod(shape) * itemsize(code)
    if start + begin != stream.file.tell() or end - begin != needed:
        raise ValueError(f"{name[:80]} of shape {shape} does not fit its {end - begin:,} bytes")
    stream.expect(needed)
    limits.memory.take(num_bytes(shape, code), name[:80])
    data = bytearray(stream.read(needed))
    return native(np.frombuffer(data, stored_dtype(code)).reshape(shape), code)
