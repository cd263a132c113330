"""Batches out of a dataset: tf.data, several threads, the same for the same seed."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import tensorflow as tf

from kmaskrcnn.data.augmentation import Policy, as_policy, draw
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.data.cache import ImageCache
from kmaskrcnn.data.dataset import Dataset, keypoint_names_of
from kmaskrcnn.data.encode import Encoded, encode_sample, stack
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
    policy, plan = as_policy(augmentation), Plan(dataset, order)
    report = report or getattr(dataset, "report", None) or Report()
    source = Source(dataset, input_size, report, ImageCache(cache))
    fields = _fields_of(dataset)
    threads = num_threads or _num_processors()
    pool = ThreadPoolExecutor(threads, "kmaskrcnn-data")

    def read(epoch, ticket) -> Encoded:
        rng = np.random.default_rng([order.seed, int(epoch), int(ticket)])
        image, truths = draw(source, int(ticket) % len(dataset), policy, rng)
        return encode_sample(image, truths, input_size.lay_out(image.shape[:2]))

    def read_batch(epoch, tickets) -> tuple[np.ndarray, ...]:
        arrays = stack(list(pool.map(partial(read, epoch), tickets)))
        arrays["image_indices"] = np.asarray(tickets % len(dataset), np.int32)
        return tuple(arrays[name] for name in fields)

    return _stream(plan, initial_epoch, read_batch, fields, 1 + -(-threads // order.batch_size))


def _stream(
    plan: Plan,
    initial_epoch: int,
    read_batch: Callable,
    fields: dict[str, _Field],
    num_parallel: int,
) -> tf.data.Dataset:
    """Batches in the plan's order, ``num_parallel`` of them being made at the same time."""

    def load(epoch, tickets):
        types = [dtype for dtype, _ in fields.values()]
        arrays = tf.numpy_function(read_batch, [epoch, tickets], types)
        for array, (_, shape) in zip(arrays, fields.values(), strict=True):
            array.set_shape(shape)
        targets = dict(zip(fields, arrays, strict=True))
        inputs = {name: targets.pop(name) for name in ("images", "image_sizes")}
        return inputs, targets

    signature = tf.TensorSpec([], tf.int64), tf.TensorSpec([None], tf.int64)
    epochs = _epochs(plan, initial_epoch)
    stream = tf.data.Dataset.from_generator(epochs, output_signature=signature)
    stream = stream.apply(tf.data.experimental.assert_cardinality(plan.num_batches))
    stream = stream.map(load, num_parallel_calls=num_parallel, deterministic=True)
    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = num_parallel
    return stream.prefetch(2).with_options(options)


def _epochs(plan: Plan, initial_epoch: int) -> Callable[[], Iterator[tuple[int, np.ndarray]]]:
    """A function whose every call yields the next epoch's batches as (epoch, tickets)."""
    epochs = itertools.count(initial_epoch)

    def generate() -> Iterator[tuple[int, np.ndarray]]:
        epoch = next(epochs)
        for tickets in plan.batches(epoch):
            yield epoch, tickets

    return generate


def _fields_of(dataset: Dataset) -> dict[str, _Field]:
    num_keypoints = len(keypoint_names_of(dataset))
    if not num_keypoints:
        return _FIELDS
    return _FIELDS | {"keypoints": (tf.float32, [None, None, num_keypoints, 3])}


def _num_processors() -> int:
    """Those this process may use, from 2 to 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(max(len(os.sched_getaffinity(0)), 2), 8)
    return min(max(os.cpu_count() or 2, 2), 8)
