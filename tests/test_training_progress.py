"""What the terminal shows while a model trains, and what a file gets that is none."""

import io
import re

import pytest
import tensorflow as tf
from rich.console import Console

import kmaskrcnn
from kmaskrcnn import pace
from tests.paced import SLEEP, STEPS, OneNumber, batches


class Halves(tf.keras.callbacks.Callback):
    """Logs an AP that grows, as `AveragePrecision` would."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_mask_AP"] = epoch / 2


def shown(*, terminal: bool, every: float = 30.0, sleep: float = 0.0, **options) -> str:
    """What is written while one number trains for two epochs, without the terminal's codes."""
    model = OneNumber(SLEEP)
    model.compile()
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=80, markup=False)
    progress = kmaskrcnn.TrainingProgress(console, every)
    callbacks = [pace.PaceFigures(model.pace), Halves(), progress]
    with progress:
        model.fit(batches(sleep).prefetch(2), epochs=2, callbacks=callbacks, **options)
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", stream.getvalue())


def test_without_a_terminal_an_epoch_is_a_line(capfd, monkeypatch):
    monkeypatch.setattr(pace, "LONG_WAIT", 1.0)  # whatever else the machine does
    lines = shown(terminal=False, validation_data=batches()).splitlines()
    assert lines[0].startswith("Building the graph: the first step takes about ")
    assert re.fullmatch(r"Built; the first step took \d+ s\.", lines[1])
    for number, line in enumerate(lines[2:4], 1):
        assert line.startswith(f"epoch {number}/2  loss "), line
        assert re.search(r" val \d.*  AP mask 0\.\d00 best  0:0\d  [\d.]+ img/s$", line), line
    assert lines[4].startswith("2 epochs in 0:0") and "best mask AP 0.500 in epoch 2" in lines[4]
    assert len(lines) == 5 and max(map(len, lines)) <= 80
    assert "Epoch 1/2" not in capfd.readouterr().out  # Keras' own bar is not there


def test_without_a_terminal_a_long_epoch_says_how_far_it_is():
    lines = shown(terminal=False, every=0.0).splitlines()
    meanwhile = [line for line in lines if re.match(r"epoch ./2  \d/6", line)]
    assert len(meanwhile) == 2 * STEPS
    assert re.search(r"6/6  loss 0\.\d+  [\d.]+ img/s  \d+ % waiting  \d+\.\d GB", meanwhile[-1])
    assert "left > 0:0" in meanwhile[STEPS - 1] and "left 0:0" in meanwhile[STEPS]


def test_a_graph_that_is_there_is_not_built_again():
    model = OneNumber()
    model.compile()
    stream = io.StringIO()
    for _ in range(2):
        progress = kmaskrcnn.TrainingProgress(Console(file=stream, width=80))
        model.fit(batches(), callbacks=[pace.PaceFigures(model.pace), progress])
    assert stream.getvalue().count("Building the graph") == 1
    assert stream.getvalue().count("epoch 1/1  loss") == 2
    model.compile()
    model.fit(batches(), callbacks=[pace.PaceFigures(model.pace), progress])
    assert stream.getvalue().count("Building the graph") == 2


def test_those_who_wait_for_data_are_told_what_to_do(monkeypatch):
    said = " ".join(shown(terminal=False, sleep=4 * SLEEP).split())
    assert "% of the time went by waiting for data. Smaller photographs on disk" in said
    monkeypatch.setattr(pace, "LONG_WAIT", 1.0)
    assert "went by waiting" not in shown(terminal=False)


def test_a_terminal_shows_the_running_epoch():
    said = shown(terminal=True, validation_data=batches())
    assert re.search(r"epoch 1/2 .* 0/6 +building: 0 s so far", said)
    assert re.search(r"epoch 2/2 .* \d/6 +left 0:0\d, in all 0:0\d", said)
    assert re.search(r"loss 0\.\d+  mask 0\.\d+", said)
    assert re.search(r"img/s  waiting for data \d+ %  \d\.\d GB  mask AP 0.000, best 0.000", said)
    assert re.search(r"\r2 epochs in 0:0", said)


def test_the_terminal_is_left_in_order_when_training_fails():
    model = OneNumber()
    progress = kmaskrcnn.TrainingProgress(Console(file=io.StringIO(), force_terminal=True))
    progress.set_model(model)
    progress.set_params({"epochs": 1, "steps": 2})
    with pytest.raises(KeyError), progress:
        progress.on_train_begin()
        assert progress.live.is_started
        raise KeyError
    assert progress.live is None
