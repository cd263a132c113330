"""`kmaskrcnn evaluate`: COCO figures of a model."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import DATA, FILE, MODEL, OLD_FOLDER, as_json


@click.command(
    epilog="""\b
Examples:
  kmaskrcnn evaluate runs/first/best.keras test.json
  kmaskrcnn evaluate runs/first/best.keras test.json --images photos --out test-metrics.json
  kmaskrcnn evaluate runs/first/best.keras test.json --json | jq '."mask/AP"'
"""
)
@click.argument("model", type=MODEL)
@click.argument("data", type=DATA)
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@click.option("--out", type=FILE, help="Also write all figures here, as JSON.")
@as_json
def evaluate(model: Path, data: str, images: Path | None, out: Path | None, as_json: bool) -> None:
    """COCO box and mask AP of MODEL on DATA, also per class."""
    from kmaskrcnn.commands import evaluate as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, model, data, images, out)
