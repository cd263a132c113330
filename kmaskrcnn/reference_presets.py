"""The models that torchvision, Detectron2 and matterport publish, as configs: their conventions."""

from __future__ import annotations

from typing import Any

from kmaskrcnn import classes

Fields = dict[str, Any]

_TORCH_MEAN, _TORCH_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_KEYPOINTS = {
    "with_masks": False,
    "keypoint_names": classes.COCO_KEYPOINTS,
    "keypoint_skeleton": classes.COCO_SKELETON,
}

# torchvision/models/detection: transform.py, anchor_utils.py, roi_heads.py.
_TORCHVISION: Fields = {
    "backbone": "resnet50",
    "norm_epsilon": 0.0,  # overwrite_eps of the published v1 weights
    "pixel_mean": _TORCH_MEAN,
    "pixel_std": _TORCH_STD,
    "size_divisor": 32,
    "resize": "torchvision",
    "round_anchors": True,
    "fit_anchor_strides": True,
    "proposals_train": 2000,
    "roi_aligned": False,
    "level_rule": "torchvision",
    "rpn_box_beta": 1 / 9,
    "box_beta": 1 / 9,
    "mask_targets": "soft",
    "mask_paste": "torchvision",
}
_TORCHVISION_V2: Fields = {
    "norm": "batch",
    "norm_epsilon": 1e-5,
    "fpn_norm": "batch",
    "head_norm": "batch",
    "rpn_num_convs": 2,
    "box_head_num_convs": 4,
    "box_head_num_dense": 1,
}

# detectron2/config/defaults.py and configs/Base-RCNN-*.yaml.
_DETECTRON2: Fields = {
    "backbone": "resnet50",
    "norm_epsilon": 1e-5,
    "pixel_mean": _TORCH_MEAN,
    "pixel_std": (1.0, 1.0, 1.0),
    "stride_in_1x1": True,
    "size_divisor": 32,
    "resize": "detectron2",
    "sampling_ratio": 0,
}
_ONE_LEVEL: Fields = {
    "size_divisor": 1,
    "anchor_sizes": ((32, 64, 128, 256, 512),),
    "pre_nms_train": 12000,
    "pre_nms_test": 6000,
    "proposals_train": 2000,
}
_BACKBONES: dict[str, Fields] = {
    "R_50": {"backbone": "resnet50"},
    "R_101": {"backbone": "resnet101"},
    "X_101_32x8d": {
        "backbone": "resnext101_32x8d",
        "stride_in_1x1": False,
        "pixel_std": _TORCH_STD,
    },
}
_PYRAMIDS: dict[str, Fields] = {
    "FPN": {},
    "C4": {
        **_ONE_LEVEL,
        "pyramid": "c4",
        "rpn_channels": 1024,
        "box_pool_size": 14,
        "box_head_num_dense": 0,
        "mask_size": 14,
        "mask_head_num_convs": 0,
    },
    "DC5": {**_ONE_LEVEL, "pyramid": "dc5", "rpn_channels": 2048},
}
_TASKS: dict[str, Fields] = {
    "faster_rcnn": {"with_masks": False},
    "mask_rcnn": {},
    "keypoint_rcnn": {**_KEYPOINTS, "box_beta": 0.5, "proposals_train": 1500},
}
_GROUP_NORM: Fields = {
    "norm": "group",
    "stride_in_1x1": False,
    "fpn_norm": "group",
    "head_norm": "group",
    "box_head_num_convs": 4,
    "box_head_num_dense": 1,
}

# matterport/Mask_RCNN: mrcnn/config.py and model.py.
_MATTERPORT: Fields = {
    "max_size": 1024,
    "resize": "matterport",
    "canvas": "square",
    "box_frame": "normalised",
    "pixel_mean": (123.7, 116.8, 103.9),
    "pixel_std": (1.0, 1.0, 1.0),
    "norm": "fixed_batch",
    "norm_epsilon": 1e-3,
    "stride_in_1x1": True,
    "conv_bias": True,
    "same_pool": True,
    "freeze_at": "",
    "aspect_ratios": (2.0, 1.0, 0.5),  # it counts width / height
    "rpn_channels": 512,
    "rpn_softmax": True,
    "rpn_box_weights": (10.0, 10.0, 5.0, 5.0),
    "delta_clamp": None,
    "joint_proposals": True,
    "pre_nms_train": 6000,
    "pre_nms_test": 6000,
    "proposals_train": 2000,
    "truth_as_proposals": False,
    "rois_per_image": 200,
    "roi_positive_fraction": 0.33,
    "spare_rois": True,
    "roi_pooling": "crop",
    "level_rule": "matterport",
    "head_norm": "fixed_batch",
    "dense_norm": "fixed_batch",
    "score_threshold": 0.7,
    "nms_iou": 0.3,
    "best_class_only": True,
    "rpn_box_beta": 1.0,
    "box_beta": 1.0,
    "box_loss_over": "positives",
    "mask_targets": "crop",
    "mask_paste": "matterport",
    "learning_rate": 0.001,
    "clip_norm": 5.0,
}

Entry = tuple[str, Fields, tuple[str, ...]]  # what it is, its fields, the published classes


def _torchvision() -> dict[str, Entry]:
    coco = classes.COCO_CATEGORIES
    return {
        "maskrcnn_resnet50_fpn": ("Mask R-CNN, R50-FPN", {}, coco),
        "maskrcnn_resnet50_fpn_v2": (
            "Mask R-CNN after Li et al. 2021: batch norms, deeper heads",
            _TORCHVISION_V2,
            coco,
        ),
        "fasterrcnn_resnet50_fpn": ("Faster R-CNN, R50-FPN", {"with_masks": False}, coco),
        "fasterrcnn_resnet50_fpn_v2": (
            "Faster R-CNN after Li et al. 2021",
            {**_TORCHVISION_V2, "with_masks": False},
            coco,
        ),
        "keypointrcnn_resnet50_fpn": (
            "persons and 17 keypoints",
            {**_KEYPOINTS, "keypoint_score": "logit"},
            classes.PERSON,
        ),
    }


def _detectron2() -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for task, of_task in _TASKS.items():
        names = classes.PERSON if task == "keypoint_rcnn" else classes.COCO_CLASSES
        for body, of_body in _BACKBONES.items():
            for pyramid, of_pyramid in _PYRAMIDS.items():
                if pyramid == "FPN" or (task != "keypoint_rcnn" and body.startswith("R")):
                    fields = {**of_body, **of_pyramid, **of_task}
                    found[f"{task}_{body}_{pyramid}"] = (
                        f"{task.replace('_', ' ')} on {body.replace('_', '-')}-{pyramid}",
                        fields,
                        names,
                    )
    cascade = {"cascade_ious": (0.5, 0.6, 0.7), "proposals_train": 2000}
    cascade["class_agnostic_boxes"] = True
    agnostic = {"class_agnostic_boxes": True, "class_agnostic_masks": True}
    coco = classes.COCO_CLASSES
    return {
        **found,
        "mask_rcnn_R_50_FPN_gn": ("group norm everywhere", _GROUP_NORM, coco),
        "mask_rcnn_R_50_FPN_cls_agnostic": ("one box and one mask for all", agnostic, coco),
        "cascade_mask_rcnn_R_50_FPN": ("Cascade: three box heads in a row", cascade, coco),
        "cityscapes_mask_rcnn_R_50_FPN": (
            "street scenes, 8 classes",
            {"min_size": 1024, "max_size": 2048},
            classes.CITYSCAPES_CLASSES,
        ),
    }


def _matterport() -> dict[str, Entry]:
    return {
        f"mask_rcnn_{body}": (
            f"matterport/Mask_RCNN on {body}",
            {"backbone": body},
            classes.COCO_CLASSES,
        )
        for body in ("resnet50", "resnet101")
    }


def reference_presets() -> dict[str, Entry]:
    """``"detectron2/mask_rcnn_R_50_FPN"`` → what it is, its fields, the published classes."""
    families = {
        "torchvision": (_TORCHVISION, _torchvision()),
        "detectron2": (_DETECTRON2, _detectron2()),
        "matterport": (_MATTERPORT, _matterport()),
    }
    return {
        f"{family}/{name}": (line, {**common, **fields}, names)
        for family, (common, entries) in families.items()
        for name, (line, fields, names) in entries.items()
    }
