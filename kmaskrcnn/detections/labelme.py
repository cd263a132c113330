"""Found objects as a LabelMe file, to be corrected there and trained on again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.ops.outlines import to_cut_polygons

VERSION = "5.5.0"  # of LabelMe, whose form this is


def labelme_file(
    found: Objects, image_path: str | Path | None = None, tolerance: float = 1.0
) -> dict[str, Any]:
    """The content of a LabelMe file; see `Detections.to_labelme`."""
    path = found.image if image_path is None else image_path
    if not isinstance(path, (str, Path)):
        raise ValueError("LabelMe opens the image's file: expected its path, got none")
    shapes = [shape for i in range(len(found)) for shape in _shapes(found, i, tolerance)]
    return {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": Path(path).as_posix(),
        "imageData": None,
        "imageHeight": found.image_size[0],
        "imageWidth": found.image_size[1],
    }


def relative_path(image_path: str | Path, folder: Path) -> str:
    """The image's path as a LabelMe file in ``folder`` names it."""
    try:
        return Path(os.path.relpath(image_path, folder)).as_posix()
    except ValueError:  # on another drive there is no relative path
        return Path(image_path).resolve().as_posix()


def _shapes(found: Objects, index: int, tolerance: float) -> list[dict[str, Any]]:
    """The polygons of one object, or its rectangle where it has no pixels to go around."""
    polygons = to_cut_polygons(found.region(index), tolerance) if found.has_masks else []
    kind = "polygon" if polygons else "rectangle"
    points = polygons or [found.boxes[index].reshape(2, 2)]
    common: dict[str, Any] = {
        "label": found.names[index],
        "group_id": index + 1 if len(points) > 1 else None,
        "description": f"score {found.scores[index]:.3f}",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }
    return [{**common, "points": np.asarray(each, float).tolist()} for each in points]
