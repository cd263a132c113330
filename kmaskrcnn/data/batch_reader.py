"""Batches as arrays, each of their samples read by another thread."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from kmaskrcnn.data.augmentation import ResolvedPolicy, draw
from kmaskrcnn.data.augmentation.source import Source
from kmaskrcnn.data.encode import Encoded, encode_sample, stack


class BatchReader:
    """Makes batches out of tickets (see ``order.Plan``), in threads of its own.

    Decoding, resizing and copying release the interpreter's lock, so that threads are enough. They
    end when the reader is not used any more.
    """

    def __init__(
        self,
        source: Source,
        policy: ResolvedPolicy,
        seed: int,
        num_threads: int | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            source: the dataset, and how large the network sees it.
            policy: by which each sample is drawn.
            seed: of the augmentation.
            num_threads: samples that are read at the same time; None: the processors, 2 to 8.
        """
        self.source, self.policy, self.seed = source, policy, seed
        self.num_threads = num_threads or _num_processors()
        self._pool = ThreadPoolExecutor(self.num_threads, "kmaskrcnn-data")

    def read(self, epoch: int, tickets: np.ndarray) -> dict[str, np.ndarray]:
        """The arrays of a batch, as ``pipeline.batches`` describes them.

        Raises:
            DataError: a sample that cannot be read.
        """
        indices = tickets % len(self.source.dataset)
        samples = list(self._pool.map(partial(self._sample, epoch), tickets, indices))
        return stack(samples) | {"image_indices": np.asarray(indices, np.int32)}

    def _sample(self, epoch: int, ticket: int, index: int) -> Encoded:
        rng = np.random.default_rng([self.seed, int(epoch), int(ticket)])
        image, truths = draw(self.source, int(index), self.policy, rng)
        canvas = self.source.input_size.lay_out((image.shape[0], image.shape[1]))
        return encode_sample(image, truths, canvas)


def _num_processors() -> int:
    """Those this process may use, from 2 to 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(max(len(os.sched_getaffinity(0)), 2), 8)
    return min(max(os.cpu_count() or 2, 2), 8)
