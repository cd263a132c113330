"""Pure functions on tensors and arrays, without Keras."""

from kmaskrcnn.ops.levels import assign_levels
from kmaskrcnn.ops.library import status
from kmaskrcnn.ops.roi_align import roi_align

__all__ = ["assign_levels", "roi_align", "status"]
