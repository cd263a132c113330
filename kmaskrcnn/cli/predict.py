"""`kmaskrcnn predict`: pictures, COCO results and LabelMe files of images."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import FILE, FOLDER, MODEL, as_json, precision


@click.command(
    epilog="""\b
Examples:
  kmaskrcnn predict runs/first/best.keras photo.jpg --out found
  kmaskrcnn predict runs/first/best.keras photos/ more/*.png --out found --score 0.7
  kmaskrcnn predict runs/first/best.keras photos/ --out found --labelme photos
"""
)
@click.argument("model", type=MODEL)
@click.argument(
    "inputs",
    metavar="IMAGE_OR_FOLDER...",
    nargs=-1,
    required=True,
    type=click.Path(),  # what is not there, an address or a pattern gets a sentence of its own
)
@click.option("--out", required=True, type=FOLDER, help="Where the pictures go.")
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Keep from here up.",
)
@click.option("--coco", type=FILE, help="COCO results; else OUT/predictions.json.")
@click.option(
    "--labelme",
    type=FOLDER,
    help="Also a LabelMe file of each image, to correct and train on; those that are there stay.",
)
@precision
@as_json
def predict(
    model: Path,
    inputs: tuple[str, ...],
    out: Path,
    score: float,
    coco: Path | None,
    labelme: Path | None,
    precision: str | None,
    as_json: bool,
) -> None:
    """Find the objects in images: a picture of each, and COCO results."""
    from kmaskrcnn.commands import predict as job
    from kmaskrcnn.commands.output import tell

    job.complain(tell(job, as_json, model, inputs, out, score, coco, labelme, precision))
