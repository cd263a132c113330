"""A model's file in another precision than it was trained in."""

import numpy as np
import pytest

import kmaskrcnn
from kmaskrcnn.model import MaskRCNN
from tests.data.samples import noise_image


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A model of 32 bits with frozen stages, and its file."""
    model = MaskRCNN.from_preset("tiny", ["a", "b"], score_threshold=0.0, detections_per_image=7)
    model.freeze("C2")
    model.provenance["data"] = "drawn"
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    return model, path


def test_sixteen_bits_from_the_same_weights(kept):
    model, path = kept
    half = kmaskrcnn.load(path, dtype="mixed_bfloat16")
    assert (half.config, half.class_names) == (model.config, model.class_names)
    assert (half.frozen, half.provenance) == (model.frozen, model.provenance)
    assert half.rpn_head.logits.compute_dtype == "bfloat16"
    for name, variable in model.parameters.items():
        loaded = half.parameters[name]
        assert loaded.dtype == variable.dtype == "float32"
        np.testing.assert_array_equal(loaded.numpy(), variable.numpy())


def test_back_to_thirty_two_bits(kept, tmp_path):
    model, path = kept
    kmaskrcnn.load(path, dtype="mixed_bfloat16").save(tmp_path / "half.keras")
    assert kmaskrcnn.load(tmp_path / "half.keras").dtype_policy.name == "mixed_bfloat16"
    whole = kmaskrcnn.load(tmp_path / "half.keras", dtype="float32")
    assert whole.dtype_policy.name == "float32"
    image = noise_image(64, 96)
    (one,), (two,) = model.predict(image), whole.predict(image)
    np.testing.assert_array_equal(one.boxes, two.boxes)


def test_no_such_precision_is_a_sentence(kept):
    with pytest.raises(ValueError, match="int5"):
        kmaskrcnn.load(kept[1], dtype="int5")
