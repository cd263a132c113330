"""The four resizes: literal cases, loops, scikit-image, and the references' own inputs."""

import importlib.util
import json

import numpy as np
import pytest
import skimage.data
import skimage.transform

from kmaskrcnn.data.geometry import prepare_image
from kmaskrcnn.data.resizing import resize, resized_size
from tests.data.samples import noise_image
from tests.shared import shared_path

METHODS = ("affine", "torchvision", "detectron2", "matterport")
DETECTRON2 = (
    "mask_rcnn_R_50_FPN",  # two photographs
    "mask_rcnn_R_50_DC5",
    "cityscapes_mask_rcnn_R_50_FPN",
)
TORCHVISION = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_800", "keypointrcnn_resnet50_fpn")
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def columns(*values):
    """A picture of one row, grey."""
    return np.repeat(np.array(values, np.uint8)[None, :, None], 3, axis=2)


def case(name):
    """A reference's state.json, its answers, and its photographs (H, W, 3) RGB."""
    spec = importlib.util.spec_from_file_location("seeded", shared_path("parity/seeded.py"))
    seeded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(seeded)
    state = json.loads(shared_path(f"parity/{name}/state.json").read_text())
    photos = [getattr(skimage.data, photo)() for photo in state["photos"]]
    return state, seeded.expected(name), photos


@pytest.mark.parametrize(
    ("size", "affine", "torchvision", "detectron2", "matterport"),
    [
        ((427, 640), (800, 1199), (800, 1199), (800, 1199), (683, 1024)),
        ((480, 640), (800, 1067), (800, 1066), (800, 1067), (768, 1024)),
        ((375, 500), (800, 1067), (800, 1066), (800, 1067), (768, 1024)),
        ((900, 850), (847, 800), (847, 800), (847, 800), (900, 850)),  # matterport never shrinks
        ((184, 100), (1333, 724), (1333, 724), (1333, 724), (1024, 557)),
        ((5000, 2), (1333, 1), (1333, 1), (1333, 1), (1024, 1)),
    ],
)
def test_sizes(size, affine, torchvision, detectron2, matterport):
    assert resized_size(size, 800, 1333, "affine") == affine
    assert resized_size(size, 800, 1333, "torchvision") == torchvision
    assert resized_size(size, 800, 1333, "detectron2") == detectron2
    assert resized_size(size, 800, 1024, "matterport") == matterport


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="a resize among affine, torchvision, .* got 'bicubic'"):
        resize(columns(1, 2), 2, 2, "bicubic")


def test_a_literal_row_twice_as_long():
    row = columns(0, 100, 200)
    torchvision = resize(row, 2, 6, "torchvision").image[0, :, 0]
    np.testing.assert_array_equal(torchvision, [0, 25, 75, 125, 175, 200])
    # Rows and columns darken towards the black outside: 3/4 of the height's, and the last column's.
    matterport = resize(row, 2, 6, "matterport").image[0, :, 0]
    np.testing.assert_array_equal(matterport, [0, 18, 56, 93, 131, 112])


def test_matterports_borders_are_no_darker_than_its_darkest_pixel():
    np.testing.assert_array_equal(resize(columns(90, 100), 2, 4, "matterport").image, 90)


def test_a_literal_row_half_as_long():
    row = np.repeat(columns(0, 200, 100, 50), 2, axis=0)
    assert resize(row, 1, 9, "torchvision").image[0, :, 0].tolist() == [100, 75]
    assert resize(row, 1, 9, "detectron2").image[0, :, 0].tolist() == [100, 93]  # of 3 columns


def slow_value(image, y, x, channel, black_outside):
    """One bilinear sample of the pixels' centres."""
    height, width = image.shape[:2]
    total = 0.0
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            weight = (1 - abs(y - row)) * (1 - abs(x - column))
            inside = 0 <= row < height and 0 <= column < width
            near = image[min(max(row, 0), height - 1), min(max(column, 0), width - 1), channel]
            total += weight * (near if inside or not black_outside else 0)
    return total


@pytest.mark.parametrize(("min_size", "max_size"), [(11, 40), (5, 40), (9, 10)])
def test_interpolation_equals_a_loop(min_size, max_size):
    image = noise_image(7, 9)
    image[3, 4] = 0  # nothing is lifted to the darkest pixel
    for method in ("torchvision", "matterport"):
        got = resize(image, min_size, max_size, method).image
        exact = np.zeros(got.shape)
        for index in np.ndindex(*got.shape):
            y, x = ((index[i] + 0.5) * image.shape[i] / got.shape[i] - 0.5 for i in range(2))
            exact[index] = slow_value(image, y, x, index[2], method == "matterport")
        if method == "matterport":
            np.testing.assert_array_equal(got, np.floor(exact + 1e-6))
        else:
            np.testing.assert_allclose(got, exact, atol=1e-4)


@pytest.mark.parametrize("size", [(60, 80), (75, 40), (300, 255)])
@pytest.mark.parametrize("darkest", [0, 40])
def test_matterports_equals_scikit_image(size, darkest):
    image = np.maximum(noise_image(*size), darkest)
    got = resize(image, 100, 128, "matterport").image
    exact = skimage.transform.resize(
        image, got.shape[:2], order=1, mode="constant", preserve_range=True, anti_aliasing=False
    )
    np.testing.assert_array_equal(got, np.floor(exact + 1e-6))


@pytest.mark.parametrize("method", METHODS)
def test_a_mirrored_image_is_resized_to_the_mirrored_pixels(method):
    image = noise_image(31, 47)
    straight = resize(image, 24, 30, method)
    mirrored = resize(image[::-1, ::-1], 24, 30, method)
    allowed = 1e-3 if method == "torchvision" else 0
    away = straight.image[::-1, ::-1].astype(float) - mirrored.image
    assert np.abs(away).max() <= allowed


@pytest.mark.parametrize("method", METHODS)
def test_types_shapes_and_scales(method):
    image = noise_image(30, 50)
    pixels, scale = resize(image, 60, 80, method)
    assert pixels.shape == (*resized_size((30, 50), 60, 80, method), 3)
    assert pixels.dtype == (np.float32 if method == "torchvision" else np.uint8)
    np.testing.assert_array_equal(
        scale, np.float32([pixels.shape[1] / 50, pixels.shape[0] / 30]), strict=True
    )


@pytest.mark.parametrize("method", METHODS)
def test_an_image_of_the_right_size_keeps_its_pixels(method):
    image = noise_image(30, 40)
    np.testing.assert_array_equal(resize(image, 30, 40, method).image, image)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_pixel(method):
    image = np.full((1, 1, 3), 200, np.uint8)
    np.testing.assert_array_equal(resize(image, 4, 8, method).image, np.full((4, 4, 3), 200))


def test_affine_is_what_training_does():
    image = noise_image(48, 64)
    np.testing.assert_array_equal(
        resize(image, 30, 100).image, prepare_image(image, 30, 100)[0], strict=True
    )


@pytest.mark.parametrize("name", DETECTRON2)
def test_detectron2s_bytes(name):
    state, answers, photos = case(f"detectron2_{name}")
    for i, photo in enumerate(photos):
        image = resize(photo, state["min_size"], state["max_size"], "detectron2").image[..., ::-1]
        assert image.shape == tuple(answers[f"resized/{i}/uint8/shape"])
        sample = image.ravel()[answers[f"resized/{i}/uint8/index"]]
        np.testing.assert_array_equal(sample, answers[f"resized/{i}/uint8/value"])
        np.testing.assert_array_equal(image[::40], answers[f"resized/{i}/png_rows"])


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_input(name):
    state, answers, photos = case(f"torchvision_{name}")
    batch = np.zeros(answers["input/nhwc/shape"], np.float32)
    for row, photo, size in zip(batch, photos, answers["input/sizes"], strict=True):
        image = resize(photo, state["min_size"], state["max_size"], "torchvision").image
        assert image.shape[:2] == tuple(size)
        row[: size[0], : size[1]] = (image - np.float32(MEAN)) / np.float32(STD)
    got, expected = batch.ravel()[answers["input/nhwc/index"]], answers["input/nhwc/value"]
    assert np.linalg.norm(got - expected) <= 5e-7 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_matterports_input(name):
    state, answers, [photo] = case(f"matterport_mask_rcnn_{name}")
    config = state["config"]
    side = config["IMAGE_MAX_DIM"]
    image = resize(photo, config["IMAGE_MIN_DIM"], side, "matterport").image
    image.ravel()[answers["input/one_less_index"]] -= 1  # where its float64 fell below the whole
    top, left, bottom, right = answers["input/window"]
    batch = np.zeros((1, side, side, 3))
    batch[0, top:bottom, left:right] = image
    batch = (batch - config["MEAN_PIXEL"]).astype(np.float32)
    got = batch.ravel()[answers["input/nhwc/index"]]
    np.testing.assert_array_equal(got, answers["input/nhwc/value"])
