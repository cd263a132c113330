"""`kmaskrcnn train`: from annotated images to a model."""

from __future__ import annotations

from typing import Any

import click

from kmaskrcnn.cli.options import DATA, FOLDER, OLD_FOLDER, fields
from kmaskrcnn.presets import preset_names


@click.command(
    epilog="""\b
Examples:
  kmaskrcnn train train.json --val val.json --out runs/first --weights imagenet
  kmaskrcnn train nuclei#train --val nuclei#test --out runs/nuclei \\
      --preset laptop --image-size 256 --epochs 30 --set detections_per_image=300
"""
)
@click.argument("data", type=DATA)
@click.option(
    "--val", required=True, type=DATA, metavar="DATA", help="What to validate on after each epoch."
)
@click.option("--out", required=True, type=FOLDER, help="Where to write; made if need be.")
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@click.option("--val-images", type=OLD_FOLDER, help="The images of --val, if not beside it.")
@click.option(
    "--preset",
    type=click.Choice(preset_names()),
    default="mobilenet_1.0_fpn",
    show_default=True,
    help="The network and its settings.",
)
@click.option("--weights", help='"imagenet" or a file; left out, all weights start at random.')
@click.option("--epochs", type=click.IntRange(1), default=12, show_default=True)
@click.option("--batch-size", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--image-size", type=click.IntRange(16), help="Short side in pixels; else the preset's."
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    help="Peak of the schedule; else it follows the batch size.",
)
@click.option(
    "--rois-per-image", type=click.IntRange(1), help="RoIs in the loss; else the preset's."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same losses.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=fields,
    help="Any other field of MaskRCNNConfig, such as detections_per_image=300; repeatable.",
)
def train(**options: Any) -> None:
    """Train on DATA and keep the model.

    \b
    Writes into --out:
      model.keras      after the last epoch        history.csv   a line an epoch
      best.keras       of the best mask AP         curves.png    losses and AP
      metrics.json     box and mask AP, per class  validation.jpg  predictions, drawn
    """
    from kmaskrcnn.commands import train as job

    job.run(job.Training(**options))
