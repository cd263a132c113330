"""`kmaskrcnn benchmark`: speed and largest batches of this machine, as table, JSON and picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kmaskrcnn.benchmark.measuring import measure
from kmaskrcnn.benchmark.picture import save_picture
from kmaskrcnn.benchmark.plan import Plan
from kmaskrcnn.benchmark.series import Benchmark, Series
from kmaskrcnn.benchmark.words import largest, notes, range_of, seconds, speed, title
from kmaskrcnn.byte_count import byte_count
from kmaskrcnn.commands.output import write_json
from kmaskrcnn.commands.settings import scaled
from kmaskrcnn.precision import PRECISIONS
from kmaskrcnn.presets import preset
from kmaskrcnn.progress import console

EXTENT = ("precisions", "batch_sizes", "time_limit")  # options that a `Plan` knows by itself
QUICK = {"precisions": PRECISIONS[:2], "batch_sizes": (1, 2), "time_limit": 60.0}


def run(options: Mapping[str, Any]) -> Benchmark:
    """Measures; writes ``benchmark.json`` and ``benchmark.png`` into the folder ``out``.

    This process imports no TensorFlow: its time and memory belong to those that are measured.
    """
    out: Path = options["out"]
    plan = plan_of(options)
    with progress(plan) as tell:
        found = measure(plan, tell)
    write_json(out / "benchmark.json", found)
    save_picture(found, out / "benchmark.png")
    console.print(f"Wrote benchmark.json and benchmark.png into {out}.")
    return found


def plan_of(options: Mapping[str, Any]) -> Plan:
    """What a person typed."""
    fields = dict(options["fields"])
    if options["image_size"] is not None:
        fields = {**scaled(preset(options["preset"]), options["image_size"]), **fields}
    if options["rois_per_image"] is not None:
        fields = {"rois_per_image": options["rois_per_image"], **fields}
    limit = options["memory_limit"]
    plan = Plan(
        options["preset"],
        fields,
        memory_limit=None if limit is None else float(byte_count(limit)),
        search=not options["quick"],
    )
    given = {name: options[name] for name in EXTENT if options[name] is not None}
    return replace(plan, **({**QUICK, **given} if options["quick"] else given))


@contextmanager
def progress(plan: Plan) -> Iterator[Callable[[Series, int], None]]:
    """What is measured, against the time that it may take; a line for each series that is done."""
    begin = time.monotonic()
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=plan.time_limit)

        def tell(series: Series, images: int) -> None:
            what = f"{series.precision}, {series.work}"
            how_many = f": {images} at a time" if images else ""
            bar.update(task, completed=time.monotonic() - begin, description=what + how_many)
            if series.over:
                console.print(f"{what}: {summary(series, plan.search)}")

        yield tell


def summary(series: Series, searched: bool) -> str:
    """One line of a series; of its largest batch only where that was looked for."""
    if not series.batches:
        return series.problem or "nothing was measured"
    parts = [seconds(series.single) + " an image"] if series.single else []
    parts += [f"{speed(series.fastest)} images/s"] if series.fastest else []
    parts += [f"max batch {largest(series)}"] if searched else []
    return ", ".join([*parts, *filter(None, [series.problem])])


def show(found: Benchmark) -> None:
    """The table, and what has to be known about it."""
    table = Table(title=title(found), title_justify="left", title_style="bold")
    table.add_column("")
    for precision in found.plan.precisions:
        table.add_column(precision, justify="right")
    for heading, cell in {**SPEEDS, **(BATCHES if found.plan.search else {})}.items():
        table.add_row(heading, *(cell(found, name) for name in found.plan.precisions))
    console.print(table)
    for note in notes(found):
        console.print(f"– {note}")


def one_image(found: Benchmark, precision: str) -> str:
    """The median, and below it the range."""
    single = found.of(precision, "predict").single
    return f"{seconds(single)}\n{range_of(single)}" if single else "–"


def fastest(found: Benchmark, precision: str, work: str) -> str:
    """Images a second at the best size, and how many times as many as at the first precision."""
    best, first = (found.of(name, work).fastest for name in (precision, found.plan.precisions[0]))
    if best is None or first is None or best is first:
        return speed(best)
    return f"{speed(best)}\n{best.images_per_second / first.images_per_second:.2g} × as fast"


Cell = Callable[[Benchmark, str], str]
SPEEDS: dict[str, Cell] = {
    "one image": one_image,
    "images/s, predicting": lambda found, name: fastest(found, name, "predict"),
    "images/s, training": lambda found, name: fastest(found, name, "train"),
}
BATCHES: dict[str, Cell] = {
    "max batch, predicting": lambda found, name: largest(found.of(name, "predict")),
    "max batch, training": lambda found, name: largest(found.of(name, "train")),
}
