"""What the terminal shows while something long runs: bars, and lines that last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

Item = TypeVar("Item")
Logs = Mapping[str, float] | None
console = Console(markup=False, highlight=False, soft_wrap=True)
EPOCH_FIGURES = ("loss", "val_loss", "val_box_AP", "val_mask_AP", "val_keypoints_AP")


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


class TrainingProgress(keras.callbacks.Callback):
    """A bar for the steps of the running epoch, and one lasting line for each epoch done.

    A context manager around ``fit``, so that the terminal is left in order whatever happens.

    Args:
        epochs: how many there will be.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs
        self.name = ""
        self.task: TaskID | None = None
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> TrainingProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.stop()

    def on_train_begin(self, logs: Logs = None) -> None:
        console.print("Building the graph: the first step takes up to a minute.")
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.name = f"epoch {epoch + 1}/{self.epochs}"
        self.task = self.bar.add_task(self.name, total=self.params.get("steps"))

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = f"  loss {float(logs['loss']):.3f}" if logs and "loss" in logs else ""
        self._update(completed=batch + 1, description=self.name + loss)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._update(description=f"{self.name}  validating")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None
        console.print(epoch_line(epoch, self.epochs, logs or {}))

    def on_train_end(self, logs: Logs = None) -> None:
        self.bar.stop()

    def _update(self, **changes: object) -> None:
        if self.task is not None:
            self.bar.update(self.task, **changes)


def epoch_line(epoch: int, epochs: int, logs: Mapping[str, float]) -> str:
    """``epoch  3/12   loss 0.871   val_loss 0.902   val_box_AP 0.310   val_mask_AP 0.280``."""
    figures = [f"{name} {float(logs[name]):.3f}" for name in EPOCH_FIGURES if name in logs]
    return "   ".join([f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}", *figures])
