"""Whose weights, and how they get in: readers of files, and arrays assigned by name and shape."""

from kmaskrcnn.weights.bodies import backbone_to_ours
from kmaskrcnn.weights.checkpoints import read_arrays
from kmaskrcnn.weights.download import fetch
from kmaskrcnn.weights.frameworks import count_classes, framework_of, has_heads
from kmaskrcnn.weights.keras_resnet import from_keras_resnet
from kmaskrcnn.weights.known_classes import keep_known_classes
from kmaskrcnn.weights.loading import (
    Report,
    assign,
    assign_named,
    load,
    missing_names,
    named_variables,
)
from kmaskrcnn.weights.published import names as published_names
from kmaskrcnn.weights.published import published
from kmaskrcnn.weights.states import from_ours, names_of, to_ours
from kmaskrcnn.weights.writing import write_arrays

__all__ = [
    "Report",
    "assign",
    "assign_named",
    "backbone_to_ours",
    "count_classes",
    "fetch",
    "framework_of",
    "from_keras_resnet",
    "from_ours",
    "has_heads",
    "keep_known_classes",
    "load",
    "missing_names",
    "named_variables",
    "names_of",
    "published",
    "published_names",
    "read_arrays",
    "to_ours",
    "write_arrays",
]
