"""Backbones: from normalised images to feature maps at strides 4, 8, 16 and 32."""

from kmaskrcnn.backbones.base import STAGES, STRIDES, Backbone, stages_up_to
from kmaskrcnn.backbones.build import backbone_names, build_backbone
from kmaskrcnn.backbones.pretrained import (
    imagenet_settings,
    load_pretrained,
    preprocessing,
    usable_taps,
)
from kmaskrcnn.backbones.resnet import build_res5

__all__ = [
    "STAGES",
    "STRIDES",
    "Backbone",
    "backbone_names",
    "build_backbone",
    "build_res5",
    "imagenet_settings",
    "load_pretrained",
    "preprocessing",
    "stages_up_to",
    "usable_taps",
]
