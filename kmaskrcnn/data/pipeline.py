"""Batches out of a dataset: tf.data, several threads, the same for the same seed."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from kmaskrcnn.data.augmentation import Policy, as_policy, draw
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.encode import encode_sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import lay_out
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.resizing import resized_size

_Field = tuple[tf.DType, list[int | None], int]
_FIELDS: dict[str, _Field] = {
    "images": (tf.uint8, [None, None, 3], 0),
    "image_sizes": (tf.float32, [2], 0),
    "boxes": (tf.float32, [None, 4], 0),
    "labels": (tf.int32, [None], -1),
    "crowd": (tf.bool, [None], False),
    "mask_bytes": (tf.uint8, [None], 0),
    "mask_windows": (tf.int32, [None, 4], 0),
    "mask_offsets": (tf.int32, [None], 0),
    "image_indices": (tf.int32, [], 0),
}
"""Of each array of a sample: its type, its shape, and what pads it."""


def batches(
    dataset: Dataset,
    *,
    batch_size: int,
    min_size: int,
    max_size: int,
    augmentation: Policy = "none",
    shuffle: bool = False,
    seed: int = 0,
    initial_epoch: int = 0,
    size_divisor: int = 64,
    resize: str = "affine",
    canvas: str = "corner",
    drop_remainder: bool = False,
    num_threads: int | None = None,
    report: Report | None = None,
) -> tf.data.Dataset:
    """A dataset as batches of ``(inputs, targets)``, its length known.

    Each iteration is the next epoch. The order and the augmentation depend on ``(seed, epoch,
    index)`` alone, not on threads. Images without objects are kept. Padding leads to few shapes:
    sides are multiples of ``size_divisor``, N is a power of two from 8 up, L one from 4096 up.

    ``inputs``: ``images`` (B, H, W, 3) uint8 RGB, zeros right and below, on a square canvas all
    around; ``image_sizes`` (B, 2) float32, their true height and width.

    ``targets``: ``boxes`` (B, N, 4) float32 x1 y1 x2 y2 in pixels of the network's input;
    ``labels`` (B, N) int32, −1 pads; ``crowd`` (B, N) bool; the masks, see ``ops.masks``:
    ``mask_bytes`` (B, L) uint8, ``mask_windows`` (B, N, 4) int32 (empty: no mask), ``mask_offsets``
    (B, N) int32; ``image_indices`` (B,) int32, the place in the dataset. Of a dataset with
    ``keypoint_names`` also ``keypoints`` (B, N, J, 3) float32, x y in pixels of the network's input
    and visibility, 0 where not labelled or out of sight.

    Args:
        dataset: samples by index; read from several threads.
        batch_size: images a batch; the last one may be smaller.
        min_size, max_size: the shorter side's target, and the longer side's limit.
        augmentation: names joined by ``+``, an ``Augmentation``, or a function of your own.
        shuffle: another order in each epoch.
        seed, initial_epoch: where the randomness starts; a resumed training passes the epochs it
            has done.
        size_divisor: the sides' common divisor, at least the largest stride of the network.
        resize: whose sizes, see ``resizing.resized_size``; the pixels are ours in any case.
        canvas: ``"corner"`` or ``"square"``, see ``geometry.lay_out``.
        drop_remainder: leave out a smaller last batch.
        num_threads: samples read at the same time; None: the processors, 2 to 8.
        report: collects what is left out while reading; None: the dataset's own, if it has one.

    Raises:
        DataError: when iterating, wrapped by ``tf.data``: see ``errors.clear_errors``.
        ValueError: an unknown augmentation, resize or canvas, an empty dataset, a batch size below
            1.
    """
    policy = as_policy(augmentation)
    lay = functools.partial(lay_out, canvas=canvas, max_size=max_size, size_divisor=size_divisor)
    lay(resized_size((1, 1), min_size, max_size, resize))  # refuses unknown names at once
    if len(dataset) == 0 or batch_size < 1:
        raise DataError(
            f"{len(dataset)} images in batches of {batch_size}: at least one image and 1 are "
            "needed."
        )
    fields = _fields_of(dataset)
    report = report or getattr(dataset, "report", None) or Report()
    source = Source(dataset, min_size, max_size, resize, report)
    threads = num_threads or _num_processors()

    def read(epoch, index):
        rng = np.random.default_rng([seed, int(epoch), int(index)])
        image, truths = draw(source, int(index), policy, rng)
        sample = encode_sample(image, truths, lay(image.shape[:2]))
        arrays = sample._asdict() | {"image_indices": np.int32(index)}
        return tuple(arrays[name] for name in fields)

    def load(epoch, index):
        arrays = tf.numpy_function(read, [epoch, index], [field[0] for field in fields.values()])
        for array, (_, shape, _) in zip(arrays, fields.values(), strict=True):
            array.set_shape(shape)
        return dict(zip(fields, arrays, strict=True))

    order = _order(len(dataset), shuffle, seed, initial_epoch)
    spec = tf.TensorSpec([], tf.int64)
    stream = tf.data.Dataset.from_generator(order, output_signature=(spec, spec))
    stream = stream.apply(tf.data.experimental.assert_cardinality(len(dataset)))
    stream = stream.map(load, num_parallel_calls=threads, deterministic=True)
    stream = _padded(stream, fields, batch_size, drop_remainder)
    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = threads
    return stream.map(_split).prefetch(2).with_options(options)


def _padded(stream, fields, batch_size, drop_remainder) -> tf.data.Dataset:
    """Samples as batches, each array as long as the longest of its batch."""
    return stream.padded_batch(
        batch_size,
        padded_shapes={name: shape for name, (_, shape, _) in fields.items()},
        padding_values={name: tf.constant(pad, dtype) for name, (dtype, _, pad) in fields.items()},
        drop_remainder=drop_remainder,
    )


def _fields_of(dataset: Dataset) -> dict[str, _Field]:
    num_keypoints = len(keypoint_names_of(dataset))
    if not num_keypoints:
        return _FIELDS
    return _FIELDS | {"keypoints": (tf.float32, [None, num_keypoints, 3], 0)}


def _split(arrays):
    targets = dict(arrays)
    inputs = {key: targets.pop(key) for key in ("images", "image_sizes")}
    return inputs, targets


def _num_processors() -> int:
    """Those this process may use, from 2 to 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(max(len(os.sched_getaffinity(0)), 2), 8)
    return min(max(os.cpu_count() or 2, 2), 8)


def _order(length: int, shuffle: bool, seed: int, initial_epoch: int):
    """A function whose every call yields the next epoch's (epoch, index)."""
    epochs = itertools.count(initial_epoch)

    def generate() -> Iterator[tuple[int, int]]:
        epoch = next(epochs)
        rng = np.random.default_rng([seed, epoch])
        for index in rng.permutation(length) if shuffle else range(length):
            yield epoch, int(index)

    return generate
