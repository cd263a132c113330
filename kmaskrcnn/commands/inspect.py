"""`kmaskrcnn inspect`: a look at annotated images before hours are spent on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from kmaskrcnn import data
from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.commands.settings import scaled
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.inspection import Inspection
from kmaskrcnn.data.inspection.pictures import pick
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
    augment: str | None = None
    augment_fields: Mapping[str, Any] = field(default_factory=dict)  # off the policy's
    out: Path | None = None
    limit: int = 12

    @property
    def augmentation(self) -> Augmentation | None:
        """What a training is to be drawn with, if that was asked for."""
        if self.augment is None and not self.augment_fields:
            return None
        return Augmentation.named(self.augment or "none").replace(**self.augment_fields)

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
        if job.augmentation is not None and len(found.sizes):
            draw(job.out / "augmented.png", augmented(found, job))
            written.append("augmented.png")
        console.print(f"Wrote {', '.join(written)} into {job.out}.")
    return found


def write(found: Inspection, out: Path, limit: int) -> list[str]:
    """The page, the lines and the sheets; their names."""
    found.save(out / "report.html")
    found.save(out / "report.txt")
    sheets = {"samples.png": False} if len(found.sizes) else {}
    if sheets and found.problems:
        sheets["suspicious.png"] = True
    for name, suspicious in sheets.items():
        draw(out / name, found.sheet(limit, suspicious=suspicious))
    return ["report.html", "report.txt", *sheets]


def augmented(found: Inspection, job: Look) -> np.ndarray:
    """Some of the images as a training sees them."""
    config, augmentation = job.config(), job.augmentation or Augmentation()
    input_size = data.InputSize(config.min_size, config.max_size, resize=config.resize)
    usable = data.Subset(found.dataset, pick(found, len(found.dataset)))
    count = min(max(job.limit // 4, 1), len(usable))
    indices = np.linspace(0, len(usable) - 1, count).astype(int)
    return data.augmentation_sheet(usable, augmentation, input_size, indices)


def draw(path: Path, picture: np.ndarray) -> None:
    """Writes a picture."""
    write_bytes(path, encode_picture(picture, path.suffix))


def show(found: Inspection) -> None:
    """What was found, with the first places of each kind."""
    console.print("\n".join(found.lines()))
