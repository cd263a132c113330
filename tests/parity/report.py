"""The table: a line a stage, and which stage is the first to differ."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from tests.parity.limits import STAGES
from tests.parity.rows import Row


class Result(NamedTuple):
    """One case: its rows, or why there are none."""

    case: str
    preset: str
    rows: list[Row]
    seconds: float
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def first(self) -> Row | None:
        """The first comparison that differs."""
        return next((row for row in self.rows if not row.ok), None)

    @property
    def ok(self) -> bool:
        """Everything within its limit, and something compared."""
        return not self.error and bool(self.rows) and self.first is None


def text(result: Result) -> str:
    """One case's table for a terminal."""
    lines = [f"{result.case}   ({result.preset or 'no preset'}, {result.seconds:.0f} s)"]
    lines += [f"  note: {note}" for note in result.notes]
    width = max([len(row.what) for row in result.rows], default=0)
    for row in result.rows:
        mark = "  " if row.limit is None else "ok" if row.ok else "NO"
        limit = "–" if row.limit is None else f"{row.limit:.1g}"
        line = f"  {mark}  {row.stage:<11} {row.what:<{width}}  {row.distance:9.2e}  ≤ {limit:<6}"
        lines.append(f"{line} {row.note}".rstrip())
    return "\n".join([*lines, f"  → {verdict(result)}"])


def verdict(result: Result) -> str:
    """One sentence."""
    if result.error:
        return f"could not be run: {result.error}"
    if result.first is not None:
        return f"differs, first at {result.first.stage}: {result.first.what}"
    return "the same at every stage" if result.rows else "nothing to compare"


def as_json(results: list[Result]) -> str:
    """Everything, for programs."""
    return json.dumps(
        [
            {
                **result._asdict(),
                "rows": [
                    {**row._asdict(), "distance": _finite(row.distance), "ok": row.ok}
                    for row in result.rows
                ],
                "ok": result.ok,
                "first": result.first.stage if result.first else None,
            }
            for result in results
        ],
        indent=1,
    )


def _finite(value: float) -> float | str:
    """JSON has no infinity."""
    return value if math.isfinite(value) else str(value)


def markdown(results: list[Result]) -> str:
    """One line a case, one column a stage: the distance that comes nearest to its limit."""
    compared = {row.stage for result in results for row in result.rows if row.limit}
    stages = [stage for stage in STAGES if stage in compared]
    head = ["case", *stages]
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for result in results:
        cells = [_cell([row for row in result.rows if row.stage == stage]) for stage in stages]
        lines.append("| " + " | ".join([result.case, *cells]) + " |")
    return "\n".join(lines)


def _cell(rows: list[Row]) -> str:
    """The row that comes nearest to its limit, bold where one is beyond its own."""
    limited = [row for row in rows if row.limit]
    if not limited:
        return "–"
    worst = max(limited, key=lambda row: row.distance / row.limit)
    shown = "0" if worst.distance == 0 else f"{worst.distance:.1e}"
    return shown if all(row.ok for row in rows) else f"**{shown}**"


def summary(results: list[Result]) -> str:
    """How many of how many, and a line for each that differs."""
    same = sum(result.ok for result in results)
    lines = [f"{same} of {len(results)} cases are the same at every stage"]
    return "\n".join([*lines, *(f"  {r.case}: {verdict(r)}" for r in results if not r.ok)])
