"""The HDF5 files of Keras 1 to 3 as arrays, by the names that each version means.

Only what lies in the file itself is read: HDF5 can also refer to other files, and to arrays that
nothing was ever written of.
"""

import io
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kmaskrcnn.weights.files.archives import open_archive, read_member
from kmaskrcnn.weights.files.elements import widened
from kmaskrcnn.weights.files.limits import Limits, RefusedError

_KERAS_3_WEIGHTS = "model.weights.h5"  # inside a .keras archive
_WHOLE_MODEL = "model_weights"  # the group of a file that holds more than weights
_NUMBERS = "biufc"  # kinds of NumPy types
_DEEPEST = 64  # groups within groups
_NESTED = "rpn_model"  # of matterport: the one model within its model


def read_keras(path: Path, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of a ``.keras`` archive."""
    with path.open("rb") as file:
        archive = open_archive(file, limits)
        content = io.BytesIO(read_member(archive, _KERAS_3_WEIGHTS, limits))
    return _read(content, limits)


def read_h5(path: Path, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of an ``.h5`` of Keras 1 and 2, or a ``.weights.h5`` of Keras 3."""
    return _read(path, limits)


def _read(source: Path | io.BytesIO, limits: Limits) -> dict[str, np.ndarray]:
    with h5py.File(source, "r") as file:
        whole = _own(file, _WHOLE_MODEL)
        root = file if whole is None else whole
        items = dict(_walk(root, "", {_address(root)}))
        found = [path for path, item in items.items() if isinstance(item, h5py.Dataset)]
        names = _keras_2_names(found) if _is_keras_2(root) else _keras_3_names(items, found)
        arrays = {names[path]: _values(items[path], path, limits) for path in found}
    return {name: values for name, values in arrays.items() if values is not None}


def _is_keras_2(root: Any) -> bool:
    """Keras 2 writes the names of the layers; in several attributes where one is too small."""
    return "layer_names" in root.attrs or "layer_names0" in root.attrs


def _own(group: Any, name: str) -> Any:
    """A member of a group, or None where there is none or it is a link out of the group."""
    is_own = isinstance(group.get(name, getlink=True), h5py.HardLink)
    return group[name] if is_own else None


def _address(item: Any) -> int:
    return h5py.h5o.get_info(item.id).addr


def _walk(group: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Everything below a group by its path, each object once, however often it is linked."""
    if prefix.count("/") > _DEEPEST:
        raise RefusedError(f"its groups are nested more than {_DEEPEST} deep")
    for name in group:
        item = _own(group, name)
        if item is None or _address(item) in seen:
            continue
        seen.add(_address(item))
        yield prefix + name, item
        if isinstance(item, h5py.Group):
            yield from _walk(item, f"{prefix}{name}/", seen)


def _values(item: Any, name: str, limits: Limits) -> np.ndarray | None:
    """A data set; None for what holds no numbers."""
    is_bfloat16 = _text(item, "dtype") == "bfloat16" and item.dtype.itemsize == 2
    if item.shape is None or not (item.dtype.kind in _NUMBERS or is_bfloat16):
        return None
    if item.external or item.is_virtual:
        raise RefusedError(f"{name} lies in another file")
    chunk = math.prod(item.chunks or ()) * item.dtype.itemsize
    limits.memory.check(chunk, f"a chunk of {name}")
    size = math.prod(item.shape) * item.dtype.itemsize  # h5py's own nbytes may overflow
    limits.memory.take(size, f"{name} of shape {item.shape}")
    values = np.asarray(item)
    return widened(values) if is_bfloat16 else values


def _text(item: Any, name: str) -> str:
    """An attribute that is one string; empty where it is none."""
    if name not in item.attrs or item.attrs.get_id(name).shape != ():
        return ""
    value = item.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def _keras_2_names(paths: list[str]) -> dict[str, str]:
    """``conv1/conv1/kernel:0`` → ``conv1/kernel``: the first part is the group of the layer.

    Where a process builds a second model, TensorFlow gives its weights a suffix and Keras the
    groups none: ``conv1/conv1_1/kernel:0`` is ``conv1/kernel`` too, unless the group is a model
    that holds several layers. Of such models only matterport's is known to be suffixed so.
    """
    inner: dict[str, set[str]] = {}
    for path in paths:
        group, *layer, _ = path.split("/")
        inner.setdefault(group, set()).update(layer[:1])
    names = {path: _keras_2_name(path, inner) for path in paths}
    _refuse_twins(list(names.values()))
    return names


def _keras_2_name(path: str, inner: dict[str, set[str]]) -> str:
    group, *layers, weight = path.split("/")
    weight = re.sub(r":\d+$", "", weight)
    if not layers:
        return f"{group}/{weight}"
    suffixed = re.fullmatch(r"(.+)_\d+", layers[0])
    if suffixed and group == _NESTED:
        layers[0] = suffixed[1]
    elif suffixed and suffixed[1] == group and len(inner[group]) == 1:
        layers[0] = group
    return "/".join([*layers, weight])


def _refuse_twins(names: list[str]) -> None:
    name, count = next(iter(Counter(names).most_common(1)), ("", 0))
    if count > 1:
        raise RefusedError(f"{count} of its arrays would be called {name}")


def _keras_3_names(items: dict[str, Any], paths: list[str]) -> dict[str, str]:
    """``backbone/layers/conv2d/vars/0`` → ``backbone/conv1/0``, by the names kept with ``vars``.

    Files of Keras versions that noted no names keep their paths, less ``vars``.
    """
    return {path: _keras_3_name(items, path) for path in paths}


def _keras_3_name(items: dict[str, Any], path: str) -> str:
    parts = path.split("/")
    parents = ["/".join([*parts[: end + 1], "vars"]) for end in range(len(parts) - 2)]
    names = [_text(items[parent], "name") for parent in parents if parent in items]
    if any(names):
        return "/".join([*filter(None, names), parts[-1]])
    return "/".join(part for part in parts if part != "vars")
