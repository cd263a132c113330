"""Objects as a table: a column a property, a row an object."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.detections.measuring import measure
from kmaskrcnn.detections.objects import Objects


def columns(
    found: Objects, measurements: bool = False, image: str | Path | np.ndarray | None = None
) -> dict[str, Any]:
    """The columns of `Detections.to_pandas`, each of K values."""
    x1, y1, x2, y2 = found.boxes.T
    table: dict[str, Any] = {"class": found.names, "score": found.scores}
    table |= {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "width": x2 - x1, "height": y2 - y1}
    table["area"] = found.area
    if measurements:
        table |= measure(found, image)
    if found.keypoints is not None:
        names = found.keypoint_names or tuple(str(j) for j in range(found.keypoints.shape[1]))
        for j, name in enumerate(names):
            x, y, score = found.keypoints[:, j].T
            table |= {f"{name}_x": x, f"{name}_y": y, f"{name}_score": score}
    return table


def to_pandas(table: dict[str, Any]) -> Any:
    """A ``pandas.DataFrame`` of columns.

    Raises:
        ImportError: pandas is not installed; with the line that installs it.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'a table needs pandas: pip install "kmaskrcnn[pandas]", or save("found.csv"), which '
            "does without"
        ) from error
    return pandas.DataFrame(table)


def to_csv(table: dict[str, Any]) -> str:
    """The text of a CSV file: a line of names, then a line an object."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    values = [column if isinstance(column, list) else column.tolist() for column in table.values()]
    writer.writerows(zip(*values, strict=True))
    return text.getvalue()
