"""Blobs of Caffe2: MSRA's bodies, and Detectron1's heads."""

import numpy as np
import pytest

from kmaskrcnn.weights import backbone_to_ours, count_classes, from_ours, to_ours
from kmaskrcnn.weights.naming.caffe2 import is_caffe2, to_detectron2
from tests.weights.small import assert_same, numbered, small

NAMES = {
    "conv1_w": "backbone.stem.conv1.weight",
    "res_conv1_bn_s": "backbone.stem.conv1.norm.weight",
    "conv1_gn_b": "backbone.stem.conv1.norm.bias",
    "res2_0_branch1_w": "backbone.res2.0.shortcut.weight",
    "res2_0_branch1_bn_b": "backbone.res2.0.shortcut.norm.bias",
    "res4_22_branch2c_bn_riv": "backbone.res4.22.conv3.norm.running_var",
    "res4_22_branch2c_bn_running_mean": "backbone.res4.22.conv3.norm.running_mean",
    "fpn_inner_res5_2_sum_w": "backbone.fpn_lateral5.weight",
    "fpn_inner_res3_3_sum_lateral_w": "backbone.fpn_lateral3.weight",
    "fpn_inner_res3_3_sum_lateral_gn_s": "backbone.fpn_lateral3.norm.weight",
    "fpn_res2_2_sum_b": "backbone.fpn_output2.bias",
    "conv_rpn_fpn2_w": "proposal_generator.rpn_head.conv.weight",
    "rpn_cls_logits_fpn2_b": "proposal_generator.rpn_head.objectness_logits.bias",
    "rpn_bbox_pred_fpn2_b": "proposal_generator.rpn_head.anchor_deltas.bias",
    "fc6_w": "roi_heads.box_head.fc1.weight",
    "head_conv4_gn_s": "roi_heads.box_head.conv4.norm.weight",
    "_[mask]_fcn1_w": "roi_heads.mask_head.mask_fcn1.weight",
    "conv5_mask_w": "roi_heads.mask_head.deconv.weight",
    "conv_fcn8_b": "roi_heads.keypoint_head.conv_fcn8.bias",
    "kps_score_lowres_w": "roi_heads.keypoint_head.score_lowres.weight",
    "pred_w": "pred_w",
    "conv_rpn_w": "conv_rpn_w",
}


@pytest.mark.parametrize("blob", NAMES)
def test_a_blob(blob):
    assert NAMES[blob] in to_detectron2({blob: np.ones(4, "float32")}, 1e-5)


def test_whose_blobs_these_are():
    assert is_caffe2(["conv1_w", "res2_0_branch2a_w"])
    assert not is_caffe2(["conv1_w", "res2.0.conv1.weight"])


def test_a_norm_of_scale_and_shift_gets_statistics_that_change_nothing():
    got = to_detectron2({"res_conv1_bn_s": np.full(4, 3, "float32")}, 1e-5)
    norm = "backbone.stem.conv1.norm"
    assert set(got) == {f"{norm}.{weight}" for weight in ("weight", "running_mean", "running_var")}
    assert not got[f"{norm}.running_mean"].any()
    np.testing.assert_array_equal(np.sqrt(got[f"{norm}.running_var"] + np.float32(1e-5)), 1)
    assert got[f"{norm}.running_var"].dtype == np.float32


def test_norms_of_groups_and_statistics_of_the_file_stay():
    got = to_detectron2({"conv1_gn_s": np.ones(4)}, 1e-5)
    assert list(got) == ["backbone.stem.conv1.norm.weight"]
    got = to_detectron2({"res_conv1_bn_s": np.ones(4), "res_conv1_bn_riv": np.full(4, 7.0)}, 1e-5)
    assert got["backbone.stem.conv1.norm.running_var"][0] == 7


def test_background_goes_last_or_away():
    blobs = {"cls_score_b": np.arange(3), "bbox_pred_b": np.arange(12)}
    got = to_detectron2({**blobs, "mask_fcn_logits_b": np.arange(3)}, 1e-5)
    assert got["roi_heads.box_predictor.cls_score.bias"].tolist() == [1, 2, 0]
    assert got["roi_heads.box_predictor.bbox_pred.bias"].tolist() == list(range(4, 12))
    assert got["roi_heads.mask_head.predictor.bias"].tolist() == [1, 2]


def test_what_a_training_left_is_passed_over():
    assert to_detectron2({"conv1_w_momentum": np.ones(1), "lr": np.ones(1)}, 1e-5) == {}


def blobs(state):
    """A state of Detectron2 as a Detectron1 training would have saved it."""
    found = {"lr": np.zeros(1)}
    for name, array in state.items():
        *layers, weight = name.removeprefix("backbone.bottom_up.").split(".")
        if weight in ("running_mean", "running_var"):
            continue
        letter = {"weight": "w", "bias": "b"}[weight]
        if layers[-1] == "norm":
            layers, letter = layers[:-1], {"weight": "bn_s", "bias": "bn_b"}[weight]
        found[f"{blob_of(layers, letter)}_{letter}"] = with_background(layers[-1], array)
    return found


def blob_of(layers, letter):
    if layers[0] == "stem":
        return "res_conv1" if letter.startswith("bn") else "conv1"
    if layers[0].startswith("res"):
        branch = {"shortcut": "branch1", "conv1": "branch2a", "conv2": "branch2b"}[layers[2]]
        return f"{layers[0]}_{layers[1]}_{branch}"
    if layers[-1].startswith("fpn_"):
        inner = "inner_" if "lateral" in layers[-1] else ""
        return f"fpn_{inner}res{layers[-1][-1]}_0_sum"
    heads = {
        "conv": "conv_rpn_fpn2",
        "objectness_logits": "rpn_cls_logits_fpn2",
        "anchor_deltas": "rpn_bbox_pred_fpn2",
        "fc1": "fc6",
        "fc2": "fc7",
        "deconv": "conv5_mask",
        "predictor": "mask_fcn_logits",
    }
    layer = heads.get(layers[-1], layers[-1])
    return layer.replace("mask_fcn", "_[mask]_fcn", 1) if layer[-1].isdigit() else layer


def with_background(layer, array):
    if layer == "cls_score":
        return np.roll(array, 1, axis=0)
    width = {"bbox_pred": 4, "predictor": 1}.get(layer, 0)
    return np.concatenate([np.zeros_like(array[:width]), array])


def without_statistics(arrays):
    """Our arrays with the statistics that an affine norm has."""
    constants = {"moving_mean": 0, "moving_variance": np.float32(1) - np.float32(1e-5)}
    return {
        name: np.full_like(array, constants[weight]) if weight in constants else array
        for name, array in arrays.items()
        for weight in [name.split("/")[-1]]
    }


def test_a_detector_of_detectron1():
    shapes, config = small("detectron2/mask_rcnn_R_50_FPN")
    ours = numbered(shapes)
    state = blobs(from_ours(ours, config, "detectron2"))
    assert "_[mask]_fcn1_w" in state and count_classes(state) == 3
    got = to_ours(state, shapes, config)
    assert got.unused == got.missing == ()
    assert_same(got.arrays, without_statistics(ours))


def test_a_classifier_of_msra_reads_bgr():
    shapes, config = small("detectron2/mask_rcnn_R_50_FPN")
    body = {n: a for n, a in numbered(shapes).items() if n.startswith("backbone/")}
    state = {**blobs(from_ours(body, config, "detectron2")), "pred_w": np.zeros(3)}
    got = backbone_to_ours(state, shapes, config)
    assert got.unused == ("pred_w",) and got.missing == ()
    assert_same(got.arrays, without_statistics(body))
