"""What the terminal shows while a model trains."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import keras
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from kmaskrcnn import pace, training_lines
from kmaskrcnn.memory import peak_gpu_memory, peak_memory
from kmaskrcnn.progress import console as our_console
from kmaskrcnn.time_left import TimeLeft
from kmaskrcnn.training_lines import Scores

Logs = Mapping[str, float] | None
VARIABLES_A_SECOND = 8  # as the graph of a train step is built, on two idle cores


class TrainingProgress(keras.callbacks.ProgbarLogger):
    """Shows how a training goes; a callback for ``fit``, in the place of Keras' own bar.

    On a terminal the running epoch has a bar, every loss, images a second, the share of time that
    waits for data, memory and the time that is left. Elsewhere there is a line every half minute.
    A line stays of each epoch. Nothing is wider than the console.

    Args:
        console: where to write; None: standard output.
        every: seconds between two lines where there is no terminal.
    """

    def __init__(self, console: Console | None = None, every: float = 30.0) -> None:
        super().__init__()
        self.console = our_console if console is None else console
        self.every = every
        self.scores = Scores()
        self.left = TimeLeft()
        self.live: Live | None = None
        self.epoch = self.step = self.first_epoch = 0
        self.stage = ""
        self.losses: dict[str, float] = {}
        self.started = self.epoch_started = self.said = self.stage_started = time.monotonic()
        self.seconds = self.waited = 0.0

    def __enter__(self) -> TrainingProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leaves the terminal in order; `fit` does so whatever happens."""
        if self.live is not None:
            self.live.stop()
            self.live = None

    # ---------------------------------------------------------------- what fit reports

    def set_params(self, params) -> None:
        self.params = params

    def on_train_begin(self, logs: Logs = None) -> None:
        now = time.monotonic()
        self.started, self.said = now, now
        self.first_epoch = -1
        self._enter("building" if self.model.pace.must_build else "training")
        if self.model.pace.must_build:
            seconds = 5 * math.ceil(len(self.model.trainable_variables) / VARIABLES_A_SECOND / 5)
            self.console.print(
                f"Building the graph: the first step takes about {seconds} s, more on a busy "
                "machine."
            )
        if self.console.is_terminal:
            self.live = Live(
                get_renderable=self._view,
                console=self.console,
                transient=True,
                refresh_per_second=4,
            )
            self.live.start()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        now = time.monotonic()
        self.left.begin_epoch(now)
        self.epoch, self.step, self.epoch_started = epoch, 0, now
        self.first_epoch = epoch if self.first_epoch < 0 else self.first_epoch
        self._enter(self.stage if self.stage == "building" else "training")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.step = batch + 1
        self.losses = {name: float(value) for name, value in (logs or {}).items()}
        if self.stage == "building":
            built = time.monotonic() - self.stage_started
            self._enter("training")
            self._say(f"Built; the first step took {built:.0f} s.", always=False)
        self._say(self._line())

    def on_test_begin(self, logs: Logs = None) -> None:
        self.left.end_steps(time.monotonic())
        self._enter("validating")

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.stage = f"validating, image {batch + 1}"

    def on_test_end(self, logs: Logs = None) -> None:
        self._enter("measuring AP")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        now = time.monotonic()
        self.left.end_steps(now)
        self._count_waiting()
        best = self.scores.add(epoch, logs)
        name = training_lines.epoch_name(epoch, self.params["epochs"])
        took = now - self.epoch_started
        self.console.print(training_lines.epoch_line(name, logs, best, took, self.console.width))
        self.said = now
        self._enter("writing files")

    def on_train_end(self, logs: Logs = None) -> None:
        self.stop()
        epochs = self.epoch - self.first_epoch + 1
        seconds = time.monotonic() - self.started
        self.console.print(training_lines.closing_line(epochs, seconds, self.scores, self.share))
        if pace.advice(self.share):
            self.console.print(pace.advice(self.share), soft_wrap=False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Predicting shows nothing."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Nor do its steps …"""

    def on_predict_end(self, logs: Logs = None) -> None:
        """… and its end."""

    # ---------------------------------------------------------------- what is shown

    @property
    def share(self) -> float:
        """The part of all steps' time that waited for data."""
        return self.waited / self.seconds if self.seconds else math.nan

    def _count_waiting(self) -> None:
        steps = self.model.pace.epoch
        self.seconds += sum(step.seconds for step in steps)
        self.waited += sum(step.waited for step in steps)

    def _enter(self, stage: str) -> None:
        self.stage, self.stage_started = stage, time.monotonic()
        if self.live is not None:
            self.live.refresh()

    def _say(self, line: str, always: bool = True) -> None:
        """A line where no terminal shows the running epoch, not more often than told."""
        now = time.monotonic()
        if self.live is None and (not always or now - self.said >= self.every):
            self.console.print(line)
            self.said = now

    def _now(self) -> training_lines.Now:
        recent = self.model.pace.recent
        steps = self.params.get("steps") or self.step
        seconds = sum(step.seconds for step in recent) / len(recent) if recent else math.nan
        left, later = steps - self.step, self.params["epochs"] - self.epoch - 1
        return training_lines.Now(
            name=training_lines.epoch_name(self.epoch, self.params["epochs"]),
            step=self.step,
            steps=steps,
            losses=self.losses,
            speed=pace.images_per_second(recent),
            share=pace.wait_share(recent),
            memory=peak_memory(),
            gpu_memory=peak_gpu_memory(),
            epoch_left=self.left.of_epoch(left, seconds),
            left=self.left.of_training(left, later, steps, seconds),
            at_least=not self.left.is_complete,
        )

    def _line(self) -> str:
        return training_lines.plain_line(self._now())

    def _view(self) -> RenderableType:
        """The rows that a terminal shows of the running epoch."""
        now = self._now()
        seconds = time.monotonic() - self.stage_started
        if self.stage != "training":
            stage = f"{self.stage}: {seconds:.0f} s so far"
        else:
            stage = training_lines.times_left(now)
        grid = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=now.steps or 1, completed=now.step, width=20)
        grid.add_row(now.name, bar, f"{now.step}/{now.steps}", stage)
        width = self.console.width
        rows = training_lines.fold(training_lines.loss_parts(now.losses), width)
        rows += training_lines.fold([*training_lines.pace_parts(now), self.scores.trend()], width)
        return Group(grid, *rows)
