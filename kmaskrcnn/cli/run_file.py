"""The TOML file of a run: a verb's options by their names, and fields of the config in [model].

    data = "photos.json"
    val-fraction = 0.2
    out = "runs/first"

    [model]
    nms_iou = 0.3

Options on the command line win over the file.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from kmaskrcnn.commands.settings import checked_field
from kmaskrcnn.commands.toml_file import toml_text

FIELDS = "kmaskrcnn.fields"  # where the context keeps the file's [model]
NOT_OF_A_RUN = ("config", "fields", "resume", "as_json")  # they say how a verb is called
LARGEST = 1 << 20  # bytes that anybody would write by hand, and more


def load(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """What `--config` does: the file's values stand where the command line gives none."""
    if path is None:
        return
    content = parse(path)
    fields = content.pop("model", {})
    if not isinstance(fields, dict):
        raise click.UsageError(f"{path}: model: expected a table, [model], got {fields!r}.")
    known = run_options(ctx.command)
    ctx.default_map = dict(option(path, *item, known, ctx) for item in content.items())
    ctx.meta[FIELDS] = dict(field(path, *item) for item in fields.items())


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


def field(path: Path, name: str, value: Any) -> tuple[str, Any]:
    """A field of [model], checked."""
    try:
        return checked_field(name, value)
    except ValueError as error:
        raise click.UsageError(f"{path}: [model] {error}") from None


def write(command: click.Command, values: dict[str, Any], notes: dict[str, str]) -> str:
    """The file that repeats a run.

    Args:
        command: the verb. values: its parameters; ``fields`` are those of the config.
        notes: a comment for fields of the config, by name.
    """
    head = [
        f"Repeats a run: kmaskrcnn {command.name} --config THIS-FILE",
        "Options on the command line win over it.",
    ]
    options = {
        name: (values[str(param.name)], getattr(param, "help", None) or "")
        for name, param in run_options(command).items()
    }
    return toml_text(head, options, values["fields"], notes)
