"""Writing files so that a whole one stands in its place at every moment, or what stood before."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".writing-"  # folders of files that are not whole yet: .writing-<process>-<number>
# Why, and what to do; what else goes wrong is said in the system's words.
_REASONS = {
    errno.ENOSPC: "the disk is full: free some space, or write to another disk",
    errno.EDQUOT: "the disk quota is used up: delete something, or write to another disk",
    errno.EROFS: "the file system is read-only: give another folder",
    errno.EACCES: "permission denied: change the rights, or give another folder",
    errno.EPERM: "permission denied: change the rights, or give another folder",
    errno.ENOENT: "its folder is not there any more: make it, or give another one",
    errno.ENOTDIR: "what should be its folder is a file: give another folder",
    errno.EEXIST: "what should be its folder is a file: give another folder",
    errno.EISDIR: "there is a folder of that name: give another name",
    errno.EFBIG: "the file would be larger than allowed: raise the limit (ulimit -f)",
    errno.ENAMETOOLONG: "the name is too long: give a shorter one",
}


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place to write a file, which stands under its name only when it is whole and on the disk.

    Whoever reads meanwhile, and whoever comes after a kill, finds the old file. By-products of the
    writer vanish.

    Args:
        path: its folder is made. A device or a pipe is written to directly; a link is followed.

    Yields:
        The path to write to: the same name, in a new folder beside.

    Raises:
        OSError: one sentence that names the path, the reason and what to do. What stood there
            before stays.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    path = path.resolve() if path.is_symlink() else path
    beside = path.parent / f"{UNFINISHED}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        beside.mkdir(parents=True)
        yield beside / path.name
        if beside.is_dir() and not (beside / path.name).exists():
            raise OSError("its writer wrote nothing")
        _flush(beside / path.name)
        os.replace(beside / path.name, path)
        _flush(path.parent)
    except Exception as error:
        sentence = _sentence(path, beside, error)
        if sentence is None:
            raise
        raise sentence from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes text as UTF-8, whole or not at all; see `atomic`."""
    write_bytes(path, text.encode())


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes bytes, whole or not at all; see `atomic`."""
    with atomic(path) as unfinished:
        unfinished.write_bytes(data)


def duplicate(source: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """The same content under another name: a hard link where there are such, else a copy.

    Files that are only ever replaced, as `atomic` does, do not change under their other name.
    """
    with atomic(path) as unfinished:
        try:
            os.link(source, unfinished)
        except OSError:  # a file system without hard links
            shutil.copyfile(source, unfinished)


def remove_unfinished(folder: str | os.PathLike[str]) -> list[str]:
    """Removes what killed processes left half-written in a folder.

    Returns:
        The names of what was removed; what a living process may be writing is not touched.
    """
    left = [
        place
        for place in Path(folder).glob(f"{UNFINISHED}*-*")
        if not _is_another_process(place.name.split("-")[1])
    ]
    for place in left:
        shutil.rmtree(place, ignore_errors=True)
    return sorted(place.name for place in left)


def _flush(path: Path) -> None:
    """Onto the disk, so that a power cut leaves the old or the new; a folder: its entries."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    except OSError as error:  # some network file systems flush no folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(number)


def _sentence(path: Path, beside: Path, error: Exception) -> OSError | None:
    """The error about this file in words for its user; None for an error about something else."""
    number = _number(error)
    about = getattr(error, "filename", None)
    ours = {path, path.parent, beside, beside / path.name}
    if not isinstance(error, OSError) and number is None:
        return None
    if about is not None and Path(os.fsdecode(about)) not in ours:
        return None
    reason = _REASONS.get(number or 0) or getattr(error, "strerror", None) or str(error)
    found = OSError(f"{path}: cannot be written: {reason}. What stood there before is unchanged.")
    found.errno = number
    return found


def _number(error: Exception) -> int | None:
    """The system's number of an error; HDF5 has it in its text only."""
    number = getattr(error, "errno", None)
    in_text = re.search(r"errno = (\d+)", str(error))
    return int(in_text[1]) if number is None and in_text else number


def _is_another_process(number: str) -> bool:
    """Whether a process of this number runs, other than this one."""
    if not number.isdecimal() or int(number) == os.getpid():
        return False
    if os.name == "nt":  # which removes no open files, and has no harmless signal
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
