"""Contestants take turns, and what they measured outlives whatever happens to them."""

import json
import sys

import pytest

from benchmarks.side_by_side import runner
from benchmarks.side_by_side.runner import Contestant

FAKE = "tests.benchmarks.fake_worker"
A, B, FAILING, UNABLE = (
    Contestant(name, sys.executable, FAKE, suffix)
    for name, suffix in (("a", "_a"), ("b", "_b"), ("failing", "_c"), ("unable", "_d"))
)


@pytest.fixture
def measure(tmp_path):
    """Runs the fake case, and gives the record and who ran in which order."""
    (tmp_path / "inputs").mkdir()
    order = tmp_path / "inputs" / "order"

    def run(*contestants, rounds, warm=0):
        order.write_text("")
        lines = []
        runner.measure("case", contestants, tmp_path, rounds=rounds, warm=warm, tell=lines.append)
        record = json.loads((tmp_path / "case.json").read_text())
        return record, order.read_text(), lines

    return run


def test_contestants_take_turns_another_one_first_each_time(measure):
    record, order, lines = measure(A, B, rounds=3)
    assert order == "abbaab"
    assert [set(runs) for runs in record["rounds"]] == [{"a", "b"}] * 3
    assert len(lines) == 3 and "case 3/3" in lines[-1]


def test_what_the_pipe_carries(measure):
    record, _, _ = measure(A, rounds=1)
    about, run = record["contestants"]["a"], record["rounds"][0]["a"]
    assert about["versions"] == {"framework": "1.0"} and about["bare_mb"] > 1
    assert run["answer"] == {"found": 3.0} and run["peak_mb"] >= about["bare_mb"]
    assert run["seconds"] > 0 and run["cpu_seconds"] >= 0


def test_warm_runs_do_not_count(measure):
    record, order, _ = measure(A, rounds=2, warm=3)
    assert order == "aaaaa" and len(record["rounds"]) == 2


def test_rounds_that_are_there_count(measure):
    first, _, _ = measure(A, B, rounds=1)
    second, order, _ = measure(A, B, rounds=3)
    assert second["rounds"][0] == first["rounds"][0] and len(order) == 4
    _, order, lines = measure(A, B, rounds=3)
    assert order == "" and "there already" in lines[0]


def test_other_contestants_begin_anew(measure):
    measure(A, rounds=2)
    record, order, _ = measure(A, B, rounds=1)
    assert order == "ab" and [set(runs) for runs in record["rounds"]] == [{"a", "b"}]


def test_who_fails_is_left_out_and_the_others_go_on(measure):
    record, order, lines = measure(A, FAILING, rounds=3)
    assert [set(runs) for runs in record["rounds"]] == [{"a", "failing"}, {"a"}, {"a"}]
    assert order == "aaa"
    assert "ended with status 1" in record["contestants"]["failing"]["error"]
    assert ["ended with status 1" in line for line in lines].count(True) == 1


def test_who_cannot_do_a_case_does_not_take_part(measure):
    record, _, _ = measure(A, UNABLE, rounds=1)
    assert set(record["contestants"]) == {"a"} and set(record["rounds"][0]) == {"a"}
