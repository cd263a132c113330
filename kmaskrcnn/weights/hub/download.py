"""Published weights in the user's cache: fetched once, checked each time, never half a file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kmaskrcnn.environment import CACHE as CACHE_VARIABLE
from kmaskrcnn.environment import OFFLINE as OFFLINE_VARIABLE
from kmaskrcnn.environment import cache_folder
from kmaskrcnn.weights.hub import transfer
from kmaskrcnn.weights.hub.published import PublishedWeights
from kmaskrcnn.weights.hub.transfer import DownloadError, Progress

LARGEST = 4 * 2**30  # bytes, of a file whose size nobody states
QUIET = 2.0  # seconds before progress is shown

__all__ = ["DownloadError", "fetch", "is_cached", "place", "problem"]


def fetch(
    weights: PublishedWeights | str,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """The file of some weights: from the cache, or downloaded into it.

    Two processes may ask for the same file at once: one downloads, the other waits.

    Args:
        weights: of `published`, or any http or https address; of an address nothing is known that
            the file could be checked by but the length that the server states.
        folder: where it lies or goes, by the name that it has at its address. By default the
            folder ``weights`` in ``KMASKRCNN_CACHE``, or in ``kmaskrcnn`` in the user's cache.
        progress: called with the bytes that are there, and how many there will be or None. By
            default a line on standard error, of what takes longer than two seconds.

    Returns:
        The path of the file. Its size and checksum are the published ones, as far as there are any.

    Raises:
        DownloadError: it cannot be had (no network, ``KMASKRCNN_OFFLINE=1``, the server refuses, no
            room), or what is there or came is another file. The message says where to put it by
            hand.
        OSError: the folder cannot be written.
    """
    weights = _link(weights) if isinstance(weights, str) else weights
    path = place(weights, folder)
    if path.exists():
        return _checked(path, weights)
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0"):
        raise DownloadError(
            f"{OFFLINE_VARIABLE} is set, and {path} is not there. {_by_hand(weights, path)}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock")):
        if path.exists():  # another process brought it meanwhile
            return _checked(path, weights)
        _download(weights, path, progress or _Line(path.name))
    return path


def place(weights: PublishedWeights, folder: str | os.PathLike[str] | None = None) -> Path:
    """Where the file of some weights lies, or is to lie: by default one folder for each family."""
    if folder is None:
        folder = cache_folder() / "weights" / weights.preset.partition("/")[0]
    return Path(folder).expanduser() / weights.file_name


def is_cached(weights: PublishedWeights) -> bool:
    """Whether a file of the right size lies in its place; `fetch` looks at the checksum as well."""
    path = place(weights)
    return path.is_file() and weights.size in (None, path.stat().st_size)


def problem(path: Path, weights: PublishedWeights) -> str:
    """What is wrong with a file: "expected …, got …", or nothing."""
    if not path.is_file():
        return "expected a file"
    size = path.stat().st_size
    if weights.size not in (None, size):
        return f"expected {weights.size:,} bytes, got {size:,}"
    for kind, expected in (("sha256", weights.sha256), ("md5", weights.md5)):
        if expected is None:
            continue
        with path.open("rb") as file:
            got = _digest(file, kind)
        if not got.startswith(expected.lower()):
            return f"expected a {kind} that begins with {expected}, got {got}"
        break  # the stronger of the two is enough
    return ""


def _digest(file: BinaryIO, kind: str) -> str:
    digest = hashlib.new(kind, usedforsecurity=kind != "md5")
    while block := file.read(2**20):
        digest.update(block)
    return digest.hexdigest()


def _checked(path: Path, weights: PublishedWeights) -> Path:
    if wrong := problem(path, weights):
        raise DownloadError(
            f"{path} is not the file of {weights.url}: {wrong}. Delete it, and it is downloaded "
            "again; or put the right one there"
        )
    return path


def _download(weights: PublishedWeights, path: Path, progress: Progress) -> None:
    part = path.with_name(path.name + ".part")
    limit = weights.size or (int(weights.mib * 1.1 * 2**20) if weights.mib else LARGEST)
    try:
        transfer.get(weights.url, part, limit, progress)
    except DownloadError as error:
        raise DownloadError(f"{error}. {_by_hand(weights, path)}") from error
    if wrong := problem(part, weights):
        transfer.discard(part)
        raise DownloadError(
            f"{weights.url} brought another file, which was deleted: {wrong}. Try again; if it "
            f"comes to the same, the file at that address has changed. {_by_hand(weights, path)}"
        )
    os.replace(part, path)
    transfer.discard(part)


def _by_hand(weights: PublishedWeights, path: Path) -> str:
    return f"By hand: put the file of {weights.url} at {path.absolute()}"


def _link(url: str) -> PublishedWeights:
    """An address that is not in the table, as a row that has nothing to be checked by."""
    key = hashlib.sha256(url.encode()).hexdigest()[:8]  # two addresses, two folders
    row = PublishedWeights(preset=f"link-{key}", name="", url=url, licence="", source="")
    if not re.fullmatch(r"[\w.+-]*\w[\w.+-]*", row.file_name):
        raise ValueError(f"{url} does not end in the name of a file")
    return row


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process, and one thread, at a time. The lock goes with its holder, even a killed one."""
    with path.open("ab") as file:
        waiting = False
        while not _lock(file):
            if not waiting:
                print(f"{path.parent}: waiting for another download", file=sys.stderr)
            waiting = True
            time.sleep(0.2)
        yield


def _lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise DownloadError(
            f"{file.name} cannot be locked ({error}): name another folder in {CACHE_VARIABLE}"
        ) from error
    return True


class _Line:
    """A line on standard error for what takes long; a new one now and then where that is a file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.next = time.monotonic() + QUIET
        self.open = False  # whether the terminal's line is to be ended

    def __call__(self, done: int, total: int | None) -> None:
        if time.monotonic() < self.next and not (self.open and done == total):
            return
        terminal = sys.stderr.isatty()
        self.next = time.monotonic() + (0.5 if terminal else 15.0)
        of = "" if total is None else f" of {total / 2**20:.0f}"
        self.open = terminal and done != total
        end = "\r" if self.open else "\n"
        print(f"{self.name}: {done / 2**20:.0f}{of} MiB", end=end, file=sys.stderr, flush=True)
