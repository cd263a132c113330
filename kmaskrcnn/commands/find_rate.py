"""`kmaskrcnn find-rate`: a sweep over learning rates, drawn, and what it suggests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kmaskrcnn.commands.train import Training, new_model
from kmaskrcnn.data import load
from kmaskrcnn.progress import console
from kmaskrcnn.rate_finder import RateCurve, find_learning_rate


def run(
    options: Mapping[str, Any], out: Path, low: float, high: float, steps: int
) -> dict[str, Any]:
    """Sweeps from ``low`` to ``high``; writes the curve.

    Args:
        options: those that it shares with ``train``.
        out: the picture to write.
        low, high, steps: of the sweep.

    Returns:
        The curve's figures, ``out`` and a sentence, ``text``.
    """
    job = Training(out=out.parent, **options)
    keras.utils.set_random_seed(job.seed)
    train_set = load(job.data, images=job.images, skip_broken=job.skip_broken)
    console.print(train_set.description)
    model = new_model(job, train_set)
    curve = sweep(model, train_set, job, low, high, steps)
    curve.save(out)
    return {**curve.to_dict(), "out": out, "text": str(curve)}


def sweep(
    model: Any, train_set: Any, job: Training, low: float, high: float, steps: int
) -> RateCurve:
    """The sweep, with a bar."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("building the graph", total=steps)
        return find_learning_rate(
            model,
            train_set,
            batch_size=job.batch_size,
            low=low,
            high=high,
            num_steps=steps,
            augmentation=job.augmentation,
            seed=job.seed,
            on_step=lambda step, rate, loss: bar.update(
                task, completed=step, description=f"rate {rate:.1e}  loss {loss:.3f}"
            ),
        )


def show(figures: Mapping[str, Any]) -> None:
    """What is suggested, and how to use it."""
    console.print(f"{figures['text'].capitalize()}. The curve is in {figures['out']}.")
    console.print(f"kmaskrcnn train … --learning-rate {figures['suggestion']:.2g}")
