"""TOML as `kmaskrcnn train` reads it: options by their names, fields in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def toml_text(
    head: Sequence[str],
    options: Mapping[str, tuple[Any, str]],
    tables: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str]]],
) -> str:
    """The content of a file.

    Args:
        head: lines of comment.
        options: their values, None and empty ones left out, and a comment that stands above.
        tables: by name, as "model": fields, and comments that stand behind some of them.
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
    for title, (fields, notes) in tables.items():
        table = tomlkit.table()
        for name, value in fields.items():
            item = tomlkit.item(toml_value(value))
            table.add(name, item.comment(notes[name]) if name in notes else item)
        document.add(tomlkit.nl())
        document.add(title, table)
    return tomlkit.dumps(document)


def toml_value(value: Any) -> Any:
    """What TOML knows: lists for tuples, "none" for None, text for paths."""
    if isinstance(value, (tuple, list)):
        return [toml_value(item) for item in value]
    if value is None:
        return "none"
    return str(value) if isinstance(value, Path) else value
