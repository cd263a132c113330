"""What a look at a dataset costs: images a second, and what grows with the dataset.

    python -m benchmarks.inspect_data DATA [--sizes 0.5 1 2]

First DATA is looked at with and without the search for duplicates. Then the two parts that compare
everything with everything are timed on made-up figures of instances_train2017's size (1 is 118,287
fingerprints and 860,001 objects): the search for close fingerprints, and the suggestions of image
size and anchors. Random fingerprints are as far apart as can be; those of photographs fill some
buckets more than others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.coco_file import ANNOTATIONS, IMAGES
from kmaskrcnn import data
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection.anchors import advise_anchors
from kmaskrcnn.data.inspection.duplicates import close_pairs
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.inspection.training_size import advise_size


def seconds(function: Callable[..., Any], *arguments: Any, **options: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start


def made_up(size: float) -> tuple[np.ndarray, Objects, np.ndarray]:
    """Fingerprints, objects and image sizes, ``size`` times as many as COCO has."""
    random = np.random.default_rng(0)
    num_images, num_objects = round(size * IMAGES), round(size * ANNOTATIONS)
    bits = np.unique(random.integers(0, 2**64, num_images, np.uint64))
    sizes = random.integers(300, 641, (num_images, 2))
    images = np.sort(random.integers(0, num_images, num_objects))
    extents = np.exp2(random.uniform(2, 8, (num_objects, 2)))
    corners = random.uniform(0, 40, (num_objects, 2))
    boxes = np.concatenate([corners, corners + extents], axis=1)
    return bits, Objects(images, np.zeros(num_objects, int), boxes), sizes


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--sizes", type=float, nargs="+", default=[0.5, 1, 2])
    arguments = parser.parse_args()
    dataset = data.load(arguments.data)
    data.inspect(dataset)  # the files are in the system's cache from here on
    for compared in (False, True):
        rate = len(dataset) / seconds(data.inspect, dataset, duplicates=compared)
        print(f"{'with' if compared else 'without'} duplicates: {rate:.0f} images a second")
    config = MaskRCNNConfig()
    print("size   close fingerprints   anchors   image size")
    for size in arguments.sizes:
        bits, objects, sizes = made_up(size)
        pairs = seconds(lambda found: list(close_pairs(found)), bits)
        anchors, image_size = (
            seconds(f, objects, sizes, config) for f in (advise_anchors, advise_size)
        )
        print(f"{size:4g} {pairs:18.1f} s {anchors:8.1f} s {image_size:10.1f} s")


if __name__ == "__main__":
    main()
