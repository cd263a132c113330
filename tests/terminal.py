"""Command lines: run inside the tests' process, and read from the help."""

import inspect
import shlex
from dataclasses import dataclass

from click.testing import CliRunner

from kmaskrcnn import cli


@dataclass(frozen=True)
class Run:
    """How a command line ended, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str
    exception: BaseException | None

    @property
    def output(self) -> str:
        """Both, one behind the other."""
        return self.stdout + self.stderr


def run(*args: object, **options: object) -> Run:
    """Runs ``kmaskrcnn ARGS``; options are those of click's runner."""
    apart = "mix_stderr" in inspect.signature(CliRunner).parameters  # click 8.1
    runner = CliRunner(**({"mix_stderr": False} if apart else {}))
    done = runner.invoke(cli.main, [str(arg) for arg in args], prog_name="kmaskrcnn", **options)
    return Run(done.exit_code, done.stdout, done.stderr, done.exception)


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
