"""NMS: literal cases, a greedy loop, ties, logits, NaN, the references' answers."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.nms import class_nms, grouped_nms
from tests.ops.test_boxes import random_boxes, slow_area, slow_intersection
from tests.shared import shared_path

#  whole, its left half (IoU exactly 0.5), and one apart
BOXES = np.float32([[0, 0, 8, 8], [0, 0, 4, 8], [20, 20, 28, 28]])


def slow_nms(boxes, scores, groups, threshold):
    """Indices kept, best first, the first among equals."""
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        for j in kept:
            shared = slow_intersection(boxes[i], boxes[j])
            union = slow_area(boxes[i]) + slow_area(boxes[j]) - shared
            if groups[i] == groups[j] and shared > threshold * union:
                break
        else:
            kept.append(i)
    return kept


def one_image(boxes, scores, groups=None, *, num_groups=1, max_outputs=4, iou_threshold=0.5):
    """`grouped_nms` of a single image, without its padding."""
    boxes, scores = np.asarray(boxes, np.float32), np.asarray(scores, np.float32)
    groups = np.zeros(len(boxes), np.int32) if groups is None else np.asarray(groups)
    result = grouped_nms(
        boxes[None],
        scores[None],
        groups[None],
        num_groups=num_groups,
        max_outputs=max_outputs,
        iou_threshold=iou_threshold,
    )
    kept, kept_scores, num_valid = (part.numpy()[0] for part in result)
    assert kept.shape == (max_outputs, 4) and kept_scores.shape == (max_outputs,)
    assert not kept[num_valid:].any() and not kept_scores[num_valid:].any()
    return kept[:num_valid], kept_scores[:num_valid]


def test_a_literal_case():
    kept, scores = one_image(BOXES, [0.6, 0.9, 0.7], iou_threshold=0.4)
    np.testing.assert_array_equal(kept, BOXES[[1, 2]])
    np.testing.assert_array_equal(scores, np.float32([0.9, 0.7]))


def test_an_overlap_of_exactly_the_threshold_stays():
    assert len(one_image(BOXES, [3, 2, 1], iou_threshold=0.5)[0]) == 3
    assert len(one_image(BOXES, [3, 2, 1], iou_threshold=0.499)[0]) == 2


def test_groups_do_not_meet():
    kept, _ = one_image([BOXES[0]] * 3, [1, 3, 2], [0, 1, 1], num_groups=2)
    assert len(kept) == 2


def test_the_best_of_all_groups_are_kept():
    boxes = np.float32([[20 * i, 0, 20 * i + 9, 9] for i in range(6)])
    kept, scores = one_image(boxes, [5, 1, 6, 2, 4, 3], [0, 1, 2, 0, 1, 2], num_groups=3)
    np.testing.assert_array_equal(scores, [6, 5, 4, 3])
    np.testing.assert_array_equal(kept, boxes[[2, 0, 4, 5]])


def test_logits_are_scores_and_minus_infinity_is_padding():
    kept, scores = one_image(BOXES, [-50, -np.inf, -3])
    np.testing.assert_array_equal(scores, [-3, -50])
    np.testing.assert_array_equal(kept, BOXES[[2, 0]])


def test_equal_scores_keep_their_order():
    boxes = np.float32([[20 * i, 0, 20 * i + 9, 9] for i in range(300)])
    kept, _ = one_image(boxes, np.ones(300), np.arange(300) % 3, num_groups=3, max_outputs=300)
    np.testing.assert_array_equal(kept, boxes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_padding(bad):
    boxes = np.concatenate([BOXES, BOXES])
    boxes[0, 1] = boxes[1, 2] = bad
    scores = [9, 8, 1, np.nan, 3, 2]
    kept, scores = one_image(boxes, scores)
    np.testing.assert_array_equal(kept, BOXES[[1, 2]])
    np.testing.assert_array_equal(scores, [3, 2])


def test_equals_a_greedy_loop_on_each_image():
    rng = np.random.default_rng(8)
    boxes, scores = random_boxes(rng, 3, 80), rng.normal(0, 3, (3, 80)).astype(np.float32)
    groups = rng.integers(0, 4, (3, 80))
    kept, kept_scores, num_valid = grouped_nms(
        boxes, scores, groups, num_groups=4, max_outputs=60, iou_threshold=0.3
    )
    for b in range(3):
        expected = slow_nms(boxes[b], scores[b], groups[b], 0.3)[:60]
        assert num_valid[b] == len(expected) < 80
        np.testing.assert_array_equal(kept[b, : len(expected)], boxes[b, expected])
        np.testing.assert_array_equal(kept_scores[b, : len(expected)], scores[b, expected])


def test_doubled_boxes_give_doubled_boxes():
    rng = np.random.default_rng(9)
    boxes, scores = random_boxes(rng, 50), rng.random(50)
    once, twice = one_image(boxes, scores), one_image(2 * boxes, scores)
    np.testing.assert_array_equal(2 * once[0], twice[0])


def test_nothing_in_nothing_out_with_unknown_shapes():
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 4]),
            tf.TensorSpec([None, None]),
            tf.TensorSpec([None, None], tf.int32),
        ]
    )
    def run(boxes, scores, groups):
        grouped = grouped_nms(boxes, scores, groups, num_groups=2, max_outputs=5, iou_threshold=0.5)
        by_class = class_nms(
            boxes[:, :, None],
            scores[:, :, None],
            score_threshold=0.0,
            iou_threshold=0.5,
            max_outputs=5,
        )
        return grouped + by_class

    for batch, count in ((1, 0), (2, 0), (0, 3)):
        zeros = np.zeros((batch, count), np.int32)
        result = run(np.zeros((batch, count, 4), np.float32), zeros.astype(np.float32), zeros)
        shapes = [(batch, 5, 4), (batch, 5), (batch,)]
        assert [tuple(r.shape) for r in result[:3]] == shapes
        assert [tuple(r.shape) for r in result[3:]] == [*shapes[:2], (batch, 5), (batch,)]
        assert not result[2].numpy().any() and not result[6].numpy().any()


def test_nms_equals_the_references():
    answers = np.load(shared_path("parity/ops/boxes.npz"))
    boxes, scores, classes = answers["anchors"], answers["scores"], answers["classes"]
    same = np.zeros_like(classes)
    for key, groups, threshold in (
        ("nms_05", same, 0.5),
        ("nms_07", same, 0.7),
        ("batched_nms_05", classes, 0.5),
    ):
        kept, kept_scores = one_image(
            boxes, scores, groups, num_groups=10, max_outputs=200, iou_threshold=threshold
        )
        np.testing.assert_array_equal(kept, boxes[answers[key]])
        np.testing.assert_array_equal(kept_scores, scores[answers[key]])


def detect(boxes, scores, **arguments):
    defaults = {"score_threshold": 0.05, "iou_threshold": 0.5, "max_outputs": 4}
    result = class_nms(np.float32(boxes), np.float32(scores), **{**defaults, **arguments})
    return [part.numpy() for part in result]


def test_detections_of_a_literal_case():
    # the same box is kept once for each class; the third box is too weak for both
    boxes = np.float32([[[[0, 0, 8, 8]], [[0, 0, 8, 7]], [[20, 20, 28, 28]]]])  # (B, R, 1, 4)
    scores = [[[0.9, 0.3], [0.8, 0.4], [0.04, 0.05]]]
    kept, kept_scores, labels, num_valid = detect(boxes, scores)
    assert num_valid == [2]
    np.testing.assert_array_equal(labels, [[0, 1, -1, -1]])
    np.testing.assert_array_equal(kept_scores, np.float32([[0.9, 0.4, 0, 0]]))
    np.testing.assert_array_equal(kept[0, :2], boxes[0, [0, 1], 0])
    assert labels.dtype == np.int32 and not kept[0, 2:].any()


def test_the_score_threshold_is_strict_and_below_zero_means_all():
    boxes, scores = BOXES[None, :, None], [[[0.0], [0.5], [0.51]]]
    assert detect(boxes, scores, score_threshold=0.5, iou_threshold=1)[3] == [1]
    assert detect(boxes, scores, score_threshold=0, iou_threshold=1)[3] == [2]
    kept = detect(boxes, scores, score_threshold=-1, iou_threshold=1)
    assert kept[3] == [3]
    np.testing.assert_array_equal(kept[0][0, :3], BOXES[[2, 1, 0]])


def test_a_box_a_class_equals_a_loop():
    rng = np.random.default_rng(10)
    boxes, scores = random_boxes(rng, 2, 40, 3), rng.random((2, 40, 3)).astype(np.float32)
    kept, kept_scores, labels, num_valid = detect(
        boxes, scores, iou_threshold=0.4, score_threshold=0.2, max_outputs=30
    )
    for b in range(2):
        flat, flat_scores = boxes[b].reshape(-1, 4), scores[b].ravel()
        classes = np.tile(np.arange(3), 40)
        order = slow_nms(flat, flat_scores, classes, 0.4)
        expected = [i for i in order if flat_scores[i] > 0.2][:30]
        assert num_valid[b] == len(expected)
        np.testing.assert_array_equal(labels[b, : len(expected)], classes[expected])
        np.testing.assert_array_equal(kept[b, : len(expected)], flat[expected])
        np.testing.assert_array_equal(kept_scores[b, : len(expected)], flat_scores[expected])


def test_one_bad_class_does_not_spoil_the_others():
    boxes = np.repeat(BOXES[None, :, None], 2, axis=2)
    boxes[0, 0, 1] = np.nan
    scores = np.float32([[[0.9, 0.9], [np.nan, 0.1], [-np.inf, 0.1]]])
    kept, _, labels, num_valid = detect(boxes, scores)
    assert num_valid == [3] and np.all(np.isfinite(kept))
    assert sorted(labels[0, :3]) == [0, 1, 1]


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_results_are_float32_whatever_comes(dtype):
    boxes, scores = tf.constant(BOXES[None], dtype), tf.constant([[0.5, 0.25, 0.75]], dtype)
    grouped = grouped_nms(
        boxes, scores, tf.zeros([1, 3], tf.int32), num_groups=1, max_outputs=2, iou_threshold=0.5
    )
    by_class = class_nms(
        boxes[:, :, None],
        scores[:, :, None],
        score_threshold=0.1,
        iou_threshold=0.5,
        max_outputs=2,
    )
    assert {part.dtype for part in grouped[:2] + by_class[:2]} == {tf.float32}
    np.testing.assert_array_equal(grouped[1], [[0.75, 0.5]])
