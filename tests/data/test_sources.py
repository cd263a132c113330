"""What `predict` takes, as one path or array an image, and what it says to everything else."""

import numpy as np
import pytest
from PIL import Image

from kmaskrcnn.data import DataError, ShapesDataset, image_sources
from tests.data.samples import noise_image, write_image


def test_sources_of_every_kind(tmp_path, monkeypatch):
    write_image(tmp_path / "b.png")
    write_image(tmp_path / "a.jpg")
    write_image(tmp_path / "._a.jpg")  # what macOS leaves on other people's disks
    (tmp_path / "notes.txt").write_text("no image")
    folder = [tmp_path / "a.jpg", tmp_path / "b.png"]
    assert image_sources(tmp_path) == folder
    assert image_sources([str(tmp_path / "b.png"), tmp_path]) == [tmp_path / "b.png", *folder]
    assert [x.shape for x in image_sources(np.zeros((2, 4, 5, 3)))] == [(4, 5, 3)] * 2
    assert [x.shape for x in image_sources([np.zeros((4, 5)), np.zeros((6, 5, 3))])] == [
        (4, 5),
        (6, 5, 3),
    ]
    assert image_sources([]) == [] and image_sources(np.zeros((0, 4, 5, 3))) == []
    monkeypatch.setenv("HOME", str(tmp_path))
    assert image_sources("~/a.jpg") == [tmp_path / "a.jpg"]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK"])
def test_pictures_of_pillow(mode):
    rgb = Image.fromarray(np.full((4, 5, 3), 102, np.uint8))
    [array] = image_sources(rgb.convert(mode))
    assert (array.ndim == 2) == (mode == "L")
    assert array.shape[:2] == (4, 5) and array.dtype == np.uint8
    if array.ndim == 3 and array.shape[2] == 3:
        np.testing.assert_allclose(array, 102, atol=2)  # colours, not the palette's numbers


PATHS = {
    "missing": ("gone.png", "there is no such image or folder"),
    "empty": ("", "the path is empty"),
    "address": ("https://example.org/a.jpg", "addresses are not fetched. Download it"),
    "pattern": ("*.png", r"patterns are not looked up. Give the folder, or sorted\(glob.glob"),
}


@pytest.mark.parametrize(("given", "message"), PATHS.values(), ids=PATHS.keys())
def test_paths_that_are_none(given, message):
    with pytest.raises(DataError, match=message):
        image_sources(given)


def test_a_folder_without_images_says_what_is_there(tmp_path):
    with pytest.raises(DataError, match="no image in this folder .it holds no file;"):
        image_sources(tmp_path)
    for name in ("a.mp4", "b.mp4", "notes.txt"):
        (tmp_path / name).touch()
    write_image(tmp_path / "day1" / "a.png")
    with pytest.raises(DataError, match=r"it holds 2 × \.mp4, 1 × \.txt;.*day1 holds some"):
        image_sources(tmp_path)


VALUES = {
    "None": (None, "got NoneType. Did reading the image fail"),
    "number": (3, r"got int. A picture as nested lists of numbers needs np.array"),
    "nested lists": ([[1, 2], [3, 4]], "got int. A picture as nested lists"),
    "dict": ({"image": noise_image(4, 4)}, "got dict. Give the value .* the keys image"),
    "bytes": (b"\xff\xd8\xff", "got bytes. Give the path, or decode the bytes"),
    "generator": (iter([noise_image(4, 4)]), "got list_iterator. Give list"),
    "dataset": (ShapesDataset(1), "got ShapesDataset. Of a dataset give"),
    "one axis": (np.zeros(3), "got ndarray of 1 axes"),
    "five axes": (np.zeros((1, 1, 1, 1, 3)), "got ndarray of 5 axes"),
    "ragged": (np.array([np.zeros(3), np.zeros(4)], dtype=object), "got ndarray of 1 axes"),
}


@pytest.mark.parametrize(("given", "message"), VALUES.values(), ids=VALUES.keys())
def test_values_that_are_none(given, message):
    with pytest.raises(TypeError, match=message):
        image_sources(given)
