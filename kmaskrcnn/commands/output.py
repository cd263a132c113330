"""What the verbs print and write alike."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from kmaskrcnn.data import Dataset
from kmaskrcnn.files import write_text
from kmaskrcnn.progress import console


def measure(model: Any, dataset: Dataset) -> dict[str, float]:
    """`model.evaluate`, while the terminal says so."""
    with console.status(f"evaluating {len(dataset)} images"):
        return model.evaluate(dataset, verbose=0)


def print_figures(metrics: Mapping[str, float]) -> None:
    """A table: box, mask and keypoints side by side, over all classes and for each."""
    measured = {key.partition("/")[0] for key in metrics if "/" in key}
    kinds = [kind for kind in ("box", "mask", "keypoints") if kind in measured]
    table = Table("", *kinds)
    rows = [key.removeprefix("box/") for key in metrics if key.startswith("box/")]
    for row in rows:
        cells = (metrics.get(f"{kind}/{row}", math.nan) for kind in kinds)
        table.add_row(row, *("–" if math.isnan(value) else f"{value:.3f}" for value in cells))
    console.print(table)


def write_json(path: Path, content: Any) -> None:
    """Readable JSON; its folder is made. What is not a number is written as null."""
    if isinstance(content, Mapping):
        content = {key: None if math.isnan(value) else value for key, value in content.items()}
    write_text(path, json.dumps(content, indent=1) + "\n")
