"""TOML as `kmaskrcnn train` reads it: options by their names, fields of the config in [model]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def toml_text(
    head: Sequence[str],
    options: Mapping[str, tuple[Any, str]],
    fields: Mapping[str, Any],
    notes: Mapping[str, str],
) -> str:
    """The content of a file.

    Args:
        head: lines of comment.
        options: their values, None and empty ones left out, and a comment that stands above.
        fields: of the config. notes: a comment behind each, by the field's name.
    """
    import tomlkit

    document = tomlkit.document()
    for line in head:
        document.add(tomlkit.comment(line))
    for name, (value, comment) in options.items():
        if value is not None and value != ():
            document.add(tomlkit.nl())
            if comment:
                document.add(tomlkit.comment(" ".join(comment.split())))
            document.add(name, tomlkit.item(toml_value(value)))
    table = tomlkit.table()
    for name, value in fields.items():
        table.add(name, tomlkit.item(toml_value(value)).comment(notes[name]))
    document.add(tomlkit.nl())
    document.add("model", table)
    return tomlkit.dumps(document)


def toml_value(value: Any) -> Any:
    """What TOML knows: lists for tuples, "none" for None, text for paths."""
    if isinstance(value, (tuple, list)):
        return [toml_value(item) for item in value]
    if value is None:
        return "none"
    return str(value) if isinstance(value, Path) else value
