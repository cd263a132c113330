"""What goes into the network: datasets, their formats, and batches."""

from kmaskrcnn.data.dataset import Dataset, Instance, Sample, align
from kmaskrcnn.data.errors import DataError, clear_errors, find_data_error
from kmaskrcnn.data.geometry import prepare_image
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.load import load
from kmaskrcnn.data.pipeline import batches
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.shapes import ShapesDataset

__all__ = [
    "DataError",
    "Dataset",
    "Instance",
    "Report",
    "Sample",
    "ShapesDataset",
    "align",
    "batches",
    "clear_errors",
    "find_data_error",
    "load",
    "prepare_image",
    "read_image",
]
