"""Weights of anybody into a model file of ours, and a model of ours into anybody's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kmaskrcnn.files import atomic
from kmaskrcnn.loading import load
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.weights import published_names, write_arrays

_DEFAULT_FORMATS = {".pkl": "detectron2", ".h5": "matterport", ".safetensors": "torchvision"}


def open_model(
    source: str, preset: str | None = None, class_names: Sequence[str] | None = None
) -> MaskRCNN:
    """A model of a file of ours, of published weights, or of a file of another project.

    Args:
        source: a ``.keras`` of ours, ``PRESET:WEIGHTS`` of published ones (``:coco`` may be left
            out), or a file of weights, which says nothing of its conventions: the preset does.
        preset: for a file of weights. class_names: see `MaskRCNN.from_preset`.

    Raises:
        ValueError: a file of weights without a preset; what `from_preset` and `load` raise.
    """
    name, _, wanted = source.partition(":")
    if published_names(name):
        return MaskRCNN.from_preset(name, class_names, weights=wanted or "coco")
    if preset is None:
        if not source.endswith(".keras"):
            raise ValueError(
                f"{source}: weights do not say which network they are of: give its preset, such as "
                "--preset detectron2/mask_rcnn_R_50_FPN (all of them: kmaskrcnn weights)"
            )
        return load(source)
    return MaskRCNN.from_preset(preset, class_names, weights=source)


def write_model(model: MaskRCNN, path: Path, framework: str | None = None) -> Path:
    """Writes a whole model (``.keras``), or its arrays under the names of a framework.

    Args:
        model: what to write.
        path: ``.keras``, ``.npz``, ``.safetensors``, ``.pkl`` (Detectron2), ``.h5`` (matterport).
        framework: whose names; None: those that the ending is for, of ``.npz`` ours.
    """
    if path.suffix != ".keras":
        framework = framework or _DEFAULT_FORMATS.get(path.suffix, "ours")
        return write_arrays(path, model.export_state(framework))
    with atomic(path) as unfinished:
        model.save(unfinished)
    return path
