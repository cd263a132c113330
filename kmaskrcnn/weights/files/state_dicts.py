"""Which part of what a file holds is the weights, and by which names."""

from typing import Any

import numpy as np

from kmaskrcnn.weights.files.limits import Limits, RefusedError
from kmaskrcnn.weights.files.pickled_arrays import NumpyArray, Packed

# Where checkpoints keep their weights, beside optimizer and epoch: "blobs" is Detectron's.
_PARTS = ("model", "state_dict", "model_state_dict", "model_state", "weights", "blobs")
_DEEPEST = 4  # parts within parts
_WRAPPER = "module."  # of torch.nn.DataParallel
_MOMENTUM = "_momentum"  # of Detectron's arrays, beside the array itself


def arrays_of(content: Any, limits: Limits) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint.

    The weights are the content itself, or its part under ``model``, ``state_dict``,
    ``model_state_dict``, ``model_state``, ``weights`` or ``blobs``, or, where it has none of these,
    the only part with arrays in it. What is no array there is left out, and so is Detectron's
    momentum. Where all names begin with ``module.``, they lose it.

    Args:
        content: what was unpickled.
        limits: what the file may use.

    Returns:
        The arrays by name; none where there are none.

    Raises:
        RefusedError: several parts hold arrays, or a name is no string.
    """
    part = _weights(content)
    for name in part:
        if not isinstance(name, str):
            raise RefusedError(f"one of its arrays is called {name!r:.40}, which is no string")
    packed = {name: value for name, value in part.items() if not _is_momentum(name, part)}
    arrays = {name: value.array(limits, name[:80]) for name, value in packed.items()}
    return _unwrapped({name: array for name, array in arrays.items() if array is not None})


def _weights(content: Any, depth: int = 0) -> dict[Any, Packed]:
    if not isinstance(content, dict) or depth == _DEEPEST:
        return {}
    for name in _PARTS:
        if found := _weights(content.get(name), depth + 1):
            return found
    if found := _direct(content):
        return found
    parts = {name: found for name, part in content.items() if (found := _direct(part))}
    if len(parts) > 1:
        found_in = ", ".join(f"{name!r:.40}" for name in list(parts)[:8])
        raise RefusedError(
            f"it has arrays in {found_in}: expected one such part, or one of {', '.join(_PARTS)}"
        )
    return next(iter(parts.values()), {})


def _direct(part: Any) -> dict[Any, Packed]:
    """The arrays that a dict holds itself."""
    if not isinstance(part, dict):
        return {}
    return {name: value for name, value in part.items() if isinstance(value, Packed)}


def _is_momentum(name: str, part: dict[Any, Packed]) -> bool:
    of = name.removesuffix(_MOMENTUM)
    return of != name and of in part and isinstance(part[name], NumpyArray)


def _unwrapped(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not all(name.startswith(_WRAPPER) for name in arrays):
        return arrays
    return {name.removeprefix(_WRAPPER): array for name, array in arrays.items()}
