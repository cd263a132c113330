"""One door to all backbones: by name, with or without weights."""

import os
from collections.abc import Mapping

from kmaskrcnn.backbones import applications, resnet
from kmaskrcnn.backbones.base import Backbone
from kmaskrcnn.backbones.pretrained import load_pretrained


def backbone_names() -> list[str]:
    """Every name that :func:`build_backbone` takes: our ResNets, and what Keras has."""
    return [*resnet.ARCHITECTURES, *applications.names()]


def build_backbone(
    name: str,
    *,
    input_channels: int = 3,
    norm: str = "frozen_batch",
    norm_epsilon: float | None = None,
    taps: Mapping[str, str] | None = None,
    weights: str | os.PathLike | None = None,
    **of_resnets: object,
) -> Backbone:
    """Builds a backbone by its name.

    Args:
        name: one of our own (``"resnet50"``, … in small letters), or a network of
            ``keras.applications`` in any spelling, with its width where it takes one:
            ``"EfficientNetB0"``, ``"mobilenet_0.75"``, ``"ResNet50"`` (Keras' own); or a function
            of yours, ``"package>name"`` as ``keras.saving.register_keras_serializable`` calls it,
            which takes ``input_shape`` and gives a functional model.
        input_channels: C of the images.
        norm: ``"frozen_batch"``, ``"fixed_batch"``, ``"batch"``, or ``"group"``, the one to take
            without weights.
        norm_epsilon: added to the variance; None: the network's own.
        taps: Keras' networks only: layers to tap instead of those found by shape,
            ``{"C5": "conv_pw_12_relu"}``.
        weights: None (random), ``"imagenet"`` (Keras downloads them), or a file that
            :func:`kmaskrcnn.weights.read_arrays` reads. What was loaded is in ``.report``.
        **of_resnets: our ResNets only: ``stride_in_1x1``, ``conv_bias``, ``same_pool``, ``last``
            and ``dilated`` of :func:`kmaskrcnn.backbones.resnet.build`.

    Returns:
        A Keras model from (B, H, W, input_channels) float32, normalised, H and W multiples of 32,
        to ``{"C2": (B, H/4, W/4, F2), …, "C5": (B, H/32, W/32, F5)}``.

    Raises:
        ValueError: a name or switch is unknown, or the weights do not fit.
        FileNotFoundError: there is no such weights file.
    """
    common = {"input_channels": input_channels, "norm": norm, "norm_epsilon": norm_epsilon}
    if name in resnet.ARCHITECTURES:
        _refuse(name, taps=taps)
        backbone = resnet.build(name, **common, **of_resnets)
    else:
        _refuse(name, **{switch: v for switch, v in of_resnets.items() if v != "C5"})
        backbone = applications.build(name, taps=taps, **common)
    if weights is not None:
        load_pretrained(backbone, weights)
    return backbone


def _refuse(name: str, **switches) -> None:
    for switch, value in switches.items():
        if value:
            raise ValueError(f"backbone {name!r} has no switch {switch}; got {value!r}")
