"""Runs the probe in a process of its own, whose crash or standstill is one more finding."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import kmaskrcnn

Outcome = dict[str, Any]  # "result" and "seconds", or "error", or "skipped"
LONGEST = 300.0  # seconds: a cold disk in a network takes its time to import TensorFlow
# What the child's environment has unless it is set: few words, and no more of a GPU than it needs.
DEFAULTS = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONWARNINGS": "ignore",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}


def run_probe(run: bool = True, longest: float = LONGEST) -> dict[str, Outcome]:
    """What came of each step of `kmaskrcnn.doctor.probe`.

    Args:
        run: also the forward pass of a small network.
        longest: seconds until it is given up.

    Returns:
        Step → its outcome. Of a process that died or was given up the step in which it was has an
        error, and those after it are not there.
    """
    command = [sys.executable, "-m", "kmaskrcnn.doctor.probe", *([] if run else ["--no-run"])]
    with subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            out, err = process.communicate(timeout=longest)
            how = how_it_died(process.returncode)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            how = f"not done after {longest:.0f} seconds"
    return _outcomes(out.splitlines(), how, err)


def environment() -> dict[str, str]:
    """Of a child: the package that runs here is the one that runs there, wherever it lies."""
    path = [str(Path(kmaskrcnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**DEFAULTS, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def how_it_died(code: int) -> str:
    """Empty for a process that ended by itself."""
    if code < 0:
        return f"the process died: {signal.strsignal(-code)}"
    return f"the process ended with code {code}" if code else ""


def _outcomes(lines: list[str], how: str, err: str) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    begun = ""
    for line in lines:
        with contextlib.suppress(ValueError):  # half a line of a process that died
            outcome = json.loads(line)
            begun = outcome.pop("step")
            found[begun] = outcome
    if how:
        last = (err.strip().splitlines() or ["it said nothing"])[-1]
        found[begun or "start"] = {"error": f"{how} ({last.strip()})"}
    return found
