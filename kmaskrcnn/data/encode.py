"""Samples as the padded arrays of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Instance, Sample, checked_label
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import Canvas, View
from kmaskrcnn.data.keypoints import checked_keypoints, warp_keypoints
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import Window
from kmaskrcnn.data.warp_masks import warp_instance
from kmaskrcnn.ops.masks import pack_masks

MIN_SLOTS = 8
MIN_MASK_BYTES = 4096
PADDING = {"labels": -1}  # 0 elsewhere


class Truths(NamedTuple):
    """The objects of a view: boxes (N, 4), labels (N,), crowd (N,), masks as windows and crops,
    keypoints (N, J, 3)."""

    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    masks: list[tuple[Window, np.ndarray]]
    keypoints: np.ndarray


class Encoded(NamedTuple):
    """A sample as arrays: those of ``pipeline.batches``, without the batch axis, padded but for the
    image (h, w, 3), which has its place on the canvas.

    The keypoints of a dataset without any are (N, 0, 3).
    """

    image: np.ndarray
    canvas: Canvas
    image_sizes: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    mask_bytes: np.ndarray
    mask_windows: np.ndarray
    mask_offsets: np.ndarray
    keypoints: np.ndarray


def warp_truths(
    sample: Sample,
    view: View,
    image_size: tuple[int, int],
    num_classes: int,
    report: Report,
    keypoint_names: Sequence[str] = (),
) -> Truths:
    """The objects of ``sample`` as ``view`` shows them; those of which nothing is left are counted
    in ``report``.

    Raises:
        DataError: a label that is no class, a mask of another size than the image, keypoints that
            are not those of ``keypoint_names``.
    """
    boxes, labels, crowd, masks, keypoints = [], [], [], [], []
    for instance in sample.instances:
        labels_place = f"{sample.name}, annotation {instance.annotation_id}"
        label = checked_label(instance, num_classes, sample.name)
        box, window, crop = _warp(instance, view, image_size, sample.name)
        if not (box[2] > box[0] and box[3] > box[1]):
            report.add("object left out, nothing of it is in the network's input", labels_place)
            continue
        boxes.append(box)
        labels.append(label)
        crowd.append(instance.crowd)
        masks.append((window, crop))
        if keypoint_names:
            points = checked_keypoints(instance, keypoint_names, sample.name)
            keypoints.append(warp_keypoints(points, view, keypoint_names))
    return Truths(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int32),
        np.array(crowd, bool),
        masks,
        np.array(keypoints, np.float32).reshape(len(boxes), len(keypoint_names), 3),
    )


def _warp(instance: Instance, view: View, image_size: tuple[int, int], name: str):
    try:
        return warp_instance(instance, view, image_size)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(
            f"{name}, annotation {instance.annotation_id}: the mask or box cannot be read "
            f"({error}). Expected polygons [(P, 2) arrays], a COCO run-length code, a bool array "
            "(H, W) or None, and a box x1 y1 x2 y2."
        ) from error


def encode_sample(image: np.ndarray, truths: Truths, canvas: Canvas) -> Encoded:
    """Packs the masks, and pads the lists to one of few lengths.

    These are powers of two, whose largest in a batch is again one.

    Args:
        image: (h, w, 3) uint8, as large as the network sees it.
        truths: in its pixels.
        canvas: the padded image, and where in it the image lies; truths are shifted with it.
    """
    truths = shifted(truths, canvas.left, canvas.top)
    mask_bytes, windows, offsets = pack_masks(truths.masks)
    slots = power_of_two(len(truths.labels), MIN_SLOTS)
    return Encoded(
        image,
        canvas,
        np.array(image.shape[:2], np.float32),
        _fill(truths.boxes, slots),
        _fill(truths.labels, slots, PADDING["labels"]),
        _fill(truths.crowd, slots),
        _fill(mask_bytes, power_of_two(len(mask_bytes), MIN_MASK_BYTES)),
        _fill(windows, slots),
        _fill(offsets, slots),
        _fill(truths.keypoints, slots),
    )


def stack(samples: Sequence[Encoded]) -> dict[str, np.ndarray]:
    """Samples as one batch: each array with the batch axis first, as long as the longest."""
    arrays = {"images": _on_canvases(samples)}
    for name in Encoded._fields[2:]:
        rows = [getattr(sample, name) for sample in samples]
        arrays[name] = aligned(
            (len(rows), *np.max([row.shape for row in rows], axis=0)), rows[0].dtype
        )
        arrays[name][:] = PADDING.get(name, 0)
        for array, row in zip(arrays[name], rows, strict=True):
            array[tuple(map(slice, row.shape))] = row
    return arrays


def _on_canvases(samples: Sequence[Encoded]) -> np.ndarray:
    """The images (B, H, W, 3), zeros around each, on a canvas that holds every one."""
    height, width = np.max([sample.canvas.size for sample in samples], axis=0)
    images = aligned((len(samples), height, width, 3), np.dtype(np.uint8))
    for array, sample in zip(images, samples, strict=True):
        (top, left), (rows, columns) = sample.canvas[1:], sample.image.shape[:2]
        array[top : top + rows, left : left + columns] = sample.image
    return images


def aligned(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros that TensorFlow takes as they are: arrays off multiples of 64 bytes are copied."""
    size = int(np.prod(shape)) * dtype.itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def join(*parts: Truths) -> Truths:
    """The objects of several truths, in one image's pixels."""
    boxes, labels, crowd, masks, keypoints = zip(*parts, strict=True)
    return Truths(
        np.concatenate(boxes),
        np.concatenate(labels),
        np.concatenate(crowd),
        [mask for part in masks for mask in part],
        np.concatenate(keypoints),
    )


def shifted(truths: Truths, left: int, top: int) -> Truths:
    """Truths moved to the right and down; what is no mask and no labelled keypoint stays at 0."""
    if not (left or top):
        return truths
    masks = []
    for (x1, y1, x2, y2), crop in truths.masks:
        dx, dy = (left, top) if crop.size else (0, 0)
        masks.append(((x1 + dx, y1 + dy, x2 + dx, y2 + dy), crop))
    corner = np.array([left, top, 0], np.float32)
    return truths._replace(
        boxes=truths.boxes + np.tile(corner[:2], 2),
        masks=masks,
        keypoints=truths.keypoints + corner * (truths.keypoints[..., 2:] > 0),
    )


def power_of_two(number: int, least: int) -> int:
    """The smallest of ``least``, 2 · ``least``, 4 · ``least`` … that holds ``number``."""
    while least < number:
        least *= 2
    return least


def _fill(values: np.ndarray | Sequence, slots: int, value: int = 0) -> np.ndarray:
    values = np.asarray(values)
    result = np.full((slots, *values.shape[1:]), value, values.dtype)
    result[: len(values)] = values
    return result
