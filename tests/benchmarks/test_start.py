"""The phases of a fresh process, with a contestant that does nothing."""

import sys
from types import SimpleNamespace

from benchmarks import start


def test_every_phase_in_turn(monkeypatch, tmp_path):
    done = []
    fake = SimpleNamespace(
        framework=lambda: done.append("framework"),
        make_predict=lambda folder: done.append(folder) or (lambda: done.append("run")),
    )
    monkeypatch.setitem(sys.modules, "benchmarks.side_by_side.workers.fake", fake)
    monkeypatch.setitem(start.PACKAGES, "fake", "json")
    names = list(start.phases("fake", "predict", tmp_path))
    assert done == ["framework", tmp_path, "run", "run"]
    assert names == ["imported", "model made and loaded", "first prediction", "second prediction"]


def test_the_table_compares_in_turns(capsys):
    ours = {"imported": 1.0, "first prediction": 2.0, "second prediction": 1.5}
    theirs = {"imported": 2.0, "first prediction": 4.0, "second prediction": 1.0}
    start.show("predict", [{"kmaskrcnn": ours, "torchvision": theirs}])
    lines = {row.split("│")[1].strip(): row for row in capsys.readouterr().out.splitlines()[3:-1]}
    assert "3.00" in lines["until the first"] and "0.50" in lines["until the first"]
    assert "1.50" in lines["second prediction"]


def test_alone_there_is_no_ratio(capsys):
    start.show("predict", [{"kmaskrcnn": {"imported": 1.0}}])
    assert "1.00" in capsys.readouterr().out
