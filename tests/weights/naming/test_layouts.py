import keras
import numpy as np
import pytest

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming import layouts

RNG = np.random.default_rng(0)
LAYOUTS = {
    "same": (layouts.SAME, (5,)),
    "conv": (layouts.CONV, (5, 4, 3, 2)),
    "dense": (layouts.DENSE, (5, 4)),
    "bgr": (layouts.BGR, (7, 7, 3, 4)),
    "background last": (layouts.BACKGROUND_LAST, (6, 4)),
    "y and x": (layouts.Y_X_DELTAS, (6, 12)),
    "channels-first map": (layouts.channels_first_map(3), (9 * 4, 5)),
    "convolved map": (layouts.convolved_map(3), (3, 3, 4, 5)),
    "both": (layouts.DENSE.then(layouts.channels_first_map(2)), (5, 4 * 6)),
}


@pytest.mark.parametrize("layout, shape", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_can_be_undone(layout, shape):
    theirs = RNG.standard_normal(shape)
    np.testing.assert_array_equal(layout.outward(layout.inward(theirs)), theirs)
    ours = layout.inward(theirs)
    np.testing.assert_array_equal(layout.inward(layout.outward(ours)), ours)


def test_a_background_is_dropped_and_comes_back_as_zeros():
    layout = layouts.without_background(2)
    theirs = np.arange(1, 13).reshape(2, 6)
    ours = layout.inward(theirs)
    np.testing.assert_array_equal(ours, [[3, 4, 5, 6], [9, 10, 11, 12]])
    np.testing.assert_array_equal(layout.outward(ours), [[0, 0, 3, 4, 5, 6], [0, 0, 9, 10, 11, 12]])
    np.testing.assert_array_equal(layout.inward(np.arange(6)), [2, 3, 4, 5])


def test_orders_of_outputs():
    np.testing.assert_array_equal(layouts.BACKGROUND_LAST.inward(np.arange(4)), [1, 2, 3, 0])
    np.testing.assert_array_equal(layouts.Y_X_DELTAS.inward(np.arange(8)), [1, 0, 3, 2, 5, 4, 7, 6])


def test_convolutions():
    theirs = RNG.standard_normal((5, 3, 2, 4))  # out, in, height, width
    ours = layouts.CONV.inward(theirs)
    assert ours.shape == (2, 4, 3, 5)
    assert ours[1, 3, 2, 4] == theirs[4, 2, 1, 3]


def test_colours():
    kernel = RNG.standard_normal((7, 7, 3, 4))
    bgr, rgb = RNG.standard_normal((2, 7, 7, 3))
    rgb = bgr[..., ::-1]
    np.testing.assert_allclose(
        np.tensordot(bgr, kernel, 3), np.tensordot(rgb, layouts.BGR.inward(kernel), 3)
    )


def torch_transposed(features, kernel, stride, padding):
    """PyTorch's ConvTranspose2d as its documentation says it: features (in, h, w)."""
    inputs, outputs, side, _ = kernel.shape
    _, height, width = features.shape
    full = np.zeros((outputs, (height - 1) * stride + side, (width - 1) * stride + side))
    for source in range(inputs):
        for target in range(outputs):
            for y in range(height):
                for x in range(width):
                    rows = slice(y * stride, y * stride + side)
                    columns = slice(x * stride, x * stride + side)
                    weight = features[source, y, x]
                    full[target, rows, columns] += weight * kernel[source, target]
    end = full.shape[1] - padding, full.shape[2] - padding
    return full[:, padding : end[0], padding : end[1]]


@pytest.mark.parametrize("side, padding", [(2, 0), (4, 1)], ids=["masks", "keypoints"])
def test_transposed_convolutions_are_not_flipped(side, padding):
    theirs = RNG.standard_normal((3, 5, side, side))  # in, out, height, width
    features = RNG.standard_normal((3, 4, 6))
    expected = torch_transposed(features, theirs, 2, padding)
    layer = keras.layers.Conv2DTranspose(5, side, 2, padding="same", dtype="float64")
    layer.build((None, None, None, 3))
    layer.kernel.assign(layouts.CONV.inward(theirs))
    got = np.asarray(layer(features.transpose(1, 2, 0)[None]))[0]
    assert got.shape == (8, 12, 5)
    np.testing.assert_allclose(got.transpose(2, 0, 1), expected, atol=1e-12)


def test_the_first_dense_layer_reads_the_map_in_its_order():
    features = RNG.standard_normal((4, 3, 3))  # F, S, S
    theirs = RNG.standard_normal((5, 36))
    kernel = layouts.of_torch("box_head/dense1/kernel", (36, 5), MaskRCNNConfig(box_pool_size=3))
    got = features.transpose(1, 2, 0).ravel() @ kernel.inward(theirs)
    np.testing.assert_allclose(got, theirs @ features.ravel())


def test_a_convolution_over_the_map_is_a_dense_layer():
    features = RNG.standard_normal((3, 3, 4))
    kernel = RNG.standard_normal((3, 3, 4, 5))
    got = features.ravel() @ layouts.convolved_map(3).inward(kernel)
    np.testing.assert_allclose(got, np.tensordot(features, kernel, 3))


@pytest.mark.parametrize(
    "name, shape, expected",
    [
        ("box_head/dense1/bias", (5,), (5,)),
        ("backbone/res2.0.norm1/gamma", (5,), (5,)),
        ("fpn/output_P2/kernel", (3, 3, 4, 5), (5, 4, 3, 3)),
        ("box_head/dense2/kernel", (4, 5), (5, 4)),
        ("box_head_2/dense1/kernel", (196, 5), (5, 196)),
        ("box_head/logits/kernel", (4, 5), (5, 4)),
    ],
)
def test_which_layout_pytorch_has(name, shape, expected):
    layout = layouts.of_torch(name, shape, MaskRCNNConfig())
    assert layout.outward(np.zeros(shape)).shape == expected


def rows(name, **fields):
    """What becomes of outputs 0, 1, …, of two classes and a background in front."""
    layout = layouts.background_first(name, MaskRCNNConfig(**fields))
    return layout.inward(np.arange(12 if "deltas" in name else 3)).tolist()


def test_classes_behind_a_background():
    assert rows("box_head/logits/kernel") == [1, 2, 0]
    assert rows("box_head/deltas/bias") == [4, 5, 6, 7, 8, 9, 10, 11]
    assert rows("mask_head/logits/bias") == [1, 2]
    assert rows("mask_head/logits/bias", mask_activation="softmax") == [1, 2, 0]


def test_what_has_no_background():
    assert rows("rpn_head/logits/kernel") == [0, 1, 2]
    assert rows("rpn_head/deltas/kernel") == list(range(12))
    assert rows("box_head/deltas/kernel", class_agnostic_boxes=True) == list(range(12))
    assert rows("mask_head/logits/kernel", class_agnostic_masks=True) == [0, 1, 2]
    assert rows("mask_head/deconv/bias") == [0, 1, 2]
