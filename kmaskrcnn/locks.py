"""One owner at a time for a folder, on one machine or on several that share it."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from kmaskrcnn.files import atomic

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NAME = ".lock"
_FAR = 1 << 30  # the byte that Windows locks: beyond the text, which others may then read


class FolderInUseError(OSError):
    """Somebody else holds the folder; the message says who and since when."""


@contextmanager
def locked(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Holds a folder for oneself. The system lets go of it when the process ends, however it ends.

    Args:
        folder: made if need be; the lock is its file `.lock`, which stays.

    Yields:
        The folder.

    Raises:
        FolderInUseError: another process, or another training of this one, holds it.
        OSError: the folder cannot be written to; names it, and what to do.
    """
    path = Path(folder) / NAME
    if not path.exists():
        with atomic(path) as new:  # makes the folder, and has the words for what may go wrong
            new.touch()
    with path.open("r+") as file:
        if not _take(file.fileno()):
            holder = path.read_text().strip() or "another process"
            raise FolderInUseError(
                f"{folder}: in use by {holder}. Two trainings in one folder would overwrite each "
                "other: wait for its end, or give another folder."
            )
        try:
            file.truncate(0)
            now = datetime.now().astimezone()
            file.write(f"process {os.getpid()} on {socket.gethostname()} since {now:%F %T}\n")
            file.flush()
            yield Path(folder)
        finally:
            _release(file.fileno())


def _take(number: int) -> bool:
    """Whether the lock is ours now; a file system that knows no locks gives it to everybody."""
    try:
        if sys.platform == "win32":
            os.lseek(number, _FAR, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
            os.lseek(number, 0, os.SEEK_SET)
        else:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)
    return True


def _release(number: int) -> None:
    if sys.platform == "win32":
        os.lseek(number, _FAR, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_UNLCK, 1)
    # elsewhere closing the file lets go
