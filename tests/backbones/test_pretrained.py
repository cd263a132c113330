import keras
import numpy as np
import pytest

from kmaskrcnn.backbones import (
    backbone_names,
    build_backbone,
    imagenet_settings,
    load_pretrained,
    usable_taps,
)
from tests.shared import shared_path


@pytest.fixture(scope="module")
def random_resnet():
    """Keras' ResNet-50 with norms and biases that are all off their defaults."""
    source = keras.applications.ResNet50(include_top=False, weights=None)
    rng = np.random.default_rng(0)
    for layer in source.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
        elif isinstance(layer, keras.layers.Conv2D):
            layer.bias.assign(rng.normal(0, 0.2, layer.bias.shape))
    return source


@pytest.fixture
def keras_resnet(monkeypatch, random_resnet):
    """That network in the place of the one that Keras would download."""
    monkeypatch.setattr(keras.applications, "ResNet50", lambda include_top: random_resnet)
    return random_resnet


def test_keras_resnet_in_ours_computes_the_same(keras_resnet):
    backbone = build_backbone("resnet50", stride_in_1x1=True, norm_epsilon=1e-3, weights="imagenet")
    x = np.random.default_rng(1).normal(0, 50, (1, 64, 96, 3)).astype("float32")
    expected = keras_resnet(x[..., ::-1])  # it reads BGR
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(backbone(x)["C5"], expected, rtol=1e-5, atol=1e-4)
    assert len(backbone.report.loaded) == 53 * 5 and not backbone.report.missing


def test_group_norms_take_the_kernels_alone(keras_resnet):
    backbone = build_backbone("resnet50", stride_in_1x1=True, norm="group", weights="imagenet")
    assert len(backbone.report.loaded) == 53
    np.testing.assert_array_equal(backbone.get_layer("stem.norm").gamma, np.ones(64))


def test_imagenet_resnet_says_that_it_strides_in_the_1x1():
    with pytest.raises(ValueError, match="set stride_in_1x1=True"):
        build_backbone("resnet50", weights="imagenet")


def test_no_imagenet_weights():
    with pytest.raises(ValueError, match="no ImageNet weights for 'resnet_tiny'"):
        build_backbone("resnet_tiny", weights="imagenet")


def test_imagenet_settings_fit_the_weights():
    assert imagenet_settings("resnet101")["stride_in_1x1"] is True
    assert imagenet_settings("mobilenet_1.0") == {
        "pixel_mean": (127.5, 127.5, 127.5),
        "pixel_std": (127.5, 127.5, 127.5),
        "stride_in_1x1": False,
    }


def test_names_hold_ours_and_those_of_keras():
    assert {"resnet50", "resnet101", "MobileNet", "ConvNeXtTiny"} <= set(backbone_names())


def test_weights_saved_by_keras_come_back(tmp_path):
    backbone = build_backbone("resnet_tiny", norm="group")
    path = tmp_path / "backbone.weights.h5"
    backbone.save_weights(path)
    twin = build_backbone("resnet_tiny", norm="group", weights=path)
    for now, then in zip(twin.get_weights(), backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(now, then)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights file .*nothing\.npz"):
        build_backbone("resnet_tiny", weights=tmp_path / "nothing.npz")


# ---------------------------------------------------------------- the MobileNets of the references

COMPLETE = "weights/mobilenet_v1_0.75_224.npz"
WITHOUT_END = "weights/mobilenet_v1_1.0_224_without_conv_pw_13.npz"


def test_plain_arrays_load_but_for_the_top():
    backbone = build_backbone("mobilenet_0.75", weights=shared_path(COMPLETE))
    assert len(backbone.report.loaded) == 135
    assert backbone.report.unused == ("conv_preds/kernel", "conv_preds/bias")
    with np.load(shared_path(COMPLETE)) as arrays:
        kernel = arrays["conv_dw_7/depthwise_kernel"]
    np.testing.assert_array_equal(backbone.get_layer("conv_dw_7").get_weights()[0], kernel)


def test_plain_arrays_see_a_cat():
    """The features, pooled and put through the file's classifier, name the photograph's cat."""
    import skimage.data
    import tensorflow as tf

    path = shared_path(COMPLETE)
    backbone = build_backbone("mobilenet_0.75", weights=path)
    image = tf.image.resize(skimage.data.chelsea().astype("float32"), (224, 224)) / 127.5 - 1
    pooled = tf.reduce_mean(backbone(image[None])["C5"], axis=(1, 2))
    with np.load(path) as arrays:
        kernel = arrays["conv_preds/kernel"].reshape(768, 1000)
        logits = pooled @ kernel + arrays["conv_preds/bias"]
    assert int(tf.argmax(logits[0])) in range(281, 286)  # ImageNet's house cats


def test_arrays_without_the_last_layer_say_which_tap_would_do():
    path = shared_path(WITHOUT_END)
    with pytest.raises(ValueError, match=r"missing: conv_pw_13/kernel.*\n.*'conv_dw_13_relu'"):
        build_backbone("mobilenet_1.0", weights=path)
    assert usable_taps("mobilenet_1.0", path) == {"C5": "conv_dw_13_relu"}


def test_arrays_without_the_last_layer_load_below_it():
    backbone = build_backbone("mobilenet_1.0", taps={"C5": "conv_pw_12_relu"})
    report = load_pretrained(backbone, shared_path(WITHOUT_END))
    assert not report.missing and "conv_pw_13_bn/gamma" in report.unused


def test_a_complete_file_needs_no_other_taps():
    assert usable_taps("mobilenet_0.75", shared_path(COMPLETE)) == {}


def test_arrays_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"conv1/kernel has shape \(3, 3, 3, 24\), expected"):
        build_backbone("mobilenet_1.0", weights=shared_path(COMPLETE))
