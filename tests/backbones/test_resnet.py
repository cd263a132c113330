import keras
import numpy as np
import pytest

from kmaskrcnn.backbones import build_backbone
from kmaskrcnn.backbones.resnet import ARCHITECTURES, Architecture


@pytest.mark.parametrize(
    ("name", "norm", "channels"),
    [
        ("resnet_tiny", "group", (16, 32, 64, 128)),
        ("resnet_small", "group", (32, 64, 128, 256)),
        ("resnet18", "batch", (64, 128, 256, 512)),
        pytest.param(
            "resnext50_32x4d", "frozen_batch", (256, 512, 1024, 2048), marks=pytest.mark.slow
        ),
    ],
)
def test_pyramid(name, norm, channels):
    outputs = build_backbone(name, norm=norm)(np.ones((2, 64, 96, 3), "float32"))
    assert {level: tuple(output.shape) for level, output in outputs.items()} == {
        f"C{n}": (2, 64 // 2**n, 96 // 2**n, channels[n - 2]) for n in range(2, 6)
    }


def test_parameters_are_those_of_the_papers():
    # torchvision's counts, less the classifier's (in + 1) * 1000; batch norm's statistics are in it
    counts = {
        name: sum(
            int(np.prod(w.shape))
            for w in build_backbone(name).weights
            if not w.name.startswith("moving")
        )
        for name in ("resnet18", "resnet50")
    }
    assert counts == {
        "resnet18": 11_689_512 - 513_000,
        "resnet50": 25_557_032 - 2_049_000,
    }


def test_names_and_stages_are_readable():
    backbone = build_backbone("resnet_tiny")
    assert backbone.taps["C3"] == "res3.0.out"
    assert [layer.name for layer in backbone.stages["stem"]] == [
        "stem.conv_pad",
        "stem.conv",
        "stem.norm",
        "stem.relu",
        "stem.pool_pad",
        "stem.pool",
    ]
    assert backbone.stage_of("res4.0.shortcut.conv") == "C4"
    with pytest.raises(ValueError, match="has no layer 'res9'"):
        backbone.stage_of("res9")


def test_strided_convolutions_pad_all_sides_alike():
    """The picture mirrored gives the features mirrored, which Keras' ``same`` does not."""
    backbone = build_backbone("resnet_tiny", norm="batch")
    for layer in backbone.layers:  # kernels that a mirror leaves alone
        if isinstance(layer, keras.layers.Conv2D):
            layer.kernel.assign((layer.kernel + layer.kernel[:, ::-1]) / 2)
    # odd sizes: a window of an even image cannot lie in the middle
    x = np.random.default_rng(0).normal(size=(1, 65, 65, 3)).astype("float32")
    plain, mirrored = backbone(x)["C2"], backbone(x[:, :, ::-1])["C2"]
    np.testing.assert_allclose(plain, mirrored[:, :, ::-1], atol=1e-4)


@pytest.mark.parametrize("in_1x1", [True, False])
def test_stride_of_the_bottleneck(in_1x1, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "narrow", Architecture((1, 1, 1, 1), width=8))
    backbone = build_backbone("narrow", stride_in_1x1=in_1x1)
    strides = [backbone.get_layer(f"res3.0.conv{n}").strides for n in (1, 2)]
    assert strides == ([(2, 2), (1, 1)] if in_1x1 else [(1, 1), (2, 2)])


def test_epsilon_of_the_norms():
    assert build_backbone("resnet_tiny", norm_epsilon=0.0).get_layer("res2.0.norm1").epsilon == 0.0


def test_recipe_builds_the_same_again():
    backbone = build_backbone("resnet_tiny", input_channels=1, norm="group", norm_epsilon=1e-4)
    twin = build_backbone(**backbone.recipe)
    twin.set_weights(backbone.get_weights())
    x = np.random.default_rng(0).normal(size=(1, 64, 64, 1)).astype("float32")
    np.testing.assert_array_equal(backbone(x)["C5"], twin(x)["C5"])


def test_a_switch_that_a_backbone_lacks_is_refused():
    with pytest.raises(ValueError, match="'resnet_tiny' has no switch taps"):
        build_backbone("resnet_tiny", taps={"C5": "res5.0.out"})
    with pytest.raises(ValueError, match="'mobilenet_1.0' has no switch stride_in_1x1"):
        build_backbone("mobilenet_1.0", stride_in_1x1=True)


def test_every_architecture_has_four_stages():
    assert all(len(sizes.blocks) == 4 for sizes in ARCHITECTURES.values())
