"""How long a training still takes, as far as it can be known."""

from __future__ import annotations

import math


class TimeLeft:
    """Learns from what has passed: steps, and what lies between the steps of two epochs.

    Between them are validation, AP, files that are written and all that callbacks do. Moments are
    seconds on any one clock.
    """

    def __init__(self) -> None:
        self._between: list[float] = []
        self._steps_over: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether it has seen what follows after the steps of an epoch."""
        return bool(self._between)

    def end_steps(self, now: float) -> None:
        """The last step of an epoch is over. Called again, it changes nothing."""
        if self._steps_over is None:
            self._steps_over = now

    def begin_epoch(self, now: float) -> None:
        """The next epoch begins, or would begin after the last one."""
        if self._steps_over is not None:
            self._between.append(now - self._steps_over)
        self._steps_over = None

    def of_epoch(self, steps: int, step_seconds: float) -> float:
        """Seconds until the next epoch; nan where no step has been measured.

        Args:
            steps: left in this epoch.
            step_seconds: of one.
        """
        return steps * step_seconds + self._mean_between

    def of_training(self, steps: int, epochs: int, epoch_steps: int, step_seconds: float) -> float:
        """Seconds until the end; too few as long as `is_complete` is false.

        Args:
            steps, step_seconds: see `of_epoch`.
            epochs: after this one, of ``epoch_steps`` each.
        """
        later = epochs * (epoch_steps * step_seconds + self._mean_between)
        return self.of_epoch(steps, step_seconds) + later

    @property
    def _mean_between(self) -> float:
        return sum(self._between) / len(self._between) if self._between else 0.0


def clock(seconds: float) -> str:
    """``0:42``, ``14:10``, ``2:03:10``; ``–`` where it is not known."""
    if not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
