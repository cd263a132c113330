"""`kmaskrcnn benchmark`: how fast this machine is, and how large a batch fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kmaskrcnn.cli.options import FOLDER, Bytes, Names, Numbers, as_json
from kmaskrcnn.cli.sections import Sectioned
from kmaskrcnn.cli.train import train
from kmaskrcnn.precision import PRECISIONS

SECTIONS = {
    "Network": ("preset", "image_size", "rois_per_image", "fields"),
    "Measurement": ("precisions", "batch_sizes", "quick", "time_limit", "memory_limit"),
    "Files": ("out", "as_json"),
}


@click.command(
    cls=Sectioned,
    sections=SECTIONS,
    short_help="How fast this machine is, and how large a batch fits.",
    epilog="""\b
Examples:
  kmaskrcnn benchmark --quick
  kmaskrcnn benchmark --preset resnet50_fpn --image-size 800 --time-limit 900
  kmaskrcnn benchmark --precision float32,bfloat16 --memory-limit 8GB --out speed
  kmaskrcnn benchmark --json | jq '.series[].largest'
""",
    params=[p for p in train.params if p.name in SECTIONS["Network"]],
)
@click.option(
    "--precision",
    "precisions",
    type=Names(PRECISIONS),
    metavar="NAMES",
    help=f"Of {', '.join(PRECISIONS)}, joined by commas; all unless given, with --quick the first "
    "two. Those of 16 bits keep geometry and losses in 32.",
)
@click.option(
    "--batch-sizes",
    type=Numbers(),
    metavar="NUMBERS",
    help="Images at a time whose speed is measured: 1,2,4,8 unless given, with --quick 1,2.",
)
@click.option(
    "--quick", is_flag=True, help="An answer within a minute: no search for the largest batch."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="For everything together: 240 unless given, with --quick 60. What there is no time for is "
    "named.",
)
@click.option(
    "--memory-limit",
    type=Bytes(),
    metavar="SIZE",
    help="What a batch may take of this machine's memory, such as 8GB; else 80 % of what is free. "
    "A GPU's is used up to its end.",
)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("benchmark"),
    show_default=True,
    help="Where benchmark.json and benchmark.png go.",
)
@as_json
def benchmark(as_json: bool, **options: Any) -> None:
    """Measure a network on this machine, with random weights and drawn pictures.

    \b
    At each precision:
      one image        seconds from an array in memory to full-size masks of all objects
      predicting       the same for several images at a time, in images a second
      training         forward, backward and the optimizer's step, in images a second
      largest batch    that fits into memory, of either

    Each is measured in a process of its own that is ended before memory is short, so that neither
    this program nor others come to harm. What else runs here meanwhile makes the figures worse.
    """
    from kmaskrcnn.commands import benchmark as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, options)
