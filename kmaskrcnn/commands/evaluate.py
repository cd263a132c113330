"""`kmaskrcnn evaluate`: COCO figures of a model on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kmaskrcnn
from kmaskrcnn.commands.datasets import joined
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.data import split
from kmaskrcnn.progress import console


@dataclass(frozen=True)
class Chosen:
    """A model, and the data that it is measured on."""

    model: Path
    data: str
    images: Path | None = None
    val_fraction: float | None = None
    seed: int = 0
    skip_broken: bool = False
    add: Sequence[str] = ()
    rename: Sequence[str] = ()

    def dataset(self) -> Any:
        """The images that were asked for."""
        whole = joined(self.data, self.images, self.add, self.rename, self.skip_broken)
        if self.val_fraction is None:
            return whole
        return split(whole, self.val_fraction, self.seed)[1]


@dataclass(frozen=True)
class Evaluation(Chosen):
    """The options of ``kmaskrcnn evaluate``."""

    out: Path | None = None


def run(job: Evaluation) -> dict[str, float]:
    """All figures of `MaskRCNN.evaluate`, also as a JSON file if asked."""
    dataset = job.dataset()
    console.print(dataset.description)
    metrics = measure(kmaskrcnn.load(job.model, optimizer=False), dataset)
    if job.out is not None:
        write_json(job.out, metrics)
        console.print(f"All figures are in {job.out}.")
    return metrics


show = print_figures
