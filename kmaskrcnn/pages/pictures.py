"""Pictures inside a page."""

from __future__ import annotations

import base64

import numpy as np
from markupsafe import Markup

from kmaskrcnn.ops.drawing import encode_picture, fit

MAX_SIDE = 640
"""Pixels of a picture's longer side: a hundred of them stay below some ten megabytes."""


def picture(
    array: np.ndarray, *, max_side: int = MAX_SIDE, caption: str | Markup = "", alt: str = ""
) -> Markup:
    """A picture as JPEG inside the page, shrunk where it is larger than is looked at.

    Args:
        array: (H, W, 3) uint8 RGB.
        max_side: pixels of the longer side at most; a picture never grows.
        caption: a text below, escaped unless it is `Markup`.
        alt: what is read out in the picture's place; by default the caption.

    Raises:
        ValueError: another shape or type.
    """
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise ValueError(f"expected (H, W, 3) uint8 RGB, got {array.shape} {array.dtype}")
    if max(array.shape[:2]) > max_side:
        array = fit(array, (max_side, max_side))
    code = base64.b64encode(encode_picture(array, ".jpg")).decode()
    image = Markup(
        '<img src="data:image/jpeg;base64,{}" width="{}" height="{}" alt="{}" loading="lazy">'
    ).format(code, array.shape[1], array.shape[0], alt or Markup(caption).striptags())
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Markup('<figure class="picture">{}{}</figure>').format(image, below)
