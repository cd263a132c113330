"""Files to look at: what a training did, and how good its model is."""

from kmaskrcnn.report.curves import best_epoch, read_history, save_curves

__all__ = ["best_epoch", "read_history", "save_curves"]
