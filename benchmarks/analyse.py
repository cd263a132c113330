"""Matches, confusion, thresholds, calibration and counts at COCO's scale: seconds of each step.

    python -m benchmarks.analyse [--images 5000] [--scales 0.5 1 2] [--masks]

The truth and the detections are those of `benchmarks.evaluate_coco`: of 5,000 images 36,335 objects
of 80 classes and 100 detections each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks import coco_file
from benchmarks.evaluate_coco import OBJECTS_PER_IMAGE, write_results
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.evaluation import Analysis, Evaluator
from kmaskrcnn.evaluation.matching import match_columns

Result = TypeVar("Result")


def timed(job: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and what came of it."""
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


def measured(images: int, masks: bool, folder: Path) -> str:
    """One line of the table."""
    objects = round(images * OBJECTS_PER_IMAGE)
    truth, results = folder / "truth.json", folder / "results.json"
    coco_file.write(truth, images, objects)
    write_results(truth, results, masks)
    evaluator = Evaluator(CocoDataset(truth, photographs=False))
    reading, found = timed(lambda: (evaluator.truth, evaluator.read(results))[1])
    kind = "mask" if masks else "box"
    matching, matches = timed(lambda: match_columns(evaluator.truth, found, iou_type=kind))
    counting, told = timed(lambda: Analysis(matches).to_dict())
    cells = [images, objects, len(found.scores), len(matches.pairs.iou)]
    cells += [f"{seconds:.1f} s" for seconds in (reading, matching, counting)]
    return "| " + " | ".join(map(str, [*cells, f"{told['all']['f1']:.3f}"])) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--scales", type=float, nargs="+", default=(0.5, 1, 2))
    parser.add_argument("--masks", action="store_true", help="masks in the place of boxes")
    args = parser.parse_args()
    print("| images | objects | found | pairs | reading | matching | all figures | best F1 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scale in args.scales:
        with tempfile.TemporaryDirectory() as folder:
            print(measured(round(args.images * scale), args.masks, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
