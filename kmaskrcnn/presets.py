"""Named instances of the config: name -> (MaskRCNNConfig, one line that says what it is for)."""

from __future__ import annotations

import difflib
from typing import Any

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.field_types import check_names
from kmaskrcnn.reference_presets import reference_presets

_MSRA = {  # the original ResNets, as Keras and Detectron2 have them
    "pixel_mean": (123.68, 116.779, 103.939),
    "pixel_std": (1.0, 1.0, 1.0),
    "stride_in_1x1": True,
}
_TF_SCALING = {"pixel_mean": (127.5, 127.5, 127.5), "pixel_std": (127.5, 127.5, 127.5)}
_SMALL_ANCHORS = ((16,), (32,), (64,), (128,), (256,))
_ON_A_PROCESSOR = {  # fewer of everything that a batch of one or two small images has enough of
    "min_size": 512,
    "max_size": 853,
    "anchors_per_image": 128,
    "pre_nms_train": 1000,
    "pre_nms_test": 500,
    "proposals_train": 500,
    "proposals_test": 300,
    "rois_per_image": 128,
    "optimizer": "adamw",  # few images, few epochs: it gets there in half the steps of SGD
    "warmup_steps": 100,
}
_NARROW = {
    "fpn_channels": 64,
    "rpn_channels": 64,
    "box_head_channels": 256,
    "mask_head_channels": 64,
    "mask_head_num_convs": 2,
}

_PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "resnet50_fpn": ("the paper's workhorse", {"backbone": "resnet50", **_MSRA}),
    "resnet101_fpn": (
        "the paper's deeper body, about +1.5 AP",
        {"backbone": "resnet101", **_MSRA},
    ),
    "mobilenet_1.0_fpn": (
        "MobileNet v1 under the full heads: fine-tunes on a processor",
        {"backbone": "mobilenet_1.0", **_ON_A_PROCESSOR, **_TF_SCALING},
    ),
    "mobilenet_0.75_fpn": (
        "MobileNet v1 of three quarters' width",
        {"backbone": "mobilenet_0.75", **_ON_A_PROCESSOR, **_TF_SCALING},
    ),
    "laptop": (
        "narrow heads on a small body, trained from nothing in minutes",
        {
            "backbone": "resnet_small",
            "norm": "group",
            "min_size": 128,
            "max_size": 256,
            "anchor_sizes": ((12,), (24,), (48,), (96,), (192,)),
            "anchors_per_image": 128,
            "pre_nms_train": 500,
            "pre_nms_test": 250,
            "proposals_train": 250,
            "proposals_test": 100,
            "rois_per_image": 64,
            "optimizer": "adamw",
            "learning_rate": 1e-3,
            "warmup_steps": 100,
            **_NARROW,
        },
    ),
    "tiny": (
        "for tests: every part present, nothing learned well",
        {
            "backbone": "resnet_tiny",
            "norm": "group",
            "min_size": 64,
            "max_size": 128,
            "anchor_sizes": _SMALL_ANCHORS,
            "anchors_per_image": 64,
            "pre_nms_train": 100,
            "pre_nms_test": 100,
            "proposals_train": 50,
            "proposals_test": 20,
            "rois_per_image": 16,
            "detections_per_image": 10,
            "fpn_channels": 16,
            "rpn_channels": 16,
            "box_head_channels": 32,
            "mask_head_channels": 16,
            "mask_head_num_convs": 1,
            "warmup_steps": 2,
        },
    ),
}


_REFERENCES = reference_presets()


def preset_names() -> list[str]:
    """The names that `preset` knows: ours, and `torchvision/…`, `detectron2/…`, `matterport/…`."""
    return [*_PRESETS, *_REFERENCES]


def describe(name: str) -> str:
    """One line on what a preset is for."""
    return _entry(name)[0]


def published_classes(name: str) -> tuple[str, ...]:
    """The classes of the weights that a reference's preset is published with; of ours, none."""
    return _REFERENCES[name][2] if name in _REFERENCES else ()


def preset(name: str, **changes: Any) -> MaskRCNNConfig:
    """The config of a preset, with any field changed.

    Raises:
        ValueError: unknown preset, or a field out of its range.
        TypeError: a keyword is not a field of the config.
    """
    check_names(MaskRCNNConfig, changes)
    return MaskRCNNConfig(**{**_entry(name)[1], **changes})


def _entry(name: str) -> tuple[str, dict[str, Any]]:
    if name in _PRESETS:
        return _PRESETS[name]
    if name in _REFERENCES:
        return _REFERENCES[name][:2]
    near = difflib.get_close_matches(str(name), preset_names(), n=3) or preset_names()
    raise ValueError(f"There is no preset {name!r}; did you mean {', '.join(near)}?")
