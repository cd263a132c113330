"""`kmaskrcnn evaluate`: figures of a model, or of a file of results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kmaskrcnn.cli.options import (
    DATA,
    FILE,
    MODEL,
    Names,
    add,
    as_json,
    images,
    precision,
    rename,
    skip_broken,
    val_fraction,
    val_seed,
)
from kmaskrcnn.metrics import METRICS


@click.command(
    short_help="Box and mask AP of a model, or of a file of COCO results.",
    epilog="""\b
Examples:
  kmaskrcnn evaluate runs/first/best.keras photos.json --val-fraction 0.2
  kmaskrcnn evaluate runs/first/best.keras test.json --images photos --out test-metrics.json
  kmaskrcnn evaluate runs/first/best.keras test.json --json | jq '."mask/AP"'
  kmaskrcnn evaluate runs/first/best.keras test.json --metrics coco,voc,boundary
  kmaskrcnn evaluate results.json instances_val2017.json
""",
)
@click.argument("model", type=MODEL)
@click.argument("data", type=DATA)
@val_fraction
@val_seed
@click.option(
    "--metrics",
    type=Names(METRICS),
    default="coco",
    show_default=True,
    help=f"One or more of {', '.join(METRICS)}, joined by commas.",
)
@images
@add
@rename
@skip_broken
@precision
@click.option("--out", type=FILE, help="Also write all figures here, as JSON.")
@as_json
def evaluate(model: Path, data: str, as_json: bool, **options: Any) -> None:
    """Box and mask AP of MODEL on DATA, also per class.

    MODEL may be a JSON of COCO results in the place of a model: then what it lists is measured, and
    of a COCO file no photograph is needed.
    """
    from kmaskrcnn.commands import evaluate as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, job.Evaluation(model, data, **options))
