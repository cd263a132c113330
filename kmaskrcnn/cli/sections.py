"""Options in sections, where a verb takes too many for one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


class Sectioned(click.Command):
    """A verb whose help lists its options under headings.

    Args:
        sections: a heading → the names of its options; those of no section come last.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {option.name: option.get_help_record(ctx) for option in options}
        named = {name for names in self.sections.values() for name in names}
        rest = [name for name in records if name not in named]
        for title, names in {**self.sections, "Other": rest}.items():
            rows = [row for row in map(records.get, names) if row is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
