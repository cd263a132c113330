"""One training sample: drawn from a dataset by a policy and a random generator."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.own import OwnPolicy, look_through
from kmaskrcnn.data.augmentation.source import Drawn, Source
from kmaskrcnn.data.augmentation.views import sample_view
from kmaskrcnn.data.geometry import identity, resize

Policy = str | Augmentation | OwnPolicy


def as_policy(policy: Policy) -> Augmentation | OwnPolicy:
    """A policy that can be drawn from: names become their switches.

    Raises:
        ValueError: a name that is none of ``augmentation.POLICIES``.
        TypeError: neither text, an ``Augmentation`` nor a function.
    """
    if isinstance(policy, str):
        return Augmentation.named(policy)
    if isinstance(policy, Augmentation) or callable(policy):
        return policy
    raise TypeError(f"augmentation: expected names, an Augmentation or a function, got {policy!r}.")


def draw(
    source: Source, index: int, policy: Augmentation | OwnPolicy, rng: np.random.Generator
) -> Drawn:
    """A training sample.

    Args:
        source: the dataset, and the size of the network's input.
        index: of the sample.
        policy: of ``as_policy``.
        rng: all randomness comes from it: the same generator gives the same sample.

    Raises:
        DataError: a sample that cannot be read, or a function of the user's that fails.
    """
    sample, image = source.read(index)
    size = image.shape[0], image.shape[1]
    if isinstance(policy, Augmentation):
        view = sample_view(source, size, policy, rng)
        return source.seen(sample, image, view, policy.fill)
    usual = resize(identity(size), source.usual_size(size))
    return source.seen(sample, *look_through(policy, image, usual, rng))
