"""How good detections are: detections and truth in, figures and pictures out."""

from kmaskrcnn.data.pictures import draw_sample
from kmaskrcnn.evaluation.analysis import Analysis, analyse
from kmaskrcnn.evaluation.confusion import confusion_matrix
from kmaskrcnn.evaluation.evaluator import Evaluator, evaluate_coco
from kmaskrcnn.evaluation.matching import Matches, match
from kmaskrcnn.evaluation.pictures import prediction_sheet, showcase

__all__ = [
    "Analysis",
    "Evaluator",
    "Matches",
    "analyse",
    "confusion_matrix",
    "draw_sample",
    "evaluate_coco",
    "match",
    "prediction_sheet",
    "showcase",
]
