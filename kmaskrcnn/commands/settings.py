"""Fields of the config as a person types them."""

from __future__ import annotations

import ast
from typing import Any

from kmaskrcnn.config import MaskRCNNConfig, check_names


def parse_setting(text: str) -> tuple[str, Any]:
    """``"nms_iou=0.3"`` → ``("nms_iou", 0.3)``: a Python literal, or else a string.

    Raises:
        ValueError: no name and value, or no field of that name.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set takes NAME=VALUE, such as nms_iou=0.3, not {text!r}.")
    try:
        check_names([name])
    except TypeError as error:
        raise ValueError(f"--set {text}: {error}") from None
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def scaled(config: MaskRCNNConfig, image_size: int) -> dict[str, int]:
    """Short side as told; the limit of the long side keeps the preset's proportion."""
    longest = round(image_size * config.max_size / config.min_size)
    return {"min_size": image_size, "max_size": longest}
