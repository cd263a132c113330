import numpy as np
import pytest

from kmaskrcnn.weights import count_classes, framework_of, has_heads
from kmaskrcnn.weights.naming.frameworks import known

NAMES = {
    "backbone.body.layer1.0.conv1.weight": "torchvision",
    "rpn.head.conv.weight": "torchvision",
    "layer1.0.conv1.weight": "torchvision",
    "module.backbone.body.conv1.weight": "torchvision",
    "backbone.bottom_up.stem.conv1.weight": "detectron2",
    "backbone.res2.0.conv1.weight": "detectron2",
    "res2.0.conv1.norm.bias": "detectron2",
    "model.proposal_generator.rpn_head.conv.weight": "detectron2",
    "res2_0_branch2a_w": "detectron2",
    "mrcnn_mask/mrcnn_mask/kernel:0": "matterport",
    "rpn_conv_shared/kernel": "matterport",
    "res2a_branch2a/kernel": "matterport",
    "res2a_branch2a/res2a_branch2a_W:0": "matterport",
    "res2a_branch2a_W_1": "matterport",
    "backbone/stem.conv/kernel": "ours",
    "stem.conv/kernel": "ours",
    "box_head_1/logits/kernel": "ours",
}


@pytest.mark.parametrize("name", NAMES)
def test_whose_a_name_is(name):
    assert framework_of(["first", name, "last"]) == NAMES[name]


def test_nobodys_names_are_shown():
    with pytest.raises(ValueError, match=r"none of ours, torchvision.*came features.0.weight, c1"):
        framework_of({"features.0.weight": 0, "c1": 0})


COUNTED = {
    "roi_heads.box_predictor.cls_score.bias": 91,
    "roi_heads.box_predictor.0.cls_score.bias": 81,
    "module.roi_heads.box_predictor.cls_score.bias": 3,
    "cls_score_b": 81,
    "mrcnn_class_logits/mrcnn_class_logits/bias:0": 81,
    "mrcnn_class_logits/mrcnn_class_logits_1/bias:0": 81,
    "mrcnn_class_logits/bias": 5,
    "box_head/logits/bias": 9,
    "box_head_1/logits/bias": 4,
}


@pytest.mark.parametrize("name", COUNTED)
def test_classes_without_the_background(name):
    state = {"mask_head/logits/bias": np.zeros(7), name: np.zeros(COUNTED[name])}
    assert has_heads(state) and count_classes(state) == COUNTED[name] - 1


@pytest.mark.parametrize("name", ["fc.bias", "rpn_head/logits/bias", "backbone.body.bn1.bias"])
def test_a_backbone_says_nothing_of_classes(name):
    assert not has_heads([name])
    with pytest.raises(ValueError, match=rf"no class logits among these weights \({name}, …\)"):
        count_classes({name: np.zeros(3)})


def test_an_unknown_framework():
    with pytest.raises(ValueError, match="framework is 'torch': expected one of ours, torchvision"):
        known("torch")
