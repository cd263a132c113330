"""The worker's side of the pipe: makes a case ready, then does it once a line.

    PYTHON -m benchmarks.side_by_side.workers.NAME CASE INPUTS_FOLDER

A worker calls `serve`. Its process answers with lines of JSON on its standard output: first
``{"ready": true, "versions": …, "bare_mb": …}``, or ``{"ready": false}`` where it cannot do the
case; then to each line ``run`` ``{"seconds": …, "cpu_seconds": …, "peak_mb": …, "answer": …}``;
``quit`` ends it. What else is printed, by a framework or by C++, goes to standard error.

Nothing but the standard library is imported, so that a peer's Python needs nothing of ours.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

Answer = Mapping[str, float]  # small numbers that the contestants must agree on
Case = Callable[[], Answer]  # does it once
Maker = Callable[[Path], Case]  # makes it ready, with the inputs of that folder

SHORTEST = 0.2  # seconds that a run takes at least


def serve(makers: Mapping[str, Maker], framework: Callable[[], Mapping[str, str]]) -> None:
    """Answers the runner until it says quit.

    Args:
        makers: case → what makes it ready: takes the folder of the inputs, gives a function that
            does the case once and returns its answer.
        framework: imports the framework, has it do one trivial operation, and returns the versions
            of what it is made of. The memory that is taken then is no contestant's own.
    """
    lines = _answers()
    case, folder = sys.argv[1], Path(sys.argv[2])
    if case not in makers:
        say(lines, ready=False)
        return
    versions = dict(framework())
    bare = peak_mb()
    run = makers[case](folder)
    say(lines, ready=True, versions=versions, bare_mb=bare)
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        say(lines, **timed(run))


def timed(run: Case) -> dict[str, Any]:
    """One run: its time, that of all cores together, the peak of the process so far, the answer.

    What takes less than `SHORTEST` is repeated until that has passed; the times are the mean.
    """
    start, cpu, count = time.perf_counter(), cpu_seconds(), 0
    while count == 0 or time.perf_counter() - start < SHORTEST:
        answer = run()
        count += 1
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    return {
        "seconds": seconds / count,
        "cpu_seconds": cpu / count,
        "peak_mb": peak_mb(),
        "answer": {name: float(value) for name, value in answer.items()},
    }


def program(code: str, *arguments: str, with_inputs: bool = False) -> Maker:
    """A case of starting: Python code in a new process of this Python.

    Args:
        code: the program; the last line that it prints may be an answer in JSON.
        *arguments: its `sys.argv[1:]`.
        with_inputs: whether the folder of the inputs comes after them.
    """

    def make(folder: Path) -> Case:
        command = [sys.executable, "-c", code, *arguments, *[str(folder)] * with_inputs]

        def run() -> Answer:
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            last = done.stdout.strip().rpartition("\n")[2]
            return json.loads(last) if last.startswith("{") else {}

        return run

    return make


def first(name: str, maker: str) -> Maker:
    """The worker of that name makes a case ready and does it once, in a new process."""
    code = f"""
import json, pathlib, sys
from benchmarks.side_by_side.workers import {name}
{name}.framework()
print(json.dumps({name}.{maker}(pathlib.Path(sys.argv[1]))()))
"""
    return program(code, with_inputs=True)


def cpu_seconds() -> float:
    """Processor time of this process and of the children that ended, all cores together."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Largest resident memory so far of this process or of a child that ended, in MB (2^20)."""
    # ru_maxrss of a process begins with what its parent had: the kernel's mark of the process.
    with open("/proc/self/status") as status:
        own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def say(lines: TextIO, **answer: Any) -> None:
    """One line of JSON."""
    print(json.dumps(answer), file=lines, flush=True)


def _answers() -> TextIO:
    """Standard output for answers alone: what others print there goes to standard error."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return lines
