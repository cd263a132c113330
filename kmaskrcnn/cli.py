"""The command line: what each verb takes. What it does lies in `kmaskrcnn.commands`.

TensorFlow is imported by a verb's work, never by its options, so that `--help` answers at once. A
mistake of the user is one sentence on standard error; `--debug` adds the stack trace.

Exit codes: 0 done, 1 failed at work, 2 the command or its input is wrong, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from kmaskrcnn.presets import preset_names

MISTAKES = (ValueError, OSError)
FAILURES = (RuntimeError, ArithmeticError)  # no compiler, a loss that is not finite, …
NOT_ENOUGH_MEMORY = ("ResourceExhaustedError", "MemoryError")
MODEL = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
OLD_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class Failure(click.ClickException):
    """What ends the program with one sentence and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def failure(error: Exception) -> Failure:
    """The sentence and the exit code for what went wrong."""
    text = str(error).strip() or type(error).__name__
    if type(error).__name__ in NOT_ENOUGH_MEMORY:
        knobs = "--batch-size, --image-size or --rois-per-image"
        return Failure(f"Out of memory: try a smaller {knobs}. ({text.splitlines()[0]})", 1)
    if isinstance(error, MISTAKES):
        return Failure(text, 2)
    if isinstance(error, FAILURES):
        return Failure(text, 1)
    return Failure(f"{type(error).__name__}: {text} (`--debug` shows where)", 1)


class Door(click.Group):
    """The group of verbs: `--debug` is taken anywhere, and errors become sentences."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of use, not of the alphabet

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise Failure("Interrupted.", 130) from None
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise failure(error) from error


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.version_option(package_name="kmaskrcnn")
def main(debug: bool) -> None:
    """Mask R-CNN for TensorFlow 2 and Keras 3: find objects and their outlines in photographs.

    \b
    DATA is a COCO instances JSON, a folder with one PNG per object, or a folder of instance-id
    PNGs; what was recognised is said. FOLDER#SPLIT takes one part of a folder with a splits.json.

    \b
    Exit codes: 0 done, 1 failed at work, 2 the command or its input is wrong, 130 interrupted.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@main.command(
    epilog="""\b
Examples:
  kmaskrcnn train train.json --val val.json --out runs/first --weights imagenet
  kmaskrcnn train nuclei#train --val nuclei#test --out runs/nuclei \\
      --preset laptop --image-size 256 --epochs 30 --set detections_per_image=300
"""
)
@click.argument("data")
@click.option("--val", required=True, metavar="DATA", help="What to validate on after each epoch.")
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
    from kmaskrcnn import commands

    commands.train(commands.Training(**options))


@main.command(
    epilog="""\b
Examples:
  kmaskrcnn evaluate runs/first/best.keras test.json
  kmaskrcnn evaluate runs/first/best.keras test.json --images photos --json test-metrics.json
"""
)
@click.argument("model", type=MODEL)
@click.argument("data")
@click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")
@click.option("--json", "json_file", type=FILE, help="Write all figures here.")
def evaluate(model: Path, data: str, images: Path | None, json_file: Path | None) -> None:
    """COCO box and mask AP of MODEL on DATA, also per class."""
    from kmaskrcnn import commands

    commands.evaluate(model, data, images, json_file)


@main.command(
    epilog="""\b
Examples:
  kmaskrcnn predict runs/first/best.keras photo.jpg --out found
  kmaskrcnn predict runs/first/best.keras photos/ more/*.png --out found --score 0.7
"""
)
@click.argument("model", type=MODEL)
@click.argument(
    "inputs",
    metavar="IMAGE_OR_FOLDER...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option("--out", required=True, type=FOLDER, help="Where the pictures go.")
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Keep from here up.",
)
@click.option("--json", "json_file", type=FILE, help="COCO results; else OUT/predictions.json.")
def predict(
    model: Path, inputs: tuple[Path, ...], out: Path, score: float, json_file: Path | None
) -> None:
    """Find the objects in images: a picture of each, and COCO results."""
    from kmaskrcnn import commands

    commands.predict(model, inputs, out, score, json_file)


@main.command(
    short_help="The weights that others publish, and which presets they fit.",
    epilog="""\b
Examples:
  kmaskrcnn weights
  kmaskrcnn weights --download torchvision/maskrcnn_resnet50_fpn
  kmaskrcnn weights --download torchvision/resnet50:imagenet_v2 --json
""",
)
@click.option(
    "--download", metavar="NAME", help="Bring PRESET's, or PRESET:WEIGHTS', into the cache."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with addresses and checksums.")
def weights(download: str | None, as_json: bool) -> None:
    """List the weights that others publish: preset, size, AP, licence, whether they are here.

    The cache is the folder weights in KMASKRCNN_CACHE, else in ~/.cache/kmaskrcnn; with
    KMASKRCNN_OFFLINE=1 nothing is downloaded.
    """
    from kmaskrcnn import commands

    commands.weights(download, as_json)


@main.command(
    short_help="Weights of other projects into a model, and a model into theirs.",
    epilog="""\b
Examples:
  kmaskrcnn convert torchvision/maskrcnn_resnet50_fpn coco.keras
  kmaskrcnn convert model_final.pkl model.keras --preset detectron2/mask_rcnn_R_50_FPN
  kmaskrcnn convert mask_rcnn_coco.h5 model.keras --preset matterport/mask_rcnn_resnet101
  kmaskrcnn convert runs/first/best.keras model.safetensors --to torchvision
""",
)
@click.argument("source", metavar="IN")
@click.argument("out", metavar="OUT", type=FILE)
@click.option("--preset", help="The network of a file of weights.")
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
    from kmaskrcnn import commands

    commands.convert(source, out, preset, classes, framework)


@main.command(
    short_help="Train on drawn shapes, evaluate, save, reload, predict.",
    epilog="""\b
Example:
  kmaskrcnn demo --out demo
""",
)
@click.option("--out", type=FOLDER, default=Path("demo"), show_default=True)
@click.option(
    "--epochs", type=click.IntRange(1), help="Fewer for a quick look; it then learns less."
)
@click.option("--seed", type=int, default=0, show_default=True)
def demo(out: Path, epochs: int | None, seed: int) -> None:
    """Train on drawn shapes from nothing, evaluate, save, reload, predict: some minutes."""
    from kmaskrcnn import demo as job

    job.run(out, **({} if epochs is None else {"epochs": epochs}), seed=seed)


@main.command(
    name="build-op",
    short_help="Compile the RoIAlign op for the TensorFlow at hand.",
    epilog="""\b
Example:
  kmaskrcnn build-op --verbose
""",
)
@click.option("--verbose", is_flag=True, help="Show the compiler's command and what it says.")
def build_op(verbose: bool) -> None:
    """Compile the RoIAlign op for the TensorFlow at hand (needs g++; never required)."""
    from kmaskrcnn import commands

    commands.build_op(verbose)


if __name__ == "__main__":
    sys.exit(main())
