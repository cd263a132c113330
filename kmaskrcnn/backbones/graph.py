"""Reads a functional Keras model as a graph: where to tap it, and which stage a layer belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras

from kmaskrcnn.backbones.base import STRIDES


@dataclass(frozen=True)
class Node:
    """One layer or operation of the model.

    Attributes:
        name: its name.
        inputs: names of the nodes it reads.
        stride: input side / output side; None where the output is no feature map or not square.
        channels: F of its feature map; 0 where the stride is None.
        is_cut: every path from the images to the output runs through it.
    """

    name: str
    inputs: tuple[str, ...]
    stride: float | None
    channels: int
    is_cut: bool


def trace(model: keras.Model) -> list[Node]:
    """The nodes of a functional model with a fixed square input, inputs before their readers.

    A node is a cut when, once it has been computed, nothing computed earlier is needed any more: no
    skip connection passes it by, so that its output holds all that the network knows there.
    """
    operations = model.operations
    makers = {id(tensor): op.name for op in operations for tensor in _tensors(op.output)}
    reads = {op.name: _reads(op, makers) for op in operations}
    last_reader = {name: reader for reader, names in reads.items() for name in names}
    waiting: set[str] = set()
    nodes = []
    for op in operations:
        waiting = {name for name in waiting if last_reader[name] != op.name}
        is_cut = not waiting
        if op.name in last_reader:
            waiting.add(op.name)
        stride, channels = _scale(op, model.input.shape[1])
        nodes.append(Node(op.name, reads[op.name], stride, channels, is_cut))
    return nodes


def _tensors(nested) -> list:
    return keras.tree.flatten(nested)


def _reads(op, makers: Mapping[int, str]) -> tuple[str, ...]:
    if isinstance(op, keras.layers.InputLayer):
        return ()
    return tuple(makers[id(t)] for t in _tensors(op.input) if id(t) in makers)


def _scale(op, side: int) -> tuple[float | None, int]:
    tensors = _tensors(op.output)
    shape = tensors[0].shape if len(tensors) == 1 else ()
    if len(shape) != 4 or not shape[1] or shape[1] != shape[2]:
        return None, 0
    return side / shape[1], shape[3]


def find_taps(nodes: Sequence[Node], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """The last layer at each of strides 4, 8, 16, 32 past which no connection skips.

    Where there is none, the last of the widest.

    Args:
        nodes: of :func:`trace`.
        overrides: ``{"C5": layer name, …}``: taps chosen by hand.

    Returns:
        ``{"C2": layer name, "C3": …, "C4": …, "C5": …}``.

    Raises:
        ValueError: a stride is never reached exactly, or an override names no layer of its stride.
    """
    overrides = dict(overrides or {})
    unknown = sorted(set(overrides) - set(STRIDES))
    if unknown:
        raise ValueError(f"taps are {', '.join(STRIDES)}: there is no {', '.join(unknown)}")
    return {
        level: _checked(nodes, level, overrides[level])
        if level in overrides
        else _last(nodes, level)
        for level in STRIDES
    }


def _last(nodes: Sequence[Node], level: str) -> str:
    found = [n for n in nodes if n.stride == STRIDES[level]]
    if not found:
        strides = sorted({n.stride for n in nodes if n.stride and n.stride == int(n.stride)})
        raise ValueError(
            f"no layer has stride {STRIDES[level]} ({level}); the strides met exactly are "
            f"{', '.join(f'{s:g}' for s in strides)}. A pyramid needs 4, 8, 16 and 32: take another "
            "backbone (those with unpadded convolutions, such as Inception, do not have them)"
        )
    cuts = [n for n in found if n.is_cut]
    if cuts:
        return cuts[-1].name
    widest = max(n.channels for n in found)  # cells that read the last two (NASNet) leave no cut
    return [n for n in found if n.channels == widest][-1].name


def _checked(nodes: Sequence[Node], level: str, name: str) -> str:
    by_name = {n.name: n for n in nodes}
    if name not in by_name:
        raise ValueError(f"the tap {level} is to be {name!r}, but the backbone has no such layer")
    if by_name[name].stride != STRIDES[level]:
        raise ValueError(
            f"the tap {level} is to be {name!r}: its stride is {by_name[name].stride}, expected "
            f"{STRIDES[level]}"
        )
    return name


def assign_stages(nodes: Sequence[Node], taps: Mapping[str, str]) -> dict[str, str]:
    """The stage of every node: the first tap that needs it, or ``"stem"`` below stride 4.

    Nodes that no tap needs are left out.
    """
    reads = {n.name: n.inputs for n in nodes}
    strides = {n.name: n.stride for n in nodes}
    stages: dict[str, str] = {}
    for level, tap in taps.items():
        todo = [tap]
        while todo:
            name = todo.pop()
            if name not in stages:
                stages[name] = level
                todo.extend(reads[name])
    for name, level in stages.items():
        if level == "C2" and strides[name] is not None and strides[name] < STRIDES["C2"]:
            stages[name] = "stem"
    return stages
