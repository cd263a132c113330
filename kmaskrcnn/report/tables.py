"""The rows of a report's tables, ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kmaskrcnn.evaluation.analysis import Analysis
from kmaskrcnn.report.heatmap import Confused

KINDS = ("mask", "box", "keypoints")
Rows = list[list[Any]]


def text(value: float) -> str:
    """Three digits; a dash for what cannot be measured."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def facts(figures: Mapping[str, float], analysis: Analysis) -> list[tuple[str, str]]:
    """The figures that stand on top, each with its name."""
    kinds = [kind for kind in KINDS if f"{kind}/AP" in figures]
    scores = [(text(figures[f"{kind}/AP"]), f"{kind} AP") for kind in kinds]
    half = [(text(figures[f"{kinds[0]}/AP50"]), f"{kinds[0]} AP50")]
    matches = analysis.matches
    return [
        *scores,
        *half,
        (text(analysis.mean_quality), "image quality"),
        (f"{matches.num_images:,}", "images"),
        (f"{int((~matches.ignored).sum()):,}", "objects there"),
        (f"{int((matches.above(analysis.thresholds) & matches.counted).sum()):,}", "objects found"),
    ]


def overall(figures: Mapping[str, float]) -> tuple[list[str], Rows]:
    """COCO's figures over all classes: a row each, a column for masks, boxes and keypoints."""
    kinds = [kind for kind in KINDS if f"{kind}/AP" in figures]
    names = dict.fromkeys(key.split("/")[1] for key in figures if _is_overall(key, kinds))
    rows = [
        [name, *(text(figures.get(f"{kind}/{name}", math.nan)) for kind in kinds)] for name in names
    ]
    return ["", *kinds], rows


def _is_overall(key: str, kinds: list[str]) -> bool:
    return key.count("/") == 1 and key.split("/")[0] in kinds


def classes(figures: Mapping[str, float], analysis: Analysis) -> tuple[list[str], Rows]:
    """A row a class: objects, AP, and precision, recall and F1 at the suggested threshold."""
    matches = analysis.matches
    kinds = [kind for kind in KINDS if f"{kind}/AP" in figures]
    header = ["class", "objects there", *(f"{kind} AP" for kind in kinds)]
    header += [f"AP{100 * matches.iou:.0f}", "threshold", "precision", "recall", "F1"]
    rows = []
    for name, threshold in zip(matches.class_names, analysis.thresholds.tolist(), strict=True):
        curve = analysis.curves[name]
        scores = [figures.get(f"{kind}/AP/{name}", math.nan) for kind in kinds]
        values = [*scores, curve.average_precision, threshold, *curve.at(threshold)]
        rows.append([name, curve.num_truth, *map(text, values)])
    return header, rows


def confused(pairs: Sequence[Confused]) -> Rows:
    """A row for each two classes."""
    return [[one.true, one.found, one.count, f"{100 * one.share:.1f} %"] for one in pairs]


def counts(analysis: Analysis) -> tuple[list[str], Rows]:
    """A row a class: how well its objects are counted at the suggested threshold."""
    header = ["class", "images", "there", "found", "mean error", "mean absolute", "RMS", "exact"]
    rows = []
    for name, error in analysis.counts.items():
        if name == "" and len(analysis.matches.class_names) == 1:
            continue
        mean = "–" if math.isnan(error.mean) else f"{error.mean:+.2f}"
        exact = "–" if math.isnan(error.exact) else f"{100 * error.exact:.0f} %"
        rows.append(
            [name or "all together", error.images, error.there, error.found, mean]
            + ["–" if math.isnan(v) else f"{v:.2f}" for v in (error.absolute, error.rms)]
            + [exact]
        )
    return header, rows
