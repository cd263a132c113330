"""Reads weights files as plain arrays by name. Nothing in a file is ever executed."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kmaskrcnn.weights.files.keras_files import read_h5, read_keras
from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.numpy_files import read_npz
from kmaskrcnn.weights.files.safetensors import read_safetensors
from kmaskrcnn.weights.files.torch_files import read_torch

Arrays = dict[str, np.ndarray]

_READERS: dict[str, Callable[[Path, Limits], Arrays]] = {
    ".npz": read_npz,
    ".keras": read_keras,
    ".h5": read_h5,
    ".pth": read_torch,
    ".pt": read_torch,
    ".bin": read_torch,
    ".pkl": read_torch,
    ".safetensors": read_safetensors,
}


def read_arrays(path: str | os.PathLike) -> Arrays:
    """The arrays of a weights file, by name.

    ===================  ==========================================================================
    file                 names
    ===================  ==========================================================================
    ``.npz``             as stored; ours are ``layer/weight`` (``conv1/kernel``)
    ``.weights.h5``,     of Keras 3: ``layer/0``, ``layer/1``, … in the order of ``layer.weights``,
    ``.keras``           behind the names of the models that the layer stands in
    ``.h5``              of Keras 1 and 2, weights or whole models: ``layer/weight``, without the
                         ``:0`` and the suffix that the weights of a process' second model have
    ``.pth``, ``.pt``,   of PyTorch, before and since 1.6: as in the state dict, which may be the
    ``.bin``             whole file, or its part ``model``, ``state_dict``, ``model_state_dict``,
                         ``model_state`` or ``weights``; without a ``module.`` before all names
    ``.pkl``             of Detectron2 (``model``) and Detectron (``blobs``): as stored; PyTorch's
                         files too, and other pickled dicts of NumPy arrays or tensors
    ``.safetensors``     as stored
    ===================  ==========================================================================

    Pickles are read without Python's unpickler, and PyTorch's files without PyTorch: a file that
    names anything but arrays and what they stand in is refused, whatever it is.

    Args:
        path: the file. Its ending says what it is.

    Returns:
        Arrays of any dtype and shape; bfloat16 comes as float32. They may be written to; those
        whose tensors shared their memory share it still.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the ending is unknown, or the file is broken or holds no arrays, or it asks for
            more than arrays: for a function, or for memory out of all proportion to its size.
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
        arrays = reader(path, Limits(path))
    except RefusedError as error:
        raise ValueError(f"{path} was not read: {error}") from None
    except Exception as error:  # NumPy, HDF5, zip and JSON raise many kinds on what is broken
        reason = str(error)[:300]
        raise ValueError(
            f"{path} is no whole {path.suffix} file ({reason}); it may be cut short: get it again"
        ) from error
    if not arrays:
        raise ValueError(f"{path} holds no arrays: expected the weights of a network")
    return arrays
