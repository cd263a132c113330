"""Mask R-CNN for TensorFlow 2 and Keras 3.

    import kmaskrcnn

    model = kmaskrcnn.MaskRCNN.from_preset("mobilenet_1.0_fpn", class_names=["deer", "otter"])
    model.fit(kmaskrcnn.data.load("photos/train"), kmaskrcnn.data.load("photos/val"), epochs=12)
    model.predict("photo.jpg")[0].draw()

Names are imported on first use, so that `import kmaskrcnn` and the command line's help are quick.
The import says, from metadata alone, when what is installed does not fit; the first use refuses.
"""

from __future__ import annotations

import importlib
from typing import Any

from kmaskrcnn import installation
from kmaskrcnn._version import __version__ as __version__

_HOMES = {
    "Augmentation": "kmaskrcnn.augmentation",
    "DataError": "kmaskrcnn.data",
    "Detections": "kmaskrcnn.structures",
    "MaskRCNN": "kmaskrcnn.model",
    "MaskRCNNConfig": "kmaskrcnn.config",
    "NonFiniteLossError": "kmaskrcnn.training",
    "OutOfMemoryError": "kmaskrcnn.memory",
    "TrainingProgress": "kmaskrcnn.training_progress",
    "ValidationPictures": "kmaskrcnn.training",
    "find_learning_rate": "kmaskrcnn.rate_finder",
    "load": "kmaskrcnn.loading",
    "preset_names": "kmaskrcnn.presets",
}
_MODULES = ("data", "evaluation", "layers", "ops", "report")

__all__ = [*_HOMES, *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(_module(_HOMES[name]), name)
    if name in _MODULES:
        return _module(f"kmaskrcnn.{name}")
    raise AttributeError(f"module 'kmaskrcnn' has no attribute {name!r}")


def _module(name: str) -> Any:
    installation.check()
    with installation.explained():
        return importlib.import_module(name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


installation.tell()
