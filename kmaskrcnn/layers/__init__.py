"""The parts of the network: one public Keras layer a file, scalars in."""

from kmaskrcnn.layers.anchor_sampler import AnchorSampler
from kmaskrcnn.layers.anchors import AnchorGenerator
from kmaskrcnn.layers.box_branch import BoxBranch
from kmaskrcnn.layers.box_head import BoxHead
from kmaskrcnn.layers.cascade_branch import CascadeBranch
from kmaskrcnn.layers.detection import DetectionLayer
from kmaskrcnn.layers.fpn import FPN, SingleLevel
from kmaskrcnn.layers.keypoint_branch import KeypointBranch
from kmaskrcnn.layers.keypoint_head import KeypointHead
from kmaskrcnn.layers.mask_branch import MaskBranch
from kmaskrcnn.layers.mask_head import MaskHead, MLPMaskHead
from kmaskrcnn.layers.normalization import FrozenBatchNormalization
from kmaskrcnn.layers.preprocessing import ImageNormalization
from kmaskrcnn.layers.proposals import ProposalLayer
from kmaskrcnn.layers.res5 import PooledRes5
from kmaskrcnn.layers.roi_pooling import RoIPooling
from kmaskrcnn.layers.roi_sampler import RoISampler
from kmaskrcnn.layers.rpn_head import RPNHead

__all__ = [
    "SingleLevel",
    "MLPMaskHead",
    "PooledRes5",
    "KeypointBranch",
    "MaskBranch",
    "CascadeBranch",
    "BoxBranch",
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
    "RoIPooling",
    "RPNHead",
    "RoISampler",
]
