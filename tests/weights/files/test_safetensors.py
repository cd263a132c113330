import json

import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays
from tests.weights.expected import FILES, assert_same, torch_arrays
from tests.weights.hostile import cheap, floats


def write(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(dtype="F32", shape=(2,), place=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}


def test_file_of_safetensors():
    assert_same(read_arrays(FILES / "plain.safetensors"), torch_arrays())


def test_arrays_lie_in_any_order(tmp_path):
    header = {"b": entry(place=(8, 16)), "a": entry(place=(0, 8)), "__metadata__": {"format": "pt"}}
    arrays = read_arrays(write(tmp_path / "two.safetensors", header, floats(4)))
    np.testing.assert_array_equal(arrays["a"], [0, 1])
    np.testing.assert_array_equal(arrays["b"], [2, 3])


LIES = {
    "header": ({}, 2**63, "bytes were announced, 2 are left"),
    "long header": (b" " * (3 << 20), None, "its header has 3,145,728 bytes, expected at most"),
    "no table": ([1], None, "its header is no table"),
    "no text": (b"\xff\xfe{", None, "is no whole"),
    "nested": (b"[" * 100_000, None, "is no whole"),
    "shape": ({"w": entry(shape=(3,))}, None, r"w of shape \(3,\) does not fit its 8 bytes"),
    "overflow": ({"w": entry(shape=(2**32, 2**32))}, None, "does not fit its 8 bytes"),
    "negative": ({"w": entry(shape=(-2,))}, None, "the shape of w is not made of whole numbers"),
    "fraction": ({"w": entry(shape=(2.0,))}, None, "the shape of w is not made of whole numbers"),
    "beyond the end": ({"w": entry(shape=(2**20,), place=(0, 2**22))}, None, "were announced"),
    "giant": ({"w": entry(shape=(2**40,), place=(0, 2**42))}, None, "were announced"),
    "overlap": ({"a": entry(), "b": entry(place=(4, 12))}, None, "b of shape .* does not fit"),
    "twice": ({"a": entry(), "b": entry()}, None, "b of shape .* does not fit"),
    "gap": ({"a": entry(shape=(1,), place=(4, 8))}, None, "does not fit its 4 bytes"),
    "backwards": ({"a": entry(shape=(0,), place=(8, 4))}, None, "does not fit"),
    "type": ({"w": entry("F8_E4M3", (8,))}, None, "w is made of F8_E4M3, expected numbers"),
    "type of a list": ({"w": entry(["F32"])}, None, "is no whole"),
    "entry": ({"w": 3}, None, "is no whole"),
    "nothing": ({}, None, "holds no arrays"),
}


@pytest.mark.parametrize("header, length, message", LIES.values(), ids=LIES.keys())
def test_headers_that_lie(tmp_path, header, length, message):
    path = write(tmp_path / "evil.safetensors", header, floats(2) if header else b"", length)
    with cheap(2), pytest.raises(ValueError, match=rf"evil\.safetensors .*{message}"):
        read_arrays(path)
