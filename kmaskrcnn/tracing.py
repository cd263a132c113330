"""The named intermediates of a forward pass, to compare with a reference or to look at."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kmaskrcnn.data import InferenceBatch
from kmaskrcnn.layers import PooledRes5
from kmaskrcnn.network import Network
from kmaskrcnn.tensors import Proposals

Trace = dict[str, np.ndarray]


def trace(
    network: Network, batch: InferenceBatch, proposals: Sequence[np.ndarray] | None = None
) -> tuple[Trace, dict[str, np.ndarray]]:
    """Runs the network once and keeps what each part gave.

    Args:
        network: whose forward pass.
        batch: of the images.
        proposals: (R, 4) an image, which the box branch gets in place of the network's own.

    Returns:
        The intermediates by name, see `MaskRCNN.trace`, and the network's outputs.
    """
    given = {} if proposals is None else {"proposals": _given(proposals)}
    inputs = {"images": batch.images, "image_sizes": batch.image_sizes}
    with recorded(_watched(network), given) as calls, _graph_of(network.res5):
        outputs = network(inputs, training=False)
    found = _named(calls, network)
    found["input/sizes"] = batch.image_sizes
    found |= {f"detections/{name}": value for name, value in outputs.items()}
    return {name: np.asarray(value) for name, value in found.items()}, {
        name: value.numpy() for name, value in outputs.items()
    }


@contextmanager
def recorded(
    layers: Mapping[str, keras.layers.Layer], given: Mapping[str, Any]
) -> Iterator[dict[str, list]]:
    """Notes what each call of these layers gives; those in `given` then hand on that instead."""
    calls: dict[str, list] = {name: [] for name in layers}

    def watched(name: str, call):
        @functools.wraps(call)
        def and_note(*args, **kwargs):
            calls[name].append(call(*args, **kwargs))
            return given.get(name, calls[name][-1])

        return and_note

    for name, layer in layers.items():
        layer.call = watched(name, layer.call)
    try:
        yield calls
    finally:
        for layer in layers.values():
            del layer.call  # the class' own again


@contextmanager
def _graph_of(res5: keras.Model | None) -> Iterator[None]:
    """C4's head as a graph: eagerly Keras keeps all that is computed in it, 7 GB of 1000 RoIs."""
    if res5 is None:
        yield
        return
    res5.call = tf.function(res5.call)
    try:
        yield
    finally:
        del res5.call


def _watched(network: Network) -> dict[str, keras.layers.Layer]:
    watched = {
        "normalization": network.normalization,
        "neck": network.neck,
        "rpn_head": network.rpn_head,
        "anchors": network.anchors,
        "proposals": network.proposals,
        "box_pooling": _pooling(network.box_branch),
    }
    for number, head in enumerate(network.box_branch.heads, 1):
        watched["box" if number == 1 else f"box_{number}"] = head
    for branch in network.instance_branches:
        kind = branch.name.removesuffix("_branch") + "s"
        watched |= {f"{kind}_pooling": _pooling(branch), kind: branch.head}
    return watched


def _pooling(branch) -> keras.layers.Layer:
    """What gives the RoI features; under C4's heads, before res5."""
    pooling = branch.pooling
    return pooling.pooling if isinstance(pooling, PooledRes5) else pooling


def _named(calls: Mapping[str, list], network: Network) -> dict[str, Any]:
    (features,), (rpn,), (anchors,) = calls["neck"], calls["rpn_head"], calls["anchors"]
    found = {"input/images": calls["normalization"][0][0]}
    for number, (level, values) in enumerate(features.items()):
        found[f"features/{level}"] = values
        found[f"rpn/logits/{level}"] = rpn[0][number]
        found[f"rpn/deltas/{level}"] = rpn[1][number]
        found[f"anchors/{level}"] = anchors[number]
    for name, value in calls["proposals"][0]._asdict().items():
        found[f"proposals/{name}"] = value
    found["box/roi_features"] = calls["box_pooling"][0]
    for name in calls:
        if name == "box" or name.startswith("box_") and name != "box_pooling":
            found[f"{name}/class_logits"], found[f"{name}/deltas"] = calls[name][0]
    for branch in network.instance_branches:
        kind = branch.name.removesuffix("_branch") + "s"
        found[f"{kind}/roi_features"] = calls[f"{kind}_pooling"][0]
        found[f"{kind}/logits"] = calls[kind][0]
    return found


def _given(proposals: Sequence[np.ndarray]) -> Proposals:
    """Lists (R, 4) of one or several images, padded to the longest."""
    most = max(len(boxes) for boxes in proposals)
    padded = [np.pad(boxes, [(0, most - len(boxes)), (0, 0)]) for boxes in proposals]
    valid = [np.arange(most) < len(boxes) for boxes in proposals]
    boxes = tf.constant(np.stack(padded), tf.float32)
    return Proposals(boxes, tf.zeros(boxes.shape[:2]), tf.constant(np.stack(valid)))
