"""Backbones from classifiers and detectors of anybody."""

import numpy as np
import pytest

from kmaskrcnn.weights import backbone_to_ours, from_ours
from tests.weights.small import assert_same, numbered, small

STEM = "backbone/stem.conv/kernel"


def body(arrays):
    return {name: a for name, a in arrays.items() if name.startswith(("backbone/", "res5/"))}


def turned(arrays):
    return {**arrays, STEM: arrays[STEM][:, :, ::-1]}


def renamed(state, prefix):
    """The body of a state by the names of a classifier, with one layer more."""
    found = {n.removeprefix(prefix): a for n, a in state.items() if n.startswith(prefix)}
    return {**found, "fc.weight": np.zeros((10, 4))}


def test_torchvisions_classifier():
    shapes, config = small("torchvision/maskrcnn_resnet50_fpn")
    ours = numbered(shapes)
    state = renamed(from_ours(ours, config, "torchvision"), "backbone.body.")
    assert "conv1.weight" in state and "layer1.0.bn1.running_mean" in state
    got = backbone_to_ours(state, shapes, config)
    assert_same(got.arrays, body(ours))
    assert got.unused == ("fc.weight",) and got.missing == ()


def test_a_copy_of_it_by_detectron2s_names_reads_rgb_too():
    shapes, config = small("detectron2/mask_rcnn_R_50_FPN")
    ours = numbered(shapes)
    state = renamed(from_ours(ours, config, "detectron2"), "backbone.bottom_up.")
    assert "stem.conv1.norm.weight" in state
    assert_same(backbone_to_ours(state, shapes, config).arrays, turned(body(ours)))


def test_a_classifier_for_the_heads_of_c4():
    theirs, their_config = small("torchvision/maskrcnn_resnet50_fpn")
    source = numbered(theirs)
    state = renamed(from_ours(source, their_config, "torchvision"), "backbone.body.")
    shapes, config = small("detectron2/mask_rcnn_R_50_C4")
    got = backbone_to_ours(state, shapes, config)
    assert got.missing == () and got.unused == ("fc.weight",)
    assert list(got.arrays) == [n for n in shapes if n.startswith(("backbone/", "res5/"))]
    for name, array in got.arrays.items():
        np.testing.assert_array_equal(array, source[name.replace("res5/", "backbone/", 1)])


@pytest.mark.parametrize("framework", ["ours", "detectron2"])
@pytest.mark.parametrize("pyramids", [("FPN", "C4"), ("C4", "DC5"), ("DC5", "FPN")])
def test_a_detectors_body_under_another_pyramid(framework, pyramids):
    (old_shapes, old), (shapes, config) = (
        small(f"detectron2/mask_rcnn_R_50_{p}") for p in pyramids
    )
    source = numbered(old_shapes)
    got = backbone_to_ours(from_ours(source, old, framework), shapes, config)
    assert got.missing == ()
    flat = {name.replace("res5/", "backbone/", 1): array for name, array in body(source).items()}
    for name, array in got.arrays.items():
        np.testing.assert_array_equal(array, flat[name.replace("res5/", "backbone/", 1)])


def test_missing_stages_are_named():
    shapes, config = small("detectron2/mask_rcnn_R_50_C4")
    got = backbone_to_ours({"layer1.0.conv1.weight": np.zeros((16, 16, 3, 3))}, shapes, config)
    assert list(got.arrays) == ["backbone/res2.0.conv1/kernel"]
    assert "res5/res5.0.conv1/kernel" in got.missing and "box_head/logits/bias" not in got.missing


# ---------------------------------------------------------------- Keras' files


def keras_file(name):
    """The convolution and the norm of a stem by ``layer/weight``, drawn."""
    rng = np.random.default_rng(0)
    weights = ("gamma", "beta", "moving_mean", "moving_variance")
    return {
        name("conv1", "kernel"): rng.random((7, 7, 3, 16), np.float32),
        name("conv1", "bias"): rng.random(16, np.float32),
        **{name("bn_conv1", weight): rng.random(16, np.float32) for weight in weights},
        name("res2a_branch2a", "kernel"): rng.random((1, 1, 16, 16), np.float32),
    }


def of_keras_2(layer, weight):
    return f"{layer}/{layer}/{weight}:0"


def of_keras_1(layer, weight):
    older = {
        "kernel": "W",
        "bias": "b",
        "moving_mean": "running_mean",
        "moving_variance": "running_std",
    }
    return f"{layer}/{layer}_{older.get(weight, weight)}_1:0"


@pytest.mark.parametrize("name", [of_keras_1, of_keras_2])
def test_keras_biases_epsilon_and_colours_are_folded_in(name):
    shapes, config = small("detectron2/mask_rcnn_R_50_FPN")  # without biases, epsilon 1e-5
    state = keras_file(name)
    got = backbone_to_ours(state, shapes, config).arrays
    assert "backbone/stem.conv/bias" not in got
    norm = [state[name("bn_conv1", w)] for w in ("gamma", "beta", "moving_mean", "moving_variance")]
    patch = np.random.default_rng(1).random((7, 7, 3))  # RGB
    convolved = np.tensordot(patch[..., ::-1], state[name("conv1", "kernel")], 3)
    convolved += state[name("conv1", "bias")]
    expected = (convolved - norm[2]) / np.sqrt(norm[3] + 1e-3) * norm[0] + norm[1]
    found = np.tensordot(patch, got[STEM], 3) - got["backbone/stem.norm/moving_mean"]
    found /= np.sqrt(got["backbone/stem.norm/moving_variance"] + 1e-5)
    found = found * got["backbone/stem.norm/gamma"] + got["backbone/stem.norm/beta"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_backbone_with_biases_keeps_them():
    shapes, config = small("matterport/mask_rcnn_resnet50")
    state = keras_file(of_keras_2)
    got = backbone_to_ours(state, shapes, config).arrays
    for ours, layer in (("stem.conv/bias", "conv1"), ("stem.norm/moving_variance", "bn_conv1")):
        theirs = of_keras_2(layer, ours.split("/")[1])
        np.testing.assert_array_equal(got[f"backbone/{ours}"], state[theirs])
    assert "backbone/stem.norm/moving_mean" in got


def test_matterports_own_detector_reads_rgb_already():
    shapes, config = small("matterport/mask_rcnn_resnet50")
    ours = numbered(shapes)
    got = backbone_to_ours(from_ours(ours, config, "matterport"), shapes, config)
    assert_same(got.arrays, body(ours))
