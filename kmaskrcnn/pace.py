"""How a training goes: images a second, the share of its time that it waits for data, memory."""

from __future__ import annotations

import math
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from kmaskrcnn.memory import peak_gpu_memory, peak_memory

LONG_WAIT = 0.3  # share of the time from which on a training ought to be told
RECENT = 50  # steps


class Step(NamedTuple):
    """One step of training: its seconds, those that passed before its batch was there, images."""

    seconds: float
    waited: float
    images: float


class Pace:
    """The stopwatch of a training, as its steps report to it.

    A step is measured from its beginning to the beginning of the next, so that nothing is left
    out. The moment at which its batch is there is taken inside the graph. A step that builds the
    graph is measured apart: `build_seconds`.
    """

    def __init__(self) -> None:
        with tf.device("CPU:0"):
            self._batch = tf.Variable(  # when the last one arrived; images so far
                tf.zeros([2], tf.float64),
                trainable=False,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self.builds = 0
        self.build_seconds = math.nan
        self.waits_are_known = True  # not where one call runs several steps
        self.must_build = True  # whether the next step is the first of a new graph
        self.recent: deque[Step] = deque(maxlen=RECENT)
        self.epoch: list[Step] = []
        self.built: Callable[[], object] = lambda: self  # gives the last function that was built
        self._begun: tuple[float, float, float, int] | None = None

    def arrived(self, batch):
        """Inside a train step: the same batch, once the moment of its arrival is written down.

        Args:
            batch: nested tensors; the images (B, …) come first.
        """
        if not tf.executing_eagerly():
            self.builds += 1
        tensors = tf.nest.flatten(batch)
        with tf.control_dependencies(tensors), tf.device("CPU:0"):
            images = self._batch[1] + tf.cast(tf.shape(tensors[0])[0], tf.float64)
            written = self._batch.assign(tf.stack([tf.timestamp(), images]))
        with tf.control_dependencies([written]):
            return tf.nest.map_structure(tf.identity, batch)

    def begin_epoch(self) -> None:
        """The figures of an epoch start anew."""
        self.epoch = []

    def begin_step(self) -> None:
        """A step begins, and the one before it is over."""
        self.pause()
        images = float(self._batch.numpy()[1])
        self._begun = time.perf_counter(), time.time(), images, self.builds

    def pause(self) -> None:
        """The last step is over, and something else than training follows."""
        if self._begun is None:
            return
        begun, clock, images, builds = self._begun
        self._begun = None
        seconds = time.perf_counter() - begun
        if self.builds != builds:
            self.build_seconds = seconds
            return
        arrival, images_now = (float(value) for value in self._batch.numpy())
        waited = min(max(arrival - clock, 0.0), seconds) if self.waits_are_known else math.nan
        self.recent.append(Step(seconds, waited, images_now - images))
        self.epoch.append(self.recent[-1])


def images_per_second(steps: Sequence[Step]) -> float:
    """Of steps together; nan of none."""
    seconds = sum(step.seconds for step in steps)
    return sum(step.images for step in steps) / seconds if seconds else math.nan


def wait_share(steps: Sequence[Step]) -> float:
    """The part of the steps' time, 0 to 1, that passed before their batches were there."""
    seconds = sum(step.seconds for step in steps)
    return sum(step.waited for step in steps) / seconds if seconds else math.nan


def advice(share: float) -> str:
    """What to do about a training that waits for data; empty if it hardly does."""
    if not share > LONG_WAIT:
        return ""
    return (
        f"{100 * share:.0f} % of the time went by waiting for data. Smaller photographs on disk "
        "(near the network's input), a disk of this machine instead of a network's, or more "
        "processors make it faster, and a cache (--cache 4GB, cache=) does from the second epoch "
        "on; larger batches do not."
    )


class PaceFigures(keras.callbacks.Callback):
    """Puts `images_per_second`, `data_wait_share`, `memory_mb` and the rate into each epoch's logs.

    With a GPU there is `gpu_memory_mb`, too. It comes before the user's callbacks, so that CSV
    files, TensorBoard and the history have them. A figure is nan where nothing could be measured,
    as in an epoch of one step that built the graph.

    Args:
        pace: the stopwatch that the model's train step reports to.
    """

    def __init__(self, pace: Pace):
        super().__init__()
        self.pace = pace

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.pace.waits_are_known = self.model.steps_per_execution == 1
        is_built = self.model.train_function is self.pace.built()
        self.pace.must_build = not (self.model.run_eagerly or is_built)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.pace.begin_epoch()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self.pace.begin_step()

    def on_test_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.pace.pause()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.pace.pause()
        self.pace.built = weakref.ref(self.model.train_function)
        if logs is not None:
            logs["images_per_second"] = images_per_second(self.pace.epoch)
            logs["data_wait_share"] = wait_share(self.pace.epoch)
            logs["memory_mb"] = peak_memory() / 2**20
            if not math.isnan(peak_gpu_memory()):
                logs["gpu_memory_mb"] = peak_gpu_memory() / 2**20
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
