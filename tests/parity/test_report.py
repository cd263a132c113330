"""What the runner prints, and how it ends."""

import json

import pytest

from tests.parity import report
from tests.parity.__main__ import main
from tests.parity.report import Result
from tests.parity.rows import Row

SAME = Row("features", "P2", 2e-6, 3e-5)
FAR = Row("box", "deltas", 0.5, 3e-5, "shape (3,), theirs (4,)")
NOTED = Row("keypoints", "scores", 0.1, None)


def result(*rows, error="", name="a_case"):
    return Result(name, "torchvision/x", list(rows), 3.4, ("a note",), error)


def test_the_first_stage_that_differs_is_named():
    whole, broken = result(SAME, NOTED), result(SAME, FAR, Row("box", "logits", 1.0, 0.1))
    assert whole.ok and not broken.ok and broken.first == FAR
    assert report.verdict(whole) == "the same at every stage"
    assert report.verdict(broken) == "differs, first at box: deltas"
    assert report.verdict(result(error="no photo")) == "could not be run: no photo"
    assert not result().ok


def test_the_table():
    lines = report.text(result(SAME, FAR, NOTED)).splitlines()
    assert lines[0] == "a_case   (torchvision/x, 3 s)" and lines[1] == "  note: a note"
    assert lines[2].split() == ["ok", "features", "P2", "2.00e-06", "≤", "3e-05"]
    assert lines[3].startswith("  NO  box") and lines[3].endswith("shape (3,), theirs (4,)")
    assert lines[-1] == "  → differs, first at box: deltas"


def test_json_has_no_infinity():
    (found,) = json.loads(report.as_json([result(SAME, Row("box", "deltas", float("inf"), 1e-5))]))
    assert found["first"] == "box" and not found["ok"]
    assert found["rows"][1]["distance"] == "inf" and found["rows"][0]["ok"]


def test_markdown_shows_the_largest_of_a_stage():
    table = report.markdown([result(SAME, Row("features", "P3", 2.5e-5, 3e-5)), result(FAR)])
    assert table.splitlines() == [
        "| case | features | box |",
        "| --- | --- | --- |",
        "| a_case | 2.5e-05 | – |",
        "| a_case | – | **5.0e-01** |",
    ]


def test_a_folder_that_is_no_case(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "no case: it has no state.json" in capsys.readouterr().out
    assert main(["--all", str(tmp_path)]) == 1
    assert "no case below" in capsys.readouterr().out


def test_a_reference_that_nobody_knows(tmp_path, capsys):
    (tmp_path / "state.json").write_text('{"reference": "mmdet 3"}')
    assert main([str(tmp_path), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert "expected a reference among torchvision, detectron2" in found["error"]


def test_wrong_words(capsys):
    assert main(["somewhere", "--only", "heads"]) == 2
    assert "The stages are input, features, rpn" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([])


def test_markdown_is_bold_where_a_size_differs():
    sizes = Row("input", "sizes", 1.0, 0.0)
    assert report.markdown([result(sizes, Row("input", "images", 0.0, 3e-5))]).endswith("| **0** |")
