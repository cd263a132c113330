"""The label files of YOLO: a line an object, in shares of the image's width and height."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kmaskrcnn.data.dataset import Instance
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import read_lines
from kmaskrcnn.data.formats.outlines import Size, usable_box, usable_polygon, usable_size
from kmaskrcnn.data.headers import upright_size
from kmaskrcnn.data.images import read_image
from kmaskrcnn.data.report import Report

MAX_BYTES = 2**23
SHARES = (-0.5, 1.5)
"""What is farther outside of 0 … 1 is no share of the image, but pixels."""
NO_BOX = "object without a mask, only its box is trained on"


class Line(NamedTuple):
    """An object: file and line, label, and a box's four numbers or an outline's more."""

    place: str
    label: int
    numbers: np.ndarray


def read_labels(path: Path, num_classes: int) -> list[Line]:
    """The objects of a label file; lines that are there twice once.

    Raises:
        DataError: a line that is no object, with its number.
    """
    found: dict[str, Line] = {}
    for number, line in enumerate(read_lines(path, MAX_BYTES), 1):
        text = " ".join(line.split())
        if text and text not in found:
            place = f"{path}:{number}"
            found[text] = _parse(text, num_classes, place)
    return list(found.values())


def _parse(text: str, num_classes: int, place: str) -> Line:
    try:
        numbers = np.array(text.split(), np.float64)
    except ValueError:
        numbers = np.zeros(0)
    if numbers.size < 5 or not numbers.size % 2 or not np.isfinite(numbers).all():
        raise DataError(
            f"{place}: {text!r:.80}; expected an outline, class x1 y1 x2 y2 x3 y3 …, or a box, "
            "class x y width height, in finite numbers."
        )
    label = numbers[0]
    if label != int(label) or not 0 <= label < num_classes:
        raise DataError(
            f"{place}: class {text.split()[0]:.20}, but the classes have the numbers 0 … "
            f"{num_classes - 1}."
        )
    if numbers[1:].min() < SHARES[0] or numbers[1:].max() > SHARES[1]:
        raise DataError(
            f"{place}: a coordinate of {max(numbers[1:], key=abs):g}; expected shares of the "
            "image's width and height, 0 … 1."
        )
    return Line(place, int(label), numbers[1:])


def to_instance(line: Line, size: Size, report: Report) -> Instance | None:
    """An object in pixels of an image of ``size``; None with a reason in the report."""
    place, label, numbers = line
    name = place.rsplit("/", 1)[-1]
    scale = np.array([size[1], size[0]], np.float64)
    if numbers.size > 4:
        polygon = usable_polygon(numbers.reshape(-1, 2) * scale, size, place, report)
        return None if polygon is None else Instance(label, [polygon], annotation_id=name)
    centre, extent = numbers[:2] * scale, numbers[2:] * scale
    box = usable_box([*(centre - extent / 2), *extent], size, place, report, quiet=False)
    if box is not None:
        report.add(NO_BOX, place)
    return None if box is None else Instance(label, box=box, annotation_id=name)


def size_of(path: Path) -> Size | None:
    """(height, width) of a photograph as it is looked at; None if it is none, or gigantic."""
    size = upright_size(path)
    if size is not None:
        return usable_size(*size)
    try:  # of a kind that only OpenCV reads, or broken
        height, width = read_image(path).shape[:2]
    except DataError:
        return None
    return height, width
