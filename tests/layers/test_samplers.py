"""What the RPN and the heads are trained on, on cases small enough to draw."""

import numpy as np
import tensorflow as tf

from kmaskrcnn.layers import AnchorSampler, RoISampler
from kmaskrcnn.tensors import Proposals


def truth(boxes, labels, crowd=None):
    crowd = [False] * len(labels) if crowd is None else crowd
    return {
        "boxes": tf.constant([boxes], tf.float32),
        "labels": tf.constant([labels], tf.int32),
        "crowd": tf.constant([crowd]),
    }


def proposals(boxes, valid=None):
    valid = [True] * len(boxes) if valid is None else valid
    boxes = tf.constant([boxes], tf.float32)
    return Proposals(boxes, tf.zeros(boxes.shape[:2]), tf.constant([valid]))


FAR = [50.0, 50.0, 60.0, 60.0]
OBJECT = [0.0, 0.0, 10.0, 10.0]
NEAR = [1.0, 0.0, 10.0, 10.0]


def test_anchor_labels_and_deltas():
    anchors = tf.constant([OBJECT, [0.0, 0.0, 10.0, 5.0], FAR])
    found = AnchorSampler(num_samples=4, sampling="first")(anchors, truth([OBJECT], [1]))
    assert found.indices.numpy().tolist() == [[0, 2, 0, 0]]  # IoU 1, 0; 0.5 is ignored
    assert found.labels.numpy().tolist() == [[1, 0, -1, -1]]
    np.testing.assert_array_equal(found.deltas, np.zeros((1, 4, 4)))


def test_the_best_anchor_of_a_truth_is_positive_however_low():
    anchors = tf.constant([[0.0, 0.0, 10.0, 5.0], FAR])
    found = AnchorSampler(num_samples=4, sampling="first")(anchors, truth([OBJECT], [0]))
    assert found.indices.numpy()[0, :2].tolist() == [0, 1]
    assert found.labels.numpy().tolist() == [[1, 0, -1, -1]]
    np.testing.assert_allclose(found.deltas[0, 0], [0, 0.5, 0, np.log(2)], rtol=1e-6)


def test_an_image_without_truth_has_only_negatives():
    anchors = tf.constant([OBJECT, FAR, NEAR])
    found = AnchorSampler(num_samples=2)(anchors, truth([[0.0] * 4], [-1]))
    assert found.labels.numpy().tolist() == [[0, 0]] and len(set(found.indices.numpy()[0])) == 2


def test_sampling_first_takes_the_order_and_random_does_not():
    anchors = tf.tile(tf.constant([FAR]), [200, 1])
    empty = truth([[0.0] * 4], [-1])
    first = AnchorSampler(num_samples=10, sampling="first")(anchors, empty)
    assert first.indices.numpy().tolist() == [list(range(10))]
    sampler = AnchorSampler(num_samples=10)
    draws = [sampler(anchors, empty).indices.numpy()[0].tolist() for _ in range(2)]
    assert len(set(draws[0])) == 10 and draws[0] != draws[1]
    sampler.priorities.reseed(0)
    assert sampler(anchors, empty).indices.numpy()[0].tolist() == draws[0]


def test_rois_are_truth_and_proposals_positives_first():
    sampler = RoISampler(3, num_samples=6, positive_fraction=0.5, sampling="first")
    rois = sampler(proposals([FAR, NEAR]), truth([OBJECT], [2]))
    assert rois.labels.numpy().tolist() == [[2, 2, 3, -1, -1, -1]]
    np.testing.assert_array_equal(rois.boxes[0, :3], [NEAR, OBJECT, FAR])
    np.testing.assert_array_equal(rois.boxes[0, 3:], np.zeros((3, 4)))
    assert rois.truth_indices.numpy()[0, :2].tolist() == [0, 0]


def test_padded_proposals_are_never_taken():
    sampler = RoISampler(1, num_samples=4, sampling="first")
    rois = sampler(proposals([FAR, FAR, FAR], [True, False, False]), truth([OBJECT], [0]))
    assert rois.labels.numpy().tolist() == [[0, 1, -1, -1]]


def test_positives_are_at_most_their_fraction():
    sampler = RoISampler(1, num_samples=8, positive_fraction=0.25)
    rois = sampler(proposals([NEAR] * 10 + [FAR] * 10), truth([OBJECT], [0]))
    labels = rois.labels.numpy()[0]
    assert np.sum(labels == 0) == 2 and np.sum(labels == 1) == 6


def test_a_roi_in_a_crowd_is_neither():
    crowd = truth([FAR, OBJECT], [0, 0], [True, False])
    sampler = RoISampler(1, num_samples=4, sampling="first")
    rois = sampler(proposals([[52.0, 52.0, 58.0, 58.0], [20.0, 20.0, 30.0, 30.0]]), crowd)
    assert rois.labels.numpy().tolist() == [[0, 1, -1, -1]]
    np.testing.assert_array_equal(rois.boxes[0, 1], [20, 20, 30, 30])
