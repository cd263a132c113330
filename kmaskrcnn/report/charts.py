"""The charts of a report: each draws one figure of an `Analysis`, for a light and a dark ground."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from markupsafe import Markup

from kmaskrcnn.evaluation.analysis import Analysis
from kmaskrcnn.evaluation.counts import image_counts
from kmaskrcnn.evaluation.curves import Curve
from kmaskrcnn.pages import COLORS, INK, figure, new_figure
from kmaskrcnn.report.panels import GRID, PALE, short

MOST_CLASSES = 12  # with a colour, or a chart, of their own: those with most objects
POINTS = 400  # of a line: more are not seen and make the page heavy
SIDES = (0, 8, 16, 32, 64, 96, 128, 256, 512, math.inf)  # √area in pixels
RIGHT, WRONG, MISSED = COLORS[1], COLORS[0], COLORS[2]


def precision_recall(analysis: Analysis) -> Markup:
    """Precision over recall; a dot where the suggested threshold stands."""
    drawn, axis = _chart(5.2, 4.2, "recall", "precision")
    shown = most_frequent(analysis)
    for name, curve in analysis.curves.items():
        if not curve.num_truth:
            continue
        color = COLORS[shown.index(name)] if name in shown else None
        label = f"{curve.average_precision:.2f}  {short(name)}" if color else None
        _steps(axis, curve.recall, curve.precision, color or PALE, label)
        if color and curve.best is not None:
            place = curve.recall[curve.best], curve.precision[curve.best]
            axis.plot(*place, "o", color=color, ms=6, zorder=3)
    axis.set(xlim=(0, 1.01), ylim=(0, 1.02))
    if shown:
        title = f"AP at IoU {analysis.matches.iou:g}"
        axis.legend(fontsize=8, title=title, title_fontsize=8, loc="best", framealpha=0)
    return figure(drawn, "Precision over recall; a dot marks the threshold of the best F1.")


def threshold_curves(analysis: Analysis) -> list[Markup]:
    """Precision, recall and F1 over the least score, a chart a class."""
    return [threshold_curve(analysis.curves[name], name) for name in most_frequent(analysis)]


def threshold_curve(curve: Curve, name: str) -> Markup:
    """The three over the least score that is kept; a line where F1 is highest."""
    drawn, axis = _chart(4.4, 2.9, "least score", "")
    scores = np.linspace(0, 1, 201)
    columns = np.array([curve.at(score) for score in scores]).T
    names = ("precision", "recall", "F1")
    for values, text, color in zip(columns, names, (RIGHT, MISSED, INK), strict=True):
        axis.plot(scores, values, color=color, lw=2.2 if text == "F1" else 1.4, label=text)
    if curve.best is not None:
        axis.axvline(curve.threshold, color=WRONG, lw=1.2, ls=(0, (3, 2)))
        best = curve.f1[curve.best]
        axis.set_title(f"{short(name)}: F1 {best:.2f} from {curve.threshold:.2f} on", fontsize=10)
    axis.set(xlim=(0, 1), ylim=(0, 1.02))
    drawn.legend(fontsize=8, framealpha=0, loc="outside lower center", ncols=3)
    return figure(drawn)


def reliability(analysis: Analysis) -> Markup:
    """The share that is right in each bin of scores, and how many are in it."""
    told = analysis.calibration
    drawn = new_figure(5.2, 4.2)
    upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    middles, width = (told.edges[:-1] + told.edges[1:]) / 2, np.diff(told.edges) * 0.9
    upper.bar(middles, told.right, width, color=RIGHT, alpha=0.75)
    upper.plot([0, 1], [0, 1], "--", color=INK, lw=1, label="as the scores say")
    upper.plot(told.scores, told.right, "o", color=INK, ms=4, label="mean score and share")
    _tidy(upper, "", "share that is right")
    upper.set(xlim=(0, 1), ylim=(0, 1.02))
    upper.legend(fontsize=8, framealpha=0, loc="upper left")
    lower.bar(middles, told.counts, width, color=PALE)
    _tidy(lower, "score", "objects")
    for place, count in zip(middles, told.counts.tolist(), strict=True):
        lower.annotate(f"{count}", (place, count), (0, 2), textcoords="offset points",
                       ha="center", fontsize=7)  # fmt: skip
    lower.set_ylim(0, 1.25 * max(1, told.counts.max()))
    return figure(drawn, f"Expected calibration error {told.error:.3f}.")


def counted(analysis: Analysis) -> Markup:
    """Objects found over objects there, a dot an image."""
    there, found = image_counts(analysis.matches, analysis.thresholds)
    drawn, axis = _chart(5.2, 4.2, "objects there", "objects found")
    most = 1.05 * max(1, there.max(initial=0), found.max(initial=0))
    axis.plot([0, most], [0, most], "--", color=INK, lw=1)
    places, numbers = np.unique(np.stack([there, found], 1), axis=0, return_counts=True)
    size = 18 * np.sqrt(numbers)
    axis.scatter(places[:, 0], places[:, 1], size, color=RIGHT, alpha=0.7, linewidths=0)
    axis.set(xlim=(-0.02 * most, most), ylim=(-0.02 * most, most), aspect="equal")
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.get_major_locator().set_params(integer=True)
    return figure(drawn, "Each image's objects; a larger dot stands for several images.")


def found_by_size(analysis: Analysis) -> Markup:
    """The share of the true objects that is found, by their size."""
    truth, matches = analysis.matches.truth, analysis.matches
    hit = np.zeros(len(truth.labels), bool)
    hit[matches.partner[matches.right & matches.above(analysis.thresholds)]] = True
    real = ~matches.ignored
    bins = np.searchsorted(SIDES, np.sqrt(truth.areas[real]), side="right") - 1
    counts = np.bincount(bins, minlength=len(SIDES) - 1)
    hits = np.bincount(bins, hit[real], minlength=len(SIDES) - 1)
    used = np.flatnonzero(counts)
    drawn, axis = _chart(5.2, 3.2, "side of a square of the same area, pixels", "share found")
    axis.bar(range(len(used)), hits[used] / counts[used], 0.8, color=RIGHT, alpha=0.75)
    axis.set_xticks(range(len(used)), [_span(i) for i in used.tolist()], fontsize=7)
    for place, (share, count) in enumerate(zip(hits[used] / counts[used], counts[used].tolist())):  # noqa: B905
        axis.annotate(f"{share:.2f}\nof {count}", (place, share), (0, 3), ha="center",
                      textcoords="offset points", fontsize=8)  # fmt: skip
    axis.set_ylim(0, 1.2)
    axis.set_yticks(np.linspace(0, 1, 6))
    return figure(drawn, "True objects that are found, by size.")


def most_frequent(analysis: Analysis) -> list[str]:
    """The classes with most true objects, most first; none without any."""
    curves = analysis.curves
    there = [name for name in curves if curves[name].num_truth]
    return sorted(there, key=lambda name: -curves[name].num_truth)[:MOST_CLASSES]


def _span(place: int) -> str:
    low, high = SIDES[place], SIDES[place + 1]
    return f"≥ {low}" if math.isinf(high) else f"{low}–{high}"


def _chart(width: float, height: float, x: str, y: str) -> tuple[Any, Any]:
    drawn = new_figure(width, height)
    axis = drawn.subplots()
    _tidy(axis, x, y)
    return drawn, axis


def _tidy(axis: Any, x: str, y: str) -> None:
    axis.set_xlabel(x, fontsize=9)
    axis.set_ylabel(y, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(color=GRID, lw=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _steps(axis: Any, x: np.ndarray, y: np.ndarray, color: str, label: str | None) -> None:
    """A line of at most `POINTS` points; pale lines lie below the others."""
    if not len(x):
        axis.plot([], [], color=color, label=label)
        return
    shown = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(int))
    pale = color == PALE
    axis.plot(x[shown], y[shown], color=color, lw=0.7 if pale else 1.6, label=label,
              alpha=0.3 if pale else 1, zorder=1 if pale else 2)  # fmt: skip
