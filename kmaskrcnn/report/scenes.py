"""One image with what is there and what was found, coloured by what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Dataset, Sample
from kmaskrcnn.data.rle import decode_window
from kmaskrcnn.evaluation.analysis import Analysis
from kmaskrcnn.evaluation.matching import IGNORED, Matches
from kmaskrcnn.ops import drawing, regions
from kmaskrcnn.ops.captions import Color
from kmaskrcnn.ops.regions import Region

RIGHT, WRONG, MISSED = drawing.PALETTE[1], drawing.PALETTE[0], drawing.PALETTE[2]
EXCUSED: Color = (170, 170, 170)
CAPTIONED = 12  # objects up to which each has its caption
Window = tuple[int, int, int, int]


class Object(NamedTuple):
    """What is drawn of an object; without a region its box."""

    box: np.ndarray
    region: Region | None
    color: Color
    caption: str


class Scene(NamedTuple):
    """One image of a dataset, and its rows in the tables of the matches.

    Attributes:
        sample: of the dataset.
        image: (H, W, 3) uint8 RGB.
        found, truth: the image's rows of `Matches.found` and `Matches.truth`.
    """

    sample: Sample
    image: np.ndarray
    found: np.ndarray
    truth: np.ndarray


def scene(dataset: Dataset, analysis: Analysis, index: int) -> Scene:
    """Reads an image and looks up what belongs to it."""
    tables = analysis.matches.found, analysis.matches.truth
    sample = dataset[index]
    return Scene(sample, sample.read(), *(np.flatnonzero(t.images == index) for t in tables))


def found_objects(rows: np.ndarray, analysis: Analysis) -> list[Object]:
    """What of some rows was found above the thresholds: right, wrong, or excused by a crowd."""
    above = rows[analysis.matches.above(analysis.thresholds)[rows]]
    return [
        found_object(int(row), analysis)
        for row in above[np.argsort(-analysis.matches.found.scores[above])]
    ]


def found_object(row: int, analysis: Analysis) -> Object:
    """One of `Matches.found`."""
    matches, found = analysis.matches, analysis.matches.found
    partner = int(matches.partner[row])
    color = RIGHT if partner >= 0 else EXCUSED if partner == IGNORED else WRONG
    name = f"{matches.class_names[found.labels[row]]} " if len(matches.class_names) > 1 else ""
    return Object(
        _edges(found.boxes[row]),
        None if found.masks is None else _region(found.masks[row], matches, found.images[row]),
        color,
        f"{name}{found.scores[row]:.2f}",
    )


def true_objects(rows: np.ndarray, analysis: Analysis) -> list[Object]:
    """What of some rows is there: found, missed, or a crowd."""
    return [true_object(int(row), analysis) for row in rows]


def true_object(row: int, analysis: Analysis) -> Object:
    """One of `Matches.truth`."""
    matches, truth = analysis.matches, analysis.matches.truth
    color = EXCUSED if matches.ignored[row] else MISSED if row in analysis.missed else RIGHT
    with_mask = matches.iou_type == "mask" and truth.has_mask[row]
    return Object(
        _edges(truth.boxes[row]),
        _region(truth.masks[row], matches, truth.images[row]) if with_mask else None,
        color,
        matches.class_names[truth.labels[row]] + " (crowd)" * bool(truth.crowd[row]),
    )


def _edges(box: np.ndarray) -> np.ndarray:
    """x1 y1 x2 y2 of x y width height."""
    return np.concatenate([box[:2], box[:2] + box[2:]])


def _region(code: bytes, matches: Matches, image: int) -> Region:
    return Region(*decode_window({"size": matches.sizes[image], "counts": code}))


def draw(
    image: np.ndarray,
    objects: Sequence[Object],
    long_side: int,
    window: Window | None = None,
    *,
    opacity: float = 0.4,
    captions: bool = True,
) -> np.ndarray:
    """The objects on a window of the image, (h, w, 3) uint8, its longer side as asked for.

    Args:
        image: (H, W, 3) uint8 RGB.
        objects: in pixels of the image.
        long_side: pixels.
        window: x1 y1 x2 y2, whole pixels inside the image; None: all of it.
        opacity: of the masks.
        captions: whether to write them, where objects are few.
    """
    height, width = image.shape[:2]
    left, top, right, bottom = window = window or (0, 0, width, height)
    shown = drawing.fit(image[top:bottom, left:right], (long_side, long_side))
    factors = np.divide(shown.shape[1::-1], (right - left, bottom - top))
    masks = [
        None if o.region is None else
        regions.resize(cut(o.region, window), (bottom - top, right - left), shown.shape[:2])
        for o in objects
    ]  # fmt: skip
    boxes = [(o.box - [left, top, left, top]) * np.tile(factors, 2) for o in objects]
    drawn = shown
    for with_mask in (True, False):  # boxes are drawn of those alone that have no mask
        some = [i for i, mask in enumerate(masks) if (mask is not None) == with_mask]
        if some:
            drawn = drawing.draw_instances(
                drawn,
                np.array([boxes[i] for i in some]),
                region_of=(lambda row, some=some: masks[some[row]]) if with_mask else None,
                captions=[objects[i].caption for i in some]
                if captions and len(objects) <= CAPTIONED
                else None,
                colors=[objects[i].color for i in some],
                outline_boxes=not with_mask,
                opacity=opacity,
            )
    return drawn


def cut(region: Region, window: Window) -> Region:
    """The part of a region inside a window, in the window's own pixels."""
    left, top, right, bottom = region.window
    x1, y1 = max(left, window[0]), max(top, window[1])
    x2, y2 = max(x1, min(right, window[2])), max(y1, min(bottom, window[3]))
    place = (x1 - window[0], y1 - window[1], x2 - window[0], y2 - window[1])
    return Region(place, region.crop[y1 - top : y2 - top, x1 - left : x2 - left])
