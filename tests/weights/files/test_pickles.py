import builtins
import os
import pickle
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays
from kmaskrcnn.weights.files import limits
from kmaskrcnn.weights.files.pickled_arrays import plain_builders
from kmaskrcnn.weights.files.pickles import Machine
from kmaskrcnn.weights.files.streams import Stream
from tests.weights.expected import FILES, assert_same, detectron2_arrays, detectron_arrays
from tests.weights.hostile import (
    Calls,
    archive,
    cheap,
    floats,
    model,
    named,
    numpy_array,
    older,
    short,
    touch,
    value,
)

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def unpickle(path: Path, content: bytes):
    path.write_bytes(content)
    with path.open("rb") as file:
        few = limits.Limits(path)
        return Machine(Stream(file), few, plain_builders(few)).load()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_of_every_protocol(tmp_path, protocol):
    content = {
        "numbers": [0, 1, 255, 256, 70000, -1, 2**40, -(2**70), 1.5, True, False, None],
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
        "texts": ["", "é", "a 'quoted' \"text\"\n", "x" * 300],
        3: OrderedDict(a=1),
        "milestones": Counter([16, 22]),
    }
    assert unpickle(tmp_path / "file", pickle.dumps(content, protocol)) == content


def test_values_that_stand_twice_are_one(tmp_path):
    twice = ["twice"]
    first, second = unpickle(tmp_path / "file", pickle.dumps([twice, twice]))
    assert first is second


def test_sets_come_as_lists(tmp_path):
    assert unpickle(tmp_path / "file", pickle.dumps([{7}, frozenset([8])], 4)) == [[7], [8]]


def test_strings_of_python_2(tmp_path):
    assert unpickle(tmp_path / "file", b"(S'a\\n\\xe9'\nU\x02b\xe9T\x01\x00\x00\x00cl.") == [
        "a\né",
        "bé",
        "c",
    ]


def test_ordered_dict_of_python_2(tmp_path):
    content = named("collections", "OrderedDict") + value(([["a", 1]],)) + b"R."
    assert unpickle(tmp_path / "file", content) == {"a": 1}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_every_protocol(tmp_path, protocol):
    grid = np.arange(6, dtype=np.float32).reshape(2, 3)
    state = {"c": grid, "fortran": np.asfortranarray(grid), "empty": grid[:0], "scalar": grid[1, 1]}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(state, protocol))
    expected = {name: np.asarray(array) for name, array in state.items()}
    assert_same(read_arrays(tmp_path / "a.pkl"), expected)


@pytest.mark.parametrize("name", ["detectron2_2.pkl", "detectron2_4.pkl"])
def test_file_of_detectron2(name):
    assert_same(read_arrays(FILES / name), detectron2_arrays())


def test_file_of_detectron():
    assert_same(read_arrays(FILES / "detectron.pkl"), detectron_arrays())


# What follows is written to do harm.


def carried(kind: str, folder: Path, content: bytes) -> Path:
    """A pickle in each of the files that hold one."""
    if kind == "archive":
        return archive(folder / "evil.pth", content)
    if kind == "older":
        return older(folder / "evil.pth", content)
    (folder / "evil.pkl").write_bytes(content)
    return folder / "evil.pkl"


@pytest.mark.parametrize("kind", ["plain", "archive", "older"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_function_is_called(tmp_path, kind, protocol):
    harm = tmp_path / "harm"
    content = pickle.dumps({"model": {"w": np.zeros(2), "x": touch(harm)}}, protocol)
    path = carried(kind, tmp_path, content)
    with pytest.raises(ValueError, match=rf"evil.* was not read: it asks for '{os.name}\.system'"):
        read_arrays(path)
    assert not harm.exists(), "the file's command was run"
    pickle.loads(content)  # it is a real one
    assert harm.exists()


@pytest.mark.parametrize(
    "function", [eval, exec, getattr, setattr, __import__, open, builtins.compile, np.load, Path]
)
def test_no_other_function_is_called_either(tmp_path, function):
    path = carried("plain", tmp_path, pickle.dumps(Calls(function, "1")))
    expected = f"{function.__module__}.{function.__name__}"
    with pytest.raises(
        ValueError, match=r"evil\.pkl was not read: it asks for '.*nothing in it was"
    ):
        read_arrays(path)
    with pytest.raises(ValueError, match=expected.split(".")[-1]):
        read_arrays(path)


HARM = b"S'touch harm'\n"
REFUSED = {
    "in the text of protocol 0": (b"(" + HARM + b"ios\nsystem\n.", "asks for 'os.system'"),
    "with a mark": (b"(cos\nsystem\n" + HARM + b"o.", "asks for 'os.system'"),
    "from the stack": (
        b"\x80\x04" + short("os") + short("system") + b"\x93.",
        "asks for 'os.system'",
    ),
    "through an attribute": (
        b"\x80\x04" + short("numpy") + short("dtype.__init__") + b"\x93.",
        "asks for 'numpy.dtype.__init__'",
    ),
    "as a number in a registry": (pickle.EXT1 + b"\x01.", "no opcode of a pickle of arrays"),
    "an object by its class": (
        named("copy_reg", "_reconstructor") + b".",
        "asks for 'copy_reg._reconstructor'",
    ),
    "a whole model": (
        named("torch.nn.modules.conv", "Conv2d") + b")\x81}b.",
        r"asks for 'torch.nn.modules.conv.Conv2d'.*save model.state_dict\(\)",
    ),
    "attributes of a function": (
        named("numpy", "dtype") + b"}" + short("__code__") + b"K\x01sb.",
        "sets the state of a _Named",
    ),
    "a call of a string": (short("numpy.dtype") + b")R.", "calls what is no function"),
    "a name of 100 letters": (named("o" * 100, "s") + b".", f"asks for '{'o' * 80}.s'"),
    "a name that is a list": (b"\x80\x04]]\x93.", "a name that is no string"),
    "outside data of a plain pickle": (short("0") + b"Q.", "refers to data outside"),
}


@pytest.mark.parametrize("content, message", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    path = carried("plain", tmp_path, content)
    with cheap(1), pytest.raises(ValueError, match=rf"evil\.pkl .*{message}"):
        read_arrays(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_state_does_not_change_what_makes_values(tmp_path):
    """The dict of ``OrderedDict`` gets the state, not the class."""
    content = named("collections", "OrderedDict") + b")R}" + short("items") + b"K\x01sb."
    assert unpickle(tmp_path / "file", content) == {}
    assert OrderedDict(a=1).items()


def length(code: bytes, count: int, size: int) -> bytes:
    return code + count.to_bytes(size, "little") + b"only this"


BOMBS = {
    "bytes": (length(pickle.BINBYTES8, 2**60, 8), "1,152,921,504,606,846,976 bytes were announced"),
    "short bytes": (length(pickle.BINBYTES, 2**32 - 1, 4), "4,294,967,295 bytes were announced"),
    "text": (length(pickle.BINUNICODE8, 2**63, 8), "bytes were announced, 9 are left"),
    "bytearray": (length(pickle.BYTEARRAY8, 2**40, 8), "bytes were announced, 9 are left"),
    "string": (length(pickle.BINSTRING, 2**31 - 1, 4), "bytes were announced, 9 are left"),
    "frame": (length(pickle.FRAME, 2**62, 8), "bytes were announced, 9 are left"),
    "long number": (length(pickle.LONG4, 2**31 - 1, 4), "no opcode of a pickle of arrays"),
    "digits": (b"I" + b"9" * 10_000 + b"\n.", "a number of too many digits"),
    "nested key": (b"})" + b"\x85" * 40_000 + b"K\x01s.", "a dict has a tuple as a key"),
    "doubled key": (b"})" + b"2\x86" * 100 + b"K\x01s.", "a dict has a tuple as a key"),
    "doubled name": (b")" + b"2\x86" * 100 + short("x") + b"\x93.", "a name that is no string"),
    "endless": (b"]" * 60_000, "its pickle: more than the 50,000 steps"),
    "marks": (b"(" * 60_000, "its pickle: more than the 50,000 steps"),
    "copies": (
        value([["a", 1]] * 1000)
        + b"q\x00"
        + (named("collections", "OrderedDict") + b"h\x00\x85R") * 50,
        "its pickle: more than the 50,000 steps",
    ),
    "empty": (b"", "1 bytes were announced, 0 are left"),
    "no end": (b"]", "1 bytes were announced, 0 are left"),
    "no line end": (b"cos", "ends within a line"),
    "empty stack": (b"0.", "a broken pickle"),
    "unknown memo": (b"h\x01.", "a broken pickle"),
    "odd items": (b"}(K\x01u.", "is no whole"),
    "items of a number": (b"K\x01(K\x01K\x01u.", "sets an item of a int"),
    "append to a dict": (b"}K\x01a.", "appends to a dict"),
    "web page": (b"<!DOCTYPE html>", "b'<' is no opcode"),
}


@pytest.mark.parametrize("content, message", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_cost_nothing(tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(limits, "_STEPS", 50_000)  # a tenth: the clock below is a slow one
    path = carried("plain", tmp_path, content)
    with cheap(), pytest.raises(ValueError, match=rf"evil\.pkl .*{message}"):
        read_arrays(path)


def test_a_high_memo_costs_nothing(tmp_path):
    """Python's own unpickler reserves 64 GiB for this."""
    path = carried("plain", tmp_path, b"}r\xff\xff\xff\xff0j\xff\xff\xff\xff.")
    with cheap(), pytest.raises(ValueError, match="holds no arrays"):
        read_arrays(path)


def test_what_contains_itself_ends(tmp_path):
    state = {"w": np.ones(2, np.float32)}
    state["model"] = state
    (tmp_path / "round.pkl").write_bytes(pickle.dumps(state))
    with cheap():
        assert_same(read_arrays(tmp_path / "round.pkl"), {"w": state["w"]})


ARRAYS = {
    "giant shape": (numpy_array(floats(2), (2**40,)), "needs 4,398,046,511,104 bytes, has 8"),
    "overflowing shape": (numpy_array(floats(2), (2**32, 2**32)), "has 8"),
    "negative shape": (numpy_array(floats(2), (-1,)), "is not made of whole numbers"),
    "shape of text": (numpy_array(floats(2), ("2",)), "is not made of whole numbers"),
    "shape of 100 sides": (numpy_array(floats(1), (1,) * 100), "at most 32 numbers"),
    "too short": (numpy_array(b"\x00" * 7), "needs 8 bytes, has 7"),
    "too long": (numpy_array(b"\x00" * 9), "needs 8 bytes, has 9"),
    "objects": (numpy_array(b"", (0,), "O8", "|"), "w is made of 'O8', expected numbers"),
    "structure": (numpy_array(b"", (0,), "V2147483647"), "is made of 'V2147483647'"),
    "no type": (numpy_array(floats(2), dtype="f3"), "is made of 'f3'"),
    "no order": (numpy_array(floats(2), order="!"), "a type without byte order"),
    "no state": (
        named("numpy.core.multiarray", "_reconstruct") + value((None, (0,), "b")) + b"R",
        "w has no shape, type and bytes",
    ),
    "state of a list": (
        named("numpy.core.multiarray", "_reconstruct") + value((None, (0,), "b")) + b"R]b",
        "an array without shape",
    ),
    "scalar of an object": (
        named("numpy.core.multiarray", "scalar") + b"(" + named("numpy", "dtype") + value(("O8",))
        + b"R]tR",
        "is made of 'O8'",
    ),
    "unknown encoding": (
        named("_codecs", "encode") + value(("abc", "rot13")) + b"R",
        "in an unknown encoding",
    ),
}  # fmt: skip


@pytest.mark.parametrize("content, message", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_that_lie(tmp_path, content, message):
    path = carried("plain", tmp_path, model(content))
    with cheap(1), pytest.raises(ValueError, match=rf"evil\.pkl .*{message}"):
        read_arrays(path)


def test_a_name_that_is_no_string(tmp_path):
    path = carried("plain", tmp_path, model(numpy_array(floats(2)), b"K\x07"))
    with pytest.raises(
        ValueError, match=r"evil\.pkl was not read: .* called 7, which is no string"
    ):
        read_arrays(path)


def test_many_names_of_one_array_take_memory_once_each(tmp_path):
    """A megabyte under a hundred names is more than its file may need."""
    data = b"\x00" * (1 << 20)
    arrays = (
        numpy_array(data, (1 << 20,), "u1")
        + b"q\x00s"
        + b"".join(short(f"w{i}") + b"h\x00s" for i in range(100))
    )
    path = carried("plain", tmp_path, b"\x80\x04}" + short("w") + arrays + b".")
    with cheap(80), pytest.raises(ValueError, match="more than the 67,108,864 bytes"):
        read_arrays(path)
