"""Pure functions on tensors and arrays, without Keras."""

from kmaskrcnn.ops.library import status
from kmaskrcnn.ops.roi_align import assign_levels, roi_align

__all__ = ["assign_levels", "roi_align", "status"]
