"""RoIAlign and level assignment against the references' answers."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.ops import assign_levels
from tests.ops.roi_align_cases import TOLERANCE, pool
from tests.shared import shared_path


@pytest.fixture
def implementation(roi_align_implementation: str) -> str:
    return roi_align_implementation


@pytest.mark.parametrize(
    ("sampling_ratio", "size"), [(0, 7), (1, 7), (2, 7), (3, 7), (0, 14), (2, 14)]
)
@pytest.mark.parametrize("aligned", [0, 1])
def test_torchvision(implementation, aligned, sampling_ratio, size):
    answers = np.load(shared_path("parity/ops/roi.npz"))
    key = f"roi_align/aligned_{aligned}/sampling_{sampling_ratio}/size_{size}"
    if implementation == "fallback" and sampling_ratio == 0:
        pytest.skip("the fallback does not sample adaptively")
    features = tf.constant(answers["features"])
    with tf.GradientTape() as tape:
        tape.watch(features)
        pooled = pool(
            features,
            answers["boxes"],
            answers["image_index"],
            scales=[1 / 4],
            output_size=size,
            sampling_ratio=sampling_ratio,
            aligned=bool(aligned),
        )
    tolerance = TOLERANCE[implementation, "float32"]
    np.testing.assert_allclose(pooled, answers[key], atol=tolerance)
    if f"{key}/gradient" in answers:
        gradient = tape.gradient(pooled, features, output_gradients=answers[f"{key}/upstream"])
        limit = tolerance * max(1.0, np.abs(answers[f"{key}/gradient"]).max())
        np.testing.assert_allclose(gradient, answers[f"{key}/gradient"], atol=limit)


def test_levels_by_hand():
    boxes = np.float32(
        [[0, 0, 224, 224], [0, 0, 111, 111], [0, 0, 448, 448], [0, 0, 5000, 5000], [5, 5, 5, 5]]
        + [[9, 9, 5, 20], [np.nan] * 4]
    )
    assert assign_levels(boxes, num_levels=4).numpy().tolist() == [2, 0, 3, 3, 0, 0, 0]
    assert assign_levels(boxes[tf.newaxis], num_levels=4).shape == (1, 7)
    assert assign_levels(boxes[:0], num_levels=4).shape == (0,)


@pytest.mark.parametrize("reference", ["torchvision", "detectron2"])
def test_levels_of_the_references(reference):
    answers = np.load(shared_path("parity/ops/levels.npz"))
    epsilons = {
        "torchvision": dict(inner_epsilon=0.0, outer_epsilon=1e-6),
        "detectron2": dict(inner_epsilon=1e-8, outer_epsilon=0.0),
    }
    levels = assign_levels(answers["boxes"], num_levels=4, **epsilons[reference])
    np.testing.assert_array_equal(levels + 2, answers[reference])
