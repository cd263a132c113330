"""Whose weights these are, told by their names, and how many classes they know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from kmaskrcnn.weights.naming.caffe2 import is_caffe2
from kmaskrcnn.weights.naming.detectron2 import DETECTRON2
from kmaskrcnn.weights.naming.layouts import SAME
from kmaskrcnn.weights.naming.matterport import MATTERPORT
from kmaskrcnn.weights.naming.names import Framework
from kmaskrcnn.weights.naming.torchvision import TORCHVISION

OURS = Framework(
    "ours",
    r"(backbone/)?stem\.conv/|(fpn|rpn_head|box_head(_\d)?)/[^/]+/(kernel|gamma)$",
    lambda name, config: name,
    lambda name, shape, config: SAME,
    lambda name: re.sub(r"^(res5/(?=res5)|(?=stem\.|res\d\.))", "backbone/", name),
    {},
)
FRAMEWORKS = {
    framework.name: framework for framework in (OURS, TORCHVISION, DETECTRON2, MATTERPORT)
}

_CLASS_BIAS = (
    r"(.*\bcls_score[._](bias|b)|(.*/)?mrcnn_class_logits(_\d+)?/bias(:0)?"
    r"|box_head(_\d)?/logits/bias)$"
)
_WRAPPERS = ("module.", "model.")  # of torch's DataParallel, of training frameworks


def framework_of(state: Iterable[str]) -> str:
    """Whose names these are.

    Args:
        state: arrays by name, or the names.

    Returns:
        ``"ours"``, ``"torchvision"``, ``"detectron2"`` (Caffe2's blobs and Detectron1, too) or
        ``"matterport"``. The weights of a backbone alone have a framework as well.

    Raises:
        ValueError: nobody's; the message shows some names.
    """
    names = [unwrapped(name) for name in state]
    if is_caffe2(names):
        return "detectron2"
    for framework in FRAMEWORKS.values():
        if any(re.match(framework.signature, name) for name in names):
            return framework.name
    raise ValueError(
        f"these weights are of none of {', '.join(FRAMEWORKS)}: expected a ResNet under their "
        f"names, such as 'backbone.body.conv1.weight', but came {', '.join(names[:6])}, …"
    )


def has_heads(state: Iterable[str]) -> bool:
    """Whether a detector's class logits are among the names; else it is a backbone alone."""
    return any(re.match(_CLASS_BIAS, name) for name in state)


def count_classes(state: Mapping[str, np.ndarray]) -> int:
    """C, the number of classes without the background, from the class logits' bias.

    Raises:
        ValueError: there are none, as in the weights of a backbone.
    """
    for name, array in state.items():
        if re.match(_CLASS_BIAS, name):
            return int(np.shape(array)[-1]) - 1
    raise ValueError(
        f"no class logits among these weights ({', '.join(list(state)[:6])}, …): they are no "
        "detector's, and say nothing about its classes"
    )


def known(framework: str) -> Framework:
    """The framework of a name.

    Raises:
        ValueError: there is none of this name.
    """
    if framework not in FRAMEWORKS:
        raise ValueError(f"framework is {framework!r}: expected one of {', '.join(FRAMEWORKS)}")
    return FRAMEWORKS[framework]


def unwrapped(name: str) -> str:
    """``module.backbone.…`` → ``backbone.…``."""
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name
