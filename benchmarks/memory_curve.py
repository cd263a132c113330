"""Memory of a process over thousands of images of mixed sizes: does it grow?

    python -m benchmarks.memory_curve [predict train] [--preset tiny] [--images 2000]
    python -m benchmarks.memory_curve predict --preset resnet50_fpn --min-size 128 --max-size 256

Drawn shapes of other heights and widths each time are predicted one by one, and trained on in
batches of two, each in a process of its own, with random weights and no score threshold. After
every image the resident memory is noted. Prints it after the first 200 images and at the end; the
curves go to `docs/images/memory_curve.png`, or `--out`, their figures to a JSON file beside it.
With `--peer`, a Python that has torchvision, its R50-FPN predicts images of the same sizes. One to
five minutes a curve.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.memory_curve_peer import image_sizes, note_memory

Note = Callable[[], None]
Curves = Mapping[str, Sequence[float]]  # name → MB after each image
WARM_UP = 200  # images
COLORS = {"predict": "#1d4e89", "train": "#c1121f", "torchvision predicts": "#8d99ae"}


def make_model(preset: str, min_size: int | None, max_size: int | None):
    """Random weights; every place for an object is filled."""
    import keras

    import kmaskrcnn

    keras.utils.set_random_seed(0)
    given = {"min_size": min_size, "max_size": max_size}
    return kmaskrcnn.MaskRCNN.from_preset(
        preset,
        kmaskrcnn.data.ShapesDataset.class_names,
        norm="group",
        score_threshold=0.0,
        **{name: value for name, value in given.items() if value},
    )


def shapes_for(model, count: int):
    """So many images of other sizes, around those that the model sees."""
    from kmaskrcnn.data import ShapesDataset

    return ShapesDataset(count, image_size=image_sizes(count, model.config.max_size))


def predict(model, count: int) -> None:
    """Image after image, up to full-size masks."""
    shapes = shapes_for(model, count)
    for index in range(count):
        (found,) = model.predict(shapes[index].image)
        if found.masks.shape[1:] != shapes[index].image.shape[:2]:
            raise RuntimeError(f"masks of {found.masks.shape} for image {index}")
        note_memory()


def train(model, count: int) -> None:
    """An epoch of two images a step."""
    import keras

    noted = keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: note_memory(times=2))
    model.compile(keras.optimizers.SGD(1e-4, momentum=0.9))
    model.fit(shapes_for(model, count), batch_size=2, verbose=0, callbacks=[noted])


def measured(command: Sequence[str], name: str) -> list[float]:
    """MB after each image, as another process prints them."""
    curve: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if line.startswith("resident_mb "):
                curve.append(float(line.split()[1]))
                if sys.stderr.isatty():
                    print(f"\r{name}: {len(curve)} images, {curve[-1]:.0f} MB ", end="")
    if process.returncode:
        raise SystemExit(f"{name} ended with status {process.returncode}.")
    return curve


def table(curves: Curves) -> str:
    """What each curve says, as Markdown."""
    lines = [f"| | after {WARM_UP} images | at the end | growth | most |", "| --- " * 5 + "|"]
    for name, curve in curves.items():
        start, end = curve[min(WARM_UP, len(curve)) - 1], curve[-1]
        lines.append(
            f"| {name}, {len(curve)} images | {start:.0f} MB | {end:.0f} MB | "
            f"{end / start - 1:+.1%} | {max(curve):.0f} MB |"
        )
    return "\n".join(lines)


def draw(curves: Curves, title: str, path: Path) -> None:
    """The curves on one pair of axes that begin at 0."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained", dpi=120)
    axis = figure.subplots()
    for name, curve in curves.items():
        axis.plot(range(1, len(curve) + 1), curve, color=COLORS[name], linewidth=1.4, label=name)
    axis.axvline(WARM_UP, color="#808080", linewidth=0.8, linestyle=":")
    axis.set(xlabel="images of mixed sizes", ylabel="resident memory, MB", title=title)
    axis.set_ylim(0, 1.15 * max(max(curve) for curve in curves.values()))
    axis.set_xlim(0, max(map(len, curves.values())))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(loc="lower right", frameon=False)
    figure.savefig(path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", nargs="*", metavar="predict | train", help="default: both")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--min-size", type=int)
    parser.add_argument("--max-size", type=int)
    parser.add_argument("--peer", help="a Python with torchvision")
    parser.add_argument("--out", type=Path, default=Path("docs/images/memory_curve.png"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    if args.inside:
        model = make_model(args.preset, args.min_size, args.max_size)
        {"predict": predict, "train": train}[args.work[0]](model, args.images)
        return
    ours = [sys.executable, "-m", "benchmarks.memory_curve", "--inside", *sys.argv[1:]]
    curves = {}
    for work in args.work or ("predict", "train"):
        rest = [argument for argument in ours if argument not in ("predict", "train")]
        curves[work] = measured([*rest, work], work)
    if args.peer:
        sizes = [str(size) for size in (args.min_size or 64, args.max_size or 128, args.images)]
        command = [args.peer, "-m", "benchmarks.memory_curve_peer", *sizes]
        curves["torchvision predicts"] = measured(command, "torchvision")
    print(table(curves))
    draw(curves, f"{args.preset}: memory of a process", args.out)
    args.out.with_suffix(".json").write_text(json.dumps({"preset": args.preset, "mb": curves}))


if __name__ == "__main__":
    main()
