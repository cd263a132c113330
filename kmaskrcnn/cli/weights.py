"""`kmaskrcnn weights`: what others publish."""

from __future__ import annotations

import click

from kmaskrcnn.cli.options import as_json


@click.command(
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
@as_json
def weights(download: str | None, as_json: bool) -> None:
    """List the weights that others publish: preset, size, AP, licence, whether they are here.

    The cache is the folder weights in KMASKRCNN_CACHE, else in ~/.cache/kmaskrcnn; with
    KMASKRCNN_OFFLINE=1 nothing is downloaded.
    """
    from kmaskrcnn.commands import weights as job
    from kmaskrcnn.commands.output import tell

    tell(job, as_json, download)
