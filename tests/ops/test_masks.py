"""Masks: packing, targets and pasting by literal cases, loops, invariances and the references."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.boxes import iou_matrix
from kmaskrcnn.ops.masks import mask_targets, pack_masks, paste_mask, unpack_mask
from tests.shared import shared_path


def tight(mask):
    """(window, crop) around the True pixels of a full mask."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return (0, 0, 0, 0), np.zeros((0, 0), bool)
    x1, y1, x2, y2 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return (x1, y1, x2, y2), mask[y1:y2, x1:x2]


def full(mask):
    """(window, crop) that is the whole image."""
    return (0, 0, mask.shape[1], mask.shape[0]), mask


def blob(rng, height, width):
    """A ragged random object, False over a good part of the image."""
    noise = rng.random((height, width)) < 0.7
    noise[: height // 4] = noise[:, : width // 3] = False
    return noise


def targets_of(masks, boxes, truth_indices, *, window=tight, image_size=None, **arguments):
    """`mask_targets` of full masks that all lie in one image."""
    mask_bytes, windows, offsets = pack_masks([window(mask) for mask in masks])
    result = mask_targets(
        mask_bytes[None],
        windows[None],
        offsets[None],
        np.asarray(boxes, np.float32),
        np.zeros(len(boxes), np.int32),
        np.asarray(truth_indices, np.int32),
        masks[0].shape if image_size is None else image_size,
        **arguments,
    )
    return result.numpy()


def slow_sample(mask, y, x):
    """One bilinear sample by the rules of the references' RoIAlign kernel."""
    height, width = mask.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    y1, x1 = math.floor(y), math.floor(x)
    y2, x2 = min(y1 + 1, height - 1), min(x1 + 1, width - 1)
    upper = mask[y1, x1] * (1 - (x - x1)) + mask[y1, x2] * (x - x1)
    lower = mask[y2, x1] * (1 - (x - x1)) + mask[y2, x2] * (x - x1)
    return upper * (1 - (y - y1)) + lower * (y - y1)


def slow_target(mask, box, mask_size, aligned):
    """RoIAlign of one full mask, a sample at a time."""
    x1, y1, x2, y2 = (edge - (0.5 if aligned else 0) for edge in box)
    width, height = x2 - x1, y2 - y1
    if not aligned:
        width, height = max(width, 1), max(height, 1)
    count_y, count_x = math.ceil(height / mask_size), math.ceil(width / mask_size)
    target = np.zeros((mask_size, mask_size))
    for i, j, a, b in np.ndindex(mask_size, mask_size, max(count_y, 0), max(count_x, 0)):
        y = y1 + (i + (a + 0.5) / count_y) * height / mask_size
        x = x1 + (j + (b + 0.5) / count_x) * width / mask_size
        target[i, j] += slow_sample(mask, y, x) / (count_y * count_x)
    return target


def test_packing_a_literal_mask():
    crop = np.array([[1, 0, 0, 0, 0, 0, 0, 1, 1], [0, 1, 0, 0, 0, 0, 0, 0, 0]], bool)
    mask_bytes, windows, offsets = pack_masks(
        [((3, 4, 12, 6), crop), ((0, 0, 0, 0), np.zeros((0, 0))), ((1, 1, 2, 2), [[True]])]
    )
    assert mask_bytes.tolist() == [0b10000001, 0b10000000, 0b01000000, 0, 0b10000000]
    assert windows.tolist() == [[3, 4, 12, 6], [0, 0, 0, 0], [1, 1, 2, 2]]
    assert offsets.tolist() == [0, 4, 4]
    assert (mask_bytes.dtype, windows.dtype, offsets.dtype) == (np.uint8, np.int32, np.int32)


def test_unpacking_undoes_packing():
    rng = np.random.default_rng(11)
    pairs = [
        ((5, 6, 5 + width, 6 + height), rng.random((height, width)) < 0.5)
        for height, width in ((1, 1), (3, 8), (2, 17), (0, 5), (7, 0), (9, 31))
    ]
    mask_bytes, windows, offsets = pack_masks(pairs)
    padded = np.pad(mask_bytes, (0, 100), constant_values=255)
    for (_, crop), window, offset in zip(pairs, windows, offsets, strict=True):
        np.testing.assert_array_equal(unpack_mask(padded, window, offset), crop)


def test_packing_no_masks():
    mask_bytes, windows, offsets = pack_masks([])
    assert (mask_bytes.shape, windows.shape, offsets.shape) == ((0,), (0, 4), (0,))
    assert (mask_bytes.dtype, windows.dtype, offsets.dtype) == (np.uint8, np.int32, np.int32)


@pytest.mark.parametrize("window", [(0, 0, 3, 3), (-1, 0, 1, 3), (4, 0, 2, 3)])
def test_a_window_that_does_not_fit_its_crop_is_refused(window):
    good = ((0, 0, 2, 3), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"mask 1: the window .* got \(3, 2\)"):
        pack_masks([good, (window, np.zeros((3, 2)))])


def test_a_literal_target():
    mask = np.zeros((5, 5), bool)
    mask[1:3, 1:4] = True
    # the box is the pixels of rows 1-4 and columns 1-4, each bin one 2×2 block of pixels
    target = targets_of([mask], [[1, 1, 5, 5]], [0], mask_size=2, kind="soft")
    np.testing.assert_allclose(target, [[[1, 0.5], [0, 0]]], atol=1e-6)
    binary = targets_of([mask], [[1, 1, 5, 5]], [0], mask_size=2)
    np.testing.assert_array_equal(binary, [[[1, 1], [0, 0]]])


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("window", [tight, full])
def test_targets_equal_a_loop(aligned, window):
    rng = np.random.default_rng(12)
    masks = [blob(rng, 23, 30) for _ in range(3)]
    boxes = [
        (9.3, 5.1, 27.7, 21.4),  # inside
        (-4.5, -3.2, 18, 9),  # across the upper left corner
        (20, 15, 44.5, 39.5),  # across the lower right corner
        (12.2, 7.1, 12.5, 7.3),  # less than a pixel
        (50, 60, 70, 80),  # outside
        (20, 6, 11, 20),  # inverted
        (13, 9, 13, 9),  # empty
        (0, 0, 30, 23),  # everything
    ]
    truth_indices = [0, 1, 2, 0, 1, 2, 0, 1]
    result = targets_of(
        masks, boxes, truth_indices, window=window, mask_size=5, aligned=aligned, kind="soft"
    )
    for target, box, truth_index in zip(result, boxes, truth_indices, strict=True):
        expected = slow_target(masks[truth_index], box, 5, aligned)
        np.testing.assert_allclose(target, expected, atol=2e-5, err_msg=str(box))
    assert result[0].any() and result[2].any() and not result[4].any()


def test_a_mirrored_image_has_a_mirrored_target():
    mask = blob(np.random.default_rng(13), 20, 26)
    x1, y1, x2, y2 = 7.3, -2.0, 25.9, 17.2
    target = targets_of([mask], [[x1, y1, x2, y2]], [0], mask_size=7, kind="soft")
    mirrored = targets_of(
        [mask[:, ::-1]], [[26 - x2, y1, 26 - x1, y2]], [0], mask_size=7, kind="soft"
    )
    np.testing.assert_allclose(target[:, :, ::-1], mirrored, atol=1e-5)


def test_the_padding_of_the_batch_counts_as_image():
    # at the lower border a sample half outside reads the last row, in a padded batch the zeros
    mask = np.ones((8, 8), bool)
    boxes = [[2.0, 4, 6, 12]]
    alone = targets_of([mask], boxes, [0], mask_size=2, kind="soft")
    padded = targets_of([mask], boxes, [0], mask_size=2, image_size=(16, 16), kind="soft")
    larger = np.pad(mask, ((0, 8), (0, 8)))
    np.testing.assert_allclose(padded[0], slow_target(larger, boxes[0], 2, True), atol=1e-6)
    np.testing.assert_allclose(alone[0], slow_target(mask, boxes[0], 2, True), atol=1e-6)


def test_each_roi_reads_its_own_image_and_truth():
    rng = np.random.default_rng(14)
    masks = [[blob(rng, 16, 16) for _ in range(2)] for _ in range(2)]
    packed = [pack_masks([tight(mask) for mask in image]) for image in masks]
    length = max(len(image[0]) for image in packed)
    mask_bytes = np.stack([np.pad(image[0], (0, length - len(image[0]))) for image in packed])
    where = [(1, 0), (0, 1), (1, 1), (0, 0)]
    boxes = np.tile(np.float32([6, 5, 15, 15]), (4, 1))
    result = mask_targets(
        mask_bytes,
        np.stack([image[1] for image in packed]),
        np.stack([image[2] for image in packed]),
        boxes,
        np.int32([b for b, _ in where]),
        np.int32([n for _, n in where]),
        (16, 16),
        mask_size=4,
        kind="soft",
    )
    for target, (b, n) in zip(result, where, strict=True):
        np.testing.assert_allclose(target, slow_target(masks[b][n], boxes[0], 4, True), atol=1e-5)


def test_what_has_no_mask_or_no_place_gives_zeros():
    mask = np.ones((8, 8), bool)
    boxes = [[0, 0, 8, 8], [np.nan, 0, 8, 8], [0, 0, np.inf, 8], [-1e30, -1e30, 1e30, 1e30]]
    targets = targets_of([np.zeros((8, 8), bool), mask], boxes, [0, 1, 1, 1], mask_size=3)
    assert not targets.any()
    big = targets_of([mask], [[-1e6, -1e6, 1e6, 1e6]], [0], mask_size=3, kind="soft")
    assert np.all((big >= 0) & (big <= 1))


def test_no_rois_with_unknown_shapes():
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.uint8),
            tf.TensorSpec([None, None, 4], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, 4]),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([2], tf.int32),
        ]
    )
    def run(*arguments):
        targets = mask_targets(*arguments, mask_size=3)
        assert targets.shape.as_list() == [None, 3, 3]
        return targets

    mask_bytes, windows, offsets = pack_masks([full(np.ones((4, 4), bool))])
    truth = (mask_bytes[None], windows[None], offsets[None])
    none = np.zeros(0, np.int32)
    assert run(*truth, np.zeros((0, 4), np.float32), none, none, np.int32([4, 4])).shape == (
        0,
        3,
        3,
    )
    one = run(*truth, np.float32([[0, 0, 4, 4]]), np.int32([0]), np.int32([0]), np.int32([4, 4]))
    np.testing.assert_array_equal(one, np.ones((1, 3, 3)))


def unpacked(answers, key, *shape):
    return np.unpackbits(answers[key])[: math.prod(shape)].reshape(shape).astype(bool)


def test_a_literal_crop():
    mask = np.zeros((5, 5), bool)
    mask[1:3, 1:4] = True
    # 3×3 samples from pixel (0, 1) to pixel (3, 4): rows 0, 1.5, 3 and columns 1, 2.5, 4; that of
    # row 1.5 is 1 between rows 1 and 2, and column 4 is beyond the mask.
    target = targets_of([mask], [[0.25, 0, 1, 0.75]], [0], mask_size=3, kind="crop")
    np.testing.assert_array_equal(target, [[[0, 0, 0], [1, 1, 0], [0, 0, 0]]])
    # A sample in the middle of 0 and 1 is 0.5 and rounds to 0, as NumPy and TensorFlow do.
    target = targets_of([mask], [[0.5, 0.125, 0.5, 0.25]], [0], mask_size=2, kind="crop")
    np.testing.assert_array_equal(target, [[[0, 0], [1, 1]]])


def slow_crop(mask, box, mask_size):
    """matterport's target, a sample a cell, 0 outside."""
    (height, width), target = mask.shape, np.zeros((mask_size, mask_size))
    for i, j in np.ndindex(mask_size, mask_size):
        y = (height - 1) * (box[1] + (box[3] - box[1]) * i / (mask_size - 1))
        x = (width - 1) * (box[0] + (box[2] - box[0]) * j / (mask_size - 1))
        if 0 <= y <= height - 1 and 0 <= x <= width - 1:
            target[i, j] = slow_sample(mask, y, x) > 0.5
    return target


@pytest.mark.parametrize("window", [tight, full])
def test_crops_equal_a_loop(window):
    rng = np.random.default_rng(16)
    masks = [blob(rng, 23, 30) for _ in range(3)]
    boxes = rng.uniform(-0.2, 1.2, (20, 4)).astype(np.float32)  # across borders, inverted
    truth_indices = rng.integers(0, 3, 20)
    result = targets_of(masks, boxes, truth_indices, window=window, mask_size=5, kind="crop")
    for target, box, truth_index in zip(result, boxes, truth_indices, strict=True):
        np.testing.assert_array_equal(target, slow_crop(masks[truth_index], box, 5))


def test_crops_equal_crop_and_resize():
    # Boxes that end on the border, where the last bit decides whether a sample is outside.
    rng = np.random.default_rng(17)
    masks = rng.random((4, 64, 90)) < 0.5
    boxes = np.sort(rng.random((300, 2, 2)), axis=1).reshape(-1, 4).astype(np.float32)
    boxes[::2] = np.clip(boxes[::2] * 1.4 - 0.2, 0, 1)
    truth_indices = rng.integers(0, 4, 300)
    result = targets_of(masks, boxes, truth_indices, window=full, mask_size=14, kind="crop")
    images = masks[truth_indices, ..., None].astype(np.float32)
    expected = tf.image.crop_and_resize(images, boxes[:, [1, 0, 3, 2]], range(300), (14, 14))
    np.testing.assert_array_equal(result, tf.round(expected[..., 0]))


@pytest.mark.parametrize("window", [tight, full])
def test_targets_equal_matterport(window):
    answers = np.load(shared_path("parity/matterport_mask_rcnn_resnet50/expected.npz"))
    _, height, width, _ = answers["input/nhwc/shape"]
    truth = unpacked(answers, "training/gt_masks_packed", 5, height, width)
    count = answers["training/roi_target_deltas"].shape[0]
    expected = unpacked(answers, "training/roi_target_masks_packed", count, 28, 28)
    rois = answers["training/rois_normalised"][:count, [1, 0, 3, 2]]
    spans = np.float32([width - 1, height - 1] * 2)
    boxes = (answers["training/gt_boxes"][:, [1, 0, 3, 2]] - [0, 0, 1, 1]) / spans
    nearest = tf.argmax(iou_matrix(rois, tf.cast(boxes, tf.float32)), axis=1).numpy()
    result = targets_of(truth, rois, nearest, window=window, mask_size=28, kind="crop")
    np.testing.assert_array_equal(result, expected)


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="one of binary, soft, crop, not 'hard'"):
        targets_of([np.ones((4, 4), bool)], [[0, 0, 4, 4]], [0], mask_size=2, kind="hard")


@pytest.mark.parametrize("window", [tight, full])
def test_targets_equal_the_references(window):
    answers = np.load(shared_path("parity/ops/masks.npz"))
    truth = unpacked(answers, "truth_packed", 10, *answers["size"])
    boxes = answers["boxes"]
    detectron2 = targets_of(truth, boxes, range(10), window=window, mask_size=28)
    expected = unpacked(answers, "detectron2/bitmask_targets", 10, 28, 28)
    np.testing.assert_array_equal(detectron2, expected)
    torchvision = targets_of(
        truth, boxes, range(10), window=window, mask_size=28, aligned=False, kind="soft"
    )
    np.testing.assert_allclose(torchvision, answers["torchvision/targets"], atol=1e-5)


def slow_paste(probabilities, box, image_size):
    """Every pixel of the image in turn; the mask is zero beyond its cells."""
    size = len(probabilities)
    padded = np.pad(probabilities, 1)
    result = np.zeros(image_size, bool)
    for y, x in np.ndindex(*image_size):
        v = (y + 0.5 - box[1]) / (box[3] - box[1]) * size - 0.5
        u = (x + 0.5 - box[0]) / (box[2] - box[0]) * size - 0.5
        if -1 < v < size and -1 < u < size:
            result[y, x] = slow_sample(padded, v + 1, u + 1) >= 0.5
    return result


def pasted(probabilities, box, image_size, mode="detectron2"):
    """The full mask of `paste_mask`, and its window."""
    (x1, y1, x2, y2), crop = paste_mask(probabilities, box, image_size, mode=mode)
    assert crop.dtype == bool and crop.shape == (y2 - y1, x2 - x1)
    mask = np.zeros(image_size, bool)
    mask[y1:y2, x1:x2] = crop
    return mask, (x1, y1, x2, y2)


def test_pasting_a_literal_mask():
    checkers = np.float32([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    window, crop = paste_mask(checkers, [1, 2, 4, 5], (9, 9))
    assert window == (1, 2, 4, 5) and all(type(edge) is int for edge in window)
    np.testing.assert_array_equal(crop, checkers.astype(bool))


def test_a_pixel_belongs_to_the_box_by_its_centre():
    mask, window = pasted(np.ones((4, 4)), [1.2, 1.7, 4.2, 4.7], (9, 9))
    assert window == (1, 1, 5, 5)
    expected = np.zeros((9, 9), bool)
    expected[2:5, 1:4] = True
    np.testing.assert_array_equal(mask, expected)


def test_exactly_the_threshold_belongs_to_the_mask():
    half = np.full((4, 4), 0.5, np.float32)
    assert paste_mask(half, [0, 0, 4, 4], (4, 4))[1].all()
    assert not paste_mask(half, [0, 0, 4, 4], (4, 4), threshold=0.51)[1].any()


@pytest.mark.parametrize("seed", range(6))
def test_pasting_equals_a_loop(seed):
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(-8, 20, 2), rng.uniform(0.4, 20, 2)
    box = np.concatenate([corner, corner + side])
    probabilities = rng.random((7, 7))
    mask, _ = pasted(probabilities, box, (19, 24))
    np.testing.assert_array_equal(mask, slow_paste(probabilities, box, (19, 24)))


def test_a_box_cut_by_the_border_is_the_same_box():
    probabilities = np.random.default_rng(15).random((5, 5))
    whole, _ = pasted(probabilities, [10, 10, 22.5, 20.5], (30, 30))
    cut, _ = pasted(probabilities, [-2, -3, 10.5, 7.5], (17, 18))
    np.testing.assert_array_equal(whole[13:30, 12:30], cut)


@pytest.mark.parametrize(
    "box",
    [
        (5, 5, 5, 9),
        (5, 5, 4, 4),
        (-9, -9, -1, -1),
        (40, 2, 50, 9),
        (np.nan, 0, 3, 3),
        (0, 0, np.inf, 3),
    ],
)
def test_a_box_without_pixels_pastes_nothing(box):
    window, crop = paste_mask(np.ones((4, 4), np.float16), box, (10, 12))
    assert window == (0, 0, 0, 0) and crop.shape == (0, 0) and crop.dtype == bool


@pytest.mark.parametrize("mode", ["detectron2", "torchvision"])
def test_pasting_equals_the_references(mode):
    answers = np.load(shared_path("parity/ops/masks.npz"))
    size = tuple(answers["size"])
    expected = unpacked(answers, f"{mode}/packed", 10, *size)
    for probabilities, box, reference in zip(
        answers["masks"], answers["boxes"], expected, strict=True
    ):
        np.testing.assert_array_equal(pasted(probabilities, box, size, mode)[0], reference)
