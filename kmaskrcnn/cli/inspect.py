"""`kmaskrcnn inspect`: a look at annotated images before hours are spent on them."""

from __future__ import annotations

from typing import Any

import click

from kmaskrcnn.augmentation import POLICIES
from kmaskrcnn.cli.options import (
    DATA,
    FOLDER,
    Policy,
    as_json,
    augment_set,
    image_size,
    images,
    val_images,
)
from kmaskrcnn.cli.sections import Sectioned
from kmaskrcnn.presets import preset_names

SECTIONS = {
    "Data": ("images", "val", "val_images", "duplicates"),
    "Network": ("preset", "image_size"),
    "Training": ("augment", "augment_fields"),
    "Files": ("out", "limit", "as_json"),
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    short_help="What is in annotated images, what looks wrong, what suits them.",
    epilog="""\b
Examples:
  kmaskrcnn inspect photos.json
  kmaskrcnn inspect photos.json --out look
  kmaskrcnn inspect train.json --val val.json --preset resnet50_fpn --image-size 512 --out look
  kmaskrcnn inspect photos.json --augment lsj+copy_paste --augment-set rotation=10 --out look
  kmaskrcnn inspect photos.json --json | jq .problems
""",
)
@click.argument("data", type=DATA)
@images
@click.option(
    "--val",
    type=DATA,
    metavar="DATA",
    help="What will be validated on: its classes and photographs are compared with DATA's.",
)
@val_images
@click.option(
    "--duplicates/--no-duplicates",
    default=True,
    show_default=True,
    help="Look for photographs that are there twice, which decodes them all, coarsely.",
)
@click.option(
    "--preset",
    type=click.Choice(preset_names()),
    metavar="NAME",
    default="mobilenet_1.0_fpn",
    show_default=True,
    help="The network to be trained: objects are measured at its image size, by its anchors.",
)
@image_size
@click.option(
    "--augment",
    type=Policy(),
    metavar="POLICY",
    help="Draw what a training with this augmentation sees: "
    f"{', '.join(POLICIES)}; some joined by +.",
)
@augment_set
@click.option(
    "--out",
    type=FOLDER,
    help="Write a page of all of it here, and sheets of pictures.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    metavar="N",
    help="Images on a sheet.",
)
@as_json
def inspect(as_json: bool, **options: Any) -> None:
    """Look at DATA: images, objects, classes, broken files, suspicious annotations, photographs
    that are there twice, the image size and the anchors that suit it.

    \b
    Writes into --out:
      report.html     all of it with charts and pictures, in one file
      report.txt      all that is said, and every place
      samples.png     images all over DATA, their annotations drawn
      suspicious.png  images with something suspicious, if there are any
      augmented.png   with --augment: images as three epochs of a training see them
    """
    if (options["augment"] or options["augment_fields"]) and options["out"] is None:
        raise click.UsageError("--augment draws into a folder: give one by --out.")
    from kmaskrcnn.commands import inspect as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, job.Look(**options))
