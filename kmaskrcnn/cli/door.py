"""The group of verbs: `--debug` anywhere, and errors that end in one sentence and an exit code."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from kmaskrcnn import installation

MISTAKES = (ValueError, OSError)
FAILURES = (RuntimeError, ArithmeticError)  # no compiler, a loss that is not finite, …
NOT_ENOUGH_MEMORY = ("ResourceExhaustedError", "MemoryError")
KNOBS = {  # the options that set what memory grows with
    "batch_size": "--batch-size",
    "min_size": "--image-size",
    "rois_per_image": "--rois-per-image",
}


class Failure(click.ClickException):
    """What ends the program with one sentence and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def failure(error: Exception, options: Collection[str] = ()) -> Failure:
    """The sentence and the exit code for what went wrong; ``options`` are those of the verb."""
    broken = installation.explain(error)
    if broken:
        return Failure(broken, 1)
    text = str(error).strip() or type(error).__name__
    if type(error).__name__ == "OutOfMemoryError":
        return Failure(as_options(text, options), 1)
    if type(error).__name__ in NOT_ENOUGH_MEMORY:
        return Failure(f"Out of memory: {text.splitlines()[0]}", 1)
    if isinstance(error, MISTAKES):
        return Failure(text, 2)
    if isinstance(error, FAILURES):
        return Failure(text, 1)
    return Failure(f"{type(error).__name__}: {text} (`--debug` shows where)", 1)


def as_options(text: str, options: Collection[str]) -> str:
    """``batch_size=2`` as a verb with that option says it: ``--batch-size 2``."""
    for name, option in KNOBS.items():
        if option in options:
            text = text.replace(f"{name}=", f"{option} ")
    return text


class Door(click.Group):
    """The group of verbs: `--debug` is taken anywhere, and errors become sentences."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of use, not of the alphabet

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt as stop:
            raise Failure(str(stop) or "Interrupted.", 130) from None
        except BrokenPipeError:
            raise  # the reader of a pipe left, as head does: click ends in silence
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise failure(error, self._options_of(ctx)) from error

    def _options_of(self, ctx: click.Context) -> list[str]:
        verb = self.commands.get(ctx.invoked_subcommand or "")
        return [name for parameter in verb.params for name in parameter.opts] if verb else []
