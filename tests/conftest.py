"""What every test starts from: quiet TensorFlow, one seed, and both implementations of RoIAlign.

The environment is set before anything imports TensorFlow.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("MPLBACKEND", "Agg")
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores: one thread each
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

IMPLEMENTATION = "KMASKRCNN_ROI_ALIGN"
WITHOUT_OP = os.environ.get(IMPLEMENTATION) == "fallback"


@pytest.fixture(autouse=True)
def seeds() -> None:
    """The same random numbers in every test, whatever ran before it.

    Keras draws the seeds of its initializers from Python's. TensorFlow's own seed is left alone: to
    set it throws away every compiled kernel, and nothing here draws by it.
    """
    random.seed(0)
    np.random.seed(0)


@contextmanager
def running_eagerly() -> Iterator[None]:
    """Runs every `tf.function` step by step: to trace a training takes longer than ten steps."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def eagerly() -> Iterator[None]:
    """For a test that takes few steps and whose point is not the graph."""
    with running_eagerly():
        yield


@pytest.fixture(scope="module")
def eager_module() -> Iterator[None]:
    """The same for a file whose tests share a training."""
    with running_eagerly():
        yield


@pytest.fixture(params=["op", "fallback"])
def roi_align_implementation(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Runs a test that pools RoIs twice: on the C++ op and on TensorFlow's own ops.

    The op's turn is skipped where it cannot be had: no compiler, or the whole run was told to do
    without it (``KMASKRCNN_ROI_ALIGN=fallback make test``).
    """
    name = request.param
    if name == "op":
        reason = why_no_op()
        if reason:
            pytest.skip(f"no RoIAlign op here: {reason}")
    monkeypatch.setenv(IMPLEMENTATION, name)
    return name


def why_no_op() -> str:
    """Why the C++ op cannot be used in this run; empty when it can."""
    if WITHOUT_OP:
        return f"{IMPLEMENTATION}=fallback: this run does without the op"
    from kmaskrcnn.ops import library

    return "" if library.load() is not None else library.status().reason
