"""`kmaskrcnn doctor`: prints the diagnosis. Neither TensorFlow nor anything else need be whole."""

from __future__ import annotations

import json
import sys

import click

from kmaskrcnn import doctor

PLAIN = {"✓": "ok", "✗": "x", "–": "-", "…": "..."}  # for terminals without these letters


def run(forward_pass: bool, as_json: bool) -> None:
    """Prints what is found; ends with code 1 where something has to be mended."""
    facts = doctor.diagnose(forward_pass)
    if as_json:
        click.echo(json.dumps(facts, indent=1))
    else:
        for line in doctor.lines(facts):
            click.echo(printable(line))
    if facts["problems"]:
        click.get_current_context().exit(1)


def printable(line: str) -> str:
    """The line in letters that the terminal has."""
    encoding = sys.stdout.encoding or "ascii"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        for letter, plain in PLAIN.items():
            line = line.replace(letter, plain)
        line = line.encode(encoding, "replace").decode(encoding)
    return line
