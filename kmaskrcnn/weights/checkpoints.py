"""Reads weights files as plain arrays by name. Nothing in a file is ever executed."""

import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Arrays = dict[str, np.ndarray]

_KERAS_3_WEIGHTS = "model.weights.h5"  # inside a .keras archive


def read_arrays(path: str | os.PathLike) -> Arrays:
    """The arrays of a weights file, by name.

    ===================  ==========================================================================
    file                 names
    ===================  ==========================================================================
    ``.npz``             as stored; ours are ``layer/weight`` (``conv1/kernel``)
    ``.weights.h5``,     of Keras 3: ``layer/0``, ``layer/1``, … in the order of ``layer.weights``,
    ``.keras``           behind the names of the models that the layer stands in
    ``.h5``              of Keras 1 and 2: ``layer/weight``, without the ``:0``
    ===================  ==========================================================================

    Args:
        path: the file. Its ending says what it is.

    Returns:
        Arrays of any dtype and shape; bfloat16 comes as float32.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the ending is unknown, or the file is broken or holds no arrays.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    reader = next((r for ending, r in _READERS.items() if path.name.lower().endswith(ending)), None)
    if reader is None:
        raise ValueError(
            f"{path}: cannot read weights from a {path.suffix or 'nameless'} file; expected one of "
            f"{', '.join(_READERS)}"
        )
    try:
        arrays = reader(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no whole {path.suffix} file ({error}); it may be cut short: get it again"
        ) from error
    if not arrays:
        raise ValueError(f"{path} holds no arrays: expected the weights of a network")
    return arrays


def _read_npz(path: Path) -> Arrays:
    with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _read_keras(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read(_KERAS_3_WEIGHTS))
    with h5py.File(content, "r") as file:
        return dict(_items(file))


def _read_h5(path: Path) -> Arrays:
    with h5py.File(path, "r") as file:
        return dict(_items(file["model_weights"] if "model_weights" in file else file))


_READERS: dict[str, Callable[[Path], Arrays]] = {
    ".npz": _read_npz,
    ".keras": _read_keras,
    ".h5": _read_h5,
}


def _items(group: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The data sets below an HDF5 group, by the names that Keras 2 or Keras 3 means."""
    found: list[str] = []
    group.visititems(lambda name, item: found.append(name) if _is_array(item) else None)
    rename = _keras_2_name if "layer_names" in group.attrs else _keras_3_name
    for name in found:
        yield rename(group, name), _values(group[name])


def _is_array(item: Any) -> bool:
    return isinstance(item, h5py.Dataset)


def _values(item: Any) -> np.ndarray:
    values = np.asarray(item)
    if item.attrs.get("dtype") == "bfloat16":  # stored by Keras as its 16 bits
        return (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return values


def _keras_2_name(group: Any, path: str) -> str:
    """``conv1/conv1/kernel:0`` → ``conv1/kernel``: the first part is the group of the layer."""
    layer, _, weight = path.partition("/")
    return re.sub(r":\d+$", "", weight or layer)


def _keras_3_name(group: Any, path: str) -> str:
    """``backbone/layers/conv2d/vars/0`` → ``backbone/conv1/0``, by the names kept with ``vars``.

    Files of Keras versions that noted no names keep their paths, less ``vars``.
    """
    parts = path.split("/")
    parents = ["/".join([*parts[: end + 1], "vars"]) for end in range(len(parts) - 2)]
    names = [group[parent].attrs.get("name") for parent in parents if parent in group]
    if any(names):
        return "/".join([*filter(None, names), parts[-1]])
    return "/".join(part for part in parts if part != "vars")
