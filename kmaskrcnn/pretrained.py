"""Which weights a new model starts from: a backbone's, or a whole detector's of anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn import presets, weights
from kmaskrcnn.backbones import imagenet_settings, preprocessing, usable_taps
from kmaskrcnn.checkpoint import Arrays, Checkpoint, open_checkpoint, own_model
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.data.dataset import class_table

__all__ = ["check_fits", "fitting_classes", "fitting_fields", "load_into", "open_checkpoint"]
# The settings that change which arrays a network has, and their shapes.
_ARCHITECTURE = frozenset(
    "backbone norm conv_bias backbone_taps pyramid fpn_channels fpn_norm anchor_sizes aspect_ratios"
    " rpn_channels rpn_num_convs rpn_softmax head_norm dense_norm box_pool_size box_head_num_convs"
    " box_head_conv_channels box_head_num_dense box_head_channels class_agnostic_boxes cascade_ious"
    " with_masks mask_head mask_size mask_head_channels mask_head_num_convs class_agnostic_masks"
    " keypoint_names keypoint_head_channels keypoint_head_num_convs".split()
)


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


def gives_all(
    checkpoint: Checkpoint | None, class_names: Sequence[str], leave_out: Sequence[str]
) -> bool:
    """Whether a new model of these classes gets every array from the checkpoint, or an error."""
    if checkpoint is None or not checkpoint.is_detector or leave_out:
        return False
    return _same_classes(checkpoint.class_names, class_names)


def fitting_fields(config: MaskRCNNConfig, weights: Any, other_backbone: bool) -> dict[str, Any]:
    """The fields that follow from the backbone and its weights, where the user gave none."""
    if weights == "imagenet":
        return imagenet_settings(config.backbone)
    fields: dict[str, Any] = {}
    if other_backbone:
        fields["pixel_mean"], fields["pixel_std"] = preprocessing(config.backbone)
    if weights is not None:
        fields["backbone_taps"] = tuple(usable_taps(config.backbone, weights).items())
    return fields


def load_into(
    network, checkpoint: Checkpoint, *, leave_out: Sequence[str] = (), strict: bool = True
) -> weights.Report:
    """Gives a network the arrays of a checkpoint.

    Args:
        network: with `parameters`, `class_names` and `config`.
        checkpoint: of a detector, or of a backbone.
        leave_out: parts, such as "rpn_head", or arrays, that stay as the network drew them.
        strict: whether every array of a detector must find its place, and every place its array.

    Raises:
        ValueError: what is missing, left over, or of another shape; nothing is loaded then.
    """
    leave_out = (leave_out,) if isinstance(leave_out, str) else leave_out
    everything = network.parameters
    shapes = {name: tuple(variable.shape) for name, variable in everything.items()}
    given = weights.resolved(checkpoint.arrays, shapes)
    note = _left_out(leave_out, {*everything, *given})
    parameters = {k: v for k, v in everything.items() if not _under(k, leave_out)}
    if not checkpoint.is_detector:
        found = weights.backbone_to_ours(given, shapes, network.config)
        _refuse_deeper(checkpoint.source, found.unused, network.config.backbone)
        parameters = {k: v for k, v in parameters.items() if k.startswith(("backbone/", "res5/"))}
    else:
        found = weights.to_ours(given, shapes, network.config)
    arrays, classes = _of_these_classes(network, found.arrays, checkpoint)
    arrays = {name: array for name, array in arrays.items() if not _under(name, leave_out)}
    unused = [name for name in found.unused if not _under(name, leave_out)]
    allow_unused = not (strict and checkpoint.is_detector)
    try:
        return weights.assign_named(
            parameters,
            arrays,
            checkpoint.source,
            unused,
            "\n".join(filter(None, [classes, note])),
            allow_unused=allow_unused,
        )
    except ValueError as error:
        misfits = _misfitting_parts(parameters, arrays, unused)
        raise ValueError(f"{error}{_advice(network, checkpoint, misfits)}") from None


def check_fits(network, path: str | Path) -> None:
    """Whether a file that Keras' `load_weights` is to read is of this network and these classes.

    Raises:
        ValueError: it is not; says what fits and what does not, and how the classes differ.
    """
    path = Path(path)
    found = own_model(path) if path.suffix == ".keras" else None
    if found is None:
        arrays = weights.read_arrays(path)
        if not weights.is_keras_file(arrays):
            raise ValueError(f"{path}: not the weights of a MaskRCNN; from_preset reads others'.")
        found = Checkpoint(str(path), weights.from_keras_file(arrays), "ours")
    if found.class_names and tuple(found.class_names) != network.class_names:
        raise ValueError(
            f"{path} knows other classes than this network, or in another order.\n"
            f"{class_table(network.class_names, found.class_names)}\n"
            "from_preset(…, class_names=…, weights=…) keeps those of the same name."
        )
    variables = network.parameters
    arrays = weights.resolved(found.arrays, variables)
    unused = [name for name in arrays if name not in variables]
    wrong = weights.problems(variables, {n: n for n in variables if n in arrays}, arrays, unused)
    if wrong:
        lines = "\n  ".join([f"{path} cannot be loaded into this network.", *wrong])
        raise ValueError(f"{lines}{_advice(network, found)}")


def _under(name: str, parts: Sequence[str]) -> bool:
    """Whether an array, by our name or another project's, belongs to one of the parts."""
    return any(f"{name}/".startswith(f"{part}/") or f".{part}." in name for part in parts)


def _left_out(parts: Sequence[str], names: Iterable[str]) -> str:
    """What the report says of the parts that were not to be loaded.

    Raises:
        ValueError: neither the network nor the weights have such a part.
    """
    names = list(names)
    for part in parts:
        if not any(_under(name, [part]) for name in names):
            known = dict.fromkeys(name.partition("/")[0] for name in names if "/" in name)
            raise ValueError(
                f"leave_out={part!r}: there is no such part; there are {', '.join(sorted(known))}."
            )
    return f"left out as asked, starting anew: {', '.join(parts)}" if parts else ""


def _misfitting_parts(parameters, arrays: Arrays, unused: Sequence[str]) -> list[str]:
    """Those that are not whole, or not of the network; none where hardly anything fits."""
    fit = {k for k, v in parameters.items() if k in arrays and np.shape(arrays[k]) == v.shape}
    wrong = [name for name in (*parameters, *unused) if name not in fit]
    parts = list(dict.fromkeys(name.partition("/")[0] for name in wrong if "/" in name))
    return [] if "backbone" in parts else parts


def _advice(network, checkpoint: Checkpoint, parts: Sequence[str] = ()) -> str:
    """How the settings of a model file differ, as far as it says so, and what to do."""
    lines = []
    if checkpoint.config is not None:
        theirs, ours = checkpoint.config.to_dict(), network.config.to_dict()
        different = [k for k in ours if theirs.get(k) != ours[k] and k in _ARCHITECTURE]
        lines += [f"{name}: {theirs.get(name)} there, {ours[name]} here" for name in different]
    lines.append("Take the preset, settings and classes that the weights were made with.")
    if parts:
        lines.append(f"Or let parts start anew: from_preset(…, leave_out={list(parts)}).")
    return "\n  " + "\n  ".join(lines)


def _refuse_deeper(source: str, unused: Sequence[str], backbone: str) -> None:
    """A classifier's head may be left over, blocks of the body may not: it is another ResNet's."""
    blocks = [name for name in unused if re.search(r"(layer|res)\d", name)]
    if blocks:
        raise ValueError(
            f"{source} is deeper than {backbone}: it also has {', '.join(blocks[:3])}, …. Give its "
            "own backbone=, such as 'resnet101'."
        )


def _of_these_classes(network, arrays, checkpoint: Checkpoint) -> tuple[dict[str, Any], str]:
    """The arrays for the network's classes, and what became of each class, in words."""
    known = checkpoint.class_names
    if not checkpoint.is_detector or _same_classes(known, network.class_names):
        return arrays, ""
    fresh = {name: value.numpy() for name, value in network.parameters.items()}
    moved = weights.keep_known_classes(arrays, known, network.class_names, fresh, network.config)
    return moved.arrays, moved.text


def _same_classes(known: Sequence[str], class_names: Sequence[str]) -> bool:
    """Whether weights know exactly these classes.

    They say how many they know, not which: where their number is the network's and they are none of
    the published ones, they are taken to be the network's own.
    """
    same_number = len(known) == len(class_names)
    return tuple(known) == tuple(class_names) or (same_number and known[0] == "class 0")
