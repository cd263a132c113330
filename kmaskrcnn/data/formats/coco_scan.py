"""Which of a COCO file's annotations are ordinary, found thousands at a time.

An annotation is ordinary where ``parse_annotation`` would find nothing to mend, to leave out or to
refuse. That is decided here on whole arrays; only what is doubtful has to be looked at one by one.
No annotation stays parsed: a file of a million would fill several times its size.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, compress
from typing import Any, NamedTuple

import msgspec
import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_tables import ImageRecord
from kmaskrcnn.data.formats.json_files import parse
from kmaskrcnn.data.formats.outlines import BEYOND, OVERHANG
from kmaskrcnn.data.rle import read_counts

CHUNK = 512
"""Annotations that are parsed at a time: what they take stays in the processor's caches."""
FLAT = 1e-8
"""Of its points times its extent squared: an outline of less area may lie on one line."""


class Code(msgspec.Struct, gc=False):
    """A run-length code."""

    size: tuple[int, int]
    counts: str | list[int]


class Row(msgspec.Struct, gc=False):
    """What is looked at of an annotation; its other keys are not even parsed."""

    image_id: int | str | None = None
    category_id: int | str | None = None
    id: int | str | None | msgspec.UnsetType = msgspec.UNSET
    bbox: list[float] | None = None
    segmentation: list[list[float]] | Code | None = None
    keypoints: list[float] | None = None


class Scan(NamedTuple):
    """What was found, a value an annotation (N).

    Attributes:
        category_ids: what stands under ``category_id``, each once.
        ordinary: nothing has to be mended, if the category is known and keypoints are of the
            length that it names.
        images: index of the image; −1 where that is doubtful.
        categories: index in ``category_ids``.
        has_mask: it has one.
        num_keypoints: how many it lists, labelled or not.
        names: a hash of its name; two of the same name have the same.
    """

    category_ids: list[Any]
    ordinary: np.ndarray
    images: np.ndarray
    categories: np.ndarray
    has_mask: np.ndarray
    num_keypoints: np.ndarray
    names: np.ndarray


def name_of(annotation_id: Any, number: int) -> str:
    """How messages call an annotation: by its id, or by its place in the list."""
    return f"[{number}] (without an id)" if annotation_id is msgspec.UNSET else str(annotation_id)


def scan(annotations: Sequence[msgspec.Raw], records: Sequence[ImageRecord]) -> Scan:
    """Looks at all annotations.

    Args:
        annotations: (N) as the file holds them.
        records: of the images.
    """
    images = {record.id: index for index, record in enumerate(records)}
    sizes = np.array([record.size or (np.inf, np.inf) for record in records])
    given: dict[Any, int] = {}
    parts = [_look((), 0, images, given, sizes)]
    with _no_collection():
        for start in range(0, len(annotations), CHUNK):
            rows = [_parse(each, given) for each in annotations[start : start + CHUNK]]
            parts.append(_look(rows, start, images, given, sizes))
    return Scan(list(given), *map(np.concatenate, zip(*parts, strict=True)))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without Python's search for cycles: in millions of lists of numbers there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_DECODER = msgspec.json.Decoder(Row)


def _parse(annotation: msgspec.Raw, given: dict[Any, int]) -> Row:
    """The row of an annotation; what is none is an empty one, which is doubtful."""
    try:
        return _DECODER.decode(annotation)
    except (ValueError, RecursionError):
        pass
    with suppress(ValueError, RecursionError):  # which is said where it is looked at
        content = parse(annotation)
        category = content.get("category_id") if isinstance(content, dict) else None
        if isinstance(category, Hashable):
            given.setdefault(category, len(given))
    return Row()


def _look(
    rows: Sequence[Row],
    start: int,
    images: Mapping[Any, int],
    given: dict[Any, int],
    sizes: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """The columns of ``Scan`` for the rows that begin at ``start``."""
    image = _integers([images.get(row.image_id, -1) for row in rows])
    category = _integers([given.setdefault(row.category_id, len(given)) for row in rows])
    names = _integers([hash(name_of(row.id, n)) for n, row in enumerate(rows, start)])
    size = sizes[image]
    polygons, has_polygon = _sound_polygons(rows, size)
    codes, has_code = _sound_codes(rows, size)
    boxes, has_box = _sound_boxes(rows, size)
    keypoints, num_keypoints = _sound_keypoints(rows)
    has_mask = has_polygon | has_code
    masks = polygons & codes & (has_mask | has_box)
    ordinary = (image >= 0) & masks & (boxes | ~has_box) & keypoints
    return ordinary, image, category, has_mask, num_keypoints, names


def _integers(values: Iterable[int]) -> np.ndarray:
    return np.fromiter(values, np.int64)


def _flat(lists: Iterable[Sequence[float]]) -> np.ndarray:
    """The numbers of all lists; what is no coordinate stays none, and its square a number."""
    rows = list(lists)
    count = sum(map(len, rows))
    return np.clip(np.fromiter(chain.from_iterable(rows), float, count), -BEYOND, BEYOND)


def _sound_boxes(rows: Sequence[Row], size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each box (x, y, width, height) is sound, and whether there is one at all (N)."""
    fours = [n for n, row in enumerate(rows) if row.bbox is not None and len(row.bbox) == 4]
    boxes = np.full((len(rows), 4), np.nan)
    boxes[fours] = _flat(rows[n].bbox or () for n in fours).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
    clipped = np.clip(corners, 0, np.tile(size[:, ::-1], 2))
    sound = (np.abs(boxes) < BEYOND).all(1) & (boxes[:, 2:] > 0).all(1)
    sound &= (clipped[:, 2:] > clipped[:, :2]).all(1)
    sound &= (np.abs(clipped - corners) <= OVERHANG).all(1)
    return sound, np.array([row.bbox is not None for row in rows], bool)


def _sound_polygons(rows: Sequence[Row], size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether all polygons of each are sound, and whether there is one (N)."""
    polygons = [row.segmentation if type(row.segmentation) is list else () for row in rows]
    counts = _integers(map(len, polygons))
    owners = np.repeat(np.arange(len(rows)), counts)
    sound = _sound_rings(list(chain.from_iterable(polygons)), size[owners])
    return np.bincount(owners[~sound], minlength=len(rows)) == 0, counts > 0


def _sound_rings(rings: Sequence[Sequence[float]], size: np.ndarray) -> np.ndarray:
    """Whether each ring x1, y1, x2, … (R) is an outline inside an image of ``size`` (R, 2)."""
    lengths = _integers(map(len, rings))
    sound = (lengths >= 6) & (lengths % 2 == 0)
    if not sound.any():
        return sound
    counts = lengths[sound] // 2
    starts = np.cumsum(counts) - counts
    points = _flat(compress(rings, sound)).reshape(-1, 2)
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    limit = size[sound, ::-1]
    inside = (low >= -OVERHANG) & (high <= limit + OVERHANG) & (high > 0) & (low < limit)
    extent = ((high - low) ** 2).sum(1)
    wide = np.abs(_double_areas(points, starts, counts)) > FLAT * counts * extent
    sound[sound] = inside.all(1) & (high < BEYOND).all(1) & wide
    return sound


def _double_areas(points: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Twice the signed area of each ring (R) of points (P, 2).

    From each ring's first point, which is then 0, so that no edge leads from ring to ring.
    """
    x, y = (points - np.repeat(points[starts], counts, axis=0)).T
    edges = np.append(x[:-1] * y[1:] - x[1:] * y[:-1], 0)
    return np.add.reduceat(edges, starts)


def _sound_codes(rows: Sequence[Row], size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each run-length code is sound, and whether there is one (N)."""
    sound, there = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    for n, row in enumerate(rows):
        if type(row.segmentation) is Code:
            there[n] = True
            sound[n] = _fits(row.segmentation, size[n])
    return sound, there


def _fits(code: Code, size: np.ndarray) -> bool:
    """Whether a code has a pixel, and the size of its image, where that is known."""
    if np.isfinite(size).all() and code.size != tuple(size):
        return False
    try:
        return bool(read_counts({"size": code.size, "counts": code.counts})[1::2].any())
    except DataError:
        return False


def _sound_keypoints(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Whether keypoints x, y, visibility are sound, and how many there are (N)."""
    lengths = _integers(len(row.keypoints or ()) for row in rows)
    sound = lengths % 3 == 0
    listed = _flat(row.keypoints or () for row in compress(rows, sound))
    owners = np.repeat(np.flatnonzero(sound), lengths[sound] // 3)
    visibility = listed[2::3]
    sound[owners[(visibility != 0) & (visibility != 1) & (visibility != 2)]] = False
    return sound, lengths // 3
