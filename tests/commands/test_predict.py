"""Names of pictures, ids of images, and whatever people give that is no image."""

import json
from pathlib import Path

import pytest

from kmaskrcnn.commands.predict import image_id, image_sources, picture_names
from kmaskrcnn.data import load
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.structures import Detections
from tests.data.samples import write_image
from tests.terminal import run


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    MaskRCNN.from_preset("tiny", ["a", "b"], score_threshold=0.0).save(path)
    return path


def test_files_to_predict(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "sub/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = image_sources([tmp_path, tmp_path / "sub"])
    assert [str(f.relative_to(tmp_path)) for f in files] == ["a.jpg", "b.PNG", "sub/a.png"]
    assert list(picture_names(files).values()) == ["a.jpg", "b.jpg", "a-2.jpg"]


def test_image_ids():
    paths = [Path("a/000000000139.jpg"), Path("a/deer.jpg"), Path("b/deer.jpg"), Path("x.png")]
    ids = [image_id(path, paths) for path in paths]
    assert ids == [139, "a/deer.jpg", "b/deer.jpg", "x.png"]


AT_ONCE = {
    "a file that is not there": ("gone.jpg", "gone.jpg: there is no such image or folder"),
    "an address": ("https://example.org/a.jpg", "https://example.org/a.jpg: addresses are not"),
    "a pattern": ("*.tif", "patterns are not looked up. Give the folder"),
    "a folder without images": ("empty", "empty: no image in this folder"),
}


@pytest.mark.parametrize(("given", "said"), AT_ONCE.values(), ids=AT_ONCE.keys())
def test_nothing_to_predict_is_a_sentence(given, said, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    result = run("predict", model, given, "--out", "out")
    assert result.exit_code == 2
    assert said in " ".join(result.output.split()) and "Traceback" not in result.output
    assert not Path("out").exists()


def test_what_is_no_image_is_told_and_the_rest_is_done(model, tmp_path, monkeypatch, eagerly):
    monkeypatch.chdir(tmp_path)
    Path("film.mp4").write_bytes(b"\0\0\0\x1cftypisom" + bytes(100))
    Path("notes.txt").write_text("hello")
    Path("empty.png").touch()
    write_image(Path("one.png"), 1, 1)
    write_image(Path("tall.png"), 3000, 30)
    odd = ["film.mp4", "notes.txt", "empty.png"]
    result = run("predict", model, *odd, "one.png", "tall.png", "--out", "out")
    said = " ".join(result.output.split())
    assert result.exit_code == 2 and "3 of 5 images failed" in said
    assert "film.mp4: not an image that can be decoded: this is a video" in said
    assert "ffmpeg -i film.mp4" in said
    assert "notes.txt: not an image" in said and "empty.png: not an image" in said
    assert {path.name for path in Path("out").iterdir()} == {
        "one.jpg",
        "tall.jpg",
        "predictions.json",
    }


def test_labelme_files_are_a_dataset_and_stay_when_they_are_there(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image(Path("photos/a.png"), 64, 64)
    write_image(Path("photos/b.png"), 64, 64)
    corrected = Detections.empty(["a"], (64, 64)).to_labelme("a.png")
    Path("photos/a.json").write_text(json.dumps(corrected))
    given = ("predict", model, "photos", "--out", "out", "--score", "0", "--labelme", "photos")
    result = run(*given)
    assert result.exit_code == 0
    assert "LabelMe files in photos, 1 that were there are kept." in result.output
    assert json.loads(Path("photos/a.json").read_text()) == corrected
    dataset = load("photos")
    assert len(dataset) == 2 and set(dataset.class_names) <= {"a", "b"}
    assert len(dataset[0].instances) == 0 and len(dataset[1].instances) > 0
