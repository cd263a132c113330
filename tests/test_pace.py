"""The stopwatch of a training, on a model that is one number and data that keep it waiting."""

import math
import time

import keras
import tensorflow as tf

from kmaskrcnn import data, pace
from tests.paced import BATCH, SLEEP, STEPS, OneNumber, batches


def trained(stream, work=0.0, epochs=2, **compiled) -> tuple[OneNumber, dict[str, list[float]]]:
    model = OneNumber(work)
    model.compile(keras.optimizers.SGD(0.5), **compiled)
    watch = pace.PaceFigures(model.pace)
    return model, model.fit(stream, epochs=epochs, verbose=0, callbacks=[watch]).history


def test_slow_data_are_waited_for():
    """In the best of three epochs: what else the machine does makes the steps slower, too."""
    model, history = trained(batches(2 * SLEEP), epochs=3)
    assert max(history["data_wait_share"]) > 0.6
    assert len(model.pace.epoch) == STEPS and model.pace.builds == 1
    assert 0 < max(history["images_per_second"]) < 1.05 * BATCH / (2 * SLEEP)


class SlowShapes(data.ShapesDataset):
    def __getitem__(self, index):
        time.sleep(SLEEP)
        return super().__getitem__(index)


def test_the_share_is_what_the_step_does_not_hide():
    """Two threads make a batch of four in 2 × SLEEP, of which the step takes SLEEP."""
    slow = SlowShapes(10 * BATCH, image_size=(64, 64))
    order = data.Order(BATCH, shuffle=True)
    stream = data.batches(slow, data.InputSize(64, 64), order, num_threads=2)
    history = trained(stream, work=SLEEP, epochs=2)[1]
    assert 0.3 < history["data_wait_share"][1] < 0.7
    assert history["images_per_second"][1] < 1.2 * BATCH / (2 * SLEEP)


def test_slow_steps_wait_for_nothing():
    _, history = trained(batches().prefetch(2), work=SLEEP, epochs=3)
    assert min(history["data_wait_share"]) < 0.3
    assert 0 < max(history["images_per_second"]) < 1.05 * BATCH / SLEEP


def test_the_step_that_builds_is_measured_apart():
    model, history = trained(batches(SLEEP).take(1), epochs=2)
    assert math.isnan(history["images_per_second"][0]) and math.isnan(history["data_wait_share"][0])
    assert model.pace.build_seconds > SLEEP and len(model.pace.recent) == 1
    assert history["images_per_second"][1] > 0


def test_every_epoch_has_memory_and_rate():
    _, history = trained(batches().take(2))
    assert history["learning_rate"] == [0.5, 0.5]
    assert 50 < history["memory_mb"][0] <= history["memory_mb"][1] < 1e6


def test_a_gpu_has_its_own_figure(monkeypatch):
    assert "gpu_memory_mb" not in trained(batches().take(1), epochs=1)[1]
    monkeypatch.setattr(pace, "peak_gpu_memory", lambda: 3 * 2**20)
    assert trained(batches().take(1), epochs=1)[1]["gpu_memory_mb"] == [3]


def test_several_steps_a_call_have_no_share_but_a_speed():
    _, history = trained(batches(), steps_per_execution=3)
    assert math.isnan(history["data_wait_share"][1]) and history["images_per_second"][1] > 0


def test_validation_is_no_step():
    watch = pace.Pace()
    watch.begin_step()
    watch.arrived({"images": tf.zeros([2, 1])})
    watch.pause()
    steps = list(watch.epoch)
    time.sleep(SLEEP)
    watch.pause()
    assert watch.epoch == steps and len(steps) == 1 and steps[0].images == 2


def test_advice_is_given_to_those_who_wait():
    assert "40 % of the time" in pace.advice(0.4)
    assert pace.advice(0.2) == pace.advice(math.nan) == ""
