"""The panels of a training's page: each draws one kind of figures onto matplotlib's axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kmaskrcnn.pages import INK

Columns = Mapping[str, Sequence[float]]
METRICS = {
    "val_mask_AP": ("mask AP", "#c1121f", "-"),
    "val_mask_AP50": ("mask AP50", "#c1121f", ":"),
    "val_box_AP": ("box AP", "#1d4e89", "-"),
    "val_box_AP50": ("box AP50", "#1d4e89", ":"),
    "val_keypoints_AP": ("keypoint AP", "#2a9d8f", "-"),
    "val_keypoints_AP50": ("keypoint AP50", "#2a9d8f", ":"),
}
PART_COLORS = ("#8d99ae", "#2a9d8f", "#e9a03b", "#7b5ea7", "#d1495b", "#457b9d", "#bc6c25")
BEST, PALE, GRID = "#c1121f", "#8d99ae", "#80808040"
MOST_CLASSES = 24
HEADROOM = 1.3  # for a legend that covers no line
FEW_EPOCHS = 20  # up to which each has a dot


def draw_totals(axis: Any, columns: Columns) -> None:
    """The loss of training and validation."""
    _line(axis, columns["loss"], "training", INK, "-")
    _line(axis, columns.get("val_loss", ()), "validation", INK, "--")
    axis.set_title("loss")


def draw_parts(axis: Any, columns: Columns) -> None:
    """What the loss is the sum of."""
    parts = [key for key in columns if key.endswith("_loss") and not key.startswith("val_")]
    for part, color in zip(parts, itertools.cycle(PART_COLORS), strict=False):
        name = part.removesuffix("_loss").replace("_", " ")
        _line(axis, columns.get(part, ()), name, color, "-")
        _line(axis, columns.get(f"val_{part}", ()), None, color, "--")
    axis.set_title("its parts (dashed: validation)")


def draw_metrics(axis: Any, columns: Columns) -> None:
    """AP on the validation images."""
    for key, (name, color, style) in METRICS.items():
        _line(axis, columns.get(key, ()), name, color, style)
    axis.set_ylim(0, 1)
    axis.set_title("AP on validation images")


def draw_rate(axis: Any, columns: Columns) -> None:
    """The learning rate at the end of each epoch."""
    _line(axis, columns["learning_rate"], None, INK, "-")
    axis.set_title("learning rate at the end of the epoch")
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def draw_pace(axis: Any, columns: Columns) -> None:
    """Images a second, and on the right the share of time that waits for data."""
    _line(axis, columns["images_per_second"], "images/s", INK, "-")
    axis.set_title("images a second")
    shares = [100 * share for share in columns.get("data_wait_share", ())]
    if not has_values(shares):
        return
    right = axis.twinx()
    _line(right, shares, "waiting for data", PALE, "--")
    right.set_ylim(0, 100 * HEADROOM)
    right.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    right.tick_params(labelsize=8, colors=PALE)
    right.spines[["top", "left"]].set_visible(False)
    axis.plot([], [], "--", color=PALE, label="waiting for data")  # for the legend
    axis.set_ylim(top=HEADROOM * axis.get_ylim()[1])


def draw_classes(axis: Any, figures: Mapping[str, float]) -> None:
    """AP of each class as bars, the highest on top; of many classes both ends."""
    scores = sorted(class_scores(figures).items(), key=lambda pair: pair[1])
    left_out = len(scores) - MOST_CLASSES
    if left_out > 0:
        half = MOST_CLASSES // 2
        scores = [*scores[:half], (f"… {left_out} more", math.nan), *scores[-half:]]
    places = range(len(scores))
    values = [value for _, value in scores]
    axis.barh(places, values, height=0.7, color=METRICS["val_mask_AP"][1], alpha=0.75)
    size = 8 if len(scores) <= 12 else 5.5
    axis.set_yticks(places, [short(name) for name, _ in scores], fontsize=size)
    for place, value in enumerate(values):
        if not math.isnan(value):
            axis.annotate(f"{value:.2f}", (value, place), (3, 0), textcoords="offset points",
                          va="center", fontsize=size, color=INK)  # fmt: skip
    axis.set_xlim(0, 1)
    axis.set_title(f"{kind_of(figures)} AP of each class")


def mark_best(axis: Any, epoch: int) -> None:
    """A line through the best epoch, counted from 1."""
    axis.axvline(epoch, color=BEST, lw=1.1, ls=(0, (2, 2)), zorder=1.5)


def kind_of(figures: Mapping[str, float]) -> str:
    """Whose AP per class there is: "mask", else "box"; empty for none."""
    kinds = [kind for kind in ("mask", "box") if any(k.startswith(f"{kind}/AP/") for k in figures)]
    return kinds[0] if kinds else ""


def class_scores(figures: Mapping[str, float]) -> dict[str, float]:
    """Class → AP, without those that could not be measured."""
    start = f"{kind_of(figures)}/AP/"
    found = {key.removeprefix(start): v for key, v in figures.items() if key.startswith(start)}
    return {name: value for name, value in found.items() if not math.isnan(value)}


def has_values(values: Sequence[float]) -> bool:
    """Whether any of them is a number."""
    return any(not math.isnan(value) for value in values)


def tidy(axis: Any, over_epochs: bool = True) -> None:
    """What all panels look like."""
    axis.title.set(fontsize=10, color=INK)
    axis.tick_params(colors=INK)
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(color=GRID, lw=0.8, axis="both" if over_epochs else "x")
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    if not over_epochs:
        return
    axis.tick_params(axis="y", labelsize=8)
    axis.set_xlabel("epoch", fontsize=8, color=INK)
    axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    left, right = axis.dataLim.intervalx
    axis.set_xlim(min(left, 1) - 0.5, right + 0.5)
    axis.set_ylim(0, 1.02 * axis.get_ylim()[1])
    if axis.get_legend_handles_labels()[1]:
        axis.legend(fontsize=8, frameon=False)


def _line(axis: Any, values: Sequence[float], name: str | None, color: str, style: str) -> None:
    points = [(epoch, v) for epoch, v in enumerate(values, 1) if not math.isnan(v)]
    if points:
        marker = "o" if len(points) <= FEW_EPOCHS else None
        axis.plot(
            *zip(*points, strict=True), style, label=name, color=color, lw=1.6, marker=marker, ms=3
        )


def short(name: str) -> str:
    """A name as long as a chart has room for."""
    return name if len(name) <= 22 else name[:21] + "…"
