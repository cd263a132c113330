"""`kmaskrcnn evaluate`: COCO figures of a model."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import FILE, MODEL, OLD_FOLDER


@click.command(
    epilog="""\b
Examples:
  kmaskrcnn evaluate runs/first/best.keras test.json
  kmaskrcnn evaluate runs/first/best.keras test.json --images photos --json test-metrics.json
"""
)
@click.argument("model", type=MODEL)
@click.argument("data")
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@click.option("--json", "json_file", type=FILE, help="Write all figures here.")
def evaluate(model: Path, data: str, images: Path | None, json_file: Path | None) -> None:
    """COCO box and mask AP of MODEL on DATA, also per class."""
    from kmaskrcnn.commands import evaluate as job

    job.run(model, data, images, json_file)
