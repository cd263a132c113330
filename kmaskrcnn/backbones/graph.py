"""Reads a functional Keras model as a graph: where to tap it, and which stage a layer is of."""

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
            f"{', '.join(f'{s:g}' for s in strides)}. A pyramid needs 4, 8, 16 and 32: take "
            "another backbone (those with unpadded convolutions, such as Inception, lack them)"
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


def ancestors(nodes: Sequence[Node], name: str) -> set[str]:
    """The names of a node and of all that it needs."""
    reads = {n.name: n.inputs for n in nodes}
    found: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo.extend(reads[current])
    return found


def assign_stages(nodes: Sequence[Node], taps: Mapping[str, str]) -> dict[str, str]:
    """The stage of every node: the first tap that needs it, or ``"stem"`` below stride 4.

    Nodes that no tap needs are left out.
    """
    stages: dict[str, str] = {}
    for level, tap in taps.items():
        for name in ancestors(nodes, tap):
            stages.setdefault(name, level)
    for node in nodes:
        small = node.stride is not None and node.stride < STRIDES["C2"]
        if small and stages.get(node.name) == "C2":
            stages[node.name] = "stem"
    return stages
