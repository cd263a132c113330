"""An augmentation of the user's own: a function of the image, its view, and chance."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.geometry import View


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


def look_through(
    policy: OwnPolicy, image: np.ndarray, usual: View, rng: np.random.Generator
) -> tuple[np.ndarray, View]:
    """The image (H, W, 3) as the function changed it, and its view.

    Raises:
        DataError: a function that fails, or gives something else than it should.
    """
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
