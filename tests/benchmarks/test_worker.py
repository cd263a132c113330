"""What a worker measures of a run."""

from pathlib import Path

import pytest

from benchmarks.side_by_side import worker


def test_a_short_run_is_repeated_and_its_mean_told(monkeypatch):
    clock = iter([0.0, 0.04, 0.08, 0.12, 0.12])  # start, after each run but the first …, end
    monkeypatch.setattr(worker.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(worker, "SHORTEST", 0.1)
    runs = []
    told = worker.timed(lambda: runs.append(1) or {"runs": len(runs)})
    assert told["answer"] == {"runs": 3} and told["seconds"] == pytest.approx(0.04)


def test_a_long_run_is_done_once(monkeypatch):
    monkeypatch.setattr(worker, "SHORTEST", 0.0)
    runs = []
    worker.timed(lambda: runs.append(1) or {})
    assert runs == [1]


def test_processor_time_and_answer_of_a_program():
    code = "import sys; sum(range(3_000_000)); print('chatter'); print('{\"word\": 7}')"
    run = worker.program(code, with_inputs=True)(Path("inputs"))
    before = worker.cpu_seconds()
    assert run() == {"word": 7}
    assert worker.cpu_seconds() - before > 0.01
    assert worker.peak_mb() > 5


def test_a_program_without_an_answer_and_one_that_fails():
    assert worker.program("print('chatter')")(Path())() == {}
    with pytest.raises(worker.subprocess.CalledProcessError):
        worker.program("raise SystemExit(3)")(Path())()
