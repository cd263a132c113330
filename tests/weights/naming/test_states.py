"""Every reference's weights in and out again, to the last bit."""

from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.weights import from_ours, names_of, to_ours
from kmaskrcnn.weights.naming.frameworks import count_classes, framework_of
from kmaskrcnn.weights.naming.states import rules
from tests.parity.case import Case
from tests.shared import shared_path
from tests.weights.small import assert_same, built, numbered, small

PRESETS = {
    "torchvision": "torchvision/maskrcnn_resnet50_fpn",
    "torchvision v2": "torchvision/maskrcnn_resnet50_fpn_v2",
    "torchvision keypoints": "torchvision/keypointrcnn_resnet50_fpn",
    "detectron2": "detectron2/mask_rcnn_R_50_FPN",
    "detectron2 C4": "detectron2/mask_rcnn_R_50_C4",
    "detectron2 DC5": "detectron2/mask_rcnn_R_50_DC5",
    "detectron2 group norm": "detectron2/mask_rcnn_R_50_FPN_gn",
    "detectron2 keypoints": "detectron2/keypoint_rcnn_R_50_FPN",
    "detectron2 cascade": "detectron2/cascade_mask_rcnn_R_50_FPN",
    "detectron2 agnostic": "detectron2/mask_rcnn_R_50_FPN_cls_agnostic",
    "matterport": "matterport/mask_rcnn_resnet50",
}
ONE_CLASS = ("torchvision keypoints", "detectron2 keypoints")


@pytest.mark.parametrize("kind", PRESETS)
def test_out_and_in_again_is_exact(kind):
    shapes, config = small(PRESETS[kind], 1 if kind in ONE_CLASS else 3)
    ours, framework = numbered(shapes), kind.split()[0]
    state = from_ours(ours, config, framework)
    assert framework_of(state) == framework
    assert count_classes(state) == (1 if kind in ONE_CLASS else 3)
    assert set(state) == set(names_of(shapes, config, framework).values())
    assert all(array.flags.c_contiguous for array in state.values())
    got = to_ours(state, shapes, config)
    assert got.unused == got.missing == ()
    assert_same(got.arrays, ours)


def test_our_own_names_stay():
    shapes, config = small(PRESETS["matterport"])
    ours = numbered(shapes)
    assert_same(from_ours(ours, config, "ours"), ours)
    assert_same(to_ours(ours, shapes, config).arrays, ours)


# ---------------------------------------------------------------- names

NAMES = {
    ("torchvision", "backbone/stem.norm/moving_variance"): "backbone.body.bn1.running_var",
    ("torchvision", "rpn_head/conv1/bias"): "rpn.head.conv.0.0.bias",
    ("torchvision", "box_head/dense2/kernel"): "roi_heads.box_head.fc7.weight",
    ("torchvision", "mask_head/conv4/kernel"): "roi_heads.mask_head.3.0.weight",
    ("torchvision", "fpn/output_P5/bias"): "backbone.fpn.layer_blocks.3.0.bias",
    ("torchvision v2", "fpn/lateral_C2.norm/beta"): "backbone.fpn.inner_blocks.0.1.bias",
    ("torchvision v2", "rpn_head/conv2/kernel"): "rpn.head.conv.1.0.weight",
    ("torchvision v2", "box_head/conv4.norm/gamma"): "roi_heads.box_head.3.1.weight",
    ("torchvision v2", "box_head/dense1/kernel"): "roi_heads.box_head.5.weight",
    ("torchvision keypoints", "keypoint_head/conv8/bias"): "roi_heads.keypoint_head.14.bias",
    ("detectron2", "backbone/stem.conv/kernel"): "backbone.bottom_up.stem.conv1.weight",
    ("detectron2 C4", "backbone/stem.conv/kernel"): "backbone.stem.conv1.weight",
    ("detectron2 C4", "res5/res5.0.norm1/beta"): "roi_heads.res5.0.conv1.norm.bias",
    ("detectron2 cascade", "box_head_3/dense1/bias"): "roi_heads.box_head.2.fc1.bias",
    ("detectron2 cascade", "box_head_1/deltas/bias"): "roi_heads.box_predictor.0.bbox_pred.bias",
    ("detectron2 group norm", "mask_head/conv1.norm/gamma"): (
        "roi_heads.mask_head.mask_fcn1.norm.weight"
    ),
    ("matterport", "backbone/stem.norm/gamma"): "bn_conv1/bn_conv1/gamma:0",
    ("matterport", "rpn_head/conv1/bias"): "rpn_model/rpn_conv_shared/bias:0",
    ("matterport", "fpn/lateral_C3/bias"): "fpn_c3p3/fpn_c3p3/bias:0",
    ("matterport", "box_head/dense2.norm/beta"): "mrcnn_class_bn2/mrcnn_class_bn2/beta:0",
}


@pytest.mark.parametrize("kind, ours", NAMES)
def test_a_name(kind, ours):
    shapes, config = small(PRESETS[kind], 1 if kind in ONE_CLASS else 3)
    assert names_of(shapes, config, kind.split()[0])[ours] == NAMES[kind, ours]


@pytest.mark.parametrize(
    "framework, ours, theirs",
    [
        (
            "torchvision",
            "res3.0.shortcut.norm/moving_mean",
            "backbone.body.layer2.0.downsample.1.running_mean",
        ),
        ("detectron2", "res3.1.norm2/gamma", "backbone.bottom_up.res3.1.conv2.norm.weight"),
        ("detectron2", "res2.0.shortcut.conv/kernel", "backbone.bottom_up.res2.0.shortcut.weight"),
        ("matterport", "res3.1.conv1/bias", "res3b_branch2a/res3b_branch2a/bias:0"),
        ("matterport", "res4.22.norm3/beta", "bn4w_branch2c/bn4w_branch2c/beta:0"),
        ("matterport", "res2.0.shortcut.conv/kernel", "res2a_branch1/res2a_branch1/kernel:0"),
    ],
)
def test_a_block_of_a_deep_backbone(framework, ours, theirs):
    _, config = small(PRESETS[framework])
    assert names_of({f"backbone/{ours}": ()}, config, framework) == {f"backbone/{ours}": theirs}


def test_what_has_no_name_has_no_rule():
    _, config = small(PRESETS["matterport"])
    assert rules({"backbone/dw1/kernel": (3, 3, 8, 1)}, config, "matterport") == []
    with pytest.raises(ValueError, match="matterport has no name for backbone/dw1/kernel"):
        from_ours({"backbone/dw1/kernel": np.zeros(3)}, config, "matterport")


OLDER = {
    "torchvision": [
        ("backbone.fpn.inner_blocks.0.0.weight", "backbone.fpn.inner_blocks.0.weight"),
        ("backbone.fpn.layer_blocks.3.0.bias", "backbone.fpn.layer_blocks.3.bias"),
        ("rpn.head.conv.0.0.weight", "rpn.head.conv.weight"),
        ("roi_heads.mask_head.0.0.weight", "roi_heads.mask_head.mask_fcn1.weight"),
        ("roi_heads.mask_head.3.0.bias", "roi_heads.mask_head.mask_fcn4.bias"),
    ],
    "matterport": [
        ("conv1/conv1/kernel:0", "conv1/kernel"),
        ("rpn_model/rpn_conv_shared/kernel:0", "rpn_conv_shared/kernel"),
        ("rpn_model/rpn_class_raw/bias:0", "rpn_model/rpn_class_raw_1/bias:0"),
        ("bn_conv1/bn_conv1/gamma:0", "bn_conv1/bn_conv1_2/gamma:0"),
        ("mrcnn_class_logits/mrcnn_class_logits/bias:0", "mrcnn_class_logits_1/bias"),
    ],
    "detectron2": [
        ("backbone.bottom_up.stem.conv1.weight", "backbone.stem.conv1.weight"),
        ("backbone.fpn_lateral2.bias", "module.backbone.fpn_lateral2.bias"),
    ],
}


@pytest.mark.parametrize("framework", OLDER)
def test_other_names_of_the_same(framework):
    shapes, config = small(PRESETS[framework])
    ours = numbered(shapes)
    state = from_ours(ours, config, framework)
    for newer, older in OLDER[framework]:
        state[older] = state.pop(newer)
    got = to_ours(state, shapes, config)
    assert got.unused == got.missing == () and count_classes(state) == 3
    assert_same(got.arrays, ours)


NO_PARAMETERS = {
    "torchvision": ["backbone.body.bn1.num_batches_tracked"],
    "detectron2": ["pixel_mean", "proposal_generator.anchor_generator.cell_anchors.0"],
    "matterport": ["anchors/Variable:0"],
}


@pytest.mark.parametrize("framework", NO_PARAMETERS)
def test_what_is_no_parameter_is_passed_over(framework):
    shapes, config = small(PRESETS[framework])
    state = from_ours(numbered(shapes), config, framework)
    state |= {name: np.zeros(3) for name in NO_PARAMETERS[framework]} | {"more": np.zeros(3)}
    assert to_ours(state, shapes, config).unused == ("more",)


# ---------------------------------------------------------------- what does not fit


def test_missing_arrays_are_named_by_our_names():
    shapes, config = small(PRESETS["torchvision"])
    state = from_ours(numbered(shapes), config, "torchvision")
    del state["rpn.head.cls_logits.bias"]
    got = to_ours(state, shapes, config)
    assert got.missing == ("rpn_head/logits/bias",) and got.unused == ()


def test_another_number_of_classes_comes_as_it_is():
    shapes, config = small(PRESETS["matterport"])
    more, _ = small(PRESETS["matterport"], 7)
    got = to_ours(from_ours(numbered(more), config, "matterport"), shapes, config)
    assert_same(got.arrays, numbered(more))


def test_a_shape_that_cannot_be_theirs():
    shapes, config = small(PRESETS["torchvision"])
    state = from_ours(numbered(shapes), config, "torchvision")
    state["roi_heads.box_head.fc6.weight"] = np.zeros((8, 50))
    message = r"fc6\.weight has shape \(8, 50\), which cannot become box_head/dense1/kernel \(144, "
    with pytest.raises(ValueError, match=message):
        to_ours(state, shapes, config)


def test_a_config_of_another_reference():
    shapes, config = small(PRESETS["matterport"])
    message = r"torchvision's models have conv_bias False, not True; rpn_softmax False, not True;"
    with pytest.raises(ValueError, match=message):
        from_ours(numbered(shapes), config, "torchvision")
    with pytest.raises(ValueError, match=r"config of the presets 'detectron2/…'"):
        to_ours({"proposal_generator.rpn_head.conv.bias": np.zeros(3)}, shapes, config)
    with pytest.raises(ValueError, match="framework is 'mmdet': expected one of ours, torchvision"):
        from_ours({}, config, "mmdet")


# ---------------------------------------------------------------- the references' own weights

CASES = """
detectron2_cascade_mask_rcnn_R_50_FPN detectron2_cityscapes_mask_rcnn_R_50_FPN
detectron2_faster_rcnn_R_50_FPN detectron2_keypoint_rcnn_R_50_FPN detectron2_mask_rcnn_R_101_FPN
detectron2_mask_rcnn_R_50_C4 detectron2_mask_rcnn_R_50_DC5 detectron2_mask_rcnn_R_50_FPN
detectron2_mask_rcnn_R_50_FPN_gn detectron2_mask_rcnn_X_101_32x8d_FPN
matterport_mask_rcnn_resnet101 matterport_mask_rcnn_resnet50 torchvision_fasterrcnn_resnet50_fpn
torchvision_keypointrcnn_resnet50_fpn torchvision_maskrcnn_resnet50_fpn
torchvision_maskrcnn_resnet50_fpn_800 torchvision_maskrcnn_resnet50_fpn_v2
""".split()
QUICK = (
    "detectron2_mask_rcnn_R_50_C4",
    "matterport_mask_rcnn_resnet50",
    "torchvision_maskrcnn_resnet50_fpn_v2",
)
BACKGROUNDS = ("bbox_pred", "mask_fcn_logits", "mrcnn_bbox_fc", "mrcnn_mask/")


@pytest.mark.parametrize(
    "name", [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in CASES]
)
def test_a_references_weights(name):
    case = Case(Path(shared_path(f"parity/{name}")))
    settings = case.settings
    shapes, config = built(settings.preset, settings.class_names, **settings.fields)
    names = list(names_of(shapes, config, settings.reference).values())
    assert sorted(names) == sorted(case.spec["parameters"])  # each of them, and once
    state = case.weights()
    assert framework_of(state) == settings.reference
    assert count_classes(state) == len(settings.class_names)
    got = to_ours(state, shapes, config)
    assert got.unused == got.missing == ()
    assert {name: array.shape for name, array in got.arrays.items()} == shapes
    back = from_ours(got.arrays, config, settings.reference)
    for theirs, array in back.items():
        kept = array != 0 if any(part in theirs for part in BACKGROUNDS) else slice(None)
        np.testing.assert_array_equal(array[kept], state[theirs][kept], err_msg=theirs)
    assert_same(to_ours(back, shapes, config).arrays, got.arrays)


def test_no_case_is_forgotten():
    folder = shared_path("parity")
    assert sorted(CASES) == sorted(path.parent.name for path in folder.glob("*/state.json"))
