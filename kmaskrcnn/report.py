"""Files to look at after a training: its curves as one picture."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kmaskrcnn.files import atomic

METRICS = {
    "val_mask_AP": ("mask AP", "#c1121f", "-"),
    "val_mask_AP50": ("mask AP50", "#c1121f", ":"),
    "val_box_AP": ("box AP", "#1d4e89", "-"),
    "val_box_AP50": ("box AP50", "#1d4e89", ":"),
    "val_keypoints_AP": ("keypoint AP", "#2a9d8f", "-"),
    "val_keypoints_AP50": ("keypoint AP50", "#2a9d8f", ":"),
}
PART_COLORS = ("#8d99ae", "#2a9d8f", "#e9a03b", "#7b5ea7", "#d1495b", "#457b9d", "#bc6c25")
INK = "#333333"


def save_curves(
    history: str | Path | Mapping[str, Sequence[float]] | Any, path: str | Path
) -> Path:
    """Draws the losses (training and validation), their parts and the AP over the epochs.

    Args:
        history: what `fit` returned, its ``history`` dict, or the CSV file that `CSVLogger` wrote.
            Keys: ``loss``, ``mask_loss`` …, ``val_…``; nan where an epoch has no value.
        path: the PNG (or SVG, PDF) to write; its folder is made.

    Returns:
        The path.

    Raises:
        ValueError: no losses in the history.
    """
    from matplotlib.figure import Figure  # slow to import; without pyplot, so that threads are fine

    columns = read_history(history)
    if "loss" not in columns:
        raise ValueError(f"history: expected a column 'loss', got {sorted(columns)}")
    metrics = [key for key in METRICS if _has_values(columns.get(key, ()))]
    figure = Figure(figsize=(12 if metrics else 8, 3.6), dpi=150, layout="constrained")
    axes = figure.subplots(1, 3 if metrics else 2)
    _draw_totals(axes[0], columns)
    _draw_parts(axes[1], columns)
    if metrics:
        _draw_metrics(axes[2], {key: columns[key] for key in metrics})
    for axis in axes:
        _tidy(axis)
    with atomic(path) as unfinished:
        figure.savefig(unfinished, facecolor="white")
    return Path(path)


def read_history(history: Any) -> dict[str, list[float]]:
    """Column → value of each epoch, of a `History`, a dict or a CSV file; nan for what is missing.

    Raises:
        ValueError: no epoch at all, or a file that is no table of numbers.
    """
    if isinstance(history, str | Path):
        columns = _read_csv(Path(history))
    else:
        columns = dict(getattr(history, "history", history))
    if not any(len(values) for values in columns.values()):
        raise ValueError("history: expected at least one epoch, got none")
    return {key: [_number(v) for v in values] for key, values in columns.items()}


def _read_csv(path: Path) -> dict[str, list[str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {key: [row[key] for row in rows] for key in (rows[0] if rows else {})}
    return {key: values for key, values in columns.items() if key not in ("epoch", None)}


def _number(value: Any) -> float:
    """A float of what a log holds; Keras writes NA for what was not measured."""
    try:
        return math.nan if value in ("", "NA", None) else float(value)
    except ValueError as error:
        raise ValueError(f"history: expected numbers, got {value!r}") from error


def _has_values(values: Sequence[float]) -> bool:
    return any(not math.isnan(value) for value in values)


def _draw_totals(axis: Any, columns: Mapping[str, Sequence[float]]) -> None:
    _line(axis, columns["loss"], "training", INK, "-")
    _line(axis, columns.get("val_loss", ()), "validation", INK, "--")
    axis.set_title("loss")


def _draw_parts(axis: Any, columns: Mapping[str, Sequence[float]]) -> None:
    parts = [key for key in columns if key.endswith("_loss") and not key.startswith("val_")]
    for part, color in zip(parts, itertools.cycle(PART_COLORS), strict=False):
        name = part.removesuffix("_loss").replace("_", " ")
        _line(axis, columns.get(part, ()), name, color, "-")
        _line(axis, columns.get(f"val_{part}", ()), None, color, "--")
    axis.set_title("its parts (dashed: validation)")


def _draw_metrics(axis: Any, columns: Mapping[str, Sequence[float]]) -> None:
    for key, values in columns.items():
        name, color, style = METRICS[key]
        _line(axis, values, name, color, style)
    axis.set_ylim(0, 1)
    axis.set_title("on validation images")


def _line(axis: Any, values: Sequence[float], name: str | None, color: str, style: str) -> None:
    points = [(epoch, v) for epoch, v in enumerate(values, 1) if not math.isnan(v)]
    if points:
        marker = "o" if len(points) <= 20 else None
        axis.plot(
            *zip(*points, strict=True), style, label=name, color=color, lw=1.6, marker=marker, ms=3
        )


def _tidy(axis: Any) -> None:
    axis.set_xlabel("epoch")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.title.set(fontsize=10, color=INK)
    axis.tick_params(labelsize=8, colors=INK)
    axis.grid(color="#e6e6e6", lw=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if axis.get_legend_handles_labels()[1]:
        axis.legend(fontsize=8, frameon=False)
    axis.set_ylim(bottom=0)
