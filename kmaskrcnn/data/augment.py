"""Named policies of augmentation. Each turns a random generator into one view of the image, never
into pixels.

A policy is a name, or several joined by ``+``, such as ``"scale_jitter+flip"``.
"""

from __future__ import annotations

import numpy as np

from kmaskrcnn.data.geometry import View, crop, flip, identity, resize
from kmaskrcnn.data.resizing import resized_size

SCALES = 0.8, 1.25
CROP_SHARE = 0.6, 1.0
POLICIES = ("none", "flip", "vertical_flip", "scale_jitter", "crop")


def parse_policy(policy: str) -> frozenset[str]:
    """The names in ``policy``.

    Raises:
        ValueError: a name that is none of ``POLICIES``.
    """
    names = frozenset(name.strip() for name in policy.split("+"))
    unknown = sorted(names - set(POLICIES))
    if unknown:
        raise ValueError(
            f"augmentation {policy!r}: {', '.join(map(repr, unknown))} is unknown; expected "
            f"names among {', '.join(POLICIES)}, joined by '+'."
        )
    return names


def sample_view(
    policy: str,
    size: tuple[int, int],
    min_size: int,
    max_size: int,
    rng: np.random.Generator,
    method: str = "affine",
) -> View:
    """Draws what the network sees of an image.

    ``crop`` cuts a part with 60 to 100 % of each side before the resizing; ``scale_jitter`` resizes
    to 0.8 to 1.25 times the usual size and cuts what exceeds it at a random place, so no batch gets
    larger than without; ``flip`` and ``vertical_flip`` mirror every second image.

    Args:
        policy: names joined by ``+``.
        size: (height, width) of the original image.
        min_size, max_size, method: of the network's input, see ``resizing.resized_size``.
        rng: all randomness comes from it.
    """
    names = parse_policy(policy)
    view = identity(size)
    if "crop" in names:
        height, width = (max(int(rng.uniform(*CROP_SHARE) * side), 1) for side in size)
        view = _random_crop(view, (height, width), rng)
    usual = resized_size(view.size, min_size, max_size, method)
    view = resize(view, usual)
    if "scale_jitter" in names:
        factor = np.exp(rng.uniform(*np.log(SCALES)))
        height, width = (max(int(factor * side + 0.5), 1) for side in usual)
        view = resize(view, (height, width))
        view = _random_crop(view, (min(height, usual[0]), min(width, usual[1])), rng)
    if "flip" in names and rng.random() < 0.5:
        view = flip(view)
    if "vertical_flip" in names and rng.random() < 0.5:
        view = flip(view, vertical=True)
    return view


def _random_crop(view: View, size: tuple[int, int], rng: np.random.Generator) -> View:
    y, x = (
        int(rng.integers(0, whole - part + 1)) for whole, part in zip(view.size, size, strict=True)
    )
    return crop(view, x, y, size)
