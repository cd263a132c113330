"""Ratios of neighbours in time, and tables that say what agrees and who failed."""

import json

from benchmarks.side_by_side import figures, table


def run(seconds, peak=300.0, **answer):
    return {"seconds": seconds, "cpu_seconds": 2 * seconds, "peak_mb": peak, "answer": answer}


ROUNDS = [
    {"kmaskrcnn": run(2.0, found=100), "torchvision": run(4.0, 500.0, found=100)},
    {"kmaskrcnn": run(30.0, found=100), "torchvision": run(40.0, 500.0, found=101)},
    {
        "kmaskrcnn": run(1.0, found=100),
        "torchvision": run(4.0, 500.0, found=102),
        "limit": run(0.5),
    },
]
RECORD = {
    "case": "predict",
    "contestants": {
        "kmaskrcnn": {"versions": {"tensorflow": "2.21"}, "bare_mb": 200.0},
        "limit": {"versions": {}, "bare_mb": 200.0},
        "torchvision": {"versions": {"torch": "2.15"}, "bare_mb": 100.0},
        "garden": {"error": "ended with status 1; see its log"},
    },
    "rounds": ROUNDS,
    "machine": {"processor": "one of two cores"},
}


def test_a_spread_is_median_smallest_and_largest():
    assert figures.spread([3.0, 1.0, 2.0, 10.0]) == (2.5, 1.0, 10.0)
    assert table.cell(figures.Spread(0.5, 0.25, 1234.0)) == "0.5 (0.25 … 1,234)"
    assert figures.spread([]) is None


def test_a_ratio_is_taken_within_a_round():
    # Of medians it would be 2 / 4; and a round that one of them missed does not count.
    assert figures.ratio(ROUNDS, "kmaskrcnn", "torchvision") == (0.5, 0.25, 0.75)
    assert figures.ratio(ROUNDS, "kmaskrcnn", "limit") == (2.0, 2.0, 2.0)
    assert figures.ratio(ROUNDS, "kmaskrcnn", "garden") is None
    assert figures.ratio(ROUNDS, "limit", "limit") is None


def test_memory_is_above_the_framework():
    assert figures.memory(RECORD, "torchvision") == 400.0
    assert figures.memory_ratio(RECORD, "torchvision") == 0.25
    assert figures.memory_ratio(RECORD, "kmaskrcnn") is None


def test_answers_and_how_far_they_are_apart():
    assert figures.difference({"found": 100.0, "own": 1.0}, {"found": 101.0}) == 0.01
    assert figures.difference({"found": 100.0}, {}) is None
    assert table.answer_text(ROUNDS, "kmaskrcnn") == "100 found"
    assert table.answer_text(ROUNDS, "torchvision") == "101 found; 1.00% from ours"
    limit = [{"limit": run(0.5, gflop=200.0)}]
    assert table.answer_text(limit, "limit") == "200 GFLOP: 400 a second"


def test_the_limit_is_that_of_the_same_precision():
    assert figures.limit_of("kmaskrcnn bf16") == "limit bf16"
    assert figures.limit_of("torchvision") == "limit"


def test_the_summary_has_a_row_a_case_and_columns_a_peer():
    headings, row = table.summary([RECORD])
    named = dict(zip(headings, row, strict=True))
    assert named["ours ÷"] == "predict" and named["torchvision"] == "0.5 (0.25 … 0.75)"
    assert named["limit"] == "2 (2 … 2)" and named["memory ÷ torchvision's"] == "0.25"
    assert named["garden"] == named["bf16 ÷ torchvision"] == "–"


def test_the_table_of_a_folder(tmp_path, capsys):
    (tmp_path / "predict.json").write_text(json.dumps(RECORD))
    table.write(tmp_path)
    written = (tmp_path / "table.md").read_text()
    rows = [line for line in written.splitlines() if line.startswith("|")]
    rows = rows[3:]  # below the summary
    assert rows[2].startswith("| kmaskrcnn | 2 (1 … 30) | 4 | 2 (2 … 2) | – |")
    assert "| torchvision | 4 (4 … 40) | 8 |" in rows[4] and "0.5 (0.25 … 0.75)" in rows[4]
    assert rows[5] == "| garden | ended with status 1; see its log |"
    assert "3 rounds; one of two cores; kmaskrcnn: tensorflow 2.21" in written
    table.show(tmp_path)
    assert "torchvision" in capsys.readouterr().out
