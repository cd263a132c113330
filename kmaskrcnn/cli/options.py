"""What the options of several verbs have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kmaskrcnn.augmentation import POLICIES, Augmentation
from kmaskrcnn.byte_count import byte_count
from kmaskrcnn.commands.settings import parse_setting
from kmaskrcnn.config import CHOICES, MaskRCNNConfig
from kmaskrcnn.precision import PRECISIONS
from kmaskrcnn.presets import preset_names

MODEL = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
OLD_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
DATA = click.Path()  # may name a part of a folder: nuclei#train
FILE = click.Path(dir_okay=False, path_type=Path)


class Policy(click.ParamType):
    """An augmentation: names joined by +."""

    name = "policy"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            Augmentation.named(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, plus, last = incomplete.rpartition("+")
        offers = [name for name in POLICIES if name.startswith(last)]
        return [CompletionItem(before + plus + name) for name in offers]


class Renaming(click.ParamType):
    """A class's name and the one that it gets, as OLD=NEW."""

    name = "renaming"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        old, _, new = value.partition("=")
        if not (old and new):
            self.fail(f"{value!r}: expected OLD=NEW, such as lorry=truck.", param, ctx)
        return value


class Bytes(click.ParamType):
    """A number of bytes, such as 2GB."""

    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            byte_count(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Names(click.ParamType):
    """Some of a few names, joined by commas; each once.

    Args:
        known: the names.
    """

    name = "names"

    def __init__(self, known: Sequence[str]) -> None:
        self.known = known

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        names = value.split(",") if isinstance(value, str) else value
        for name in names:
            if name not in self.known:
                self.fail(f"{name!r}: expected some of {', '.join(self.known)}.", param, ctx)
        return tuple(dict.fromkeys(names))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        offers = [name for name in self.known if name.startswith(last)]
        return [CompletionItem(before + comma + name) for name in offers]


class Numbers(click.ParamType):
    """Whole numbers from 1 up, joined by commas; sorted."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if not isinstance(value, str):
            return value
        texts = [text.strip() for text in value.split(",")]
        if not all(text.isdecimal() and int(text) for text in texts):
            self.fail(f"{value!r}: expected numbers from 1 up, such as 1,2,4.", param, ctx)
        return tuple(sorted({int(text) for text in texts}))


def field_names(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Completions of ``NAME=VALUE``: fields of the config, and the values of those with few."""
    name, equals, _ = typed.partition("=")
    if equals:
        offers = [f"{name}={choice}" for choice in CHOICES.get(name, ())]
    else:
        owner = Augmentation if param.name == "augment_fields" else MaskRCNNConfig
        offers = [f"{field.name}=" for field in dataclasses.fields(owner)]
    return [offer for offer in offers if offer.startswith(typed)]


def settings(owner: type) -> Callable[..., dict[str, Any]]:
    """A callback for ``NAME=VALUE``: the fields of a dataclass, checked."""

    def read(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
        try:
            return dict(parse_setting(text, owner) for text in texts)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return read


augment_set = click.option(
    "--augment-set",
    "augment_fields",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=field_names,
    callback=settings(Augmentation),
    help="A switch of the augmentation, such as rotation=10 or scale=(0.5,1.5); repeatable.",
)


def presets(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Completions of a preset's name."""
    return [name for name in preset_names() if name.startswith(typed)]


images = click.option("--images", type=OLD_FOLDER, help="The images of DATA, if not beside it.")

val_images = click.option(
    "--val-images", type=OLD_FOLDER, help="The images of --val, if not beside it."
)

skip_broken = click.option(
    "--skip-broken",
    is_flag=True,
    help="Leave out images that cannot be read, and say how many; else they are an error.",
)

image_size = click.option(
    "--image-size",
    type=click.IntRange(16),
    metavar="PIXELS",
    help="Short side in pixels; else the preset's.",
)

precision = click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Compute in 16 bits where the machine is made for it (kmaskrcnn doctor tells); weights, "
    "geometry and losses stay in 32. Else as the model was made.",
)

add = click.option(
    "--add",
    type=DATA,
    multiple=True,
    metavar="DATA",
    help="More data, one with DATA: classes are matched by name. Repeatable.",
)

rename = click.option(
    "--rename",
    type=Renaming(),
    multiple=True,
    metavar="OLD=NEW",
    help="A class under another name; two onto one are merged. Repeatable.",
)

as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the figures as JSON on standard output, and nothing else there.",
)

val_fraction = click.option(
    "--val-fraction",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="Only the images of DATA that `train --val-fraction` kept to validate on.",
)

val_seed = click.option(
    "--seed",
    type=int,
    metavar="N",
    default=0,
    show_default=True,
    help="With --val-fraction: the seed of that training.",
)
