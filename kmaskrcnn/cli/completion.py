"""`kmaskrcnn completion`: what makes a shell complete verbs, options and presets."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "kmaskrcnn"
VARIABLE = "_KMASKRCNN_COMPLETE"  # by which the shell asks, as click names it
INSTALL = {
    "bash": 'put  eval "$(kmaskrcnn completion bash)"  into ~/.bashrc',
    "zsh": 'put  eval "$(kmaskrcnn completion zsh)"  into ~/.zshrc, after compinit',
    "fish": "kmaskrcnn completion fish > ~/.config/fish/completions/kmaskrcnn.fish",
}


@click.command(
    short_help="Completion of verbs, options and presets for your shell.",
    epilog="""\b
Examples:
  kmaskrcnn completion bash
  kmaskrcnn completion fish > ~/.config/fish/completions/kmaskrcnn.fish
""",
)
@click.argument("shell", type=click.Choice(list(INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes verbs, options, presets and files in SHELL.

    How to install it is said on standard error.
    """
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"This click has no completion for {shell}.")
    click.echo(maker(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
    click.echo(f"# To keep it: {INSTALL[shell]}", err=True)
