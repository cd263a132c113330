"""Which of COCO's JSON files one is: instances, or what to take in its place."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.json_files import JsonFile

KEYS = ("images", "annotations", "categories")
_KINDS = re.compile(r"^(captions|panoptic|stuff|image_info|labels)_")


def check_file(file: JsonFile) -> JsonFile:
    """A JSON file, which must be COCO instances.

    Raises:
        DataError: no JSON, or JSON of another kind.
    """
    problem = foreign(file)
    if problem:
        raise DataError(f"{file.path}: not a COCO instances file: {problem}.")
    return file


def foreign(file: JsonFile) -> str | None:
    """Why a file is not COCO instances; None when it is.

    Raises:
        DataError: no JSON.
    """
    expected = f"expected an object with the keys {', '.join(KEYS)}"
    top = file.top
    if isinstance(top, list):
        return f"the top is a list, as in COCO results; {expected}"
    if not isinstance(top, dict):
        return f"the top is {type(top).__name__}, {expected}"
    if "shapes" in top and "imagePath" in top:
        return "it looks like LabelMe (shapes, imagePath)"
    kind = _other_kind(file, top)
    if kind:
        instead = _KINDS.sub("instances_", file.path.name)
        return f"{kind}; use {instead if instead != file.path.name else 'the instances file'}"
    missing = [key for key in KEYS if not isinstance(top.get(key), list)]
    if missing:
        found = ", ".join(list(top)[:8]) or "none"
        return f"no list under {', '.join(missing)} (of {', '.join(KEYS)}); found the keys {found}"
    return None


def _other_kind(file: JsonFile, top: dict[str, Any]) -> str | None:
    """What else of COCO a file is."""
    keys = keys_of_first(top.get("annotations"))
    if "segments_info" in keys:
        return "it is a panoptic file (segments_info)"
    if "caption" in keys:
        return "it is a captions file (caption)"
    if file.path.stem.startswith("labels_") and keys and not keys & {"bbox", "segmentation"}:
        return "it lists labels of whole images"
    if file.path.stem.startswith("stuff_"):
        return "it is a stuff file by its name, of regions that are no objects"
    if file.path.stem.startswith("image_info_") or ("images" in top and "annotations" not in top):
        return "it lists images without annotations (image_info)"
    return None


def keys_of_first(listed: Any) -> set[str]:
    """The keys of the first object of a list that is not parsed; none where there is none."""
    if not isinstance(listed, list) or not listed:
        return set()
    try:
        return set(msgspec.json.decode(listed[0], type=dict[str, msgspec.Raw]))
    except (ValueError, RecursionError):
        return set()
