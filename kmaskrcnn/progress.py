"""What the terminal shows while something long runs: bars, and lines that last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

Item = TypeVar("Item")
console = Console(markup=False, highlight=False, soft_wrap=True)


def counted(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """The same items, with a bar that shows how many are done."""
    yield from track(items, description=what, total=total, console=console, transient=True)


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar for one download: what it gives takes the bytes that are there, and how many of all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    rest = (TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, *rest, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
