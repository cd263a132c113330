"""The process that measures: when it stops, and what it says of too little memory."""

import math
import time

import pytest

from kmaskrcnn.benchmark import worker
from kmaskrcnn.benchmark.job import OUT_OF_MEMORY, Request


def test_it_runs_as_often_as_it_may():
    runs = []
    work = lambda images: runs.append(images) or 5  # noqa: E731
    answer = worker.timed(work, Request(3, most=4, least=1, seconds=60.0))
    assert runs == [3] * 5 and len(answer["seconds"]) == 4
    assert (answer["images"], answer["objects"]) == (3, 5) and answer["first"] >= 0


@pytest.mark.parametrize("least", [0, 2])
def test_it_stops_when_its_time_is_over(least):
    work = lambda images: time.sleep(0.02)  # noqa: E731
    answer = worker.timed(work, Request(1, most=9, least=least, seconds=0.0))
    assert len(answer["seconds"]) == least


def test_a_gpu_that_is_full_is_an_answer():
    def too_much(images):
        raise MemoryError("Unable to allocate 9 GiB")

    assert worker.answer(too_much, Request(1, 1, 1, 1.0)) == {"out_of_memory": True}


def test_the_watch_ends_the_process_at_its_limit(monkeypatch):
    codes = []
    monkeypatch.setattr(worker.os, "_exit", codes.append)
    held = iter([1.0, math.nan, 5.0, 7.0])
    worker.watch(6.0, lambda: next(held))
    while not codes:
        time.sleep(0.01)
    assert codes == [OUT_OF_MEMORY] and next(held, None) is None


def test_without_a_limit_nothing_is_watched(monkeypatch):
    monkeypatch.setattr(worker.threading, "Thread", lambda **_: pytest.fail("a thread"))
    worker.watch(math.nan)
