"""Which weights a new model starts from: a backbone's, or a whole detector's of anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kmaskrcnn import classes, presets, weights

Arrays = Mapping[str, np.ndarray]
_GIVEN = "the given arrays"


@dataclass(frozen=True)
class Checkpoint:
    """The arrays of a detector, or of a backbone alone, in the names of whoever made them.

    Attributes:
        source: what messages call it.
        arrays: by their names.
        class_names: what it was trained to find; () where that is not known, or a backbone.
        is_detector: whether it holds heads.
        framework: whose names these are.
    """

    source: str
    arrays: Arrays
    framework: str
    class_names: tuple[str, ...] = ()
    is_detector: bool = False


def open_checkpoint(preset: str, given: str | Path | Arrays | None) -> Checkpoint | None:
    """What `weights=` of `from_preset` means.

    Args:
        preset: the name, for published weights.
        given: arrays by name, a file, a model file of ours, or the name of published weights.

    Returns:
        None for None, and for what a backbone loads as it is built: "imagenet" where the preset is
        one of ours, and files in the names of a Keras network.

    Raises:
        ValueError, FileNotFoundError: nothing of that kind, or a broken file; names it.
    """
    if given is None or (given == "imagenet" and "/" not in preset):
        return None
    if isinstance(given, Mapping):
        return _checkpoint(_GIVEN, given, preset)
    if isinstance(given, str) and given in weights.published_names(preset):
        found = weights.published(preset, given)
        return _checkpoint(found.url, weights.read_arrays(weights.fetch(found)), preset)
    if Path(given).suffix == ".keras" and Path(given).is_file():
        own = _own_model(Path(given))
        if own is not None:
            return own
    return _checkpoint(str(given), weights.read_arrays(given), preset)


def _own_model(path: Path) -> Checkpoint | None:
    """A detector that `MaskRCNN.save` wrote; None for another model's file."""
    try:
        model = keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError):
        return None
    if not hasattr(model, "parameters"):
        return None
    arrays = {name: value.numpy() for name, value in model.parameters.items()}
    return Checkpoint(str(path), arrays, "ours", model.class_names, is_detector=True)


def _checkpoint(source: str, arrays: Arrays, preset: str) -> Checkpoint | None:
    try:
        framework = weights.framework_of(arrays)
    except ValueError:
        if source == _GIVEN:
            raise
        return None
    if not weights.has_heads(arrays):
        return Checkpoint(source, arrays, framework)
    count = weights.count_classes(arrays)
    published = presets.published_classes(preset)
    names = published if len(published) == count else classes.by_count(count)
    return Checkpoint(source, arrays, framework, names, is_detector=True)


def fitting_classes(
    preset: str, class_names: Sequence[str] | None, checkpoint: Checkpoint | None
) -> Sequence[str]:
    """The classes of a new model: the user's, the checkpoint's, or those published.

    Raises:
        ValueError: none of them is known.
    """
    if class_names is not None:
        return class_names
    if checkpoint is not None and checkpoint.class_names:
        return checkpoint.class_names
    if presets.published_classes(preset):
        return presets.published_classes(preset)
    raise ValueError(f"{preset!r} comes without classes: give class_names=['cat', 'dog'].")


def load_into(network, checkpoint: Checkpoint, *, strict: bool = True) -> weights.Report:
    """Gives a network the arrays of a checkpoint.

    Args:
        network: with `parameters`, `class_names` and `config`.
        checkpoint: of a detector, or of a backbone.
        strict: whether every array of a detector must find its place, and every place its array.

    Raises:
        ValueError: what is missing, left over, or of another shape.
    """
    parameters = network.parameters
    shapes = {name: tuple(variable.shape) for name, variable in parameters.items()}
    if not checkpoint.is_detector:
        found = weights.backbone_to_ours(checkpoint.arrays, shapes, network.config)
        _refuse_deeper(checkpoint.source, found.unused, network.config.backbone)
        parameters = {k: v for k, v in parameters.items() if k.startswith(("backbone/", "res5/"))}
        return weights.assign_named(parameters, found.arrays, checkpoint.source, found.unused)
    found = weights.to_ours(checkpoint.arrays, shapes, network.config)
    arrays, note = _of_these_classes(network, found.arrays, checkpoint.class_names)
    return weights.assign_named(
        parameters, arrays, checkpoint.source, found.unused, note, allow_unused=not strict
    )


def _refuse_deeper(source: str, unused: Sequence[str], backbone: str) -> None:
    """A classifier's head may be left over, blocks of the body may not: it is another ResNet's."""
    blocks = [name for name in unused if re.search(r"(layer|res)\d", name)]
    if blocks:
        raise ValueError(
            f"{source} is deeper than {backbone}: it also has {', '.join(blocks[:3])}, …. Give its "
            "own backbone=, such as 'resnet101'."
        )


def _of_these_classes(network, arrays, known: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The arrays for the network's classes, and what became of each class, in words.

    Weights say how many classes they know, not which: where their number is the network's and they
    are none of the published ones, they are taken to be the network's own.
    """
    unnamed = len(known) == len(network.class_names) and known[0] == "class 0"
    if unnamed or tuple(known) == network.class_names:
        return arrays, ""
    fresh = {name: value.numpy() for name, value in network.parameters.items()}
    moved = weights.keep_known_classes(arrays, known, network.class_names, fresh, network.config)
    return moved.arrays, moved.text
