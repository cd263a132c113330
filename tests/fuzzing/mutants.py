"""How files are damaged: by bytes, by tokens, by the values of a JSON, by what a header says."""

import gzip
import json
import random
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

HUGE = 60_000
BOMBS = [
    3000,
    3000,
    3000,
    3000,
    3000,
    3000,
    9000,
    14_000,
]  # sides in pixels of images that are sound, and large
ENCODINGS = ["utf-16", "utf-32", "utf-8-sig", "utf-7", "cp037"]
VALUES: list[Any] = [None, True, -1, 0, 1.5, 10**9, 2**31, 2**63, 10**400, 1e308, -1e308]
VALUES += [float("nan"), float("inf"), "", "x" * 1000, "\0", "\ud800", "../../../etc/passwd"]
VALUES += ["/etc/passwd", "C:\\1.png", [], {}, [[]], [None], {"": {}}, [0] * 6, "NaN", "1" * 5000]
TOKENS = ["", "-1", "0", "1e999", "nan", "inf", "9" * 400, "x", "\0", "../..", "<", "&a;", "[", "{"]
TOKENS += ["4294967296", "1.5", "-1e308", "é", "'", '"', "\n", ":", "!!python/object:os.system"]


def mutate(folder: Path, rng: random.Random) -> str:
    """Damages one to three files of a dataset; says how."""
    done = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
        if files:
            path = rng.choice(_annotations(files) if rng.random() < 0.8 else files)
            damage = rng.choice(_damages_for(path))
            damage(path, rng)
            done.append(f"{damage.__name__.strip('_')} {path.relative_to(folder)}")
    return ", ".join(done)


def _annotations(files: list[Path]) -> list[Path]:
    """All that is no photograph; those too where there is nothing else."""
    folders = ("photos", "images", "JPEGImages", "Images", "leftImg8bit", "val2017")
    return [f for f in files if not set(f.parts) & set(folders)] or files


def _damages_for(path: Path) -> list[Callable[[Path, random.Random], None]]:
    if path.suffix == ".json":
        return [*BYTES, *TEXT, *[_value] * 10, _duplicate_key, _nest]
    if path.suffix == ".png":
        return [*BYTES, *[_png_header] * 4, _png_bomb]
    if path.suffix in (".xml", ".txt", ".yaml", ".pbtxt"):
        return [*BYTES, *[_token] * 8, *TEXT]
    if ".record" in path.name:
        return [*BYTES, *[_record] * 10]
    return BYTES


def _truncate(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data) + 1)])


def _flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 4, 32])):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)


def _repeat(path: Path, rng: random.Random) -> None:
    """A piece twice, or very often."""
    data = path.read_bytes()
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice([1, 8, 64, 512]))
    path.write_bytes(data[:end] + data[start:end] * rng.choice([1, 3, 1000]) + data[end:])


def _cut_out(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    start = rng.randrange(len(data) + 1)
    path.write_bytes(data[:start] + data[start + rng.choice([1, 8, 64, 512]) :])


def _swap(path: Path, rng: random.Random) -> None:
    """The content of another file of the dataset."""
    others = sorted(p for p in path.parent.parent.rglob("*") if p.is_file())
    shutil.copyfile(rng.choice(others), path.with_name("swapped"))
    path.with_name("swapped").replace(path)


def _gone(path: Path, rng: random.Random) -> None:
    path.unlink()
    if rng.random() < 0.5:
        path.mkdir()


def _gzip(path: Path, rng: random.Random) -> None:
    """Packed; or a megabyte of it that unpacks to a gigabyte of zeros."""
    bomb = gzip.compress(bytes(2**20)) * 1000
    path.write_bytes(gzip.compress(path.read_bytes()) if rng.random() < 0.9 else bomb)


def _encoding(path: Path, rng: random.Random) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    path.write_bytes(text.encode(rng.choice(ENCODINGS), "replace"))


def _deep(path: Path, rng: random.Random) -> None:
    """Very deeply nested, whatever it is."""
    start, end = rng.choice([("[", "]"), ('{"a":', "}"), ("<a>", "</a>"), ("- ", "")])
    depth = rng.choice([200, 5000, 100_000])
    path.write_text(start * depth + end * rng.choice([0, depth]))


def _token(path: Path, rng: random.Random) -> None:
    """Numbers and words in the place of others."""
    text = path.read_bytes().decode("utf-8", "replace")
    tokens = list(re.finditer(r"[\w.-]+", text))
    for match in sorted(rng.sample(tokens, min(len(tokens), rng.choice([1, 1, 3]))), reverse=True,
                        key=lambda m: m.start()):  # fmt: skip
        new = rng.choice([*TOKENS, rng.choice(tokens)[0]])
        text = text[: match.start()] + new + text[match.end() :]
    path.write_bytes(text.encode("utf-8", "replace"))


def _value(path: Path, rng: random.Random) -> None:
    """A value, a key or a part of a JSON is another one, missing, or there twice."""
    try:
        content = json.loads(path.read_bytes())
        places = list(_places(content))
    except (ValueError, TypeError, RecursionError):  # damaged before
        return _token(path, rng)
    if places:
        for _ in range(rng.choice([1, 1, 1, 3])):
            _change(*rng.choice(places), places, rng)
    path.write_bytes(json.dumps(content).encode("utf-8", "surrogatepass"))


def _places(content: Any):
    """Every (container, key) of a JSON."""
    keys = content if isinstance(content, dict) else range(len(content))
    for key in list(keys):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from _places(content[key])


def _change(container: Any, key: Any, places: list, rng: random.Random) -> None:
    try:
        old = container[key]
    except (KeyError, IndexError):  # an earlier change took it
        return
    kind = rng.choice(["value", "value", "value", "other", "drop", "rename", "twice", "scale"])
    if kind == "value":
        container[key] = rng.choice(VALUES)
    elif kind == "other":
        other, place = rng.choice(places)
        values = other if isinstance(other, list) else list(other.values())
        container[key] = json.loads(json.dumps(rng.choice(values))) if values else None
    elif kind == "drop":
        del container[key]
    elif kind == "rename" and isinstance(container, dict):
        container[rng.choice(["", "x", str(key).upper(), str(key) + " "])] = container.pop(key)
    elif kind == "twice" and isinstance(container, list):
        container[key:key] = [old] * rng.choice([1, 2, 1000])
    elif isinstance(old, int | float) and not isinstance(old, bool):
        container[key] = old * rng.choice([-1, 0.5, 1e3, 1e6, 1e12])


def _duplicate_key(path: Path, rng: random.Random) -> None:
    text = path.read_bytes().decode("utf-8", "replace")
    keys = list(re.finditer(r'"\w+": ', text))
    if keys:
        match = rng.choice(keys)
        path.write_bytes(
            (text[: match.start()] + match[0] + "0, " + text[match.start() :]).encode()
        )


def _nest(path: Path, rng: random.Random) -> None:
    """A number of the JSON deep in lists."""
    text = path.read_bytes().decode("utf-8", "replace")
    numbers = list(re.finditer(r"\d+(\.\d+)?", text))
    if numbers:
        match, depth = rng.choice(numbers), rng.choice([1, 50, 900, 100_000])
        nested = "[" * depth + match[0] + "]" * depth
        path.write_bytes((text[: match.start()] + nested + text[match.end() :]).encode())


def _png_header(path: Path, rng: random.Random) -> None:
    """Another size, depth or colour type, with the right checksum: the pixels do not follow."""
    data = path.read_bytes()
    if len(data) < 33:
        return
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    odd = [0, 1, width - 1, width + 1, 13_000, HUGE, 2**31 - 1, 2**32 - 1]
    width, height = (rng.choice([side, rng.choice(odd)]) for side in (width, height))
    sides = width % 2**32, height % 2**32
    depth, colour = rng.choice([depth, 1, 16, 7]), rng.choice([colour, 0, 2, 3, 4, 6, 9])
    path.write_bytes(_with_header(data, struct.pack(">IIBB", *sides, depth, colour)))


def _with_header(data: bytes, fields: bytes) -> bytes:
    header = b"IHDR" + fields + data[26:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def _png_bomb(path: Path, rng: random.Random) -> None:
    """A sound PNG of some kilobytes that unpacks to hundreds of megabytes."""
    side = rng.choice(BOMBS)
    depth = rng.choice([8, 16])
    row = bytes(1 + side * depth // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, 0))]
    chunks += [(b"IDAT", pixels), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _record(path: Path, rng: random.Random) -> None:
    """Another example in a record whose checksums are right."""
    try:
        records = [r.numpy() for r in tf.data.TFRecordDataset(str(path))]
    except tf.errors.OpError:
        return
    with tf.io.TFRecordWriter(str(path)) as stream:
        for record in records:
            stream.write(_damaged_example(record, rng))


def _damaged_example(record: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        data = bytearray(record)
        data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data[: rng.choice([len(data), rng.randrange(len(data))])])
    try:
        example = tf.train.Example.FromString(record)
    except Exception:  # damaged before: protobuf's own error, whose module is not ours to need
        return record[::-1]
    features = example.features.feature
    for _ in range(rng.choice([1, 1, 3])):
        key = rng.choice(sorted(features) or [""])
        kind = features[key].WhichOneof("kind")
        values = list(getattr(features[key], kind).value) if kind else []
        odd = {
            "int64_list": [0, -1, 2**31, 2**63 - 1, 13_000, HUGE],
            "float_list": [float("nan"), float("inf"), -1.0, 1e38, 0.0],
            "bytes_list": [b"", b"\xff\0", b"x" * 1000, b"../../x", *values[:1]],
        }.get(kind, [])
        action = rng.choice(["set", "set", "set", "more", "none", "gone", "kind"])
        if action == "gone":
            del features[key]
        elif action == "kind":
            features[key].CopyFrom(features[rng.choice(sorted(features))])
        elif odd and values and action == "set":
            values[rng.randrange(len(values))] = rng.choice(odd)
            getattr(features[key], kind).value[:] = values
        elif odd:
            getattr(features[key], kind).value[:] = values + odd[:1] if action == "more" else []
    return example.SerializeToString()


BYTES = [_truncate, _flip, _flip, _repeat, _cut_out, _swap, _gone, _gzip]
TEXT = [_encoding, _deep, _token]
