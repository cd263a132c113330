"""`kmaskrcnn find-rate`: which learning rate to train with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kmaskrcnn.cli.options import FILE, as_json
from kmaskrcnn.cli.sections import Sectioned
from kmaskrcnn.cli.train import train

SECTIONS = {
    "Data": ("images", "augment", "augment_fields", "skip_broken"),
    "Network": ("preset", "weights", "image_size", "freeze", "precision", "fields"),
    "Sweep": ("batch_size", "rois_per_image", "seed", "low", "high", "steps"),
    "Files": ("out", "as_json"),
}
AS_IN_TRAIN = {"data", *SECTIONS["Data"], "batch_size", "rois_per_image", "seed"}


@click.command(
    name="find-rate",
    cls=Sectioned,
    sections=SECTIONS,
    short_help="Try learning rates and suggest one.",
    epilog="""\b
Examples:
  kmaskrcnn find-rate train.json --weights imagenet
  kmaskrcnn find-rate nuclei#train --preset laptop --image-size 256 --batch-size 4 --out rates.png
  kmaskrcnn find-rate train.json --preset laptop --json | jq .suggestion
""",
    params=[p for p in train.params if p.name in {*AS_IN_TRAIN, *SECTIONS["Network"]}],
)
@click.option(
    "--low",
    type=click.FloatRange(0, min_open=True),
    metavar="RATE",
    default=1e-5,
    show_default=True,
    help="Where the sweep begins.",
)
@click.option(
    "--high",
    type=click.FloatRange(0, min_open=True),
    metavar="RATE",
    default=1.0,
    show_default=True,
    help="Where it ends, if the loss has not blown up before.",
)
@click.option(
    "--steps",
    type=click.IntRange(10),
    metavar="N",
    default=100,
    show_default=True,
    help="Of the sweep; half as many give a rougher answer.",
)
@click.option(
    "--out", type=FILE, default=Path("rates.png"), show_default=True, help="The curve, drawn."
)
@as_json
def find_rate(
    low: float, high: float, steps: int, out: Path, as_json: bool, **options: Any
) -> None:
    """Train for some steps on DATA, each at a higher learning rate, and suggest one.

    Give the options that the training will have: the rate is right for its network, its batches
    and its images. Nothing is kept but the curve: the loss over the rate.
    """
    from kmaskrcnn.commands import find_rate as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, options, out, low, high, steps)
