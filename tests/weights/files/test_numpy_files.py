import io
import zipfile

import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays, write_arrays
from tests.weights.expected import assert_same
from tests.weights.hostile import Calls, cheap, touch


def test_what_is_written_is_exactly_what_was_given(tmp_path):
    """Also under names that `numpy.savez` has parameters of."""
    arrays = {name: np.full((2, 3), 1.5, np.float32) for name in ("a/b", "file", "allow_pickle")}
    write_arrays(tmp_path / "a.npz", arrays)
    with np.load(tmp_path / "a.npz") as written:
        assert sorted(written) == sorted(arrays)
        assert_same(dict(written), arrays)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_every_order(tmp_path, save):
    grid = np.arange(6, dtype=np.float32).reshape(2, 3)
    state = {"c": grid, "fortran": np.asfortranarray(grid), "empty": grid[:0], "scalar": grid[1, 1]}
    save(tmp_path / "a.npz", **state, text=np.array(["a", "bc"]))
    arrays = read_arrays(tmp_path / "a.npz")
    assert arrays.pop("text").tolist() == ["a", "bc"]
    np.testing.assert_array_equal(arrays.pop("fortran"), grid)
    del state["fortran"]
    assert_same(arrays, {name: np.asarray(array) for name, array in state.items()})


def test_mostly_zeros_are_no_bomb(tmp_path):
    np.savez_compressed(tmp_path / "zeros.npz", w=np.zeros((1000, 1000), np.float32))
    assert read_arrays(tmp_path / "zeros.npz")["w"].shape == (1000, 1000)


def test_bomb(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", w=np.zeros(100 << 20, np.uint8))
    assert (tmp_path / "bomb.npz").stat().st_size < 200_000
    with (
        cheap(),
        pytest.raises(ValueError, match="bomb.npz was not read: what it unpacks to: more"),
    ):
        read_arrays(tmp_path / "bomb.npz")


def test_objects_are_not_unpickled(tmp_path):
    harm = tmp_path / "harm"
    np.savez(tmp_path / "evil.npz", w=np.array([touch(harm)], dtype=object))
    with pytest.raises(ValueError, match=r"evil\.npz .*w\.npy holds Python objects"):
        read_arrays(tmp_path / "evil.npz")
    assert not harm.exists()
    assert isinstance(touch(harm), Calls)


def header(shape: str, dtype: str = "'<f4'", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    size = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + text


LIES = {
    "giant": (header("(1099511627776,)"), "needs 4,398,046,511,104 bytes, 8 are there"),
    "overflow": (header("(4294967296, 4294967296)"), "8 are there"),
    "negative": (header("(-1, -2)"), "8 are there"),
    "nothing a value": (header("(1099511627776,)", "'V0'"), "needs 0 bytes"),
    "huge values": (header("(1,)", "'V2147483647'"), "needs 2,147,483,647 bytes"),
    "code": (header("__import__('os').system('touch harm')"), "malformed node"),
    "long header": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "reading array header"),
    "version": (header("(2,)", version=b"\x03\x00"), "of an unknown version"),
    "no array": (b"a text", "the magic string is not correct"),
    "nested": (header("(" * 5000), ""),
}


@pytest.mark.parametrize("content, message", LIES.values(), ids=LIES.keys())
def test_headers_that_lie(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "evil.npz", "w") as archive:
        archive.writestr("w.npy", content + bytes(8))
    with (
        cheap(4),
        pytest.raises(ValueError, match=rf"evil\.npz is no whole \.npz file .*{message}"),
    ):
        read_arrays(tmp_path / "evil.npz")
    assert not (tmp_path / "harm").exists()


def test_header_of_version_2(tmp_path):
    content = io.BytesIO()
    np.lib.format.write_array(content, np.arange(3), version=(2, 0))
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        archive.writestr("w.npy", content.getvalue())
    np.testing.assert_array_equal(read_arrays(tmp_path / "two.npz")["w"], [0, 1, 2])
