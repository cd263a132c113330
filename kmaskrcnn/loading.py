"""A model's file as a model again, in the precision that it was trained in or in another."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import keras

from kmaskrcnn.blank import blank
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.model_file import read_header


def load(path: str | Path, *, optimizer: bool = True, dtype: Any = None) -> MaskRCNN:
    """A model that `MaskRCNN.save` kept: config, class names, weights, optimizer.

    Args:
        optimizer: False leaves its state out, which only a training that goes on needs.
        dtype: another Keras dtype policy than the model was trained with: "mixed_bfloat16" predicts
            in 16 bits from the same weights of 32. The optimizer's state is left out then.

    Raises:
        ValueError: there is no such file, or it holds no `MaskRCNN`; names the file.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"{path}: there is no such file; expected what model.save('m.keras') wrote."
        )
    if dtype is not None:
        return _in_precision(Path(path), dtype)
    try:
        with blank():
            model = keras.saving.load_model(path, compile=optimizer)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a whole .keras file of kmaskrcnn: {error}") from error
    if not isinstance(model, MaskRCNN):
        raise ValueError(f"{path}: holds a {type(model).__name__}, expected a MaskRCNN.")
    return model


def _in_precision(path: Path, dtype: Any) -> MaskRCNN:
    """The network of a file under another policy, with the file's weights."""
    header = read_header(path)
    with blank():
        model = MaskRCNN(header.config, header.class_names, frozen=header.frozen, dtype=dtype)
    model.provenance = dict(header.provenance)
    model.load_weights(path)
    return model
