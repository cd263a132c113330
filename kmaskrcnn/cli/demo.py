"""`kmaskrcnn demo`: the whole path on drawn shapes."""

from __future__ import annotations

from pathlib import Path

import click

from kmaskrcnn.cli.options import FOLDER


@click.command(
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
