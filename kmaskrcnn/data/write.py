"""One door to every format that is written: any dataset as files that others read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from kmaskrcnn.data.compose.classes import align
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.writing.coco import write_coco
from kmaskrcnn.data.writing.labelme import write_labelme
from kmaskrcnn.data.writing.photographs import HOW
from kmaskrcnn.data.writing.png import write_png
from kmaskrcnn.data.writing.samples import Job, Progress
from kmaskrcnn.data.writing.tfrecord import write_tfrecord
from kmaskrcnn.data.writing.yolo import write_yolo
from kmaskrcnn.files import atomic

WRITERS: dict[str, Callable[[Job, Path], None]] = {
    "coco": write_coco,
    "yolo": write_yolo,
    "png": write_png,
    "labelme": write_labelme,
    "tfrecord": write_tfrecord,
}


def write(
    dataset: Dataset | Mapping[str, Dataset],
    folder: str | Path,
    format: str = "coco",
    images: str = "copy",
    progress: Progress | None = None,
) -> Report:
    """Writes a dataset, or parts of one, in the form of another program.

    The folder stands under its name when it is whole; ``data.load`` reads it again.

    Args:
        dataset: any dataset, or parts of one by name: ``{"train": …, "val": …}``.
        folder: a new or an empty one.
        format: ``"coco"`` (instances JSON), ``"yolo"`` (labels of outlines and data.yaml),
            ``"png"`` (a PNG of numbers an image, and a table of classes), ``"labelme"``,
            ``"tfrecord"`` (of TF's object detection, images inside).
        images: ``"copy"``, ``"link"`` (symbolic links), or ``"none"``: they stay where they are,
            and their folder is named when the result is loaded (``images=…``). What is an array is
            written as PNG.
        progress: is told after each image.

    Returns:
        What the format cannot hold, and how often: crowds, keypoints, overlaps.

    Raises:
        DataError: a folder with something in it, an image or an annotation that cannot be read,
            parts of different classes, no image.
        ValueError: an unknown format, or another word for ``images``.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    if format not in WRITERS or images not in HOW:
        raise ValueError(
            f"format={format!r}, images={images!r}: expected a format of {', '.join(WRITERS)}, and "
            f"for images one of {', '.join(HOW)}."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: there is something already. Name a new folder, or empty it.")
    job = Job(_parts(dataset), images, progress=progress)
    with atomic(folder) as unfinished:
        unfinished.mkdir()
        WRITERS[format](job, unfinished)
    return job.report


def _parts(dataset: Dataset | Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Part → dataset, all with the labels of the first."""
    parts = dict(dataset) if isinstance(dataset, Mapping) else {"": dataset}
    wrong = [name for name in parts if len(parts) > 1 and not name.replace("_", "").isalnum()]
    if not parts or wrong or not all(len(part) for part in parts.values()):
        raise DataError(
            f"parts {list(parts)} of {[len(part) for part in parts.values()]} images: expected "
            "datasets with images, by names such as 'train' and 'val'."
        )
    names = next(iter(parts.values())).class_names
    return {name: align(part, names) for name, part in parts.items()}
