"""Writes arrays by name into files that others read: the counterpart of `read_arrays`."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np

from kmaskrcnn.files import atomic

Arrays = Mapping[str, np.ndarray]


def write_arrays(path: str | os.PathLike, arrays: Arrays) -> Path:
    """Writes float32 arrays into a file whose ending says what it is.

    ================  =============================================================================
    file              who reads it
    ================  =============================================================================
    ``.npz``          NumPy, we
    ``.safetensors``  PyTorch's world: ``safetensors.torch.load_file``
    ``.pkl``          Detectron2: ``DetectionCheckpointer(model).load``
    ``.h5``           matterport: ``model.load_weights(path, by_name=True)``
    ================  =============================================================================

    A file that stands is replaced only by a whole one.

    Args:
        path: its folder is made.
        arrays: by the names of whoever reads them.

    Raises:
        ValueError: another ending.
        OSError: a disk that is full, and the like; see `files.atomic`.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise ValueError(f"{path}: expected one of the endings {', '.join(_WRITERS)}")
    with atomic(path) as unfinished:
        _WRITERS[path.suffix](unfinished, arrays)
    return path


def _write_npz(path: Path, arrays: Arrays) -> None:
    """What `numpy.savez` writes; older NumPys take its ``allow_pickle`` for one more array."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def _write_safetensors(path: Path, arrays: Arrays) -> None:
    """The length of a header, the header in JSON padded to eight bytes, the arrays one by one."""
    header, position = {}, 0
    for name, array in arrays.items():
        span = [position, position + array.size * 4]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": span}
        position = span[1]
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, "<f4").tobytes())


def _write_pickle(path: Path, arrays: Arrays) -> None:
    """As Detectron2's model zoo has them: names are exact, nothing is to be guessed."""
    content = {"model": dict(arrays), "__author__": "kmaskrcnn", "matching_heuristics": False}
    path.write_bytes(pickle.dumps(content, protocol=4))


def _write_h5(path: Path, arrays: Arrays) -> None:
    """As Keras 2's ``save_weights``: a group a layer, whose attribute lists its arrays."""
    layers: dict[str, list[str]] = {}
    for name in arrays:
        layers.setdefault(name.partition("/")[0], []).append(name)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.5"
        for layer, names in layers.items():
            group = file.create_group(layer)
            inner = [name.partition("/")[2] if name.count("/") > 1 else name for name in names]
            group.attrs["weight_names"] = [name.encode() for name in inner]
            for name, full in zip(inner, names, strict=True):
                group[name] = arrays[full]


_WRITERS: dict[str, Callable[[Path, Arrays], None]] = {
    ".npz": _write_npz,
    ".safetensors": _write_safetensors,
    ".pkl": _write_pickle,
    ".h5": _write_h5,
}
