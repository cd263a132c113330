"""The whole network against torchvision's answers on the same weights, stage by stage."""

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import weights
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.ops import boxes as box_ops
from kmaskrcnn.tensors import Proposals
from tests import torchvision_case as case

SAME = 3e-5  # relative L2 distance of sampled values


@pytest.fixture(scope="module")
def both():
    seeded = case.seeded()
    state, answers = seeded.state(case.CASE), seeded.expected(case.CASE)
    names = [f"class {i}" for i in range(case.NUM_CLASSES)]
    model = MaskRCNN.from_preset(
        "resnet50_fpn",
        names,
        stride_in_1x1=False,
        pixel_mean=(0, 0, 0),
        pixel_std=(1, 1, 1),
        **case.CONFIG,
    )
    weights.assign(model.backbone, case.backbone_arrays(state), allow_unused=False)
    case.assign_heads(model, state)
    return model, answers


@pytest.fixture(scope="module")
def features(both):
    model, answers = both
    return model.fpn(model.backbone(case.images(answers)))


def distance(got, answers, key):
    got = np.asarray(got).ravel()[answers[f"{key}/index"]]
    expected = answers[f"{key}/value"]
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def test_features(both, features):
    for level, name in zip(features.values(), ["0", "1", "2", "3", "pool"], strict=True):
        assert distance(level, both[1], f"feature/{name}") <= SAME


def test_rpn_and_anchors(both, features):
    model, answers = both
    logits, deltas = model.rpn_head(features)
    for level in range(5):
        assert distance(logits[level], answers, f"rpn/logits/{level}") <= SAME
        assert distance(deltas[level], answers, f"rpn/deltas/{level}") <= SAME
    anchors = tf.concat(model.anchors(features), 0)
    assert distance(anchors, answers, "rpn/anchors") <= 1e-6


def test_proposals(both, features):
    model, answers = both
    sizes = tf.constant(answers["input/sizes"], tf.float32)
    found = model.proposals(*model.rpn_head(features), model.anchors(features), sizes)
    for image in range(2):
        expected = answers[f"proposals/{image}"]
        got = found.boxes[image].numpy()[found.valid[image]]
        near = np.abs(expected[:, None] - got[None]).max(-1).min(1) <= 0.05
        assert len(got) == len(expected) and near.mean() >= 0.99


def reference_proposals(answers):
    boxes = tf.constant(np.stack([answers["proposals/0"], answers["proposals/1"]]))
    return Proposals(boxes, tf.zeros(boxes.shape[:2]), tf.ones(boxes.shape[:2], tf.bool))


def test_box_branch_on_the_references_proposals(both, features, roi_align_implementation):
    model, answers = both
    logits, deltas = model._box_branch(features, reference_proposals(answers).boxes)
    logits = tf.concat([logits[:, -1:], logits[:, :-1]], 1)  # their background is first
    assert distance(logits, answers, "box/class_logits") <= SAME
    width = answers["box/deltas/shape"][1]
    index = answers["box/deltas/index"]
    kept = index % width >= 4  # ours has none for the background
    ours = index // width * (width - 4) + index % width - 4
    got = np.asarray(deltas).ravel()[ours[kept]]
    expected = answers["box/deltas/value"][kept]
    assert np.linalg.norm(got - expected) / np.linalg.norm(expected) <= SAME


def test_detections(both, features):
    model, answers = both
    sizes = tf.constant(answers["input/sizes"], tf.float32)
    outputs = model._detect(features, reference_proposals(answers), sizes)
    for image, photo in enumerate(case.photos()):
        expected = {k: answers[f"detections/{image}/{k}"] for k in ("boxes", "labels", "scores")}
        scale = np.tile(np.divide(photo.shape[:2], answers["input/sizes"][image])[::-1], 2)
        kept = outputs["labels"][image].numpy() >= 0
        boxes = outputs["boxes"][image].numpy()[kept] * scale
        same = (
            (np.abs(expected["boxes"][:, None] - boxes[None]).max(-1) <= 0.1)
            & (expected["labels"][:, None] == outputs["labels"][image].numpy()[kept] + 1)
            & (np.abs(expected["scores"][:, None] - outputs["scores"][image].numpy()[kept]) <= 1e-3)
        )
        assert same.any(1).mean() >= 0.98


def test_losses_of_one_training_step(both):
    model, answers = both
    truth = case.targets(answers)
    inputs = {
        "images": tf.constant(case.images(answers)),
        "image_sizes": tf.constant(answers["input/sizes"], tf.float32),
    }
    named = model(inputs, targets=truth, training=True)
    expected = {
        "rpn_class_loss": "loss_objectness",
        "rpn_box_loss": "loss_rpn_box_reg",
        "class_loss": "loss_classifier",
        "box_loss": "loss_box_reg",
        "mask_loss": "loss_mask",
    }
    got = {name: float(named[name]) for name in expected}
    want = {name: float(answers[f"training/loss/{key}"]) for name, key in expected.items()}
    assert got == pytest.approx(want, rel=1e-3)
    assert box_ops.area(truth["boxes"]).shape == (2, 5)
