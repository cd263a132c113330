"""Every system and ablation of the paper, small: it trains on two photographs, and differs as said.

The same two photographs, the same seed: what a switch changes is all that changes.
"""

import random

import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn import classes, data, presets
from kmaskrcnn.model import MaskRCNN
from tests.shared import shared_path

ONE_LEVEL = {"anchor_sizes": ((16, 32, 64, 128, 256),)}
C4 = {
    **ONE_LEVEL,
    "pyramid": "c4",
    "box_head_num_dense": 0,
    "mask_head_num_convs": 0,
    "mask_size": 14,
}
SYSTEMS = {
    "fpn": {},
    "c4": C4,
    "c5": {**ONE_LEVEL, "pyramid": "c5"},
    "dc5": {**ONE_LEVEL, "pyramid": "dc5"},
    "faster": {"with_masks": False},
    "softmax": {"mask_activation": "softmax"},
    "mlp": {"mask_head": "mlp"},
    "agnostic": {"class_agnostic_masks": True, "class_agnostic_boxes": True},
    "roi_pool": {"roi_pooling": "pool", "roi_reduce": "max"},
    "roi_warp": {"roi_pooling": "warp"},
    "roi_warp_max": {"roi_pooling": "warp", "roi_reduce": "max"},
    "roi_align_max": {"roi_reduce": "max"},
    "cascade": {"cascade_ious": (0.5, 0.6, 0.7), "class_agnostic_boxes": True},
    "deep_heads": {"box_head_num_convs": 2, "head_norm": "group", "fpn_norm": "group"},
    "learned_batch_norms": {"norm": "batch", "head_norm": "batch", "rpn_num_convs": 2},
    "matterport": {
        name: value
        for name, value in presets.preset("matterport/mask_rcnn_resnet50").to_dict().items()
        if name
        in "canvas box_frame resize norm conv_bias same_pool rpn_softmax rpn_box_weights "
        "delta_clamp joint_proposals truth_as_proposals spare_rois roi_pooling level_rule "
        "head_norm dense_norm best_class_only box_loss_over mask_targets mask_paste".split()
    },
}


@pytest.fixture(scope="module")
def photographs():
    folder = shared_path("datasets/coco_openlicense")
    dataset = data.load(folder / "instances.json", images=folder / "images")
    return [dataset[i] for i in range(2)], dataset.class_names


class TwoPhotographs:
    """The first two of a dataset."""

    def __init__(self, samples, class_names):
        self.samples, self.class_names = samples, class_names

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.samples[index]


def with_all_three(class_names):
    """Boxes, masks and keypoints from one network (table 5)."""
    random.seed(0)  # from which Keras draws the seeds of its initializers
    return MaskRCNN.from_preset(
        "tiny",
        class_names,
        score_threshold=0.0,
        keypoint_names=classes.COCO_KEYPOINTS,
        keypoint_skeleton=classes.COCO_SKELETON,
        keypoint_head_channels=16,
        keypoint_head_num_convs=1,
    )


def test_masks_and_keypoints_train_beside_each_other():
    folder = shared_path("datasets/coco_keypoints60")
    dataset = data.load(folder / "person_keypoints.json", images=folder / "images")
    two = TwoPhotographs([dataset[0], dataset[1]], dataset.class_names)
    two.keypoint_names = dataset.keypoint_names
    model = with_all_three(dataset.class_names)
    logs = three_steps(model, two)
    assert model.loss_names[-2:] == ["mask_loss", "keypoint_loss"]
    assert all(np.isfinite(value) for log in logs for value in log.values())
    assert logs[0]["keypoint_loss"] == pytest.approx(np.log(56 * 56), rel=0.1)  # undecided
    (found,) = model.predict(two.samples[0].image)
    assert found.keypoints.shape == (len(found), 17, 3) and found.mask_probabilities is not None
    low, high = found.boxes[:, None, :2], found.boxes[:, None, 2:]
    points = found.keypoints[..., :2]
    assert np.all((points >= low - 1) & (points <= high + 1))
    assert found.draw().shape == (*found.image_size, 3)


def make(name, class_names):
    random.seed(0)  # from which Keras draws the seeds of its initializers
    return MaskRCNN.from_preset("tiny", class_names, score_threshold=0.0, **SYSTEMS[name])


def three_steps(model, dataset):
    """The losses of three steps of plain gradient descent, eagerly: nothing is traced."""
    inputs, targets = next(iter(model._batches(dataset, data.Order(batch_size=2))))
    logs = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            named = model(inputs, targets=targets, training=True)
            total = tf.add_n(list(named.values()))
        gradients = tape.gradient(total, model.trainable_variables)
        assert all(gradient is not None for gradient in gradients)
        norm = tf.linalg.global_norm(gradients)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(0.01 * gradient / tf.maximum(norm, 1.0))
        logs.append({key: float(value) for key, value in named.items()})
    return logs


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_trains_without_a_nan_and_predicts(name, photographs):
    samples, class_names = photographs
    model = make(name, class_names)
    logs = three_steps(model, TwoPhotographs(samples, class_names))
    assert [list(log) for log in logs] == [model.loss_names] * 3
    assert all(np.isfinite(value) for log in logs for value in log.values())
    found = model.trace(samples[0].image)
    result = found["results"][0]
    assert len(result) > 0 and np.all(np.isfinite(result.boxes))
    assert (result.mask_probabilities is not None) == model.config.with_masks
    CHANGES[name](model, found, logs)


def count(model, part):
    shapes = {k: v.shape for k, v in model.parameters.items() if k.startswith(f"{part}/")}
    return sum(int(np.prod(shape)) for shape in shapes.values())


def is_fpn(model, found, logs):
    strides = [
        found["input/images"].shape[1] // found[f"features/P{n}"].shape[1] for n in range(2, 6)
    ]
    assert strides == [4, 8, 16, 32]
    assert count(model, "fpn") > 0 and model.res5 is None


def is_c4(model, found, logs):
    assert found["input/images"].shape[1] // found["features/C4"].shape[1] == 16
    assert count(model, "fpn") == 0 and count(model, "res5") > 0
    assert not any("res5" in name for name in model.parameters if name.startswith("backbone/"))
    assert found["box/roi_features"].shape[1:3] == (14, 14)
    assert found["masks/logits"].shape[1:3] == (14, 14)
    assert not any("dense" in name for name in model.parameters)


def is_c5(model, found, logs):
    assert found["input/images"].shape[1] // found["features/C5"].shape[1] == 32


def is_dc5(model, found, logs):
    assert found["input/images"].shape[1] // found["features/C5"].shape[1] == 16
    assert model.backbone.get_layer("res5.0.conv2").dilation_rate == (2, 2)


def is_faster(model, found, logs):
    assert "mask_loss" not in logs[0] and count(model, "mask_head") == 0
    assert "masks/logits" not in found


def has_competing_masks(model, found, logs):
    """At the start every mask is undecided: ln 2 of each alone, ln(C + 1) where they compete."""
    num_classes = len(model.class_names)
    assert found["masks/logits"].shape[-1] == num_classes + 1
    assert logs[0]["mask_loss"] == pytest.approx(np.log(num_classes + 1), rel=0.02)


def has_dense_masks(model, found, logs):
    head, side = model.instance_branches[0].head, model.config.mask_size
    units = side * side * len(model.class_names)
    assert head.logits.kernel.shape == (model.config.box_head_channels, units)
    assert logs[0]["mask_loss"] == pytest.approx(np.log(2), rel=0.02)


def has_one_mask_and_box_for_all(model, found, logs):
    assert found["box/deltas"].shape[1] == 1
    assert model.parameters["mask_head/logits/kernel"].shape[-1] == 1


def pools_otherwise(model, found, logs):
    """The same features and parameters, other RoI features of the same shape."""
    usual = make("fpn", model.class_names)
    for name, variable in model.parameters.items():
        usual.parameters[name].assign(variable)
    boxes, features = (
        found["proposals/boxes"][0],
        {f"P{n}": tf.constant(found[f"features/P{n}"]) for n in range(2, 7)},
    )
    images = tf.zeros(len(boxes), tf.int32)
    other = usual.box_branch.pooling(features, boxes, images).numpy()
    own = model.box_branch.pooling(features, boxes, images).numpy()
    assert own.shape == other.shape and not np.allclose(own, other, atol=1e-3)
    if model.config.roi_pooling == "align":  # the maximum of the samples that the other averages
        assert np.all(own >= other - 1e-5)


def has_three_heads(model, found, logs):
    assert [name for name in logs[0] if name.startswith("box_loss")] == [
        "box_loss_1",
        "box_loss_2",
        "box_loss_3",
    ]
    assert found["box/deltas"].shape == found["box_3/deltas"].shape
    assert count(model, "box_head_1") == count(model, "box_head_3") > 0
    assert not np.allclose(found["box/class_logits"], found["box_2/class_logits"])


def has_convs_and_norms(model, found, logs):
    names = set(model.parameters)
    assert {"box_head/conv2.norm/gamma", "fpn/lateral_C2.norm/beta"} <= names
    assert "box_head/conv1/bias" not in names and "fpn/output_P5/bias" not in names


def learns_statistics(model, found, logs):
    assert {"mask_head/conv1.norm/moving_mean", "rpn_head/conv2/kernel"} <= set(model.parameters)
    assert np.any(model.parameters["mask_head/conv1.norm/moving_mean"] != 0)


def counts_as_matterport(model, found, logs):
    assert found["input/images"].shape[1:3] == (128, 128)  # max_size squared
    assert found["proposals/boxes"].max() <= 1 and found["proposals/boxes"].min() >= 0
    assert np.all(found["results"][0].boxes == np.round(found["results"][0].boxes))
    trained = {id(variable) for variable in model.trainable_variables}
    norm = "mask_head/conv1.norm"
    assert id(model.parameters[f"{norm}/gamma"]) in trained
    assert id(model.parameters[f"{norm}/moving_mean"]) not in trained


CHANGES = {
    "fpn": is_fpn,
    "c4": is_c4,
    "c5": is_c5,
    "dc5": is_dc5,
    "faster": is_faster,
    "softmax": has_competing_masks,
    "mlp": has_dense_masks,
    "agnostic": has_one_mask_and_box_for_all,
    "roi_pool": pools_otherwise,
    "roi_warp": pools_otherwise,
    "roi_warp_max": pools_otherwise,
    "roi_align_max": pools_otherwise,
    "cascade": has_three_heads,
    "deep_heads": has_convs_and_norms,
    "learned_batch_norms": learns_statistics,
    "matterport": counts_as_matterport,
}
