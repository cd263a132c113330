"""Our own networks in the files that Keras' ``save_weights`` writes: its paths as our names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

_PART = re.compile(r"backbone|fpn|res5|rpn_head|(?:box|mask|keypoint)_head(?:_\d+)?")
_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_OTHERS = ("kernel", "bias")
_OF_MANY_KINDS = ("backbone", "res5")  # whose layers may be any of Keras'


def is_keras_file(names: Iterable[str]) -> bool:
    """Whether these are the names in a file that ``save_weights`` of one of our models wrote."""
    return any(name.startswith("box_branch/") for name in names)


def from_keras_file(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``box_branch/box_head/dense1.block/dense1/0`` → ``box_head/dense1/kernel``.

    Keras numbers the arrays of a layer in the order in which the layer makes them. What they are in
    the backbone only its layers know: `resolved` names those.

    Args:
        arrays: as `read_arrays` gives them.

    Returns:
        The arrays of the network, without the sampling's random numbers.
    """
    named = {_our_name(name): array for name, array in arrays.items()}
    return {name: array for name, array in named.items() if name is not None}


def resolved(arrays: Mapping[str, np.ndarray], names: Iterable[str]) -> dict[str, np.ndarray]:
    """``backbone/stem.conv/0`` → ``backbone/stem.conv/kernel``.

    Args:
        arrays: by our names, some by the place in their layer.
        names: of our network, those of a layer in the layer's order.
    """
    places: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name in names:
        layer = name.rpartition("/")[0]
        places[f"{layer}/{counts.setdefault(layer, 0)}"] = name
        counts[layer] += 1
    return {places.get(name, name): array for name, array in arrays.items()}


def _our_name(path: str) -> str | None:
    parts = path.split("/")
    part = next((part for part in parts if _PART.fullmatch(part)), None)
    if part is None or not parts[-1].isdecimal():
        return None
    layer, at = parts[-2], int(parts[-1])
    words = _NORM if "norm" in layer else _OTHERS
    known = part not in _OF_MANY_KINDS and at < len(words)
    return f"{part}/{layer}/{words[at] if known else at}"
