"""The whole path on drawn shapes: train from nothing, evaluate, save, reload, predict, look."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kmaskrcnn
from kmaskrcnn import report
from kmaskrcnn.commands.output import measure, print_figures
from kmaskrcnn.data import ShapesDataset
from kmaskrcnn.progress import console
from kmaskrcnn.training import draw_predictions
from kmaskrcnn.training_progress import TrainingProgress

PRESET = "laptop"
IMAGES = 500
UNSEEN = 60
EPOCHS = 13
BATCH_SIZE = 4
SEED_OF_UNSEEN = 1_000_003  # far from the seeds that a person would give


def run(
    out: Path, *, epochs: int = EPOCHS, seed: int = 0, images: int = IMAGES
) -> dict[str, float]:
    """Trains a small model on shapes and writes model, curves and pictures into ``out``.

    Args:
        out: folder; made if need be.
        epochs: of ``images`` pictures each.
        seed: of the weights, the shapes and their order.
        images: how many pictures there are to learn from.

    Returns:
        The figures of `MaskRCNN.evaluate` on pictures that training never saw.

    Raises:
        RuntimeError: the reloaded model does not predict exactly what the saved one did.
    """
    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    train_set = ShapesDataset(images, seed=seed)
    unseen = ShapesDataset(UNSEEN, seed=seed + SEED_OF_UNSEEN)
    model = kmaskrcnn.MaskRCNN.from_preset(PRESET, class_names=train_set.class_names)
    history = model.fit(
        train_set,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        seed=seed,
        callbacks=[TrainingProgress()],
        verbose=0,
    )
    out.mkdir(parents=True, exist_ok=True)
    report.save_curves(history.history, out / "curves.png")
    figures = measure(model, unseen)
    model = saved_and_reloaded(model, unseen, out / "model.keras")
    draw_predictions(model, unseen, out / "predictions.jpg", limit=6, columns=6, cell_size=256)
    minutes = (time.perf_counter() - started) / 60
    print_figures(figures)
    console.print(f"{minutes:.1f} minutes; model, curves and predictions are in {out}.")
    console.print(f"box AP {figures['box/AP']:.2f}")
    console.print(f"mask AP {figures['mask/AP']:.2f}")
    return figures


def saved_and_reloaded(model: Any, dataset: ShapesDataset, path: Path) -> Any:
    """The model as it comes back from its file, after checking that it predicts the same."""
    image = dataset[0].image
    before = model.predict(image)[0]
    model.save(path)
    loaded = kmaskrcnn.load(path)
    after = loaded.predict(image)[0]
    if not (
        np.array_equal(before.boxes, after.boxes) and np.array_equal(before.masks, after.masks)
    ):
        raise RuntimeError(f"{path}: the reloaded model predicts otherwise than the saved one.")
    return loaded
