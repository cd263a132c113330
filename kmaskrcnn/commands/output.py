"""What the verbs print and write alike."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from kmaskrcnn.files import write_text
from kmaskrcnn.progress import console

if TYPE_CHECKING:
    from kmaskrcnn.data import Dataset

TABLES = {
    "": ("box", "mask", "keypoints"),
    "lvis": ("lvis_box", "lvis_mask"),
    "voc": ("voc_box", "voc_mask"),
    "boundary": ("boundary",),
    "cityscapes": ("cityscapes",),
    "counts": ("counts",),
}
"""What stands side by side: of COCO, and of each other metric."""


def tell(job: Any, as_json: bool, *arguments: Any) -> Any:
    """Runs a verb and prints what came of it: for a person, or as JSON and nothing besides.

    With JSON everything that is said meanwhile, bars and warnings too, goes to standard error, so
    that standard output can be piped.

    Args:
        job: a module with ``run(*arguments)``, which gives the figures, and ``show(figures)``.

    Returns:
        The figures.
    """
    if not as_json:
        figures = job.run(*arguments)
        job.show(figures)
        return figures
    with redirect_stdout(sys.stderr):
        figures = job.run(*arguments)
    print(to_json(figures))
    return figures


def measure(model: Any, dataset: Dataset, **options: Any) -> dict[str, float]:
    """`model.evaluate`, while the terminal says so."""
    with console.status(f"evaluating {len(dataset)} images"):
        return model.evaluate(dataset, verbose=0, **options)


def print_figures(metrics: Mapping[str, float]) -> None:
    """A table a metric: boxes, masks and keypoints side by side, over all classes and for each."""
    for title, kinds in TABLES.items():
        there = [kind for kind in kinds if any(key.startswith(f"{kind}/") for key in metrics)]
        if not there:
            continue
        split = (key.partition("/") for key in metrics)
        rows = dict.fromkeys(row for kind, _, row in split if kind in there)
        table = Table(title, *(kind.removeprefix(f"{title}_") for kind in there))
        for row in rows:
            cells = (metrics.get(f"{kind}/{row}", math.nan) for kind in there)
            table.add_row(row, *("–" if math.isnan(value) else f"{value:.3f}" for value in cells))
        console.print(table)


def write_json(path: Path, content: Any) -> None:
    """Readable JSON; its folder is made. What is not a number is written as null."""
    write_text(path, to_json(content) + "\n")


def to_json(content: Any) -> str:
    """Readable JSON of plain values, paths and numbers of NumPy; no NaN, which JSON has not."""
    return json.dumps(plain(content), indent=1, ensure_ascii=False)


def plain(value: Any) -> Any:
    """The same with what JSON knows: paths as text, what is not finite as None."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if is_dataclass(value):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # a number of NumPy's
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
