"""How good detections are: detections and truth in, figures and pictures out."""

from kmaskrcnn.data.pictures import draw_sample
from kmaskrcnn.evaluation.coco import CocoEvaluator, evaluate_coco
from kmaskrcnn.evaluation.pictures import prediction_sheet, showcase

__all__ = ["CocoEvaluator", "draw_sample", "evaluate_coco", "prediction_sheet", "showcase"]
