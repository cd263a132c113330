"""JSON files of any size: read once, and only as much of them parsed as is asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from kmaskrcnn.data.errors import DataError

Scalar = str | int | float | bool | None
_TOP = msgspec.json.Decoder(
    dict[str, dict[str, msgspec.Raw] | list[msgspec.Raw] | Scalar] | list[msgspec.Raw] | Scalar
)


class JsonFile:
    """A JSON file, read into memory once; what is in it is parsed when it is asked for.

    Attributes:
        path: the file.
        data: its text in UTF-8, whichever Unicode it is written in.
    """

    def __init__(self, path: str | Path, max_bytes: int | None = None) -> None:
        """Reads the bytes, and parses nothing.

        Raises:
            DataError: missing, larger than ``max_bytes``, no text.
        """
        self.path = Path(path)
        try:
            size = self.path.stat().st_size
            if max_bytes is not None and size > max_bytes:
                raise DataError(f"{path}: {size:,} bytes; expected at most {max_bytes:,}.")
            with self.path.open("rb", buffering=0) as file:  # whole, without a second copy
                encoding = json.detect_encoding(file.read(4))
                file.seek(3 if encoding == "utf-8-sig" else 0)
                self.data = file.readall()
        except OSError as error:
            raise DataError(
                f"{path}: the annotation file cannot be read ({error.strerror or error})."
            ) from error
        if not encoding.startswith("utf-8"):
            with self.clear_errors():
                self.data = self.data.decode(encoding).encode()

    @cached_property
    def content(self) -> Any:
        """All of it, parsed: for files of which that is not much.

        Raises:
            DataError: cut off, or no JSON.
        """
        with self.clear_errors():
            return parse(self.data)

    @cached_property
    def top(self) -> Any:
        """The upper two levels: an object of objects and lists, and of the values in these none is
        parsed (``msgspec.Raw``); a list of such; or a single value.

        Raises:
            DataError: cut off, or no JSON.
        """
        with self.clear_errors():
            try:
                return _TOP.decode(self.data)
            except ValueError:
                if b"NaN" not in self.data and b"Infinity" not in self.data:
                    raise
            self.data = _strict(self.data)
            return _TOP.decode(self.data)

    @contextmanager
    def clear_errors(self) -> Iterator[None]:
        """Raises a ``DataError`` in the place of what a parser says."""
        try:
            yield
        except (ValueError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{self.path}: not JSON, or cut off ({error}); {len(self.data):,} bytes, "
                f"beginning {self.data[:24]!r}. Copy or export the file again."
            ) from error


def read_json(path: Path, max_bytes: int | None = None) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: missing, larger than ``max_bytes``, cut off, no JSON.
    """
    return JsonFile(path, max_bytes).content


def parse(text: bytes | msgspec.Raw) -> Any:
    """What a piece of JSON says.

    What msgspec refuses, Python's own parser takes: NaN, numbers beyond float64 (which are infinite
    then) and halves of surrogate pairs.

    Raises:
        ValueError: no JSON.
        RecursionError: nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except ValueError:
        return json.loads(bytes(text))


def _strict(data: bytes) -> bytes:
    """NaN and Infinity, which Python writes but JSON does not know, as null, as JavaScript does.

    What stands in quotes is passed over.
    """
    result, done = bytearray(), 0
    for match in _TOKENS.finditer(data):
        if data[match.start()] != ord('"'):
            result += memoryview(data)[done : match.start()]
            result += b"null"
            done = match.end()
    result += memoryview(data)[done:]
    return bytes(result)


_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|NaN|-?Infinity', re.DOTALL)
