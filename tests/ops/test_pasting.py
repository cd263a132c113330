"""Soft masks over their boxes: literal cases, loops, scikit-image, torchvision's own answers."""

import numpy as np
import pytest
import skimage.transform

from kmaskrcnn.ops.pasting import _AXES, paste_masks, paste_soft_mask
from tests.shared import shared_path

MODES = ("detectron2", "torchvision", "matterport")


def full(probabilities, box, image_size, mode):
    """The whole soft mask (H, W) and its window."""
    window, crop = paste_soft_mask(probabilities, box, image_size, mode=mode)
    x1, y1, x2, y2 = window
    assert crop.dtype == np.float32 and crop.shape == (y2 - y1, x2 - x1)
    assert all(type(edge) is int for edge in window)
    mask = np.zeros(image_size, np.float32)
    mask[y1:y2, x1:x2] = crop
    return mask, window


def test_a_literal_mask_by_three_ways():
    probabilities = np.float32([[0.8, 0.4], [0.8, 0.4]])
    detectron2, window = full(probabilities, [1, 1, 5, 5], (6, 6), "detectron2")
    assert window == (1, 1, 5, 5)
    np.testing.assert_allclose(detectron2[2, 1:5], [0.6, 0.7, 0.5, 0.3], atol=1e-6)
    # no pixel falls below the mask's own 0.4
    matterport, window = full(probabilities, [1, 1, 5, 5], (6, 6), "matterport")
    assert window == (1, 1, 5, 5)
    np.testing.assert_allclose(matterport[2, 1:5], [0.6, 0.7, 0.5, 0.4], atol=1e-6)
    # the rim makes the box -1 … 7, cut to the image; 9 pixels share the 4 cells 0, 0.8, 0.4, 0
    torchvision, window = full(probabilities, [1, 1, 5, 5], (6, 6), "torchvision")
    assert window == (0, 0, 6, 6)
    expected = [0.8 / 6, 0.8 * 11 / 18, 0.8 * 17 / 18 + 0.4 / 18, 0.6]
    np.testing.assert_allclose(torchvision[3, [0, 1, 2, 3]], expected, atol=1e-6)


def slow_torchvision(probabilities, box, image_size):
    """Every pixel of the enlarged box in turn, in float64."""
    size = len(probabilities)
    padded = np.pad(probabilities.astype(float), 1)
    middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    half = np.array([box[2] - box[0], box[3] - box[1]]) / 2 * (size + 2) / size
    left, top = (int(edge) for edge in middle - half)
    right, bottom = (int(edge) for edge in middle + half)
    mask = np.zeros(image_size)
    for y, x in np.ndindex(*image_size):
        if top <= y <= bottom and left <= x <= right:
            v = max((y - top + 0.5) * (size + 2) / (bottom - top + 1) - 0.5, 0)
            u = max((x - left + 0.5) * (size + 2) / (right - left + 1) - 0.5, 0)
            mask[y, x] = bilinear(padded, v, u)
    return mask


def slow_matterport(probabilities, box, image_size):
    """Every pixel of the whole-pixel box in turn, in float64."""
    size = len(probabilities)
    padded = np.pad(probabilities.astype(float), 1)
    x1, y1, x2, y2 = (round(edge) for edge in box)
    mask = np.zeros(image_size)
    for y, x in np.ndindex(*image_size):
        if y1 <= y < y2 and x1 <= x < x2:
            v = (y - y1 + 0.5) * size / (y2 - y1) - 0.5
            u = (x - x1 + 0.5) * size / (x2 - x1) - 0.5
            mask[y, x] = max(bilinear(padded, v + 1, u + 1), probabilities.min())
    return mask


def bilinear(values, y, x):
    top, left = int(y), int(x)
    bottom, right = min(top + 1, len(values) - 1), min(left + 1, len(values) - 1)
    upper = values[top, left] * (1 - x + left) + values[top, right] * (x - left)
    lower = values[bottom, left] * (1 - x + left) + values[bottom, right] * (x - left)
    return upper * (1 - y + top) + lower * (y - top)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("mode", "slow"), [("torchvision", slow_torchvision), ("matterport", slow_matterport)]
)
def test_pasting_equals_a_loop(mode, slow, seed):
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(-8, 20, 2), rng.uniform(0.6, 20, 2)
    box = np.concatenate([corner, corner + side]).astype(np.float32)
    probabilities = rng.uniform(0.1, 1, (7, 7)).astype(np.float32)
    mask, _ = full(probabilities, box, (19, 24), mode)
    np.testing.assert_allclose(mask, slow(probabilities, box, (19, 24)), atol=2e-6)


@pytest.mark.parametrize("size", [(28, 28), (61, 90), (13, 9), (1, 40)])
@pytest.mark.parametrize("lowest", [0.0, 0.3, 0.6])
def test_matterports_equals_scikit_image(size, lowest):
    probabilities = np.random.default_rng(3).uniform(lowest, 1, (28, 28)).astype(np.float32)
    expected = skimage.transform.resize(
        probabilities, size, order=1, mode="constant", anti_aliasing=False
    )
    box = [5, 7, 5 + size[1], 7 + size[0]]
    window, crop = paste_soft_mask(probabilities, box, (100, 100), mode="matterport")
    assert window == tuple(box)
    np.testing.assert_allclose(crop, expected, atol=1e-6)
    np.testing.assert_array_equal(crop >= 0.5, expected >= 0.5)


@pytest.mark.parametrize("mode", MODES)
def test_a_mirrored_box_has_the_mirrored_mask(mode):
    probabilities = np.random.default_rng(4).random((5, 5)).astype(np.float32)
    whole = {"torchvision": 31, "matterport": 30, "detectron2": 30}[mode]  # its far corner counts
    mask, _ = full(probabilities, [7, 6, 22, 26], (whole, whole), mode)
    mirrored, _ = full(probabilities[:, ::-1], [8, 6, 23, 26], (whole, whole), mode)
    np.testing.assert_allclose(mask[:, ::-1], mirrored, atol=2e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_box_cut_by_the_border_is_the_same_box(mode):
    probabilities = np.random.default_rng(15).random((5, 5)).astype(np.float32)
    whole, _ = full(probabilities, [30, 30, 42, 40], (60, 60), mode)
    cut, _ = full(probabilities, [10, 10, 22, 20], (18, 17), mode)
    np.testing.assert_allclose(whole[20:38, 20:37], cut, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "box",
    [
        (5, 5, 5, 9),
        (5, 5, 4, 4),
        (-19, -19, -11, -11),
        (40, 2, 50, 9),
        (np.nan, 0, 3, 3),
        (0, 0, np.inf, 3),
    ],
)
def test_a_box_without_pixels_pastes_nothing(mode, box):
    window, crop = paste_soft_mask(np.ones((4, 4), np.float16), box, (10, 12), mode=mode)
    assert window == (0, 0, 0, 0) and crop.shape == (0, 0) and crop.dtype == np.float32


def test_a_box_of_no_whole_pixel_has_none_in_matterports():
    window, _ = paste_soft_mask(np.ones((4, 4)), (3.1, 3.1, 3.4, 3.4), (10, 12), mode="matterport")
    assert window == (0, 0, 0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_a_gigantic_box_fills_the_image(mode):
    mask, _ = full(np.ones((4, 4)), [-1e12, -1e12, 1e12, 1e12], (10, 12), mode)
    np.testing.assert_allclose(mask, 1, atol=1e-3)


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="among detectron2, torchvision, matterport, got 'glue'"):
        paste_soft_mask(np.ones((4, 4)), [0, 0, 4, 4], (9, 9), mode="glue")


def test_soft_masks_equal_torchvisions():
    answers = np.load(shared_path("parity/ops/masks.npz"))
    size = tuple(answers["size"])
    for probabilities, box, expected in zip(
        answers["masks"], answers["boxes"], answers["torchvision/soft"], strict=True
    ):
        mask, _ = full(probabilities, box, size, "torchvision")
        np.testing.assert_allclose(mask, expected.astype(np.float32), atol=3e-4)  # kept as float16


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("threshold", [0.5, 0.7])
def test_many_masks_are_each_pasted(mode, threshold):
    rng = np.random.default_rng(16)
    corners, sides = rng.uniform(-30, 300, (12, 2)), np.exp(rng.uniform(0, 6.5, (12, 2)))
    boxes = np.float32(np.concatenate([corners, corners + sides], axis=1))
    boxes[3] = np.nan
    probabilities = rng.random((12, 28, 28)).astype(np.float16)
    masks = paste_masks(probabilities, boxes, (310, 420), threshold=threshold, mode=mode)
    assert masks.shape == (12, 310, 420) and masks.dtype == bool
    for mask, cells, box in zip(masks, probabilities, boxes, strict=True):
        soft, _ = full(cells, box, (310, 420), mode)
        np.testing.assert_array_equal(mask, soft >= threshold)
    assert paste_masks(probabilities[:0], boxes[:0], (31, 42), mode=mode).shape == (0, 31, 42)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("box", [[3, 4, 1803, 1404], [-900, 300.5, 2600, 305], [7, -9, 9.5, 2000]])
def test_a_large_mask_is_stretched_in_pieces_that_fit(mode, box):
    probabilities = np.random.default_rng(17).random((28, 28)).astype(np.float32)
    window, crop = paste_soft_mask(probabilities, box, (1500, 1900), mode=mode)
    rows = _AXES[mode](np.float32(box[1]), np.float32(box[3]), 1500, 28)
    columns = _AXES[mode](np.float32(box[0]), np.float32(box[2]), 1900, 28)
    at_once = rows.weights @ probabilities @ columns.weights.T
    if mode == "matterport":
        at_once = np.maximum(at_once, probabilities.min())
    assert window == (columns.first, rows.first, columns.last, rows.last)
    np.testing.assert_allclose(crop, at_once, atol=1e-6)
