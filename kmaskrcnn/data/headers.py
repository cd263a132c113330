"""What the bytes of an image file tell before it is decoded: its size, and if it is whole."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL.BmpImagePlugin import BmpImageFile
from PIL.Image import Image
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile

HEAD_BYTES = 2**18  # holds the frame header, even behind a colour profile
TAIL_BYTES = 2**12
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_2000 = (b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51")
_BY_PILLOW: tuple[tuple[bytes | tuple[bytes, ...], type[ImageFile]], ...] = (
    (_JPEG, JpegImageFile),
    (_PNG, PngImageFile),
    (_TIFF, TiffImageFile),
    (b"BM", BmpImageFile),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), PpmImageFile),
    (_JPEG_2000, Jpeg2KImageFile),
)
_UNREADABLE = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError),
    *(EOFError, AttributeError, RuntimeError, struct.error),
)
"""What Pillow's readers raise for broken headers; `PIL.Image.open` takes them alike."""
ORIENTATION = 0x0112  # the tag of EXIF
TURNED = (5, 6, 7, 8)  # of its values: width and height change places
_NO_LENGTH = {0x01, *range(0xD0, 0xD9)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def read_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) out of a header of PNG, JPEG or GIF; None for anything else."""
    if data.startswith(_PNG) and len(data) >= 24:
        return int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big")
    if data.startswith(_JPEG):
        return _walk_jpeg(data)[0]
    if data.startswith(b"GIF8") and len(data) >= 10:
        return int.from_bytes(data[8:10], "little"), int.from_bytes(data[6:8], "little")
    return None


def declared_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of what would be decoded, also of TIFF, BMP, GIF, PNM and JPEG 2000, by
    Pillow's readers of their headers; None where it is not known.
    """
    return read_size(data) or _by_pillow(io.BytesIO(data))[0]


def stored_size(path: Path) -> tuple[int, int] | None:
    """``declared_size`` of a file, of which only the header is read."""
    try:
        with path.open("rb") as file:
            return _by_pillow(file)[0]
    except OSError:
        return None


def upright_size(path: Path) -> tuple[int, int] | None:
    """(height, width) of a photograph as it is looked at, turned as EXIF says, from its header.

    None of a TIFF that is turned, too: Pillow's versions differ about it.
    """
    try:
        with path.open("rb") as file:
            size, turn = _by_pillow(file)
    except OSError:
        return None
    if size is None or turn not in TURNED:
        return size
    return None if path.suffix.lower() in (".tif", ".tiff") else size[::-1]


def turn_of(path: Path) -> int:
    """EXIF's orientation, 1 … 8; 1: the pixels are stored as they are looked at."""
    try:
        with path.open("rb") as file:
            return _by_pillow(file)[1]
    except OSError:
        return 1


def _by_pillow(file: BinaryIO) -> tuple[tuple[int, int] | None, int]:
    """(height, width) as stored and EXIF's orientation; nothing is decoded for it."""
    head = file.read(16)
    found = next((opens for start, opens in _BY_PILLOW if head.startswith(start)), None)
    file.seek(0)
    if found is None:
        return None, 1
    try:
        with found(file) as image:
            size = image.height, image.width
            turn = Image.getexif(image).get(ORIENTATION, 1)  # a PNG's own method decodes it
            return size, turn if isinstance(turn, int) else 1
    except _UNREADABLE:
        return None, 1  # the decoder says what is wrong with it


def is_cut_off(data: bytes) -> bool:
    """Whether a PNG or JPEG lacks its end: decoders fill the rest with grey and say nothing."""
    if data.startswith(_PNG):
        return b"IEND" not in data[-4096:] and b"IEND" not in data
    if data.startswith(_JPEG):
        scan = _walk_jpeg(data)[1]
        return scan is None or data.find(b"\xff\xd9", scan) < 0
    return False


class Header(NamedTuple):
    """What ``look_at`` found: (height, width) as stored, and whether the file is all there."""

    size: tuple[int, int] | None
    whole: bool


def look_at(path: Path) -> Header | None:
    """A JPEG's or PNG's header and wholeness, without decoding it; None for anything else.

    Of a JPEG its beginning and its end are read, of a PNG every chunk's checksum is compared.
    """
    try:
        with path.open("rb") as file:
            data = file.read(HEAD_BYTES)
            if data.startswith(_PNG):
                data += file.read()
                return Header(read_size(data), _is_intact_png(data))
            if not data.startswith(_JPEG):
                return None
            size, scan = _walk_jpeg(data)
            if size is not None and scan is not None and len(data) == HEAD_BYTES:
                file.seek(max(HEAD_BYTES, file.seek(0, os.SEEK_END) - TAIL_BYTES))
                if b"\xff\xd9" in file.read():
                    return Header(size, True)
                file.seek(HEAD_BYTES)
            data += file.read()
            return Header(read_size(data), not is_cut_off(data))
    except OSError:
        return None


def _is_intact_png(data: bytes) -> bool:
    """Whether every chunk up to the last is there, with its checksum (PNG 1.2, section 3)."""
    view, at = memoryview(data), len(_PNG)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end + 4
    return False


def _walk_jpeg(data: bytes) -> tuple[tuple[int, int] | None, int | None]:
    """The size in the frame header, and where the first scan begins (ITU-T T.81, annex B)."""
    size, at = None, 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return size, None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            return size, at
        if marker in _FRAMES and at + 9 <= len(data):
            size = (
                int.from_bytes(data[at + 5 : at + 7], "big"),
                int.from_bytes(data[at + 7 : at + 9], "big"),
            )
        at += 2 if marker in _NO_LENGTH else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return size, None
