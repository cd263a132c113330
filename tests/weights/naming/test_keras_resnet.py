import numpy as np
import pytest

from kmaskrcnn.weights import from_keras_resnet
from kmaskrcnn.weights.naming.keras_resnet import EPSILON


def convolution(name: str, channels: int, inputs: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(channels)
    norm = name.removesuffix("_conv") + "_bn"
    weights = ("gamma", "beta", "moving_mean", "moving_variance")
    return {
        f"{name}/kernel": rng.random((1, 1, inputs, channels)),
        f"{name}/bias": rng.random(channels),
        **{f"{norm}/{weight}": rng.random(channels) for weight in weights},
    }


def test_names_and_folding():
    theirs = {
        **convolution("conv1_conv", 4),
        **convolution("conv2_block1_0_conv", 5),
        **convolution("conv5_block3_2_conv", 6),
        "predictions/kernel": np.zeros((2, 2)),
    }
    ours = from_keras_resnet(theirs, epsilon=1e-3)
    assert {name.split("/")[0] for name in ours} == {
        "stem.conv",
        "stem.norm",
        "res2.0.shortcut.conv",
        "res2.0.shortcut.norm",
        "res5.2.conv2",
        "res5.2.norm2",
    }
    x = np.random.default_rng(0).random((2, 3))
    convolved = x @ theirs["conv5_block3_2_conv/kernel"][0, 0] + theirs["conv5_block3_2_conv/bias"]
    norm = {k.split("/")[1]: v for k, v in theirs.items() if k.startswith("conv5_block3_2_bn")}
    scale = norm["gamma"] / np.sqrt(norm["moving_variance"] + EPSILON)
    expected = (convolved - norm["moving_mean"]) * scale + norm["beta"]
    got = x @ ours["res5.2.conv2/kernel"][0, 0] - ours["res5.2.norm2/moving_mean"]
    got /= np.sqrt(ours["res5.2.norm2/moving_variance"] + 1e-3)
    got = got * ours["res5.2.norm2/gamma"] + ours["res5.2.norm2/beta"]
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_stem_reads_rgb():
    theirs = convolution("conv1_conv", 4)
    ours = from_keras_resnet(theirs, EPSILON)
    np.testing.assert_array_equal(
        ours["stem.conv/kernel"][:, :, 0], theirs["conv1_conv/kernel"][:, :, 2]
    )


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match=r"not the arrays of a Keras ResNet.*conv1/kernel"):
        from_keras_resnet({"conv1/kernel": np.zeros((1, 1, 3, 4))}, EPSILON)
