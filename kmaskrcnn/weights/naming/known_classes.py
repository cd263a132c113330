"""Which classes a new detector may keep of an old one's heads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig

Arrays = Mapping[str, np.ndarray]

_HEADS = r"(box_head(?:_\d)?/logits|box_head(?:_\d)?/deltas|mask_head/logits)/(?:kernel|bias)"
_KEYPOINTS = "keypoint_head/deconv/"


@dataclass(frozen=True)
class Transfer:
    """Arrays that fit the new classes, and which of them know something already.

    Attributes:
        arrays: by our names, with as many outputs as the new model has classes.
        kept: class names whose outputs come from the checkpoint.
        fresh: class names whose outputs are newly drawn.
        redrawn: names of arrays that were taken from the new model whole.
    """

    arrays: dict[str, np.ndarray]
    kept: tuple[str, ...]
    fresh: tuple[str, ...]
    redrawn: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The report in a line or three, for people."""
        lines = [f"classes kept from the checkpoint: {', '.join(self.kept) or 'none'}"]
        if self.fresh:
            lines.append(f"classes that start anew: {', '.join(self.fresh)}")
        if self.redrawn:
            lines.append(f"layers that start anew: {', '.join(self.redrawn)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text


def keep_known_classes(
    arrays: Arrays,
    source_classes: Sequence[str],
    class_names: Sequence[str],
    initial: Arrays,
    config: MaskRCNNConfig,
) -> Transfer:
    """The heads of a checkpoint, class by class, for a model of other classes.

    A class that the checkpoint knows by the same name keeps its logit, deltas and mask; the others
    get those of `initial`. The background stays, and so do heads that are agnostic of classes.
    Keypoints stay if there are as many.

    Args:
        arrays: the checkpoint's, by our names, in our layouts.
        source_classes: its classes, in its order.
        class_names: the new model's.
        initial: the new model's fresh arrays, by our names.
        config: of both.

    Raises:
        ValueError: an array has not as many outputs as its classes need.
    """
    source = {name: row for row, name in enumerate(source_classes)}
    rows = [source.get(name, -1) for name in class_names]
    found, redrawn = dict(arrays), []
    for name in set(arrays) & set(initial):
        if divided := _divided(name, config):
            old, new = arrays[name], initial[name]
            found[name] = _of_classes(name, old, new, rows, len(source_classes), *divided)
        elif name.startswith(_KEYPOINTS) and np.shape(arrays[name]) != np.shape(initial[name]):
            found[name] = np.asarray(initial[name])
            redrawn.append(name)
    kept = tuple(name for name in class_names if name in source)
    fresh = tuple(name for name in class_names if name not in source)
    return Transfer(found, kept, fresh, tuple(sorted(redrawn)))


def _divided(name: str, config: MaskRCNNConfig) -> tuple[int, int] | None:
    """How the outputs of an array divide: how often all classes come, and outputs of a class.

    None where they are of no class. A mask head of dense layers has all classes for each pixel.
    """
    match = re.fullmatch(_HEADS, name)
    if match is None:
        return None
    if match[1].endswith("/deltas"):
        return None if config.class_agnostic_boxes else (1, 4)
    if match[1].startswith("mask_head"):
        pixels = config.mask_size**2 if config.mask_head == "mlp" else 1
        return None if config.class_agnostic_masks else (pixels, 1)
    return 1, 1


def _of_classes(
    name: str,
    known: np.ndarray,
    fresh: np.ndarray,
    rows: Sequence[int],
    count: int,
    times: int,
    width: int,
) -> np.ndarray:
    """Each class' outputs from `known` by its row, or its own of `fresh` where the row is −1.

    What stands behind the classes, the background, is `known`'s. Where the inputs differ nothing
    can be kept: `known` comes back as it is.
    """
    known, fresh = np.asarray(known), np.asarray(fresh)
    if known.shape[:-1] != fresh.shape[:-1]:
        return known  # of another architecture, which the loading says
    behind = known.shape[-1] // times - count * width
    if behind not in (0, width) or fresh.shape[-1] != times * (len(rows) * width + behind):
        raise ValueError(
            f"{name} has shape {known.shape} for {count} classes and {fresh.shape} for "
            f"{len(rows)}: expected {times * width} outputs for each class on both sides, and as "
            "many for the background, or none"
        )
    old = known.reshape(*known.shape[:-1], times, -1, width)
    new = fresh.reshape(*fresh.shape[:-1], times, -1, width).copy()
    places = [place for place, row in enumerate(rows) if row >= 0]
    new[..., places, :] = old[..., [rows[place] for place in places], :]
    new[..., len(rows) :, :] = old[..., count:, :]
    return new.reshape(fresh.shape)
