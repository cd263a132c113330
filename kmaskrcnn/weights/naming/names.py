"""Our parameter names, ``part/layer/weight``, and how another project's are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.layouts import Layout

Table = Sequence[tuple[str, Callable[..., str]]]
"""Pairs of a pattern of our ``part/layer`` and what makes theirs of the numbers in it."""

TORCH_WEIGHTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclass(frozen=True)
class Framework:
    """What another project calls its parameters and how its arrays lie.

    Attributes:
        name: ``"torchvision"``, …
        signature: found at the start of a name that only this project has.
        their_name: our name → theirs; None where it has no such layer.
        layout: our name and shape → the layout of theirs.
        canonical: a name in a file → the form in which it is compared, whatever the age of the
            file; None for what is no parameter.
        needs: the values of our config with which its models can be expressed.
    """

    name: str
    signature: str
    their_name: Callable[[str, MaskRCNNConfig], str | None]
    layout: Callable[[str, Sequence[int], MaskRCNNConfig], Layout]
    canonical: Callable[[str], str | None]
    needs: Mapping[str, tuple[Any, ...]]

    def misfits(self, config: MaskRCNNConfig) -> list[str]:
        """The switches of a config that its models do not have."""
        return [
            f"{field} {' or '.join(map(repr, allowed))}, not {getattr(config, field)!r}"
            for field, allowed in self.needs.items()
            if getattr(config, field) not in allowed
        ]


def norm_epsilon(config: MaskRCNNConfig) -> float:
    """What our ResNets add to a variance: the config's, or else the 1e-5 of their publishers."""
    return 1e-5 if config.norm_epsilon is None else config.norm_epsilon


def translated(name: str, table: Table) -> tuple[str, str] | None:
    """Our name → their layer and our weight; None where the table has no line for it.

    ``("fpn/lateral_C2/kernel", [(r"fpn/lateral_C(\\d)", lambda level: f"fpn.{level - 2}")])``
    gives ``("fpn.0", "kernel")``. A group that did not match is None.
    """
    layer, _, weight = name.rpartition("/")
    for pattern, make in table:
        match = re.fullmatch(pattern, layer)
        if match:
            return make(*(group and int(group) for group in match.groups())), weight
    return None
