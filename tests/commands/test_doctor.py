"""`kmaskrcnn doctor` on the installation that runs the tests, and on made-up ones."""

import io
import json

import pytest

from kmaskrcnn.commands import doctor as job
from kmaskrcnn.doctor import diagnosis
from tests.fake_packages import broken_module, python
from tests.terminal import run


@pytest.mark.slow
def test_here_all_is_well():
    result = run("doctor", "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["problems"] == []
    assert facts["forward"]["result"].startswith("tiny, ")
    assert facts["devices"]["result"][0] == "CPU 0"
    assert {row["verdict"] for row in facts["packages"]} <= {"fits", "newer than tested"}


def test_it_survives_a_broken_tensorflow(tmp_path):
    broken_module(tmp_path, "tensorflow", "raise ImportError('native TensorFlow runtime')")
    done = python("-m", "kmaskrcnn.cli", "doctor", folder=tmp_path, PYTHONIOENCODING="utf-8")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "✗ tensorflow" in done.stdout and "does not import" in done.stdout
    assert "forward pass  not tried" in done.stdout
    assert done.stdout.endswith(" to mend.\n")


@pytest.fixture
def without_probe(monkeypatch):
    """Nothing is tried: quick."""
    asked = []
    monkeypatch.setattr(diagnosis, "run_probe", lambda run: asked.append(run) or {})
    return asked


def test_no_run(without_probe):
    assert run("doctor", "--no-run").exit_code == 0
    assert run("doctor").exit_code == 0
    assert without_probe == [False, True]


def test_a_problem_is_exit_code_1(without_probe, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(diagnosis.environment, "wrong_backend", lambda: "here it is jax")
    for option in ("--no-run", "--json"):
        result = run("doctor", option)
        assert result.exit_code == 1
        assert "here it is jax" in result.output


def test_terminals_without_these_letters(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(job.sys, "stdout", terminal)
    assert job.printable("✓ –") == "ok –".replace("–", "-")
    assert job.printable("plain – text") == "plain – text"
