"""FPN, heads, proposals and detections: shapes, values against loops, and how they are kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import layers
from kmaskrcnn.tensors import Proposals

RNG = np.random.default_rng(0)


def normal(*shape):
    return tf.constant(RNG.normal(size=shape).astype(np.float32))


@pytest.mark.parametrize("rows", [(2, 4, 8, 16), (2, 3, 5, 9)])
def test_fpn_adds_the_coarser_level_doubled(rows):
    fpn = layers.FPN(4)
    maps = {f"C{n}": normal(1, rows[5 - n], 96 >> n, n) for n in (5, 4, 3, 2)}
    pyramid = fpn(maps)
    assert list(pyramid) == ["P2", "P3", "P4", "P5", "P6"]
    c5 = fpn.laterals["C5"](maps["C5"])
    c4 = fpn.laterals["C4"](maps["C4"]) + keras.layers.UpSampling2D(2)(c5)[:, : rows[1]]
    np.testing.assert_allclose(pyramid["P4"], fpn.outputs["P4"](c4), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pyramid["P6"], pyramid["P5"][:, ::2, ::2])


def test_rpn_head_orders_anchors_by_row_column_and_anchor():
    head = layers.RPNHead(3, channels=5)
    level = normal(2, 4, 6, 8)
    (logits,), (deltas,) = head({"P2": level})
    assert logits.shape == (2, 4 * 6 * 3) and deltas.shape == (2, 4 * 6 * 3, 4)
    hidden = head.convs[0](level)
    at = (1 * 6 + 2) * 3 + 1  # row 1, column 2, anchor 1
    np.testing.assert_allclose(logits[1, at], head.logits(hidden)[1, 1, 2, 1], rtol=1e-5)
    np.testing.assert_allclose(deltas[1, at], head.deltas(hidden)[1, 1, 2, 4:8], rtol=1e-5)


class Untouched(keras.layers.Layer):
    """In the place of a pooling: each box is its own feature."""

    def call(self, features, boxes, batch_indices):
        return features["P2"][: tf.shape(boxes)[0]]


def mask_branch(head, activation="sigmoid"):
    pooled = {"P2": normal(8, 7, 7, 4)}  # lists of RoIs are padded to a multiple of 8
    branch = layers.MaskBranch(Untouched(), head, 3, 14, activation, "binary", True)
    found = {"boxes": tf.zeros([1, 3, 4]), "labels": tf.constant([[2, 0, -1]])}
    return pooled["P2"], branch.detect(pooled, found)["masks"]


def test_mask_head_doubles_as_a_transposed_convolution_does():
    head = layers.MaskHead(3, channels=4, num_convs=1)
    pooled = normal(8, 7, 5, 4)
    head.build(pooled.shape)
    head.deconv.bias.assign([0.5, -0.5, 1.0, 0.0])
    head.logits.bias.assign([1.0, 2.0, 3.0])
    expected = head.logits(head.deconv(head.convs[0](pooled)))
    np.testing.assert_allclose(head(pooled), expected, rtol=1e-5, atol=1e-6)
    labels = tf.constant([2, 0, 1, 1, 2, 0, 0, 1])
    own = tf.gather(tf.transpose(expected, [0, 3, 1, 2]), labels, batch_dims=1)
    np.testing.assert_allclose(head(pooled, labels), own, rtol=1e-5, atol=1e-6)


def test_own_masks_have_dense_gradients():
    """An optimizer would treat sparse ones in another way."""
    head = layers.MaskHead(3, channels=4, num_convs=1)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(head(normal(2, 7, 7, 4), tf.constant([2, 0])))
    gradients = tape.gradient(total, head.trainable_variables)
    assert all(isinstance(gradient, tf.Tensor) for gradient in gradients)


def test_mask_branch_gives_the_own_class():
    head = layers.MaskHead(3, channels=4, num_convs=1)
    pooled, masks = mask_branch(head)
    assert masks.shape == (1, 3, 14, 14)
    every = tf.sigmoid(head(pooled))
    np.testing.assert_allclose(masks[0, 0], every[0, ..., 2], rtol=1e-5)
    np.testing.assert_allclose(masks[0, 1], every[1, ..., 0], rtol=1e-5)
    assert not np.any(masks[0, 2])


def test_one_mask_for_all_classes_and_masks_that_compete():
    head = layers.MaskHead(1, channels=4, num_convs=1)
    pooled, masks = mask_branch(head)
    np.testing.assert_allclose(masks[0, :2], tf.sigmoid(head(pooled))[:2, ..., 0], rtol=1e-5)
    head = layers.MLPMaskHead(4, channels=8, mask_size=14)
    pooled, masks = mask_branch(head, "softmax")
    np.testing.assert_allclose(masks[0, 0], tf.nn.softmax(head(pooled))[0, ..., 2], rtol=1e-5)


def test_rpn_head_with_two_logits_gives_their_difference():
    head = layers.RPNHead(3, channels=5, softmax=True)
    level = normal(1, 4, 6, 8)
    (logits,), _ = head({"P2": level})
    both = tf.reshape(head.logits(head.convs[0](level)), [-1, 2])
    expected = tf.nn.softmax(both)[:, 1]
    np.testing.assert_allclose(tf.sigmoid(logits)[0], expected, rtol=1e-5)


def test_box_head_with_norms_and_without_dense_layers():
    head = layers.BoxHead(3, num_convs=2, conv_channels=32, num_dense=0, norm="group")
    pooled = normal(2, 7, 7, 4)
    logits, deltas = head(pooled)
    assert logits.shape == (2, 4) and deltas.shape == (2, 3, 4)
    hidden = head.convs[1](head.convs[0](pooled))
    np.testing.assert_allclose(logits, head.logits(tf.reduce_mean(hidden, [1, 2])), rtol=1e-4)
    assert layers.BoxHead(3, class_agnostic=True)(pooled)[1].shape == (2, 1, 4)


def test_proposals_drop_what_the_clip_makes_empty_and_keep_levels_apart():
    layer = layers.ProposalLayer((10, 10), (10, 10), 0.5)
    box, outside = [4.0, 4.0, 12.0, 12.0], [100.0, 100.0, 120.0, 120.0]
    anchors = [tf.constant([box, box, outside]), tf.constant([box])]
    logits = [tf.constant([[-3.0, -2.0, 5.0]]), tf.constant([[-9.0]])]
    deltas = [tf.zeros([1, 3, 4]), tf.zeros([1, 1, 4])]
    found = layer(logits, deltas, anchors, tf.constant([[0.0, 0.0, 32.0, 32.0]]))
    assert found.valid.numpy()[0].tolist()[:3] == [True, True, False]
    np.testing.assert_array_equal(found.boxes[0, :2], [box, box])


def test_detections_are_decoded_suppressed_and_sorted():
    layer = layers.DetectionLayer((10, 10, 5, 5), 0.05, 0.5, 5)
    boxes = tf.constant([[[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 40], [0, 0, 0, 0]]])
    proposals = Proposals(boxes, tf.zeros([1, 4]), tf.constant([[True, True, True, False]]))
    logits = tf.constant([[4.0, 0, 0], [3.0, 0, 0], [0, 5.0, 0], [9.0, 0, 0]])
    windows = tf.constant([[0.0, 0.0, 30.0, 30.0]])
    found = layer(tf.nn.softmax(logits), tf.zeros([4, 2, 4]), proposals, windows)
    assert found["labels"].numpy().tolist() == [[1, 0, -1, -1, -1]]
    np.testing.assert_array_equal(found["boxes"][0, 0], [20, 20, 30, 30])
    np.testing.assert_allclose(found["scores"][0, 0], tf.nn.softmax(logits[2])[1])


@pytest.mark.parametrize(
    "layer",
    [
        layers.FPN(7, "group", 1e-3, True),
        layers.SingleLevel("C4"),
        layers.RPNHead(2, channels=9, num_convs=2, softmax=True),
        layers.BoxHead(5, 11, 3, 2, 12, True, "group", "batch", 1e-3, True),
        layers.MaskHead(5, 13, 2, "group", 1e-3, True),
        layers.MLPMaskHead(5, 13, 14),
        layers.AnchorGenerator(((8,), (9,)), (0.3,), (2, 4), True, True, True),
        layers.AnchorSampler(5, 0.1, 0.6, 0.2, "first", (1, 2, 3, 4)),
        layers.RoISampler(5, 6, 0.1, 0.6, "first", False, True),
        layers.RoIPooling(5, (2, 4), 3, False, "warp", "max", "torchvision"),
        layers.ProposalLayer((3, 4), (5, 6), 0.1, (1, 2, 3, 4), 5.0, True),
        layers.DetectionLayer((1, 2, 3, 4), 0.1, 0.2, 7, True, None),
        layers.ImageNormalization((1, 2, 3), (4, 5, 6), 16, "square", "normalised"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_comes_back_with_every_argument(layer):
    again = type(layer).from_config(layer.get_config())
    simple = (int, float, str, bool, tuple)
    fields = {k: v for k, v in vars(layer).items() if isinstance(v, simple) and k[0] != "_"}
    assert fields
    for name, value in fields.items():
        assert getattr(again, name) == value, name
