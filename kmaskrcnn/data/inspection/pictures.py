"""Pictures of what a look at a dataset found: annotated images, suspicious objects close by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Sample, keypoint_names_of
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.inspection.findings import Findings
from kmaskrcnn.data.inspection.objects import Problem
from kmaskrcnn.data.inspection.suspicions import measure
from kmaskrcnn.data.pictures import draw_sample, short_name
from kmaskrcnn.data.rle import decode_window, instance_rle
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.regions import Region, resize

AROUND = 1.0
"""Of an object, this share of its longer side is shown on each side of it …"""
LEAST_AROUND = 16
"""… and so many pixels at least."""
NOT_DRAWN = ("unreadable", "object without an area")
LARGEST_SCALE = 8.0
"""A small object is enlarged so many times at most."""


def pick(found: Findings, limit: int, suspicious: bool = False) -> list[int]:
    """Some of the images that can be used, evenly spread, by their index in the dataset.

    Args:
        found: of their dataset.
        limit: images at most.
        suspicious: only those with something suspicious, if there are any.
    """
    broken = {image.index for image in found.broken}
    places = [index for index in range(len(found.dataset)) if index not in broken]
    if suspicious:
        wrong = {p.image for p in found.problems}
        files = {p.file for p in found.problems if p.image is None}
        if files:  # each sample has to be asked for its name
            wrong.update(i for i in places if found.dataset[i].name in files)
        places = [i for i in places if i in wrong] or places
    if not places:
        raise DataError(f"{found.description}: no image that can be drawn.")
    chosen = np.unique(np.linspace(0, len(places) - 1, min(limit, len(places))).astype(int))
    return [places[place] for place in chosen]


def draw(found: Findings, index: int, long_side: int) -> np.ndarray:
    """One of its images with all objects that can be drawn: (H, W, 3) uint8 RGB."""
    sample = found.dataset[index]
    broken = {p.instance for p in found.problems if p.image == index and p.kind in NOT_DRAWN}
    drawn = [one for place, one in enumerate(sample.instances) if place not in broken]
    return draw_sample(
        replace(sample, instances=drawn),
        found.class_names,
        long_side=long_side,
        keypoint_names=keypoint_names_of(found.dataset),
        keypoint_skeleton=getattr(found.dataset, "keypoint_skeleton", ()),
    )


def sheet(
    found: Findings, limit: int, columns: int, cell_size: int, suspicious: bool
) -> np.ndarray:
    """A sheet of annotated images: (H, W, 3) uint8 RGB."""
    kinds: dict[str, dict[str, None]] = {}
    for problem in found.problems if suspicious else ():
        kinds.setdefault(problem.file, {})[problem.kind] = None
    chosen = pick(found, limit, suspicious)
    pictures = [draw(found, index, cell_size) for index in chosen]
    samples = [found.dataset[index] for index in chosen]
    texts = [", ".join(kinds.get(s.name, ())) or str(len(s.instances)) for s in samples]
    names = [f"{short_name(s)}: {text}" for s, text in zip(samples, texts, strict=True)]
    size = (max(picture.shape[0] for picture in pictures), cell_size)
    return drawing.contact_sheet(pictures, names, columns=columns, cell_size=size)


def close_up(sample: Sample, problem: Problem, side: int = 320) -> np.ndarray:
    """A suspicious object with what is around it; the whole image where the object has no place.

    Args:
        sample: its image.
        problem: what is wrong with which object.
        side: pixels of the picture's longer side.

    Returns: (h, w, 3) uint8 RGB.

    Raises:
        DataError: the image cannot be read.
    """
    image = sample.read()
    place = _place(sample, problem, image.shape[:2])
    if place is None:
        return drawing.fit(image, (side, side))
    box, region, extent = place
    left, top, right, bottom = _window(extent, image.shape[:2])
    crop = np.ascontiguousarray(image[top:bottom, left:right])
    scale = min(side / max(crop.shape[:2]), LARGEST_SCALE)
    height, width = (max(1, round(length * scale)) for length in crop.shape[:2])
    factors = np.tile([width / (right - left), height / (bottom - top)], 2)
    part = _cut(region, (left, top, right, bottom))
    shown = None if part is None else resize(part, crop.shape[:2], (height, width))
    return drawing.draw_instances(
        drawing.resize(crop, (height, width)),
        np.clip((box - [left, top] * 2) * factors, 0, [width, height] * 2)[None],
        region_of=None if shown is None else lambda _: shown,
        opacity=0.25,
    )


class _Place(NamedTuple):
    """Of an object: its box (4,), its mask if it has one, and what both extend over (4,)."""

    box: np.ndarray
    region: Region | None
    extent: np.ndarray


def _place(sample: Sample, problem: Problem, size: tuple[int, int]) -> _Place | None:
    """Where an object is, within reach of its image; None where that cannot be said."""
    if problem.instance is None:
        return None
    instance = sample.instances[problem.instance]
    try:
        figures = measure(instance)
        code = None if instance.mask is None else instance_rle(instance, size)
        region = None if code is None else Region(*decode_window(code))
    except (ValueError, TypeError, KeyError, IndexError):
        return None  # what cannot be read cannot be drawn; the problem says why
    boxes = [box for box in (figures.box, figures.mask_box) if box is not None]
    if not boxes or not np.isfinite(boxes).all():
        return None
    limit = np.tile(size[::-1], 2)
    near = np.clip(boxes, -limit, 2 * limit)
    extent = np.concatenate([near[:, :2].min(0), near[:, 2:].max(0)])
    return _Place(near[0], region, extent)


def _window(extent: np.ndarray, size: tuple[int, int]) -> Sequence[int]:
    """x1 y1 x2 y2, whole pixels of the image, one at least: the box with its surroundings."""
    low, high = extent[:2], extent[2:]
    margin = max(AROUND * float((high - low).max()), LEAST_AROUND)
    first = np.clip(np.floor(low - margin), 0, np.array(size[::-1]) - 1).astype(int)
    last = np.clip(np.ceil(high + margin), first + 1, size[::-1]).astype(int)
    return (*first.tolist(), *last.tolist())


def _cut(region: Region | None, window: Sequence[int]) -> Region | None:
    """What of a region lies inside a window, in the window's pixels."""
    if region is None or not region.crop.size:
        return None
    left, top, right, bottom = window
    x1, y1, x2, y2 = region.window
    low_x, low_y, high_x, high_y = max(x1, left), max(y1, top), min(x2, right), min(y2, bottom)
    if low_x >= high_x or low_y >= high_y:
        return None
    crop = region.crop[low_y - y1 : high_y - y1, low_x - x1 : high_x - x1]
    return Region((low_x - left, low_y - top, high_x - left, high_y - top), crop)
