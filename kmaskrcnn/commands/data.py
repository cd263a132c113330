"""`kmaskrcnn data convert`: annotated images in the form of another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from kmaskrcnn.data import Dataset, align, load, split, write
from kmaskrcnn.progress import console


@dataclass
class Conversion:
    """What is read and what is written; the fields are the options of the verb."""

    source: str
    out: Path
    form: str = "coco"
    images: Path | None = None
    take: str = "copy"
    val: str | None = None
    val_fraction: float | None = None
    seed: int = 0
    skip_broken: bool = False


def run(job: Conversion) -> dict[str, Any]:
    """Reads, writes, and counts what is written and what is lost."""
    parts = datasets(job)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(f"writing {job.out}", total=None)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        report = write(parts, job.out, job.form, job.take, moved)
    return {
        "folder": str(job.out),
        "format": job.form,
        "images": {name or "all": len(part) for name, part in parts.items()},
        "classes": list(next(iter(parts.values())).class_names),
        "lost": report.counts,
        "lines": report.lines(),
    }


def datasets(job: Conversion) -> dict[str, Dataset]:
    """The one part, or train and val."""
    with console.status(f"reading {job.source}"):
        whole = load(job.source, job.images, skip_broken=job.skip_broken)
        console.print(whole.description if hasattr(whole, "description") else job.source)
        if job.val_fraction is not None:
            train, held_out = split(whole, job.val_fraction, job.seed)
            return {"train": train, "val": held_out}
        if job.val is None:
            return {"": whole}
        other = load(job.val, skip_broken=job.skip_broken)
        return {"train": whole, "val": align(other, whole.class_names)}


def show(done: dict[str, Any]) -> None:
    """What stands there now, and what the form could not hold."""
    counts = ", ".join(f"{count} ({name})" for name, count in done["images"].items())
    console.print(f"{done['folder']}: {done['format']}, images {counts}")
    for line in done["lines"]:
        console.print(f"not held: {line}")
