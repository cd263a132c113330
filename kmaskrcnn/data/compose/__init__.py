"""Datasets made of datasets: parts, several as one, other classes, other weights."""

from kmaskrcnn.data.compose.classes import align, rename_classes, select_classes
from kmaskrcnn.data.compose.concatenate import concatenate
from kmaskrcnn.data.compose.mapped import map
from kmaskrcnn.data.compose.repeat import repeat_factor
from kmaskrcnn.data.compose.split import split
from kmaskrcnn.data.compose.subset import Subset

__all__ = [
    "Subset",
    "align",
    "concatenate",
    "map",
    "rename_classes",
    "repeat_factor",
    "select_classes",
    "split",
]
