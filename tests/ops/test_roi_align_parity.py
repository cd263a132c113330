"""RoIAlign against the reference's answers."""

import numpy as np
import pytest
import tensorflow as tf

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
