"""`kmaskrcnn doctor`: is all here, and does it work?"""

from __future__ import annotations

import click


@click.command(
    short_help="What is installed, whether it fits and works, and what to do.",
    epilog="""\b
Examples:
  kmaskrcnn doctor
  kmaskrcnn doctor --json > doctor.json
""",
)
@click.option("--run/--no-run", default=True, help="Whether to use a small network as the proof.")
@click.option("--json", "as_json", is_flag=True, help="All facts as JSON.")
def doctor(run: bool, as_json: bool) -> None:
    """Look at this installation: versions found and supported, devices, the RoIAlign op, folders.

    It runs in any installation, also where TensorFlow is missing or does not load. Paste what it
    says into a report of a bug. Exit code 1 says that something has to be mended.
    """
    from kmaskrcnn.commands import doctor as job

    job.run(run, as_json)
