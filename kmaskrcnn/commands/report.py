"""`kmaskrcnn report`: how good a model is, as one page for a browser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kmaskrcnn import runs
from kmaskrcnn.commands.evaluate import Chosen
from kmaskrcnn.commands.output import print_figures
from kmaskrcnn.commands.precision import model_of
from kmaskrcnn.data import Subset
from kmaskrcnn.progress import console, counted
from kmaskrcnn.report import Report, save_report


@dataclass(frozen=True)
class Reporting(Chosen):
    """The options of ``kmaskrcnn report``."""

    out: Path = Path("report.html")
    limit: int | None = None


def run(job: Reporting) -> Report:
    """Writes the page; gives the figures behind it."""
    dataset = job.dataset()
    if job.limit is not None and job.limit < len(dataset):
        dataset = Subset(dataset, np.linspace(0, len(dataset) - 1, job.limit).round().astype(int))
    console.print(dataset.description)
    is_model = job.model.suffix != ".json"
    history = job.model.parent / runs.HISTORY
    report = save_report(
        model_of(job.model, job.precision) if is_model else job.model,
        dataset,
        job.out,
        title=f"{job.model.name} on {Path(job.data).name}",
        history=history if is_model and history.exists() else None,
        progress=predicted,
    )
    console.print(f"The page is {job.out}.")
    return report


def predicted(indices: Iterable[int]) -> Iterator[int]:
    """The indices, with a bar."""
    listed = list(indices)
    return counted(listed, "predicting", len(listed))


def show(report: Report) -> None:
    """COCO's figures; the rest is on the page."""
    print_figures(report.figures)
