"""A probe that crashes, stands still or stops half-way is a finding like any other."""

import os
import shutil

import pytest

from kmaskrcnn.doctor import child
from tests.fake_packages import broken_module


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """The child process finds a TensorFlow that runs this code."""
    earlier = os.environ.get("PYTHONPATH", "")

    def make(code: str) -> None:
        broken_module(tmp_path, "tensorflow", code)
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{earlier}")

    return make


def test_a_crash(broken):
    broken("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    found = child.run_probe()
    assert list(found) == ["tensorflow"]
    assert "the process died: Segmentation fault" in found["tensorflow"]["error"]


def test_a_standstill(broken):
    broken("import time; time.sleep(600)")
    found = child.run_probe(longest=1.5)
    assert "not done after 2 seconds" in found["tensorflow"]["error"]


def test_an_end_with_a_message(broken):
    broken("import os; os.write(2, b'no license\\n'); os._exit(3)")
    error = "the process ended with code 3 (no license)"
    assert child.run_probe() == {"tensorflow": {"error": error}}


def test_a_process_that_does_not_even_start(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", shutil.which("false"))
    error = "the process ended with code 1 (it said nothing)"
    assert child.run_probe() == {"start": {"error": error}}


def test_half_a_line_and_other_peoples_words():
    lines = ["hello", '{"step": "numpy"}', '{"step": "numpy", "result": "2.0"}', '{"step": "ke']
    assert child._outcomes(lines, "", "") == {"numpy": {"result": "2.0"}}


def test_what_comes_after_an_error_is_tried_as_far_as_it_can(broken):
    """Packages that need no TensorFlow are still asked; what computes with it is not."""
    broken("print('noise'); raise ImportError('Failed to load the native TensorFlow runtime.')")
    found = child.run_probe()
    assert "does not load" in found["tensorflow"]["error"]
    assert "result" in found["numpy"] and "result" in found["cv2"]
    assert "devices" not in found and "forward" not in found
