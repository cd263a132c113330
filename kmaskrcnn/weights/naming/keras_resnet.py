"""Keras' own ResNet-50, 101 and 152 under the names of our ResNet.

They differ in three ways, all of which can be folded into the arrays: their convolutions have
biases before the batch norm, epsilon is 1.001e-5, and they read BGR.
"""

import re
from collections.abc import Mapping

import numpy as np

EPSILON = 1.001e-5  # of keras/src/applications/resnet.py
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def from_keras_resnet(arrays: Mapping[str, np.ndarray], epsilon: float) -> dict[str, np.ndarray]:
    """Turns the arrays of ``keras.applications.ResNet50`` (101, 152) into those of our ResNet.

    With ``stride_in_1x1=True`` the network that gets them computes what Keras' does, on images that
    are RGB 0…255 less the mean (123.68, 116.779, 103.939).

    Args:
        arrays: by ``layer/weight`` (``conv1_conv/kernel``, ``conv2_block1_0_bn/gamma``, …); others,
            such as the classifier's, are left out.
        epsilon: that of the network which gets them.

    Returns:
        The arrays by our names (``stem.conv/kernel``, ``res2.0.shortcut.norm/gamma``, …).

    Raises:
        ValueError: these are not the arrays of such a network.
    """
    found: dict[str, np.ndarray] = {}
    for key in arrays:
        layer, _, weight = key.rpartition("/")
        if weight == "kernel" and _our_name(layer) is not None:
            found.update(_folded(arrays, layer, epsilon))
    if "stem.conv/kernel" not in found:
        raise ValueError(
            f"these are not the arrays of a Keras ResNet: expected conv1_conv/kernel, … but came "
            f"{', '.join(list(arrays)[:5])}, …"
        )
    found["stem.conv/kernel"] = np.ascontiguousarray(found["stem.conv/kernel"][:, :, ::-1])
    return found


def _our_name(layer: str) -> str | None:
    """``conv2_block1_0_conv`` → ``res2.0.shortcut.conv``; None for what is no such convolution."""
    if layer == "conv1_conv":
        return "stem.conv"
    match = re.fullmatch(r"conv(\d)_block(\d+)_(\d)_conv", layer)
    if match is None:
        return None
    stage, block, number = map(int, match.groups())
    return f"res{stage}.{block - 1}." + (f"conv{number}" if number else "shortcut.conv")


def _folded(arrays: Mapping[str, np.ndarray], layer: str, epsilon: float) -> dict[str, np.ndarray]:
    """A convolution and its batch norm: the bias goes into the mean, epsilon into the variance."""
    theirs = layer.removesuffix("_conv") + "_bn"
    ours = _our_name(layer) or ""
    norm = ours.replace("conv", "norm")
    found = {f"{norm}/{weight}": np.asarray(arrays[f"{theirs}/{weight}"]) for weight in _NORM}
    bias = arrays.get(f"{layer}/bias", 0.0)
    found[f"{norm}/moving_mean"] = found[f"{norm}/moving_mean"] - bias
    found[f"{norm}/moving_variance"] = found[f"{norm}/moving_variance"] + (EPSILON - epsilon)
    return {f"{ours}/kernel": np.asarray(arrays[f"{layer}/kernel"]), **found}
