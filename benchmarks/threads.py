"""The same photographs predicted by one thread and by many on one model: are the results the same?

    python -m benchmarks.threads PHOTOGRAPHS... [--limit 200] [--threads 8] [--model FILE]

Folders are searched to their bottom, and the photographs taken from them in turns. Each is scaled
to a short side between 64 and 480 pixels, so that sizes mix. Without a model file the weights are
random and the score threshold is 0, so that every place for an object is filled. The many threads
start together on a model that was never called. Prints how many results differ, and by how much;
ends with status 1 if any does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, zip_longest
from pathlib import Path

import cv2
import keras
import numpy as np

import kmaskrcnn
from kmaskrcnn.data import read_image
from kmaskrcnn.structures import Detections

ARRAYS = ("boxes", "scores", "labels", "mask_probabilities")


def photographs(places: Sequence[Path], limit: int) -> list[np.ndarray]:
    """At most ``limit`` photographs (H, W, 3) uint8 of mixed sizes, the same ones every time."""
    files = [sorted(place.rglob("*.jpg")) if place.is_dir() else [place] for place in places]
    taken = [file for file in chain.from_iterable(zip_longest(*files)) if file][:limit]
    sides = np.random.default_rng(0).integers(64, 481, len(taken))
    return [scaled(read_image(file), side) for file, side in zip(taken, sides, strict=True)]


def scaled(image: np.ndarray, short_side: int) -> np.ndarray:
    """The photograph with this short side, in pixels."""
    ratio = short_side / min(image.shape[:2])
    size = tuple(max(1, round(side * ratio)) for side in image.shape[1::-1])
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def new_model(file: Path | None, preset: str) -> kmaskrcnn.MaskRCNN:
    """The same weights every time, never called before."""
    if file is not None:
        return kmaskrcnn.load(file)
    keras.utils.set_random_seed(0)
    classes = [f"class {i}" for i in range(10)]
    return kmaskrcnn.MaskRCNN.from_preset(preset, classes, score_threshold=0.0)


def predict(
    model: kmaskrcnn.MaskRCNN, images: Sequence[np.ndarray], threads: int
) -> list[Detections]:
    """Every image by whichever thread is free."""
    with ThreadPoolExecutor(threads) as pool:
        return [found for (found,) in pool.map(model.predict, images)]


def difference(one: Detections, two: Detections) -> float:
    """The largest between two results; infinite where they hold other objects."""
    pairs = [(getattr(one, name), getattr(two, name)) for name in ARRAYS]
    pairs = [(a, b) for a, b in pairs if a is not None or b is not None]
    if any(np.shape(a) != np.shape(b) for a, b in pairs):
        return float("inf")
    return max((float(np.abs(np.subtract(a, b)).max()) for a, b in pairs if len(a)), default=0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--preset", default="laptop")
    args = parser.parse_args()

    images = photographs(args.photographs, args.limit)
    sizes = {image.shape[:2] for image in images}
    print(f"{len(images)} photographs of {len(sizes)} sizes")
    results = []
    for threads in (1, args.threads):
        model = new_model(args.model, args.preset)
        start = time.perf_counter()
        results.append(predict(model, images, threads))
        seconds = time.perf_counter() - start
        print(f"{threads} threads: {seconds:.1f} s, {sum(map(len, results[-1]))} objects")
    differences = [difference(one, two) for one, two in zip(*results, strict=True)]
    wrong = sum(value > 0 for value in differences)
    print(f"{wrong} of {len(images)} results differ, by at most {max(differences):g}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
