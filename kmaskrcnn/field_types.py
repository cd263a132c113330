"""The fields of a dataclass: whether values are of their types, and names of fields."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from functools import lru_cache
from numbers import Integral, Real
from typing import Any

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def check_fields(instance: Any) -> None:
    """Turns lists into tuples, as JSON and TOML know none, and looks at the type of every field.

    Args:
        instance: of a frozen dataclass, in its ``__post_init__``.

    Raises:
        ValueError: a value of another type; names the field.
    """
    owner = type(instance)
    for field in dataclasses.fields(instance):
        value = tuples(getattr(instance, field.name))
        object.__setattr__(instance, field.name, value)
        problem = type_problem(owner, field.name, value)
        if problem:
            raise ValueError(f"{owner.__name__}.{field.name} must be {problem}.")


def check_names(owner: type, given: Iterable[str]) -> None:
    """Raises TypeError for names that are no field of a dataclass, with the likeliest meant."""
    names = [field.name for field in dataclasses.fields(owner)]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3) or names
            raise TypeError(
                f"{owner.__name__} has no field {name!r}; did you mean {', '.join(near)}?"
            )


def tuples(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(map(tuples, value)) if isinstance(value, (list, tuple)) else value


def type_problem(owner: type, name: str, value: Any) -> str:
    """What was expected of a field, if the value is none; else nothing.

    Whole numbers are numbers, too; numbers of NumPy count, and lists stand for tuples.

    Args:
        owner: the dataclass. name: one of its fields.

    Returns:
        ``""``, or ``"a whole number, but it is 'many'"``.
    """
    hint = _hints(owner)[name]
    return "" if fits(value, hint) else f"{in_words(hint)}, but it is {value!r}"


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type: int, float, bool, str, tuples and unions of them, None."""
    if isinstance(hint, types.UnionType):
        return any(fits(value, part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return isinstance(value, (list, tuple)) and _all_fit(value, typing.get_args(hint))
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    return isinstance(value, hint)


def _all_fit(values: Any, hints: tuple[Any, ...]) -> bool:
    if hints[-1] is Ellipsis:
        return all(fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(fits, values, hints))


def in_words(hint: Any) -> str:
    """``tuple[float, ...]`` → ``"a list, each a number"``."""
    if isinstance(hint, types.UnionType):
        return " or ".join(in_words(part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        first, *rest = typing.get_args(hint)
        return f"a list, each {in_words(first)}" if rest[-1] is Ellipsis else _row(first, rest)
    return "none" if hint is type(None) else _WORDS[hint]


def _row(first: Any, rest: list[Any]) -> str:
    return f"a list of {len(rest) + 1}, each {in_words(first)}"


@lru_cache
def _hints(owner: type) -> dict[str, Any]:
    return typing.get_type_hints(owner)
