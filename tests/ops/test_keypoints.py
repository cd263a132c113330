"""Keypoints on a grid and back: drawn cases, loops, invariances, and the references' answers."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.keypoints import decode_heatmaps, keypoint_targets
from tests.shared import shared_path

RNG = np.random.default_rng(0)


def target_loop(keypoints, boxes, size):
    """A cell or -1 for each keypoint, one after the other."""
    cells = np.full(keypoints.shape[:2], -1)
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        for j, (x, y, visibility) in enumerate(keypoints[r]):
            if not (visibility > 0 and x1 <= x <= x2 and y1 <= y <= y2 and x1 < x2 and y1 < y2):
                continue
            column = size - 1 if x == x2 else int((x - x1) * size / (x2 - x1))
            row = size - 1 if y == y2 else int((y - y1) * size / (y2 - y1))
            cells[r, j] = row * size + column
    return cells


def targets(keypoints, boxes, size):
    """Cells, -1 where not valid."""
    cells, valid = keypoint_targets(tf.constant(keypoints), tf.constant(boxes), size)
    assert cells.dtype == tf.int32 and valid.dtype == tf.bool
    assert not np.any(cells.numpy()[~valid.numpy()])
    return np.where(valid, cells, -1)


def test_a_drawn_case():
    """Cells of 10 × 10 pixels, 0 1 2 over 3 4 5 over 6 7 8, from (10, 20) to (40, 50)."""
    points = {
        (10, 20, 2): 0,  # the upper left corner is inside
        (19.9, 20, 1): 0,
        (20, 20, 2): 1,  # a cell's left edge is its own
        (25, 35, 2): 4,
        (40, 50, 2): 8,  # the box's right and lower edge belong to the last cell
        (40.01, 35, 2): -1,
        (9.99, 35, 2): -1,
        (25, 35, 0): -1,  # not labelled
    }
    keypoints = np.array([list(points)], np.float32)
    box = np.array([[10, 20, 40, 50]], np.float32)
    assert targets(keypoints, box, 3)[0].tolist() == list(points.values())


def test_targets_equal_the_loop():
    boxes = RNG.integers(0, 50, (40, 4)).astype(np.float32)  # inverted and empty ones, too
    keypoints = RNG.integers(0, 100, (40, 5, 3)) / 2 % [50, 50, 3] // [0.5, 0.5, 1] * [0.5, 0.5, 1]
    keypoints = keypoints.astype(np.float32)
    expected = target_loop(keypoints, boxes, 8)
    assert (expected >= 0).any() and (expected < 0).any()
    np.testing.assert_array_equal(targets(keypoints, boxes, 8), expected)


def test_targets_of_a_batch_are_those_of_its_images():
    boxes = np.tile(np.array([0, 0, 30, 40], np.float32), (2, 3, 1))
    keypoints = RNG.uniform(0, 40, (2, 3, 4, 3)).astype(np.float32)
    whole = targets(keypoints, boxes, 7)
    for index in (0, 1):
        np.testing.assert_array_equal(whole[index], targets(keypoints[index], boxes[index], 7))


def test_nothing_has_no_targets():
    assert targets(np.zeros((0, 17, 3), np.float32), np.zeros((0, 4), np.float32), 56).size == 0
    strange = np.array([[[np.nan, 1, 2], [np.inf, 1, 2]]], np.float32)
    assert (targets(strange, np.array([[0, 0, 9, 9]], np.float32), 5) == -1).all()


def cubic_at(heatmap, y, x):
    """Sixteen neighbours, weighted; the border is repeated."""

    def weight(distance, a=-0.75):
        d = abs(distance)
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a

    total, last = 0.0, len(heatmap) - 1
    for row in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
        for column in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            value = heatmap[min(max(row, 0), last), min(max(column, 0), last)]
            total += weight(y - row) * weight(x - column) * value
    return total


def decode_loop(heatmap, box):
    """The greatest of all cells, one after the other."""
    width, height = max(box[2] - box[0], 1), max(box[3] - box[1], 1)
    columns, rows, size = int(np.ceil(width)), int(np.ceil(height)), len(heatmap)
    best = (-np.inf, 0, 0)
    for row in range(rows):
        for column in range(columns):
            y = (row + 0.5) * size / rows - 0.5
            x = (column + 0.5) * size / columns - 0.5
            best = max(best, (cubic_at(heatmap, y, x), row, column))
    logit, row, column = best
    share = np.exp(logit) / np.exp(heatmap).sum()
    x, y = (column + 0.5) * width / columns, (row + 0.5) * height / rows
    return box[0] + x, box[1] + y, logit, share


BOXES = [[3, 4, 15.5, 21.25], [0, 0, 7, 7], [10, 10, 13.2, 11.5], [5, 5, 5, 5.5]]


@pytest.mark.parametrize("box", BOXES)
def test_decoding_equals_the_loop(box):
    heatmaps = RNG.normal(size=(1, 7, 7, 3)).astype(np.float32)
    expected = np.array([decode_loop(heatmaps[0, ..., j], box) for j in range(3)])
    found = decode_heatmaps(heatmaps, [box])
    assert found.shape == (1, 3, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found[0], expected[:, [0, 1, 3]], rtol=1e-4)
    logits = decode_heatmaps(heatmaps, [box], score="logit")
    np.testing.assert_allclose(logits[0], expected[:, :3], rtol=1e-4)


def test_a_drawn_peak():
    """A single hot cell of 4 × 4 over a box of 8 × 16: the peak is its centre."""
    heatmap = np.zeros((1, 4, 4, 1))
    heatmap[0, 1, 2, 0] = 5
    x, y, _ = decode_heatmaps(heatmap, [[100, 200, 108, 216]])[0, 0]
    assert abs(x - 105) <= 0.5 and abs(y - 206) <= 1  # halfway of two pixels, and of four


def test_what_was_encoded_is_decoded():
    """A heatmap that is hot in the target's cell gives the keypoint back, to within that cell."""
    boxes = np.array([[10, 20, 90, 180], [0, 0, 200, 100]], np.float32)
    share = RNG.uniform(0.02, 0.98, (2, 6, 2))
    points = boxes[:, None, :2] + share * (boxes[:, None, 2:] - boxes[:, None, :2])
    keypoints = np.concatenate([points, np.full((2, 6, 1), 2)], axis=2)
    cells, valid = keypoint_targets(keypoints, boxes, 56)
    assert np.all(valid)
    heatmaps = np.moveaxis(np.reshape(np.eye(56**2)[cells.numpy()] * 9, (2, 6, 56, 56)), 1, -1)
    found = decode_heatmaps(heatmaps, boxes)
    sides = (boxes[:, None, 2:] - boxes[:, None, :2]) / 56
    assert np.all(np.abs(found[..., :2] - points) <= sides)
    assert found[..., 2].max() < 1.5


def test_moving_the_box_moves_the_points():
    heatmaps = RNG.normal(size=(1, 8, 8, 2))
    here = decode_heatmaps(heatmaps, [[0, 0, 20, 30]])
    there = decode_heatmaps(heatmaps, [[64, 32, 84, 62]])
    np.testing.assert_allclose(there - here, np.broadcast_to([64, 32, 0], (1, 2, 3)), atol=1e-5)


def test_a_transposed_heatmap_gives_transposed_points():
    heatmaps = RNG.normal(size=(1, 8, 8, 3)).astype(np.float32)
    found = decode_heatmaps(heatmaps, [[1, 2, 31, 42]])
    turned = decode_heatmaps(np.swapaxes(heatmaps, 1, 2), [[2, 1, 42, 31]])
    np.testing.assert_allclose(turned[..., [1, 0, 2]], found, rtol=1e-5)


def test_nothing_is_decoded_to_nothing():
    assert decode_heatmaps(np.zeros((0, 56, 56, 17)), np.zeros((0, 4))).shape == (0, 17, 3)
    assert decode_heatmaps(np.zeros((2, 56, 56, 0)), np.zeros((2, 4))).shape == (2, 0, 3)


def test_large_logits_do_not_overflow():
    heatmaps = np.full((1, 4, 4, 1), -1e4)
    heatmaps[0, 2, 2] = 1e4
    assert np.isfinite(decode_heatmaps(heatmaps, [[0, 0, 9, 9]])).all()


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match=r"score: expected one of .*'logit'.*got 'softmax'"):
        decode_heatmaps(np.zeros((0, 4, 4, 1)), np.zeros((0, 4)), score="softmax")


def test_the_references_answers():
    answers = np.load(shared_path("parity/ops/keypoints.npz"))
    heatmaps = np.moveaxis(answers["heatmaps"], 1, -1)
    found = decode_heatmaps(heatmaps, answers["boxes"])
    logits = decode_heatmaps(heatmaps, answers["boxes"], score="logit")
    np.testing.assert_allclose(found, answers["detectron2"][..., [0, 1, 3]], rtol=1e-5)
    np.testing.assert_allclose(logits, answers["detectron2"][..., :3], rtol=1e-5)
    np.testing.assert_allclose(logits[..., :2], answers["torchvision"][..., :2], rtol=1e-6)
    np.testing.assert_allclose(logits[..., 2], answers["torchvision_scores"], rtol=1e-5)
