"""``python -m kmaskrcnn.benchmark.worker``: one kind of work at one precision, as it is asked for.

It reads a `Job` and then `Request`s from standard input, and answers each by a line of JSON. It
ends itself when it holds more memory than it may.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from kmaskrcnn import memory, provenance
from kmaskrcnn.benchmark.job import OUT_OF_MEMORY, Job, Request
from kmaskrcnn.benchmark.subjects import SUBJECTS, Work
from kmaskrcnn.doctor.probe import devices, roi_align, say

EVERY = 0.02  # seconds between looks at the memory


def main() -> None:
    """Does what the lines say until there are no more, or until one goes wrong."""
    job = Job.from_json(sys.stdin.readline())
    die_first()
    watch(job.memory_limit)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            work = SUBJECTS[job.work](job.plan, job.precision)
            say(devices=devices(), roi_align=roi_align(), versions=provenance.versions())
            for line in sys.stdin:
                say(**answer(work, Request(**json.loads(line))))
    except Exception as error:
        text = (str(error).strip() or "no message").splitlines()[0]
        say(error=f"{type(error).__name__}: {text}")


def answer(work: Work, request: Request) -> dict[str, Any]:
    """What came of it, or that a GPU's memory did not suffice."""
    try:
        with memory.clear_errors(batch_size=request.images):
            return {**timed(work, request), "peak": peak()}
    except memory.OutOfMemoryError:
        return {"out_of_memory": True}


def timed(work: Work, request: Request) -> dict[str, Any]:
    """Runs it; the first run, which may build a graph, is told apart from the others."""
    begin = time.perf_counter()
    objects = work(request.images)
    first = time.perf_counter() - begin
    seconds: list[float] = []
    while len(seconds) < request.most:
        late = sum(seconds) + min(seconds, default=first) > request.seconds
        if late and len(seconds) >= request.least:
            break
        now = time.perf_counter()
        work(request.images)
        seconds.append(time.perf_counter() - now)
    return {"images": request.images, "first": first, "seconds": seconds, "objects": objects}


def peak() -> float:
    """Bytes held at most: of the GPU where there is one, else of the process."""
    on_gpu = memory.peak_gpu_memory()
    return memory.peak_memory() if math.isnan(on_gpu) else on_gpu


def watch(limit: float, held: Callable[[], float] = memory.peak_memory) -> None:
    """Ends this process as soon as ``held()`` gives more bytes than ``limit``; nan: never.

    The system is not asked to do so: TensorFlow reserves far more addresses than it uses, and a
    limit on those fails long before memory is short.
    """

    def look() -> None:
        while not held() > limit:
            time.sleep(EVERY)
        os._exit(OUT_OF_MEMORY)

    if not math.isnan(limit):
        threading.Thread(target=look, daemon=True).start()


def die_first() -> None:
    """Where memory runs out in spite of the limit, Linux kills this process before any other."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


if __name__ == "__main__":
    main()
