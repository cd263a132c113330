"""Tables: columns of the right values, as pandas and as CSV, and a sentence without pandas."""

import csv
import sys

import numpy as np
import pytest

from tests.detections.some import of_boxes, of_masks, probable, random_masks

COLUMNS = "class score x1 y1 x2 y2 width height area".split()


def test_to_pandas():
    pytest.importorskip("pandas", reason="an extra: pip install kmaskrcnn[pandas]")
    found = of_masks(random_masks())
    table = found.to_pandas()
    assert list(table.columns) == COLUMNS and len(table) == len(found)
    assert table["class"].tolist() == found.names
    assert table["score"].tolist() == found.scores.tolist()
    assert np.array_equal(table[["x1", "y1", "x2", "y2"]].to_numpy(), found.boxes)
    assert (table.width == table.x2 - table.x1).all() and (
        table.height == table.y2 - table.y1
    ).all()
    assert table.area.tolist() == found.area.tolist()
    image = np.full((*found.image_size, 3), 9, np.uint8)
    measured = found.to_pandas(measurements=True, image=image)
    expected = found.measure(image)
    assert set(expected) <= set(measured.columns)
    assert measured.orientation.tolist() == expected["orientation"].tolist()
    assert (measured.mean_red == 9).all()


def test_keypoints_and_nothing_in_a_table():
    pytest.importorskip("pandas", reason="an extra: pip install kmaskrcnn[pandas]")
    points = np.arange(12).reshape(2, 2, 3)
    names = {"keypoints": points, "keypoint_names": ["nose", "tail"]}
    table = of_boxes([[0, 0, 1, 1]] * 2, **names).to_pandas()
    assert table.tail_y.tolist() == [4, 10] and table.nose_score.tolist() == [2, 8]
    assert "1_x" in of_boxes([[0, 0, 1, 1]] * 2, keypoints=points).to_pandas()
    for nothing in (probable(0), of_boxes([])):
        assert list(nothing.to_pandas().columns) == COLUMNS and len(nothing.to_pandas()) == 0
        assert len(nothing.to_pandas(measurements=True)) == 0


def test_csv_needs_no_pandas(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = of_masks(random_masks())
    with pytest.raises(ImportError, match=r'pip install "kmaskrcnn\[pandas\]"'):
        found.to_pandas()
    path = found.save(tmp_path / "found.csv", measurements=True)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == found.names
    assert [float(row["centroid_x"]) for row in rows] == found.measure()["centroid_x"].tolist()
    assert [float(row["score"]) for row in rows] == found.scores.tolist()
    text = found[[]].save(tmp_path / "nothing.csv").read_text()
    assert text == ",".join(COLUMNS) + "\n"
