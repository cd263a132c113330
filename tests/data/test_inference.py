"""Batches of resized images, and boxes on their way back."""

import json

import numpy as np
import pytest

from kmaskrcnn.data import InputSize, inference_batches
from kmaskrcnn.data.geometry import Canvas, lay_out, place, prepare_image
from kmaskrcnn.data.inference import Origin, joint_batch, points_to_original, to_original
from kmaskrcnn.data.resizing import resize
from tests.data.samples import noise_image
from tests.shared import shared_path


def origin(size, resized, canvas="corner", max_size=1024, index=0):
    return Origin(index, size, resized, lay_out(resized, canvas, max_size, 32))


def test_equal_shapes_go_together():
    images = [noise_image(30, 40), noise_image(40, 30), noise_image(31, 40), noise_image(30, 40)]
    batches = list(inference_batches(iter(images), InputSize(60, 100, 32), batch_size=2))
    assert [[o.index for o in batch.origins] for batch in batches] == [[0, 2], [1], [3]]
    assert [batch.images.shape for batch in batches] == [
        (2, 64, 96, 3),
        (1, 96, 64, 3),
        (1, 64, 96, 3),
    ]
    np.testing.assert_array_equal(
        batches[0].image_sizes, np.float32([[60, 80], [60, 77]]), strict=True
    )


def test_a_batch_holds_what_training_sees_and_zeros():
    image = noise_image(48, 64)
    [batch] = inference_batches([image], InputSize(30, 100, 32))
    pixels, _ = prepare_image(image, 30, 100)
    np.testing.assert_array_equal(batch.images[0, :30, :40], pixels)
    assert batch.images.dtype == np.uint8 and batch.images.sum() == pixels.sum()
    assert batch.origins == [Origin(0, (48, 64), (30, 40), Canvas((32, 64), 0, 0))]


@pytest.mark.parametrize("canvas", ["corner", "square"])
@pytest.mark.parametrize("method", ["affine", "torchvision", "detectron2", "matterport"])
def test_every_resize_on_every_canvas(method, canvas):
    image = noise_image(30, 45)
    [batch] = inference_batches([image], InputSize(61, 96, 32, method, canvas))
    pixels = resize(image, 61, 96, method).image
    height, width = pixels.shape[:2]
    where = batch.origins[0].canvas
    expected = (64, 96) if canvas == "corner" else (96, 96)
    assert batch.images.shape == (1, *expected, 3) and where.size == expected
    assert batch.images.dtype == pixels.dtype
    top, left = (0, 0) if canvas == "corner" else ((96 - height) // 2, (96 - width) // 2)
    assert (where.top, where.left) == (top, left)
    np.testing.assert_array_equal(batch.images[0, top : top + height, left : left + width], pixels)
    assert batch.images.sum(dtype=float) == pixels.sum(dtype=float)
    assert batch.image_sizes.tolist() == [[height, width]]


@pytest.mark.parametrize("canvas", ["corner", "square"])
def test_all_images_in_one_batch(canvas):
    images = [noise_image(30, 45), noise_image(45, 30, seed=1)]
    batch = joint_batch(images, InputSize(60, 96, 32, "detectron2", canvas))
    assert batch.images.shape == (2, 96, 96, 3)
    assert batch.image_sizes.tolist() == [[60, 90], [90, 60]]
    for row, image, origin in zip(batch.images, images, batch.origins, strict=True):
        pixels = resize(image, 60, 96, "detectron2").image
        (height, width), where = origin.resized, origin.canvas
        top, left = (0, 0) if canvas == "corner" else ((96 - height) // 2, (96 - width) // 2)
        assert where == Canvas((96, 96), top, left)
        np.testing.assert_array_equal(row[top : top + height, left : left + width], pixels)
        assert row.sum() == pixels.sum()


def test_no_images_no_batches():
    assert list(inference_batches([], InputSize(60, 100))) == []


@pytest.mark.parametrize("count", [0, -1, 1.5, "two", None])
def test_a_batch_of_no_images(count):
    with pytest.raises(ValueError, match="batch_size is the number of images"):
        next(inference_batches([noise_image(9, 9)], InputSize(8, 8), batch_size=count))


def test_the_odd_pixel_of_a_square_lies_below_and_right():
    assert lay_out((3, 2), "square", 7, 1) == Canvas((7, 7), 2, 2)
    assert lay_out((3, 2), "square", 7, 4) == Canvas((8, 8), 2, 3)
    assert lay_out((3, 2), "corner", 7, 4) == Canvas((4, 4), 0, 0)
    placed = np.zeros((3, 3), np.uint8)
    place(np.ones((1, 2), np.uint8), Canvas((3, 3), 1, 0), placed)
    np.testing.assert_array_equal(placed, [[0, 0, 0], [1, 1, 0], [0, 0, 0]])


def test_a_canvas_that_is_none_or_too_small():
    with pytest.raises(ValueError, match="'corner' or 'square', got 'round'"):
        lay_out((9, 4), "round", 9, 32)
    with pytest.raises(ValueError, match="9×4 does not fit on 8 squared"):
        lay_out((9, 4), "square", 8, 32)


def test_boxes_of_pixels_return_by_a_ratio_an_axis():
    boxes, kept = to_original([[10, 20, 30, 80], [0, 0, 200, 100]], origin((50, 400), (100, 200)))
    np.testing.assert_array_equal(
        boxes, np.float32([[20, 10, 60, 40], [0, 0, 400, 50]]), strict=True
    )
    assert kept.tolist() == [True, True]


def test_boxes_of_a_square_canvas_lose_its_border_first():
    where = origin((50, 400), (100, 200), "square", 256)
    assert (where.canvas.top, where.canvas.left) == (78, 28)
    boxes, _ = to_original([[38, 98, 58, 158]], where)
    np.testing.assert_array_equal(boxes, [[20, 10, 60, 40]])
    points = points_to_original([[[38, 98], [28, 78]]], where)
    np.testing.assert_array_equal(points, np.float32([[[20, 10], [0, 0]]]), strict=True)


def test_boxes_are_clipped_and_what_has_no_area_is_told():
    boxes, kept = to_original(
        [[-5, -5, 300, 40], [10, 10, 10, 30], [210, 10, 230, 30]], origin((50, 400), (100, 200))
    )
    np.testing.assert_array_equal(boxes, [[0, 0, 400, 20], [20, 5, 20, 15], [400, 5, 400, 15]])
    assert kept.tolist() == [True, False, False]


def test_a_ratio_is_rounded_once_as_the_references_round():
    where = origin((427, 640), (800, 1199))
    edge = np.float32(1037.3)
    boxes, _ = to_original([[0, 0, edge, 700]], where)
    assert boxes[0, 2] == edge * (np.float32(640) / np.float32(1199))


@pytest.mark.parametrize("frame", ["pixels", "normalised"])
def test_no_boxes(frame):
    boxes, kept = to_original(np.zeros((0, 4)), origin((50, 400), (100, 200)), frame)
    assert boxes.shape == (0, 4) and boxes.dtype == np.float32 and kept.shape == (0,)


def test_a_normalised_window_is_the_whole_image():
    where = origin((300, 200), (96, 64), "square", 128)  # 32 columns left of it
    window = (np.float32([32, 16, 96, 112]) - [0, 0, 1, 1]) / 127
    left_half = window.copy()
    left_half[2] = (64 - 1) / 127
    boxes, kept = to_original([window, left_half, window[[0, 1, 0, 1]]], where, "normalised")
    # 31 of the 63 steps between the window's first and last column are 97.9 of the photograph's 199
    np.testing.assert_array_equal(boxes, [[0, 0, 200, 300], [0, 0, 99, 300], [0, 0, 1, 1]])
    assert kept.all()  # a point becomes the pixel behind it, as matterport's


def test_a_line_of_pixels_has_a_normalised_window():
    where = Origin(0, (1, 40), (1, 128), lay_out((1, 128), "square", 128, 32))
    window = (np.float32([0, 63, 128, 64]) - [0, 0, 1, 1]) / 127
    boxes, kept = to_original([window], where, "normalised")
    np.testing.assert_array_equal(boxes, [[0, 0, 40, 1]])
    assert kept.all()


@pytest.mark.parametrize(
    ("name", "size", "resized"),
    [("resnet50", (512, 512), (320, 320)), ("resnet101", (400, 600), (213, 320))],
)
def test_normalised_boxes_equal_matterports(name, size, resized):
    case = f"parity/matterport_mask_rcnn_{name}"
    config = json.loads(shared_path(f"{case}/state.json").read_text())["config"]
    answers = np.load(shared_path(f"{case}/expected.npz"))
    where = origin(size, resized, "square", config["IMAGE_MAX_DIM"])
    found = answers["detections/0/graph"]
    found = found[found[:, 4] > 0]
    boxes, kept = to_original(found[:, [1, 0, 3, 2]], where, "normalised")
    np.testing.assert_array_equal(boxes[kept][:, [1, 0, 3, 2]], answers["detections/0/rois"])


def test_a_batch_of_bytes_and_of_what_is_not_rounded_keeps_all():
    size = InputSize(min_size=4, max_size=8, size_divisor=8, resize="torchvision")
    bytes_alone = np.full((4, 4, 3), 7, np.uint8)  # has its size already
    resized = np.random.default_rng(0).integers(0, 255, (5, 6, 3)).astype(np.uint8)
    (batch,) = inference_batches([bytes_alone, resized], size, 2)
    assert batch.images.dtype == np.float32
    np.testing.assert_array_equal(batch.images[0, :4, :4], bytes_alone)
    assert np.any(batch.images[1] % 1)
