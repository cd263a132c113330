"""The parts of the network: one public Keras layer a file, scalars in."""

from kmaskrcnn.layers.anchor_sampler import AnchorSampler
from kmaskrcnn.layers.anchors import AnchorGenerator
from kmaskrcnn.layers.box_head import BoxHead
from kmaskrcnn.layers.detection import DetectionLayer
from kmaskrcnn.layers.fpn import FPN
from kmaskrcnn.layers.keypoint_head import KeypointHead
from kmaskrcnn.layers.mask_head import MaskHead
from kmaskrcnn.layers.normalization import FrozenBatchNormalization
from kmaskrcnn.layers.preprocessing import ImageNormalization
from kmaskrcnn.layers.proposals import ProposalLayer
from kmaskrcnn.layers.roi_pooling import PyramidRoIAlign
from kmaskrcnn.layers.roi_sampler import RoISampler
from kmaskrcnn.layers.rpn_head import RPNHead

__all__ = [
    "FPN",
    "AnchorGenerator",
    "AnchorSampler",
    "BoxHead",
    "DetectionLayer",
    "FrozenBatchNormalization",
    "ImageNormalization",
    "KeypointHead",
    "MaskHead",
    "ProposalLayer",
    "PyramidRoIAlign",
    "RPNHead",
    "RoISampler",
]
