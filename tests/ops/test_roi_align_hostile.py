"""RoIAlign of boxes, indices and arguments that nobody should send: zeros or a clear error."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import roi_align
from tests.ops.roi_align_cases import PYRAMID_SCALES, pool, random_pyramid


@pytest.fixture
def implementation(roi_align_implementation: str) -> str:
    return roi_align_implementation


@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_no_boxes(implementation, sampling_ratio):
    features = random_pyramid()
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = pool(
            features,
            np.zeros((0, 4), np.float32),
            scales=PYRAMID_SCALES,
            sampling_ratio=sampling_ratio,
        )
    assert pooled.shape == (0, 2, 2, 5)
    gradients = tape.gradient(pooled, features)
    for gradient, feature in zip(gradients, features, strict=True):
        assert gradient.shape == feature.shape
        assert not np.any(gradient)


HOSTILE = {
    "nan": [np.nan, 0, 10, 10],
    "all nan": [np.nan] * 4,
    "infinite": [0, 0, np.inf, 10],
    "both infinite": [-np.inf, -np.inf, np.inf, np.inf],
    "gigantic": [-3e38, -3e38, 3e38, 3e38],
    "beyond 2**24": [-1e9, -1e9, 1e9, 1e9],
    "far outside": [1e4, 1e4, 2e4, 2e4],
    "outside, negative": [-500, -500, -400, -400],
}


@pytest.mark.parametrize("sampling_ratio", [0, 1, 2])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("box", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_boxes_give_zeros(implementation, box, aligned, sampling_ratio):
    features = random_pyramid()
    for level in range(3):
        pooled = pool(
            features,
            np.float32([box]),
            levels=[level],
            scales=PYRAMID_SCALES,
            output_size=3,
            aligned=aligned,
            sampling_ratio=sampling_ratio,
        )
        assert not np.any(pooled)


def test_empty_and_inverted_boxes(implementation):
    features = [np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)]
    boxes = np.float32([[3, 1, 1, 3], [2, 2, 2, 2]])
    fixed = pool(features, boxes)[..., 0]
    mirrored = pool(features, [[1.0, 1, 3, 3]])[0, :, ::-1, 0]
    np.testing.assert_allclose(fixed[0], mirrored, atol=1e-5)
    np.testing.assert_allclose(fixed[1], np.full((2, 2), 7.5), atol=1e-5)
    assert not np.any(pool(features, boxes, sampling_ratio=0))


def test_a_gigantic_box_is_sampled_exactly(implementation):
    if implementation == "fallback":
        pytest.skip("the fallback does not sample adaptively")
    # One bin of 2^20 pixels, nearly all outside: the sum of the map over the number of samples.
    features = np.ones((1, 4, 4, 1), np.float64)
    box = [[-(2.0**19), -(2.0**19), 2.0**19, 2.0**19]]
    pooled = pool(features, box, output_size=1, sampling_ratio=0)
    # Samples at half pixels: 6 of 2^20 lie within a pixel of the map's 4 on each axis (aligned).
    np.testing.assert_allclose(pooled, np.full((1, 1, 1, 1), (6 / 2**20) ** 2), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(scales=[1.0, 0.5]), "one scale per level"),
        (dict(output_size=0), "output_size"),
        (dict(sampling_ratio=-1), "sampling_ratio"),
        (dict(sampling_ratio=1000), "sampling_ratio"),
        (dict(reduce="sum"), "reduce must be one of average, max"),
        (dict(boxes=np.zeros((2, 5), np.float32)), r"boxes \(R, 4\)"),
        (dict(levels=[0]), r"levels \(R,\)"),
        (dict(images=[0]), r"batch_indices \(R,\)"),
        (dict(features=[np.zeros((1, 4, 4), np.float32)]), "B, H, W, F"),
        (dict(features=[np.zeros((1, 4, 4, 1), np.int32)]), "float32"),
        (
            dict(features=[np.zeros((1, 4, 4, c), np.float32) for c in (1, 2)], scales=[1.0, 1.0]),
            "same B and F",
        ),
    ],
)
def test_wrong_arguments(implementation, arguments, message):
    defaults = dict(
        features=[np.zeros((1, 4, 4, 1), np.float32)], boxes=np.zeros((2, 4), np.float32)
    )
    with pytest.raises(ValueError, match=message):
        pool(**{**defaults, **arguments})


@pytest.mark.parametrize("images", [[0, 2], [-1, 0]])
def test_images_that_do_not_exist(implementation, images):
    with pytest.raises(tf.errors.InvalidArgumentError, match="image"):
        pool(random_pyramid(), np.zeros((2, 4), np.float32), images, scales=PYRAMID_SCALES)


@pytest.mark.parametrize("levels", [[0, 3], [-1, 0]])
def test_levels_that_do_not_exist(implementation, levels):
    with pytest.raises(tf.errors.InvalidArgumentError, match="level"):
        pool(random_pyramid(), np.zeros((2, 4), np.float32), levels=levels, scales=PYRAMID_SCALES)


def test_wrong_shapes_at_run_time(implementation):
    @tf.function(input_signature=[tf.TensorSpec([None, 4]), *[tf.TensorSpec([None], tf.int32)] * 2])
    def pooled(boxes, images, levels):
        return roi_align(
            [tf.ones((1, 4, 4, 1))], boxes, images, levels, scales=[1.0], output_size=2
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match="roi_align"):
        pooled(tf.zeros((2, 4)), tf.zeros(3, tf.int32), tf.zeros(2, tf.int32))
