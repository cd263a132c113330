"""Copy-paste (Ghiasi et al. 2021, arXiv:2012.07177): objects of one image on another."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.data.augmentation.occlusion import cover
from kmaskrcnn.data.augmentation.source import Drawn, Source, size_of
from kmaskrcnn.data.augmentation.views import random_place, sample_view
from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.encode import join


def paste_objects(
    drawn: Drawn, source: Source, augmentation: Augmentation, rng: np.random.Generator
) -> Drawn:
    """Pastes some objects of a random image of the dataset, that image seen through an own view.

    They cover what they lie on, see ``occlusion.cover``. Crowds, and objects without a mask, are
    not pasted.

    Args:
        drawn: the image and its objects.
        source, augmentation: where the other image comes from, and how it is changed; the share and
            the numbers are those of copy-paste.
        rng: all randomness comes from it.
    """
    sample, image = source.read(int(rng.integers(len(source.dataset))))
    sample = _some_objects(sample, augmentation.paste_count, rng)
    if not sample.instances:
        return drawn
    view = sample_view(source, size_of(image), augmentation.replace(pad=False), rng)
    view = random_place(view, size_of(drawn.image), rng)
    other = source.seen(sample, image, view, augmentation.fill)
    return paste(drawn, other, augmentation.min_visible, augmentation.paste_blend)


def _some_objects(sample: Sample, count: tuple[int, int], rng: np.random.Generator) -> Sample:
    usable = [i for i in sample.instances if i.mask is not None and not i.crowd]
    low, high = (min(limit, len(usable)) for limit in count)
    chosen = rng.permutation(len(usable))[: rng.integers(low, high + 1)]
    return replace(sample, instances=[usable[i] for i in sorted(chosen)])


def paste(drawn: Drawn, other: Drawn, min_visible: float, blend: float = 0.0) -> Drawn:
    """All objects of one image on another of the same size.

    Args:
        min_visible: share that a covered object must keep.
        blend: sigma in pixels of the Gaussian that softens the edges; 0 leaves them hard.
    """
    pasted = np.zeros(drawn.image.shape[:2], bool)
    for (left, top, right, bottom), crop in other.truths.masks:
        pasted[top:bottom, left:right] |= crop
    truths = join(cover(drawn.truths, pasted, min_visible), other.truths)
    if not blend:
        return Drawn(np.where(pasted[..., None], other.image, drawn.image), truths)
    share = cv2.GaussianBlur(pasted.astype(np.float32), (0, 0), blend)[..., None]
    mixed = drawn.image + share * (other.image.astype(np.float32) - drawn.image)
    return Drawn(np.floor(mixed + 0.5).astype(np.uint8), truths)
