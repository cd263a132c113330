"""Policies of augmentation. Each turns a random generator into one view of the image, through
which pixels, boxes and masks go alike.

A policy is a name, several joined by ``+``, such as ``"scale_jitter+flip"``, or a function of the
user's, see :class:`OwnPolicy`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kmaskrcnn.config import POLICIES
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import View, crop, flip, identity, resize
from kmaskrcnn.data.resizing import resized_size

SCALES = 0.8, 1.25
CROP_SHARE = 0.6, 1.0


class OwnPolicy(Protocol):
    """A function that is given in the place of a policy's name; called from several threads."""

    def __call__(
        self, image: np.ndarray, view: View, rng: np.random.Generator, /
    ) -> tuple[np.ndarray, View]:
        """Changes how an image is seen.

        Args:
            image: (H, W, 3) uint8 RGB, the whole image; read-only.
            view: the usual resizing, to go on from with ``data.geometry``'s flip, crop, rotate ….
            rng: all randomness comes from it, so that the same seed gives the same training.

        Returns:
            The image, in the same shape and with everything where it was, its colours perhaps
            others; and the view, through which the truth goes, too.
        """
        ...


Policy = str | OwnPolicy


def check_policy(policy: Policy) -> None:
    """Refuses what is neither a function nor made of known names.

    Raises:
        ValueError: a name that is none of ``POLICIES``.
    """
    if not callable(policy):
        parse_policy(policy)


def augment(
    image: np.ndarray,
    policy: Policy,
    min_size: int,
    max_size: int,
    rng: np.random.Generator,
    method: str = "affine",
) -> tuple[np.ndarray, View]:
    """The image (H, W, 3), its colours perhaps changed, and what the network sees of it.

    Args:
        policy: a name or a function; see ``sample_view`` for the rest.

    Raises:
        DataError: a function that fails, or gives something else than it should.
    """
    if not callable(policy):
        return image, sample_view(policy, image.shape[:2], min_size, max_size, rng, method)
    usual = sample_view("none", image.shape[:2], min_size, max_size, rng, method)
    locked = image.view()
    locked.flags.writeable = False
    name = getattr(policy, "__name__", type(policy).__name__)
    try:
        changed, view = policy(locked, usual, rng)
    except Exception as error:
        raise DataError(f"augmentation {name}: {type(error).__name__}: {error}") from error
    _check_result(name, image, changed, view)
    return changed, view


def _check_result(name: str, image: np.ndarray, changed: np.ndarray, view: View) -> None:
    if getattr(changed, "shape", None) != image.shape or changed.dtype != image.dtype:
        raise DataError(
            f"augmentation {name}: expected an image {image.shape} of {image.dtype} as it was "
            f"given, got {getattr(changed, 'shape', type(changed).__name__)} of "
            f"{getattr(changed, 'dtype', 'no dtype')}. To cut or turn it, change the view."
        )
    if not isinstance(view, View) or not np.isfinite(view.matrix).all() or min(view.size) < 1:
        raise DataError(f"augmentation {name}: expected a View with a finite matrix, got {view!r}")


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
