"""Assigns arrays to the variables of a network by name and shape, and says what came of it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np

from kmaskrcnn.weights.files.checkpoints import read_arrays
from kmaskrcnn.weights.misfits import listed, problems

_OLDER_NAMES = {"depthwise_kernel": "kernel"}  # of Keras 2 -> of Keras 3


@dataclass(frozen=True)
class Report:
    """What came of loading weights.

    Attributes:
        source: where the arrays came from.
        loaded: names of the variables that got an array.
        unused: names of the arrays that no variable wanted (a classifier's top, as a rule).
        missing: names of the variables that got none.
        num_values: how many numbers were loaded.
        note: what else there is to say, such as which classes were kept.
    """

    source: str
    loaded: tuple[str, ...]
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    num_values: int
    note: str = ""

    @property
    def text(self) -> str:
        """The report in a line or three, for people."""
        lines = [f"{self.source}: {len(self.loaded)} arrays, {self.num_values:,} values loaded"]
        if self.unused:
            lines.append(f"  not used: {listed(self.unused)}")
        if self.missing:
            lines.append(f"  not in the file, left as they were: {listed(self.missing)}")
        lines += [f"  {line}" for line in self.note.splitlines()]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text


def load(
    target: keras.Model | Sequence[keras.layers.Layer],
    path: str | os.PathLike,
    *,
    allow_missing: bool = False,
    allow_unused: bool = True,
) -> Report:
    """Loads a weights file into a network: :func:`read_arrays`, then :func:`assign`."""
    arrays = read_arrays(path)
    return assign(
        target,
        arrays,
        allow_missing=allow_missing,
        allow_unused=allow_unused,
        source=os.fspath(path),
    )


def assign(
    target: keras.Model | Sequence[keras.layers.Layer],
    arrays: Mapping[str, np.ndarray],
    *,
    allow_missing: bool = False,
    allow_unused: bool = True,
    source: str = "the arrays",
) -> Report:
    """Gives each variable the array of its name, all of them or, on an error, none.

    Args:
        target: a built model, or layers of one.
        arrays: by ``layer/weight`` (``conv1/kernel``) or ``layer/position`` (``conv1/0``).
        allow_missing: whether variables may stay as they are for want of an array.
        allow_unused: whether arrays may be left over.
        source: what messages call the arrays.

    Returns:
        What was loaded, left over and missing.

    Raises:
        ValueError: a shape differs, a value is not finite, nothing fits, or what is not allowed is
            missing or left over. The message names arrays and shapes.
    """
    variables = named_variables(target)
    matches = _match(target, variables, arrays)
    used = set(matches.values())
    unused = tuple(name for name in arrays if name not in used)
    return _assign(variables, matches, arrays, unused, source, allow_missing, allow_unused)


def assign_named(
    variables: Mapping[str, keras.Variable],
    arrays: Mapping[str, np.ndarray],
    source: str = "the arrays",
    unused: Sequence[str] = (),
    note: str = "",
    *,
    allow_missing: bool = False,
    allow_unused: bool = True,
) -> Report:
    """Gives each variable the array of the very same name, all of them or, on an error, none.

    Args:
        variables, arrays: by name. source: what messages call the arrays.
        unused: names that were left over already when the arrays were brought into these names.
        note: what else the report is to say. The rest and the errors: see :func:`assign`.
    """
    matches = {name: name for name in variables if name in arrays}
    unused = (*unused, *(name for name in arrays if name not in variables))
    report = _assign(variables, matches, arrays, unused, source, allow_missing, allow_unused)
    return replace(report, note=note)


def _assign(variables, matches, arrays, unused, source, allow_missing, allow_unused) -> Report:
    missing = tuple(name for name in variables if name not in matches)
    wrong = problems(variables, matches, arrays, unused, allow_missing, allow_unused)
    if wrong:
        raise ValueError("\n  ".join([f"{source} cannot be loaded into this network.", *wrong]))
    for name, key in matches.items():
        variables[name].assign(arrays[key])
    num_values = sum(int(np.size(arrays[key])) for key in matches.values())
    return Report(source, tuple(matches), unused, missing, num_values)


def named_variables(target: keras.Model | Sequence[keras.layers.Layer]) -> dict:
    """The variables of a network by ``layer/weight``, in the network's order.

    Raises:
        ValueError: two variables have one name.
    """
    named: dict = {}
    for layer in _leaves(target):
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            if name in named:
                raise ValueError(f"two variables are called {name}: layers need names of their own")
            named[name] = variable
    return named


def missing_names(
    target: keras.Model | Sequence[keras.layers.Layer], arrays: Mapping[str, np.ndarray]
) -> list[str]:
    """The names of the variables for which there is no array."""
    variables = named_variables(target)
    matches = _match(target, variables, arrays)
    return [name for name in variables if name not in matches]


def _leaves(target) -> list[keras.layers.Layer]:
    """The layers of a model or a sequence, those of nested models and blocks instead of them."""
    found = []
    for layer in _layers_of(target):
        found += _leaves(layer) if _layers_of(layer) else [layer]
    return found


def _layers_of(target) -> list[keras.layers.Layer]:
    if isinstance(target, keras.Model):
        return target.layers
    if isinstance(target, keras.layers.Layer):
        return list(target._flatten_layers(include_self=False, recursive=False))
    return list(target)


def _match(target, variables: Mapping, arrays: Mapping) -> dict[str, str]:
    """The array of each variable that has one: ``{variable name: array name}``."""
    positions = {
        f"{layer.name}/{variable.name}": f"{layer.name}/{position}"
        for layer in _leaves(target)
        for position, variable in enumerate(layer.weights)
    }
    keys = {_modern(key): key for key in arrays}
    return {
        name: keys[alias]
        for name in variables
        for alias in [next((a for a in (_modern(name), positions[name]) if a in keys), None)]
        if alias is not None
    }


def _modern(name: str) -> str:
    layer, _, weight = name.rpartition("/")
    return f"{layer}/{_OLDER_NAMES.get(weight, weight)}"
