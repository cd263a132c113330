import keras
import numpy as np
import pytest

from kmaskrcnn.backbones import applications, build_backbone, preprocessing
from kmaskrcnn.layers.normalization import FrozenBatchNormalization

MOBILENET_TAPS = {
    "C2": "conv_pw_3_relu",
    "C3": "conv_pw_5_relu",
    "C4": "conv_pw_11_relu",
    "C5": "conv_pw_13_relu",
}


@pytest.fixture
def fake_imagenet(monkeypatch):
    """Keras' networks with random weights where it would download; the last one made is kept."""
    made = []

    def source(found, arguments, channels, imagenet):
        model = original(found, arguments, channels, False)
        rng = np.random.default_rng(0)
        for layer in model.layers if imagenet else ():
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
        made.append(model)
        return model

    original = applications._source
    monkeypatch.setattr(applications, "_source", source)
    return made


def shapes(backbone, height=64, width=96, channels=3):
    outputs = backbone(np.zeros((1, height, width, channels), "float32"))
    return {level: tuple(output.shape[1:]) for level, output in outputs.items()}


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("mobilenet_1.0", (128, 256, 512, 1024)),
        ("mobilenet_0.75", (96, 192, 384, 768)),
        ("MobileNetV2_0.5", (96, 96, 288, 1280)),
        ("MobileNetV3Small", (72, 96, 288, 576)),
        pytest.param("EfficientNetB0", (144, 240, 672, 1280), marks=pytest.mark.slow),
        pytest.param("ResNet50V2", (256, 512, 1024, 2048), marks=pytest.mark.slow),
        pytest.param("EfficientNetV2B0", (32, 192, 672, 1280), marks=pytest.mark.slow),
        pytest.param("ConvNeXtTiny", (96, 192, 384, 768), marks=pytest.mark.slow),
        pytest.param("DenseNet121", (128, 256, 512, 1024), marks=pytest.mark.slow),
        pytest.param("VGG16", (256, 512, 512, 512), marks=pytest.mark.slow),
    ],
)
def test_families_give_a_pyramid(name, channels):
    backbone = build_backbone(name)
    assert shapes(backbone) == {
        f"C{level}": (64 // 2**level, 96 // 2**level, channels[level - 2]) for level in range(2, 6)
    }
    assert all(backbone.stages.values())


def test_mobilenet_is_tapped_at_the_pointwise_convolutions():
    backbone = build_backbone("mobilenet_0.75")
    assert backbone.taps == MOBILENET_TAPS
    assert [layer.name for layer in backbone.stages["stem"] if layer.weights] == [
        "conv1",
        "conv1_bn",
        "conv_dw_1",
        "conv_dw_1_bn",
        "conv_pw_1",
        "conv_pw_1_bn",
    ]
    assert backbone.stage_of("conv_dw_2") == "C2"
    assert backbone.stage_of("conv_pw_6") == "C4"


def test_a_moved_tap_drops_the_layers_behind_it():
    backbone = build_backbone("mobilenet_0.75", taps={"C5": "conv_pw_12_relu"})
    names = {layer.name for layer in backbone.layers}
    assert backbone.taps["C5"] == "conv_pw_12_relu"
    assert "conv_pw_12" in names and "conv_dw_13" not in names
    assert shapes(backbone)["C5"] == (2, 3, 768)


def test_batch_norms_are_frozen_and_keep_their_epsilon():
    backbone = build_backbone("mobilenet_0.75")
    norms = [layer for layer in backbone.layers if layer.name.endswith("_bn")]
    assert len(norms) == 27
    assert all(isinstance(norm, FrozenBatchNormalization) for norm in norms)
    assert {norm.epsilon for norm in norms} == {1e-3}
    assert len(backbone.trainable_variables) == 27  # the kernels


def test_norm_epsilon_can_be_set():
    assert build_backbone("mobilenet_0.75", norm_epsilon=0.5).get_layer("conv1_bn").epsilon == 0.5


@pytest.mark.parametrize(
    ("norm", "kind"),
    [("group", keras.layers.GroupNormalization), ("batch", keras.layers.BatchNormalization)],
)
def test_other_norms(norm, kind):
    backbone = build_backbone("mobilenet_0.75", norm=norm)
    assert isinstance(backbone.get_layer("conv_pw_13_bn"), kind)
    assert len(backbone.trainable_variables) == 3 * 27
    assert shapes(backbone)["C2"] == (16, 24, 96)


def test_grey_images():
    assert shapes(build_backbone("mobilenet_0.75", input_channels=1), channels=1)["C2"] == (
        16,
        24,
        96,
    )


def test_imagenet_weights_give_the_features_of_keras(fake_imagenet):
    backbone = build_backbone("mobilenet_0.75", weights="imagenet")
    x = np.random.default_rng(1).uniform(-1, 1, (1, 224, 224, 3)).astype("float32")
    np.testing.assert_allclose(backbone(x)["C5"], fake_imagenet[-1](x), atol=1e-5)
    assert len(backbone.report.loaded) == 27 * 5 and "ImageNet" in backbone.report.text


def test_layers_that_normalise_images_are_taken_out(fake_imagenet):
    backbone = build_backbone("MobileNetV3Small", weights="imagenet")
    x = np.random.default_rng(1).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
    normalised = (x / 127.5 - 1).astype("float32")
    np.testing.assert_allclose(backbone(normalised)["C5"], fake_imagenet[-1](x), atol=1e-4)
    kinds = {type(layer).__name__ for layer in backbone.layers}
    assert kinds.isdisjoint({"Rescaling", "Normalization", "Dropout"})


@pytest.mark.slow
def test_networks_that_read_bgr_are_turned_to_rgb(fake_imagenet):
    backbone = build_backbone("VGG16", weights="imagenet")
    x = np.random.default_rng(1).normal(0, 1, (1, 224, 224, 3)).astype("float32")
    expected = fake_imagenet[-1](x[..., ::-1])
    np.testing.assert_allclose(backbone(x)["C5"], expected, atol=1e-5)
    assert np.abs(fake_imagenet[-1](x) - expected).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        ("mobilenet_1.0", 127.5, 127.5),
        ("MobileNetV3Large", 127.5, 127.5),
        ("ResNet50V2", 127.5, 127.5),
        ("ResNet50", 123.68, 1.0),
        ("vgg16", 123.68, 1.0),
        ("EfficientNetB3", 123.675, 58.395),
        ("EfficientNetV2B0", 123.675, 58.395),
        ("EfficientNetV2S", 128.0, 128.0),
        ("DenseNet121", 123.675, 58.395),
        ("ConvNeXtTiny", 123.675, 58.395),
    ],
)
def test_preprocessing_of_red(name, mean, deviation):
    (red_mean, *_), (red_deviation, *_) = preprocessing(name)
    assert (red_mean, red_deviation) == (mean, deviation)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("MobileNet", keras.applications.mobilenet),
        ("MobileNetV2", keras.applications.mobilenet_v2),
        ("ResNet50V2", keras.applications.resnet_v2),
        ("DenseNet121", keras.applications.densenet),
    ],
)
def test_preprocessing_is_that_of_keras(name, module):
    image = np.random.default_rng(0).uniform(0, 255, (4, 4, 3))
    mean, deviation = preprocessing(name)
    expected = module.preprocess_input(image.copy())
    np.testing.assert_allclose((image - mean) / deviation, expected, atol=1e-5)


def test_unknown_network_lists_the_nearest():
    with pytest.raises(ValueError, match=r"'mobilenetv5'.*did you mean MobileNetV2"):
        build_backbone("mobilenetv5")


def test_width_where_there_is_none():
    with pytest.raises(ValueError, match="EfficientNetB0 takes no width multiplier"):
        build_backbone("EfficientNetB0_0.5")


@pytest.mark.slow
def test_network_without_exact_strides():
    with pytest.raises(ValueError, match=r"no layer has stride 4 \(C2\).*Inception"):
        build_backbone("InceptionV3")
