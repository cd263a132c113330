"""What the images of a training differ by from epoch to epoch."""

from kmaskrcnn.data.augmentation.draw import Policy, as_policy, draw
from kmaskrcnn.data.augmentation.own import OwnPolicy
from kmaskrcnn.data.augmentation.pictures import augmentation_sheet

__all__ = ["OwnPolicy", "Policy", "as_policy", "augmentation_sheet", "draw"]
