"""One file over HTTP: continued where it was cut, never from https down to http, never too big."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Progress = Callable[[int, "int | None"], object]
"""Takes the bytes that are there and how many there will be, where that is known."""

TRIES = 4  # in a row that bring nothing new
PAUSE = 1.0  # seconds before the second of them; each later one waits twice as long
TIMEOUT = 30.0  # seconds without a byte
BLOCK = 64 * 1024
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_NO_NETWORK = (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH)


class DownloadError(RuntimeError):
    """A file could not be had, or is not what it should be; the message says what to do."""


class _PassingError(Exception):
    """What may pass: the next try goes on from what is there."""


def get(url: str, part: Path, limit: int, progress: Progress) -> None:
    """Brings a file, or the rest of one.

    Args:
        url: http or https.
        part: where the bytes go. What an earlier call left there is continued, if the server's file
            is still the same; beside it ``….json`` keeps what that is known by.
        limit: the most bytes to take.
        progress: called after each block.

    Raises:
        DownloadError: it cannot be had. What came so far stays in ``part``.
        OSError: it cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url} is no http or https address")
    opener = _opener()  # now, not at import: the proxies of the environment may have changed
    farthest = _length(part)
    failures = 0
    while True:
        try:
            return _attempt(opener, url, part, limit, progress)
        except _PassingError as cut:
            farthest, before = max(farthest, _length(part)), farthest
            failures = 1 if farthest > before else failures + 1
            if failures == TRIES:
                raise DownloadError(f"{url}: {cut}; given up after {TRIES} tries") from cut
        time.sleep(PAUSE * 2 ** (failures - 1))


def _attempt(
    opener: urllib.request.OpenerDirector, url: str, part: Path, limit: int, progress: Progress
) -> None:
    headers = {"User-Agent": "kmaskrcnn", "Accept-Encoding": "identity"}
    note = _read_note(part, url)
    if note:
        headers |= {"Range": f"bytes={_length(part)}-", "If-Range": note["validator"]}
    with _open(opener, urllib.request.Request(url, headers=headers), part) as response:
        done, total = _span(response, part, note)
        _check_room(url, done, total, limit, part)
        with part.open("r+b" if done else "wb") as file:
            if not done:
                _write_note(part, url, response, total)
            file.seek(done)
            while block := _read(response):
                done += len(block)
                if done > limit:
                    raise DownloadError(f"{url} sends more than {limit:,} bytes: not the file")
                file.write(block)
                progress(done, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done != total:
        raise _PassingError(f"the connection ended after {done:,} of {total:,} bytes")


def _span(response: Any, part: Path, note: Mapping[str, Any]) -> tuple[int, int | None]:
    """From which byte on the answer is, and of how many in all."""
    if response.status != 206:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    start, total = (int(found[1]), int(found[2])) if found else (-1, -1)
    same = _validator(response) in ("", note.get("validator"))
    if not same or start != _length(part) or total != note.get("total"):
        discard(part)
        raise _PassingError("the server's file changed meanwhile")
    return start, total


def _check_room(url: str, done: int, total: int | None, limit: int, part: Path) -> None:
    if total is None:
        return
    if total > limit:
        raise DownloadError(f"{url} has {total:,} bytes, more than {limit:,}: not the file")
    free = shutil.disk_usage(part.parent).free
    if total - done > free:
        raise DownloadError(
            f"{url} needs {total - done:,} bytes more, {part.parent} has {free:,} left: make room"
        )


def _open(
    opener: urllib.request.OpenerDirector, request: urllib.request.Request, part: Path
) -> Any:
    url = request.full_url
    try:
        return opener.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # less than what is here already: not the file it was
            discard(part)
        if error.code in (*_PASSING, 416):
            raise _PassingError(f"the server answers {error.code} {error.reason}") from error
        why = " ".join(str(error.reason).split())
        raise DownloadError(f"{url}: the server answers {error.code} {why}") from error
    except urllib.error.URLError as error:
        if _is_lasting(error.reason):
            raise DownloadError(f"{url} cannot be reached: {error.reason}") from error
        raise _PassingError(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _PassingError(_said(error)) from error


def _is_lasting(reason: object) -> bool:
    """Whether it is no use to try again soon: no network, no such host, a wrong certificate."""
    lasting = (socket.gaierror, ssl.SSLCertVerificationError)
    return isinstance(reason, lasting) or getattr(reason, "errno", None) in _NO_NETWORK


def _read(response: Any) -> bytes:
    try:
        return response.read(BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _PassingError(_said(error)) from error


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https alone, and never from https to http."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new != "https" and (old, new) != ("http", "http"):
            raise DownloadError(f"{req.full_url} sends on to {newurl}: that is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers of ``file:``, ``ftp:`` and ``data:`` that urllib has by default."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def discard(part: Path) -> None:
    """Deletes a part and what is kept beside it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _validator(response: Any) -> str:
    """What the server's file is known by, if it says something exact; else nothing."""
    etag = response.headers.get("ETag", "")
    return "" if etag.startswith("W/") else etag


def _write_note(part: Path, url: str, response: Any, total: int | None) -> None:
    note = {"url": url, "validator": _validator(response), "total": total}
    _note(part).write_text(json.dumps(note))


def _read_note(part: Path, url: str) -> dict[str, Any]:
    """What is known of a part that can be continued; nothing of any other."""
    try:
        note = json.loads(_note(part).read_text())
    except (OSError, ValueError):
        return {}
    usable = isinstance(note, dict) and note.get("url") == url and note.get("validator")
    return note if usable and note.get("total") and _length(part) else {}


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
