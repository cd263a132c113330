"""JSON as it comes: any Unicode, numbers beyond all range, deep, cut off; read once."""

import json
import math
import tracemalloc

import msgspec
import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.formats.json_files import JsonFile, parse, read_json

NAN = float("nan")


@pytest.fixture
def write(tmp_path):
    def file(data: bytes) -> JsonFile:
        path = tmp_path / "a.json"
        path.write_bytes(data)
        return JsonFile(path)

    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])
def test_any_unicode(write, encoding):
    content = {"name": "Käfer 甲虫", "list": [1, 2]}
    file = write(json.dumps(content, ensure_ascii=False).encode(encoding))
    assert file.content == content
    assert file.top["name"] == "Käfer 甲虫" and file.data == file.data.decode().encode()


def test_the_top_is_parsed_and_no_more(write):
    file = write(b'{"a": [{"b": [1]}, 2], "c": {"d": [1]}, "e": 1.5, "f": null, "g": "x"}')
    assert [bytes(item) for item in file.top["a"]] == [b'{"b": [1]}', b"2"]
    assert bytes(file.top["c"]["d"]) == b"[1]"
    assert (file.top["e"], file.top["f"], file.top["g"]) == (1.5, None, "x")
    assert all(isinstance(item, msgspec.Raw) for item in file.top["a"])


@pytest.mark.parametrize(
    "text, top", [(b"[1, {}]", list), (b"7", int), (b'"x"', str), (b"{}", dict)]
)
def test_any_top(write, text, top):
    assert type(write(text).top) is top


REFUSED = {
    "empty": b"",
    "cut off": b'{"a": [1, 2',
    "words": b"hello",
    "a second value": b"{} {}",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep inside": b'{"a": [' + b'{"b":' * 100_000 + b"1" + b"}" * 100_000 + b"]}",
    "half a UTF-16": b"\xff\xfe\x00",
    "no UTF-8": b'{"\xff": 1}',
    "a number too long": b'{"a": ' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_the_file_s_name(write, data):
    with pytest.raises(DataError, match=r"a\.json: not JSON, or cut off \(.+\); [\d,]+ bytes, beg"):
        print(write(data).top)
    with pytest.raises(DataError, match=r"a\.json: not JSON, or cut off \(.+\); [\d,]+ bytes, beg"):
        print(write(data).content)


def test_missing_and_too_large(tmp_path):
    with pytest.raises(DataError, match=r"gone\.json: the annotation file cannot be read"):
        JsonFile(tmp_path / "gone.json")
    (tmp_path / "a.json").write_text("[1, 2]")
    with pytest.raises(DataError, match="6 bytes; expected at most 5"):
        read_json(tmp_path / "a.json", 5)
    assert read_json(tmp_path / "a.json", 6) == [1, 2]


def test_numbers_beyond_all_range():
    assert parse(b"1" + b"0" * 400) == 10**400
    assert parse(b"[1e999, -1e999]") == [math.inf, -math.inf]
    assert math.isnan(parse(b"NaN")) and parse(b'"\\ud800"') == "\ud800"


def test_what_json_does_not_know_is_null_but_not_in_quotes(write):
    data = b'{"a": [NaN, {"b": -Infinity, "c\\"NaN": "x NaN \\\\", "NaN": Infinity}]}'
    file = write(data)
    assert parse(file.top["a"][0]) is None
    assert parse(file.top["a"][1]) == {"b": None, 'c"NaN': "x NaN \\", "NaN": None}


def test_of_keys_that_occur_twice_the_last_counts(write):
    file = write(b'{"a": [1], "a": [2, 3]}')
    assert len(file.top["a"]) == 2 and file.content == {"a": [2, 3]}


def test_a_large_file_is_held_once(write):
    row = b"[" + b",".join([b"123.25"] * 20_000) + b"]"
    data = b'{"a": [' + b",".join([row] * 100) + b"]}"
    tracemalloc.start()
    try:
        file = write(data)
        assert len(file.top["a"]) == 100
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.1 * len(data)
