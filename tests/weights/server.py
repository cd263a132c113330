"""A web server on this machine that misbehaves as told."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """How one request is answered; the plain one sends all of the content.

    Attributes:
        status: another than 200 or 206 comes without content.
        location: where a redirect points.
        cut_after: so many bytes of the body are sent, and the connection is closed.
        ranges: whether ``Range`` is heeded.
        etag: None sends none.
        extra_length: added to the true Content-Length; None sends no length.
        content: instead of the server's.
        content_range: instead of the true one.
        pause: seconds before each sixteenth of the body.
    """

    status: int = 200
    location: str = ""
    cut_after: int | None = None
    ranges: bool = True
    etag: str | None = '"first"'
    extra_length: int | None = 0
    content: bytes | None = None
    content_range: str = ""
    pause: float = 0.0


@dataclass
class Server:
    """What is served, how, and what was asked for.

    Attributes:
        content: of every address.
        answers: of the requests in their order; the last one is repeated.
        requests: path and headers of each request so far.
        address: ``http://127.0.0.1:port``.
    """

    content: bytes
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.requests.append((path, headers))
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    def ranges(self) -> list[str]:
        """The ``Range`` of each request, or ``""``."""
        return [headers.get("Range", "") for _, headers in self.requests]


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """A server for as long as the block runs."""
    server = Server(content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            respond(self, server)

        def log_message(self, *args: Any) -> None:
            """Nothing: the tests' output is theirs."""

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{web.server_port}"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


def respond(handler: http.server.BaseHTTPRequestHandler, server: Server) -> None:
    """One answer, as told."""
    answer = server.answer(handler.path, dict(handler.headers))
    content = server.content if answer.content is None else answer.content
    start = first_byte(handler, answer)
    if start and start >= len(content):
        return bare(handler, 416)
    if answer.status != 200:
        return bare(handler, answer.status, answer.location)
    handler.send_response(206 if start else 200)
    if start:
        true = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.send_header("Content-Range", answer.content_range or true)
    if answer.etag is not None:
        handler.send_header("ETag", answer.etag)
    body = content[start:]
    if answer.extra_length is not None:
        handler.send_header("Content-Length", str(len(body) + answer.extra_length))
    handler.end_headers()
    send(handler, body[: answer.cut_after], answer.pause)


def first_byte(handler: http.server.BaseHTTPRequestHandler, answer: Answer) -> int:
    wanted = handler.headers.get("Range", "")
    same = handler.headers.get("If-Range", answer.etag) == answer.etag
    if not (answer.ranges and wanted and same):
        return 0
    return int(wanted.removeprefix("bytes=").removesuffix("-"))


def bare(handler: http.server.BaseHTTPRequestHandler, status: int, location: str = "") -> None:
    handler.send_response(status)
    if location:
        handler.send_header("Location", location)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def send(handler: http.server.BaseHTTPRequestHandler, body: bytes, pause: float) -> None:
    step = max(1, -(-len(body) // 16))
    try:
        for start in range(0, len(body), step):
            time.sleep(pause)
            handler.wfile.write(body[start : start + step])
    except ConnectionError:  # the reader has had enough
        handler.close_connection = True
