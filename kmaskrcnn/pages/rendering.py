"""A template and what goes into it, as one HTML file."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
_HEADING = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>', re.DOTALL)


def render(template: str, **context: Any) -> str:
    """The page that a template of ``templates/`` makes of its context.

    Every text is escaped on its way in, since names of files and classes are anybody's; what
    `figure` and `picture` return is not. The page forbids the browser to load or run anything.

    Args:
        template: a file name; it extends ``base.html`` and fills the blocks ``title`` and ``body``.
        context: what the template names.

    Returns:
        An HTML document.

    Raises:
        jinja2.UndefinedError: the template names something that the context lacks.
    """
    return _environment().get_template(template).render(context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["headings"] = headings
    environment.filters["grouped"] = "{:,}".format
    return environment


def headings(body: str) -> list[tuple[str, Markup]]:
    """The id and the text of every ``h2`` of a page's body: its table of contents."""
    return [(name, Markup(text)) for name, text in _HEADING.findall(body)]
