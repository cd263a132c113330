"""`kmaskrcnn report`: how good a model is, as one page for a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kmaskrcnn.cli.options import (
    DATA,
    FILE,
    MODEL,
    add,
    as_json,
    images,
    precision,
    rename,
    skip_broken,
    val_fraction,
    val_seed,
)


@click.command(
    short_help="How good a model is, and what it gets wrong, as one HTML page.",
    epilog="""\b
Examples:
  kmaskrcnn report runs/first/best.keras photos.json --val-fraction 0.2
  kmaskrcnn report runs/first/best.keras test.json --images photos --out test.html
  kmaskrcnn report runs/first/best.keras test.json --json | jq .classes
  kmaskrcnn report results.json test.json --images photos
""",
)
@click.argument("model", type=MODEL)
@click.argument("data", type=DATA)
@click.option("--out", type=FILE, default="report.html", show_default=True, help="The page.")
@val_fraction
@val_seed
@images
@add
@rename
@skip_broken
@precision
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="At most so many images, evenly spread over DATA.",
)
@as_json
def report(model: Path, data: str, as_json: bool, **options: Any) -> None:
    """Predict DATA with MODEL and write one HTML page that needs nothing beside itself.

    It has the curves of the training (if history.csv lies beside MODEL), AP of each class, the
    confusion matrix, precision and recall with a suggested threshold for each class, calibration,
    the error of counting, the best and the worst images, and the mistakes one by one. MODEL may be
    a JSON of COCO results in the place of a model: then nothing is predicted.
    """
    from kmaskrcnn.commands import report as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, job.Reporting(model, data, **options))
