"""Files to look at after a training: its figures as one page."""

from __future__ import annotations

import csv
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmaskrcnn import pace, pages
from kmaskrcnn.files import atomic
from kmaskrcnn.report import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Panel = tuple[Callable[[Any], None], bool]  # what draws it, and whether that goes over the epochs
PANELS_A_ROW = 3
WATCHED = ("val_mask_AP", "val_box_AP", "val_keypoints_AP")  # the first one there names the best


def save_curves(
    history: str | Path | Mapping[str, Sequence[float]] | Any,
    path: str | Path,
    figures: Mapping[str, float] | None = None,
) -> Path:
    """Draws one page: losses and their parts, AP, AP of each class, learning rate, speed.

    A panel is there if there is something to show in it. The best epoch is marked.

    Args:
        history: what `fit` returned, its ``history`` dict, or the CSV file that `CSVLogger` wrote.
            Keys: ``loss``, ``mask_loss`` …, ``val_…``; nan where an epoch has no value.
        path: the PNG (or SVG, PDF) to write; its folder is made.
        figures: what `evaluate` returned, for the AP of each class.

    Returns:
        The path.

    Raises:
        ValueError: no losses in the history.
    """
    from matplotlib.figure import Figure  # slow to import; without pyplot, so that threads are fine

    columns = read_history(history)
    if "loss" not in columns:
        raise ValueError(f"history: expected a column 'loss', got {sorted(columns)}")
    drawers = _panels(columns, figures or {})
    height = math.ceil(len(drawers) / PANELS_A_ROW)
    width = math.ceil(len(drawers) / height)
    figure = Figure(figsize=(4 * width, 3.6 * height), dpi=150, layout="constrained")
    axes = figure.subplots(height, width, squeeze=False).ravel()
    best = best_epoch(columns)
    for axis, panel in zip(axes, drawers, strict=False):
        _draw(axis, panel, columns)
    for axis in axes[len(drawers) :]:
        axis.set_visible(False)
    _say_what_matters(figure, columns, best)
    with atomic(path) as unfinished:
        figure.savefig(unfinished, facecolor="white")
    return Path(path)


def curve_panels(history: Any) -> list[Figure]:
    """The same curves, without AP by class, as a figure each."""
    columns = read_history(history)
    figures = []
    for panel in _panels(columns, {}):
        figures.append(pages.new_figure(4.4, 3.0))
        _draw(figures[-1].subplots(), panel, columns)
    return figures


def _draw(axis: Any, panel: Panel, columns: Mapping[str, list[float]]) -> None:
    """One panel, the best epoch marked."""
    draw, over_epochs = panel
    draw(axis)
    panels.tidy(axis, over_epochs)
    best = best_epoch(columns)
    if best is not None and over_epochs and len(columns["loss"]) > 1:
        panels.mark_best(axis, best)


def _panels(columns: Mapping[str, list[float]], figures: Mapping[str, float]) -> list[Panel]:
    """What draws each panel, and whether that goes over the epochs."""

    def there(*keys: str) -> bool:
        return any(panels.has_values(columns.get(key, ())) for key in keys)

    wanted = [
        (panels.draw_totals, True),
        (panels.draw_parts, any(key.endswith("_loss") for key in columns)),
        (panels.draw_metrics, there(*panels.METRICS)),
        (panels.draw_rate, there("learning_rate")),
        (panels.draw_pace, there("images_per_second")),
    ]
    drawers = [(partial(draw, columns=columns), True) for draw, is_there in wanted if is_there]
    if panels.class_scores(figures):
        drawers.append((partial(panels.draw_classes, figures=figures), False))
    return drawers


def _say_what_matters(figure: Any, columns: Mapping[str, list[float]], best: int | None) -> None:
    """The best epoch on top; below, what to do if data are waited for."""
    if best is not None:
        watched = _watched(columns)
        kind = panels.METRICS[watched][0]
        figure.suptitle(
            f"best {kind} {columns[watched][best - 1]:.3f} in epoch {best} of "
            f"{len(columns[watched])} (dotted)",
            fontsize=11,
            color=pages.INK,
        )
    shares = [share for share in columns.get("data_wait_share", ()) if not math.isnan(share)]
    advice = pace.advice(sum(shares) / len(shares)) if shares else ""
    if advice:
        figure.supxlabel(textwrap.fill(advice, 110), fontsize=9, color=panels.BEST)


def best_epoch(columns: Mapping[str, Sequence[float]]) -> int | None:
    """The epoch, counted from 1, of the highest mask AP, or else box AP; the first of equals."""
    watched = _watched(columns)
    if watched is None:
        return None
    scores = {i: ap for i, ap in enumerate(columns[watched], 1) if not math.isnan(ap)}
    return max(scores, key=lambda epoch: scores[epoch])


def _watched(columns: Mapping[str, Sequence[float]]) -> str | None:
    return next((key for key in WATCHED if panels.has_values(columns.get(key, ()))), None)


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
