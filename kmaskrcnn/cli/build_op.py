"""`kmaskrcnn build-op`: the RoIAlign op, compiled here."""

from __future__ import annotations

import click


@click.command(
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
    from kmaskrcnn.commands import build_op as job

    job.run(verbose)
