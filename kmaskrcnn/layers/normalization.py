"""The normalisation layers a network may be built with, and the one that detectors freeze.

Detectors are trained with one or two images a step, too few for batch statistics: the batch norms
of the backbone are frozen (Ren et al. 2015), and ``"frozen_batch"`` is the default. ``"group"`` (Wu
and He 2018) is the one to train from random weights with. ``"fixed_batch"`` keeps the statistics
and learns the scales and shifts (matterport's ``TRAIN_BN = False``).
"""

import math

import keras
from keras import ops

NORMS = ("frozen_batch", "fixed_batch", "batch", "group")


@keras.saving.register_keras_serializable(package="kmaskrcnn")
class FrozenBatchNormalization(keras.layers.Layer):
    """Batch normalisation whose statistics never change; nor, unless ``learned``, its scales.

    ``y = x · scale + shift`` with ``scale = gamma / sqrt(moving_variance + epsilon)`` and
    ``shift = beta − moving_mean · scale``, both computed in float32 whatever the precision policy.
    By default no vector is trainable and ``training=True`` changes nothing, so that no optimizer,
    weight decay or ``trainable = True`` can move them. Gradients flow through to the input.

    The vectors have the names and the order of ``keras.layers.BatchNormalization``, so that its
    weights load. Follows Detectron2's ``FrozenBatchNorm2d``.

    Args:
        epsilon: added to the variance; torchvision's COCO weights need 0.0.
        center: whether there is a ``beta``; without it the shift is that of the mean alone.
        scale: whether there is a ``gamma``; without it gamma is 1.
        learned: whether gamma and beta are trained; the statistics are not.

    Input and output: (B, …, F) of the layer's compute dtype.
    """

    def __init__(
        self,
        epsilon: float = 1e-5,
        center: bool = True,
        scale: bool = True,
        learned: bool = False,
        **kwargs,
    ) -> None:
        kwargs["autocast"] = False  # the vectors stay float32 under mixed precision
        super().__init__(**kwargs)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.learned = learned
        self.folded = False  # into the convolution before it, see `layers.folding`

    def build(self, input_shape) -> None:
        def vector(name: str, initializer: str, trainable: bool = False):
            return self.add_weight(
                name=name,
                shape=(input_shape[-1],),
                initializer=initializer,
                trainable=trainable,
                autocast=False,  # float32 in the scope of a mixed-precision model, too
            )

        self.gamma = vector("gamma", "ones", self.learned) if self.scale else None
        self.beta = vector("beta", "zeros", self.learned) if self.center else None
        self.moving_mean = vector("moving_mean", "zeros")
        self.moving_variance = vector("moving_variance", "ones")

    def scale_and_shift(self):
        """(F,) and (F,) float32: what the inputs are multiplied by, and what is added then."""
        factor = ops.rsqrt(ops.add(self.moving_variance, self.epsilon))
        if self.gamma is not None:
            factor = factor * self.gamma
        shift = -self.moving_mean * factor
        return factor, shift if self.beta is None else shift + self.beta

    def call(self, inputs):
        if self.folded:
            return inputs
        factor, shift = self.scale_and_shift()
        inputs = ops.cast(inputs, self.compute_dtype)
        return inputs * ops.cast(factor, self.compute_dtype) + ops.cast(shift, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict:
        config = super().get_config()
        config.pop("autocast", None)
        config.update(epsilon=self.epsilon, center=self.center, scale=self.scale)
        config["learned"] = self.learned
        return config


@keras.saving.register_keras_serializable(package="kmaskrcnn")
class GroupNormalization(keras.layers.GroupNormalization):
    """Keras' group norm (Wu and He 2018, arXiv:1803.08494), with exact sums.

    TensorFlow sums a group up in one go: over 25,600 values it is off by 8e-6 of the mean and by
    1e-5 of the variance, which sixty layers turn into 6e-5 of the class logits. An axis at a time
    is off by 2e-7, and takes an eighth of the time. Statistics are float32 at least.

    Input and output: (B, …, F) of the layer's dtype.
    """

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        centred = x - self._group_mean(x)
        factor = ops.rsqrt(self._group_mean(ops.square(centred)) + self.epsilon)
        if self.scale:
            factor = factor * ops.cast(self.gamma, x.dtype)
        x = centred * factor
        if self.center:
            x = x + ops.cast(self.beta, x.dtype)
        return ops.cast(x, inputs.dtype)

    def _group_mean(self, x):
        """(B, …, F) → (B, 1 …, F): each channel's group's mean."""
        shape = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        while len(x.shape) > 2:
            x = ops.mean(x, axis=1)
        groups = ops.reshape(x, (-1, self.groups, x.shape[-1] // self.groups))
        return ops.reshape(ops.repeat(ops.mean(groups, -1), groups.shape[-1], -1), shape)


def normalization(
    kind: str, channels: int, *, epsilon: float = 1e-5, name: str | None = None, **options
) -> keras.layers.Layer:
    """The normalisation layer of a kind.

    Args:
        kind: one of :data:`NORMS`.
        channels: F, the channels of its input. Group norm takes 32 groups, or the largest divisor
            that 32 and the channels share.
        epsilon: added to the variance.
        name: name of the layer.
        **options: ``center`` and ``scale``, and what else the kind takes (``momentum`` of
            ``"batch"``, ``dtype``).

    Returns:
        A Keras layer, not built yet.

    Raises:
        ValueError: the kind is unknown.
    """
    if kind == "frozen_batch":
        return FrozenBatchNormalization(epsilon=epsilon, name=name, **options)
    if kind == "fixed_batch":
        return FrozenBatchNormalization(epsilon=epsilon, learned=True, name=name, **options)
    if kind == "batch":
        return keras.layers.BatchNormalization(epsilon=epsilon, name=name, **options)
    if kind == "group":
        groups = math.gcd(32, channels)
        return GroupNormalization(groups, epsilon=epsilon, name=name, **options)
    raise ValueError(f"norm is {kind!r}: expected one of {', '.join(map(repr, NORMS))}")
