"""Figures out of what the runner wrote: medians, ratios, memory above the framework's own.

A ratio is taken within each round, of runs that are neighbours in time, so that a machine that
slows down slows both.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

OURS, HALF, LIMIT = "kmaskrcnn", "kmaskrcnn bf16", "limit"
Record = Mapping[str, Any]  # of a case, as the runner writes it
Round = Mapping[str, Mapping[str, Any]]  # contestant → its run


class Spread(NamedTuple):
    """Median, smallest and largest of some numbers."""

    median: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread | None:
    """None of nothing."""
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def seconds(rounds: Sequence[Round], name: str, key: str = "seconds") -> Spread | None:
    """Of all runs of a contestant."""
    return spread(runs[name][key] for runs in rounds if name in runs)


def ratio(rounds: Sequence[Round], one: str, other: str) -> Spread | None:
    """One contestant's time over another's, of the rounds that both took part in."""
    both = [runs for runs in rounds if one in runs and other in runs and one != other]
    return spread(runs[one]["seconds"] / runs[other]["seconds"] for runs in both)


def memory(record: Record, name: str) -> float | None:
    """Peak of a contestant above its framework alone, in MB."""
    peaks = [runs[name]["peak_mb"] for runs in record["rounds"] if name in runs]
    return max(peaks) - record["contestants"][name]["bare_mb"] if peaks else None


def memory_ratio(record: Record, name: str) -> float | None:
    """Ours over its."""
    ours, its = memory(record, OURS), memory(record, name)
    return ours / its if ours and its and name != OURS else None


def limit_of(name: str) -> str:
    """The bare arithmetic in the same precision."""
    return f"{LIMIT} bf16" if name.endswith(" bf16") else LIMIT


def answer(rounds: Sequence[Round], name: str) -> dict[str, float]:
    """The median of each number that a contestant answered."""
    answers = [runs[name]["answer"] for runs in rounds if name in runs]
    return {key: statistics.median(one[key] for one in answers) for key in answers[0]}


def difference(ours: Mapping[str, float], its: Mapping[str, float]) -> float | None:
    """The largest relative one of what both answered; None where they share nothing."""
    shared = ours.keys() & its.keys()
    return max((abs(its[key] - ours[key]) / (abs(ours[key]) or 1) for key in shared), default=None)
