"""What came out, in the terminal and as Markdown: all cases at a glance, and each by itself.

    python -m benchmarks.side_by_side.table FOLDER

Shown are the median of the rounds and, in brackets, the smallest and the largest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side.cases import CASES
from benchmarks.side_by_side.figures import (
    HALF,
    LIMIT,
    OURS,
    Record,
    Round,
    Spread,
    answer,
    difference,
    limit_of,
    memory,
    memory_ratio,
    ratio,
    seconds,
)
from benchmarks.side_by_side.runner import load

HEADINGS = ("", "seconds", "processor seconds", "÷ limit", "ours ÷ it", "ours bf16 ÷ it")
HEADINGS += ("MB above framework", "memory: ours ÷ it", "answer")
WIDTH = 190  # letters of a table at least


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
    if isinstance(figure, Spread):
        median, low, high = map(number, figure)
        return f"{median} ({low} … {high})"
    return number(figure)


def number(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def summary(found: Sequence[Record]) -> list[list[str]]:
    """Headings, then a row a case: our time, and what share it and our memory are of others'."""
    names = [name for record in found for name in record["contestants"] if is_peer(name)]
    peers = list(dict.fromkeys(names))
    headings = ["ours ÷", "seconds", "limit", "bf16 ÷ limit bf16"]
    for peer in peers:
        headings += [peer, f"bf16 ÷ {peer}", f"memory ÷ {peer}'s"]
    with_ours = [record for record in found if any(OURS in runs for runs in record["rounds"])]
    return [headings, *(summary_row(record, peers) for record in with_ours)]


def is_peer(name: str) -> bool:
    """Whether it is neither ours nor the limit."""
    return not name.startswith((OURS, LIMIT))


def summary_row(record: Record, peers: Sequence[str]) -> list[str]:
    """One case."""
    rounds = record["rounds"]
    figures = [
        seconds(rounds, OURS),
        ratio(rounds, OURS, LIMIT),
        ratio(rounds, HALF, limit_of(HALF)),
    ]
    for peer in peers:
        figures += [
            ratio(rounds, OURS, peer),
            ratio(rounds, HALF, peer),
            memory_ratio(record, peer),
        ]
    return [record["case"], *map(cell, figures)]


def markdown(record: Record) -> str:
    """A case as a heading and a table."""
    machine = ", ".join(record["machine"].values())
    versions = "; ".join(
        f"{name}: {' '.join(f'{key} {value}' for key, value in about['versions'].items())}"
        for name, about in record["contestants"].items()
        if about.get("versions")
    )
    title, table = CASES[record["case"]].title, piped([HEADINGS, *rows(record)])
    return f"## {title}\n\n{table}\n\n{len(record['rounds'])} rounds; {machine}; {versions}\n"


def piped(lines: Sequence[Sequence[str]]) -> str:
    """Headings and rows as a table of Markdown."""
    headings, *rest = lines
    ruled = [headings, ["---"] * len(headings), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in ruled)


def records(folder: Path, cases: Iterable[str] = CASES) -> list[Record]:
    """What a folder holds of some cases."""
    found = (load(folder / f"{case}.json") for case in cases)
    return [record for record in found if record]


def write(folder: Path) -> None:
    """`table.md` of all cases."""
    found = records(folder)
    parts = [piped(summary(found)) + "\n", *map(markdown, found)]
    (folder / "table.md").write_text("\n".join(parts))


def show(folder: Path, cases: Iterable[str] = CASES) -> None:
    """Some cases in the terminal."""
    found = records(folder, cases)
    console = Console()
    console.width = max(console.width, WIDTH)
    for record in found:
        console.print(drawn([HEADINGS, *rows(record)], CASES[record["case"]].title))
    console.print(drawn(summary(found), "All of them"))


def drawn(lines: Sequence[Sequence[str]], title: str) -> Table:
    """Headings and rows for a terminal."""
    headings, *rest = lines
    table = Table(*headings, title=title)
    for row in rest:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    show(Path(sys.argv[1]))
