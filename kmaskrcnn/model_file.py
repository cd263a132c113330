"""What a `.keras` file of ours says of itself, read without building the network."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.files.archives import open_archive, read_member
from kmaskrcnn.weights.files.limits import Limits

REGISTERED = "kmaskrcnn>MaskRCNN"
_BROKEN = (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Header:
    """The settings in a model's file.

    Attributes:
        config: every switch. class_names: without the background.
        frozen: the stages of the backbone that do not learn.
        dtype: the precision policy, as Keras notes it.
        provenance: what made the model, from what; {} where the file does not say.
        optimizer: the class of the optimizer whose state is kept, or None.
        keras, saved: which version of Keras wrote the file, and when.
    """

    config: MaskRCNNConfig
    class_names: tuple[str, ...]
    frozen: tuple[str, ...]
    dtype: Any
    provenance: Mapping[str, Any]
    optimizer: str | None
    keras: str
    saved: str


def read_header(path: str | os.PathLike[str]) -> Header:
    """The settings in the file of a `MaskRCNN`.

    Raises:
        ValueError: not a whole ``.keras`` file, or another model's; names the file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            limits = Limits(path)
            archive = open_archive(file, limits)
            whole = json.loads(read_member(archive, "config.json", limits))
            metadata = json.loads(read_member(archive, "metadata.json", limits))
        if not isinstance(whole, dict):
            raise ValueError("config.json holds no object")
    except _BROKEN as error:
        raise ValueError(f"{path}: not a whole .keras file: {error}") from None
    if whole.get("registered_name") != REGISTERED:
        found = whole.get("class_name", "something else")
        raise ValueError(f"{path}: holds a {found}, expected a MaskRCNN.")
    try:
        return _header(whole, metadata)
    except (*_BROKEN, AttributeError) as error:
        raise ValueError(f"{path}: its settings cannot be used: {error}") from None


def _header(whole: Mapping[str, Any], metadata: Mapping[str, Any]) -> Header:
    settings = whole["config"]
    compiled = whole.get("compile_config") or {}
    optimizer = compiled.get("optimizer") or {}
    return Header(
        config=MaskRCNNConfig(**settings["config"]),
        class_names=tuple(settings["class_names"]),
        frozen=tuple(settings.get("frozen", ())),
        dtype=settings.get("dtype"),
        provenance=settings.get("provenance") or {},
        optimizer=optimizer.get("class_name") if isinstance(optimizer, Mapping) else None,
        keras=str(metadata.get("keras_version", "")),
        saved=str(metadata.get("date_saved", "")),
    )
