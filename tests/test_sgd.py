"""Our SGD beside Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import sgd

RECIPE = {"learning_rate": 0.1, "weight_decay": 0.01, "global_clipnorm": 2.0}


def trained(optimizer):
    """Three steps in a graph: one within the clip norm, one above, one in between."""
    random = np.random.default_rng(5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    variables = [
        keras.Variable(random.normal(size=size), name=name)
        for name, size in (("kernel", (3, 4)), ("bias", (4,)))
    ]
    optimizer.build(variables)
    step = tf.function(lambda gradients: optimizer.apply(gradients, variables))
    for size in (0.1, 5.0, 1.0):
        step([tf.constant(random.normal(0, size, v.shape), tf.float32) for v in variables])
    return [variable.numpy() for variable in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("more", [{"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {}])
def test_the_same_weights_as_keras(more):
    both = (trained(kind(**RECIPE, **more)) for kind in (keras.optimizers.SGD, sgd.SGD))
    for theirs, ours in zip(*both, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_on_replicas_and_from_its_config():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        optimizer = sgd.SGD.from_config(sgd.SGD(0.5, momentum=0.5).get_config())
        weight = keras.Variable([1.0, 2.0])
        optimizer.build([weight])
    step = tf.function(lambda: strategy.run(lambda: optimizer.apply([tf.ones(2)], [weight])))
    step(), step()
    np.testing.assert_allclose(weight.numpy(), [1 - 0.5 - 0.75, 2 - 0.5 - 0.75])
