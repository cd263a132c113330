"""`kmaskrcnn evaluate`: COCO figures of a model on a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import kmaskrcnn
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.data import load, split
from kmaskrcnn.progress import console


@dataclass(frozen=True)
class Evaluation:
    """The options of ``kmaskrcnn evaluate``."""

    model: Path
    data: str
    images: Path | None = None
    val_fraction: float | None = None
    seed: int = 0
    skip_broken: bool = False
    out: Path | None = None


def run(job: Evaluation) -> dict[str, float]:
    """All figures of `MaskRCNN.evaluate`, also as a JSON file if asked."""
    dataset = load(job.data, images=job.images, skip_broken=job.skip_broken)
    if job.val_fraction is not None:
        dataset = split(dataset, job.val_fraction, job.seed)[1]
    console.print(dataset.description)
    metrics = measure(kmaskrcnn.load(job.model, optimizer=False), dataset)
    if job.out is not None:
        write_json(job.out, metrics)
        console.print(f"All figures are in {job.out}.")
    return metrics


show = print_figures
