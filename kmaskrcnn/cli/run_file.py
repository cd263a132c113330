"""The TOML file of a run: a verb's options by their names, fields of the config in [model], and
switches of the augmentation in [augmentation].

    data = "photos.json"
    val-fraction = 0.2
    out = "runs/first"

    [augmentation]
    rotation = 10.0

    [model]
    nms_iou = 0.3

Options on the command line win over the file.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from kmaskrcnn.augmentation import Augmentation
from kmaskrcnn.commands.settings import checked_field
from kmaskrcnn.commands.toml_file import toml_text
from kmaskrcnn.config import MaskRCNNConfig

FIELDS = "kmaskrcnn.fields"  # where the context keeps the file's tables, by their names
TABLES: dict[str, type] = {"augmentation": Augmentation, "model": MaskRCNNConfig}
# They say how a verb is called, or are a table of the file.
NOT_OF_A_RUN = ("config", "fields", "augment_fields", "resume", "as_json")
LARGEST = 1 << 20  # bytes that anybody would write by hand, and more


def load(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """What `--config` does: the file's values stand where the command line gives none."""
    if path is None:
        return
    content = parse(path)
    ctx.meta[FIELDS] = {name: table(path, name, content.pop(name, {})) for name in TABLES}
    known = run_options(ctx.command)
    ctx.default_map = dict(option(path, *item, known, ctx) for item in content.items())


def fields_of(ctx: click.Context, title: str) -> dict[str, Any]:
    """What the file says in a table; nothing without a file."""
    return dict(ctx.meta.get(FIELDS, {}).get(title, {}))


def parse(path: Path) -> dict[str, Any]:
    """The plain content of a TOML file; a UsageError names it."""
    import tomlkit

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes, which no file of options is")
        return tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path}: expected a TOML file of options: {error}") from None


def run_options(command: click.Command) -> dict[str, click.Parameter]:
    """What describes a run, by the name in the file: ``val-fraction`` for ``--val-fraction``."""
    described = [param for param in command.params if param.name not in NOT_OF_A_RUN]
    return {file_name(param): param for param in described}


def file_name(param: click.Parameter) -> str:
    """``val-fraction`` of ``--val-fraction``, ``data`` of DATA."""
    return param.opts[0].lstrip("-")


def option(
    path: Path, key: str, value: Any, known: dict[str, click.Parameter], ctx: click.Context
) -> tuple[str, Any]:
    """An option's name and value as click would read it from the command line, checked."""
    if key not in known:
        near = difflib.get_close_matches(key, known, n=3) or known
        raise click.UsageError(f"{path}: no option {key!r}; did you mean {', '.join(near)}?")
    param = known[key]
    if getattr(param, "multiple", False):
        return str(param.name), tuple(texts(path, key, value, param, ctx))
    expected = expected_type(param)
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        words = {bool: "true or false", int: "a whole number", str: "a text in quotes"}
        wanted = words.get(expected, "a number")
        raise click.UsageError(f"{path}: {key}: expected {wanted}, got {value!r}.")
    try:
        return str(param.name), param.type.convert(value, param, ctx)
    except click.BadParameter as error:
        raise click.UsageError(f"{path}: {key}: {error.message}") from None


def texts(
    path: Path, key: str, values: Any, param: click.Parameter, ctx: click.Context
) -> list[Any]:
    """The values of an option that can be given several times, checked."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise click.UsageError(
            f"{path}: {key}: expected a list of texts in quotes, got {values!r}."
        )
    try:
        return [param.type.convert(value, param, ctx) for value in values]
    except click.BadParameter as error:
        raise click.UsageError(f"{path}: {key}: {error.message}") from None


def expected_type(param: click.Parameter) -> Any:
    """The type of TOML's values that stand for an option's."""
    if isinstance(param.type, click.types.BoolParamType):
        return bool
    if isinstance(param.type, click.types.FloatParamType):
        return (int, float)
    return int if isinstance(param.type, click.types.IntParamType) else str


def table(path: Path, title: str, fields: Any) -> dict[str, Any]:
    """The fields of a table, checked."""
    if not isinstance(fields, dict):
        raise click.UsageError(f"{path}: {title}: expected a table, [{title}], got {fields!r}.")
    try:
        return dict(checked_field(*item, TABLES[title]) for item in fields.items())
    except ValueError as error:
        raise click.UsageError(f"{path}: [{title}] {error}") from None


def write(
    command: click.Command,
    values: dict[str, Any],
    tables: dict[str, tuple[dict[str, Any], dict[str, str]]],
) -> str:
    """The file that repeats a run.

    Args:
        command: the verb. values: its parameters.
        tables: of ``TABLES``: the fields, and comments for some of them.
    """
    head = [
        f"Repeats a run: kmaskrcnn {command.name} --config THIS-FILE",
        "Options on the command line win over it.",
    ]
    options = {
        name: (values[str(param.name)], getattr(param, "help", None) or "")
        for name, param in run_options(command).items()
    }
    return toml_text(head, options, tables)
