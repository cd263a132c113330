"""`kmaskrcnn inspect`: a look at annotated images before hours are spent on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from kmaskrcnn import data
from kmaskrcnn.commands.settings import scaled
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection import Inspection
from kmaskrcnn.data.load import open_unchecked
from kmaskrcnn.files import write_bytes
from kmaskrcnn.ops.drawing import encode_picture
from kmaskrcnn.presets import preset
from kmaskrcnn.progress import console


@dataclass(frozen=True)
class Look:
    """The options of ``kmaskrcnn inspect``."""

    data: str
    preset: str
    images: Path | None = None
    val: str | None = None
    val_images: Path | None = None
    duplicates: bool = True
    image_size: int | None = None
    out: Path | None = None
    limit: int = 12

    def config(self) -> MaskRCNNConfig:
        """The preset's at the image size asked for."""
        config = preset(self.preset)
        return (
            config if self.image_size is None else config.replace(**scaled(config, self.image_size))
        )


def run(job: Look) -> Inspection:
    """Looks at everything; draws and writes into a folder, if one is given."""
    held_out = None if job.val is None else open_unchecked(job.val, job.val_images)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("looking at files and annotations", total=None)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        found = data.inspect(
            job.data,
            job.images,
            validation=held_out,
            config=job.config(),
            duplicates=job.duplicates,
            progress=moved,
        )
    if job.out is not None:
        written = write(found, job.out, job.limit)
        console.print(f"Wrote {', '.join(written)} into {job.out}.")
    return found


def write(found: Inspection, out: Path, limit: int) -> list[str]:
    """The page, the lines and the sheets; their names."""
    found.save(out / "report.html")
    found.save(out / "report.txt")
    sheets = {"samples.jpg": False} if len(found.sizes) else {}
    if sheets and found.problems:
        sheets["suspicious.jpg"] = True
    for name, suspicious in sheets.items():
        draw(out / name, found.sheet(limit, suspicious=suspicious))
    return ["report.html", "report.txt", *sheets]


def draw(path: Path, picture: np.ndarray) -> None:
    """Writes a picture."""
    write_bytes(path, encode_picture(picture, path.suffix))


def show(found: Inspection) -> None:
    """What was found, with the first places of each kind."""
    console.print("\n".join(found.lines()))
