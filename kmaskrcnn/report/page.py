"""How good a model is on a dataset, as one page for a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn import data, pages
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.evaluation import Analysis, Evaluator
from kmaskrcnn.evaluation.matching import match_columns
from kmaskrcnn.evaluation.mistakes import UNSURE
from kmaskrcnn.evaluation.results import Predictions
from kmaskrcnn.files import atomic
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.report import charts, tables
from kmaskrcnn.report.curves import curve_panels, read_history
from kmaskrcnn.report.gallery import Gallery, best_and_worst
from kmaskrcnn.report.heatmap import heat_map, most_confused
from kmaskrcnn.structures import Detections

CROPS = 12  # of each kind and order
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True, eq=False)
class Report:
    """What a report shows.

    Attributes:
        dataset: images and truth.
        figures: of `Evaluator`.
        analysis: of masks where both sides have them, else of boxes.
    """

    dataset: Dataset
    figures: Mapping[str, float]
    analysis: Analysis

    def to_dict(self) -> dict[str, Any]:
        """Every figure of the page, plain."""
        return {"figures": dict(self.figures)} | self.analysis.to_dict()


def save_report(
    model: MaskRCNN | str | Path,
    dataset: Dataset,
    path: str | Path,
    *,
    title: str = "How good the model is",
    history: Any = None,
    progress: Progress = iter,
) -> Report:
    """Predicts every image of a dataset once, and writes what can be said of that as one page.

    The HTML file needs nothing beside itself. Memory grows with the number of objects: images are
    read one at a time, and those that are shown are read once more.

    Args:
        model: its class names are those of the figures. Or a JSON of COCO results, of whatever
            detector.
        dataset: images and truth; its classes must be among the model's.
        path: the HTML file; its folder is made.
        title: of the page.
        history: of the training (see `save_curves`); None: no curves.
        progress: is given the indices that are predicted, and gives them on.

    Returns:
        The figures behind the page.

    Raises:
        kmaskrcnn.data.DataError: a class that the model does not know, an image that cannot be
            read; names it.
        ValueError: a history without epochs.
        OSError: a place that cannot be written to; before anything is predicted.
    """
    history = None if history is None else read_history(history)
    predictions: Any = model
    options = {}
    if not isinstance(model, str | Path):
        dataset = data.align(dataset, model.class_names)
        predictions = _predicted(model, dataset, progress)
        options["max_detections"] = (1, 10, max(100, model.config.detections_per_image))
    with atomic(path) as unfinished:  # a place that cannot be written to is said before the work
        report = measure(dataset, predictions, **options)
        unfinished.write_text(page(report, title=title, history=history), encoding="utf-8")
    return report


def _predicted(
    model: MaskRCNN, dataset: Dataset, progress: Progress
) -> Iterator[tuple[int, Detections]]:
    """Index and detections of every image, one at a time."""
    for index in progress(range(len(dataset))):
        yield index, model.predict(dataset[index].read())[0]


def measure(dataset: Dataset, predictions: Predictions, **options: Any) -> Report:
    """All figures of a report.

    Args:
        dataset: images and truth.
        predictions: see `Evaluator.evaluate`.
        options: of `Evaluator`.
    """
    evaluator = Evaluator(dataset, **options)
    found = evaluator.read(predictions)
    figures = evaluator.evaluate(found)
    iou_type = "mask" if "mask/AP" in figures else "box"
    matches = match_columns(evaluator.truth, found, iou_type=iou_type)
    return Report(dataset, figures, Analysis(matches))


def page(report: Report, *, title: str, history: Any = None) -> str:
    """The HTML of a report."""
    analysis = report.analysis
    names = analysis.matches.class_names
    return pages.render(
        "report.html",
        title=title,
        description=getattr(report.dataset, "description", type(report.dataset).__name__),
        facts=tables.facts(report.figures, analysis),
        curves=[pages.figure(one) for one in curve_panels(history)] if history is not None else [],
        iou=analysis.matches.iou,
        iou_type=analysis.matches.iou_type,
        overall=tables.overall(report.figures),
        classes=tables.classes(report.figures, analysis),
        confusion=heat_map(analysis.confusion, names),
        confused=tables.confused(most_confused(analysis.confusion, names)),
        precision_recall=charts.precision_recall(analysis),
        thresholds=charts.threshold_curves(analysis),
        left_out=max(0, len(names) - charts.MOST_CLASSES),
        reliability=charts.reliability(analysis),
        counted=charts.counted(analysis),
        counts=tables.counts(analysis),
        by_size=charts.found_by_size(analysis),
        **_pictures(report),
    )


def _pictures(report: Report) -> dict[str, Any]:
    """Those of the page by name, drawn one after the other."""
    matches, mistakes = report.analysis.matches, report.analysis.mistakes
    gallery = Gallery(report.dataset, report.analysis)
    best, worst = best_and_worst(report.analysis)
    sure = range(len(mistakes.alarms))[:CROPS]
    large = range(len(mistakes.misses))[:CROPS]
    return {
        "best": list(gallery.pairs(best)),
        "worst": list(gallery.pairs(worst)),
        "num_alarms": len(mistakes.alarms),
        "num_misses": len(mistakes.misses),
        "sure_alarms": list(gallery.alarms(sure)),
        "large_alarms": list(gallery.alarms(_first(-matches.found_areas[mistakes.alarms], sure))),
        "near_misses": list(gallery.misses(_nearly_found(report.analysis))),
        "large_misses": list(gallery.misses(large)),
        "small_misses": list(gallery.misses(_first(matches.truth.areas[mistakes.misses], large))),
    }


def _nearly_found(analysis: Analysis) -> list[int]:
    """The misses that were found with a score below the threshold, the highest first."""
    mistakes = analysis.mistakes
    unsure = np.flatnonzero(mistakes.miss_kinds == UNSURE)
    scores = analysis.matches.found.scores[mistakes.miss_found[unsure]]
    return unsure[np.argsort(-scores, kind="stable")][:CROPS].tolist()


def _first(keys: np.ndarray, but: Iterable[int]) -> list[int]:
    """Where the smallest keys are, smallest first, but for those that are shown already."""
    shown = set(but)
    order = np.argsort(keys, kind="stable").tolist()
    return [place for place in order if place not in shown][:CROPS]
