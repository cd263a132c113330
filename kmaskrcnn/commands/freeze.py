"""`kmaskrcnn freeze`: a model file to predict with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kmaskrcnn
from kmaskrcnn.backbones import STAGES
from kmaskrcnn.conversion import write_model
from kmaskrcnn.progress import console


def run(source: Path, out: Path) -> dict[str, Any]:
    """Writes the copy; the model in it predicts exactly what the old one does.

    Raises:
        ValueError: an ending other than .keras, or no model of ours.
    """
    if out.suffix != ".keras":
        raise ValueError(f"{out}: a model's file ends in .keras; kmaskrcnn convert writes others.")
    with console.status(f"reading {source}"):
        model = kmaskrcnn.load(source, optimizer=False)
    model.freeze(STAGES[-1])
    with console.status(f"writing {out}"):
        write_model(model, out)
    return {"file": str(out), "bytes": out.stat().st_size, "bytes_before": source.stat().st_size}


def show(done: dict[str, Any]) -> None:
    """The two sizes."""
    before, after = (done[name] / 2**20 for name in ("bytes_before", "bytes"))
    console.print(f"{done['file']}: {after:.1f} MiB instead of {before:.1f}, to predict with")
