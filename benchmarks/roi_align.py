"""How much faster the C++ RoIAlign is than TensorFlow's own ops: medians of alternating runs.

    python benchmarks/roi_align.py

512 RoIs of a five-level pyramid of one 800×1088 image, 256 channels, 7×7 bins, sampling 2; then
1,000 boxes on its finest level, forward only. Run it on an idle machine.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops import assign_levels, library, roi_align

IMAGE = (800, 1088)
STRIDES = (4, 8, 16, 32, 64)


def make_pyramid(strides: tuple[int, ...], channels: int, dtype: str) -> list[tf.Tensor]:
    """One image's features, (1, H, W, F) a level."""
    sizes = [[-(-side // stride) for side in IMAGE] for stride in strides]
    return [tf.cast(tf.random.stateless_normal((1, *s, channels), (0, 1)), dtype) for s in sizes]


def make_boxes(count: int, largest: float) -> np.ndarray:
    """(R, 4) boxes of 16 px to `largest`, as many of each order of magnitude, in the image."""
    generator = np.random.default_rng(0)
    sizes = np.exp(generator.uniform(np.log(16), np.log(largest), (count, 1)))
    sizes = sizes * np.exp(generator.uniform(-0.35, 0.35, (count, 2)))
    centres = generator.uniform(0, IMAGE[::-1], (count, 2))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return np.clip(boxes, 0, np.tile(IMAGE[::-1], 2)).astype(np.float32)


def make_step(
    implementation: str, features: list[tf.Tensor], boxes: np.ndarray, *, gradient: bool
) -> Callable[[], object]:
    """A traced call that pools, and sends a gradient back where asked."""
    images = tf.zeros(len(boxes), tf.int32)
    levels = assign_levels(boxes, num_levels=len(features))
    scales = [1 / stride for stride in STRIDES[: len(features)]]

    @tf.function
    def step(features: list[tf.Tensor]) -> object:
        with tf.GradientTape() as tape:
            tape.watch(features)
            pooled = roi_align(features, boxes, images, levels, scales=scales, output_size=7)
        return tape.gradient(pooled, features) if gradient else pooled

    with library.using(implementation):
        step(features)
    return lambda: step(features)


def alternate(steps: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of each, run in turns so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            tf.nest.map_structure(lambda tensor: tensor.shape, step())
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def report(title: str, features: list[tf.Tensor], boxes: np.ndarray, repeats: int) -> None:
    """Prints the medians and their ratio, forward and forward + backward."""
    print(title)
    for label, gradient in (("forward", False), ("forward + backward", True)):
        steps = {
            name: make_step(name, features, boxes, gradient=gradient) for name in ("op", "fallback")
        }
        median = alternate(steps, repeats)
        ratio = median["fallback"] / median["op"]
        print(
            f"  {label:18}  op {median['op']:7.1f} ms  fallback {median['fallback']:7.1f} ms  "
            f"ratio {ratio:.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--dtype", default="float32")
    arguments = parser.parse_args()
    with library.using("op"):
        library.selected()  # or an error that says how to build it
    print(f"{library.status()}; {os.cpu_count()} cores, TensorFlow {tf.__version__}")
    pyramid = make_pyramid(STRIDES, 256, arguments.dtype)
    report("512 RoIs, five levels", pyramid, make_boxes(512, 800), arguments.repeats)
    report("1,000 boxes, one level", pyramid[:1], make_boxes(1000, 400), arguments.repeats)


if __name__ == "__main__":
    main()
