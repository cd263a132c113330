"""Command lines: run inside the tests' process, and read from the help."""

import shlex

from click.testing import CliRunner, Result

from kmaskrcnn import cli


def run(*args: object) -> Result:
    """Runs ``kmaskrcnn ARGS``; gives exit code and output."""
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def examples(verb: str) -> list[list[str]]:
    """The arguments of the examples in a verb's help, without the program's name.

    What a shell does with the output, behind ``|`` or ``>``, is left out.
    """
    epilog = cli.main.commands[verb].epilog or ""
    if "Example" not in epilog:
        return []
    lines = epilog.split(":", 1)[1].replace("\\\n", " ").splitlines()
    commands = [shlex.split(line.split(" | ")[0].split(" > ")[0]) for line in lines if line.strip()]
    assert all(command[0] == "kmaskrcnn" for command in commands)
    return [command[1:] for command in commands]
