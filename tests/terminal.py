"""A command line run inside the tests' process."""

from click.testing import CliRunner, Result

from kmaskrcnn import cli


def run(*args: object) -> Result:
    """Runs ``kmaskrcnn ARGS``; gives exit code and output."""
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])
