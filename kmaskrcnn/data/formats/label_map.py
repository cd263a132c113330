"""The label map of TF's object detection: classes and their ids in protobuf's text format.

Format: https://github.com/tensorflow/models/blob/master/research/object_detection/protos/string_int_label_map.proto
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from kmaskrcnn.data.errors import DataError

MAX_BYTES = 2**24
_ITEM = re.compile(r"item\s*:?\s*\{((?:[^{}\"']|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*)")
_FIELD = re.compile(r"(\w+)\s*:\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;]+)")


def read_label_map(path: Path) -> dict[int, str]:
    """Id → name, in the file's order.

    Raises:
        DataError: missing, not text, an item without an id or a name, an id of two names, no item.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the label map cannot be read ({error}).") from error
    names: dict[int, str] = {}
    for item in _ITEM.findall(re.sub(r"(?m)^\s*#.*$", "", text)):
        fields = dict(_FIELD.findall(item))
        number, name = fields.get("id", ""), fields.get("name", fields.get("display_name"))
        if not re.fullmatch(r"-?\d{1,9}", number) or name is None:
            raise DataError(
                f"{path}: expected items such as item {{ id: 1 name: 'cat' }}, found {item!r:.80}."
            )
        if names.setdefault(int(number), _unquoted(name)) != _unquoted(name):
            raise DataError(f"{path}: id {number} has two names.")
    if not names:
        raise DataError(f"{path}: no item. Expected item {{ id: 1 name: 'cat' }} and so on.")
    return names


def label_map(class_names: Sequence[str]) -> str:
    """The text of a label map; ids begin at 1, 0 is the background's."""
    return "".join(
        f"item {{\n  id: {number}\n  name: {json.dumps(name, ensure_ascii=False)}\n}}\n"
        for number, name in enumerate(class_names, 1)
    )


def _unquoted(text: str) -> str:
    """A string of the file as it is meant."""
    if text[:1] not in "\"'":
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])
