"""How well anchors fit the objects of a dataset, and which would fit better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kmaskrcnn.config import FEATURE_STRIDES, MaskRCNNConfig
from kmaskrcnn.data.geometry import lay_out
from kmaskrcnn.data.inspection.objects import Objects
from kmaskrcnn.data.inspection.training_size import network_boxes, network_sizes
from kmaskrcnn.ops.anchors import cell_anchors

REACHED = 0.5
"""IoU of an object with its best anchor below which it counts as not reached."""
WORTH = 0.01
"""Share of the objects that a suggestion must reach besides, to be worth another set of anchors."""
STRIDES_A_SIDE = 2
"""A level's anchors are no smaller than so many of its strides: neighbours lie close enough."""
FLATTEST = 1 / 16
"""Height / width below which no ratio is suggested."""
SAMPLE = 2000
"""Objects that a suggestion is sought with."""
STEPS = (1.25, 1.1, 1.03)
"""Factors by which a size or a ratio is changed, in turn."""
BLOCK = 2**15  # objects that are compared with all anchors at a time

Sizes = tuple[tuple[float, ...], ...]
Score = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class AnchorFit:
    """How well a set of anchors reaches the objects.

    Attributes:
        sizes: a tuple of sides a level, pixels of the network's input.
        ratios: height / width.
        unreached: share of the objects whose best anchor of the whole grid overlaps them by less
            than an IoU of 0.5.
        positive: share whose best anchor is one to learn from by its IoU alone
            (``rpn_positive_iou``); the others are learned from their best anchor only.
        mean: of the best IoU of each object.
        below: share of the objects whose side √(width · height) is below the smallest anchor's.
    """

    sizes: Sizes
    ratios: tuple[float, ...]
    unreached: float
    positive: float
    mean: float
    below: float

    def options(self) -> str:
        """What to add to a command line."""
        sizes = ",".join("(" + ",".join(f"{v:g}" for v in level) + ",)" for level in self.sizes)
        ratios = ",".join(f"{ratio:g}" for ratio in self.ratios)
        return f'--set "anchor_sizes=({sizes},)" --set "aspect_ratios=({ratios},)"'

    def toml(self) -> str:
        """What to put into the TOML file of a run, in its table ``[model]``."""
        sizes = ", ".join("[" + ", ".join(f"{v:g}" for v in level) + "]" for level in self.sizes)
        ratios = ", ".join(f"{ratio:g}" for ratio in self.ratios)
        return f"anchor_sizes = [{sizes}]\naspect_ratios = [{ratios}]"


@dataclass(frozen=True)
class AnchorAdvice:
    """The anchors in use, and those that would fit better.

    Attributes:
        used: the config's.
        suggested: as many a level, found on the objects.
        worth_it: whether they reach enough objects more.
    """

    used: AnchorFit
    suggested: AnchorFit
    worth_it: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with what to add to a command line."""
        fits = {"used": self.used, "suggested": self.suggested}
        facts = {name: asdict(fit) | {"options": fit.options()} for name, fit in fits.items()}
        return {**facts, "worth_it": self.worth_it}


@dataclass(frozen=True, eq=False)
class Scene:
    """Objects on the anchors' grids, in pixels of the network's input.

    Attributes:
        config: padding and levels.
        extents: (K, 2) width and height of the objects.
        centres: (K, 2) x, y.
        canvases: (K, 2) width and height of the padded input that each is on.
    """

    config: MaskRCNNConfig
    extents: np.ndarray
    centres: np.ndarray
    canvases: np.ndarray

    @property
    def strides(self) -> tuple[int, ...]:
        """Of the config's levels."""
        return FEATURE_STRIDES[self.config.pyramid]

    def sample(self, places: np.ndarray) -> Scene:
        """Some of the objects."""
        columns = {name: getattr(self, name)[places] for name in ("extents", "centres", "canvases")}
        return replace(self, **columns)

    def best_overlaps(self, anchor_sizes: Sizes, ratios: Sequence[float]) -> np.ndarray:
        """The IoU of each object with the anchor that fits it best: (K,) float64, exact.

        Of one shape the best anchor is the one whose centre is nearest, as an overlap shrinks with
        the distance on either axis; so one of each shape is compared, not the whole grid. Of
        ``fit_anchor_strides`` only the plain strides are known here.
        """
        best = np.zeros(len(self.extents))
        for level, stride in zip(anchor_sizes, self.strides, strict=True):
            cells = cell_anchors(level, ratios, rounded=self.config.round_anchors, dtype="float64")
            for start in range(0, len(best), BLOCK):
                rows = slice(start, start + BLOCK)
                found = self._overlaps(cells[:, 2:] - cells[:, :2], stride, rows)
                best[rows] = np.maximum(best[rows], found.max(axis=1))
        return best

    def _overlaps(self, shapes: np.ndarray, stride: int, rows: slice) -> np.ndarray:
        """(K, A): of each object with the nearest anchor of each shape (A, 2) width, height."""
        last = np.ceil(self.canvases[rows] / stride) - 1
        nearest = np.clip(np.round(self.centres[rows] / stride), 0, last) * stride
        away = np.abs(self.centres[rows] - nearest)[:, None]  # (K, 1, 2)
        extents = self.extents[rows][:, None]
        shared = np.minimum((extents + shapes) / 2 - away, np.minimum(extents, shapes))
        shared = np.prod(np.maximum(shared, 0), axis=2)
        return shared / (np.prod(extents, axis=2) + np.prod(shapes, axis=1) - shared)

    def fit(self, anchor_sizes: Sizes, ratios: Sequence[float]) -> AnchorFit:
        """How well these anchors reach the objects."""
        best = self.best_overlaps(anchor_sizes, ratios)
        positive = float((best >= self.config.rpn_positive_iou).mean())
        unreached = float((best < REACHED).mean())
        smallest = min(min(level) for level in anchor_sizes)
        below = float((np.sqrt(np.prod(self.extents, axis=1)) < smallest).mean())
        mean = float(best.mean())
        return AnchorFit(anchor_sizes, tuple(ratios), unreached, positive, mean, below)


def advise_anchors(
    objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig
) -> AnchorAdvice | None:
    """Compares the config's anchors with as many that are found on the objects.

    Returns: None where there are no objects.
    """
    if not len(objects.boxes):
        return None
    scene = make_scene(objects, sizes, config)
    used = scene.fit(config.anchor_sizes, config.aspect_ratios)
    found = scene.fit(*suggest_anchors(scene))
    worth_it = used.unreached - found.unreached >= WORTH
    return AnchorAdvice(used, found, worth_it)


def make_scene(objects: Objects, sizes: np.ndarray, config: MaskRCNNConfig) -> Scene:
    """Objects with boxes in pixels of their images, on images of ``sizes`` (N, 2), at the network's
    input."""
    canvases = _canvases(network_sizes(sizes, config), config)[objects.images]
    boxes = network_boxes(objects, sizes, config) + np.tile(canvases[:, 2:], 2)
    low, high = boxes[:, :2], boxes[:, 2:]
    return Scene(config, high - low, (low + high) / 2, canvases[:, :2])


def suggest_anchors(scene: Scene) -> tuple[Sizes, tuple[float, ...]]:
    """Sizes and ratios that reach most objects, as many as the config has.

    From quantiles of the objects' sides and ratios, and from the config's own, each value is
    changed in turn as long as more objects are reached and overlaps rise, both exact on the grid;
    the better end is taken.
    """
    chosen = np.random.default_rng(0).permutation(len(scene.extents))[:SAMPLE]
    scene = scene.sample(np.sort(chosen))
    own = scene.config.anchor_sizes
    levels, each = len(own), len(own[0])
    count = levels * each
    lowest = np.full(count + len(scene.config.aspect_ratios), FLATTEST)
    lowest[:count] = STRIDES_A_SIDE * np.repeat(scene.strides, each)

    def rounded(values: np.ndarray) -> tuple[Sizes, tuple[float, ...]]:
        whole = np.sort(np.round(values[:count])).reshape(levels, each).tolist()
        return tuple(map(tuple, whole)), tuple(sorted(np.round(values[count:], 2).tolist()))

    def score(values: np.ndarray) -> float:
        best = scene.best_overlaps(*rounded(values))
        return float((best >= REACHED).mean() + best.mean() / 2)

    starts = [_quantiles_of(scene, count), np.array([*sum(own, ()), *scene.config.aspect_ratios])]
    ends = [_climb(np.maximum(start, lowest), lowest, score) for start in starts]
    return rounded(max(ends, key=score))


def _quantiles_of(scene: Scene, count: int) -> np.ndarray:
    """So many sides, and the ratios behind them, as the objects have them."""
    width, height = scene.extents.T
    ratios = _quantiles(height / width, len(scene.config.aspect_ratios))
    return np.concatenate([_quantiles(np.sqrt(width * height), count), ratios])


def _climb(values: np.ndarray, lowest: np.ndarray, score: Score) -> np.ndarray:
    """``values`` after each was multiplied and divided by `STEPS` as long as the score rose."""
    best = score(values)
    for step in STEPS:
        rises = True
        while rises:
            rises = False
            for place in range(len(values)):
                for factor in (step, 1 / step):
                    other = values.copy()
                    other[place] = max(other[place] * factor, lowest[place])
                    higher = score(other)
                    if higher > best + 1e-4:
                        values, best, rises = other, higher, True
    return values


def _quantiles(numbers: np.ndarray, count: int) -> np.ndarray:
    """The middles of ``count`` equal parts of the sorted numbers."""
    return np.quantile(numbers, (np.arange(count) + 0.5) / count)


def _canvases(sizes: np.ndarray, config: MaskRCNNConfig) -> np.ndarray:
    """(N, 4): width and height of each padded input, and x, y of the image's corner in it."""
    distinct, place = np.unique(sizes, axis=0, return_inverse=True)
    canvases = [
        lay_out((int(h), int(w)), config.canvas, config.max_size, config.size_divisor)
        for h, w in distinct
    ]
    rows = [(c.size[1], c.size[0], c.left, c.top) for c in canvases]
    return np.array(rows, float).reshape(-1, 4)[place.reshape(-1)]
