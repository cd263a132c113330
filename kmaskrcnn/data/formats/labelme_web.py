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
from kmaskrcnn.data.formats.xml_files import number_of, read_xml, text_of


def read_web(file: Path) -> dict[str, Any]:
    """The content of an XML file as the JSON of LabelMe would have it.

    Raises:
        DataError: missing, too large, no XML, entities in it, or XML of another kind.
    """
    root = read_xml(file)
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
    objects = [o for o in root.iter("object") if text_of(o, "deleted") != "1"]
    return {
        "shapes": [_shape(one, file) for one in objects],
        "imagePath": text_of(root, "filename"),
        "imageHeight": number_of(root, "imagesize/nrows"),
        "imageWidth": number_of(root, "imagesize/ncols"),
    }


def _shape(one: ElementTree.Element, file: Path) -> dict[str, Any]:
    """An object as a shape: its polygon, or its painted mask."""
    label = text_of(one, "name")
    mask = text_of(one, "segm/mask")
    if mask:
        return {"label": label, "shape_type": "mask", **_painted(file, mask)}
    points = [(number_of(pt, "x"), number_of(pt, "y")) for pt in one.findall("polygon/pt")]
    return {"label": label, "shape_type": "polygon", "points": points}


def _painted(file: Path, name: str) -> dict[str, Any]:
    """The mask in ``Masks/<folder>``, as large as the image."""
    folder = file.parent.parent.parent / "Masks" / file.parent.name
    values = read_png(inside(folder, last_part(name), str(file))) != 0
    encoded = cv2.imencode(".png", values.astype(np.uint8) * 255)[1].tobytes()
    corners = [[0, 0], [values.shape[1] - 1, values.shape[0] - 1]]
    return {"mask": base64.b64encode(encoded).decode(), "points": corners}
