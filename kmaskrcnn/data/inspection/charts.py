"""Charts of a dataset: classes, images, objects at the training size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from kmaskrcnn import pages
from kmaskrcnn.data.inspection.findings import Findings
from kmaskrcnn.data.inspection.training_size import HARD, SMALL

MOST_CLASSES = 30
FIRST, SECOND = pages.COLORS[1], pages.COLORS[7]  # train and validation; in use and suggested
PALE = "#8d99ae"


def draw_charts(found: Findings) -> dict[str, Markup]:
    """Name → chart of everything that there is something of."""
    charts = {"classes": class_balance(found)}
    if len(found.sizes):
        charts["images"] = image_sizes(found)
        charts["crowding"] = objects_per_image(found)
    if len(found.objects.boxes):
        charts["sides"] = object_sides(found)
        charts["ratios"] = object_ratios(found)
    return charts


def class_balance(found: Findings) -> Markup:
    """Objects of each class as bars, the most frequent on top; of many classes both ends."""
    parts = [found] if found.validation is None else [found, found.validation]
    counts = [dict(zip(p.class_names, p.class_objects, strict=True)) for p in parts]
    names = sorted({n: None for c in counts for n in c}, key=lambda n: counts[0].get(n, 0))
    names = _both_ends(names)
    figure = pages.new_figure(5.6, 0.7 + 0.24 * len(names) * (1 if len(parts) == 1 else 1.5))
    axis: Any = figure.subplots()
    height = 0.72 / len(parts)
    for part, (values, color) in enumerate(zip(counts, (FIRST, SECOND), strict=False)):
        places = np.arange(len(names)) - part * height
        numbers = [values.get(name, 0) for name in names]
        label = ("train", "validation")[part]
        axis.barh(places, numbers, height=height, color=color, label=label)
        for place, name, number in zip(places, names, numbers, strict=True):
            text = "" if name.startswith("… ") and name not in values else f"{number:,}"
            _say(axis, (number, place), text)
    axis.set_yticks(np.arange(len(names)) - height * (len(parts) - 1) / 2, _short(names))
    axis.margins(x=0.12, y=0.02)
    _tidy(axis, "objects", grid="x")
    if len(parts) > 1:
        axis.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return pages.figure(figure, "Objects of each class")


def image_sizes(found: Findings) -> Markup:
    """Width and height of the images, a disc for each size, as large as it is frequent."""
    sizes, counts = np.unique(found.sizes, axis=0, return_counts=True)
    figure = pages.new_figure(4.6, 3.2)
    axis: Any = figure.subplots()
    area = 14 + 400 * counts / counts.sum()
    axis.scatter(sizes[:, 1], sizes[:, 0], s=area, color=FIRST, alpha=0.45, linewidth=0)
    top = 1.1 * sizes.max()
    axis.plot([0, top], [0, top], color=PALE, lw=0.8, ls=":")
    axis.set(xlim=(0, top), ylim=(0, top), ylabel="height")
    _tidy(axis, "width in pixels")
    kinds = "one size" if len(sizes) == 1 else f"{len(sizes):,} different sizes"
    return pages.figure(figure, f"Sizes of the images: {kinds}; square ones on the dotted line")


def objects_per_image(found: Findings) -> Markup:
    """How many objects an image has."""
    most = int(found.num_objects.max(initial=0))
    width = max(1, -(-(most + 1) // 40))
    edges = np.arange(0, most + 1 + width, width) - 0.5
    figure = pages.new_figure(4.6, 3.2)
    axis: Any = figure.subplots()
    axis.hist(found.num_objects, bins=edges, color=FIRST, rwidth=0.9)
    axis.set_ylabel("images")
    axis.xaxis.get_major_locator().set_params(integer=True)
    _tidy(axis, "objects on an image", grid="y")
    return pages.figure(figure, "Objects on an image")


def object_sides(found: Findings) -> Markup:
    """How large the objects are at the network's input, and where the anchors are."""
    sides = found.network_sides
    low, high = np.log2([max(sides.min() / 1.2, 1), max(sides.max() * 1.2, 64)])
    figure = pages.new_figure(5.6, 3.2)
    axis: Any = figure.subplots()
    axis.hist(np.maximum(sides, 1), bins=np.logspace(low, high, 40, base=2), color=PALE, alpha=0.7)
    axis.set_xscale("log", base=2)
    for place in (HARD, SMALL):
        axis.axvline(place, color=pages.INK, lw=0.8, ls=":")
    _mark_anchors(axis, found, "sizes")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_ylabel("objects")
    _tidy(axis, "side in pixels of the network's input", grid="y")
    return pages.figure(
        figure,
        f"Sides √(width · height) of the objects at {found.config.min_size} to "
        f"{found.config.max_size} pixels, with the anchors' sides; dotted: {HARD:g} and {SMALL:g}",
    )


def object_ratios(found: Findings) -> Markup:
    """How tall the objects are for their width, and which ratios the anchors have."""
    extents = found.objects.boxes[:, 2:] - found.objects.boxes[:, :2]
    ratios = np.clip(extents[:, 1] / extents[:, 0], 1 / 8, 8)
    figure = pages.new_figure(5.6, 3.2)
    axis: Any = figure.subplots()
    axis.hist(ratios, bins=np.logspace(-3, 3, 40, base=2), color=PALE, alpha=0.7)
    axis.set_xscale("log", base=2)
    _mark_anchors(axis, found, "ratios")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_ylabel("objects")
    _tidy(axis, "height / width", grid="y")
    return pages.figure(figure, "Aspect ratios of the objects, with the anchors' ratios")


def _mark_anchors(axis: Any, found: Findings, what: str) -> None:
    """The anchors in use as lines down from the top, the suggested ones as dashed lines up."""
    advice = found.anchor_advice
    if advice is None:
        return
    fits = [("in use", advice.used, "-", (0.5, 1.0))]
    if advice.worth_it:
        fits.append(("suggested", advice.suggested, "--", (0.0, 0.5)))
    for (label, fit, style, span), color in zip(fits, (FIRST, SECOND), strict=False):
        values = fit.ratios if what == "ratios" else [v for level in fit.sizes for v in level]
        for place, value in enumerate(values):
            name = None if place else label  # once in the legend
            axis.axvline(value, *span, color=color, lw=1.6, ls=style, label=name)
    axis.legend(frameon=False, fontsize=8, title="anchors", title_fontsize=8)


def _both_ends(names: Sequence[str]) -> list[str]:
    left_out = len(names) - MOST_CLASSES
    if left_out <= 0:
        return list(names)
    half = MOST_CLASSES // 2
    return [*names[:half], f"… {left_out} more", *names[-half:]]


def _short(names: Sequence[str]) -> list[str]:
    return [name if len(name) <= 24 else name[:23] + "…" for name in names]


def _say(axis: Any, place: tuple[float, float], text: str) -> None:
    """A small text to the right of a bar's end."""
    axis.annotate(
        text, place, (3, 0), textcoords="offset points", va="center", fontsize=7, color=pages.INK
    )


def _tidy(axis: Any, x_label: str, grid: str = "both") -> None:
    """What all charts look like."""
    axis.set_xlabel(x_label)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set_fontsize(8)
    axis.tick_params(labelsize=8)
    axis.grid(color=PALE, alpha=0.3, lw=0.6, axis=grid)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
