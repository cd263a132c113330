"""What came out: of each case a table, in the terminal and as Markdown.

    python -m benchmarks.side_by_side.table FOLDER

A ratio is taken within each round, of runs that are neighbours in time, so that a machine that
slows down slows both; shown are the median of the rounds and, in brackets, the smallest and the
largest.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side.cases import CASES
from benchmarks.side_by_side.runner import load

OURS, HALF, LIMIT = "kmaskrcnn", "kmaskrcnn bf16", "limit"
HEADINGS = ("", "seconds", "processor seconds", "÷ limit", "ours ÷ it", "ours bf16 ÷ it")
HEADINGS += ("MB above framework", "memory: ours ÷ it", "answer")
WIDTH = 190  # letters of a table at least
Record = Mapping[str, Any]  # of a case, as the runner writes it
Round = Mapping[str, Mapping[str, Any]]  # contestant → its run


class Spread(NamedTuple):
    """Median, smallest and largest of some numbers."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        low, median, high = (number(value) for value in (self.low, self.median, self.high))
        return f"{median} ({low} … {high})"


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


def answer_text(rounds: Sequence[Round], name: str) -> str:
    """The numbers, and by how much they differ from ours."""
    its = answer(rounds, name)
    if "gflop" in its:
        rate = its["gflop"] / seconds(rounds, name).median
        return f"{its['gflop']:,.0f} GFLOP: {rate:,.0f} a second"
    text = ", ".join(f"{value:,.6g} {key.replace('_', ' ')}" for key, value in its.items())
    apart = difference(answer(rounds, OURS), its) if OURS in rounds[0] and name != OURS else None
    return text if apart is None else f"{text}; {apart:.2%} from ours"


def rows(record: Record) -> list[list[str]]:
    """The cells of a case, a contestant each; those that failed say so."""
    rounds = record["rounds"]
    return [
        cells(record, name) if any(name in runs for runs in rounds) else [name, about["error"]]
        for name, about in record["contestants"].items()
        if rounds or "error" in about
    ]


def cells(record: Record, name: str) -> list[str]:
    """One row."""
    rounds = record["rounds"]
    figures = [
        seconds(rounds, name),
        seconds(rounds, name, "cpu_seconds").median,
        ratio(rounds, name, limit_of(name)),
        ratio(rounds, OURS, name),
        ratio(rounds, HALF, name),
        memory(record, name),
        memory_ratio(record, name),
    ]
    return [name, *map(cell, figures), answer_text(rounds, name)]


def cell(figure: Spread | float | None) -> str:
    """A number for people."""
    if figure is None:
        return "–"
    return str(figure) if isinstance(figure, Spread) else number(figure)


def number(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def markdown(record: Record) -> str:
    """A case as a heading and a table."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *rows(record)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    machine = ", ".join(record["machine"].values())
    versions = "; ".join(
        f"{name}: {' '.join(f'{key} {value}' for key, value in about['versions'].items())}"
        for name, about in record["contestants"].items()
        if about.get("versions")
    )
    title = CASES[record["case"]].title
    return f"## {title}\n\n{table}\n\n{len(record['rounds'])} rounds; {machine}; {versions}\n"


def records(folder: Path, cases: Iterable[str] = CASES) -> list[Record]:
    """What a folder holds of some cases."""
    found = (load(folder / f"{case}.json") for case in cases)
    return [record for record in found if record]


def write(folder: Path) -> None:
    """`table.md` of all cases."""
    (folder / "table.md").write_text("\n".join(map(markdown, records(folder))))


def show(folder: Path, cases: Iterable[str] = CASES) -> None:
    """Some cases in the terminal."""
    console = Console()
    console.width = max(console.width, WIDTH)
    for record in records(folder, cases):
        table = Table(*HEADINGS, title=CASES[record["case"]].title)
        for row in rows(record):
            table.add_row(*row)
        console.print(table)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    show(Path(sys.argv[1]))
