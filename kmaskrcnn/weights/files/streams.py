"""A file as a stream, and the opcodes of pickles that are a single value in it."""

import codecs
import io
import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO

_MAX_DIGITS = 40  # of a number written as text


class Stream:
    """A file that is never asked for more than it has: an announced length is checked first.

    Args:
        file: open for reading, can seek. Nobody else moves in it while the stream is read.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._left = file.seek(0, io.SEEK_END)
        file.seek(0)

    def expect(self, count: int) -> None:
        """Raises ``EOFError`` unless ``count`` more bytes are there."""
        if count > self._left:
            raise EOFError(f"{count:,} bytes were announced, {self._left:,} are left")

    def read(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self.expect(count)
        self._left -= count
        return self.file.read(count)

    def skip(self, count: int) -> int:
        """Goes ``count`` bytes on, and says where in the file they begin."""
        self.expect(count)
        self._left -= count
        return self.file.seek(count, io.SEEK_CUR) - count

    def line(self) -> bytes:
        """What is left of a line, without its end."""
        line = self.file.readline()
        self._left -= len(line)
        if not line.endswith(b"\n"):
            raise EOFError("it ends within a line")
        return line[:-1]

    def number(self, size: int, signed: bool = False) -> int:
        """A whole number of ``size`` bytes, the lowest first."""
        return int.from_bytes(self.read(size), "little", signed=signed)


Reader = Callable[[Stream], Any]


def _number(size: int, signed: bool = False) -> Reader:
    return lambda stream: stream.number(size, signed)


def _sized(size: int, decode: Callable[[bytes], Any]) -> Reader:
    """Reads a length of ``size`` bytes, and then as many."""
    return lambda stream: decode(stream.read(stream.number(size)))


def _constant(make: Callable[[], Any]) -> Reader:
    return lambda stream: make()


def _text(decode: Callable[[bytes], Any]) -> Reader:
    return lambda stream: decode(stream.line())


def _latin1(data: bytes) -> str:
    return data.decode("latin1")  # what a string of Python 2 holds, text or an array's bytes


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def integer(line: bytes) -> int:
    """A number of protocol 0, where a truth value is written as 00 or 01."""
    if line in (b"00", b"01"):
        return line == b"01"
    return int(_short(line).removesuffix(b"L"))


def _float(line: bytes) -> float:
    return float(_short(line))


def _short(line: bytes) -> bytes:
    if len(line) > _MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return line


def _quoted(line: bytes) -> str:
    line = line.strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        raise ValueError("a string without quotes")
    return _latin1(codecs.escape_decode(line[1:-1])[0])


def _raw_unicode(line: bytes) -> str:
    return line.decode("raw-unicode-escape")


# Sets come as lists: their elements need not be hashed.
VALUES: dict[bytes, Reader] = {
    pickle.NONE: _constant(lambda: None),
    pickle.NEWTRUE: _constant(lambda: True),
    pickle.NEWFALSE: _constant(lambda: False),
    pickle.EMPTY_DICT: _constant(dict),
    pickle.EMPTY_LIST: _constant(list),
    pickle.EMPTY_TUPLE: _constant(tuple),
    pickle.EMPTY_SET: _constant(list),
    pickle.INT: _text(integer),
    pickle.LONG: _text(integer),
    pickle.FLOAT: _text(_float),
    pickle.STRING: _text(_quoted),
    pickle.UNICODE: _text(_raw_unicode),
    pickle.BININT: _number(4, signed=True),
    pickle.BININT1: _number(1),
    pickle.BININT2: _number(2),
    pickle.LONG1: _sized(1, _signed),
    pickle.BINFLOAT: lambda stream: struct.unpack(">d", stream.read(8))[0],
    pickle.SHORT_BINSTRING: _sized(1, _latin1),
    pickle.BINSTRING: _sized(4, _latin1),
    pickle.SHORT_BINUNICODE: _sized(1, bytes.decode),
    pickle.BINUNICODE: _sized(4, bytes.decode),
    pickle.BINUNICODE8: _sized(8, bytes.decode),
    pickle.SHORT_BINBYTES: _sized(1, bytes),
    pickle.BINBYTES: _sized(4, bytes),
    pickle.BINBYTES8: _sized(8, bytes),
    pickle.BYTEARRAY8: _sized(8, bytes),
}
