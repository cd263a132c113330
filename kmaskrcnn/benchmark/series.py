"""What was measured, and what it says."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmaskrcnn.benchmark.plan import Plan
from kmaskrcnn.benchmark.search import MOST, estimate


@dataclass(frozen=True)
class Batch:
    """Runs of one size.

    Attributes:
        images: at a time.
        first: seconds of the first run; of a process' first batch it builds the graph.
        seconds: of the runs after it.
        peak: bytes held at most until then.
        objects: on the image that has most: with their masks, or with which it trained.
    """

    images: int
    first: float
    seconds: tuple[float, ...]
    peak: float
    objects: int

    @property
    def median(self) -> float:
        """Seconds; nan where none was timed."""
        return statistics.median(self.seconds) if self.seconds else math.nan

    @property
    def images_per_second(self) -> float:
        """By the median."""
        return self.images / self.median

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rest = {"median": self.median, "images_per_second": self.images_per_second}
        return {**vars(self), **rest}


@dataclass
class Series:
    """One kind of work at one precision, from one image at a time up.

    Attributes:
        precision, work: of `precision.PRECISIONS` and `plan.WORK`.
        limit: bytes that it may hold; nan of a GPU's memory, which is found by trying.
        batches: those that fit, in the order in which they were tried.
        failed: images of the smallest batch that did not fit.
        problem: why there is nothing, or no more.
        searched: whether the largest batch was looked for until it was found.
        over: whether it is done.
    """

    precision: str
    work: str
    limit: float
    batches: list[Batch] = field(default_factory=list)
    failed: int | None = None
    problem: str = ""
    searched: bool = False
    over: bool = False

    @property
    def peaks(self) -> dict[int, float]:
        """Bytes held, by images at a time."""
        return {batch.images: batch.peak for batch in self.batches}

    @property
    def timed(self) -> list[Batch]:
        """The batches whose speed is known, the smallest first."""
        return sorted((b for b in self.batches if b.seconds), key=lambda batch: batch.images)

    @property
    def single(self) -> Batch | None:
        """One image at a time."""
        return next((batch for batch in self.timed if batch.images == 1), None)

    @property
    def fastest(self) -> Batch | None:
        """Most images a second."""
        return max(self.timed, key=lambda batch: batch.images_per_second, default=None)

    @property
    def fits(self) -> int:
        """Images of the largest batch that was tried and fits; 0: none does."""
        return max(self.peaks, default=0)

    @property
    def outlook(self) -> float:
        """The largest batch by the growth of memory, where the search could not go on; or nan."""
        if self.searched or self.failed is not None:
            return math.nan
        by_growth = estimate(self.peaks, self.limit)
        return by_growth if math.isnan(by_growth) else min(MOST, max(self.fits, by_growth))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "precision": self.precision,
            "work": self.work,
            "memory_limit": self.limit,
            "batches": [batch.to_dict() for batch in sorted(self.batches, key=lambda b: b.images)],
            "largest": {
                "fits": self.fits,
                "does_not_fit": self.failed,
                "found": self.searched,
                "by_growth": self.outlook,
            },
            "problem": self.problem,
        }


@dataclass(frozen=True)
class Benchmark:
    """All series, and where they were measured."""

    plan: Plan
    machine: Mapping[str, Any]
    series: list[Series]

    def of(self, precision: str, work: str) -> Series:
        """One of them."""
        return next(s for s in self.series if (s.precision, s.work) == (precision, work))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "preset": self.plan.preset,
            "fields": dict(self.plan.fields),
            "photograph": self.plan.photograph,
            "machine": dict(self.machine),
            "series": [series.to_dict() for series in self.series],
        }
