"""`kmaskrcnn convert`: weights from one form into another."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import FILE, presets


@click.command(
    short_help="Weights of other projects into a model, and a model into theirs.",
    epilog="""\b
Examples:
  kmaskrcnn convert torchvision/maskrcnn_resnet50_fpn coco.keras
  kmaskrcnn convert model_final.pkl model.keras --preset detectron2/mask_rcnn_R_50_FPN
  kmaskrcnn convert mask_rcnn_coco.h5 model.keras --preset matterport/mask_rcnn_resnet101
  kmaskrcnn convert runs/first/best.keras model.safetensors --to torchvision
""",
)
@click.argument("source", metavar="IN", type=click.Path())
@click.argument("out", metavar="OUT", type=FILE)
@click.option("--preset", shell_complete=presets, help="The network of a file of weights.")
@click.option("--classes", help="Its classes, as cat,dog; else those that it was published with.")
@click.option(
    "--to",
    "framework",
    type=click.Choice(["ours", "torchvision", "detectron2", "matterport"]),
    help="Whose names to write; else those that the ending of OUT is for.",
)
def convert(
    source: str, out: Path, preset: str | None, classes: str | None, framework: str | None
) -> None:
    """Read IN, weights of anybody or a model, and write OUT.

    OUT ends in .keras (a model to predict with and to train on), .npz, .safetensors, .pkl (for
    Detectron2) or .h5 (for matterport/Mask_RCNN).
    """
    from kmaskrcnn.commands import convert as job

    job.run(source, out, preset, classes, framework)
