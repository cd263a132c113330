"""Anybody's weights as arrays of ours, and ours as anybody's: one table a framework, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.weights.naming.caffe2 import is_caffe2, to_detectron2
from kmaskrcnn.weights.naming.frameworks import framework_of, known, unwrapped
from kmaskrcnn.weights.naming.layouts import Layout
from kmaskrcnn.weights.naming.names import norm_epsilon

Arrays = Mapping[str, np.ndarray]
Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Rule:
    """One parameter under both names, and how its array changes from theirs to ours and back."""

    ours: str
    theirs: str
    layout: Layout


class Converted(NamedTuple):
    """Arrays by our names; names of theirs that none of ours wanted; ours that got nothing."""

    arrays: dict[str, np.ndarray]
    unused: tuple[str, ...]
    missing: tuple[str, ...]


def rules(shapes: Shapes, config: MaskRCNNConfig, framework: str) -> list[Rule]:
    """The table between our parameters and theirs.

    Args:
        shapes: of our parameters, by our names; with any number of classes.
        config: of the model that has them.
        framework: one of `FRAMEWORKS`.

    Returns:
        A rule for each parameter that the framework has a name for, in the order of ours.
    """
    their = known(framework)
    named = ((name, shape, their.their_name(name, config)) for name, shape in shapes.items())
    return [
        Rule(name, theirs, their.layout(name, tuple(shape), config))
        for name, shape, theirs in named
        if theirs is not None
    ]


def names_of(shapes: Shapes, config: MaskRCNNConfig, framework: str) -> dict[str, str]:
    """Their name of each of our parameters: ``{"fpn/output_P2/bias": "fpn_p2/fpn_p2/bias:0"}``."""
    return {rule.ours: rule.theirs for rule in rules(shapes, config, framework)}


def to_ours(
    state: Arrays, shapes: Shapes, config: MaskRCNNConfig, framework: str | None = None
) -> Converted:
    """Their arrays under our names and in our layouts.

    Class heads come with as many classes as they have, whatever our shapes say. Arrays are views of
    theirs where possible. What is no parameter of any model (counters of batch norms, constants of
    the input, anchors) is passed over; whatever else has no use is `unused`.

    Args:
        state: their arrays, by older or newer names.
        shapes: of our parameters, by our names.
        config: of the model that gets them.
        framework: whose they are; None finds out.

    Raises:
        ValueError: nobody's weights; a config that their models do not have; an array whose shape
            cannot be theirs. The message says what was expected.
    """
    framework = framework or framework_of(state)
    _check(framework, config)
    return converted(state, shapes, config, framework)


def converted(state: Arrays, shapes: Shapes, config: MaskRCNNConfig, framework: str) -> Converted:
    """`to_ours` for any part of the network."""
    found = {unwrapped(name): name for name in state}
    if is_caffe2(found):
        state = to_detectron2(
            {name: state[full] for name, full in found.items()}, norm_epsilon(config)
        )
        found = {name: name for name in state}
    canonical = known(framework).canonical
    keys = {key: full for name, full in found.items() if (key := canonical(name)) is not None}
    matched = [
        (rule, key)
        for rule in rules(shapes, config, framework)
        if (key := canonical(rule.theirs)) in keys
    ]
    arrays = {rule.ours: _inward(rule, keys[str(key)], state, shapes) for rule, key in matched}
    used = {key for _, key in matched}
    return Converted(
        arrays,
        tuple(full for key, full in keys.items() if key not in used),
        tuple(name for name in shapes if name not in arrays),
    )


def from_ours(arrays: Arrays, config: MaskRCNNConfig, framework: str) -> dict[str, np.ndarray]:
    """Our arrays under their names and in their layouts; `to_ours` gives them back exactly.

    Their model computes the same where it has the conventions of the config (see the presets).

    Raises:
        ValueError: an unknown framework; a config, or a parameter, that their models do not have.
    """
    _check(framework, config)
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    table = rules(shapes, config, framework)
    nameless = list(set(shapes) - {rule.ours for rule in table})
    if nameless:
        raise ValueError(f"{framework} has no name for {', '.join(sorted(nameless)[:6])}")
    return {
        rule.theirs: np.ascontiguousarray(rule.layout.outward(np.asarray(arrays[rule.ours])))
        for rule in table
    }


def _inward(rule: Rule, name: str, state: Arrays, shapes: Shapes) -> np.ndarray:
    array = np.asarray(state[name])
    try:
        return rule.layout.inward(array)
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{name} has shape {array.shape}, which cannot become {rule.ours} "
            f"{tuple(shapes[rule.ours])}: {error}"
        ) from error


def _check(framework: str, config: MaskRCNNConfig) -> None:
    misfits = known(framework).misfits(config)
    if misfits:
        raise ValueError(
            f"{framework}'s models have {'; '.join(misfits)}: take a config of the presets "
            f"'{framework}/…', or one like them"
        )
