"""Weights for backbones: ImageNet's from Keras, any from files, and the images they expect."""

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


def imagenet_settings(name: str) -> dict[str, object]:
    """The fields of a ``MaskRCNNConfig`` that go with ``weights="imagenet"`` of a backbone.

    Returns:
        ``pixel_mean``, ``pixel_std`` and ``stride_in_1x1``.

    Raises:
        ValueError: there is no such backbone.
    """
    mean, deviation = preprocessing(name)
    return {
        "pixel_mean": mean,
        "pixel_std": deviation,
        "stride_in_1x1": name in _KERAS_RESNETS,
    }


def load_pretrained(backbone: Backbone, weights: str | os.PathLike) -> weight_files.Report:
    """Loads weights into a backbone that stands.

    Args:
        backbone: of :func:`build_backbone`.
        weights: ``"imagenet"`` (Keras downloads them) or a file that
            :func:`kmaskrcnn.weights.read_arrays` reads.

    Returns:
        What was loaded; it is kept as ``backbone.report``.

    Raises:
        ValueError: there are no such weights, or they do not fit; nothing is loaded then.
        FileNotFoundError: there is no such file.
    """
    if weights != "imagenet":
        backbone.report = _load_file(backbone, Path(weights))
    elif backbone.recipe["name"] in resnet.ARCHITECTURES:
        backbone.report = _load_imagenet_resnet(backbone)
    else:
        twin = applications.build(**backbone.recipe, imagenet=True)
        backbone.set_weights(twin.get_weights())
        names = tuple(weight_files.named_variables(backbone))
        source = f"ImageNet ({twin.recipe['name']} of Keras)"
        backbone.report = weight_files.Report(source, names, (), (), backbone.count_params())
    return backbone.report


def _load_imagenet_resnet(backbone: Backbone) -> weight_files.Report:
    name = backbone.recipe["name"]
    if name not in _KERAS_RESNETS:
        raise ValueError(
            f"there are no ImageNet weights for {name!r}; there are for "
            f"{', '.join(_KERAS_RESNETS)}, and for every network of keras.applications"
        )
    if not backbone.recipe["stride_in_1x1"]:
        raise ValueError(
            f"the ImageNet weights of {name!r} are Keras', whose blocks stride in the first 1×1 "
            "convolution: set stride_in_1x1=True"
        )
    return load_keras_resnet(
        backbone, getattr(keras.applications, _KERAS_RESNETS[name])(include_top=False)
    )


def load_keras_resnet(backbone: Backbone, source: keras.Model) -> weight_files.Report:
    """Copies a ``keras.applications.ResNet50`` (101, 152) into our ResNet of that depth.

    Where the norms are group norms, they keep what they have, and the kernels alone are copied.

    Args:
        backbone: our ResNet with ``stride_in_1x1=True``.
        source: Keras' network.

    Returns:
        What was loaded.
    """
    variables = weight_files.named_variables(source)
    arrays = {key: variable.numpy() for key, variable in variables.items()}
    norm = backbone.get_layer("stem.norm")
    converted = weight_files.from_keras_resnet(arrays, norm.epsilon)
    only_kernels = isinstance(norm, keras.layers.GroupNormalization)
    if only_kernels:
        converted = {key: value for key, value in converted.items() if key.endswith("/kernel")}
    return weight_files.assign(
        backbone, converted, allow_missing=only_kernels, source=f"ImageNet ({source.name} of Keras)"
    )


def _load_file(backbone: Backbone, path: Path) -> weight_files.Report:
    arrays = weight_files.read_arrays(path)
    try:
        return weight_files.assign(backbone, arrays, source=str(path))
    except ValueError as error:
        taps = _other_taps(backbone.recipe["name"], arrays)
        if not taps or backbone.recipe.get("taps"):
            raise
        raise ValueError(f"{error}\n  The rest of it would do with the taps {taps}") from error


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
