"""Decoded photographs kept in memory, up to a limit."""

from __future__ import annotations

import threading
from collections.abc import Hashable

import numpy as np

from kmaskrcnn.byte_count import byte_count
from kmaskrcnn.data.dataset import Sample


class ImageCache:
    """Photographs by their files, as they come out of the decoder; safe for several threads.

    What fits is kept, and nothing is thrown out for others: a training wants every image once an
    epoch, and the one longest unused is the one that comes soonest. (Of a shuffled epoch this finds
    a share f again where f fits; throwing out the oldest finds about f² / 2.)

    Attributes:
        limit: bytes of pixels that are kept at most; 0 keeps none.
        held: bytes that are kept.
        hits, misses: images that were there, and those that had to be decoded.
    """

    def __init__(self, limit: int | str = 0) -> None:
        """Begins empty; ``limit`` as ``byte_count`` reads it."""
        self.limit = byte_count(limit)
        self.held = self.hits = self.misses = 0
        self._images: dict[Hashable, np.ndarray] = {}
        self._lock = threading.Lock()

    def read(self, sample: Sample) -> np.ndarray:
        """The sample's image (H, W, 3) uint8 RGB; read-only where it is kept.

        Raises:
            DataError: see ``Sample.read``.
        """
        if not self.limit or isinstance(sample.image, np.ndarray):
            return sample.read()
        key = str(sample.image), sample.size
        with self._lock:
            kept = self._images.get(key)
            self.hits += kept is not None
            self.misses += kept is None
        if kept is not None:
            return kept
        image = sample.read()
        self._keep(key, image)
        return image

    def _keep(self, key: Hashable, image: np.ndarray) -> None:
        with self._lock:
            if key in self._images or self.held + image.nbytes > self.limit:
                return
            image.flags.writeable = False
            self._images[key] = image
            self.held += image.nbytes
