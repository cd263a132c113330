"""Frozen norms folded into the convolutions before them.

``(x * kernel) · scale + shift = x * (kernel · scale) + shift``: the features are written once and
not three times, and TensorFlow's fused kernels take shift, sum and ReLU along with the convolution.
It holds in training as well, where fewer features are kept for the gradients.
"""

from __future__ import annotations

import functools
from collections import Counter

import keras
import tensorflow as tf

from kmaskrcnn.layers.normalization import FrozenBatchNormalization


def fold(conv: keras.layers.Layer, norm: keras.layers.Layer) -> None:
    """From now on the convolution gives what its norm gave, and the norm hands it on.

    The layers keep their variables, and with them their names in files. Kernels are scaled in
    float32 whatever the precision policy.

    Args:
        conv: a ``Conv2D`` or ``DepthwiseConv2D`` without activation whose output only `norm` reads.
        norm: a `FrozenBatchNormalization`; any other pair is left as it is.
    """
    if is_foldable(conv) and isinstance(norm, FrozenBatchNormalization):
        conv.autocast = False
        conv.call = functools.partial(_convolved, conv, norm)
        norm.folded = True


def is_foldable(layer: keras.layers.Layer) -> bool:
    """Whether it is a plain convolution, dense or depthwise, NHWC."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return (
        type(layer) in kinds
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
    )


def fold_all(model: keras.Model) -> None:
    """Folds every frozen norm of a functional model that alone reads a convolution's output."""
    operations = model.operations
    makers = {id(tensor): op for op in operations for tensor in keras.tree.flatten(op.output)}
    reads = {op: [id(t) for t in _inputs(op)] for op in operations}
    readers = Counter(tensor for tensors in reads.values() for tensor in tensors)
    readers.update(id(tensor) for tensor in keras.tree.flatten(model.output))
    for op, tensors in reads.items():
        if isinstance(op, FrozenBatchNormalization) and readers[tensors[0]] == 1:
            fold(makers[tensors[0]], op)


def _inputs(op) -> list:
    return [] if isinstance(op, keras.layers.InputLayer) else keras.tree.flatten(op.input)


def _convolved(conv, norm: FrozenBatchNormalization, inputs) -> tf.Tensor:
    """(B, H, W, F) → (B, H', W', F') of the layer's compute dtype, normalised."""
    scale, shift = norm.scale_and_shift()
    if conv.use_bias:
        shift = shift + conv.bias * scale
    convolve = keras.ops.conv
    if isinstance(conv, keras.layers.DepthwiseConv2D):
        convolve = keras.ops.depthwise_conv
        scale = tf.reshape(scale, conv.kernel.shape[2:])
    # Not before its turn, or all kernels of a network would be in memory twice at once. A padding
    # in front of a convolution is fused with it, and cannot be waited for.
    with tf.control_dependencies([inputs] if conv.padding == "same" else []):
        kernel = tf.cast(conv.kernel * scale, conv.compute_dtype)
    outputs = convolve(
        tf.cast(inputs, conv.compute_dtype),
        kernel,
        strides=conv.strides,
        padding=conv.padding,
        dilation_rate=conv.dilation_rate,
    )
    return tf.nn.bias_add(outputs, tf.cast(shift, conv.compute_dtype))
