"""`kmaskrcnn train`: from annotated images to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from kmaskrcnn.augmentation import POLICIES, Augmentation
from kmaskrcnn.cli import run_file
from kmaskrcnn.cli.options import (
    DATA,
    FOLDER,
    Bytes,
    Policy,
    add,
    as_json,
    augment_set,
    field_names,
    image_size,
    images,
    precision,
    rename,
    settings,
    skip_broken,
    val_images,
)
from kmaskrcnn.cli.sections import Sectioned
from kmaskrcnn.commands.settings import augmentation_notes, notes
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.presets import preset_names

SECTIONS = {
    "Data": (
        *("val", "val_fraction", "images", "val_images", "add", "rename", "repeat_factor"),
        *("augment", "augment_fields", "skip_broken", "by_orientation", "cache"),
    ),
    "Network": ("preset", "weights", "image_size", "freeze", "precision", "fields"),
    "Training": (
        *("epochs", "batch_size", "learning_rate", "rois_per_image", "seed", "patience"),
        *("resume",),
    ),
    "Files": ("out", "config", "tensorboard", "pictures", "as_json"),
}
SAID_BY = {"image_size": ("min_size", "max_size"), "rois_per_image": ("rois_per_image",)}
PLACES = ("data", "val", "out", "images", "val_images", "weights")


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    short_help="Train on annotated images and keep the model.",
    epilog="""\b
Examples:
  kmaskrcnn train photos.json --val-fraction 0.2 --out runs/first --weights imagenet
  kmaskrcnn train train.json --val val.json --out runs/second --weights imagenet \\
      --augment lsj+copy_paste --augment-set rotation=10 --patience 5 --tensorboard
  kmaskrcnn train nuclei#train --val nuclei#test --out runs/nuclei \\
      --preset laptop --image-size 256 --epochs 30 --set detections_per_image=300
  kmaskrcnn train ours.json --add theirs.json --rename automobile=car --val val.json \\
      --repeat-factor 0.01 --out runs/both
  kmaskrcnn train --config runs/first/train.toml --resume
  kmaskrcnn train --config runs/first/train.toml --out runs/longer --epochs 24
""",
)
@click.argument("data", type=DATA)
@click.option("--val", type=DATA, metavar="DATA", help="What to validate on after each epoch.")
@click.option(
    "--val-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="In place of --val: this share of DATA, drawn by --seed, is kept to validate on.",
)
@images
@val_images
@add
@rename
@click.option(
    "--repeat-factor",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Show images with classes that are on fewer than this share of the images more often, as "
    "LVIS does with 0.001.",
)
@click.option(
    "--augment",
    type=Policy(),
    default="flip",
    show_default=True,
    metavar="POLICY",
    help=f"{', '.join(POLICIES)}; some joined by +.",
)
@augment_set
@skip_broken
@click.option(
    "--by-orientation/--any-orientation",
    default=True,
    show_default=True,
    help="Batches of wide or of tall images only, so that less is padded.",
)
@click.option(
    "--cache",
    type=Bytes(),
    metavar="SIZE",
    default="0",
    show_default=True,
    help="Keep decoded images in memory up to this size, such as 4GB.",
)
@click.option(
    "--preset",
    type=click.Choice(preset_names()),
    metavar="NAME",
    default="mobilenet_1.0_fpn",
    show_default=True,
    help="The network and its settings: laptop, resnet50_fpn, detectron2/mask_rcnn_R_50_FPN, …",
)
@click.option(
    "--weights",
    metavar="NAME",
    help='"imagenet", "coco" or a file; left out, all weights start at random.',
)
@image_size
@click.option(
    "--freeze",
    type=click.Choice(["none", "stem", "C2", "C3", "C4", "C5"]),
    help="Keep the backbone as it is up to this stage; C5 trains the heads alone. Else as the "
    "preset says, where weights are given.",
)
@precision
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=field_names,
    callback=settings(MaskRCNNConfig),
    help="Any other field of MaskRCNNConfig, such as detections_per_image=300; repeatable.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    metavar="N",
    default=12,
    show_default=True,
    help="Times through DATA.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    metavar="N",
    default=2,
    show_default=True,
    help="Images a step.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    metavar="RATE",
    help="Peak of the schedule; else it follows the batch size.",
)
@click.option(
    "--rois-per-image",
    type=click.IntRange(1),
    metavar="N",
    help="RoIs in the loss; else the preset's.",
)
@click.option(
    "--seed", type=int, metavar="N", default=0, show_default=True, help="Same seed, same losses."
)
@click.option(
    "--patience",
    type=click.IntRange(1),
    metavar="EPOCHS",
    help="Stop when the mask AP (box AP without masks) has not risen for so many epochs.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run in OUT where it was stopped or killed; give the same options.",
)
@click.option("--out", required=True, type=FOLDER, help="Where to write; made if need be.")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=run_file.load,
    metavar="FILE.toml",
    help="Take what is not given here from a file, such as the train.toml of another run.",
)
@click.option(
    "--tensorboard", is_flag=True, help="Also write OUT/tensorboard, to be shown by tensorboard."
)
@click.option(
    "--pictures/--no-pictures",
    default=True,
    show_default=True,
    help="After an epoch, a picture of predictions on 8 images.",
)
@as_json
@click.pass_context
def train(ctx: click.Context, as_json: bool, **options: Any) -> None:
    """Train on DATA and keep the model.

    \b
    Writes into --out:
      model.keras      after the last epoch        history.csv   a line an epoch
      best.keras       of the best mask AP         curves.png    losses, AP, speed
      last.keras       to go on from (--resume)    previous.keras  the epoch before
      metrics.json     box and mask AP, per class  validation.jpg  predictions, drawn
      train.toml       to repeat or to change      pictures/     the same after an epoch
    """
    one_validation(ctx, options)
    options["fields"] = fields_of_model(ctx, options["fields"])
    switches = switches_of(ctx, options["augment"], options["augment_fields"])
    options["augment_fields"] = switches.to_dict()
    from kmaskrcnn.commands import train as job
    from kmaskrcnn.commands.output import tell

    tables = {
        "augmentation": (
            options["augment_fields"],
            augmentation_notes(options["augment"], switches),
        ),
        "model": (options["fields"], notes(options["preset"], options["fields"])),
    }
    record = run_file.write(ctx.command, placed(options), tables)
    tell(job, as_json, job.Training(**options, record=record))


def one_validation(ctx: click.Context, options: dict[str, Any]) -> None:
    """Either --val or --val-fraction; the one on the command line wins over the file's."""
    names = ("val", "val_fraction")
    given = [name for name in names if options[name] is not None]
    typed = [name for name in given if from_command_line(ctx, name)]
    if len(given) == 2 and len(typed) == 1:
        options.update({name: None for name in names if name not in typed})
    elif len(given) != 1:
        said = "both were given" if given else "neither was given"
        raise click.UsageError(
            f"Say what to validate on: --val DATA, or --val-fraction 0.2 to keep a fifth of DATA "
            f"for it. Exactly one of the two is needed; {said}.",
            ctx,
        )


def fields_of_model(ctx: click.Context, typed: dict[str, Any]) -> dict[str, Any]:
    """The file's [model] and, above it, what the command line says."""
    from_file = run_file.fields_of(ctx, "model")
    for name, fields in SAID_BY.items():
        if from_command_line(ctx, name):
            from_file = {key: from_file[key] for key in from_file if key not in fields}
    return from_file | typed


def switches_of(ctx: click.Context, policy: str, typed: dict[str, Any]) -> Augmentation:
    """The policy, the file's [augmentation], unless the policy was typed, and what was typed."""
    typed_policy = from_command_line(ctx, "augment")
    from_file = {} if typed_policy else run_file.fields_of(ctx, "augmentation")
    try:
        return Augmentation.named(policy).replace(**{**from_file, **typed})
    except ValueError as error:
        raise click.UsageError(str(error), ctx) from None


def from_command_line(ctx: click.Context, name: str) -> bool:
    """Whether a person typed this option in this call."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def placed(options: dict[str, Any]) -> dict[str, Any]:
    """The options with paths that are right from every folder; names like "imagenet" stay."""
    paths = {name: options[name] for name in PLACES if options[name] is not None}
    weights = paths.get("weights")
    if weights is not None and not Path(weights).exists():
        del paths["weights"]
    added = tuple(str(Path(place).absolute()) for place in options["add"])
    right = {name: str(Path(path).absolute()) for name, path in paths.items()}
    return {**options, **right, "add": added}
