"""A learning rate from a short sweep over all of them (Smith 2017, arXiv:1506.01186)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn import data, training
from kmaskrcnn.files import atomic
from kmaskrcnn.model import MaskRCNN

SMOOTHING = 0.04  # of the sweep, the width of what a loss is averaged with
DIVERGED = 3.0  # times the lowest smoothed loss
LOW = 1.1  # times the lowest smoothed loss
BELOW_LIMIT = 4.0
FEWEST_STEPS = 10
INK, FADED, ACCENT = "#333333", "#c9ced6", "#c1121f"


@dataclass(frozen=True)
class RateCurve:
    """What the loss did while the learning rate grew.

    Attributes:
        rates: of each step, growing by the same factor.
        losses: of each step's batch.
        smoothed: their mean with those of the steps around.
        suggestion: a quarter of `limit`, since a whole training has steps enough to be hurt by what
            a few survive. The rate of the lowest loss, or of its steepest fall, on which others
            base theirs, wanders over the floor of the curve with the noise of small batches; the
            wall at its end does not. (Rates that whole trainings proved are about a half of it for
            AdamW, a sixth for SGD: `benchmarks/learning_rate.py`.)
        diverged: whether the loss blew up, so that higher rates were not tried.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float
    diverged: bool

    @property
    def limit(self) -> float:
        """The highest rate at which the smoothed loss is within a tenth of its lowest."""
        return limit(self.rates, self.smoothed)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self)

    def save(self, path: str | Path) -> Path:
        """Draws loss over rate, with the suggestion marked, as PNG, SVG or PDF."""
        from matplotlib.figure import Figure  # slow to import

        figure = Figure(figsize=(7, 4), dpi=150, layout="constrained")
        _draw(figure.subplots(), self)
        with atomic(path) as unfinished:
            figure.savefig(unfinished, facecolor="white")
        return Path(path)

    def __str__(self) -> str:
        text = f"learning rate {self.suggestion:.2g}: the loss stays low up to {self.limit:.2g}"
        if self.diverged:
            return f"{text} and blows up at {self.rates[-1]:.2g}"
        if self.limit == self.rates[-1]:
            return f"{text}, the highest that was tried: try higher ones"
        return text


@keras.saving.register_keras_serializable("kmaskrcnn")
class GrowingRate(keras.optimizers.schedules.LearningRateSchedule):
    """From low to high in num_steps steps, each by the same factor."""

    def __init__(self, low: float, high: float, num_steps: int):
        self.low, self.high, self.num_steps = low, high, num_steps

    def __call__(self, step):
        share = tf.cast(step, tf.float32) / max(self.num_steps - 1, 1)
        return self.low * tf.pow(self.high / self.low, share)

    def get_config(self):
        return {"low": self.low, "high": self.high, "num_steps": self.num_steps}


def find_learning_rate(
    model: MaskRCNN,
    train: data.Dataset,
    *,
    batch_size: int = 2,
    low: float = 1e-5,
    high: float = 1.0,
    num_steps: int = 100,
    augmentation: data.Policy = "flip",
    seed: int = 0,
    on_step: Callable[[int, float, float], None] | None = None,
) -> RateCurve:
    """Trains a copy of the model for some steps, each at a higher rate, and looks at the loss.

    The model itself is not touched: not its weights, its optimizer, or the order of its samplers.
    The copy learns with the model's optimizer if it was compiled, else with the default one. The
    sweep ends early when the smoothed loss exceeds three times its lowest, or is not finite.

    Args:
        model: as `fit` would get it.
        train: a dataset; repeated if it is shorter than the sweep.
        batch_size, augmentation, seed: as for `fit`; the rate holds for this batch size.
        low, high: the first and the last rate.
        num_steps: of the sweep, 10 at least; fewer than some fifty are a guess.
        on_step: is told the steps done, the rate and the loss after each.

    Raises:
        ValueError: rates that do not grow, too few steps.
        kmaskrcnn.data.DataError, OutOfMemoryError: as `fit`.
    """
    if not 0 < low < high or num_steps < FEWEST_STEPS:
        raise ValueError(
            f"low={low}, high={high}, num_steps={num_steps}: expected 0 < low < high and "
            f"{FEWEST_STEPS} steps or more."
        )
    copy = _copy_of(model)
    copy.compile(_sweeping(model, GrowingRate(low, high, num_steps), batch_size))
    batches = copy._batches(train, data.Order(batch_size, shuffle=True, seed=seed), augmentation)
    sweep = _Sweep(num_steps, on_step)
    try:
        copy.fit(
            batches.repeat().take(num_steps),
            batch_size=batch_size,
            seed=seed,
            callbacks=[sweep],
            verbose=0,
        )
    except training.NonFiniteLossError:
        sweep.diverged = True
    if not sweep.losses:
        raise training.NonFiniteLossError(
            f"The loss was not finite at the first step, with the rate {low:g}: lower `low`, or "
            "look at the weights that the model starts from."
        )
    return _curve(sweep)


def _copy_of(model: MaskRCNN) -> MaskRCNN:
    """A model with the same weights, of which the same are trained."""
    copy = type(model).from_config(model.get_config())
    for ours, theirs in zip(copy.variables, model.variables, strict=True):
        ours.trainable = theirs.trainable
        ours.assign(theirs)
    return copy


def _sweeping(model: MaskRCNN, rate: GrowingRate, batch_size: int) -> keras.optimizers.Optimizer:
    """The optimizer that the model would be trained with, at the sweep's rate."""
    used = model.optimizer if model.compiled else None
    used = used or training.default_optimizer(model.config, rate.num_steps, batch_size)
    used = getattr(used, "inner_optimizer", used)  # Keras wraps it again if the precision asks
    settings = {**used.get_config(), "learning_rate": rate, "name": "rate_finder"}
    optimizer = type(used).from_config(settings)
    if training.is_default(used):
        optimizer.exclude_from_weight_decay(var_names=list(training.WITHOUT_DECAY))
    return optimizer


class _Sweep(keras.callbacks.Callback):
    """Collects rate and loss of each step, and ends a sweep that diverges."""

    def __init__(self, num_steps: int, on_step: Callable[[int, float, float], None] | None) -> None:
        super().__init__()
        self.num_steps = num_steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.diverged = False
        self.on_step = on_step

    def smoothed(self) -> list[float]:
        return smooth(self.losses, SMOOTHING * self.num_steps)

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()  # the loss of this step alone
        self.rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(self.rate)
        self.losses.append(float(logs["loss"]))
        if self.on_step is not None:
            self.on_step(len(self.rates), self.rate, self.losses[-1])
        smoothed = self.smoothed()
        if len(smoothed) >= FEWEST_STEPS // 2 and smoothed[-1] > DIVERGED * min(smoothed):
            self.diverged = self.model.stop_training = True


def smooth(losses: Sequence[float], width: float) -> list[float]:
    """Each loss with its neighbours on both sides, so that nothing is shifted: Gaussian weights.

    Args:
        losses: of the steps.
        width: the Gaussian's standard deviation in steps.
    """
    steps = np.arange(len(losses))
    weights = np.exp(-0.5 * np.square((steps[:, None] - steps) / width))
    return (weights @ np.asarray(losses) / weights.sum(1)).tolist() if losses else []


def limit(rates: Sequence[float], smoothed: Sequence[float]) -> float:
    """See `RateCurve.limit`."""
    low = np.asarray(smoothed) <= LOW * min(smoothed)
    return rates[int(np.flatnonzero(low)[-1])]


def _curve(sweep: _Sweep) -> RateCurve:
    smoothed = sweep.smoothed()
    suggestion = max(limit(sweep.rates, smoothed) / BELOW_LIMIT, sweep.rates[0])
    return RateCurve(
        tuple(sweep.rates), tuple(sweep.losses), tuple(smoothed), suggestion, sweep.diverged
    )


def _draw(axis: Any, curve: RateCurve) -> None:
    axis.plot(curve.rates, curve.losses, color=FADED, lw=1, label="a step")
    axis.plot(curve.rates, curve.smoothed, color=INK, lw=2, label="smoothed")
    axis.axvline(curve.suggestion, color=ACCENT, lw=1.2, ls="--")
    axis.set_xscale("log")
    low, high = min(curve.losses), float(np.quantile(curve.smoothed, 0.9))
    axis.set_ylim(max(0.0, 0.9 * low), 1.25 * max(high, curve.smoothed[0]))
    axis.annotate(
        f"{curve.suggestion:.2g}",
        (curve.suggestion, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -12),
        textcoords="offset points",
        color=ACCENT,
        fontsize=10,
    )
    axis.set(xlabel="learning rate", ylabel="loss")
    axis.set_title(str(curve), fontsize=10, color=INK)
    axis.grid(color="#e6e6e6", lw=0.8)
    axis.legend(fontsize=8, frameon=False)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
