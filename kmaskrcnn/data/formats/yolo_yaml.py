"""The ``data.yaml`` of YOLO: the class names, and where the parts of a dataset lie.

Format: https://docs.ultralytics.com/datasets/segment/#dataset-yaml-format
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import (
    IMAGE_SUFFIXES,
    below,
    inside,
    last_part,
    read_lines,
    split_names,
)

MAX_BYTES = 2**20
USUAL_PARTS = ("train", "val", "valid", "test")


class DataYaml(NamedTuple):
    """A file's class names, in the order of their ids, and all that it says."""

    path: Path
    names: tuple[str, ...]
    content: Mapping[Any, Any]


class _Loader(yaml.SafeLoader):
    """Plain values only; no aliases, of which a small file can make a large tree."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*), which is not followed")
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        DataError: missing, too large, no YAML, with aliases.
    """
    text = "\n".join(read_lines(path, MAX_BYTES))
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        why = " ".join(str(error).split())
        raise DataError(f"{path}: not YAML: {why:.300}.") from error


def read_data_yaml(path: Path) -> DataYaml:
    """A ``data.yaml``.

    Raises:
        DataError: no YAML, no class names, ids that are not 0, 1, 2, …, or keypoints.
    """
    content = read_yaml(path)
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or set(names) != set(range(len(names))):
        raise DataError(
            f"{path}: expected class names under 'names', a list or {{0: …, 1: …}}, got "
            f"{names!r:.80}."
        )
    listed = tuple(str(names[number]) for number in range(len(names)))
    if len(set(listed)) < len(listed):
        twice = sorted({name for name in listed if listed.count(name) > 1})
        raise DataError(f"{path}: class names that occur twice: {', '.join(twice)}.")
    if "kpt_shape" in content:
        raise DataError(
            f"{path}: labels with keypoints (kpt_shape), whose lines are no outlines. Keypoints "
            "are read from COCO's person_keypoints."
        )
    return DataYaml(path, listed, content)


def choose_part(data: DataYaml, split: str | None) -> str:
    """The part that a split means, or the only one that is there.

    Raises:
        DataError: no such part, or several and none is named.
    """
    if split is not None:
        found = [name for name in split_names(split) if data.content.get(name)]
        if not found:
            raise DataError(f"{data.path}: nothing under {split!r}; there are {_parts(data)}.")
        return found[0]
    there = [name for name in USUAL_PARTS if data.content.get(name) and _exists(data, name)]
    if len(there) != 1:
        what = "several parts" if there else "no part of which the images are found"
        raise DataError(f"{data.path}: {what} ({_parts(data)}). Name a split.")
    return there[0]


def _parts(data: DataYaml) -> str:
    return ", ".join(name for name in USUAL_PARTS if data.content.get(name)) or "none"


def _exists(data: DataYaml, part: str) -> bool:
    return all(_resolve(data, entry).exists() for entry in entries_of(data, part))


def entries_of(data: DataYaml, part: str) -> list[str]:
    """What is listed under a part: folders, or text files that list images.

    Raises:
        DataError: something else.
    """
    value = data.content[part]
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) for entry in entries):
        raise DataError(f"{data.path}: expected a folder under {part!r}, got {value!r:.80}.")
    return entries


def listed_images(data: DataYaml, part: str) -> list[tuple[Path, Path]]:
    """Every image of a part, with the folder that was listed for it.

    Raises:
        DataError: a folder or list that is missing or lies outside of the file's folder.
    """
    found = []
    for entry in entries_of(data, part):
        path = _resolve(data, entry)
        if path.is_dir():
            files = sorted(path.rglob("*"))
            found += [(f, path) for f in files if f.suffix.lower() in IMAGE_SUFFIXES]
        elif path.suffix == ".txt" and path.is_file():
            names = [line.strip() for line in read_lines(path)]
            home, near = data.path.parent, path.parent.absolute()
            found += [(inside(home, str(near / name), str(path)), home) for name in names if name]
        else:
            raise DataError(
                f"{data.path}: no folder of images at {entry!r:.200} ({part}); {path} is not there."
            )
    return found


def _resolve(data: DataYaml, entry: str) -> Path:
    """Where an entry leads: from ``path``, else from the file, else, where that is outside as
    Roboflow writes it (``../train/images``), without the steps up.

    Raises:
        DataError: it leads out of the file's folder in any case.
    """
    home = data.path.parent
    said = data.content.get("path")
    said = said if isinstance(said, str) else "."
    roots = [below(home, said), home, below(home, last_part(said))]
    names = (entry, re.sub(r"^(\.\.[/\\])+", "", entry))
    tried = [below(root, name) for name in names for root in roots if root is not None]
    there = [path for path in tried if path is not None and path.exists()]
    return there[0] if there else inside(home, entry, f"{data.path}")
