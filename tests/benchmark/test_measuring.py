"""A benchmark within its time and memory, whatever its processes do."""

import dataclasses
import os
import signal
import time

import pytest

from kmaskrcnn.benchmark import child
from kmaskrcnn.benchmark.child import ERROR, MEMORY, TIME, EndedError, Worker
from kmaskrcnn.benchmark.job import Job, Request
from kmaskrcnn.benchmark.measuring import measure
from kmaskrcnn.benchmark.plan import Plan
from tests.benchmark.fake_worker import BARE, EACH

PLAN = Plan("tiny", {"min_size": 64, "anchor_sizes": ((8,), (16,), (32,), (64,), (128,))})
ONCE = Request(1, 1, 1, 1.0)


@pytest.fixture
def fake(monkeypatch):
    """Workers without TensorFlow, whose figures are known."""
    monkeypatch.setattr(child, "MODULE", "tests.benchmark.fake_worker")


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def test_what_a_worker_is_told_arrives_whole():
    job = Job(PLAN, "float32", "train", 5e9)
    again = Job.from_json(job.to_json())
    assert again == job and again.plan.config == PLAN.config


@pytest.mark.parametrize("room", [1, 13])
def test_the_largest_batch_is_found_and_nothing_dies_but_the_workers(fake, room):
    plan = dataclasses.replace(
        PLAN, precisions=("float32",), memory_limit=BARE + EACH * (room + 0.5)
    )
    told = []
    found = measure(plan, lambda series, images: told.append((series.work, images, series.over)))
    for work in ("predict", "train"):
        series = found.of("float32", work)
        assert (series.fits, series.failed, series.searched) == (room, room + 1, True)
        assert series.problem == ""
        assert [batch.images for batch in series.timed] == [n for n in (1, 2, 4, 8) if n <= room]
        assert series.single.median == pytest.approx(0.2)
    assert told[0] == ("predict", 0, False) and told[-1] == ("train", 0, True)
    assert found.machine["versions"] == {"keras": "3"}


def test_not_even_one_image_fits(fake):
    plan = dataclasses.replace(PLAN, precisions=("float32",), memory_limit=BARE)
    series = measure(plan).of("float32", "predict")
    assert (series.fits, series.failed, series.searched) == (0, 1, True)


def test_what_does_not_work_is_said_and_the_others_go_on(fake):
    plan = dataclasses.replace(PLAN, precisions=("bfloat16", "float32"), batch_sizes=(1, 3))
    found = measure(dataclasses.replace(plan, search=False))
    assert found.of("bfloat16", "predict").problem == "UnimplementedError: no kernel"
    problem = found.of("bfloat16", "train").problem
    assert problem == "the process ended with code 3 (words of a library)"
    for work in ("predict", "train"):
        series = found.of("float32", work)
        assert (series.fits, series.failed, series.searched) == (3, None, False)


def test_what_stands_still_is_given_up(fake):
    found = measure(dataclasses.replace(PLAN, precisions=("float16",), time_limit=1.0))
    for work in ("predict", "train"):
        assert "--time-limit gives more" in found.of("float16", work).problem


def test_a_search_that_time_does_not_suffice_for_ends(fake):
    """A third of the time is for predicting; the worker says that an image takes a second."""
    limit = BARE + EACH * 200.5
    plan = dataclasses.replace(PLAN, precisions=("float32",), memory_limit=limit, time_limit=300.0)
    series = measure(plan).of("float32", "predict")
    assert (series.fits, series.failed, series.searched) == (64, None, False)
    assert series.outlook == pytest.approx(200.5)


def test_a_worker_that_the_system_killed_was_out_of_memory(fake):
    worker = Worker(Job(PLAN, "float32", "predict", 5e9), soon())
    os.kill(worker._process.pid, signal.SIGKILL)
    with pytest.raises(EndedError) as ended:
        worker.ask(ONCE, soon())
    assert ended.value.why == MEMORY


def test_a_worker_that_does_not_answer_is_ended(fake):
    with pytest.raises(EndedError) as ended:
        Worker(Job(PLAN, "float16", "predict", 5e9), soon(0.5))
    assert ended.value.why == TIME


def test_a_worker_that_cannot_begin(fake, monkeypatch):
    monkeypatch.setattr(child, "MODULE", "tests.benchmark.no_such_module")
    with pytest.raises(EndedError, match="no_such_module") as ended:
        Worker(Job(PLAN, "float32", "predict", 5e9), soon())
    assert ended.value.why == ERROR


@pytest.mark.slow
def test_a_real_worker_ends_itself_when_it_holds_too_much():
    """TensorFlow alone is more than 100 MB."""
    with pytest.raises(EndedError) as ended:
        Worker(Job(PLAN, "float32", "predict", 1e8), soon(600))
    assert ended.value.why == MEMORY
