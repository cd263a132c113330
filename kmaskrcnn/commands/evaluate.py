"""`kmaskrcnn evaluate`: COCO figures of a model on a dataset."""

from __future__ import annotations

from pathlib import Path

import kmaskrcnn
from kmaskrcnn.commands.output import measure, print_figures, write_json
from kmaskrcnn.data import load
from kmaskrcnn.progress import console


def run(model_file: Path, data: str, images: Path | None, out: Path | None) -> dict[str, float]:
    """All figures of `MaskRCNN.evaluate`, also as a JSON file if asked."""
    dataset = load(data, images=images)
    console.print(dataset.description)
    metrics = measure(kmaskrcnn.load(model_file), dataset)
    if out is not None:
        write_json(out, metrics)
        console.print(f"All figures are in {out}.")
    return metrics


show = print_figures
