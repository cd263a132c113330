"""What finer masks cost: processor time of a training step and of a prediction, by `mask_size`.

    python -m benchmarks.mask_size [--preset laptop] [--sizes 14 28 56]

Random weights and a score threshold of 0, so that all hundred places are filled; drawn shapes. The
time is the processor's, of all cores together, and so the same on a busy machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import tensorflow as tf

import kmaskrcnn
from kmaskrcnn.data import InputSize, Order, ShapesDataset, batches


def processor_seconds(work: Callable[[], object], times: int = 3) -> float:
    """Of one call, after a first one that traces."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="laptop")
    parser.add_argument("--sizes", type=int, nargs="+", default=(14, 28, 56))
    args = parser.parse_args()
    shapes = ShapesDataset(2, image_size=(256, 256))
    for size in args.sizes:
        model = kmaskrcnn.MaskRCNN.from_preset(
            args.preset, shapes.class_names, mask_size=size, score_threshold=0.0
        )
        model.compile("sgd")
        config = model.config
        steps = batches(shapes, InputSize(config.min_size, config.max_size), Order(batch_size=2))
        [batch] = steps
        step = tf.function(model.train_step)
        train = processor_seconds(lambda batch=batch, step=step: step(batch))
        predict = processor_seconds(lambda model=model: model.predict(shapes[0].image))
        print(f"mask_size {size:3}: training {train:6.2f} s a step, predicting {predict:6.2f} s")


if __name__ == "__main__":
    main()
