"""Whatever a person hands to `predict`: a result, or a sentence that says what to do instead."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kmaskrcnn import data
from kmaskrcnn.model import MaskRCNN
from tests.data.samples import noise_image, write_image


@pytest.fixture(scope="module")
def model():
    """Finds something although it has learned nothing; traced once for all the tests here."""
    return MaskRCNN.from_preset("tiny", ["a", "b"], score_threshold=0.0)


@pytest.fixture
def shapes():
    return data.ShapesDataset(4, seed=0, image_size=(64, 64))


def write_film(path):
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (30, 20))
    film.write(noise_image(20, 30))
    film.release()
    return path


def write(path, content):
    path.write_bytes(content)
    return path


def write_gif(path):
    frames = [Image.fromarray(noise_image(20, 30, seed)) for seed in range(2)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def images_and_broken(folder):
    write_image(folder / "a.png")
    write(folder / "broken.jpg", b"\xff\xd8\xff no more")
    return folder


def deep(folder):
    cv2.imwrite(str(folder / "deep.png"), noise_image(20, 30).astype(np.uint16) * 257)
    return folder / "deep.png"


# What is given, and the (height, width) of each result.
RESULTS = {
    "an empty list": (lambda folder: [], []),
    "1×1": (lambda folder: noise_image(20, 30)[:1, :1], [(1, 1)]),
    "10,000×100": (lambda folder: noise_image(10_000, 100), [(10_000, 100)]),
    "100×10,000": (lambda folder: noise_image(100, 10_000), [(100, 10_000)]),
    "an odd size": (lambda folder: noise_image(7, 301), [(7, 301)]),
    "alpha": (lambda folder: np.dstack([noise_image(33, 50)] * 2)[..., :4], [(33, 50)]),
    "a batch": (lambda folder: np.stack([noise_image(20, 30)] * 2), [(20, 30)] * 2),
    "grey": (lambda folder: noise_image(20, 30)[..., 0], [(20, 30)]),
    "16 bits": (lambda folder: noise_image(20, 30).astype(np.uint16) * 257, [(20, 30)]),
    "a file of 16 bits": (deep, [(20, 30)]),
    "floats in 0 … 1": (lambda folder: noise_image(20, 30) / 255, [(20, 30)]),
    "Pillow's": (lambda folder: Image.fromarray(noise_image(20, 30)), [(20, 30)]),
}
SENTENCES = {
    "None": (lambda folder: None, "got NoneType. Did reading the image fail"),
    "a dict": (lambda folder: {"image": noise_image(4, 4)}, "got dict. Give the value"),
    "a number": (lambda folder: 3.0, "predict takes a path, a folder, an array .*; got float"),
    "an address": (lambda folder: "https://example.org/a.jpg", "not fetched. Download it"),
    "a file that is not there": (lambda folder: folder / "nowhere.jpg", "no such image"),
    "a folder without images": (lambda folder: folder, "no image in this folder"),
    "a folder with a broken one": (images_and_broken, r"broken\.jpg: the file is cut off"),
    "a video": (lambda folder: write_film(folder / "film.avi"), r"film\.avi: .* a video.*ffmpeg"),
    "mp4": (lambda folder: write(folder / "a.mp4", b"\0\0\0\x1cftypisom"), "a video.*ffmpeg"),
    "mov": (lambda folder: write(folder / "a.mov", b"\0\0\0\x14ftypqt  "), "a video.*ffmpeg"),
    "an animation": (
        lambda folder: write_gif(folder / "a.gif"),
        r"a\.gif: (2 pictures|a GIF .* 4\.12 on)",
    ),
    "a text": (
        lambda folder: write(folder / "a.txt", b"hello"),
        r"a\.txt: not an image .*Expected",
    ),
    "an empty file": (lambda folder: write(folder / "a.jpg", b""), r"a\.jpg: not an image"),
    "floats to 255": (lambda folder: noise_image(4, 4) * 1.0, "values .*float in 0 … 1: scale it"),
    "NaN": (lambda folder: np.full((4, 4), np.nan), "float64 with values nan"),
    "no pixels": (lambda folder: noise_image(4, 4)[:0], "not empty"),
    "channels first": (lambda folder: np.zeros((3, 4, 5), np.uint8), "transpose"),
    "five channels": (lambda folder: np.zeros((4, 4, 5), np.uint8), r"the shape \(4, 4, 5\)"),
}


@pytest.mark.parametrize(("make", "sizes"), RESULTS.values(), ids=RESULTS.keys())
def test_a_result(model, make, sizes, tmp_path):
    found = model.predict(make(tmp_path))
    assert [detections.image_size for detections in found] == sizes
    for detections, (height, width) in zip(found, sizes, strict=True):
        assert len(detections)
        assert np.all(detections.boxes >= 0)
        assert np.all(detections.boxes <= [width, height, width, height])
        assert detections.masks.shape[1:] == (height, width)


@pytest.mark.parametrize(("make", "message"), SENTENCES.values(), ids=SENTENCES.keys())
def test_a_sentence(model, make, message, tmp_path):
    with pytest.raises((data.DataError, TypeError), match=message) as raised:
        model.predict(make(tmp_path))
    assert "\n" not in str(raised.value)


def test_paths_folders_arrays_and_lists_give_the_same(model, shapes, tmp_path):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), shapes[i].image[..., ::-1])
    (tmp_path / "notes.txt").write_text("no image")
    from_folder = model.predict(tmp_path)
    from_list = model.predict([tmp_path / "0.png", shapes[1].image])
    from_stack = model.predict(np.stack([shapes[i].image for i in range(2)]), batch_size=2)
    assert len(from_folder) == len(from_list) == len(from_stack) == 2
    for one, two, three in zip(from_folder, from_list, from_stack, strict=True):
        np.testing.assert_array_equal(one.boxes, two.boxes)
        np.testing.assert_allclose(one.boxes, three.boxes, atol=1e-2)
    assert from_folder[0].draw().shape == shapes[0].image.shape
