"""A training that is stopped, killed, starved of disk and gone on with, on the smallest preset."""

import dataclasses
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn import data, files, resuming, runs
from kmaskrcnn.locks import FolderInUseError, locked
from tests import killed_training
from tests.killed_training import EPOCHS, dataset, fit, tiny

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Untraced, as tracing a training takes longer than these trainings."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    model = tiny()
    return model, fit(model, folder).history, folder


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    with pytest.raises(StoppedError):
        fit(tiny(), folder, callbacks=[StopIn(1)])
    return folder


@pytest.fixture
def begun(one_epoch, tmp_path):
    """A folder as a stop after its first epoch leaves it."""
    return Path(shutil.copytree(one_epoch, tmp_path / "begun"))


class StoppedError(Exception):
    pass


class StopIn(keras.callbacks.Callback):
    """Raises at the beginning of an epoch, counted from 0."""

    def __init__(self, epoch, error=StoppedError):
        super().__init__()
        self.epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise self.error


def losses(history):
    return {name: values for name, values in history.items() if "loss" in name}


def assert_same_end(model, history, unbroken):
    whole, expected, _ = unbroken
    for name, values in losses(expected).items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5, err_msg=name)
    for one, two in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-7)


def test_a_folder_holds_the_run(unbroken):
    model, history, folder = unbroken
    names = {path.name for path in folder.iterdir()}
    assert names == {".lock", "last.keras", "previous.keras", "best.keras", "history.csv"}
    assert len((folder / "history.csv").read_text().splitlines()) == EPOCHS + 1
    record = runs.read(folder / "last.keras").record
    assert record.epochs_done == EPOCHS and record.steps == 2 * EPOCHS
    assert runs.read(folder / "previous.keras").record.epochs_done == EPOCHS - 1
    assert runs.read(folder / "best.keras").record.epochs_done == record.best[0]
    loaded = kmaskrcnn.load(folder / "last.keras")
    for one, two in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(history["val_mask_AP"]) == EPOCHS


def test_a_resumed_training_ends_where_an_unbroken_one_ends(begun, unbroken, capsys):
    model = tiny(seed=1)  # its own weights do not matter
    history = fit(model, begun, resume=True, verbose=2)
    assert f"epochs 2 to {EPOCHS} to run" in capsys.readouterr().out
    assert history.epoch == list(range(EPOCHS))
    assert_same_end(model, history.history, unbroken)


def test_a_finished_run_has_nothing_to_run(unbroken, capsys):
    model, _, folder = unbroken
    again = tiny(seed=1)
    history = fit(again, folder, resume=True, verbose=2)
    assert f"nothing to run: {EPOCHS} epochs are done" in capsys.readouterr().out
    assert_same_end(again, history.history, unbroken)
    assert again.provenance["trained"] == model.provenance["trained"]


def test_nothing_to_resume_starts_from_the_beginning(tmp_path, capsys):
    with pytest.raises(StoppedError):
        fit(tiny(), tmp_path, resume=True, verbose=2, callbacks=[StopIn(0)])
    assert "nothing to resume" in capsys.readouterr().out


def test_a_damaged_checkpoint_costs_an_epoch_not_the_run(unbroken, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(unbroken[2], folder)
    with (folder / "last.keras").open("r+b") as file:
        file.seek(2000)
        file.write(bytes(1000))
    (folder / "best.keras").unlink()
    model = tiny()
    history = fit(model, folder, resume=True, verbose=2)
    printed = capsys.readouterr().out
    assert "last.keras cannot be resumed" in printed
    assert f"previous.keras: epochs {EPOCHS} to {EPOCHS} to run" in printed
    assert_same_end(model, history.history, unbroken)
    assert not runs.find(folder).problems


@pytest.mark.parametrize("change", ["seed", "batch_size", "augmentation", "classes", "config"])
def test_another_training_is_refused_by_name(unbroken, change):
    options = {"seed": 5, "batch_size": 2, "augmentation": "none"}
    models = {
        "classes": lambda: kmaskrcnn.MaskRCNN.from_preset(
            "tiny", ["circle", "square", "triangle", "star"], **killed_training.SIZES
        ),
        "config": lambda: tiny(nms_iou=0.3),
    }
    words = {
        "classes": "class_names: .*star",
        "config": r"config\.nms_iou: 0\.5 then, 0\.3 now",
        "augmentation": r"augmentation\.flip: 0\.5 then, none now",
    }
    given = {change: options[change]} if change in options else {}
    expected = words.get(change, rf"{change}: .* then, {options.get(change)} now")
    with pytest.raises(ValueError, match=rf"last\.keras is of another training.*\n  {expected}"):
        fit(models.get(change, tiny)(), unbroken[2], resume=True, **given)


def test_another_optimizer_and_frozen_stages_are_refused(unbroken):
    model = tiny()
    model.compile(keras.optimizers.AdamW(1e-3))
    with pytest.raises(ValueError, match="optimizer: SGD then, AdamW now"):
        fit(model, unbroken[2], resume=True)
    model = tiny()
    model.freeze("C2")
    with pytest.raises(ValueError, match="frozen: "):
        fit(model, unbroken[2], resume=True)


def test_more_epochs_stretch_the_schedule(unbroken, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(unbroken[2], folder)
    model = tiny()
    history = fit(model, folder, resume=True, epochs=EPOCHS + 1, verbose=2)
    assert f"planned were {EPOCHS}" in capsys.readouterr().out
    assert len(history.history["loss"]) == EPOCHS + 1
    schedule = keras.optimizers.serialize(model.optimizer)["config"]["learning_rate"]
    assert schedule["config"]["boundaries"] == [6, 8]  # of 8 steps
    assert runs.read(folder / "last.keras").record.settings["epochs"] == EPOCHS + 1


def test_a_run_is_not_overwritten(unbroken):
    with pytest.raises(ValueError, match="holds a run already"):
        fit(tiny(), unbroken[2])


def test_two_trainings_in_one_folder(unbroken, tmp_path):
    with locked(tmp_path), pytest.raises(FolderInUseError, match="in use by process"):
        fit(tiny(), tmp_path)
    with locked(unbroken[2]), pytest.raises(FolderInUseError):
        fit(tiny(), unbroken[2], resume=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folder": None, "resume": True}, "folder="),
        ({"initial_epoch": 2}, "exclude"),
        ({"patience": 0}, "patience"),
        ({"patience": 2, "validation_data": None}, "validation_data"),
    ],
)
def test_arguments_that_do_not_fit(tmp_path, options, words):
    options = {"folder": tmp_path / "run", **options}
    with pytest.raises(ValueError, match=words):
        fit(tiny(), **options)


def test_early_stop_on_ap_survives_a_resume(tmp_path, monkeypatch, capsys):
    figures = iter([0.3, 0.2, 0.2, 0.2])
    monkeypatch.setattr(
        kmaskrcnn.MaskRCNN, "_measure", lambda *_: {"mask/AP": next(figures), "box/AP": 0.0}
    )
    with pytest.raises(StoppedError):
        fit(tiny(), tmp_path, epochs=9, patience=2, callbacks=[StopIn(2)])
    model = tiny()
    history = fit(model, tmp_path, epochs=9, patience=2, resume=True, verbose=2)
    assert history.history["val_mask_AP"] == [0.3, 0.2, 0.2]
    assert "stopped early after epoch 3" in capsys.readouterr().out
    assert runs.read(tmp_path / "best.keras").record.epochs_done == 1
    assert model.provenance["trained"]["best"] == {"epoch": 1, "val_mask_AP": 0.3}
    fit(model, tmp_path, epochs=9, patience=2, resume=True, verbose=2)
    assert "nothing to run: stopped early" in capsys.readouterr().out


# -------------------------------------------------------------------- faults


def test_ctrl_c_keeps_the_whole_epochs_and_says_so(tmp_path):
    with pytest.raises(KeyboardInterrupt, match="epoch 2 of 3.*end of epoch 1.*with epoch 2"):
        fit(tiny(), tmp_path, callbacks=[StopIn(1, KeyboardInterrupt)])
    assert runs.find(tmp_path).newest.record.epochs_done == 1
    with pytest.raises(KeyboardInterrupt, match="epoch 1 of 3.*nothing is kept"):
        fit(tiny(), tmp_path / "other", callbacks=[StopIn(0, KeyboardInterrupt)])
    with pytest.raises(KeyboardInterrupt, match="folder="):
        fit(tiny(), None, callbacks=[StopIn(0, KeyboardInterrupt)])


def test_sigterm_is_a_ctrl_c(tmp_path):
    class Terminate(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt, match="Interrupted in epoch 1"):
        fit(tiny(), tmp_path, callbacks=[Terminate()])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_full_disk_stops_with_a_sentence_and_the_run_goes_on_later(begun, unbroken, monkeypatch):
    whole = (begun / "last.keras").read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=r"\.keras: cannot be written: the disk is full"):
        fit(tiny(), begun, resume=True)
    monkeypatch.undo()
    assert (begun / "last.keras").read_bytes() == whole
    assert not list(begun.glob(f"{files.UNFINISHED}*"))
    model = tiny()
    assert_same_end(model, fit(model, begun, resume=True).history, unbroken)


def test_a_disk_that_is_really_full(tmp_path):
    """Keras' own writing and ours, on a file system that has room for one checkpoint only."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        with pytest.raises(OSError, match="the disk is full"):
            fit(tiny(), tmp_path)
        found = runs.find(tmp_path)
        assert not found.problems and found.newest.record.epochs_done == 1
        assert not list(tmp_path.glob(f"{files.UNFINISHED}*"))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_read_only_folder_is_said_before_anything_is_trained(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.Path, "mkdir", refuse)
    with pytest.raises(OSError, match="read-only: give another folder"):
        fit(tiny(), tmp_path / "run")


class Photographs:
    """Shapes as files in a folder."""

    def __init__(self, folder):
        self.folder, self.shapes = folder, dataset()
        self.class_names = self.shapes.class_names
        for i in range(len(self.shapes)):
            cv2.imwrite(str(folder / f"{i}.png"), self.shapes[i].image)

    def __len__(self):
        return len(self.shapes)

    def __getitem__(self, index):
        return dataclasses.replace(self.shapes[index], image=self.folder / f"{index}.png")


def test_a_dataset_that_disappears_is_named_and_the_checkpoint_stays(tmp_path):
    photographs = tmp_path / "photographs"
    photographs.mkdir()

    class Remove(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                shutil.rmtree(photographs)

    train = Photographs(photographs)
    with pytest.raises(data.DataError, match=r"photographs/\d\.png"):
        fit(tiny(), tmp_path / "run", train=train, callbacks=[Remove()])
    assert runs.find(tmp_path / "run").newest.record.epochs_done == 1


def test_killed_at_random_moments_it_ends_where_an_unbroken_one_ends(tmp_path, unbroken):
    """In the first epoch, while a checkpoint is being written, and in an evaluation."""
    model = tiny()
    for moment in ("epoch 0", "save 1", "measure 1"):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.killed_training", str(tmp_path), moment],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, errors
        assert not runs.find(tmp_path).problems
        half_written = list(tmp_path.glob(f"{files.UNFINISHED}*/last.keras"))
        assert bool(half_written) == (moment == "save 1")
    history = fit(model, tmp_path, resume=True)
    assert_same_end(model, history.history, unbroken)
    assert not list(tmp_path.glob(f"{files.UNFINISHED}*"))


# -------------------------------------------------------------------- where a model comes from


def test_provenance_is_kept_in_the_file(unbroken, tmp_path):
    told = kmaskrcnn.load(unbroken[2] / "last.keras").provenance
    assert told["preset"] == "tiny" and told["weights"] is None
    assert told["tensorflow"] == tf.__version__ and told["kmaskrcnn"] == kmaskrcnn.__version__
    trained = told["trained"]
    assert trained["images"] == {"train": 2, "validation": 1} and trained["epochs"] == EPOCHS
    assert trained["seed"] == 0 and "shapes" in trained["data"]["train"]


def test_a_model_without_provenance_still_loads():
    model = tiny()
    config = {name: value for name, value in model.get_config().items() if name != "provenance"}
    assert kmaskrcnn.MaskRCNN.from_config(config).provenance == {}


def test_signals_are_left_alone_beside_the_main_thread(tmp_path):
    seen = []

    def work():
        with resuming.opened(tmp_path, False, 1, epochs_done=0, patience=None, verbose=0) as run:
            seen.append(run.epochs_done)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [0]
