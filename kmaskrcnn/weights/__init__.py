"""Whose weights, and how they get in: readers of files, and arrays assigned by name and shape."""

from kmaskrcnn.weights.files.checkpoints import read_arrays
from kmaskrcnn.weights.files.writing import write_arrays
from kmaskrcnn.weights.hub.download import fetch
from kmaskrcnn.weights.hub.published import names as published_names
from kmaskrcnn.weights.hub.published import published
from kmaskrcnn.weights.loading import (
    Report,
    assign,
    assign_named,
    load,
    missing_names,
    named_variables,
)
from kmaskrcnn.weights.misfits import problems
from kmaskrcnn.weights.naming.bodies import backbone_to_ours
from kmaskrcnn.weights.naming.frameworks import count_classes, framework_of, has_heads
from kmaskrcnn.weights.naming.keras_resnet import from_keras_resnet
from kmaskrcnn.weights.naming.known_classes import keep_known_classes
from kmaskrcnn.weights.naming.own_files import from_keras_file, is_keras_file, resolved
from kmaskrcnn.weights.naming.states import from_ours, names_of, to_ours

__all__ = [
    "Report",
    "assign",
    "assign_named",
    "backbone_to_ours",
    "count_classes",
    "fetch",
    "framework_of",
    "from_keras_file",
    "from_keras_resnet",
    "from_ours",
    "has_heads",
    "is_keras_file",
    "keep_known_classes",
    "load",
    "missing_names",
    "named_variables",
    "names_of",
    "problems",
    "published",
    "published_names",
    "read_arrays",
    "resolved",
    "to_ours",
    "write_arrays",
]
