"""Batches out of a dataset: tf.data, several threads, the same for the same seed."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from kmaskrcnn.data.augmentation import Policy, as_policy
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.data.batch_reader import BatchReader
from kmaskrcnn.data.cache import ImageCache
from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.input_size import InputSize
from kmaskrcnn.data.order import Order, Plan
from kmaskrcnn.data.report import Report

_Field = tuple[tf.DType, list[int | None]]
_FIELDS: dict[str, _Field] = {
    "images": (tf.uint8, [None, None, None, 3]),
    "image_sizes": (tf.float32, [None, 2]),
    "boxes": (tf.float32, [None, None, 4]),
    "labels": (tf.int32, [None, None]),
    "crowd": (tf.bool, [None, None]),
    "mask_bytes": (tf.uint8, [None, None]),
    "mask_windows": (tf.int32, [None, None, 4]),
    "mask_offsets": (tf.int32, [None, None]),
    "image_indices": (tf.int32, [None]),
}
"""Of each array of a batch: its type and its shape."""


def batches(
    dataset: Dataset,
    input_size: InputSize,
    order: Order,
    *,
    augmentation: Policy = "none",
    initial_epoch: int = 0,
    num_threads: int | None = None,
    cache: int | str = 0,
    report: Report | None = None,
) -> tf.data.Dataset:
    """A dataset as batches of ``(inputs, targets)``, its length known.

    Each iteration is the next epoch. The order and the augmentation depend on the order's seed, the
    epoch and the image alone, not on threads. Images without objects are kept. Padding leads to few
    shapes: sides are multiples of ``input_size.size_divisor``, N is a power of two from 8 up, L one
    from 4096 up.

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
        input_size: how large the network sees the images.
        order: which of them make which batch.
        augmentation: names joined by ``+``, an ``Augmentation``, or a function of your own.
        initial_epoch: a resumed training passes the epochs it has done.
        num_threads: samples read at the same time; None: the processors, 2 to 8.
        cache: bytes of decoded images that are kept in memory at most, such as ``"2GB"``; 0: none.
        report: collects what is left out while reading; None: the dataset's own, if it has one.

    Raises:
        DataError: an empty dataset; when iterating, wrapped by ``tf.data``: see
            ``errors.clear_errors``.
        ValueError: an unknown augmentation, a cache that is no number of bytes.
    """
    plan, report = Plan(dataset, order), report or getattr(dataset, "report", None) or Report()
    source = Source(dataset, input_size, report, ImageCache(cache))
    reader = BatchReader(source, as_policy(augmentation), order.seed, num_threads)
    in_the_making = 1 + -(-reader.num_threads // order.batch_size)  # so that no thread waits
    stream = _planned(plan, initial_epoch)
    stream = stream.map(
        _loader(reader, _fields_of(dataset)), num_parallel_calls=in_the_making, deterministic=True
    )
    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = in_the_making
    stream = stream.prefetch(2).with_options(options)
    stream.reader = reader  # lives as long as the stream and its iterators, see _loader
    return stream


def _planned(plan: Plan, initial_epoch: int) -> tf.data.Dataset:
    """A stream of (epoch, tickets), whose every iteration is the next epoch."""
    epochs = itertools.count(initial_epoch)

    def generate() -> Iterator[tuple[int, np.ndarray]]:
        epoch = next(epochs)
        for tickets in plan.batches(epoch):
            yield epoch, tickets

    signature = tf.TensorSpec([], tf.int64), tf.TensorSpec([None], tf.int64)
    stream = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return stream.apply(tf.data.experimental.assert_cardinality(plan.num_batches))


def _loader(reader: BatchReader, fields: dict[str, _Field]) -> Callable:
    """From (epoch, tickets) to the tensors of a batch.

    TensorFlow never lets go of a function that it calls; so this one only knows of the reader, with
    its threads and images, as long as somebody else does.
    """
    known = weakref.proxy(reader)

    def read(epoch, tickets):
        arrays = known.read(int(epoch), tickets)
        return tuple(arrays[name] for name in fields)

    def load(epoch, tickets):
        arrays = tf.numpy_function(read, [epoch, tickets], [dtype for dtype, _ in fields.values()])
        for array, (_, shape) in zip(arrays, fields.values(), strict=True):
            array.set_shape(shape)
        targets = dict(zip(fields, arrays, strict=True))
        inputs = {name: targets.pop(name) for name in ("images", "image_sizes")}
        return inputs, targets

    return load


def _fields_of(dataset: Dataset) -> dict[str, _Field]:
    num_keypoints = len(keypoint_names_of(dataset))
    if not num_keypoints:
        return _FIELDS
    return _FIELDS | {"keypoints": (tf.float32, [None, None, num_keypoints, 3])}
