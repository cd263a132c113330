"""Backbones: from normalised images to feature maps at strides 4, 8, 16 and 32."""

from collections.abc import Mapping

from kmaskrcnn.backbones import applications
from kmaskrcnn.backbones.applications import preprocessing
from kmaskrcnn.backbones.base import STAGES, STRIDES, Backbone

__all__ = ["STAGES", "STRIDES", "Backbone", "build_backbone", "preprocessing"]


def build_backbone(
    name: str,
    *,
    input_channels: int = 3,
    norm: str = "frozen_batch",
    norm_epsilon: float | None = None,
    taps: Mapping[str, str] | None = None,
    weights: str | None = None,
) -> Backbone:
    """Builds a backbone by name: any network of ``keras.applications``."""
    return applications.build(
        name,
        input_channels=input_channels,
        norm=norm,
        norm_epsilon=norm_epsilon,
        taps=taps,
        imagenet=weights == "imagenet",
    )
