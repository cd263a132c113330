"""``python -m benchmarks.profiling.record CASE INPUTS OUT``: one case under TensorFlow's profiler.

A process of its own, as each case of the side-by-side benchmark is. The median of some runs is kept
as JSON: its seconds by part and kind, what its threads did, its slowest operations.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.profiling import sharing
from benchmarks.profiling.trace import Trace, read
from benchmarks.side_by_side.workers import kmaskrcnn as ours
from benchmarks.side_by_side.workers import limit

RUNS = 5
WARM = 2
WHOLE = "whole run"
PASTING = "pasting"
SIDE = 512  # pixels, of the training step
Work = Callable[[], object]

span = tf.profiler.experimental.Trace


def prediction(folder: Path, dtype: str) -> Work:
    """One photograph in memory to full-size binary masks."""
    model = ours.make_model(folder, dtype)
    photo = np.load(folder / "photo.npy")

    def run() -> None:
        found = model.predict(photo)
        with span(PASTING):
            for one in found:
                _ = one.masks

    return run


CASES = {
    "predict": prediction,
    "train_512": partial(ours.make_training, case="train_512", min_size=SIDE, max_size=SIDE),
    "predict_limit": partial(limit.make_forward, images=(1, 800, 1088)),
    "train_512_limit": partial(limit.make_step, case="train_512", size=(SIDE, SIDE)),
}


def main(case: str, folder: Path, out: Path) -> None:
    """Runs and writes."""
    ours.framework()
    name = case.replace("_bf16", "")
    work = CASES[name](folder, dtype="float32" if name == case else "mixed_bfloat16")
    for _ in range(WARM):
        work()
    traces = sorted((profiled(work) for _ in range(RUNS)), key=lambda trace: trace.seconds)
    out.write_text(json.dumps(summary(traces[RUNS // 2], name.startswith("train")), indent=1))


def profiled(work: Work) -> Trace:
    """One run under the profiler, of TensorFlow's own kernels and the spans above alone."""
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=2, python_tracer_level=0)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, options)
        with span(WHOLE):
            work()
        tf.profiler.experimental.stop()
        return read(Path(folder), WHOLE, PASTING)


def summary(trace: Trace, training: bool) -> dict[str, object]:
    """What is kept of a run."""
    return {
        "seconds": trace.seconds,
        "shares": sharing.shares(trace, training),
        "lanes": sharing.lanes(trace, training),
        "slowest": sharing.slowest(trace.operations),
    }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
