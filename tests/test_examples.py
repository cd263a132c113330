"""The examples run as they stand, at small settings, and are short."""

import runpy
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn.data import ShapesDataset
from tests.coco_folder import write_coco

EXAMPLES = Path(__file__).parent.parent / "examples"
SMALL = {
    "train_shapes.py": "--preset tiny --images 8 --epochs 1 --out out",
    "own_dataset.py": "--preset tiny --images 4 --epochs 1",
    "own_backbone.py": "--preset tiny --images 4 --epochs 1 --out out",
    "own_augmentation.py": "--preset tiny --images 4 --epochs 1 --out out",
    "training_loop.py": "--preset tiny --images 4 --epochs 1 --out out",
    "coco_as_in_the_paper.py": "coco --preset tiny --weights none --images-seen 4 --batch-size 2 "
    "--out out",
    "predict_folder_in_parallel.py": "model.keras photos --out out --threads 3 --score 0",
}
SAYS = {
    "train_shapes.py": "mask AP",
    "own_dataset.py": "Detections(",
    "own_backbone.py": "'C5': 'stage3b_add'",
    "own_augmentation.py": "mask AP",
    "training_loop.py": "epoch 1: loss",
    "coco_as_in_the_paper.py": "box AP",
    "predict_folder_in_parallel.py": "objects in 3 photographs",
}
WRITES = {
    "train_shapes.py": {"model.keras", "found.png"},
    "own_backbone.py": {"model.keras"},
    "own_augmentation.py": {"seen.png"},
    "training_loop.py": {"model.keras"},
    "coco_as_in_the_paper.py": {
        *(".lock", "last.keras", "best.keras", "model.keras", "history.csv", "pictures"),
    },
    "predict_folder_in_parallel.py": {f"{i:04}{s}" for i in range(3) for s in (".jpg", ".json")},
}
LONGEST = 80


def small_coco(folder: Path) -> None:
    """COCO's own layout, with four and two drawn images."""
    for part, count in (("train", 4), ("val", 2)):
        file = write_coco(ShapesDataset(count, image_size=(64, 64)), folder, f"{part}2017")
        (folder / "annotations").mkdir(exist_ok=True)
        text = file.read_text().replace(f"{part}2017/", "")
        (folder / "annotations" / f"instances_{part}2017.json").write_text(text)


def model_and_photos(folder: Path) -> None:
    """A model that finds something everywhere, three images, and a file that is none."""
    shapes = ShapesDataset(3, image_size=(64, 64))
    write_coco(shapes, folder, "photos")
    (folder / "photos" / "broken.jpg").write_bytes(b"no image")
    model = kmaskrcnn.MaskRCNN.from_preset("tiny", shapes.class_names, score_threshold=0.0)
    model.save(folder / "model.keras")


def test_every_example_is_run_here():
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_an_example_is_short_and_says_how_to_run_it(name):
    text = (EXAMPLES / name).read_text()
    assert len(text.splitlines()) <= LONGEST
    assert f"python examples/{name}" in text


@pytest.fixture
def few_graphs(request):
    """Two steps of the smallest model: tracing `fit`, which other tests do, takes ten times longer.

    An example with a `tf.function` of its own is traced all the same.
    """
    text = (EXAMPLES / request.getfixturevalue("name")).read_text()
    tf.config.run_functions_eagerly("tf.function" not in text)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_an_example_runs(name, tmp_path, monkeypatch, capsys, few_graphs):
    """In this process, as `python examples/NAME.py` in an empty folder."""
    if name.startswith("coco"):
        small_coco(tmp_path / "coco")
    if name.startswith("predict"):
        model_and_photos(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, *SMALL[name].split()])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capsys.readouterr().out
    assert SAYS[name] in printed
    if name.startswith("predict"):
        assert printed.count("left out: ") == 1 and "broken.jpg" in printed
    if name in WRITES:
        assert {path.name for path in (tmp_path / "out").iterdir()} == WRITES[name]
