"""Profiles as Markdown: seconds by part and by kind, before and now, beside the bare arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.profiling.naming import KINDS, PARTS

Profile = Mapping[str, Any]  # "seconds", "shares", "lanes", "slowest"
TITLES = {
    "predict": "one prediction, 800×1088, float32",
    "predict_bf16": "one prediction, 800×1088, bfloat16",
    "train_512": "one training step, two of 512×512, float32",
    "train_512_bf16": "one training step, two of 512×512, bfloat16",
}
LIMIT = "the limit"
LEAST = 5e-4  # seconds that are worth a row


def limit_of(case: str) -> str:
    """The case of bare arithmetic that belongs to it."""
    return case.removesuffix("_bf16") + "_limit" + ("_bf16" if case.endswith("_bf16") else "")


def by_kind(profile: Profile) -> dict[str, float]:
    """Seconds of each kind of work."""
    rows = profile["shares"].values()
    return {kind: sum(row.get(kind, 0.0) for row in rows) for kind in KINDS}


def by_part(profile: Profile) -> dict[str, float]:
    """Seconds of each part of the network."""
    return {part: sum(profile["shares"].get(part, {}).values()) for part in PARTS}


def markdown(case: str, profiles: Mapping[str, Profile]) -> str:
    """Two tables.

    Args:
        case: a key of `TITLES`.
        profiles: by their columns' heads; the first of them has all parts, `LIMIT` the whole only.
    """
    whole = {name: profile for name, profile in profiles.items() if name != LIMIT}
    kinds = {name: by_kind(profile) for name, profile in profiles.items()}
    parts = {name: by_part(profile) for name, profile in whole.items()}
    lines = [
        *_rows(f"{TITLES[case]}: by kind, s", KINDS, kinds),
        _row("**together**", [f"**{p['seconds']:.2f}**" for p in profiles.values()]),
        *_over_limit(profiles),
        "",
        *_rows("by part, s", PARTS, parts),
    ]
    return "\n".join(lines) + "\n"


def _over_limit(profiles: Mapping[str, Profile]) -> list[str]:
    if LIMIT not in profiles:
        return []
    bare = profiles[LIMIT]["seconds"]
    return [_row("over the limit", [f"{p['seconds'] / bare:.2f} ×" for p in profiles.values()])]


def _rows(title: str, rows: Sequence[str], columns: Mapping[str, Mapping[str, float]]) -> list[str]:
    there = [row for row in rows if any(column[row] >= LEAST for column in columns.values())]
    return [
        _row(title, columns),
        _row("---", ["---:"] * len(columns)),
        *(_row(row, [f"{column[row]:.3f}" for column in columns.values()]) for row in there),
    ]


def _row(head: str, cells: Any) -> str:
    return f"| {head} | {' | '.join(cells)} |"
