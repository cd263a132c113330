"""`kmaskrcnn evaluate`: figures of a model, or of a file of results, on a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kmaskrcnn.commands.datasets import joined
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.commands.precision import model_of
from kmaskrcnn.data import Dataset, split
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.formats.coco import recognise as is_coco_file
from kmaskrcnn.data.formats.lvis import LvisDataset
from kmaskrcnn.data.formats.lvis import recognise as is_lvis_file
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.evaluation import Evaluator
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
    precision: str | None = None

    def dataset(self) -> Any:
        """The images that were asked for."""
        whole = joined(self.data, self.images, self.add, self.rename, self.skip_broken)
        if self.val_fraction is None:
            return whole
        return split(whole, self.val_fraction, self.seed)[1]


@dataclass(frozen=True)
class Evaluation(Chosen):
    """The options of ``kmaskrcnn evaluate``."""

    metrics: tuple[str, ...] = ("coco",)
    out: Path | None = None


def run(job: Evaluation) -> dict[str, float]:
    """All figures of `MaskRCNN.evaluate`, or of a file of results, also as a JSON if asked."""
    figures = measure_results(job) if job.model.suffix == ".json" else measure_model(job)
    if job.out is not None:
        write_json(job.out, figures)
        console.print(f"All figures are in {job.out}.")
    return figures


def measure_model(job: Evaluation) -> dict[str, float]:
    """Predicts all images; losses too."""
    dataset = job.dataset()
    console.print(dataset.description)
    return measure(model_of(job.model, job.precision), dataset, metrics=job.metrics)


def measure_results(job: Evaluation) -> dict[str, float]:
    """Reads COCO results; of a truth in a COCO file no photograph is needed."""
    changed = any((job.images, job.val_fraction, *job.add, *job.rename))
    dataset = (None if changed else annotations_alone(Path(job.data))) or job.dataset()
    console.print(dataset.description)
    return Evaluator(dataset, metrics=job.metrics).evaluate(job.model)


def annotations_alone(path: Path) -> Dataset | None:
    """A file of LVIS or COCO without its photographs; None where the path is something else."""
    opening = Opening(path)
    if path.suffix == ".json" and path.is_file():
        for recognise, reader in ((is_lvis_file, LvisDataset), (is_coco_file, CocoDataset)):
            if recognise(opening):
                return reader(path, file=opening.take_json(path), photographs=False)
    return None


show = print_figures
