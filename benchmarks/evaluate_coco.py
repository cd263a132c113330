"""COCO's figures against pycocotools: time, and whether they are equal, at COCO's scale.

    python -m benchmarks.evaluate_coco [--images 5000] [--scales 0.5 1 2] [--masks] [--rounds 3]

A truth drawn at random (36,335 objects of 80 classes on 5,000 images, one in a hundred a crowd) and
100 detections an image: objects moved and found several times, and false alarms. Both sides by
turns, from the same two files to all figures: pycocotools by `COCO`, `loadRes`, `evaluate` and
`accumulate`, ours by `CocoDataset` and `evaluate_coco`. Then ours from `Detections`, as a model
gives them. The time is the processor's, of all cores together, and so nearly the same on a busy
machine; the best of some rounds counts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks import coco_file
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.evaluation import evaluate_coco
from kmaskrcnn.structures import Detections

OBJECTS_PER_IMAGE = 36_335 / 5_000  # of COCO's validation set
PER_IMAGE = 100
STATS = ["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"]
STATS += ["AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large"]
Answer = tuple[float, dict[str, float]]  # processor seconds, figures


def write_results(truth: Path, results: Path, masks: bool, seed: int = 1) -> None:
    """100 detections of each image of a truth."""
    rng = np.random.default_rng(seed)
    content = json.loads(truth.read_text())
    there: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        there[annotation["image_id"]].append(annotation)
    with results.open("w") as file:
        for number, image in enumerate(content["images"]):
            rows = detections(rng, image, there[image["id"]], masks)
            file.write("[,"[number > 0] + ",".join(json.dumps(row) for row in rows))
        file.write("]")


def detections(
    rng: np.random.Generator, image: dict[str, Any], there: list[dict[str, Any]], masks: bool
) -> list[dict[str, Any]]:
    """Up to three of each object, and false alarms of 5 to 100 pixels."""
    height, width = image["height"], image["width"]
    boxes = np.array([a["bbox"] for a in there for _ in range(3)], float).reshape(-1, 4)[:PER_IMAGE]
    labels = np.array([a["category_id"] for a in there for _ in range(3)], int)[:PER_IMAGE]
    alarms = PER_IMAGE - len(boxes)
    places = rng.uniform(0, 1, (alarms, 2)) * (width - 100, height - 100)
    boxes = np.concatenate([boxes, np.c_[places, rng.uniform(5, 100, (alarms, 2))]])
    labels = np.concatenate([labels, rng.integers(1, 81, alarms)])
    boxes[:, :2] += rng.normal(0, 0.1, (PER_IMAGE, 2)) * boxes[:, 2:]
    boxes[:, 2:] *= np.exp(rng.normal(0, 0.1, (PER_IMAGE, 2)))
    right = PER_IMAGE - alarms
    scores = np.concatenate([rng.beta(3, 2, right), rng.beta(1, 6, alarms)]).round(3)
    rows = zip(boxes.round(2).tolist(), labels.tolist(), scores.tolist(), strict=True)
    return [
        {"image_id": image["id"], "category_id": label, "score": score}
        | ({"segmentation": ellipse(box, height, width)} if masks else {"bbox": box})
        for box, label, score in rows
    ]


def ellipse(box: list[float], height: int, width: int) -> dict[str, Any]:
    """The run lengths of an ellipse in a box."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    points = np.c_[np.cos(turns), np.sin(turns)] / 2 + 0.5
    outline = (points * box[2:] + box[:2]).reshape(1, -1).tolist()
    (code,) = coco_mask.frPyObjects(outline, height, width)
    return code | {"counts": code["counts"].decode()}


def theirs(truth: Path, results: Path, masks: bool) -> Answer:
    """pycocotools' seconds and figures."""
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        there = COCO(str(truth))
        evaluation = COCOeval(there, there.loadRes(str(results)), "segm" if masks else "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    seconds = time.process_time() - start
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    figures = dict(zip(STATS, evaluation.stats.tolist(), strict=True))
    for i, number in enumerate(evaluation.params.catIds):
        figures[f"AP/{there.cats[number]['name']}"] = float(precision[:, :, i].mean())
    return seconds, figures


def ours(truth: Path, results: Path, masks: bool) -> Answer:
    """Our seconds and figures, from the same files."""
    start = time.process_time()
    figures = evaluate_coco(CocoDataset(truth, photographs=False), results)
    return time.process_time() - start, of_kind(figures, masks)


def from_detections(truth: Path, results: Path, masks: bool) -> Answer:
    """Our seconds and figures from `Detections`; to make these is not counted."""
    dataset = CocoDataset(truth, photographs=False)
    predictions = list(as_detections(dataset, results))
    start = time.process_time()
    figures = evaluate_coco(dataset, predictions)
    return time.process_time() - start, of_kind(figures, masks)


def as_detections(dataset: CocoDataset, results: Path) -> Iterator[tuple[int, Detections]]:
    """A file of boxes as a model would give them; masks are full boxes."""
    place = {number: i for i, number in enumerate(dataset.category_ids)}
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in json.loads(results.read_text()):
        rows.setdefault(row["image_id"], []).append(row)
    for index in range(len(dataset)):
        sample = dataset[index]
        found = rows.get(sample.image_id, [])
        boxes = np.array([row["bbox"] for row in found]).reshape(-1, 4)
        yield (
            index,
            Detections(
                boxes + np.c_[np.zeros((len(found), 2)), boxes[:, :2]],
                [row["score"] for row in found],
                [place[row["category_id"]] for row in found],
                dataset.class_names,
                sample.size,
            ),
        )


def of_kind(figures: dict[str, float], masks: bool) -> dict[str, float]:
    """The figures of boxes or of masks; -1 for nan, as pycocotools says it."""
    kind = "mask/" if masks else "box/"
    named = {key.removeprefix(kind): v for key, v in figures.items() if key.startswith(kind)}
    return {key: -1.0 if value != value else value for key, value in named.items()}


def compared(images: int, masks: bool, rounds: int, folder: Path) -> str:
    """One line of the table: the fastest of some rounds of each side, by turns."""
    objects = round(images * OBJECTS_PER_IMAGE)
    truth, results = folder / f"truth_{images}.json", folder / f"results_{images}.json"
    coco_file.write(truth, images, objects)
    write_results(truth, results, masks)
    sides = [theirs, ours] if masks else [theirs, ours, from_detections]
    answers: list[list[Answer]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, own in zip(sides, answers, strict=True):
            own.append(side(truth, results, masks))
    (slow, expected), (fast, got), *rest = (min(own, key=lambda a: a[0]) for own in answers)
    assert expected.keys() == got.keys()
    difference = max(abs(expected[key] - got[key]) for key in got)
    cells = [images, objects, images * PER_IMAGE, f"{slow:.1f} s", f"{fast:.1f} s"]
    cells += [f"{fast / slow:.2f}", f"{rest[0][0]:.1f} s" if rest else "–", f"{difference:.0e}"]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--scales", type=float, nargs="+", default=(0.5, 1, 2))
    parser.add_argument("--masks", action="store_true", help="masks in the place of boxes")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(
        "| images | objects | found | pycocotools | ours | ratio | from Detections | difference |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for scale in args.scales:
        with tempfile.TemporaryDirectory() as folder:
            images = round(args.images * scale)
            print(compared(images, args.masks, args.rounds, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
