"""`kmaskrcnn inspect`: a look at annotated images before hours are spent on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.progress import Progress

from kmaskrcnn import data
from kmaskrcnn.data.inspection import Inspection
from kmaskrcnn.files import write_bytes
from kmaskrcnn.ops.drawing import encode_picture
from kmaskrcnn.progress import console


def run(dataset: str, images: Path | None, out: Path | None, limit: int) -> Inspection:
    """Looks at everything; draws and writes into a folder, if one is given."""
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("looking at files and annotations", total=None)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        found = data.inspect(dataset, images, progress=moved)
    if out is not None:
        found.save(out / "report.txt")
        draw(out / "samples.jpg", found.sheet(limit))
        if found.problems:
            draw(out / "suspicious.jpg", found.sheet(limit, suspicious=True))
        console.print(f"Wrote {', '.join(sorted(path.name for path in out.iterdir()))} into {out}.")
    return found


def draw(path: Path, picture: np.ndarray) -> None:
    """Writes a picture."""
    write_bytes(path, encode_picture(picture, path.suffix))


def show(found: Inspection) -> None:
    """What was found, with the first places of each kind."""
    console.print("\n".join(found.lines()))
