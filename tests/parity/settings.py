"""Which of our presets a case is, and the fields in which it differs: read from its state.json."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from kmaskrcnn.classes import by_count
from kmaskrcnn.presets import preset_names, published_classes

Fields = dict[str, Any]

# torchvision's builders, by the short names of the cases and by their own.
TORCHVISION_MODELS = {
    "v1": "maskrcnn_resnet50_fpn",
    "v2": "maskrcnn_resnet50_fpn_v2",
    "faster": "fasterrcnn_resnet50_fpn",
    "faster_v2": "fasterrcnn_resnet50_fpn_v2",
    "keypoint": "keypointrcnn_resnet50_fpn",
}
# The references' words for fields of ours that hold the same value.
TORCHVISION_WORDS = {
    "box_score_thresh": "score_threshold",
    "box_nms_thresh": "nms_iou",
    "box_detections_per_img": "detections_per_image",
    "box_batch_size_per_image": "rois_per_image",
    "box_positive_fraction": "roi_positive_fraction",
    "rpn_pre_nms_top_n_train": "pre_nms_train",
    "rpn_pre_nms_top_n_test": "pre_nms_test",
    "rpn_post_nms_top_n_train": "proposals_train",
    "rpn_post_nms_top_n_test": "proposals_test",
    "rpn_nms_thresh": "proposal_nms_iou",
    "rpn_batch_size_per_image": "anchors_per_image",
    "rpn_positive_fraction": "anchor_positive_fraction",
}
DETECTRON2_WORDS = {
    "score_thresh_test": "score_threshold",
    "nms_thresh_test": "nms_iou",
    "detections_per_image": "detections_per_image",
    "stride_in_1x1": "stride_in_1x1",
}
MATTERPORT_WORDS = {
    "IMAGE_MIN_DIM": "min_size",
    "IMAGE_MAX_DIM": "max_size",
    "MEAN_PIXEL": "pixel_mean",
    "TOP_DOWN_PYRAMID_SIZE": "fpn_channels",
    "FPN_CLASSIF_FC_LAYERS_SIZE": "box_head_channels",
    "RPN_NMS_THRESHOLD": "proposal_nms_iou",
    "RPN_TRAIN_ANCHORS_PER_IMAGE": "anchors_per_image",
    "POST_NMS_ROIS_TRAINING": "proposals_train",
    "POST_NMS_ROIS_INFERENCE": "proposals_test",
    "TRAIN_ROIS_PER_IMAGE": "rois_per_image",
    "ROI_POSITIVE_RATIO": "roi_positive_fraction",
    "POOL_SIZE": "box_pool_size",
    "DETECTION_MAX_INSTANCES": "detections_per_image",
    "DETECTION_MIN_CONFIDENCE": "score_threshold",
    "DETECTION_NMS_THRESHOLD": "nms_iou",
}
MATTERPORT_FIXED = {  # what we can be only in this way
    "IMAGE_RESIZE_MODE": "square",
    "IMAGE_MIN_SCALE": 0,
    "BACKBONE_STRIDES": [4, 8, 16, 32, 64],
    "RPN_ANCHOR_STRIDE": 1,
    "TRAIN_BN": False,
}
# In a state.json of any reference, and nothing to do with the network's fields.
PLAIN_WORDS = set(
    "reference model config seed abs_sum parameters photos num_classes background input_format "
    "training_targets_seed layer_names bn_epsilon roi_align_extrapolation mask_threshold "
    "min_size max_size pixel_mean pixel_std "
    "NUM_CLASSES MAX_GT_INSTANCES MINI_MASK_SHAPE MASK_POOL_SIZE PRE_NMS_LIMIT RPN_ANCHOR_SCALES "
    "RPN_ANCHOR_RATIOS RPN_BBOX_STD_DEV BBOX_STD_DEV MASK_SHAPE".split()
)
CLASS_LOGITS = re.compile(r"(cls_score\.bias|mrcnn_class_logits/bias:0)$")
BOX_DELTAS = re.compile(r"bbox_pred\.bias$")
MASK_LOGITS = re.compile(r"(mask_fcn_logits|mask_head\.predictor)\.bias$")


class CaseError(Exception):
    """A case that cannot be run, and why."""


class Settings(NamedTuple):
    """How a case's network is built by us."""

    reference: str  # torchvision, detectron2 or matterport
    preset: str
    fields: Fields
    class_names: tuple[str, ...]
    notes: tuple[str, ...]  # what in the state.json is not understood


def settings(spec: dict[str, Any]) -> Settings:
    """Preset and fields of a case.

    Raises:
        CaseError: a reference, model or value that we have no counterpart of.
    """
    reference = spec["reference"].split()[0].lower()
    readers = {"torchvision": _torchvision, "detectron2": _detectron2, "matterport": _matterport}
    if reference not in readers:
        raise CaseError(
            f"expected a reference among {', '.join(readers)}, got {spec['reference']!r}."
        )
    name, fields, words = readers[reference](spec)
    if f"{reference}/{name}" not in preset_names():
        known = ", ".join(n for n in preset_names() if n.startswith(reference))
        raise CaseError(f"there is no preset {reference}/{name}; there are {known}.")
    fields |= {key: spec[key] for key in ("min_size", "max_size") if key in spec}
    shapes = {name: entry[0] for name, entry in spec["parameters"].items()}
    names, heads = _heads(shapes, f"{reference}/{name}")
    given = {*spec, *spec.get("config", {})} if reference == "matterport" else set(spec)
    unknown = sorted(given - PLAIN_WORDS - set(words))
    notes = [f"state.json says {word}, of which nothing is known here" for word in unknown]
    return Settings(
        reference,
        f"{reference}/{name}",
        {**fields, **heads, "sampling": "first"},
        names,
        tuple(notes),
    )


def _renamed(spec: dict[str, Any], words: dict[str, str]) -> Fields:
    return {ours: spec[theirs] for theirs, ours in words.items() if theirs in spec}


def _torchvision(spec):
    name = TORCHVISION_MODELS.get(spec["model"], spec["model"])
    fields = _renamed(spec, TORCHVISION_WORDS)
    for theirs, ours in (("image_mean", "pixel_mean"), ("image_std", "pixel_std")):
        if theirs in spec:  # theirs are of 0 … 1
            fields[ours] = tuple(255 * value for value in spec[theirs])
    return name, fields, {*TORCHVISION_WORDS, "image_mean", "image_std"}


def _detectron2(spec):
    path = Path(spec["config"])
    name = re.sub(r"_[139]x(?=_|$)", "", path.stem)  # without the length of the training
    if path.parent.name == "Cityscapes":
        name = f"cityscapes_{name}"
    fields = _renamed(spec, DETECTRON2_WORDS)
    turn = -1 if spec.get("input_format", "BGR") == "BGR" else 1
    for key in ("pixel_mean", "pixel_std"):
        if key in spec:
            fields[key] = tuple(spec[key][::turn])
    return name, fields, DETECTRON2_WORDS


def _matterport(spec):
    config = spec["config"]
    for word, value in MATTERPORT_FIXED.items():
        if config.get(word, value) != value:
            raise CaseError(f"of matterport's {word} we know {value!r}, got {config[word]!r}.")
    fields = _renamed(config, MATTERPORT_WORDS)
    if "PRE_NMS_LIMIT" in config:
        fields["pre_nms_train"] = fields["pre_nms_test"] = config["PRE_NMS_LIMIT"]
    if "RPN_ANCHOR_SCALES" in config:
        fields["anchor_sizes"] = [[size] for size in config["RPN_ANCHOR_SCALES"]]
    if "RPN_ANCHOR_RATIOS" in config:  # width / height there
        fields["aspect_ratios"] = [1 / ratio for ratio in config["RPN_ANCHOR_RATIOS"]]
    for theirs, ours in (("RPN_BBOX_STD_DEV", "rpn_box_weights"), ("BBOX_STD_DEV", "box_weights")):
        if theirs in config:  # y x there
            y, x, height, width = (1 / value for value in config[theirs])
            fields[ours] = (x, y, width, height)
    if "MASK_SHAPE" in config:
        fields["mask_size"] = config["MASK_SHAPE"][0]
    if "bn_epsilon" in spec:
        fields["norm_epsilon"] = spec["bn_epsilon"]
    return f"mask_rcnn_{spec['model']}", fields, {*MATTERPORT_WORDS, *MATTERPORT_FIXED}


def _heads(shapes: dict[str, list[int]], preset: str) -> tuple[tuple[str, ...], Fields]:
    """Class names and what is class-agnostic, from the shapes of the last layers."""

    def rows(pattern: re.Pattern) -> int:
        return next((shape[0] for name, shape in shapes.items() if pattern.search(name)), 0)

    count = rows(CLASS_LOGITS) - 1
    names = published_classes(preset)
    fields: Fields = {}
    if count > 1:
        fields["class_agnostic_boxes"] = rows(BOX_DELTAS) == 4
        fields["class_agnostic_masks"] = rows(MASK_LOGITS) == 1
    return (names if len(names) == count else by_count(count)), fields
