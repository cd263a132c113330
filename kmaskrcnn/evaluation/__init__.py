"""How good detections are: detections and truth in, figures and pictures out."""

from kmaskrcnn.evaluation.coco import CocoEvaluator, evaluate_coco
from kmaskrcnn.evaluation.pictures import draw_sample, prediction_sheet

__all__ = ["CocoEvaluator", "draw_sample", "evaluate_coco", "prediction_sheet"]
