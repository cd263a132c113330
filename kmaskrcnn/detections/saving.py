"""Found objects as files: pictures, COCO results, LabelMe, tables."""

from __future__ import annotations

import json
from pathlib import Path

from kmaskrcnn.ops import drawing

FORMAT_OF_SUFFIX = {".json": "coco", ".csv": "csv"} | dict.fromkeys(
    drawing.PICTURE_SUFFIXES, "picture"
)
FORMATS = {"coco": (".json",), "labelme": (".json",), "csv": (".csv",)} | {
    "picture": drawing.PICTURE_SUFFIXES
}


def format_of(path: Path, wanted: str | None) -> str:
    """The format to write: what is ``wanted``, or what the suffix says.

    Raises:
        ValueError: a suffix or a format that is not known, or one that does not go with the other.
    """
    suffix = path.suffix.lower()
    if wanted is None and suffix in FORMAT_OF_SUFFIX:
        return FORMAT_OF_SUFFIX[suffix]
    if wanted is None:
        known = " ".join(FORMAT_OF_SUFFIX)
        raise ValueError(f"{path}: expected a suffix among {known}, got {suffix!r}")
    if wanted not in FORMATS:
        raise ValueError(f"{path}: expected a format among {', '.join(FORMATS)}, got {wanted!r}")
    if suffix not in FORMATS[wanted]:
        known = " ".join(FORMATS[wanted])
        raise ValueError(f"{path}: {wanted} is written to {known}, got the suffix {suffix!r}")
    return wanted


def json_bytes(content: object, indent: int | None = None) -> bytes:
    """JSON as the bytes of a file."""
    return json.dumps(content, indent=indent, ensure_ascii=False).encode()
