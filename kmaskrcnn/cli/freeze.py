"""`kmaskrcnn freeze`: a model file to predict with."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import FILE, MODEL, as_json


@click.command(
    short_help="A smaller copy of a model, to predict with.",
    epilog="""\b
Example:
  kmaskrcnn freeze runs/first/best.keras deer.keras
""",
)
@click.argument("model", type=MODEL)
@click.argument("out", type=FILE)
@as_json
def freeze(model: Path, out: Path, as_json: bool) -> None:
    """Write MODEL to OUT without the optimizer's state, the whole backbone frozen.

    It predicts the same and is a third to a half of the size. A training of it begins with a new
    optimizer and the heads alone.
    """
    from kmaskrcnn.commands import freeze as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, model, out)
