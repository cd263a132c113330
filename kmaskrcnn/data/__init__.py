"""What goes into the network: datasets, their formats, and batches.

What looks at a dataset draws pages and pictures, too: it is imported on first use.
"""

from typing import TYPE_CHECKING, Any

from kmaskrcnn.data.arrays import from_arrays, from_generator
from kmaskrcnn.data.augmentation import OwnPolicy, Policy, Transformed, augmentation_sheet
from kmaskrcnn.data.broken import Broken, find_broken, without_broken
from kmaskrcnn.data.check import DataCheck, check
from kmaskrcnn.data.compose import (
    Subset,
    align,
    concatenate,
    map,
    rename_classes,
    repeat_factor,
    select_classes,
    split,
)
from kmaskrcnn.data.dataset import Dataset, Instance, Sample
from kmaskrcnn.data.errors import DataError, clear_errors, find_data_error
from kmaskrcnn.data.geometry import prepare_image
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.inference import (
    InferenceBatch,
    Origin,
    inference_batches,
    joint_batch,
    points_to_original,
    to_original,
)
from kmaskrcnn.data.input_size import InputSize
from kmaskrcnn.data.load import load
from kmaskrcnn.data.order import Order
from kmaskrcnn.data.pipeline import batches
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.shapes import ShapesDataset
from kmaskrcnn.data.sources import image_sources
from kmaskrcnn.data.write import write

if TYPE_CHECKING:
    from kmaskrcnn.data.inspection import Inspection, Problem, inspect

__all__ = [
    "Broken",
    "DataCheck",
    "DataError",
    "Dataset",
    "InferenceBatch",
    "InputSize",
    "Inspection",
    "Instance",
    "Order",
    "Origin",
    "OwnPolicy",
    "Policy",
    "Problem",
    "Report",
    "Sample",
    "ShapesDataset",
    "Subset",
    "Transformed",
    "align",
    "augmentation_sheet",
    "batches",
    "check",
    "clear_errors",
    "concatenate",
    "find_broken",
    "find_data_error",
    "from_arrays",
    "from_generator",
    "image_sources",
    "inference_batches",
    "inspect",
    "joint_batch",
    "load",
    "map",
    "points_to_original",
    "prepare_image",
    "read_image",
    "rename_classes",
    "repeat_factor",
    "select_classes",
    "split",
    "to_original",
    "without_broken",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in ("Inspection", "Problem", "inspect"):
        raise AttributeError(f"module 'kmaskrcnn.data' has no attribute {name!r}")
    from kmaskrcnn.data import inspection

    return getattr(inspection, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
