"""`kmaskrcnn inspect`: a look at annotated images before hours are spent on them."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import DATA, FOLDER, OLD_FOLDER, as_json


@click.command(
    short_help="Counts, sizes, classes and what looks wrong in annotated images.",
    epilog="""\b
Examples:
  kmaskrcnn inspect photos.json
  kmaskrcnn inspect photos.json --out look
  kmaskrcnn inspect photos.json --json | jq .problems
""",
)
@click.argument("data", type=DATA)
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@click.option(
    "--out",
    type=FOLDER,
    help="Draw annotated samples here, and what looks wrong; write the list of all of it.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    metavar="N",
    help="Images to draw.",
)
@as_json
def inspect(data: str, images: Path | None, out: Path | None, limit: int, as_json: bool) -> None:
    """Look at DATA: images, objects, classes, broken files, suspicious annotations.

    \b
    Writes into --out:
      samples.jpg     images all over DATA, their annotations drawn
      suspicious.jpg  images with something suspicious, if there are any
      report.txt      all that is said, and every place
    """
    from kmaskrcnn.commands import inspect as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, data, images, out, limit)
