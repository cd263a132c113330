"""Where a model comes from: what made it, from which weights, trained on what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from kmaskrcnn._version import __version__

Provenance = dict[str, Any]  # JSON-able; kept in the model's file


def versions() -> dict[str, str]:
    """Of us, TensorFlow and Keras, as they run now."""
    return {"kmaskrcnn": __version__, "tensorflow": tf.__version__, "keras": keras.__version__}


def of_preset(preset: str, weights: Any, source: str | None) -> Provenance:
    """Of a new model.

    Args:
        preset: its name.
        weights: what the user gave. source: the file or address that it stands for, if any.
    """
    given = source or ("arrays" if isinstance(weights, Mapping) else weights)
    return {**versions(), "preset": preset, "weights": None if given is None else str(given)}
