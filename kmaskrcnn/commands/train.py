"""`kmaskrcnn train`: a model from annotated images, and all that tells how it went."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

import kmaskrcnn
from kmaskrcnn import report
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.commands.settings import parse_setting, scaled
from kmaskrcnn.data import Dataset, check, load
from kmaskrcnn.presets import preset
from kmaskrcnn.progress import console
from kmaskrcnn.training import draw_predictions
from kmaskrcnn.training_progress import TrainingProgress


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


def run(job: Training) -> None:
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
    history = model.fit(
        train_set,
        validation_data=val_set,
        epochs=job.epochs,
        batch_size=job.batch_size,
        learning_rate=job.learning_rate,
        seed=job.seed,
        callbacks=[TrainingProgress(), *keepers(job.out)],
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
