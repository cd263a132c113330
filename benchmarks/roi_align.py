"""How much faster the C++ RoIAlign is than TensorFlow's own ops: medians of alternating runs.

    python -m benchmarks.roi_align [--dtype bfloat16]

The RoIs and the pyramid are those of `python -m benchmarks --cases roi_align roi_align_gradient`,
which times the op beside torchvision's. Run it on an idle machine.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.side_by_side import operands
from kmaskrcnn.layers import RoIPooling
from kmaskrcnn.ops import library

ROIS = 1000


def make_steps(implementation: str, dtype: str) -> dict[str, Callable[[], object]]:
    """Traced calls of one implementation: pooling, and the features' gradient alone."""
    layer = RoIPooling(7, operands.STRIDES, aligned=False, level_rule="torchvision", dtype=dtype)
    levels = operands.pyramid()
    features = {f"P{2 + i}": tf.cast(level, dtype) for i, level in enumerate(levels)}
    boxes, images = tf.constant(operands.boxes(ROIS)), tf.zeros(ROIS, tf.int32)
    upstream = tf.ones([ROIS, 7, 7, operands.CHANNELS], dtype)

    @tf.function
    def forward(features):
        return layer(features, boxes, images)

    @tf.function
    def gradient(features):
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = layer(features, boxes, images)
        return tape.gradient(pooled, features, upstream)

    with library.using(implementation):
        forward(features), gradient(features)
    return {"forward": lambda: forward(features), "gradient": lambda: gradient(features)}


def alternate(steps: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, run in turns so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    arguments = parser.parse_args()
    with library.using("op"):
        library.selected()  # or an error that says how to build it
    print(f"{library.status()}; {os.cpu_count()} cores, TensorFlow {tf.__version__}")
    made = {name: make_steps(name, arguments.dtype) for name in ("op", "fallback")}
    print(f"{ROIS:,} RoIs, five levels of {operands.SIZE}, 7×7, sampling 2, {arguments.dtype}")
    for label in ("forward", "gradient"):
        median = alternate({name: steps[label] for name, steps in made.items()}, arguments.repeats)
        ratio = median["fallback"] / median["op"]
        print(
            f"  {label:8}  op {median['op']:6.1f} ms  fallback {median['fallback']:6.1f} ms  "
            f"ratio {ratio:.1f}"
        )


if __name__ == "__main__":
    main()
