"""A mistake is one sentence and an exit code."""

from pathlib import Path

import pytest

from kmaskrcnn.cli import door
from kmaskrcnn.commands import build_op
from tests.terminal import run

MISTAKES = {
    "no such verb": (["trian"], "No such command 'trian'"),
    "no such model": (["predict", "no.keras", ".", "--out", "o"], "no.keras"),
    "no such image": (["predict", __file__, "no.jpg", "--out", "o"], "no.jpg"),
    "no such data": (["train", "no.json", "--val", "no.json", "--out", "o"], "no.json"),
    "no validation": (["train", "no.json", "--out", "o"], "--val"),
    "no such preset": (["train", "a", "--val", "a", "--out", "o", "--preset", "big"], "laptop"),
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
        (ResourceExhaustedError("OOM when\nallocating"), 1, "--batch-size"),
        (RuntimeError("no compiler"), 1, "no compiler"),
        (KeyError("boxes"), 1, "KeyError: 'boxes' (`--debug`"),
    ],
)
def test_every_error_has_a_sentence_and_a_code(error, code, expected):
    failure = door.failure(error)
    assert failure.exit_code == code
    assert expected in failure.message


def test_interrupting_is_no_error(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(build_op, "run", interrupted)
    result = run("build-op")
    assert result.exit_code == 130
    assert "Interrupted" in result.output
