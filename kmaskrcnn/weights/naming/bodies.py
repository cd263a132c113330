"""The weights of a backbone alone, as a training starts from: ImageNet's classifiers of anybody."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.caffe2 import is_caffe2
from kmaskrcnn.weights.naming.frameworks import framework_of, has_heads, unwrapped
from kmaskrcnn.weights.naming.names import norm_epsilon
from kmaskrcnn.weights.naming.states import Arrays, Converted, Shapes, converted

_PARTS = ("backbone/", "res5/")  # the second is the rest of the body under C4's heads
_STEM = "backbone/stem.conv/kernel"
_KERAS_EPSILON = 1e-3  # of the batch norms of Keras 1 and 2, matterport's among them


def backbone_to_ours(state: Arrays, shapes: Shapes, config: MaskRCNNConfig) -> Converted:
    """The arrays of a ResNet for the backbone of a model, from a classifier or a detector.

    ============================================  ==================  =============================
    names                                         whose               trained on
    ============================================  ==================  =============================
    ``conv1.weight``, ``layer1.0.conv1.weight``   torchvision         RGB
    ``stem.conv1.weight``, ``res2.0.conv1…``      Detectron2's copy   RGB
    ``conv1_w``, ``res2_0_branch2a_w``            MSRA, FAIR          BGR
    ``res2a_branch2a/kernel``, ``…_W``            Keras 1 and 2       BGR, biases before the norms
    ============================================  ==================  =============================

    First kernels come out for RGB. A bias that our convolution has no room for is folded into the
    norm behind it, and so is Keras' epsilon. The weights of a whole detector give their backbone.

    Args:
        state: their arrays.
        shapes: of our parameters; those that are no backbone's are passed over.
        config: of the model that gets them. That its `stride_in_1x1`, `pixel_mean` and `pixel_std`
            are those of the weights is up to the caller.

    Returns:
        Arrays of the parts ``backbone`` and ``res5``, and what was unused (a classifier's ``fc``)
        and missing.

    Raises:
        ValueError: these are nobody's weights, or their shapes cannot be a ResNet's.
    """
    framework = framework_of(state)
    body = {_in_body(name): shape for name, shape in shapes.items() if name.startswith(_PARTS)}
    arrays, unused, _ = converted(state, {**_biases(body), **body}, config, framework)
    _fold_biases(arrays, body)
    if framework == "matterport":
        _fold_epsilon(arrays, norm_epsilon(config))
    if _STEM in arrays and _reads_the_other_way(state, framework):
        arrays[_STEM] = arrays[_STEM][:, :, ::-1]
    wanted = [name for name in shapes if name.startswith(_PARTS)]
    return Converted(
        {name: arrays[_in_body(name)] for name in wanted if _in_body(name) in arrays},
        unused,
        tuple(name for name in wanted if _in_body(name) not in arrays),
    )


def _in_body(name: str) -> str:
    """C4's fifth stage is a part of its own in ours and the last of the stages in a classifier."""
    return name.replace("res5/", "backbone/", 1) if name.startswith("res5/") else name


def _biases(body: Shapes) -> dict[str, tuple[int, ...]]:
    """The biases that their convolutions may have, whether ours do or not."""
    kernels = [name for name in body if name.endswith("/kernel")]
    return {name.replace("/kernel", "/bias"): tuple(body[name])[-1:] for name in kernels}


def _fold_biases(arrays: dict[str, np.ndarray], body: Shapes) -> None:
    for name in [name for name in arrays if name.endswith("/bias") and name not in body]:
        mean = name.replace("conv", "norm").replace("/bias", "/moving_mean")
        arrays[mean] = arrays[mean] - arrays.pop(name)


def _fold_epsilon(arrays: dict[str, np.ndarray], epsilon: float) -> None:
    for name in [name for name in arrays if name.endswith("/moving_variance")]:
        arrays[name] = arrays[name] + np.float32(_KERAS_EPSILON - epsilon)


def _reads_the_other_way(state: Arrays, framework: str) -> bool:
    """Whether the table's colours are not the file's: Detectron2's names mean BGR in a detector.

    Its copies of torchvision's classifiers read RGB, and those of Keras read BGR.
    """
    if framework == "detectron2":
        names = [unwrapped(name) for name in state]
        return any(name.startswith("stem.") for name in names) and not is_caffe2(names)
    return framework == "matterport" and not has_heads(state)
