"""Whose weights, and how they get in: readers of files, and arrays assigned by name and shape."""

from kmaskrcnn.weights.checkpoints import read_arrays
from kmaskrcnn.weights.keras_resnet import from_keras_resnet
from kmaskrcnn.weights.loading import Report, assign, load, missing_names, named_variables

__all__ = [
    "Report",
    "assign",
    "from_keras_resnet",
    "load",
    "missing_names",
    "named_variables",
    "read_arrays",
]
