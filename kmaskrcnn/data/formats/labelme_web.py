"""XML of the LabelMe web tool, in the form of LabelMe's JSON.

Format: ``Annotations/<folder>/<image>.xml``, with photographs in ``Images/<folder>`` and painted
masks in ``Masks/<folder>`` (https://github.com/CSAILVision/LabelMeAnnotationTool).
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import inside, last_part, read_png

MAX_BYTES = 2**26


def read_web(file: Path) -> dict[str, Any]:
    """The content of an XML file as the JSON of LabelMe would have it.

    Raises:
        DataError: missing, too large, no XML, entities in it, or XML of another kind.
    """
    root = _parse(file)
    if root.tag != "annotation" or root.find("filename") is None:
        raise DataError(
            f"{file}: not XML of the LabelMe web tool: expected <annotation> with <filename>, "
            f"found <{root.tag}> with {', '.join(sorted({child.tag for child in root}))[:80]}."
        )
    if root.find("object/bndbox") is not None:
        raise DataError(
            f"{file}: boxes of Pascal VOC, which tell no outlines. Expected polygons or masks, as "
            "the LabelMe web tool writes them."
        )
    objects = [o for o in root.iter("object") if _text(o, "deleted") != "1"]
    return {
        "shapes": [_shape(one, file) for one in objects],
        "imagePath": _text(root, "filename"),
        "imageHeight": _number(root, "imagesize/nrows"),
        "imageWidth": _number(root, "imagesize/ncols"),
    }


def _parse(file: Path) -> ElementTree.Element:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"{file}: the annotation file cannot be read ({error.strerror or error})."
        ) from error
    if len(data) > MAX_BYTES or b"<!ENTITY" in data:
        raise DataError(f"{file}: more than {MAX_BYTES:,} bytes, or entities, in an annotation.")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise DataError(
            f"{file}: not XML, or cut off ({error}). Copy or export the file again."
        ) from error


def _shape(one: ElementTree.Element, file: Path) -> dict[str, Any]:
    """An object as a shape: its polygon, or its painted mask."""
    label = _text(one, "name")
    mask = _text(one, "segm/mask")
    if mask:
        return {"label": label, "shape_type": "mask", **_painted(file, mask)}
    points = [(_number(pt, "x"), _number(pt, "y")) for pt in one.findall("polygon/pt")]
    return {"label": label, "shape_type": "polygon", "points": points}


def _painted(file: Path, name: str) -> dict[str, Any]:
    """The mask in ``Masks/<folder>``, as large as the image."""
    folder = file.parent.parent.parent / "Masks" / file.parent.name
    values = read_png(inside(folder, last_part(name), str(file))) != 0
    encoded = cv2.imencode(".png", values.astype(np.uint8) * 255)[1].tobytes()
    corners = [[0, 0], [values.shape[1] - 1, values.shape[0] - 1]]
    return {"mask": base64.b64encode(encoded).decode(), "points": corners}


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _number(element: ElementTree.Element, path: str) -> float | None:
    try:
        return float(_text(element, path))
    except ValueError:
        return None
