"""Pure functions on tensors and arrays, without Keras."""

from kmaskrcnn import installation
from kmaskrcnn.ops.levels import assign_levels
from kmaskrcnn.ops.library import status
from kmaskrcnn.ops.roi_align import roi_align
from kmaskrcnn.ops.roi_crop import roi_crop
from kmaskrcnn.ops.roi_pool import roi_pool, roi_warp

__all__ = ["assign_levels", "roi_align", "roi_crop", "roi_pool", "roi_warp", "status"]

installation.check()  # every module that computes comes through here
