"""Squares around cells of a pyramid: a literal case, and convolutions over all of it."""

import numpy as np
import tensorflow as tf

from kmaskrcnn.ops.patches import patches


def test_a_literal_case():
    first = tf.reshape(tf.range(1.0, 7.0), [1, 2, 3, 1])  # cells 0 … 5: 1 2 3 / 4 5 6
    second = tf.constant([[[[9.0]]]])  # cell 6
    found, inside = patches([first, second], tf.constant([[4, 0, 6]]), radius=1)
    np.testing.assert_array_equal(
        found[..., 0],
        [
            [[1, 2, 3], [4, 5, 6], [0, 0, 0]],
            [[0, 0, 0], [0, 1, 2], [0, 4, 5]],
            [[0, 0, 0], [0, 9, 0], [0, 0, 0]],
        ],
    )
    np.testing.assert_array_equal(inside, found[..., 0] > 0)


def test_each_image_has_its_own():
    feature = tf.reshape(tf.range(8.0), [2, 2, 2, 1])
    found, _ = patches([feature], tf.constant([[0, 3], [3, 1]]), radius=0)
    assert tf.reshape(found, [-1]).numpy().tolist() == [0, 3, 7, 5]


def test_no_cells():
    found, inside = patches([tf.ones([2, 3, 3, 5])], tf.zeros([2, 0], tf.int32), radius=1)
    assert found.shape == (0, 3, 3, 5) and inside.shape == (0, 3, 3)
