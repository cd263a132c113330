"""A network of the user's: a function registered at Keras, whose name stands in the config."""

import keras
import numpy as np
import pytest

import kmaskrcnn
from kmaskrcnn.backbones import build_backbone, preprocessing
from kmaskrcnn.weights import named_variables, write_arrays

NAME = "tests>pooled"


def network(input_shape, name_of):
    """A convolution and a batch norm a stride."""
    images = keras.Input(input_shape)
    x = images
    for number, channels in enumerate((8, 8, 12, 16, 20)):
        conv = {"strides": 2, "padding": "same", "use_bias": False}
        x = keras.layers.Conv2D(channels, 3, **conv, name=name_of("conv", number))(x)
        x = keras.layers.BatchNormalization(name=name_of("norm", number))(x)
        x = keras.layers.Activation("relu")(x)
    return keras.Model(images, x)


@keras.saving.register_keras_serializable("tests", "pooled")
def pooled(input_shape):
    return network(input_shape, lambda kind, number: None)  # Keras names the layers


@keras.saving.register_keras_serializable("tests", "named")
def named(input_shape):
    return network(input_shape, lambda kind, number: f"{kind}{number}")


@keras.saving.register_keras_serializable("tests", "not_functional")
def not_functional(input_shape):
    return keras.layers.Dense(1)


def test_it_gives_a_pyramid_and_its_norms_are_exchanged():
    backbone = build_backbone(NAME, norm="group")
    outputs = backbone(np.zeros((1, 64, 96, 3), "float32"))
    assert {level: tuple(value.shape[1:]) for level, value in outputs.items()} == {
        "C2": (16, 24, 8),
        "C3": (8, 12, 12),
        "C4": (4, 6, 16),
        "C5": (2, 3, 20),
    }
    kinds = {type(layer) for layer in backbone.layers}
    assert any(issubclass(kind, keras.layers.GroupNormalization) for kind in kinds)
    assert not any(issubclass(kind, keras.layers.BatchNormalization) for kind in kinds)
    assert preprocessing(NAME)[0] == (123.675, 116.28, 103.53)


def test_a_model_on_it_is_saved_and_loaded(tmp_path):
    model = kmaskrcnn.MaskRCNN.from_preset("tiny", ["a"], backbone=NAME, score_threshold=0.0)
    model.save(tmp_path / "own.keras")
    pooled((64, 64, 3))  # Keras counts names on: layers of the next model are called otherwise
    again = kmaskrcnn.load(tmp_path / "own.keras")
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    ours, theirs = model.predict(image)[0], again.predict(image)[0]
    assert again.config.backbone == NAME and len(ours) > 0
    np.testing.assert_array_equal(ours.boxes, theirs.boxes)
    np.testing.assert_array_equal(ours.mask_probabilities, theirs.mask_probabilities)


def test_its_weights_come_from_a_file(tmp_path):
    source = build_backbone("tests>named")
    arrays = {name: value.numpy() for name, value in named_variables(source).items()}
    write_arrays(tmp_path / "named.npz", arrays)
    loaded = build_backbone("tests>named", weights=tmp_path / "named.npz")
    kernel, again = (b.get_layer("conv4").kernel.numpy() for b in (source, loaded))
    np.testing.assert_array_equal(kernel, again)
    assert len(loaded.report.loaded) == len(arrays) == 5 * 5


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("tests>nothing", {}, "'tests>nothing' is not registered .* examples/own_backbone.py"),
        ("tests>not_functional", {}, "expected a functional keras.Model .* got Dense"),
        (NAME, {"weights": "imagenet"}, "no ImageNet weights for the backbone 'tests>pooled'"),
    ],
)
def test_mistakes(name, options, message):
    with pytest.raises(ValueError, match=message):
        build_backbone(name, **options)
