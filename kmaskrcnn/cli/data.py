"""`kmaskrcnn data`: datasets from one form into another."""

from __future__ import annotations

from typing import Any

import click

from kmaskrcnn.cli.options import DATA, FOLDER, OLD_FOLDER, as_json, skip_broken

FORMATS = ("coco", "yolo", "png", "labelme", "tfrecord")


@click.group(
    short_help="Annotated images from one form into another.",
    epilog="""\b
Examples:
  kmaskrcnn data convert photos.json yolo --format yolo --val-fraction 0.2
  kmaskrcnn data convert nuclei#train nuclei-coco
""",
)
def data() -> None:
    """Work on annotated images themselves; `kmaskrcnn data convert --help` says how."""


@data.command(
    short_help="Write annotated images in the form of another program.",
    epilog="""\b
Examples:
  kmaskrcnn data convert photos.json yolo --format yolo --val-fraction 0.2
  kmaskrcnn data convert labelme_folder coco --take link
  kmaskrcnn data convert train.json masks --format png --val val.json
""",
)
@click.argument("source", metavar="IN", type=DATA)
@click.argument("out", metavar="OUT", type=FOLDER)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="coco",
    show_default=True,
    help="COCO JSON; labels of YOLO for outlines; a PNG of numbers an image; LabelMe; TFRecord.",
)
@click.option("--images", type=OLD_FOLDER, help="The images of IN, if not beside it.")
@click.option(
    "--take",
    type=click.Choice(["copy", "link", "none"]),
    default="copy",
    show_default=True,
    help="How the images come into OUT; none: they stay where they are.",
)
@click.option("--val", type=DATA, help="Annotated images that become the part val; IN is train.")
@click.option(
    "--val-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="This share of IN becomes the part val, the rest train.",
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    default=0,
    show_default=True,
    help="With --val-fraction: other seeds deal otherwise, the same as `train --seed`.",
)
@skip_broken
@as_json
def convert(as_json: bool, **options: Any) -> None:
    """Read IN, annotated images in any form that is recognised, and write the folder OUT.

    What the form of OUT cannot hold (crowds, keypoints, overlaps) is counted and said.
    """
    if options["val"] is not None and options["val_fraction"] is not None:
        raise click.UsageError("--val or --val-fraction, not both.")
    from kmaskrcnn.commands import data as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, job.Conversion(**options))
