"""Datasets converted on the command line."""

import json

import pytest

from kmaskrcnn.cli.data import FORMATS
from kmaskrcnn.data import ShapesDataset, load
from kmaskrcnn.data.write import WRITERS
from tests.coco_folder import write_coco
from tests.terminal import run


@pytest.fixture
def shapes(tmp_path):
    return write_coco(ShapesDataset(5, seed=1, image_size=(48, 64)), tmp_path, "photos")


def test_the_formats_are_those_that_are_written():
    assert list(FORMATS) == list(WRITERS)


def test_two_parts(shapes, tmp_path):
    out = tmp_path / "out"
    done = run("data", "convert", shapes, out, "--val-fraction", 0.4, "--take", "link")
    assert done.exit_code == 0, done.output
    assert "5 images in" in done.output and "coco, images 3 (train), 2 (val)" in done.output
    assert [len(load(out, split=part)) for part in ("train", "val")] == [3, 2]


def test_what_is_lost(shapes, tmp_path):
    content = json.loads(shapes.read_text())
    content["annotations"][0]["iscrowd"] = 1
    shapes.write_text(json.dumps(content))
    out = tmp_path / "out"
    done = run("data", "convert", shapes, out, "--format", "yolo", "--val", shapes, "--json")
    facts = json.loads(done.stdout)
    assert facts["images"] == {"train": 5, "val": 5} and facts["format"] == "yolo"
    assert facts["lost"] == {"crowd left out, YOLO has none": 1}
    assert (out / "data.yaml").read_text().startswith("train: images/train\nval: images/val\n")


def test_mistakes(shapes, tmp_path):
    out = tmp_path / "out"
    done = run("data", "convert", shapes, out, "--val", shapes, "--val-fraction", 0.5)
    assert done.exit_code == 2 and "not both" in done.output
    done = run("data", "convert", tmp_path / "gone.json", out)
    assert done.exit_code == 2 and "gone.json: there is no such file" in done.output
    assert not out.exists()
