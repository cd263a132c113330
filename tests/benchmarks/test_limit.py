"""The bare arithmetic is that of the whole network, and no more."""

import json
import math
from collections import Counter

import numpy as np
import tensorflow as tf

from benchmarks.side_by_side import inputs
from benchmarks.side_by_side.workers import limit
from tests.shared import shared_path


def test_it_has_the_kernels_of_torchvisions_network():
    state = json.loads((shared_path(inputs.WEIGHTS) / "state.json").read_text())["parameters"]
    theirs = Counter(math.prod(shape) for shape, _, _ in state.values() if len(shape) > 1)
    network, _ = limit.make_network((1, 64, 64), rois=2, mask_rois=1)
    assert Counter(int(np.prod(kernel.shape)) for kernel in network.weights) == theirs
    frozen = {kernel.path for kernel in network.weights} - {
        kernel.path for kernel in network.trainable_variables
    }
    assert len(frozen) == 1 + 3 * 3 + 1  # the stem, and three blocks with one shortcut


def test_operations_are_two_a_multiplication_and_addition():
    product = tf.function(tf.matmul).get_concrete_function(tf.ones([2, 3]), tf.ones([3, 5]))
    assert limit.operations(product.graph) == 2 * 2 * 3 * 5
