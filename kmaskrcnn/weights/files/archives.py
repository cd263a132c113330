"""Zip archives that are looked at before anything of them is unpacked."""

import struct
import zipfile
from typing import BinaryIO

from kmaskrcnn.weights.files.limits import Limits, RefusedError

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what weights are written with
_ENCRYPTED = 1  # bit of the flags
_LOCAL_HEADER = 30  # bytes, then the name and the extra field, whose lengths stand at its end


def open_archive(file: BinaryIO, limits: Limits) -> zipfile.ZipFile:
    """Opens an archive whose members together fit into memory.

    Only deflate is allowed besides plain storage: Python unpacks the other methods in one go,
    whatever size the archive states.

    Args:
        file: the open file.
        limits: what the file may use. Nothing is taken from them yet.

    Returns:
        The archive. Whoever opened ``file`` closes it.

    Raises:
        RefusedError: the members would take too much memory, are encrypted, or packed otherwise.
        zipfile.BadZipFile: this is no archive.
    """
    archive = zipfile.ZipFile(file)
    members = archive.infolist()
    for member in members:
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise RefusedError(
                f"its member {member.filename[:80]!r} is encrypted or not packed by deflate"
            )
    limits.memory.check(sum(member.file_size for member in members), "what it unpacks to")
    return archive


def read_member(archive: zipfile.ZipFile, name: str, limits: Limits) -> bytearray:
    """The bytes of one member, taken from ``limits``.

    Raises:
        KeyError: there is no such member.
        EOFError: there are fewer bytes than stated.
    """
    member = archive.getinfo(name)
    limits.memory.take(member.file_size, f"its member {name!r}")
    if member.CRC == 0 and member.compress_type == zipfile.ZIP_STORED:
        data = bytearray(_read_stored(archive, member))
    else:
        with archive.open(member) as content:  # read with a limit: without one it unpacks all
            data = bytearray(content.read(member.file_size))
    if len(data) != member.file_size:
        raise EOFError(f"{name} has {len(data):,} bytes, {member.file_size:,} were announced")
    return data


def _read_stored(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member without checksum, as ``torch.serialization.set_crc32_options(False)`` writes it."""
    file = archive.fp
    if file is None:
        raise ValueError("the archive is closed")
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) != _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise EOFError(f"{member.filename} is not where the archive says")
    file.seek(sum(struct.unpack("<HH", header[-4:])), 1)
    return file.read(member.file_size)
