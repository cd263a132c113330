"""Fingerprints of photographs: of equal files they are equal, of similar photographs similar."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.headers import read_size

SIDE = 32
"""Pixels of the thumbnail that a hash is taken from."""
KEPT = 8
"""Frequencies of it, each way: 64 bits."""
FLAT = 2.0
"""Grey levels: a thumbnail that varies less shows nothing that could be compared."""


class Fingerprint(NamedTuple):
    """An image's.

    Attributes:
        digest: of its file, or of its array: the same for the same bytes only.
        bits: which of its low frequencies are above their median (uint64), after pHash (Zauner
            2010); None of an image that shows nothing.
    """

    digest: bytes
    bits: int | None


def fingerprint(sample: Sample) -> Fingerprint:
    """Of a sample's image; of a large JPEG, an eighth, a quarter or half of it is decoded.

    Raises:
        DataError: it cannot be decoded.
    """
    if isinstance(sample.image, np.ndarray):
        data = np.ascontiguousarray(sample.image).tobytes() + repr(sample.image.shape).encode()
    else:
        data = Path(sample.image).read_bytes()
    digest = hashlib.blake2b(data, digest_size=16).digest()
    small = thumbnail(sample, data)
    if small.std() < FLAT:
        return Fingerprint(digest, None)
    low = cv2.dct(small)[:KEPT, :KEPT]
    above = (low > np.median(low)).reshape(-1)
    return Fingerprint(digest, int.from_bytes(np.packbits(above).tobytes(), "big"))


def thumbnail(sample: Sample, data: bytes | None = None) -> np.ndarray:
    """A sample's image, grey, stretched to a square: (SIDE, SIDE) float32, 0 … 255.

    Args:
        sample: any; its annotated size does not matter here.
        data: its file, where it is read already.

    Raises:
        DataError: it cannot be decoded.
    """
    grey = None
    if not isinstance(sample.image, np.ndarray):
        data = Path(sample.image).read_bytes() if data is None else data
        grey = _decode(data)
    if grey is None:  # an array, or of a kind that needs more than OpenCV
        grey = cv2.cvtColor(sample.read(), cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def _decode(data: bytes) -> np.ndarray | None:
    """(h, w) uint8, a JPEG as small as still has four pixels for each one of a thumbnail."""
    size, flags = read_size(data), cv2.IMREAD_GRAYSCALE
    for factor, reduced in (
        (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
        (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
        (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    ):
        if size is not None and data.startswith(b"\xff\xd8") and min(size) >= 2 * SIDE * factor:
            flags = reduced
            break
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:
        return None  # reading it in full says why
