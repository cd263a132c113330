"""Which images make which batch: decided by the seed and the epoch, by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.lookups import size_of_image


@dataclass(frozen=True)
class Order:
    """How the images of an epoch are dealt into batches.

    Attributes:
        batch_size: images a batch; the last one may be smaller.
        shuffle: another order in each epoch, in which images with ``repeats`` come more often.
        seed: other seeds shuffle, and augment, otherwise.
        drop_remainder: leave out a smaller last batch.
        by_orientation: wide images with wide ones, tall ones with tall ones (Detectron2's
            ``ASPECT_RATIO_GROUPING``), so that less is padded; at most the last two batches mix.
        shard: (index, count): the part of one worker among several. All have equally many batches,
            no image is in two, and together they have every image, each once; some batches are
            smaller for it. (Only where that is impossible, as with 5 batches of one image for two
            workers, is an image seen twice.)
    """

    batch_size: int
    shuffle: bool = False
    seed: int = 0
    drop_remainder: bool = False
    by_orientation: bool = False
    shard: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}: a batch has one image or more.")
        index, count = self.shard
        if not 0 <= index < count:
            raise ValueError(
                f"shard={self.shard}: expected (index, count) with an index of 0 … count − 1."
            )


class Plan:
    """The batches of a dataset, epoch by epoch.

    A batch is an array of tickets: that of an image is its index, and for its second, third … time
    in an epoch its index plus once, twice … the number of images. So each has randomness of its
    own, and those without repetition that of their index.
    """

    def __init__(self, dataset: Dataset, order: Order) -> None:
        """Looks at what the order needs to know of the images.

        Raises:
            DataError: no images, or fewer than a batch that may not be smaller.
        """
        self.order, self.num_images = order, len(dataset)
        if not self.num_images:
            raise DataError("the dataset is empty, at least one image is needed.")
        repeats = getattr(dataset, "repeats", None) if order.shuffle else None
        self.repeats = None if repeats is None else np.asarray(repeats, np.float64)
        self.upright = _upright(dataset) if order.by_orientation else None
        self.num_batches = len(self.batches(0))
        if not self.num_batches:
            raise DataError(
                f"{self.num_images} images in batches of {order.batch_size} for {order.shard[1]} "
                "workers, smaller ones left out: nothing remains."
            )

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The tickets (B,) int64 of each batch, equally many in every epoch."""
        order = self.order
        tickets = self._tickets(np.random.default_rng([order.seed, epoch]))
        batches = _grouped(tickets, self._groups(tickets), order.batch_size)
        if order.drop_remainder:
            batches = [batch for batch in batches if len(batch) == order.batch_size]
            batches = batches[: len(batches) // order.shard[1] * order.shard[1]]
        return _evened(batches, order.shard[1])[order.shard[0] :: order.shard[1]]

    def _tickets(self, rng: np.random.Generator) -> np.ndarray:
        if not self.order.shuffle:
            return np.arange(self.num_images)
        if self.repeats is None:
            return rng.permutation(self.num_images)
        return rng.permutation(repeated(self.repeats, rng))

    def _groups(self, tickets: np.ndarray) -> list[np.ndarray]:
        """The places in ``tickets`` of those that may share a batch."""
        if self.upright is None:
            return [np.arange(len(tickets))]
        upright = self.upright[tickets % self.num_images]
        return [np.flatnonzero(~upright), np.flatnonzero(upright)]


def repeated(repeats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tickets of images that come ``repeats`` (N,) times on average.

    The whole part of a factor counts always; the fractions are drawn systematically, so that every
    epoch is as long as the factors' sum, rounded down (all fractions are lowered by one share for
    that, which matters to a handful of images only).
    """
    whole = np.floor(repeats).astype(np.int64)
    shuffled = rng.permutation(len(repeats))
    ends = np.cumsum((repeats - whole)[shuffled])
    count = int(ends[-1] + 1e-9)
    places = (rng.random() + np.arange(count)) * (ends[-1] / max(count, 1))
    drawn = shuffled[np.minimum(np.searchsorted(ends, places, side="right"), len(repeats) - 1)]
    times = whole.copy()
    np.add.at(times, drawn, 1)
    copies = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return np.repeat(np.arange(len(repeats)), times) + copies * len(repeats)


def _grouped(
    tickets: np.ndarray, groups: Sequence[np.ndarray], batch_size: int
) -> list[np.ndarray]:
    """Full batches of each group, in the order in which they are full; then what is left of all."""
    full: list[list[int]] = []
    for group in groups:
        full += group[: len(group) // batch_size * batch_size].reshape(-1, batch_size).tolist()
    full.sort(key=lambda places: places[-1])
    rest = np.sort(np.concatenate([g[len(g) // batch_size * batch_size :] for g in groups]))
    last = [rest[start : start + batch_size] for start in range(0, len(rest), batch_size)]
    return [tickets[places] for places in full] + [tickets[places] for places in last]


def _evened(batches: list[np.ndarray], count: int) -> list[np.ndarray]:
    """As many batches as ``count`` divides: the largest are cut in two; single images repeated."""
    batches = list(batches)
    while len(batches) % count:
        number = max(range(len(batches)), key=lambda n: (len(batches[n]), n))
        batch = batches[number]
        half = -(-len(batch) // 2)
        batches[number : number + 1] = [batch[:half], batch[half:] if half < len(batch) else batch]
    return batches


def _upright(dataset: Dataset) -> np.ndarray:
    """Whether each image (N,) is taller than wide, by its annotation, array or header."""
    sizes = (size_of_image(dataset, index) for index in range(len(dataset)))
    return np.array([height > width for height, width in sizes])
