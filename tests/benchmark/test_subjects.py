"""What is measured: every mask of every image, and a step that changes the network."""

import dataclasses

import numpy as np
import pytest

from kmaskrcnn.backbones import build_backbone
from kmaskrcnn.benchmark import subjects
from kmaskrcnn.benchmark.plan import Plan

PLAN = Plan("tiny", {"min_size": 64, "norm": "frozen_batch"})


def test_the_limits_of_a_photograph():
    assert PLAN.photograph == (64, 85)
    assert dataclasses.replace(PLAN, fields={"max_size": 70}).photograph == (64, 70)
    assert subjects.photograph(PLAN).shape == (64, 85, 3)


def test_as_many_masks_as_the_network_may_give(eagerly, monkeypatch):
    seen = []
    original = subjects.MaskRCNN.predict

    def predict(self, images, batch_size):
        seen.append((len(images), batch_size))
        return original(self, images, batch_size=batch_size)

    monkeypatch.setattr(subjects.MaskRCNN, "predict", predict)
    assert subjects.prediction(PLAN, "float32")(2) == PLAN.config.detections_per_image
    assert seen == [(2, 2)]


def test_a_step_trains(eagerly, monkeypatch):
    models = []
    original = subjects.new_model
    monkeypatch.setattr(
        subjects, "new_model", lambda *args: models.append(original(*args)) or models[0]
    )
    train = subjects.training_step(PLAN, "bfloat16")
    kernel = next(v for v in models[0].trainable_variables if "kernel" in v.path)
    before = kernel.numpy().copy()
    assert 1 <= train(2) <= subjects.MOST_SHAPES
    assert models[0].dtype_policy.name == "mixed_bfloat16"
    assert not np.array_equal(before, kernel.numpy())


@pytest.mark.parametrize("name", ["resnet_small", "mobilenet_0.25"])
def test_settled_features_neither_grow_nor_vanish(name):
    backbone = build_backbone(name)
    image = np.random.default_rng(0).normal(0, 60, (128, 160, 3))
    subjects.settle(backbone, image)
    for level, features in backbone(image[None].astype("float32")).items():
        assert 0.1 < np.asarray(features).std() < 20, level
