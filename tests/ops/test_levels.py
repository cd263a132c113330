"""The level of a RoI: by hand, by the formula, and the references' answers."""

import math

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import assign_levels
from kmaskrcnn.ops.levels import pool_by_level
from tests.shared import shared_path


@pytest.mark.parametrize("rule", ["detectron2", "torchvision"])
def test_levels_by_hand(rule):
    boxes = np.float32(
        [[0, 0, 224, 224], [0, 0, 111, 111], [0, 0, 448, 448], [0, 0, 5000, 5000], [5, 5, 5, 5]]
        + [[9, 9, 5, 20], [np.nan] * 4]
    )
    assert assign_levels(boxes, num_levels=4, rule=rule).numpy().tolist() == [2, 0, 3, 3, 0, 0, 0]
    assert assign_levels(boxes[tf.newaxis], num_levels=4, rule=rule).shape == (1, 7)
    assert assign_levels(boxes[:0], num_levels=4, rule=rule).shape == (0,)


@pytest.mark.parametrize("rule", ["detectron2", "torchvision"])
def test_levels_of_the_references(rule):
    answers = np.load(shared_path("parity/ops/levels.npz"))
    for run in (assign_levels, tf.function(assign_levels)):
        levels = run(answers["boxes"], num_levels=4, rule=rule)
        np.testing.assert_array_equal(levels + 2, answers[rule])


def test_matterport_rounds_where_the_others_cut():
    # On a canvas of 512×512 a normalised side s has 512 s pixels: 4 + round(log2(512 s / 224)).
    pixels = np.array([5, 78, 80, 157, 160, 224, 310, 325, 9999, 0])
    boxes = np.zeros((10, 4), np.float32)
    boxes[:, 2:] = pixels[:, None] / 512
    levels = assign_levels(boxes, num_levels=4, rule="matterport", canvas=(512, 512))
    assert levels.numpy().tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3, 0]
    cut = assign_levels(boxes * 512, num_levels=4)
    assert cut.numpy().tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 0]
    inverted = np.float32([[0.5, 0.1, 0.2, 0.9], [np.nan] * 4])
    levels = assign_levels(inverted, num_levels=4, rule="matterport", canvas=(512, 512))
    assert levels.numpy().tolist() == [0, 0]


def test_matterport_equals_its_formula():
    generator = np.random.default_rng(6)
    boxes = np.sort(generator.random((500, 2, 2)), axis=1).reshape(500, 4).astype(np.float32)
    levels = assign_levels(boxes, num_levels=4, rule="matterport", canvas=tf.constant([640, 1024]))
    for (x1, y1, x2, y2), level in zip(boxes.tolist(), levels.numpy(), strict=True):
        size = math.sqrt((y2 - y1) * (x2 - x1)) / (224 / math.sqrt(640 * 1024))
        assert level == min(max(4 + round(math.log2(size)), 2), 5) - 2


def test_a_box_twice_as_large_is_one_level_higher():
    box = np.float32([[3, 5, 90, 100]])
    for rule in ("detectron2", "torchvision"):
        levels = assign_levels(np.concatenate([box, 2 * box]), num_levels=4, rule=rule)
        assert levels[1] == levels[0] + 1


@pytest.mark.parametrize("arguments", [dict(rule="fpn"), dict(rule="matterport")])
def test_wrong_rules(arguments):
    with pytest.raises(ValueError, match="rule"):
        assign_levels(np.zeros((1, 4)), num_levels=4, **arguments)


@pytest.mark.parametrize("levels", [[1, 0, 1, 1, 0], []])
def test_rois_come_back_in_their_order(levels):
    boxes = tf.reshape(tf.range(4.0 * len(levels)), [-1, 4])
    images = tf.range(len(levels))
    features = [tf.fill((1, 2, 2, 1), 10.0), tf.fill((1, 2, 2, 1), 20.0)]

    def pool(feature, scale, boxes, images):
        value = feature[0, 0, 0] + scale * boxes[:, :1] + tf.cast(images[:, None], tf.float32)
        return value[:, None, None]

    pooled = pool_by_level(pool, features, [0.5, 0.25], boxes, images, tf.constant(levels, "int32"))
    expected = [(10 + 2 * i + i, 20 + i + i)[level] for i, level in enumerate(levels)]
    assert pooled.shape == (len(levels), 1, 1, 1)
    assert pooled.numpy().ravel().tolist() == expected
