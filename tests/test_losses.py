"""The losses against obvious NumPy loops, and at their edges."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import losses

RNG = np.random.default_rng(0)


def cross_entropy(logit, truth):
    probability = 1 / (1 + np.exp(-logit))
    return -(truth * np.log(probability) + (1 - truth) * np.log(1 - probability))


def l1(difference, beta):
    size = abs(difference)
    return size - beta / 2 if size >= beta else size**2 / (2 * beta)


def test_rpn_class_loss_is_the_mean_over_sampled_anchors():
    logits = RNG.normal(size=(2, 9)).astype(np.float32)
    labels = RNG.integers(-1, 2, size=(2, 9))
    terms = [cross_entropy(x, t) for x, t in zip(logits.flat, labels.flat, strict=True) if t >= 0]
    loss = losses.rpn_class_loss(tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(loss, np.mean(terms), rtol=1e-5)


@pytest.mark.parametrize("beta", [0.0, 1 / 9, 1.0])
def test_rpn_box_loss_counts_positives_and_divides_by_all_sampled(beta):
    deltas = RNG.normal(size=(2, 9, 4)).astype(np.float32)
    truth = RNG.normal(size=(2, 9, 4)).astype(np.float32)
    labels = RNG.integers(-1, 2, size=(2, 9))
    total = sum(
        l1(deltas[i, j, k] - truth[i, j, k], beta)
        for i, j in np.argwhere(labels == 1)
        for k in range(4)
    )
    loss = losses.rpn_box_loss(deltas, truth, labels, beta)
    np.testing.assert_allclose(loss, total / np.sum(labels >= 0), rtol=1e-5)


def test_class_loss_leaves_padding_out():
    logits = RNG.normal(size=(6, 4)).astype(np.float32)
    labels = np.array([0, 3, 1, -1, 2, -1])
    terms = [
        np.log(np.exp(row).sum()) - row[label]
        for row, label in zip(logits, labels, strict=True)
        if label >= 0
    ]
    loss = losses.class_loss(tf.constant(logits), tf.constant(labels))
    np.testing.assert_allclose(loss, np.mean(terms), rtol=1e-5)


def test_box_loss_takes_the_own_class_and_divides_by_all_rois():
    deltas = RNG.normal(size=(5, 3, 4)).astype(np.float32)
    truth = RNG.normal(size=(5, 4)).astype(np.float32)
    labels = np.array([2, 3, -1, 0, 3])  # 3 is background
    total = sum(abs(deltas[i, labels[i]] - truth[i]).sum() for i in (0, 3))
    loss = losses.box_loss(tf.constant(deltas), tf.constant(truth), tf.constant(labels), 3)
    np.testing.assert_allclose(loss, total / 4, rtol=1e-5)
    loss = losses.box_loss(deltas, truth, tf.constant(labels), 3, over="positives")
    np.testing.assert_allclose(loss, total / 8, rtol=1e-5)  # two positives, four coordinates


def test_one_box_for_all_classes():
    deltas = RNG.normal(size=(3, 1, 4)).astype(np.float32)
    truth = RNG.normal(size=(3, 4)).astype(np.float32)
    loss = losses.box_loss(deltas, truth, tf.constant([4, 5, 0]), 5)  # 5 is background
    total = sum(abs(deltas[i, 0] - truth[i]).sum() for i in (0, 2))
    np.testing.assert_allclose(loss, total / 3, rtol=1e-5)


def test_softmax_masks_let_the_classes_of_a_pixel_compete():
    logits = RNG.normal(size=(3, 2, 2, 4)).astype(np.float32)  # three classes, background last
    truth = RNG.integers(0, 2, size=(3, 2, 2)).astype(np.float32)
    labels = np.array([1, -1, 2])
    loss = losses.softmax_mask_loss(tf.constant(logits), truth, tf.constant(labels))
    expected = []
    for i in (0, 2):
        for row in range(2):
            for column in range(2):
                pixel = np.exp(logits[i, row, column])
                wanted = labels[i] if truth[i, row, column] else 3
                expected.append(-np.log(pixel[wanted] / pixel.sum()))
    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)


def test_mask_loss_is_the_mean_over_pixels_of_positives():
    logits = RNG.normal(size=(3, 4, 4)).astype(np.float32)
    truth = RNG.integers(0, 2, size=(3, 4, 4)).astype(np.float32)
    loss = losses.mask_loss(logits, truth, tf.constant([1, -1, 0]))
    expected = np.mean([cross_entropy(logits[i], truth[i]) for i in (0, 2)])
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_keypoint_loss_is_the_mean_over_valid_keypoints():
    logits = RNG.normal(size=(3, 4, 4, 5)).astype(np.float32)
    cells = RNG.integers(0, 16, size=(3, 5))
    valid = RNG.random(size=(3, 5)) < 0.6
    terms = []
    for r, j in np.argwhere(valid):
        row, column = divmod(cells[r, j], 4)
        heatmap = logits[r, :, :, j]
        terms.append(np.log(np.exp(heatmap).sum()) - heatmap[row, column])
    loss = losses.keypoint_loss(tf.constant(logits), tf.constant(cells), tf.constant(valid))
    np.testing.assert_allclose(loss, np.mean(terms), rtol=1e-5)


def test_keypoint_loss_pulls_towards_the_cell_and_no_other():
    logits = tf.Variable(tf.zeros([1, 3, 3, 2]))
    with tf.GradientTape() as tape:
        loss = losses.keypoint_loss(logits, tf.constant([[5, 0]]), tf.constant([[True, False]]))
    gradient = tape.gradient(loss, logits).numpy()
    expected = np.full((3, 3), 1 / 9)
    expected[1, 2] -= 1
    np.testing.assert_allclose(gradient[0, ..., 0], expected, rtol=1e-5)
    assert not gradient[..., 1].any()


def test_nothing_to_learn_from_is_zero_and_not_nan():
    nothing = tf.constant([[-1, -1]])
    assert losses.rpn_class_loss(tf.ones([1, 2]), nothing) == 0
    assert losses.rpn_box_loss(tf.ones([1, 2, 4]), tf.zeros([1, 2, 4]), nothing) == 0
    assert losses.class_loss(tf.zeros([0, 3]), tf.zeros([0], tf.int32)) == 0
    assert losses.box_loss(tf.zeros([0, 2, 4]), tf.zeros([0, 4]), tf.zeros([0], tf.int32), 2) == 0
    assert losses.mask_loss(tf.zeros([0, 4, 4]), tf.zeros([0, 4, 4]), tf.zeros([0], tf.int32)) == 0
    heatmaps, cells = tf.ones([2, 4, 4, 3]), tf.zeros([2, 3], tf.int32)
    assert losses.keypoint_loss(heatmaps, cells, tf.zeros([2, 3], bool)) == 0
    assert losses.keypoint_loss(heatmaps[:0], cells[:0], tf.zeros([0, 3], bool)) == 0


def test_box_loss_has_no_nan_gradient_from_targets_of_padding():
    deltas = tf.Variable(tf.ones([2, 1, 4]))
    targets = tf.constant([[0.0] * 4, [np.nan] * 4])
    with tf.GradientTape() as tape:
        loss = losses.box_loss(deltas, targets, tf.constant([0, -1]), 1)
    gradient = tape.gradient(loss, deltas)
    assert np.isfinite(loss) and np.all(np.isfinite(gradient)) and np.all(gradient[1] == 0)
