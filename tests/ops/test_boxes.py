"""Boxes: literal cases, slow loops, invariances, empty input, the references' answers."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import boxes as box_ops
from tests.shared import shared_path


def random_boxes(rng, *shape, extent=100.0):
    """Proper boxes (…, 4) float32 inside [0, 2 · extent]."""
    corners = rng.uniform(0, extent, (*shape, 2))
    sides = rng.uniform(1, extent, (*shape, 2))
    return np.concatenate([corners, corners + sides], axis=-1).astype(np.float32)


def slow_intersection(box, other):
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0)


def slow_area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def test_area_of_a_literal_box():
    boxes = [[1, 2, 4, 7], [0.5, 0.5, 1, 1], [3, 3, 3, 9], [5, 5, 2, 2], [5, 0, 2, 9]]
    np.testing.assert_array_equal(box_ops.area(boxes), [15, 0.25, 0, 0, 0])


def test_iou_of_literal_boxes():
    #  a covers columns 0-3, b columns 2-5 of the same two rows: 4 shared of 12
    a, b = [[0, 0, 4, 2]], [[2, 0, 6, 2], [4, 0, 6, 2], [0, 0, 4, 2], [1, 1, 1, 1]]
    np.testing.assert_allclose(box_ops.iou_matrix(a, b), [[4 / 12, 0, 1, 0]], rtol=1e-6)


def test_boxes_apart_on_both_axes_share_nothing():
    assert box_ops.iou_matrix([[0.0, 0, 1, 1]], [[5.0, 5, 6, 6]]).numpy() == 0


def test_two_empty_boxes_have_no_overlap():
    assert box_ops.iou_matrix([[1.0, 1, 1, 1]], [[1.0, 1, 1, 1]]).numpy() == 0


def test_intersection_is_divided_by_the_area_of_the_other():
    crowd, boxes = [[0, 0, 10, 10]], [[8, 0, 12, 4], [2, 2, 4, 4], [20, 20, 30, 30], [5, 5, 5, 5]]
    np.testing.assert_allclose(box_ops.intersection_over_area(crowd, boxes), [[0.5, 1, 0, 0]])


def test_overlaps_equal_a_loop():
    rng = np.random.default_rng(1)
    boxes, others = random_boxes(rng, 2, 5), random_boxes(rng, 2, 7)
    iou = box_ops.iou_matrix(boxes, others).numpy()
    share = box_ops.intersection_over_area(boxes, others).numpy()
    assert iou.shape == share.shape == (2, 5, 7)
    for b, n, m in np.ndindex(2, 5, 7):
        box, other = boxes[b, n].astype(float), others[b, m].astype(float)
        shared = slow_intersection(box, other)
        union = slow_area(box) + slow_area(other) - shared
        assert iou[b, n, m] == pytest.approx(shared / union, rel=1e-5, abs=1e-6)
        assert share[b, n, m] == pytest.approx(shared / slow_area(other), rel=1e-5, abs=1e-6)


def test_iou_does_not_change_when_everything_doubles():
    rng = np.random.default_rng(2)
    boxes, others = random_boxes(rng, 9), random_boxes(rng, 4)
    np.testing.assert_array_equal(
        box_ops.iou_matrix(boxes, others), box_ops.iou_matrix(2 * boxes, 2 * others)
    )


def test_encode_and_decode_a_literal_box():
    # the reference is 10 wide and 20 high around (15, 20); the box as high, twice as wide, 5 right
    reference, box = [[10.0, 10, 20, 30]], [[10.0, 10, 30, 30]]
    expected = [[0.5 * 10, 0, math.log(2) * 5, 0]]
    deltas = box_ops.encode(box, reference, (10, 10, 5, 5))
    np.testing.assert_allclose(deltas, expected, atol=1e-6)
    np.testing.assert_allclose(box_ops.decode(deltas, reference, (10, 10, 5, 5)), box, atol=1e-4)


def test_decode_limits_growth_but_not_shrinking():
    grown = box_ops.decode([[0.0, 0, 99, 99]], [[0.0, 0, 16, 32]]).numpy()
    np.testing.assert_allclose(grown, [[8 - 500, 16 - 1000, 8 + 500, 16 + 1000]], rtol=1e-5)
    shrunk = box_ops.decode([[0.0, 0, -9, -9]], [[0.0, 0, 16, 16]]).numpy()
    assert shrunk[0, 2] - shrunk[0, 0] == pytest.approx(16 * math.exp(-9), rel=1e-3)


def test_decode_undoes_encode():
    rng = np.random.default_rng(3)
    boxes, references = random_boxes(rng, 3, 6), random_boxes(rng, 3, 6)
    deltas = box_ops.encode(boxes, references, (10, 10, 5, 5))
    np.testing.assert_allclose(box_ops.decode(deltas, references, (10, 10, 5, 5)), boxes, atol=1e-3)


def test_deltas_do_not_change_when_everything_doubles():
    rng = np.random.default_rng(4)
    boxes, references = random_boxes(rng, 8), random_boxes(rng, 8)
    np.testing.assert_array_equal(
        box_ops.encode(boxes, references), box_ops.encode(2 * boxes, 2 * references)
    )


def test_one_reference_for_the_deltas_of_each_class():
    rng = np.random.default_rng(5)
    references = random_boxes(rng, 2, 3)
    deltas = rng.normal(0, 0.1, (2, 3, 5, 4)).astype(np.float32)
    decoded = box_ops.decode(deltas, references[:, :, None])
    assert decoded.shape == (2, 3, 5, 4)
    one_class = box_ops.decode(deltas[:, :, 3], references)
    np.testing.assert_allclose(decoded[:, :, 3], one_class, rtol=1e-5, atol=1e-4)


def test_padding_gives_finite_deltas():
    zeros, box = np.zeros((1, 4), np.float32), [[1.0, 2, 3, 4]]
    for pair in ((zeros, box), (box, zeros), (zeros, zeros)):
        assert np.all(np.isfinite(box_ops.encode(*pair)))


def test_clip_takes_each_image_by_its_own_size():
    boxes = np.array([[[-5, -5, 50, 60]], [[30, 5, 50, 60]]], np.float32)
    windows = np.array([[0, 0, 20, 40], [2, 1, 30, 10]], np.float32)
    expected = [[[0, 0, 20, 40]], [[30, 5, 30, 10]]]
    np.testing.assert_array_equal(box_ops.clip(boxes, windows), expected)
    np.testing.assert_array_equal(box_ops.clip(boxes[:1] - 90, windows[1:]), [[[2, 1, 2, 1]]])
    per_class = np.repeat(boxes[:, :, None], 3, axis=2)  # (B, R, C, 4)
    clipped = box_ops.clip(per_class, windows)
    assert clipped.shape == (2, 1, 3, 4)
    np.testing.assert_array_equal(clipped[:, :, 1], expected)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_geometry_is_float32_whatever_comes(dtype):
    boxes = tf.constant([[[1.0, 2, 3, 4]]], dtype)
    results = (
        box_ops.area(boxes),
        box_ops.iou_matrix(boxes, boxes),
        box_ops.intersection_over_area(boxes, boxes),
        box_ops.encode(boxes, boxes),
        box_ops.decode(boxes, boxes),
        box_ops.clip(boxes, tf.constant([[0, 0, 9, 9]])),
    )
    assert {result.dtype for result in results} == {tf.float32}


def test_an_edge_keeps_its_fraction():
    edge = np.float32(1332.7)
    box = np.array([[[0.25, 0.5, edge, edge]]], np.float32)
    assert box_ops.clip(box, [[0, 0, 2000, 2000]]).numpy()[0, 0, 2] == edge
    decoded = box_ops.decode(np.zeros((1, 1, 4), np.float32), box).numpy()
    np.testing.assert_allclose(decoded, box, atol=1e-4)


def test_nothing_in_nothing_out_with_unknown_shapes():
    spec = tf.TensorSpec([None, None, 4])

    @tf.function(input_signature=[spec, spec, tf.TensorSpec([None, 4])])
    def run(boxes, others, windows):
        return (
            box_ops.iou_matrix(boxes, others),
            box_ops.encode(boxes, boxes),
            box_ops.decode(boxes, boxes),
            box_ops.clip(boxes, windows),
        )

    none, three = np.zeros((2, 0, 4), np.float32), np.ones((2, 3, 4), np.float32)
    windows = np.ones((2, 4), np.float32)
    assert [tuple(r.shape) for r in run(none, three, windows)] == [(2, 0, 3)] + [(2, 0, 4)] * 3
    assert run(three, none, windows)[0].shape == (2, 3, 0)
    assert run(three[:0], none[:0], windows[:0])[0].shape == (0, 3, 0)


@pytest.mark.parametrize("peer", ["torchvision", "detectron2"])
def test_coding_equals_the_references(peer):
    answers = np.load(shared_path("parity/ops/boxes.npz"))
    anchors, weights = answers["anchors"], answers["weights"]
    deltas = box_ops.encode(answers["targets_for"], anchors, weights)
    np.testing.assert_allclose(deltas, answers[f"{peer}/encode"], rtol=1e-5, atol=1e-5)
    decoded = box_ops.decode(answers["deltas"], anchors, weights)
    np.testing.assert_allclose(decoded, answers[f"{peer}/decode"], rtol=1e-5, atol=1e-4)


def test_iou_equals_the_references():
    answers = np.load(shared_path("parity/ops/boxes.npz"))
    iou = box_ops.iou_matrix(answers["ground_truth"], answers["anchors"])
    np.testing.assert_allclose(iou, answers["iou"], atol=1e-6)
