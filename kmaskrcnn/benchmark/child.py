"""A worker process, asked one thing after another; how it ends is an answer, too."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from kmaskrcnn.benchmark.job import OUT_OF_MEMORY, Job, Request
from kmaskrcnn.doctor.child import environment, how_it_died

MODULE = "kmaskrcnn.benchmark.worker"
MEMORY, TIME, ERROR = "memory", "time", "error"


class EndedError(Exception):
    """A worker is over.

    Attributes:
        why: `MEMORY` (it held more than it may, or the system killed it), `TIME` (there was no
            answer by the deadline) or `ERROR`.
    """

    def __init__(self, why: str, text: str = "") -> None:
        super().__init__(text or why)
        self.why = why


class Worker:
    """`kmaskrcnn.benchmark.worker` in a process of its own.

    Args:
        job: what it works on.
        deadline: `time.monotonic` by which it must be ready.

    Attributes:
        facts: its devices and its RoIAlign.

    Raises:
        EndedError: it is over before it is ready.
    """

    def __init__(self, job: Job, deadline: float) -> None:
        self._said = tempfile.TemporaryFile()  # a pipe that nobody reads would fill up
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            encoding="utf-8",
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.facts = self._told(job.to_json(), deadline)

    def ask(self, request: Request, deadline: float) -> dict[str, Any]:
        """The answer of the worker's `timed`, or ``out_of_memory``.

        Raises:
            EndedError: the process is over.
        """
        return self._told(json.dumps(request._asdict()), deadline)

    def end(self) -> None:
        """Whatever it does, it is over."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        with contextlib.suppress(OSError):  # of a pipe that is broken
            self._process.stdin.close()  # type: ignore[union-attr]
        self._said.close()

    def _listen(self) -> None:
        """Until the process is over, which an empty line stands for."""
        with self._process.stdout as lines:  # type: ignore[union-attr]
            for line in lines:
                self._lines.put(line)
        self._lines.put("")

    def _told(self, line: str, deadline: float) -> dict[str, Any]:
        with contextlib.suppress(OSError):  # a dead process: its end is what is read
            print(line, file=self._process.stdin, flush=True)
        try:
            text = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self.end()
            raise EndedError(TIME) from None
        answer = json.loads(text) if text else {}
        if not text or "error" in answer:
            raise self._how_it_ended(answer.get("error", ""))
        return answer

    def _how_it_ended(self, error: str) -> EndedError:
        code = 0 if error else self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        self.end()
        if code in (OUT_OF_MEMORY, -signal.SIGKILL):
            return EndedError(MEMORY)
        return EndedError(ERROR, error or f"{how_it_died(code)} ({said[-1] if said else 'silent'})")
