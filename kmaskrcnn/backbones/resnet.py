"""ResNet (He et al. 2015) and ResNeXt (Xie et al. 2016), padded as the references pad them.

Keras' ``same`` pads a strided convolution more on the right and bottom; torchvision and Detectron2
pad all four sides alike, and so do these networks, explicitly. Layers are called ``stem.conv``,
``res2.0.conv1``, ``res2.0.norm1``, ``res2.0.shortcut.conv``, … after Detectron2's parameters.
"""

from dataclasses import dataclass

import keras
from keras import layers

from kmaskrcnn.backbones.base import STRIDES, Backbone
from kmaskrcnn.layers.folding import fold_all
from kmaskrcnn.layers.normalization import normalization

_STAGE_OF = {"stem": "stem", "res2": "C2", "res3": "C3", "res4": "C4", "res5": "C5"}
_EPSILON = 1e-5


@dataclass(frozen=True)
class Architecture:
    """The sizes of a ResNet.

    Attributes:
        blocks: residual blocks in res2, res3, res4, res5.
        bottleneck: blocks of 1×1, 3×3, 1×1 convolutions, four times as wide outside; else two 3×3.
        width: channels of the stem and of the first stage's 3×3 convolutions; doubled each stage.
        groups: groups of the 3×3 convolutions (ResNeXt's cardinality).
        width_per_group: channels a group has where ``width`` is 64; 64 for ResNet.
    """

    blocks: tuple[int, int, int, int]
    bottleneck: bool = True
    width: int = 64
    groups: int = 1
    width_per_group: int = 64


ARCHITECTURES = {
    "resnet18": Architecture((2, 2, 2, 2), bottleneck=False),
    "resnet34": Architecture((3, 4, 6, 3), bottleneck=False),
    "resnet50": Architecture((3, 4, 6, 3)),
    "resnet101": Architecture((3, 4, 23, 3)),
    "resnet152": Architecture((3, 8, 36, 3)),
    "resnext50_32x4d": Architecture((3, 4, 6, 3), groups=32, width_per_group=4),
    "resnext101_32x8d": Architecture((3, 4, 23, 3), groups=32, width_per_group=8),
    "resnext101_64x4d": Architecture((3, 4, 23, 3), groups=64, width_per_group=4),
    "resnet_small": Architecture((2, 2, 2, 2), bottleneck=False, width=32),  # 2.8 M parameters
    # For tests. oneDNN (TF 2.21) corrupts memory in the gradient of a strided 1×1 convolution over
    # fewer than 16 channels, so this is as narrow as it gets.
    "resnet_tiny": Architecture((1, 1, 1, 1), bottleneck=False, width=16),
}


def build(
    name: str,
    *,
    input_channels: int = 3,
    norm: str = "frozen_batch",
    norm_epsilon: float | None = None,
    stride_in_1x1: bool = False,
    conv_bias: bool = False,
    same_pool: bool = False,
    last: str = "C5",
    dilated: bool = False,
) -> Backbone:
    """Builds one of :data:`ARCHITECTURES`.

    Args:
        name: its name.
        input_channels: C of the images.
        norm: a kind of :func:`kmaskrcnn.layers.normalization.normalization`.
        norm_epsilon: added to the variance; None: 1e-5.
        stride_in_1x1: whether a bottleneck strides in its first 1×1 convolution, as the paper's own
            weights and Keras' do, or in its 3×3 one, as torchvision's.
        conv_bias: whether convolutions have a bias in front of their norm (matterport).
        same_pool: whether the max pool is padded as TensorFlow's ``same`` (matterport).
        last: ``"C5"``, or ``"C4"`` to end there (heads that hold res5 themselves).
        dilated: whether C5 keeps the stride of 16 and dilates instead.

    Returns:
        The backbone, from random weights (Kaiming normal over the fan-out).
    """
    switches = {
        "norm": norm,
        "norm_epsilon": norm_epsilon,
        "stride_in_1x1": stride_in_1x1,
        "conv_bias": conv_bias,
        "same_pool": same_pool,
    }
    part = _Parts(ARCHITECTURES[name], **switches)
    images = keras.Input((None, None, input_channels), name="images")
    x = part.stem(images)
    taps = {}
    for level in STRIDES:
        number = int(level[1])
        x = part.stage(x, number, dilation=2 if dilated and number == 5 else 1)
        taps[level] = (part.last_layer(number), x)
        if level == last:
            break
    recipe = {"name": name, "input_channels": input_channels, **switches}
    return Backbone(images, taps, _stages(images, x), {**recipe, "last": last, "dilated": dilated})


def build_res5(name: str, **switches) -> keras.Model:
    """The last stage alone, (R, S, S, F4) → (R, S/2, S/2, F5): the head of the C4 systems.

    Args:
        name: of the backbone; switches: ``norm``, ``norm_epsilon``, ``stride_in_1x1`` and
            ``conv_bias`` of :func:`build`.
    """
    architecture = ARCHITECTURES[name]
    wide = 4 if architecture.bottleneck else 1
    rois = keras.Input((None, None, architecture.width * 4 * wide), name="rois")
    res5 = keras.Model(rois, _Parts(architecture, **switches).stage(rois, 5), name="res5")
    fold_all(res5)
    return res5


def _stages(images, last) -> dict[str, str]:
    names = [layer.name for layer in keras.Model(images, last).layers]
    return {name: _STAGE_OF[name.split(".")[0]] for name in names if name != "images"}


@dataclass(frozen=True)
class _Parts:
    """The pieces of a ResNet, each from a Keras tensor to the next."""

    architecture: Architecture
    norm: str = "frozen_batch"
    norm_epsilon: float | None = None
    stride_in_1x1: bool = False
    conv_bias: bool = False
    same_pool: bool = False

    def stem(self, x):
        x = self._conv(x, "stem.conv", self.architecture.width, 7, stride=2)
        x = layers.ReLU(name="stem.relu")(self._norm(x, "stem.norm"))
        if self.same_pool:
            return layers.MaxPooling2D(3, 2, "same", name="stem.pool")(x)
        x = layers.ZeroPadding2D(1, name="stem.pool_pad")(x)  # after a ReLU, 0 is as good as −inf
        return layers.MaxPooling2D(3, 2, name="stem.pool")(x)

    def stage(self, x, number: int, dilation: int = 1):
        """res2 … res5; a dilated stage has no stride."""
        width = self.architecture.width * 2 ** (number - 2)
        for block in range(self.architecture.blocks[number - 2]):
            stride = 2 if number > 2 and block == 0 and dilation == 1 else 1
            x = self.block(x, f"res{number}.{block}", width, stride, dilation)
        return x

    def last_layer(self, number: int) -> str:
        return f"res{number}.{self.architecture.blocks[number - 2] - 1}.out"

    def block(self, x, name: str, width: int, stride: int, dilation: int = 1):
        branch = self._bottleneck if self.architecture.bottleneck else self._basic
        y = branch(x, name, width, stride, dilation)
        if stride > 1 or x.shape[-1] != y.shape[-1]:
            x = self._conv(x, f"{name}.shortcut.conv", y.shape[-1], 1, stride)
            x = self._norm(x, f"{name}.shortcut.norm")
        return layers.ReLU(name=f"{name}.out")(layers.Add(name=f"{name}.add")([y, x]))

    def _bottleneck(self, x, name: str, width: int, stride: int, dilation: int):
        groups = self.architecture.groups
        inner = width * self.architecture.width_per_group // 64 * groups
        first, second = (stride, 1) if self.stride_in_1x1 else (1, stride)
        x = self._conv_norm_relu(x, name, 1, inner, 1, first)
        x = self._conv_norm_relu(x, name, 2, inner, 3, second, groups, dilation)
        return self._norm(self._conv(x, f"{name}.conv3", 4 * width, 1), f"{name}.norm3")

    def _basic(self, x, name: str, width: int, stride: int, dilation: int):
        x = self._conv_norm_relu(x, name, 1, width, 3, stride, dilation=dilation)
        x = self._conv(x, f"{name}.conv2", width, 3, dilation=dilation)
        return self._norm(x, f"{name}.norm2")

    def _conv_norm_relu(self, x, name, number, filters, size, stride, groups=1, dilation=1):
        x = self._conv(x, f"{name}.conv{number}", filters, size, stride, groups, dilation)
        return layers.ReLU(name=f"{name}.relu{number}")(self._norm(x, f"{name}.norm{number}"))

    def _conv(self, x, name, filters: int, size: int, stride=1, groups=1, dilation=1):
        if stride > 1 and size > 1:
            x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        return layers.Conv2D(
            filters,
            size,
            stride,
            padding="same" if stride == 1 else "valid",
            groups=groups,
            dilation_rate=dilation,
            use_bias=self.conv_bias,
            kernel_initializer=keras.initializers.VarianceScaling(
                2.0, "fan_out", "untruncated_normal"
            ),
            name=name,
        )(x)

    def _norm(self, x, name: str):
        epsilon = _EPSILON if self.norm_epsilon is None else self.norm_epsilon
        return normalization(self.norm, x.shape[-1], epsilon=epsilon, name=name)(x)
