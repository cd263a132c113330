"""The pictures of a report: best and worst images, and the mistakes one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from markupsafe import Markup

from kmaskrcnn.data.dataset import Dataset, Sample
from kmaskrcnn.data.pictures import short_name
from kmaskrcnn.evaluation.analysis import Analysis
from kmaskrcnn.evaluation.mistakes import CLASS
from kmaskrcnn.pages import picture
from kmaskrcnn.report.scenes import (
    Object,
    Scene,
    Window,
    draw,
    found_object,
    found_objects,
    scene,
    true_object,
    true_objects,
)

BEST, WORST = 12, 30
PAIR_SIDE, CROP_SIDE = 360, 240  # pixels of a picture's longer side
LONGEST_NAME = 36  # letters
LEAST_CONTEXT = 48  # pixels of the image that a crop shows at least


def best_and_worst(analysis: Analysis) -> tuple[list[int], list[int]]:
    """The images of the highest quality and those of the lowest, which are not perfect.

    Of equal quality comes first, among the best, the one with most objects; among the worst, the
    one with most mistakes. Images with nothing to find are not among the best.
    """
    quality, matches, mistakes = analysis.quality, analysis.matches, analysis.mistakes
    objects = np.bincount(matches.truth.images, minlength=matches.num_images)
    wrong = np.bincount(matches.found.images[mistakes.alarms], minlength=matches.num_images)
    wrong += np.bincount(matches.truth.images[mistakes.misses], minlength=matches.num_images)
    best = [i for i in np.lexsort((-objects, -quality)).tolist() if objects[i] and quality[i] > 0]
    worst = [i for i in np.lexsort((-wrong, quality)).tolist() if wrong[i]]
    return best[:BEST], [i for i in worst if i not in best[:BEST]][:WORST]


class Gallery:
    """Draws pictures of a dataset's images, opened one at a time when they are asked for."""

    def __init__(self, dataset: Dataset, analysis: Analysis) -> None:
        self.dataset, self.analysis = dataset, analysis

    def pairs(self, indices: Iterable[int]) -> Iterator[Markup]:
        """Truth beside prediction, with the quality and what is wrong."""
        for index in indices:
            one = self._scene(index)
            halves = [
                draw(one.image, objects, PAIR_SIDE)
                for objects in (
                    true_objects(one.truth, self.analysis),
                    found_objects(one.found, self.analysis),
                )
            ]
            gap = np.full((len(halves[0]), 8, 3), 255, np.uint8)
            both = np.concatenate([halves[0], gap, halves[1]], axis=1)
            yield picture(both, max_side=both.shape[1], caption=self._caption(index, one))

    def _caption(self, index: int, one: Scene) -> Markup:
        text = Markup("<b>{:.2f}</b> {}<br> {}")
        return text.format(
            self.analysis.quality[index], self._what_is_wrong(index), _name(one.sample)
        )

    def _what_is_wrong(self, index: int) -> str:
        matches, mistakes = self.analysis.matches, self.analysis.mistakes
        alarms = mistakes.alarm_kinds[matches.found.images[mistakes.alarms] == index]
        misses = mistakes.miss_kinds[matches.truth.images[mistakes.misses] == index]
        told = [f"{int((matches.truth.images == index).sum())} there"]
        if len(alarms):
            told.append(f"{len(alarms)} false alarm{'s' * (len(alarms) > 1)} ({_tally(alarms)})")
        if len(misses):
            told.append(f"{len(misses)} missed ({_tally(misses)})")
        return "; ".join(told)

    def alarms(self, order: Iterable[int]) -> Iterator[Markup]:
        """Crops of false alarms, by their places in `Mistakes.alarms`."""
        matches, mistakes = self.analysis.matches, self.analysis.mistakes
        for place in order:
            number, meant = int(mistakes.alarms[place]), int(mistakes.alarm_truth[place])
            one = self._scene(int(matches.found.images[number]))
            objects = [found_object(number, self.analysis)]
            if meant >= 0:
                objects.append(true_object(meant, self.analysis))
            name = matches.class_names[matches.found.labels[number]]
            kind = self._with_class(mistakes.alarm_kinds[place], matches.truth.labels, meant)
            text = f"{name} {matches.found.scores[number]:.2f}: {kind}"
            yield self._crop(one, objects, text)

    def misses(self, order: Iterable[int]) -> Iterator[Markup]:
        """Crops of missed objects, by their places in `Mistakes.misses`."""
        matches, mistakes = self.analysis.matches, self.analysis.mistakes
        for place in order:
            number, instead = int(mistakes.misses[place]), int(mistakes.miss_found[place])
            one = self._scene(int(matches.truth.images[number]))
            objects = [true_object(number, self.analysis)]
            score = ""
            if instead >= 0:
                objects.append(found_object(instead, self.analysis))
                score = f" {matches.found.scores[instead]:.2f}"
            name = matches.class_names[matches.truth.labels[number]]
            kind = self._with_class(mistakes.miss_kinds[place], matches.found.labels, instead)
            yield self._crop(one, objects, f"{name}: {kind}{score}")

    def _with_class(self, kind: str, labels: np.ndarray, number: int) -> str:
        if kind != CLASS:
            return kind
        return f"{kind}, {self.analysis.matches.class_names[labels[number]]}"

    def _crop(self, one: Scene, objects: list[Object], text: str) -> Markup:
        window = around(objects, one.image.shape[:2])
        drawn = draw(one.image, objects, CROP_SIDE, window, opacity=0.15, captions=False)
        caption = Markup("{}<br> {}").format(text, _name(one.sample))
        return picture(drawn, max_side=CROP_SIDE, caption=caption)

    def _scene(self, index: int) -> Scene:
        return scene(self.dataset, self.analysis, index)


def around(objects: list[Object], size: tuple[int, int]) -> Window:
    """A square window around the objects with as much again around them, inside the image."""
    boxes = np.array([o.box for o in objects])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = max(LEAST_CONTEXT, 2 * float((high - low).max()))
    limit = np.array(size[::-1])
    first = np.clip((low + high) / 2 - side / 2, 0, np.maximum(limit - side, 0)).astype(int)
    last = np.minimum(first + int(side), limit)
    return int(first[0]), int(first[1]), int(last[0]), int(last[1])


def _tally(kinds: np.ndarray) -> str:
    """``"3 inexact, 1 twice"``, or the one kind that all are of."""
    counts = Counter(kinds.tolist()).most_common()
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{count} {kind}" for kind, count in counts)


def _name(sample: Sample) -> str:
    """A file's name as long as a caption has room for: its beginning and its end."""
    name = short_name(sample)
    return name if len(name) <= LONGEST_NAME else f"{name[:20]}…{name[-12:]}"
