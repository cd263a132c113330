"""Images on their way into the network without truth, and the way back of what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data import resizing
from kmaskrcnn.data.geometry import Canvas, place
from kmaskrcnn.data.input_size import InputSize


@dataclass(frozen=True)
class Origin:
    """Where an image of a batch comes from.

    Args:
        index: its place among the images given.
        size: (height, width) of the original.
        resized: (height, width) of what the network sees of it.
        canvas: the padded input, and where in it the image lies.
    """

    index: int
    size: tuple[int, int]
    resized: tuple[int, int]
    canvas: Canvas


class InferenceBatch(NamedTuple):
    """Images of one padded shape, and where each comes from."""

    images: np.ndarray  # (B, H, W, 3) uint8, or float32 in 0 … 255; zeros around
    image_sizes: np.ndarray  # (B, 2) float32 height and width without padding
    origins: list[Origin]


def inference_batches(
    images: Iterable[np.ndarray], input_size: InputSize, batch_size: int = 1
) -> Iterator[InferenceBatch]:
    """Resizes images (H, W, 3) and groups those of equal padded shape, few at a time in memory.

    Args:
        images: uint8 RGB.
        input_size: how large the network sees them.
        batch_size: images a batch; the last ones of each shape may be fewer.

    Raises:
        ValueError: a batch of no images.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size is the number of images, 1 or more; got {batch_size!r}.")
    waiting: dict[tuple[int, int], list] = {}
    for pixels, origin in _prepare(images, input_size):
        group = waiting.setdefault(origin.canvas.size, [])
        group.append((pixels, origin))
        if len(group) == batch_size:
            yield _batch(waiting.pop(origin.canvas.size))
    for group in waiting.values():
        yield _batch(group)


def joint_batch(images: Iterable[np.ndarray], input_size: InputSize) -> InferenceBatch:
    """All images (H, W, 3) in one batch, padded to what the largest needs, as the references do."""
    group = list(_prepare(images, input_size))
    height, width = (max(sides) for sides in zip(*(o.canvas.size for _, o in group), strict=True))
    return _batch(
        [
            (pixels, replace(origin, canvas=origin.canvas._replace(size=(height, width))))
            for pixels, origin in group
        ]
    )


def _prepare(
    images: Iterable[np.ndarray], input_size: InputSize
) -> Iterator[tuple[np.ndarray, Origin]]:
    """Each image resized, and where it goes."""
    for index, image in enumerate(images):
        pixels = resizing.resize(
            image, input_size.min_size, input_size.max_size, input_size.resize
        ).image
        size = (pixels.shape[0], pixels.shape[1])
        where = input_size.lay_out(size)
        yield pixels, Origin(index, (image.shape[0], image.shape[1]), size, where)


def _batch(group: list[tuple[np.ndarray, Origin]]) -> InferenceBatch:
    dtype = np.result_type(*(pixels.dtype for pixels, _ in group))
    images = np.zeros((len(group), *group[0][1].canvas.size, 3), dtype)
    for image, (pixels, origin) in zip(images, group, strict=True):
        place(pixels, origin.canvas, image)
    sizes = np.array([origin.resized for _, origin in group], np.float32)
    return InferenceBatch(images, sizes, [origin for _, origin in group])


def to_original(
    boxes: np.ndarray, origin: Origin, frame: str = "pixels"
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of the network as boxes of the original image, clipped to it.

    From pixels as torchvision (``resize_boxes``) and Detectron2 (``detector_postprocess``) do it, a
    float32 ratio an axis. Normalised ones as matterport's ``unmold_detections`` does: relative to
    the image's window, then to whole pixels, x2 and y2 behind the last one.

    Args:
        boxes: (K, 4) float32 x1 y1 x2 y2 of the padded input.
        origin: of the image.
        frame: ``"pixels"`` or ``"normalised"``, the config's ``box_frame``.

    Returns:
        Boxes (K, 4) float32, and (K,) bool: those that have an area; the references drop the rest.
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    if frame == "normalised":
        boxes = _from_window(boxes, origin)
    else:
        boxes = points_to_original(boxes.reshape(-1, 2, 2), origin).reshape(-1, 4)
    boxes = np.clip(boxes, 0, np.tile(np.array(origin.size[::-1], np.float32), 2))
    return boxes, np.all(boxes[:, 2:] > boxes[:, :2], axis=1)


def points_to_original(points: np.ndarray, origin: Origin) -> np.ndarray:
    """Points (…, 2) float32 x y, from pixels of the padded input to those of the original image."""
    ratio = np.divide(origin.size[::-1], origin.resized[::-1]).astype(np.float32)
    corner = np.array([origin.canvas.left, origin.canvas.top], np.float32)
    return (np.asarray(points, np.float32) - corner) * ratio


def _from_window(boxes: np.ndarray, origin: Origin) -> np.ndarray:
    """Normalised boxes (K, 4) → whole pixels of the original, with matterport's roundings."""
    far_edges = np.array([0, 0, 1, 1])
    corner = np.array([origin.canvas.left, origin.canvas.top])
    window = np.concatenate([corner, corner + origin.resized[::-1]])
    window = ((window - far_edges) / _spans(origin.canvas.size)).astype(np.float32)
    extent = np.tile(np.maximum(window[2:] - window[:2], np.finfo(np.float32).tiny), 2)
    relative = (boxes - window[[0, 1, 0, 1]]) / extent
    return np.around(relative * _spans(origin.size) + far_edges).astype(np.float32)


def _spans(size: tuple[int, int]) -> np.ndarray:
    """(4,) int width - 1, height - 1, twice."""
    return np.tile(np.array(size[::-1]) - 1, 2)
