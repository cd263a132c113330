"""Files to look at: what a training did, and how good its model is."""

from kmaskrcnn.report.curves import best_epoch, read_history, save_curves
from kmaskrcnn.report.page import Report, save_report

__all__ = ["Report", "best_epoch", "read_history", "save_curves", "save_report"]
