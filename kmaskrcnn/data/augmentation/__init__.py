"""What the images of a training differ by from epoch to epoch."""

from kmaskrcnn.data.augmentation.draw import Policy, ResolvedPolicy, as_policy, draw
from kmaskrcnn.data.augmentation.own import OwnPolicy
from kmaskrcnn.data.augmentation.pictures import augmentation_sheet
from kmaskrcnn.data.augmentation.transformed import Transformed

__all__ = [
    "OwnPolicy",
    "Policy",
    "ResolvedPolicy",
    "Transformed",
    "as_policy",
    "augmentation_sheet",
    "draw",
]
