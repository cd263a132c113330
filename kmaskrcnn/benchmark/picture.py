"""A benchmark as a picture: latency, images a second, largest batches."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from kmaskrcnn.benchmark.plan import WORK
from kmaskrcnn.benchmark.series import Benchmark, Series
from kmaskrcnn.benchmark.words import device, duration, largest
from kmaskrcnn.files import atomic

COLORS = {"float32": "#5b6c8f", "bfloat16": "#2a9d8f", "float16": "#e9a03b"}
INK, PALE, GRID = "#1f2933", "#7b8794", "#e4e7eb"
NAMES = {"predict": "predicting", "train": "training"}
WIDTH, HEIGHT, DPI = 11.0, 7.6, 150


def save_picture(found: Benchmark, path: str | Path) -> None:
    """Three panels, or four with the largest batches, a colour a precision, as a PNG.

    Raises:
        OSError: it cannot be written; names the file.
    """
    from matplotlib.figure import Figure  # slow to import

    rows = [["latency", "predict"], ["largest", "train"]] if found.plan.search else [
        ["latency", "latency"], ["predict", "train"]]  # fmt: skip
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.16, h_pad=0.16, rect=(0.0, 0.0, 1.0, 0.9))
    panels = figure.subplot_mosaic(rows)
    draw_latency(panels["latency"], found)
    for work in WORK:
        draw_speed(panels[work], found, work)
    if found.plan.search:
        draw_largest(panels["largest"], found)
    figure.text(0.016, 0.952, found.plan.preset, fontsize=17, weight="bold", color=INK)
    figure.text(0.016, 0.918, subtitle(found), fontsize=9, color=PALE)
    with atomic(path) as unfinished:
        figure.savefig(unfinished, dpi=DPI, facecolor="white")


def subtitle(found: Benchmark) -> str:
    """The images, the device and what computes on it."""
    height, width = found.plan.photograph
    versions = [f"{name} {text}" for name, text in found.machine.get("versions", {}).items()]
    return "  ·  ".join([f"images of {height}×{width}", device(found), *versions])


def draw_latency(axis: Any, found: Benchmark) -> None:
    """A bar a precision: the median of one image; a line from the fastest to the slowest run."""
    _tidy(axis, "One image, from pixels to full-size masks", "milliseconds", grid="x")
    names = found.plan.precisions
    axis.set_yticks(range(len(names)), names, fontsize=10)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    for place, name in enumerate(names):
        series = found.of(name, "predict")
        single = series.single
        if single is None:
            _absent(axis, (0, place), series, xytext=(6, 0), ha="left")
            continue
        axis.barh(place, 1000 * single.median, 0.58, color=COLORS[name])
        low, high = (1000 * edge(single.seconds) for edge in (min, max))
        axis.plot([low, high], [place, place], color=INK, lw=1.2, solid_capstyle="butt")
        axis.annotate(duration(single.median), (high, place), (7, 0), fontsize=10, weight="bold",
                      va="center", textcoords="offset points", color=INK)  # fmt: skip
    axis.set_xlim(0, 1.22 * max(1e-9, axis.get_xlim()[1]))


def draw_speed(axis: Any, found: Benchmark, work: str) -> None:
    """Images a second over images at a time, a line a precision."""
    _tidy(axis, f"{NAMES[work].capitalize()}: images a second", "images at a time", grid="y")
    sizes = {batch.images for name in found.plan.precisions for batch in found.of(name, work).timed}
    if not sizes:
        axis.set(xticks=[], yticks=[])
        _absent(axis, (0, 0.5), found.of(found.plan.precisions[0], work), xytext=(6, 0), ha="left")
        return
    for name in found.plan.precisions:
        timed = found.of(name, work).timed
        x = [batch.images for batch in timed]
        y = [batch.images_per_second for batch in timed]
        label = name if timed else f"{name}: none"
        axis.plot(x, y, "o-", color=COLORS[name], lw=2, ms=6, mec="white", mew=1, label=label)
        for place, value in zip(x, y, strict=True):
            axis.annotate(f"{value:.3g}", (place, value), (0, 7), textcoords="offset points",
                          ha="center", fontsize=8, color=COLORS[name])  # fmt: skip
    axis.set_xscale("log", base=2)
    axis.set_xticks(sorted(sizes), [str(size) for size in sorted(sizes)])
    axis.minorticks_off()
    axis.margins(x=0.09)
    axis.set_ylim(0, 1.2 * max(1e-9, axis.get_ylim()[1]))
    axis.legend(fontsize=9, frameon=False, loc="upper left", ncols=3, columnspacing=1.2)


def draw_largest(axis: Any, found: Benchmark) -> None:
    """Bars of the largest batches that fit; pale what the memory's growth promises above."""
    _tidy(axis, "Largest batch that fits into memory", "", grid="y")
    axis.set_ylabel("images", fontsize=9, color=INK)
    names = found.plan.precisions
    width = 0.8 / len(names)
    for group, work in enumerate(WORK):
        for number, name in enumerate(names):
            series = found.of(name, work)
            place = group + (number - (len(names) - 1) / 2) * width
            top = series.fits if math.isnan(series.outlook) else series.outlook
            axis.bar(place, top, 0.9 * width, color=COLORS[name], alpha=0.25)
            axis.bar(place, series.fits, 0.9 * width, color=COLORS[name])
            axis.annotate(largest_label(series), (place, top), (0, 4), ha="center",
                          textcoords="offset points", fontsize=9, color=INK)  # fmt: skip
    axis.set_xticks(range(len(WORK)), [NAMES[work] for work in WORK], fontsize=10)
    axis.tick_params(axis="x", length=0)
    axis.set_ylim(0, 1.2 * max(1, axis.get_ylim()[1]))


def largest_label(series: Series) -> str:
    """``"12"``, ``"8 – 11"``, or in two lines ``"≥ 8"`` and ``"about 11"``; of none a dash."""
    return largest(series).replace(", ", "\n")


def _absent(axis: Any, place: tuple[float, float], series: Series, **options: Any) -> None:
    text = series.problem or "not measured"
    short = text if len(text) < 60 else text[:59] + "…"
    axis.annotate(short, place, textcoords="offset points", va="center", fontsize=9,
                  color=PALE, style="italic", **options)  # fmt: skip


def _tidy(axis: Any, title: str, x: str, grid: str) -> None:
    axis.set_title(title, fontsize=11, color=INK, loc="left", weight="bold", pad=10)
    axis.set_xlabel(x, fontsize=9, color=INK)
    axis.tick_params(labelsize=9, colors=INK)
    axis.grid(color=GRID, lw=0.8, axis=grid)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(PALE)
