"""Fields of the config, or of the augmentation, as a person types them: on the command line or in a
TOML file."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.field_types import check_names, tuples, type_problem
from kmaskrcnn.presets import preset

WORDS = {"true": True, "false": False, "none": None}


def parse_setting(text: str, owner: type = MaskRCNNConfig) -> tuple[str, Any]:
    """``"nms_iou=0.3"`` → ``("nms_iou", 0.3)``: a Python literal, or else a string.

    Args:
        owner: the dataclass that has the field.

    Raises:
        ValueError: no name and value, no field of that name, or a value of another type.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"expected NAME=VALUE, such as nms_iou=0.3, not {text!r}.")
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        literal = value
    return checked_field(name.strip(), literal, owner)


def checked_field(name: str, value: Any, owner: type = MaskRCNNConfig) -> tuple[str, Any]:
    """A field and its value; "none" is None where a field may be that, as TOML has no such value.

    Raises:
        ValueError: no field of that name, or a value of another type.
    """
    try:
        check_names(owner, [name])
    except TypeError as error:
        raise ValueError(str(error)) from None
    problem = type_problem(owner, name, value)
    if problem and isinstance(value, str) and value.lower() in WORDS:
        value = WORDS[value.lower()]
        problem = type_problem(owner, name, value) and problem
    if problem:
        raise ValueError(f"{name}: expected {problem}.")
    return name, tuples(value)


def scaled(config: MaskRCNNConfig, image_size: int) -> dict[str, int]:
    """Short side as told; the limit of the long side keeps the preset's proportion."""
    longest = round(image_size * config.max_size / config.min_size)
    return {"min_size": image_size, "max_size": longest}


def notes(preset_name: str, fields: Mapping[str, Any]) -> dict[str, str]:
    """For each field of the config what the preset has in its place."""
    plain = preset(preset_name)
    return {name: f"{preset_name} has {getattr(plain, name)!r}" for name in fields}


def augmentation_notes(policy: str, switches: Augmentation) -> dict[str, str]:
    """For each switch that is off the policy's what the policy has in its place."""
    plain, given = Augmentation.named(policy).to_dict(), switches.to_dict()
    return {k: f"{policy} has {plain[k]!r}" for k in plain if plain[k] != given[k]}
