"""A case's preset and fields, from what its state.json says."""

import pytest

from tests.parity.settings import CaseError, settings

HEADS = {
    "roi_heads.box_predictor.cls_score.bias": [[81], "normal", 1.0],
    "roi_heads.box_predictor.bbox_pred.bias": [[320], "normal", 1.0],
    "roi_heads.mask_head.predictor.bias": [[80], "normal", 1.0],
}
MASK_RCNN = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x.yaml"


def detectron2(config=MASK_RCNN, parameters=HEADS, **more):
    return settings(
        {"reference": "detectron2 0.6", "config": config, "parameters": parameters, **more}
    )


@pytest.mark.parametrize(
    ("config", "preset"),
    [
        (MASK_RCNN, "mask_rcnn_R_50_FPN"),
        ("COCO-InstanceSegmentation/mask_rcnn_R_101_C4_3x.yaml", "mask_rcnn_R_101_C4"),
        ("COCO-InstanceSegmentation/mask_rcnn_R_101_DC5_3x.yaml", "mask_rcnn_R_101_DC5"),
        ("COCO-Detection/faster_rcnn_X_101_32x8d_FPN_3x.yaml", "faster_rcnn_X_101_32x8d_FPN"),
        ("COCO-Keypoints/keypoint_rcnn_R_101_FPN_3x.yaml", "keypoint_rcnn_R_101_FPN"),
        ("Misc/mask_rcnn_R_50_FPN_3x_gn.yaml", "mask_rcnn_R_50_FPN_gn"),
        ("Misc/mask_rcnn_R_50_FPN_1x_cls_agnostic.yaml", "mask_rcnn_R_50_FPN_cls_agnostic"),
        ("Misc/cascade_mask_rcnn_R_50_FPN_1x.yaml", "cascade_mask_rcnn_R_50_FPN"),
        ("Cityscapes/mask_rcnn_R_50_FPN.yaml", "cityscapes_mask_rcnn_R_50_FPN"),
    ],
)
def test_detectron2_by_its_config(config, preset):
    assert detectron2(config).preset == f"detectron2/{preset}"


def test_detectron2s_colours_are_turned():
    found = detectron2(pixel_mean=[1.0, 2.0, 3.0], input_format="BGR", min_size=320)
    assert found.fields["pixel_mean"] == (3.0, 2.0, 1.0) and found.fields["min_size"] == 320


def test_what_is_class_agnostic_is_seen_in_the_shapes():
    assert not detectron2().fields["class_agnostic_boxes"]
    agnostic = {**HEADS, "roi_heads.box_predictor.bbox_pred.bias": [[4], "normal", 1.0]}
    fields = detectron2(parameters=agnostic).fields
    assert fields["class_agnostic_boxes"] and not fields["class_agnostic_masks"]


@pytest.mark.parametrize(
    ("model", "preset"),
    [
        ("v1", "maskrcnn_resnet50_fpn"),
        ("v2", "maskrcnn_resnet50_fpn_v2"),
        ("faster_v2", "fasterrcnn_resnet50_fpn_v2"),
        ("keypointrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn"),
    ],
)
def test_torchvision(model, preset):
    parameters = {"roi_heads.box_predictor.cls_score.bias": [[91], "normal", 1.0]}
    found = settings(
        {
            "reference": "torchvision 0.20",
            "model": model,
            "parameters": parameters,
            "box_score_thresh": 0.3,
            "rpn_post_nms_top_n_test": 40,
        }
    )
    assert found.preset == f"torchvision/{preset}" and len(found.class_names) == 90
    assert found.fields["score_threshold"] == 0.3 and found.fields["proposals_test"] == 40


def matterport(**config):
    parameters = {"mrcnn_class_logits/mrcnn_class_logits/bias:0": [[5], "normal", 1.0]}
    return settings(
        {
            "reference": "matterport Mask_RCNN",
            "model": "resnet101",
            "parameters": parameters,
            "config": config,
        }
    )


def test_matterports_words():
    found = matterport(
        IMAGE_MIN_DIM=256,
        DETECTION_MIN_CONFIDENCE=0.2,
        PRE_NMS_LIMIT=600,
        RPN_ANCHOR_RATIOS=[0.5, 1, 2],
        BBOX_STD_DEV=[0.1, 0.2, 0.4, 0.5],
    )
    assert found.preset == "matterport/mask_rcnn_resnet101" and len(found.class_names) == 4
    fields = found.fields
    assert fields["min_size"] == 256 and fields["score_threshold"] == 0.2
    assert fields["pre_nms_train"] == fields["pre_nms_test"] == 600
    assert fields["aspect_ratios"] == [2, 1, 0.5]
    assert fields["box_weights"] == pytest.approx((5, 10, 2, 2.5))


def test_what_we_cannot_be_is_said():
    with pytest.raises(CaseError, match="IMAGE_RESIZE_MODE we know 'square', got 'pad64'"):
        matterport(IMAGE_RESIZE_MODE="pad64")
    with pytest.raises(CaseError, match="there is no preset detectron2/panoptic_fpn_R_50; there"):
        detectron2("COCO-PanopticSegmentation/panoptic_fpn_R_50_3x.yaml")
    with pytest.raises(CaseError, match="among torchvision, detectron2, matterport, got 'mmdet"):
        settings({"reference": "mmdet 3.3"})


def test_words_that_nobody_knows_are_noted():
    assert detectron2(soft_nms=True).notes == (
        "state.json says soft_nms, of which nothing is known here",
    )
    assert "ROTATED" in matterport(ROTATED=1).notes[0]
