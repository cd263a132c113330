"""How time grows with what there is to do: image size, detections, classes, objects to learn from.

    python -m benchmarks.growth [--preset resnet50_fpn] [--size 512] [--rounds 3] [--only NAME ...]

Random weights and no score threshold, so that every place for a detection is filled and every class
of every RoI goes through the suppression. Each thing grows alone while the rest stays; a training
step has two images. All steps of one growth take turns, the first turn is dropped, and the median
of the others counts. Prints a table in Markdown, writes `docs/images/growth.png` (or `--out`) and
the figures as JSON beside it. About five minutes.

The line in the picture is straight through the smaller half of the measurements: time above it at
the right has grown faster than the work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.batch_memory import Crowded

Run = Callable[[], object]
COLORS = {"predict": "#1d4e89", "train": "#c1121f"}


class Growth(NamedTuple):
    """Seconds of one kind of work against one thing that grows.

    Attributes:
        name: of the thing; panel: title of its axes; unit: of its amounts.
        amounts: of it, rising. runs: what is timed, one each.
    """

    name: str
    panel: str
    unit: str
    amounts: Sequence[float]
    runs: Sequence[Run]


def make_model(args: argparse.Namespace, num_classes: int = 80, **config: Any):
    """Random weights with which objects are found, images of one size."""
    import keras

    import kmaskrcnn
    from kmaskrcnn.benchmark.subjects import settle

    keras.utils.set_random_seed(0)
    sizes = {"min_size": args.size, "max_size": args.size, "score_threshold": 0.0}
    model = kmaskrcnn.MaskRCNN.from_preset(
        args.preset, [f"class {i}" for i in range(num_classes)], **{**sizes, **config}
    )
    settle(model.backbone, photograph(args.size))
    return model


def photograph(side: int) -> np.ndarray:
    """(side, side, 3) uint8, noise."""
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def prediction(model, side: int) -> Run:
    """From an array to full-size masks, by a model for images of that side."""

    def run() -> object:
        model.config = model.config.replace(min_size=side, max_size=side)
        return model.predict(photo)[0].masks

    photo = photograph(side)
    return run


def training_step(model, side: int, num_objects: int) -> Run:
    """A step on two images with so many objects each."""
    import keras
    import tensorflow as tf

    from kmaskrcnn.data import InputSize, Order, batches

    crowded = Crowded(num_objects, (side, side), len(model.class_names))
    stream = batches(crowded, InputSize(side, side), Order(2))
    (batch,) = stream
    if not model.compiled:
        model.compile(keras.optimizers.SGD(1e-6, momentum=0.9))
        model.optimizer.build(model.trainable_variables)
        model.step = tf.function(model.train_step, input_signature=[stream.element_spec])
    return lambda: float(model.step(batch)["loss"])


def image_size(args: argparse.Namespace) -> Growth:
    model, sides = make_model(args), [s * args.size // 512 for s in (256, 512, 768, 1152, 1600)]
    amounts = [side * side / 1e6 for side in sides]
    runs = [prediction(model, side) for side in sides]
    return Growth("predict", "image size", "million pixels", amounts, runs)


def detections(args: argparse.Namespace) -> Growth:
    counts, runs = (0, 50, 100, 200, 300), []
    for count in counts:
        most = {"detections_per_image": count} if count else {"score_threshold": 1.0}
        runs.append(prediction(make_model(args, **most), args.size))
    return Growth("predict", "detections", "detections", counts, runs)


def classes(args: argparse.Namespace) -> Growth:
    counts = (80, 400, 800, 1203)
    runs = [prediction(make_model(args, count), args.size) for count in counts]
    return Growth("predict", "classes", "classes", counts, runs)


def classes_trained(args: argparse.Namespace) -> Growth:
    counts = (80, 400, 800, 1203)
    runs = [training_step(make_model(args, count), args.size, 20) for count in counts]
    return Growth("train", "classes", "classes", counts, runs)


def objects(args: argparse.Namespace) -> Growth:
    model, counts = make_model(args), (10, 50, 100, 200, 400)
    runs = [training_step(model, args.size, count) for count in counts]
    return Growth("train", "objects in a training image", "objects", counts, runs)


GROWTHS = {f.__name__: f for f in (image_size, detections, classes, classes_trained, objects)}


def medians(runs: Sequence[Run], rounds: int) -> list[float]:
    """Seconds of each, measured in turns after a first turn that traces."""
    taken: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for times, run in zip(taken, runs, strict=True):
            start = time.perf_counter()
            run()
            if number:
                times.append(time.perf_counter() - start)
    return [statistics.median(times) for times in taken]


def straight(amounts: Sequence[float], seconds: Sequence[float]) -> np.ndarray:
    """Seconds at all amounts on the line through the smaller half of them."""
    half = max(2, (len(amounts) + 1) // 2)
    return np.polyval(np.polyfit(amounts[:half], seconds[:half], 1), amounts)


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """A row each, the seconds of all amounts, and the last over the straight line."""
    lines = ["| | seconds at each | of the line |", "| --- " * 3 + "|"]
    for growth in found:
        amounts, seconds = growth["amounts"], growth["seconds"]
        each = " · ".join(f"{a:.4g}: {s:.2f}" for a, s in zip(amounts, seconds, strict=True))
        share = seconds[-1] / straight(amounts, seconds)[-1]
        lines.append(f"| {growth['name']}, {growth['unit']} | {each} | {share:.2f} |")
    return "\n".join(lines)


def draw(found: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Small multiples, a panel a thing that grows."""
    from matplotlib.figure import Figure

    panels = list(dict.fromkeys(growth["panel"] for growth in found))
    figure = Figure(figsize=(9, 3 * -(-len(panels) // 2)), layout="constrained", dpi=120)
    axes = dict(zip(panels, np.ravel(figure.subplots(-(-len(panels) // 2), 2)), strict=False))
    for growth in found:
        axis, color = axes[growth["panel"]], COLORS[growth["name"]]
        amounts, seconds = growth["amounts"], growth["seconds"]
        axis.plot(amounts, seconds, "o-", color=color, label=growth["name"])
        axis.plot(amounts, straight(amounts, seconds), "--", color=color, alpha=0.5)
        axis.set(title=growth["panel"], xlabel=growth["unit"], ylabel="seconds")
        axis.set_ylim(0, 1.15 * max(axis.get_ylim()[1], max(seconds)))
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(loc="best", frameon=False)
    figure.suptitle(title)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="resnet50_fpn")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=GROWTHS, default=list(GROWTHS))
    parser.add_argument("--out", type=Path, default=Path("docs/images/growth.png"))
    args = parser.parse_args()
    found = []
    for name in args.only:
        growth = GROWTHS[name](args)
        seconds = medians(growth.runs, args.rounds)
        found.append({**growth._asdict(), "runs": None, "seconds": seconds})
        print(table(found[-1:]).splitlines()[-1], flush=True)
    print(table(found))
    draw(found, f"{args.preset} at {args.size}²: measured, and a straight line (dashed)", args.out)
    args.out.with_suffix(".json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
