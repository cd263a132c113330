"""Matching and sampling: literal cases, loops, no truth, no candidates, the references."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops.boxes import iou_matrix
from kmaskrcnn.ops.matching import match, match_boxes, sample
from tests.ops.test_boxes import random_boxes
from tests.shared import shared_path

RPN = {"high": 0.7, "low": 0.3, "allow_low_quality": True}
ROI = {"high": 0.5, "low": 0.5, "allow_low_quality": False}


def slow_match(iou, valid, *, high, low, allow_low_quality):
    """A candidate at a time, as Detectron2's Matcher says it."""
    num_truths, num_candidates = iou.shape
    indices, labels = np.zeros(num_candidates, int), np.zeros(num_candidates, int)
    for a in range(num_candidates):
        overlaps = [iou[n, a] if valid[n] else -1 for n in range(num_truths)]
        best = max(overlaps, default=-1)
        if best > 0:
            indices[a] = overlaps.index(best)
        labels[a] = 1 if best >= high else 0 if best < low else -1
        for n in range(num_truths):
            is_best = valid[n] and iou[n, a] > 0 and iou[n, a] == iou[n].max()
            if allow_low_quality and is_best:
                labels[a] = 1
    return indices, labels


def check(result, indices, labels):
    assert [part.dtype for part in result] == [tf.int32, tf.int32]
    np.testing.assert_array_equal(result[0], indices)
    np.testing.assert_array_equal(result[1], labels)


def test_a_literal_case():
    iou = np.float32([[0.80, 0.30, 0.29, 0.70, 0.0], [0.10, 0.45, 0.10, 0.69, 0.0]])
    plain = {**RPN, "allow_low_quality": False}
    check(match(iou, [True, True], **plain), [0, 1, 0, 0, 0], [1, -1, 0, 1, 0])
    # the second truth's best candidate is the fourth, and it stays with the truth it overlaps more
    check(match(iou, [True, True], **RPN), [0, 1, 0, 0, 0], [1, -1, 0, 1, 0])


def test_a_weak_truth_keeps_all_its_best_candidates():
    iou = np.float32([[0.2, 0.1, 0.2, 0.0]])
    check(match(iou, [True], **RPN), [0, 0, 0, 0], [1, 0, 1, 0])
    check(match(iou, [True], **{**RPN, "allow_low_quality": False}), [0] * 4, [0] * 4)


def test_a_truth_that_overlaps_nothing_makes_nothing_positive():
    check(match(np.float32([[0, 0], [0.9, 0]]), [True, True], **RPN), [1, 0], [1, 0])


def test_padding_and_crowds_match_nothing():
    iou = np.float32([[0.9, 0.0], [0.4, 0.6], [1.0, 1.0]])
    check(match(iou, [False, True, False], **RPN), [1, 1], [-1, 1])
    check(match(iou, [False, False, False], **RPN), [0, 0], [0, 0])


def test_the_first_of_equal_truths_wins():
    check(match(np.float32([[0.1], [0.8], [0.8]]), [True] * 3, **ROI), [1], [1])


def test_each_threshold_belongs_to_the_better_side():
    iou = np.float32([[0.7, 0.3, 0.29]])
    check(match(iou, [True], **{**RPN, "allow_low_quality": False}), [0, 0, 0], [1, -1, 0])


@pytest.mark.parametrize("rule", [RPN, ROI, {"high": 0.6, "low": 0.4, "allow_low_quality": True}])
def test_equals_a_loop(rule):
    rng = np.random.default_rng(6)
    truth, candidates = random_boxes(rng, 7), random_boxes(rng, 300)
    truth[3], candidates[:7] = truth[2], truth
    valid = np.array([True, True, True, True, False, True, False])
    iou = iou_matrix(truth, candidates).numpy()
    indices, labels = slow_match(iou, valid, **rule)
    assert set(labels) == ({0, 1} if rule is ROI else {-1, 0, 1})
    check(match(iou, valid, **rule), indices, labels)
    check(match_boxes(truth, candidates, valid, **rule), indices, labels)


def test_boxes_give_the_answer_of_their_matrix_at_any_scale():
    rng = np.random.default_rng(7)
    truth, candidates = random_boxes(rng, 5), random_boxes(rng, 200)
    once = match_boxes(truth, candidates, [True] * 5, **RPN)
    check(match_boxes(2 * truth, 2 * candidates, [True] * 5, **RPN), *once)
    assert np.any(once[1] == 1)


def test_no_truth_or_no_candidates_with_unknown_shapes():
    @tf.function(
        input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([None, 4])]
        + [tf.TensorSpec([None], tf.bool)]
    )
    def both(truth, candidates, valid):
        from_matrix = match(iou_matrix(truth, candidates), valid, **RPN)
        return from_matrix + match_boxes(truth, candidates, valid, **RPN)

    none, three = np.zeros((0, 4), np.float32), np.float32([[0, 0, 2, 2]] * 3)
    for result in both(none, three, np.zeros(0, bool)):
        np.testing.assert_array_equal(result, [0, 0, 0])
    for result in both(three, none, np.ones(3, bool)):
        assert result.shape == (0,)


def test_matchers_equal_detectron2_and_torchvision():
    answers = np.load(shared_path("parity/ops/boxes.npz"))
    for function, first, second in (
        (match, iou_matrix(answers["ground_truth"], answers["anchors"]), ()),
        (match_boxes, answers["ground_truth"], (answers["anchors"],)),
    ):
        valid = np.ones(12, bool)
        indices, labels = (part.numpy() for part in function(first, *second, valid, **RPN))
        np.testing.assert_array_equal(indices, answers["detectron2_matcher/rpn/index"])
        np.testing.assert_array_equal(labels, answers["detectron2_matcher/rpn/label"])
        np.testing.assert_array_equal(torchvision_form(indices, labels), answers["matcher/rpn"])
        result = (part.numpy() for part in function(first, *second, valid, **ROI))
        np.testing.assert_array_equal(torchvision_form(*result), answers["matcher/roi"])


def torchvision_form(indices, labels):
    """The truth's index, or -1 for background, or -2 for ignored."""
    return np.where(labels == 1, indices, np.where(labels == 0, -1, -2))


def chosen(result):
    """The positives and the negatives, by priority; padding is 0 and -1, behind all others."""
    indices, labels = (part.numpy() for part in result)
    assert np.all(np.diff(labels) <= 0) and np.all(indices[labels < 0] == 0)
    return [indices[labels == kind].tolist() for kind in (1, 0)]


def test_sample_a_literal_case():
    labels = [1, 0, -1, 1, 0, 1, 0, 0]
    priorities = np.float32([0.1, 0.2, 0.9, 0.3, 0.8, 0.2, 0.5, 0.4])
    result = sample(labels, priorities, num_samples=4, positive_fraction=0.5)
    check(result, [3, 5, 4, 6], [1, 1, 0, 0])


def test_negatives_fill_up_and_positives_do_not():
    in_order = -np.arange(6, dtype=np.float32)
    few_positives = sample([0, 0, 1, 0, 0, 0], in_order, num_samples=4, positive_fraction=0.5)
    assert chosen(few_positives) == [[2], [0, 1, 3]]
    few_negatives = sample([1, 1, 1, 0, 1, -1], in_order, num_samples=4, positive_fraction=0.5)
    assert chosen(few_negatives) == [[0, 1], [3]]


def test_the_fraction_is_rounded_down():
    labels, in_order = [1] * 9 + [0] * 9, -np.arange(18, dtype=np.float32)
    result = sample(labels, in_order, num_samples=7, positive_fraction=0.25)
    assert chosen(result) == [[0], [9, 10, 11, 12, 13, 14]]


def test_equal_priorities_take_the_first():
    result = sample([0, 1, 0, 1, 1, 0], np.zeros(6), num_samples=4, positive_fraction=0.5)
    assert chosen(result) == [[1, 3], [0, 2]]


@pytest.mark.parametrize("seed", range(5))
def test_sample_equals_a_sort(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 2, 200)
    priorities = rng.random(200, np.float32)
    by_priority = np.argsort(-priorities, kind="stable")
    positive = [a for a in by_priority if labels[a] == 1][:12]
    negative = [a for a in by_priority if labels[a] == 0][: 50 - len(positive)]
    result = sample(labels, priorities, num_samples=50, positive_fraction=0.25)
    assert chosen(result) == [positive, negative]


def test_sample_of_nothing():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None])])
    def run(labels, priorities):
        return sample(labels, priorities, num_samples=8, positive_fraction=0.5)

    assert chosen(run(np.zeros(0, np.int32), np.zeros(0, np.float32))) == [[], []]
    assert chosen(run(np.int32([-1, -1]), np.float32([1, 2]))) == [[], []]


def test_ties_of_float64_candidates_are_those_of_float64():
    truth = np.array([[0, 0, 3, 3]])
    candidates = np.array([[0, 0, 2, 2], [0, 0, 2, 2 + 1e-9], [0, 0, 1, 1]])
    options = {"high": 0.7, "low": 0.3, "allow_low_quality": True}
    for dtype, expected in (("float32", [1, 1, 0]), ("float64", [-1, 1, 0])):
        _, labels = match_boxes(truth, candidates.astype(dtype), [True], **options)
        assert labels.numpy().tolist() == expected
