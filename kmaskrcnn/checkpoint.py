"""Files and arrays that a new model may start from: whose they are, and what they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from kmaskrcnn import classes, presets, weights
from kmaskrcnn.blank import blank
from kmaskrcnn.config import MaskRCNNConfig

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
        config: of the model, where the file says it.
    """

    source: str
    arrays: Arrays
    framework: str
    class_names: tuple[str, ...] = ()
    is_detector: bool = False
    config: MaskRCNNConfig | None = None


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
        own = own_model(Path(given))
        if own is not None:
            return own
    if not Path(given).is_file():
        raise FileNotFoundError(_no_such(preset, given))
    return _checkpoint(str(given), weights.read_arrays(given), preset)


def _no_such(preset: str, given: str | Path) -> str:
    own = weights.published_names(preset) or ("imagenet",)
    return (
        f"weights={str(given)!r}: there is no such file, and no weights of this name for {preset}: "
        f"expected {', '.join(own)}, a file, or arrays by name."
    )


def own_model(path: Path) -> Checkpoint | None:
    """A detector that `MaskRCNN.save` wrote; None for another model's file."""
    try:
        with blank():
            model = keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError):
        return None
    if not hasattr(model, "parameters"):
        return None
    arrays = {name: value.numpy() for name, value in model.parameters.items()}
    return Checkpoint(str(path), arrays, "ours", model.class_names, True, model.config)


def _checkpoint(source: str, arrays: Arrays, preset: str) -> Checkpoint | None:
    if weights.is_keras_file(arrays):
        arrays = weights.from_keras_file(arrays)
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
