"""The sentences of `TrainingProgress`: figures in, lines out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kmaskrcnn.time_left import clock

KINDS = ("mask", "box", "keypoints")  # the first that was measured decides which epoch is best


class Now(NamedTuple):
    """The running epoch: its name, its steps, mean losses, pace (nan: unknown), seconds left."""

    name: str
    step: int
    steps: int
    losses: Mapping[str, float]
    speed: float
    share: float
    memory: float
    gpu_memory: float
    epoch_left: float
    left: float
    at_least: bool


class Scores:
    """The AP of the epochs so far."""

    def __init__(self) -> None:
        self.epochs: list[tuple[int, float]] = []
        self.kind = ""

    def add(self, epoch: int, logs: Mapping[str, float]) -> bool:
        """Takes the AP of an epoch's logs; says whether it is the best so far."""
        measured = [kind for kind in KINDS if not math.isnan(ap_of(logs, kind))]
        if not measured or (self.kind and self.kind not in measured):
            return False
        self.kind = self.kind or measured[0]
        before = self.best
        self.epochs.append((epoch, ap_of(logs, self.kind)))
        return before is None or self.epochs[-1][1] > before[1]

    @property
    def best(self) -> tuple[int, float] | None:
        """Epoch from 0 and AP: the first of equals, None of none."""
        return max(self.epochs, key=lambda pair: pair[1], default=None)

    def trend(self) -> str:
        """``mask AP 0.310 0.350 0.410, best 0.410``: the last three epochs; empty of none."""
        if self.best is None:
            return ""
        last = " ".join(f"{ap:.3f}" for _, ap in self.epochs[-3:])
        return f"{self.kind} AP {last}, best {self.best[1]:.3f}"


def ap_of(logs: Mapping[str, float], kind: str) -> float:
    """The validation AP of boxes, masks or keypoints; nan where there is none."""
    return float(logs.get(f"val_{kind}_AP", math.nan))


def epoch_name(epoch: int, epochs: int) -> str:
    """``epoch  3/12``, counted from 1."""
    return f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}"


def epoch_line(
    name: str, logs: Mapping[str, float], best: bool, seconds: float, width: int = 80
) -> str:
    """``epoch  3/12  loss 0.871 val 0.902  AP mask 0.280 box 0.310 best  6.1 img/s  1:32``.

    What does not fit into ``width`` is left out from the end.
    """
    kinds = [kind for kind in KINDS if f"val_{kind}_AP" in logs]
    scores = [f"{kind.removeprefix('key')} {ap_of(logs, kind):.3f}" for kind in kinds]
    losses = loss_total(logs)
    if "val_loss" in logs:
        losses.append(f"val {logs['val_loss']:.3f}")
    fields = [name] + [" ".join(losses)] * bool(losses)
    if scores:
        fields.append("AP " + " ".join(scores) + " best" * best)
    fields.append(clock(seconds))
    fields += images_a_second(logs.get("images_per_second", math.nan))
    while len("  ".join(fields)) > width and len(fields) > 2:
        fields.pop()
    return "  ".join(fields)


def plain_line(now: Now) -> str:
    """``epoch  3/12  134/250  loss 0.871  6.1 img/s  3 % waiting  1.9 GB  left 14:10``."""
    fields = [now.name, f"{now.step}/{now.steps}", *loss_total(now.losses)]
    fields += images_a_second(now.speed)
    if not math.isnan(now.share):
        fields.append(f"{100 * now.share:.0f} % waiting")
    fields += gigabytes(now.memory) + gigabytes(now.gpu_memory, " GPU")
    if not math.isnan(now.left):
        fields.append(f"left {'> ' * now.at_least}{clock(now.left)}")
    return "  ".join(fields)


def closing_line(epochs: int, seconds: float, scores: Scores, share: float) -> str:
    """``12 epochs in 14:10; best mask AP 0.410 in epoch 9; 3 % waiting for data``."""
    parts = [f"{epochs} epoch{'s' * (epochs != 1)} in {clock(seconds)}"]
    if scores.best is not None:
        parts.append(f"best {scores.kind} AP {scores.best[1]:.3f} in epoch {scores.best[0] + 1}")
    if not math.isnan(share):
        parts.append(f"{100 * share:.0f} % waiting for data")
    return "; ".join(parts)


def times_left(now: Now) -> str:
    """``left 1:20, in all 14:10``; with > as long as no validation has been timed."""
    least = "> " * now.at_least
    return f"left {least}{clock(now.epoch_left)}, in all {least}{clock(now.left)}"


def loss_total(logs: Mapping[str, float]) -> list[str]:
    """The sum of the losses, if there is one."""
    return [f"loss {logs['loss']:.3f}"] if "loss" in logs else []


def loss_parts(logs: Mapping[str, float]) -> list[str]:
    """The sum first, then what it is made of."""
    parts = [name for name in logs if name.endswith("_loss")]
    short = [f"{n.removesuffix('_loss').replace('_', ' ')} {logs[n]:.3f}" for n in parts]
    return loss_total(logs) + short


def pace_parts(now: Now) -> list[str]:
    """Speed, waiting and memory, as far as they are known."""
    waiting = [] if math.isnan(now.share) else [f"waiting for data {100 * now.share:.0f} %"]
    held = gigabytes(now.memory) + gigabytes(now.gpu_memory, " GPU")
    return images_a_second(now.speed) + waiting + held


def images_a_second(speed: float) -> list[str]:
    """``6.1 img/s``, nothing where it is unknown."""
    return [] if math.isnan(speed) else [f"{speed:.{1 if speed < 99.5 else 0}f} img/s"]


def gigabytes(memory: float, where: str = "") -> list[str]:
    """``1.9 GB``, nothing where it is unknown."""
    return [] if math.isnan(memory) else [f"{memory / 1e9:.1f} GB{where}"]


def fold(parts: Sequence[str], width: int) -> list[str]:
    """The parts in as few rows as fit, none broken; empty ones are left out."""
    rows: list[str] = []
    for part in filter(None, parts):
        if rows and len(rows[-1]) + 2 + len(part) <= width:
            rows[-1] += "  " + part
        else:
            rows.append(part)
    return rows
