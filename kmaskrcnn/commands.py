"""What the verbs of the command line do, and what they say about it on the terminal."""

from __future__ import annotations

import ast
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
from rich.table import Table

import kmaskrcnn
from kmaskrcnn import conversion, report
from kmaskrcnn.config import MaskRCNNConfig, check_names
from kmaskrcnn.data import Dataset, check, image_sources, load
from kmaskrcnn.ops import library
from kmaskrcnn.presets import preset
from kmaskrcnn.progress import TrainingProgress, console, counted, downloading
from kmaskrcnn.training import draw_predictions
from kmaskrcnn.weights.hub.download import fetch, is_cached, place
from kmaskrcnn.weights.hub.published import PublishedWeights, names, published, rows


@dataclass(frozen=True)
class Training:
    """The options of ``kmaskrcnn train``; None leaves a setting to the preset."""

    data: str
    val: str
    out: Path
    images: Path | None = None
    val_images: Path | None = None
    preset: str = "mobilenet_1.0_fpn"
    weights: str | None = None
    epochs: int = 12
    batch_size: int = 2
    image_size: int | None = None
    learning_rate: float | None = None
    rois_per_image: int | None = None
    seed: int = 0
    settings: Sequence[str] = ()

    def changes(self) -> dict[str, Any]:
        """The fields of the config that differ from the preset's."""
        changes: dict[str, Any] = dict(map(parse_setting, self.settings))
        if self.image_size is not None:
            changes |= scaled(preset(self.preset), self.image_size)
        if self.rois_per_image is not None:
            changes["rois_per_image"] = self.rois_per_image
        return changes


def parse_setting(text: str) -> tuple[str, Any]:
    """``"nms_iou=0.3"`` → ``("nms_iou", 0.3)``: a Python literal, or else a string.

    Raises:
        ValueError: no name and value, or no field of that name.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes NAME=VALUE, such as nms_iou=0.3, not {text!r}.")
    try:
        check_names([name])
    except TypeError as error:
        raise ValueError(f"--set {text}: {error}") from None
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def scaled(config: MaskRCNNConfig, image_size: int) -> dict[str, int]:
    """Short side as told; the limit of the long side keeps the preset's proportion."""
    longest = round(image_size * config.max_size / config.min_size)
    return {"min_size": image_size, "max_size": longest}


def train(job: Training) -> None:
    """Trains; writes model.keras, best.keras, history.csv, curves.png, metrics.json, a picture."""
    keras.utils.set_random_seed(job.seed)
    train_set = load(job.data, images=job.images)
    val_set = load(job.val, images=job.val_images)
    console.print(str(check(train_set, val_set)))
    model = kmaskrcnn.MaskRCNN.from_preset(
        job.preset, class_names=train_set.class_names, weights=job.weights, **job.changes()
    )
    if job.weights is None:
        console.print("Random weights; photographs are learned far faster from --weights imagenet.")
    job.out.mkdir(parents=True, exist_ok=True)
    with TrainingProgress(job.epochs) as progress:
        history = model.fit(
            train_set,
            validation_data=val_set,
            epochs=job.epochs,
            batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            seed=job.seed,
            callbacks=[progress, *keepers(job.out)],
            verbose=0,
        )
    finish(model, history.history, val_set, job.out)


def keepers(out: Path) -> list[keras.callbacks.Callback]:
    """Keras' own: the best model and the table of epochs are kept while training runs."""
    best = str(out / "best.keras")
    return [
        keras.callbacks.CSVLogger(str(out / "history.csv")),
        keras.callbacks.ModelCheckpoint(
            best, monitor="val_mask_AP", mode="max", save_best_only=True
        ),
    ]


def finish(model: Any, history: Mapping[str, Sequence[float]], val_set: Dataset, out: Path) -> None:
    """Everything that is written when training is over."""
    model.save(out / "model.keras")
    if not (out / "best.keras").exists():  # no epoch had a mask AP, as without objects to find
        shutil.copy(out / "model.keras", out / "best.keras")
    report.save_curves(history, out / "curves.png")
    metrics = measure(model, val_set) | best_epoch(history)
    write_json(out / "metrics.json", metrics)
    draw_predictions(model, val_set, out / "validation.jpg")
    print_figures(metrics)
    console.print(f"Wrote {', '.join(sorted(path.name for path in out.iterdir()))} into {out}.")


def best_epoch(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Which epoch best.keras is of, counted from 1, and its mask AP; nothing without a mask AP."""
    scores = {i: ap for i, ap in enumerate(history.get("val_mask_AP", []), 1) if not math.isnan(ap)}
    if not scores:
        return {}
    epoch = max(scores, key=lambda i: scores[i])  # the first of equals, as ModelCheckpoint keeps it
    return {"best/epoch": epoch, "best/mask/AP": scores[epoch]}


def evaluate(model_file: Path, data: str, images: Path | None, json_file: Path | None) -> None:
    """Prints box and mask AP, and writes all figures as JSON if asked."""
    dataset = load(data, images=images)
    console.print(dataset.description)
    model = kmaskrcnn.load(model_file)
    metrics = measure(model, dataset)
    print_figures(metrics)
    if json_file is not None:
        write_json(json_file, metrics)
        console.print(f"All figures are in {json_file}.")


def predict(
    model_file: Path, inputs: Sequence[Path], out: Path, score: float, json_file: Path | None
) -> None:
    """Writes a picture of each image's objects, and COCO results of all.

    Raises:
        ValueError: there is no image among the inputs, or some could not be read; the others are
            done all the same.
    """
    paths = list(dict.fromkeys(image_sources(list(inputs))))
    model = kmaskrcnn.load(model_file)
    results, problems = [], []
    names = picture_names(paths)
    for path in counted(paths, "predicting", len(paths)):
        try:
            found = model.predict(path)[0].filter(score=score)
        except (ValueError, OSError) as error:
            problems.append(f"  {path}: {error}")
            continue
        found.save(out / names[path], image=path)
        results += found.to_coco(image_id(path, paths))
    json_file = json_file or out / "predictions.json"
    write_json(json_file, results)
    done = len(paths) - len(problems)
    console.print(
        f"{len(results)} objects in {done} images: pictures in {out}, COCO in {json_file}."
    )
    if problems:
        raise ValueError("\n".join([f"{len(problems)} of {len(paths)} images failed:", *problems]))


def picture_names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each picture, ``deer.jpg`` of ``a/deer.png``; a number tells equal ones apart."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        name, number = f"{path.stem}.jpg", 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}.jpg"
        taken.add(name)
        names[path] = name
    return names


def image_id(path: Path, paths: Sequence[Path]) -> int | str:
    """COCO's number of ``000000000139.jpg``, else the file name; the path where names repeat."""
    if sum(other.name == path.name for other in paths) > 1:
        return str(path)
    return int(path.stem) if path.stem.isdecimal() else path.name


def build_op(verbose: bool) -> None:
    """Compiles the RoIAlign op into the user's cache and says which implementation now runs."""
    with console.status("compiling: some seconds"):
        path = library.build(verbose=verbose)
    console.print(f"Built {path}\n{library.status()}")


def weights(wanted: str | None, as_json: bool) -> None:
    """Lists the published weights, or brings those of one preset into the cache."""
    found = rows() if wanted is None else (chosen(wanted),)
    paths = [] if wanted is None else [download(row, bar=not as_json) for row in found]
    if as_json:
        print(json.dumps([record(row) for row in found], indent=1))
    elif paths:
        console.print(str(paths[0]))
    else:
        print_weights(found)


def convert(
    source: str, out: Path, preset_name: str | None, classes: str | None, framework: str | None
) -> None:
    """Reads weights or a model, says what came of it, and writes it in another form."""
    class_names = None if classes is None else [name.strip() for name in classes.split(",")]
    with console.status(f"reading {source}"):
        model = conversion.open_model(source, preset_name, class_names)
    if model.load_report is not None:
        console.print(str(model.load_report))
    with console.status(f"writing {out}"):
        conversion.write_model(model, out, framework)
    console.print(f"{out}: {len(model.class_names)} classes, {model.count_params():,} parameters")


def chosen(wanted: str) -> PublishedWeights:
    """The row of ``preset:weights``; of a preset alone ``coco``, or else the first that it has."""
    preset_name, _, name = wanted.partition(":")
    there = names(preset_name)
    default = "coco" if "coco" in there or not there else there[0]
    return published(preset_name, name or default)


def download(row: PublishedWeights, bar: bool) -> Path:
    """Into the cache; without a terminal, or a bar, standard error says what takes long."""
    if not (bar and console.is_terminal):
        return fetch(row)
    with downloading(row.file_name) as progress:
        return fetch(row, progress=progress)


def record(row: PublishedWeights) -> dict[str, Any]:
    """All that is known of a row, for JSON."""
    return {**asdict(row), "cached": is_cached(row), "path": str(place(row))}


def print_weights(found: Sequence[PublishedWeights]) -> None:
    """One line for each file, in 80 columns, and the licences below."""
    kinds = ("box", "mask", "keypoint")
    table = Table("preset", "weights", "MiB", "box", "mask", "points", "here", box=None)
    table.padding, table.pad_edge = (0, 1, 0, 0), False
    for row in found:
        size = row.size / 2**20 if row.size else row.mib
        figures = (row.ap.get(kind) for kind in kinds)
        cells = ("–" if figure is None else f"{figure:.1f}" for figure in figures)
        mib = "–" if size is None else f"{size:.0f}"
        table.add_row(row.preset, row.name, mib, *cells, "yes" if is_cached(row) else "no")
    console.print(table)
    licences = dict.fromkeys((row.preset.partition("/")[0], row.licence) for row in found)
    stated = "; ".join(f"{family} {licence}" for family, licence in licences)
    console.print(f"\nAP in percent, as the authors state it. Licences: {stated}.")
    console.print("Addresses, checksums, places: --json.")


def measure(model: Any, dataset: Dataset) -> dict[str, float]:
    """`model.evaluate`, while the terminal says so."""
    with console.status(f"evaluating {len(dataset)} images"):
        return model.evaluate(dataset, verbose=0)


def print_figures(metrics: Mapping[str, float]) -> None:
    """A table: box, mask and keypoints side by side, over all classes and for each."""
    measured = {key.partition("/")[0] for key in metrics if "/" in key}
    kinds = [kind for kind in ("box", "mask", "keypoints") if kind in measured]
    table = Table("", *kinds)
    rows = [key.removeprefix("box/") for key in metrics if key.startswith("box/")]
    for row in rows:
        cells = (metrics.get(f"{kind}/{row}", math.nan) for kind in kinds)
        table.add_row(row, *("–" if math.isnan(value) else f"{value:.3f}" for value in cells))
    console.print(table)


def write_json(path: Path, content: Any) -> None:
    """Readable JSON; its folder is made. What is not a number is written as null."""
    if isinstance(content, Mapping):
        content = {key: None if math.isnan(value) else value for key, value in content.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
