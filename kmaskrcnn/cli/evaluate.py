"""`kmaskrcnn evaluate`: COCO figures of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kmaskrcnn.cli.options import (
    DATA,
    FILE,
    MODEL,
    OLD_FOLDER,
    add,
    as_json,
    rename,
    val_fraction,
    val_seed,
)


@click.command(
    epilog="""\b
Examples:
  kmaskrcnn evaluate runs/first/best.keras photos.json --val-fraction 0.2
  kmaskrcnn evaluate runs/first/best.keras test.json --images photos --out test-metrics.json
  kmaskrcnn evaluate runs/first/best.keras test.json --json | jq '."mask/AP"'
"""
)
@click.argument("model", type=MODEL)
@click.argument("data", type=DATA)
@val_fraction
@val_seed
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@add
@rename
@click.option("--skip-broken", is_flag=True, help="Leave out images that cannot be read.")
@click.option("--out", type=FILE, help="Also write all figures here, as JSON.")
@as_json
def evaluate(model: Path, data: str, as_json: bool, **options: Any) -> None:
    """COCO box and mask AP of MODEL on DATA, also per class."""
    from kmaskrcnn.commands import evaluate as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, job.Evaluation(model, data, **options))
