"""One COCO annotation as an ``Instance``: what is wrong is mended or left out, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycocotools import mask as coco_mask

from kmaskrcnn.data.dataset import Instance, Mask
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco_keypoints import parse_keypoints
from kmaskrcnn.data.formats.outlines import BEYOND, Size, usable_box, usable_polygon
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import read_counts


def parse_annotation(
    annotation: dict[str, Any],
    label: int,
    size: Size | None,
    place: str,
    report: Report,
    num_keypoints: int = 0,
) -> Instance | None:
    """The annotation as an instance, or None where nothing usable is left (counted in ``report``).

    Args:
        annotation: COCO's object.
        label: of its category.
        size: (height, width) of its image, if the file says so.
        place: the file and the annotation, for messages.
        report: takes the repairs and omissions.
        num_keypoints: that the categories name.

    Raises:
        DataError: a run-length code that does not fit the image, a list of keypoints of the wrong
            length.
    """
    mask = _parse_mask(annotation.get("segmentation"), size, place, report)
    box = usable_box(annotation.get("bbox"), size, place, report, quiet=mask is not None)
    if mask is None and box is None:
        report.add("object left out, without a usable mask or box", place)
        return None
    area = annotation.get("area")
    return Instance(
        label,
        mask,
        box=box,
        crowd=bool(annotation.get("iscrowd", 0)),
        area=float(area) if isinstance(area, int | float) and 0 < area < BEYOND**2 else None,
        annotation_id=annotation.get("id"),
        keypoints=parse_keypoints(annotation.get("keypoints"), num_keypoints, place, report),
    )


def _parse_mask(segmentation: Any, size: Size | None, place: str, report: Report) -> Mask:
    if isinstance(segmentation, Mapping):
        return _parse_code(segmentation, size, place, report)
    if not isinstance(segmentation, list) or not segmentation:
        if segmentation not in (None, []):
            report.add(
                "segmentation that is neither polygons nor a run-length code left out", place
            )
        return None
    rings = [segmentation] if isinstance(segmentation[0], int | float) else segmentation
    polygons = [usable_polygon(ring, size, place, report) for ring in rings]
    return [polygon for polygon in polygons if polygon is not None] or None


def _parse_code(code: Mapping[str, Any], size: Size | None, place: str, report: Report) -> Mask:
    """A run-length code, made compressed; each is read once, so that none can fail later."""
    if (
        not isinstance(code.get("size"), list | tuple)
        or len(code["size"]) != 2
        or "counts" not in code
    ):
        raise DataError(
            f"{place}: a run-length code needs 'size' [height, width] and 'counts', got "
            f"{list(code)}."
        )
    if size is not None and tuple(code["size"]) != tuple(size):
        raise DataError(
            f"{place}: the run-length code is {code['size'][0]}×{code['size'][1]} "
            f"(height×width), its image {size[0]}×{size[1]}."
        )
    try:
        counts = read_counts(code)
    except DataError as error:
        raise DataError(f"{place}: {error}. Export the annotation again.") from error
    if not counts[1::2].any():
        report.add("mask without a pixel left out", place)
        return None
    if isinstance(code["counts"], str | bytes):
        return dict(code)
    return coco_mask.frPyObjects(
        {"size": list(code["size"]), "counts": counts.tolist()}, *code["size"]
    )
