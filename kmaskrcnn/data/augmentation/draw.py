"""One training sample: drawn from a dataset by a policy and a random generator."""

from __future__ import annotations

import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.copy_paste import paste_objects
from kmaskrcnn.data.augmentation.mosaic import draw_mosaic
from kmaskrcnn.data.augmentation.own import OwnPolicy, look_through
from kmaskrcnn.data.augmentation.photometric import recolour
from kmaskrcnn.data.augmentation.source import Drawn, Source, size_of
from kmaskrcnn.data.augmentation.transformed import Transformed
from kmaskrcnn.data.augmentation.views import chance, sample_view
from kmaskrcnn.data.dataset import keypoint_names_of
from kmaskrcnn.data.geometry import identity, resize

ResolvedPolicy = Augmentation | Transformed | OwnPolicy
Policy = str | ResolvedPolicy


def as_policy(policy: Policy) -> ResolvedPolicy:
    """A policy that can be drawn from: names become their switches.

    Raises:
        ValueError: a name that is none of ``augmentation.POLICIES``.
        TypeError: neither text, an ``Augmentation``, a ``Transformed`` nor a function.
    """
    if isinstance(policy, str):
        return Augmentation.named(policy)
    if isinstance(policy, Augmentation | Transformed) or callable(policy):
        return policy
    raise TypeError(
        "augmentation: expected names, an Augmentation, a Transformed or a function, got "
        f"{policy!r}."
    )


def draw(source: Source, index: int, policy: ResolvedPolicy, rng: np.random.Generator) -> Drawn:
    """A training sample.

    Args:
        source: the dataset, and the size of the network's input.
        index: of the sample.
        policy: of ``as_policy``.
        rng: all randomness comes from it: the same generator gives the same sample.

    Raises:
        DataError: a sample that cannot be read, or a function of the user's that fails.
    """
    if isinstance(policy, Transformed):
        names = keypoint_names_of(source.dataset)
        return policy.apply(draw(source, index, policy.before, rng), names, rng)
    if not isinstance(policy, Augmentation):
        sample, image = source.read(index)
        usual = resize(identity(size_of(image)), source.usual_size(size_of(image)))
        return source.seen(sample, *look_through(policy, image, usual, rng))
    make = draw_mosaic if chance(policy.mosaic, rng) else draw_one
    drawn = make(source, index, policy, rng)
    if chance(policy.copy_paste, rng):
        drawn = paste_objects(drawn, source, policy, rng)
    return drawn._replace(image=recolour(drawn.image, policy, rng))


def draw_one(
    source: Source, index: int, augmentation: Augmentation, rng: np.random.Generator
) -> Drawn:
    """One image through one view."""
    sample, image = source.read(index)
    view = sample_view(source, size_of(image), augmentation, rng)
    return source.seen(sample, image, view, augmentation.fill)
