"""`kmaskrcnn evaluate`: COCO figures of a model on a dataset."""

from __future__ import annotations

from pathlib import Path

import kmaskrcnn
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.data import load
from kmaskrcnn.progress import console


def run(model_file: Path, data: str, images: Path | None, json_file: Path | None) -> None:
    """Prints box and mask AP, and writes all figures as JSON if asked."""
    dataset = load(data, images=images)
    console.print(dataset.description)
    model = kmaskrcnn.load(model_file)
    metrics = measure(model, dataset)
    print_figures(metrics)
    if json_file is not None:
        write_json(json_file, metrics)
        console.print(f"All figures are in {json_file}.")
