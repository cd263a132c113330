"""Transforms of other libraries, called as albumentations' are: arrays in, a dictionary out."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.classes import mirrored
from kmaskrcnn.data.augmentation.source import Drawn, size_of
from kmaskrcnn.data.encode import Truths
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.rle import array_window

Transform = Callable[..., Mapping[str, Any]]
_CORNERS = np.array([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75]])
"""Shares of width and height of three points that tell whether an image was mirrored."""


class Transformed:
    """An augmentation by a transform such as ``albumentations.Compose``, for ``fit``.

    The transform gets ``image`` (h, w, 3) uint8 RGB as large as the network sees it, and ``masks``,
    (h, w) uint8 of 0 and 255 for each object; where an object has no mask, its box filled. In a
    dataset with keypoints it also gets ``keypoints`` (K, 2), for which albumentations needs
    ``KeypointParams("xy", remove_invisible=False)``. It returns a mapping of the same names; the
    image may have another size, the masks must be as many.

    Masks are pixels by then: what moves them is as exact as the transform's nearest neighbour, and
    full-size masks take ``h · w`` bytes an object. Boxes are those of the masks; of an object that
    the transform leaves as it is, box and mask stay exact.

    Args:
        transform: called from several threads, each on a copy of its own. Where it has
            ``set_random_seed``, as albumentations from 1.4.19 on, the training can be repeated.
        before: an augmentation of ours that comes first: names, or an ``Augmentation``.
    """

    def __init__(self, transform: Transform, before: str | Augmentation = "none") -> None:
        self.before = Augmentation.named(before) if isinstance(before, str) else before
        self.transform = transform
        self._copies = threading.local()

    @property
    def name(self) -> str:
        """How messages call it."""
        return getattr(self.transform, "__name__", type(self.transform).__name__)

    def apply(
        self, drawn: Drawn, keypoint_names: tuple[str, ...], rng: np.random.Generator
    ) -> Drawn:
        """The image and its objects, transformed.

        Raises:
            DataError: a transform that fails, or returns something else than it should.
        """
        points = _points_of(drawn)
        given = {"image": drawn.image, "masks": _full_masks(drawn)}
        if keypoint_names:
            given["keypoints"] = points
        try:
            made = self._own_copy(rng)(**given)
            image, masks = np.asarray(made["image"]), [np.asarray(m) for m in made["masks"]]
            moved = np.asarray(made["keypoints"], np.float64)[:, :2] if keypoint_names else points
        except Exception as error:
            raise DataError(f"augmentation {self.name}: {type(error).__name__}: {error}") from error
        self._check(drawn, image, masks, moved, points)
        return Drawn(image, _read(drawn.truths, masks, moved, size_of(image), keypoint_names))

    def _own_copy(self, rng: np.random.Generator) -> Transform:
        if not hasattr(self._copies, "transform"):
            self._copies.transform = copy.deepcopy(self.transform)
        transform = self._copies.transform
        if hasattr(transform, "set_random_seed"):
            transform.set_random_seed(int(rng.integers(2**31)))
        return transform

    def _check(
        self,
        drawn: Drawn,
        image: np.ndarray,
        masks: list[np.ndarray],
        moved: np.ndarray,
        points: np.ndarray,
    ) -> None:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise DataError(
                f"augmentation {self.name}: expected an image (h, w, 3) of uint8, got "
                f"{image.shape} of {image.dtype}; the network normalises by itself."
            )
        shapes = {mask.shape for mask in masks}
        if len(masks) != len(drawn.truths.masks) or shapes - {image.shape[:2]}:
            raise DataError(
                f"augmentation {self.name}: expected {len(drawn.truths.masks)} masks "
                f"{image.shape[:2]}, got {len(masks)} {sorted(shapes)}."
            )
        if moved.shape != points.shape:
            raise DataError(
                f"augmentation {self.name}: expected {len(points)} keypoints, got {len(moved)}: "
                "give albumentations KeypointParams('xy', remove_invisible=False)."
            )


def _full_masks(drawn: Drawn) -> list[np.ndarray]:
    masks = []
    for box, ((left, top, right, bottom), crop) in zip(
        drawn.truths.boxes, drawn.truths.masks, strict=True
    ):
        mask = np.zeros(drawn.image.shape[:2], np.uint8)
        if crop.size:
            mask[top:bottom, left:right][crop] = 255
        else:
            left, top, right, bottom = np.r_[np.floor(box[:2]), np.ceil(box[2:])].astype(int)
            mask[top:bottom, left:right] = 255
        masks.append(mask)
    return masks


def _points_of(drawn: Drawn) -> np.ndarray:
    """The objects' keypoints, then those that tell a mirror: (K + 3, 2)."""
    height, width = size_of(drawn.image)
    return np.concatenate(
        [drawn.truths.keypoints[..., :2].reshape(-1, 2), _CORNERS * [width, height]]
    ).astype(np.float32)


def _read(
    truths: Truths,
    masks: list[np.ndarray],
    points: np.ndarray,
    size: tuple[int, int],
    keypoint_names: tuple[str, ...],
) -> Truths:
    """The objects of which something is left."""
    windows = [array_window(mask > 127) for mask in masks]
    boxes, kept = truths.boxes.copy(), []
    for i, (window, crop) in enumerate(windows):
        former = truths.masks[i]
        if not former[1].size:
            boxes[i], windows[i] = window, former
        elif former[0] != window or not np.array_equal(former[1], crop):
            boxes[i] = window
        if crop.size:
            kept.append(i)
    keypoints = _moved_keypoints(truths.keypoints, points, size, keypoint_names)
    return Truths(
        boxes[kept],
        truths.labels[kept],
        truths.crowd[kept],
        [windows[i] for i in kept],
        keypoints[kept],
    )


def _moved_keypoints(
    keypoints: np.ndarray, points: np.ndarray, size: tuple[int, int], names: tuple[str, ...]
) -> np.ndarray:
    corner, right, below = points[-3:]
    moved = points[:-3].reshape(*keypoints.shape[:2], 2)
    inside = ((moved >= 0) & (moved <= size[::-1])).all(-1) & (keypoints[..., 2] > 0)
    result = np.concatenate([moved, keypoints[..., 2:]], axis=-1) * inside[..., None]
    if names and np.linalg.det(np.stack([right - corner, below - corner])) < 0:
        result = result[:, mirrored(names)]
    return result.astype(np.float32)
