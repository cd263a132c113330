"""Photographs that are there twice: the same file, or nearly the same picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.inspection.fingerprints import Fingerprint, thumbnail

DISTANCE = 7
"""Bits of 64 in which fingerprints of similar photographs may differ: one of their eight bytes is
the same then."""
ALIKE = 0.95
"""Correlation of two thumbnails from which on they show the same."""
BLOCK = 1024  # fingerprints that are compared with all others of their bucket at a time
REMEMBERED = 4096  # thumbnails, of 4 KB each
_BITS = np.array([bin(number).count("1") for number in range(2**16)], np.uint8)


@dataclass(frozen=True)
class Photograph:
    """An image to compare: which part it is of, its index there, its name, its fingerprint."""

    part: str
    index: int
    file: str
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Duplicates:
    """Images that show the same.

    Attributes:
        parts: of each image, ``"train"`` or ``"validation"``.
        indices: in the dataset of its part.
        files: their paths, or how messages call them.
        same_file: whether they are the same to the byte.
        similarity: the least correlation that joined two of them; 1 of the same file.
    """

    parts: tuple[str, ...]
    indices: tuple[int, ...]
    files: tuple[str, ...]
    same_file: bool
    similarity: float

    @property
    def is_leak(self) -> bool:
        """Whether the model is trained on what it is validated on."""
        return len(set(self.parts)) > 1

    @property
    def likeness(self) -> str:
        """How alike they are, in words."""
        return "the same file" if self.same_file else f"correlation {self.similarity:.3f}"

    def __str__(self) -> str:
        shown = [f"{file} ({part})" for file, part in zip(self.files, self.parts, strict=True)]
        more = f" and {len(shown) - 4} more" if len(shown) > 4 else ""
        return f"{self.likeness}: {' = '.join(shown[:4])}{more}"


def find_duplicates(
    photographs: Sequence[Photograph], sample_of: Callable[[Photograph], Sample]
) -> tuple[Duplicates, ...]:
    """Groups of images that show the same, leaks first.

    Candidates are images whose fingerprints differ in at most `DISTANCE` bits; a second look
    correlates their thumbnails. Mirrored and turned copies are not found, nor crops.

    Args:
        photographs: of both parts.
        sample_of: gives the sample of one, for the second look.

    Raises:
        DataError: a file that had a fingerprint cannot be read any more.
    """
    look = lru_cache(REMEMBERED)(lambda place: _thumbnail(sample_of(photographs[place])))
    groups = _Groups(len(photographs))
    for first, second in _same_files(photographs):
        groups.join(first, second, 1.0)
    for first, second in _candidates(photographs):
        if groups.of(first) == groups.of(second):
            continue
        similarity = float((look(first) * look(second)).mean())
        if similarity >= ALIKE:
            groups.join(first, second, similarity)
    found = [_group(photographs, *group) for group in groups.all()]
    return tuple(sorted(found, key=lambda group: (not group.is_leak, -group.similarity)))


def _thumbnail(sample: Sample) -> np.ndarray:
    """Of mean 0 and deviation 1, so that the mean of a product is a correlation."""
    small = thumbnail(sample).astype(np.float64)
    return (small - small.mean()) / max(float(small.std()), 1e-6)


def _group(photographs: Sequence[Photograph], places: list[int], similarity: float) -> Duplicates:
    chosen = [photographs[place] for place in places]
    return Duplicates(
        tuple(photograph.part for photograph in chosen),
        tuple(photograph.index for photograph in chosen),
        tuple(photograph.file for photograph in chosen),
        len({photograph.fingerprint.digest for photograph in chosen}) == 1,
        similarity,
    )


def _same_files(photographs: Sequence[Photograph]) -> Iterator[tuple[int, int]]:
    first: dict[bytes, int] = {}
    for place, photograph in enumerate(photographs):
        before = first.setdefault(photograph.fingerprint.digest, place)
        if before != place:
            yield before, place


def _candidates(photographs: Sequence[Photograph]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose bits are close; of places with the same bits, each with the first."""
    first: dict[int, int] = {}
    for place, photograph in enumerate(photographs):
        bits = photograph.fingerprint.bits
        if bits is not None and first.setdefault(bits, place) != place:
            yield first[bits], place
    places = np.array(list(first.values()), int)
    for one, other in close_pairs(np.array(list(first), np.uint64)):
        yield int(places[one]), int(places[other])


def close_pairs(bits: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs (i < j) of different numbers (N,) uint64 that differ in at most `DISTANCE` bits.

    Numbers that differ in seven bits share one of eight bytes, so that only those are compared
    that do: some 3 % of all pairs. A pair is told once, at the first byte that it shares.
    """
    octets = bits.astype(">u8").view(np.uint8).reshape(-1, 8)
    for byte in range(8):
        order = np.argsort(octets[:, byte], kind="stable")
        ends = np.flatnonzero(np.diff(octets[order, byte])) + 1
        for bucket in np.split(order, ends):
            for start in range(0, len(bucket), BLOCK):
                rows = bucket[start : start + BLOCK]
                close = _distances(bits[rows], bits[bucket]) <= DISTANCE
                for row, column in np.argwhere(close):
                    one, other = int(rows[row]), int(bucket[column])
                    if one < other and not (octets[one, :byte] == octets[other, :byte]).any():
                        yield one, other


def _distances(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M): the number of bits in which each of (N,) differs from each of (M,) uint64."""
    differing = ones[:, None] ^ others[None]
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.bitwise_count(differing)
    return _BITS[differing.view(np.uint16).reshape(*differing.shape, 4)].sum(axis=2)


class _Groups:
    """Sets of places that are joined pair by pair (union-find)."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))
        self.least = [1.0] * count  # similarity, of the set's root

    def of(self, place: int) -> int:
        """The root of a place's set."""
        while self.parent[place] != place:
            self.parent[place] = self.parent[self.parent[place]]
            place = self.parent[place]
        return place

    def join(self, first: int, second: int, similarity: float) -> None:
        """Makes two sets one."""
        one, other = sorted((self.of(first), self.of(second)))
        self.parent[other] = one
        self.least[one] = min(self.least[one], self.least[other], similarity)

    def all(self) -> list[tuple[list[int], float]]:
        """Every set of more than one place, and the least similarity that joined it."""
        sets: dict[int, list[int]] = {}
        for place in range(len(self.parent)):
            sets.setdefault(self.of(place), []).append(place)
        return [(places, self.least[root]) for root, places in sets.items() if len(places) > 1]
