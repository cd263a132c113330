"""A mistake is one sentence and an exit code."""

from pathlib import Path

import pytest

from kmaskrcnn.cli import door
from kmaskrcnn.commands import build_op, evaluate, train
from kmaskrcnn.memory import OutOfMemoryError
from tests.terminal import run

MISTAKES = {
    "no such verb": (["trian"], "No such command 'trian'"),
    "no such model": (["predict", "no.keras", ".", "--out", "o"], "no.keras"),
    "no such image": (["predict", __file__, "no.jpg", "--out", "o"], "no.jpg"),
    "no such data": (["train", "no.json", "--val", "no.json", "--out", "o"], "no.json"),
    "no validation": (["train", "no.json", "--out", "o"], "neither was given"),
    "two validations": (
        ["train", "a", "--out", "o", "--val", "b", "--val-fraction", "0.2"],
        "both were given",
    ),
    "a share of all": (["train", "a", "--out", "o", "--val-fraction", "1"], "0<x<1"),
    "no such field": (["train", "a", "--val", "a", "--out", "o", "--set", "nms=1"], "nms_iou"),
    "no such policy": (
        ["train", "a", "--val", "a", "--out", "o", "--augment", "flop"],
        "vertical_flip",
    ),
    "no such preset": (["train", "a", "--val", "a", "--out", "o", "--preset", "big"], "laptop"),
    "precision": (["benchmark", "--precision", "float32,half"], "some of float32, bfloat16"),
    "batch sizes": (["benchmark", "--batch-sizes", "1,0"], "numbers from 1 up, such as 1,2,4"),
    "score": (["predict", __file__, ".", "--out", "o", "--score", "7"], "0<=x<=1"),
    "no model": (["predict", __file__, __file__, "--out", "o"], "test_door.py"),
}


@pytest.mark.parametrize("args, expected", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_sentence(args, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert expected in result.output.replace("\n", "")
    assert "Traceback" not in result.output
    assert not Path("o").exists()


def test_debug_shows_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("train", "no.json", "--val", "no.json", "--out", "o", "--debug")
    assert not isinstance(result.exception, SystemExit)
    assert isinstance(result.exception, door.MISTAKES)


class ResourceExhaustedError(Exception):
    """What TensorFlow's error for too little memory is called."""


@pytest.mark.parametrize(
    "error, code, expected",
    [
        (ValueError("expected a, got b"), 2, "expected a, got b"),
        (OSError("disk full"), 2, "disk full"),
        (ResourceExhaustedError("OOM when\nallocating"), 1, "Out of memory: OOM when"),
        (RuntimeError("no compiler"), 1, "no compiler"),
        (KeyError("boxes"), 1, "KeyError: 'boxes' (`--debug`"),
    ],
)
def test_every_error_has_a_sentence_and_a_code(error, code, expected):
    failure = door.failure(error)
    assert failure.exit_code == code
    assert expected in failure.message


def test_short_memory_names_the_options_that_the_verb_has(monkeypatch):
    knobs = {"batch_size": 2, "min_size": 800, "max_size": 1333, "rois_per_image": 512}

    def too_much(*args):
        raise OutOfMemoryError("a tensor of shape [9]", knobs)

    monkeypatch.setattr(train, "run", too_much)
    result = run("train", "a", "--val", "a", "--out", "o")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "a tensor of shape [9]. Lower one of:" in said
    assert "--batch-size 2, --image-size 800 (max_size=1333), --rois-per-image 512." in said
    monkeypatch.setattr(evaluate, "run", too_much)
    assert "min_size=800" in run("evaluate", __file__, "a").output


def test_interrupting_is_no_error(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(build_op, "run", interrupted)
    result = run("build-op")
    assert result.exit_code == 130
    assert "Interrupted" in result.output
