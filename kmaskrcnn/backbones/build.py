"""One door to all backbones: by name, with or without weights."""

import os
from collections.abc import Mapping
from pathlib import Path

import keras

from kmaskrcnn import weights as weight_files
from kmaskrcnn.backbones import applications, resnet
from kmaskrcnn.backbones.base import Backbone

_CAFFE = ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
_TORCH = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_KERAS_RESNETS = {"resnet50": "ResNet50", "resnet101": "ResNet101", "resnet152": "ResNet152"}


def backbone_names() -> list[str]:
    """Every name that :func:`build_backbone` takes: our ResNets, and what Keras has."""
    return [*resnet.ARCHITECTURES, *applications.names()]


def preprocessing(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the images that a backbone's ImageNet weights expect.

    They are in 0…255 RGB: normalised images are ``(image − mean) / deviation``. For ``resnet50``,
    ``resnet101`` and ``resnet152`` they fit ``weights="imagenet"``, which come from Keras; weights
    from torchvision expect (123.675, 116.28, 103.53) and (58.395, 57.12, 57.375).

    Raises:
        ValueError: there is no such backbone.
    """
    if name in resnet.ARCHITECTURES:
        return _CAFFE if name in _KERAS_RESNETS else _TORCH
    return applications.preprocessing(name)


def build_backbone(
    name: str,
    *,
    input_channels: int = 3,
    norm: str = "frozen_batch",
    norm_epsilon: float | None = None,
    stride_in_1x1: bool = False,
    taps: Mapping[str, str] | None = None,
    weights: str | os.PathLike | None = None,
) -> Backbone:
    """Builds a backbone by its name.

    Args:
        name: one of our own (``"resnet50"``, … in small letters), or a network of
            ``keras.applications`` in any spelling, with its width where it takes one:
            ``"EfficientNetB0"``, ``"mobilenet_0.75"``, ``"ResNet50"`` (Keras' own).
        input_channels: C of the images.
        norm: ``"frozen_batch"``, ``"batch"``, or ``"group"``, the one to take without weights.
        norm_epsilon: added to the variance; None: the network's own.
        stride_in_1x1: our ResNets only: stride in the first 1×1 convolution of a block.
        taps: Keras' networks only: layers to tap instead of those found by shape,
            ``{"C5": "conv_pw_12_relu"}``.
        weights: None (random), ``"imagenet"`` (Keras downloads them), or a file that
            :func:`kmaskrcnn.weights.read_arrays` reads. What was loaded is in ``.report``.

    Returns:
        A Keras model from (B, H, W, input_channels) float32, normalised, H and W multiples of 32,
        to ``{"C2": (B, H/4, W/4, F2), …, "C5": (B, H/32, W/32, F5)}``.

    Raises:
        ValueError: a name or switch is unknown, or the weights do not fit.
        FileNotFoundError: there is no such weights file.
    """
    common = {"input_channels": input_channels, "norm": norm, "norm_epsilon": norm_epsilon}
    imagenet = weights == "imagenet"
    if name in resnet.ARCHITECTURES:
        _refuse(name, taps=taps)
        backbone = resnet.build(name, stride_in_1x1=stride_in_1x1, **common)
        if imagenet:
            backbone.report = _load_imagenet(backbone, name, norm, norm_epsilon, stride_in_1x1)
    else:
        _refuse(name, stride_in_1x1=stride_in_1x1)
        backbone = applications.build(name, taps=taps, imagenet=imagenet, **common)
    if weights is not None and not imagenet:
        backbone.report = _load_file(backbone, name, Path(weights))
    return backbone


def _refuse(name: str, **switches) -> None:
    for switch, value in switches.items():
        if value:
            raise ValueError(f"backbone {name!r} has no switch {switch}; got {value!r}")


def _load_imagenet(backbone, name, norm, epsilon, stride_in_1x1) -> weight_files.Report:
    if name not in _KERAS_RESNETS:
        raise ValueError(
            f"there are no ImageNet weights for {name!r}; there are for "
            f"{', '.join(_KERAS_RESNETS)}, and for every network of keras.applications"
        )
    if not stride_in_1x1:
        raise ValueError(
            f"the ImageNet weights of {name!r} are Keras', whose blocks stride in the first 1×1 "
            "convolution: set stride_in_1x1=True"
        )
    source = getattr(keras.applications, _KERAS_RESNETS[name])(include_top=False)
    return load_keras_resnet(backbone, source, keep_norms=norm != "group")


def load_keras_resnet(
    backbone: Backbone, source: keras.Model, keep_norms: bool = True
) -> weight_files.Report:
    """Copies a ``keras.applications.ResNet50`` (101, 152) into our ResNet of that depth.

    Args:
        backbone: our ResNet with ``stride_in_1x1=True``.
        source: Keras' network.
        keep_norms: whether batch norms go along; a group norm has no use for them.

    Returns:
        What was loaded.
    """
    arrays = {
        key: variable.numpy() for key, variable in weight_files.named_variables(source).items()
    }
    epsilon = backbone.get_layer("stem.norm").epsilon
    converted = weight_files.from_keras_resnet(arrays, epsilon)
    if not keep_norms:
        converted = {key: value for key, value in converted.items() if key.endswith("/kernel")}
    return weight_files.assign(
        backbone, converted, allow_missing=not keep_norms, source=f"ImageNet ({source.name})"
    )


def _load_file(backbone: Backbone, name: str, path: Path) -> weight_files.Report:
    arrays = weight_files.read_arrays(path)
    try:
        return weight_files.assign(backbone, arrays, source=str(path))
    except ValueError as error:
        taps = _other_taps(name, arrays)
        if not taps or backbone.recipe.get("taps"):
            raise
        raise ValueError(f"{error}\n  The rest of it would do with taps={taps}") from error


def usable_taps(name: str, path: str | os.PathLike) -> dict[str, str]:
    """Which taps to move so that a weights file without the last layers serves all the same.

    Args:
        name: of the backbone.
        path: a file of its weights.

    Returns:
        ``{}`` when the file is complete (or nothing can be done), else the ``taps`` for
        :func:`build_backbone`, such as ``{"C5": "conv_pw_12_relu"}``.
    """
    return _other_taps(name, weight_files.read_arrays(path))


def _other_taps(name: str, arrays: Mapping) -> dict[str, str]:
    return {} if name in resnet.ARCHITECTURES else applications.taps_within(name, arrays)
