"""`kmaskrcnn train`: a model from annotated images, and all that tells how it went."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

import kmaskrcnn
from kmaskrcnn import report, runs
from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.commands.datasets import joined, renamed
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.commands.precision import policy_here
from kmaskrcnn.commands.settings import scaled
from kmaskrcnn.data import Dataset, check, load, repeat_factor, split
from kmaskrcnn.files import duplicate, write_text
from kmaskrcnn.presets import preset
from kmaskrcnn.progress import console
from kmaskrcnn.training import ValidationPictures, draw_predictions
from kmaskrcnn.training_progress import TrainingProgress

IMAGES_A_PICTURE = 8
MOST_PICTURES = 50


@dataclass(frozen=True)
class Training:
    """The options of ``kmaskrcnn train``; None leaves a setting to the preset."""

    data: str
    out: Path
    val: str | None = None
    val_fraction: float | None = None
    images: Path | None = None
    val_images: Path | None = None
    augment: str = "flip"
    augment_fields: Mapping[str, Any] = field(default_factory=dict)  # off the policy's
    add: Sequence[str] = ()
    rename: Sequence[str] = ()
    repeat_factor: float | None = None
    skip_broken: bool = False
    by_orientation: bool = True
    cache: str = "0"
    preset: str = "mobilenet_1.0_fpn"
    weights: str | None = None
    image_size: int | None = None
    freeze: str | None = None
    precision: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the config
    epochs: int = 12
    batch_size: int = 2
    learning_rate: float | None = None
    rois_per_image: int | None = None
    seed: int = 0
    patience: int | None = None
    resume: bool = False
    tensorboard: bool = False
    pictures: bool = True
    record: str = ""  # TOML that repeats the run

    @property
    def augmentation(self) -> Augmentation:
        """The policy with the switches that were set."""
        return Augmentation.named(self.augment).replace(**self.augment_fields)

    def changes(self) -> dict[str, Any]:
        """The fields of the config that differ from the preset's; a field by name comes last."""
        changes: dict[str, Any] = {}
        if self.image_size is not None:
            changes |= scaled(preset(self.preset), self.image_size)
        if self.rois_per_image is not None:
            changes["rois_per_image"] = self.rois_per_image
        return {**changes, **self.fields}


def run(job: Training) -> dict[str, float]:
    """Trains; writes models, history, curves, figures, a picture, and the file that repeats it."""
    check_tensorboard(job.tensorboard)
    outlook = runs.find(job.out).outlook(job.out, job.resume, job.epochs, job.patience)
    keras.utils.set_random_seed(job.seed)
    train_set, val_set = datasets(job)
    console.print(str(check(train_set, val_set)))
    model = new_model(job, train_set)
    if outlook:
        console.print(outlook)
    try:
        history = model.fit(
            train_set,
            validation_data=val_set,
            epochs=job.epochs,
            batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            augmentation=job.augmentation,
            seed=job.seed,
            by_orientation=job.by_orientation,
            cache=job.cache,
            folder=job.out,
            resume=job.resume,
            patience=job.patience,
            callbacks=[TrainingProgress(), *keepers(job, val_set)],
            verbose=0,
        )
    except KeyboardInterrupt:
        draw_what_there_is(job.out)
        raise
    stopped = runs.read(job.out / runs.LAST).record.stopped_early(job.patience)
    if stopped:
        console.print(f"{stopped}.")
    return finish(model, history.history, val_set, job.out)


show = print_figures


def datasets(job: Training) -> tuple[Dataset, Dataset]:
    """What to train on and what to validate on: two places, or two parts of one."""
    train_set = joined(job.data, job.images, job.add, job.rename, job.skip_broken)
    if job.val_fraction is not None:
        train_set, val_set = split(train_set, job.val_fraction, job.seed)
    else:
        val_set = load(str(job.val), images=job.val_images, skip_broken=job.skip_broken)
        known = [text for text in job.rename if text.split("=")[0] in val_set.class_names]
        val_set = renamed(val_set, known)
    if job.repeat_factor is not None:
        train_set = repeat_factor(train_set, job.repeat_factor)
    return train_set, val_set


def new_model(job: Training, train_set: Dataset) -> Any:
    """The network with its starting weights, in the precision and with the stages asked for."""
    model = kmaskrcnn.MaskRCNN.from_preset(
        job.preset,
        class_names=train_set.class_names,
        weights=job.weights,
        dtype=policy_here(job.precision),
        **job.changes(),
    )
    if job.freeze == "none":
        model.unfreeze("all")
    elif job.freeze is not None:
        model.freeze(job.freeze)
    if job.weights is None:
        console.print("Random weights; photographs are learned far faster from --weights imagenet.")
        if model.frozen:
            console.print(f"And {', '.join(model.frozen)} stay random: --freeze {job.freeze}.")
    return model


def check_tensorboard(wanted: bool) -> None:
    """Raises ValueError, before anything is trained, if TensorBoard is wanted and not there."""
    if wanted and importlib.util.find_spec("tensorboard") is None:
        raise ValueError(
            "--tensorboard needs TensorBoard, which is not installed: pip install tensorboard"
        )


def keepers(job: Training, val_set: Dataset) -> list[keras.callbacks.Callback]:
    """What is written beside the checkpoints, once the folder belongs to this training."""

    def record(logs: Any = None) -> None:
        write_text(job.out / "train.toml", job.record)

    callbacks = [keras.callbacks.LambdaCallback(on_train_begin=record)]
    if job.tensorboard:
        # No graph: a training's step is too large to look at, and Keras 3.6 fails to write it.
        place = str(job.out / "tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(place, write_graph=False))
    if job.pictures:
        often = {"limit": IMAGES_A_PICTURE, "every": math.ceil(job.epochs / MOST_PICTURES)}
        callbacks.append(ValidationPictures(val_set, job.out / "pictures", **often))
    return callbacks


def draw_what_there_is(out: Path) -> None:
    """The curves of the epochs that are done."""
    history = out / runs.HISTORY
    if history.exists():
        report.save_curves(history, out / "curves.png")


def finish(
    model: Any, history: Mapping[str, Sequence[float]], val_set: Dataset, out: Path
) -> dict[str, float]:
    """Everything that is written when training is over."""
    model.save(out / "model.keras")
    if not (out / runs.BEST).exists():  # no epoch had an AP, as without objects to find
        duplicate(out / runs.LAST, out / runs.BEST)
    metrics = measure(model, val_set) | best_epoch(history)
    report.save_curves(history, out / "curves.png", metrics)
    write_json(out / "metrics.json", metrics)
    draw_predictions(model, val_set, out / "validation.jpg")
    names = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    console.print(f"Wrote {', '.join(names)} into {out}.")
    return metrics


def best_epoch(history: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Which epoch best.keras is of, counted from 1, and its mask or box AP; nothing without."""
    columns = {name: history[name] for name in runs.FIGURES if name in history}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    record = runs.Record({}, rows)
    epoch, value = record.best
    if record.figure is None:
        return {}
    return {"best/epoch": epoch, f"best/{record.figure[4:].replace('_', '/')}": value}
