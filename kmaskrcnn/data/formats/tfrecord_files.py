"""TFRecord files by offsets: one pass over the lengths, then any record at once, checked.

Format: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details (length,
its checksum, the data, theirs; CRC-32C, masked)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import google_crc32c

from kmaskrcnn.data.errors import DataError

HEAD, TAIL = 12, 4  # bytes around a record: its length with a checksum, and the data's checksum
SHARD = re.compile(r"^(?P<name>.+?)-(?P<number>\d{5})-of-(?P<total>\d{5})$")
SUFFIXES = (".tfrecord", ".tfrecords", ".record")


class Place(NamedTuple):
    """Where a record lies: its file, and where in it the data begin and how long they are."""

    file: Path
    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.file}, record at byte {self.offset - HEAD}"


def is_record_file(path: Path) -> bool:
    """Whether a file is called like one of records and begins with a length and its checksum."""
    if not (path.suffix in SUFFIXES or SHARD.match(path.name)) or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return len(head) == HEAD and _is_sound(head[:8], head[8:])


def part_of(path: Path) -> str:
    """The name that the shards of one part share: ``train`` of ``train.record-00000-of-00010``."""
    found = SHARD.match(path.name)
    name = found["name"] if found else path.name
    return next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)


def missing_shards(files: Iterable[Path]) -> list[str]:
    """Names of shards that the others say there are."""
    found = [(file, SHARD.match(file.name)) for file in files]
    there = {file.name for file, _ in found}
    wanted = {
        f"{match['name']}-{number:05}-of-{match['total']}"
        for _, match in found
        if match
        for number in range(int(match["total"]))
    }
    return sorted(wanted - there)


def index(file: Path) -> list[Place]:
    """The place of every record of a file; only the lengths are read.

    Raises:
        DataError: cut off, compressed, or no file of records.
    """
    places: list[Place] = []
    at = 0
    try:
        size = file.stat().st_size
        with file.open("rb", buffering=HEAD) as stream:
            while at < size:
                stream.seek(at)
                head = stream.read(HEAD)
                length = int.from_bytes(head[:8], "little")
                if len(head) == HEAD and _is_sound(head[:8], head[8:]):
                    at += HEAD + length + TAIL
                if len(head) < HEAD or at > size:
                    raise DataError(
                        f"{file}: cut off after {size:,} bytes, in record {len(places)}. Copy it "
                        "again."
                    )
                if not _is_sound(head[:8], head[8:]):
                    raise DataError(_foreign(file, head, len(places)))
                places.append(Place(file, at - length - TAIL, length))
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error}).") from error
    return places


def read_record(place: Place) -> bytes:
    """The data of a record.

    Raises:
        DataError: the file has changed or is damaged: the checksum does not fit.
    """
    try:
        with place.file.open("rb") as stream:
            stream.seek(place.offset)
            data = stream.read(place.length + TAIL)
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror or error}).") from error
    if not _is_sound(data[: place.length], data[place.length :]):
        raise DataError(f"{place}: damaged, its checksum does not fit. Copy the file again.")
    return data[: place.length]


def _is_sound(data: bytes, stored: bytes) -> bool:
    checksum = google_crc32c.value(data)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return masked == int.from_bytes(stored, "little")


def _foreign(file: Path, head: bytes, number: int) -> str:
    if head.startswith((b"\x1f\x8b", b"\x78")) and not number:
        return f"{file}: compressed records, which cannot be read one by one. Unpack the file."
    return (
        f"{file}, record {number}: damaged, or no TFRecord file: the checksum of its length does "
        "not fit. Copy the file again."
    )
