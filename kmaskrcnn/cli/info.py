"""`kmaskrcnn info`: what a model, or anybody's file of weights, says of itself."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import MODEL, as_json


@click.command(
    short_help="Classes, settings, parameters and origin of a model file.",
    epilog="""\b
Examples:
  kmaskrcnn info runs/first/best.keras
  kmaskrcnn info runs/first/best.keras --json
  kmaskrcnn info runs/first/best.keras --toml > same-network.toml
""",
)
@click.argument("model", type=MODEL)
@click.option(
    "--toml",
    "as_toml",
    is_flag=True,
    help="Print its preset and the fields that differ, as `train --config` takes them.",
)
@as_json
def info(model: Path, as_toml: bool, as_json: bool) -> None:
    """Tell what MODEL is: classes, config, parameters, input size, where it comes from.

    Of weights of other projects (.pth, .pkl, .h5, .safetensors, .npz) it tells whose they are, how
    many arrays, and which classes they know.
    """
    if as_toml and as_json:
        raise click.UsageError("Give --json or --toml, not both.")
    from kmaskrcnn.commands import info as job
    from kmaskrcnn.commands.output import tell

    if as_toml:
        click.echo(job.toml(model), nl=False)
    else:
        tell(job, as_json, model)
