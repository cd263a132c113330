"""The RPN's outputs for a few anchors are those of all anchors, and so are their gradients."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.layers import RPNHead

SIZES = {"P2": (6, 5), "P3": (3, 3), "P4": (1, 2)}


@pytest.mark.parametrize(("num_convs", "softmax"), [(1, False), (2, True)])
def test_of_few_anchors_as_of_all(num_convs, softmax):
    tf.random.set_seed(3)
    features = {level: tf.random.normal([2, *size, 4]) for level, size in SIZES.items()}
    head = RPNHead(3, channels=8, num_convs=num_convs, softmax=softmax)
    head.build({level: (None, None, None, 4) for level in SIZES})
    for (
        weight
    ) in head.weights:  # biases that are not 0 show what is padded with zeros, and what not
        weight.assign(tf.random.normal(weight.shape))
    all_anchors = tf.tile(tf.range(3 * (30 + 9 + 2))[None], [2, 1])
    indices = tf.random.experimental.stateless_shuffle(all_anchors[0], [1, 2])[None, :100]
    indices = tf.concat([indices, all_anchors[1:, -100:]], 0)
    upstream = tf.random.normal([2, 100, 5])

    def outcome(outputs):
        with tf.GradientTape() as tape:
            tape.watch(features)
            logits, deltas = outputs()
            total = tf.reduce_sum(tf.concat([logits[..., None], deltas], -1) * upstream)
        sources = [*features.values(), *(weight.value for weight in head.weights)]
        return logits, deltas, *tape.gradient(total, sources)

    def of_all():
        return (tf.gather(tf.concat(part, 1), indices, batch_dims=1) for part in head(features))

    of_few = outcome(lambda: head.of_anchors(features, indices))
    for few, every in zip(of_few, outcome(of_all), strict=True):
        np.testing.assert_allclose(few, every, rtol=1e-4, atol=1e-4)
