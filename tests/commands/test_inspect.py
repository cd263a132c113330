"""A dataset is looked at: what is said, drawn and written."""

import json

import cv2
import pytest

from kmaskrcnn.data import ShapesDataset
from tests.coco_folder import write_coco
from tests.terminal import run


@pytest.fixture
def shapes(tmp_path):
    """A COCO file of four pictures, one of them cut short, one annotation doubled."""
    path = write_coco(ShapesDataset(4, seed=1, image_size=(64, 64)), tmp_path, "train")
    (tmp_path / "train" / "0000.png").write_bytes(b"no image")
    content = json.loads(path.read_text())
    twin = next(a for a in content["annotations"] if a["image_id"] == 2)
    content["annotations"].append({**twin, "id": 9999})
    path.write_text(json.dumps(content))
    return path


def test_what_is_said(shapes):
    result = run("inspect", shapes)
    assert result.exit_code == 0, result.output
    assert "3 usable of 4" in result.output and "0000.png" in result.output
    assert "9999" in result.output


def test_it_is_written_and_drawn(shapes, tmp_path):
    out = tmp_path / "look"
    result = run("inspect", shapes, "--out", out, "--limit", 2, "--json")
    facts = json.loads(result.stdout)
    assert facts["images"] == 4 and len(facts["broken"]) == 1 and facts["problems"]
    names = ["report.html", "report.txt", "samples.png", "suspicious.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert cv2.imread(str(out / "samples.png")).std() > 1
    assert "9999" in (out / "report.txt").read_text()


def test_what_a_training_would_see_is_drawn(shapes, tmp_path):
    out = tmp_path / "look"
    options = ["--preset", "tiny", "--limit", 8, "--augment", "flip", "--augment-set", "mosaic=1"]
    result = run("inspect", shapes, "--out", out, *options)
    assert result.exit_code == 0 and "augmented.png" in result.output
    rows = cv2.imread(str(out / "augmented.png")).shape[0]
    assert rows == 2 * (320 + 22 + 8) + 8
    result = run("inspect", shapes, "--augment", "flip")
    assert result.exit_code == 2 and "--out" in result.output


def test_nothing_there(tmp_path):
    result = run("inspect", tmp_path / "gone.json")
    assert result.exit_code == 2 and "gone.json" in result.output
