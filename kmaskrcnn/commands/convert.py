"""`kmaskrcnn convert`: weights or a model into another form."""

from __future__ import annotations

from pathlib import Path

from kmaskrcnn import conversion
from kmaskrcnn.progress import console


def run(
    source: str, out: Path, preset_name: str | None, classes: str | None, framework: str | None
) -> None:
    """Reads weights or a model, says what came of it, and writes it in another form."""
    class_names = None if classes is None else [name.strip() for name in classes.split(",")]
    with console.status(f"reading {source}"):
        model = conversion.open_model(source, preset_name, class_names)
    if model.load_report is not None:
        console.print(str(model.load_report))
    with console.status(f"writing {out}"):
        conversion.write_model(model, out, framework)
    console.print(f"{out}: {len(model.class_names)} classes, {model.count_params():,} parameters")
