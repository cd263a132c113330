"""A row of the table: a stage, how far we are from the reference, how far we may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.parity.case import Sample


class Row(NamedTuple):
    """One comparison."""

    stage: str
    what: str
    distance: float
    limit: float | None  # None: for information
    note: str = ""

    @property
    def ok(self) -> bool:
        """Within the limit; a distance that is no number is not."""
        return self.limit is None or bool(self.distance <= self.limit)


def relative(got: np.ndarray, sample: Sample) -> float:
    """Relative L2 distance of the sampled values; infinite where the shapes differ.

    Args:
        got: our whole array in the reference's shape; what is masked in it has no counterpart.
    """
    if tuple(got.shape) != sample.shape:
        return float("inf")
    ours, theirs = at(got, sample)
    size = float(np.linalg.norm(theirs))
    away = float(np.linalg.norm(ours - theirs))
    return away / size if size else away


def at(got: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """The sampled values of both sides, float64, without those that we have no counterpart of."""
    values = np.ma.asarray(got).reshape(-1)[sample.index]
    kept = ~np.ma.getmaskarray(values)
    return values.data[kept].astype(np.float64), sample.value[kept].astype(np.float64)


def relative_row(stage: str, what: str, got: np.ndarray, sample: Sample, limit: float) -> Row:
    """A row for a sampled array; its note says when already the shapes differ."""
    note = ""
    if tuple(got.shape) != sample.shape:
        note = f"shape {tuple(got.shape)}, theirs {sample.shape}"
    return Row(stage, what, relative(got, sample), limit, note)
