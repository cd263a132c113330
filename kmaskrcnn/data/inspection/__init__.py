"""A look at a dataset before a training: counts, what looks wrong, what suits it, as one page."""

from kmaskrcnn.data.inspection.anchors import AnchorAdvice, AnchorFit
from kmaskrcnn.data.inspection.duplicates import Duplicates
from kmaskrcnn.data.inspection.found import Inspection
from kmaskrcnn.data.inspection.looking import inspect
from kmaskrcnn.data.inspection.objects import Problem
from kmaskrcnn.data.inspection.training_size import SizeAdvice, SizeChoice

__all__ = [
    "AnchorAdvice",
    "AnchorFit",
    "Duplicates",
    "Inspection",
    "Problem",
    "SizeAdvice",
    "SizeChoice",
    "inspect",
]
