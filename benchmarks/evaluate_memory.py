"""Peak memory of an evaluation: 1,000 images with 100 masks each, taken one image at a time.

    python -m benchmarks.evaluate_memory [--images 1000] [--found 100] [--metrics coco]

Random detections with masks of 28×28 on images of 800×1333, made one image at a time, as a model
gives them; a truth of seven polygons an image. Each line is a process of its own: without images,
with half and with all of them. The full masks of one image would take 107 MB.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from kmaskrcnn.data import Instance, Sample
from kmaskrcnn.evaluation import Evaluator
from kmaskrcnn.memory import peak_memory
from kmaskrcnn.structures import Detections

SIZE = (800, 1333)
OBJECTS = 7
NAMES = tuple(f"class {i}" for i in range(80))


class Drawn:
    """A dataset of random polygons; photographs are not needed."""

    class_names = NAMES

    def __init__(self, images: int) -> None:
        self.images = images

    def __len__(self) -> int:
        return self.images

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([0, index])
        instances = [
            Instance(int(label), [ring(box)])
            for label, box in zip(rng.integers(0, 80, OBJECTS), boxes(rng, OBJECTS), strict=True)
        ]
        return Sample(f"{index}.jpg", instances, index, SIZE)


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """(N, 4) x1 y1 x2 y2 inside the image."""
    sides = np.exp(rng.normal(4.3, 0.9, (count, 2))).clip(4, 600)
    corners = rng.uniform(0, 1, (count, 2)) * (np.array(SIZE[::-1]) - sides)
    return np.concatenate([corners, corners + sides], axis=1)


def ring(box: np.ndarray) -> np.ndarray:
    """(24, 2) an ellipse in a box."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    unit = np.stack([np.cos(turns), np.sin(turns)], axis=1) / 2 + 0.5
    return box[:2] + unit * (box[2:] - box[:2])


def predictions(dataset: Drawn, count: int) -> Iterator[tuple[int, Detections]]:
    """Blobs: a smooth random field over each box."""
    for index in range(len(dataset)):
        rng = np.random.default_rng([1, index])
        coarse = rng.uniform(0.2, 0.9, (count, 4, 4))
        places = (np.arange(28) / 9).clip(max=2.999)
        first, share = places.astype(int), places % 1
        rows = coarse[:, first] * (1 - share)[:, None] + coarse[:, first + 1] * share[:, None]
        masks = rows[:, :, first] * (1 - share) + rows[:, :, first + 1] * share
        labels = rng.integers(0, 80, count)
        yield (
            index,
            Detections(boxes(rng, count), rng.random(count), labels, NAMES, SIZE, masks),
        )


def measured(images: int, count: int, metrics: list[str]) -> None:
    """Evaluates in this process and prints a row of the table."""
    start = time.perf_counter()
    dataset = Drawn(images)
    Evaluator(dataset, metrics=metrics).evaluate(predictions(dataset, count))
    seconds = time.perf_counter() - start
    print(f"| {images} | {images * count} | {peak_memory() / 2**20:.0f} MB | {seconds:.0f} s |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--found", type=int, default=100, help="masks of an image")
    parser.add_argument("--metrics", nargs="+", default=["coco"])
    parser.add_argument("--alone", action="store_true", help="this process, these images")
    args = parser.parse_args()
    if args.alone:
        measured(args.images, args.found, args.metrics)
        return
    print("| images | masks found | peak memory | time |\n| --- | --- | --- | --- |", flush=True)
    for images in (1, args.images // 2, args.images):
        options = ["--images", str(images), "--found", str(args.found), "--metrics", *args.metrics]
        command = [sys.executable, "-m", "benchmarks.evaluate_memory", "--alone", *options]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
