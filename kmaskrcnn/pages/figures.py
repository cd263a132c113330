"""Figures of matplotlib as SVG inside a page, legible on a light and on a dark ground."""

from __future__ import annotations

import hashlib
import io
import re
import threading
import warnings
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from kmaskrcnn.ops.drawing import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#000000"
"""The colour that is the page's own: black on light, white on dark."""
COLORS = tuple("#{:02x}{:02x}{:02x}".format(*color) for color in PALETTE)
"""The colours of the pictures' objects, in their order."""
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: sharp, small, and can be searched
    "svg.hashsalt": "kmaskrcnn",  # the same figure is the same file
}
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings are the process's
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')


def new_figure(width: float = 6.0, height: float = 3.2) -> Figure:
    """An empty figure of a page's style, in inches, without pyplot, so that threads are fine."""
    from matplotlib.figure import Figure  # slow to import

    return Figure(figsize=(width, height), layout="constrained")


def figure(drawn: Figure, caption: str = "") -> Markup:
    """A figure as inline SVG, which scales with the page.

    Its ground is transparent and what is black in it (`INK`) takes the page's colour of text. Ids
    are unique to it, so that many figures stand on one page.

    Args:
        drawn: of matplotlib.
        caption: a text below.
    """
    buffer = io.StringIO()
    with _ONE_AT_A_TIME:
        from matplotlib import rc_context
        from matplotlib.text import Text

        with rc_context(_STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # the browser has fonts of its own
            for text in drawn.findobj(Text):
                text.set_parse_math(False)  # a class may be called "$x"
            metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            drawn.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    svg = _own_ids(buffer.getvalue()[buffer.getvalue().index("<svg") :])
    svg = svg.replace(INK, "currentColor")
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Markup('<figure class="chart">{}{}</figure>').format(Markup(svg), below)


def _own_ids(svg: str) -> str:
    """The same SVG with only the ids that it refers to, which begin with its checksum."""
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8] + "-"
    used = {name for _, name in _REFERENCE.findall(svg)}
    svg = _ID.sub(lambda match: f'id="{prefix}{match[1]}"' if match[1] in used else "", svg)
    return _REFERENCE.sub(lambda match: match[1] + prefix + match[2], svg)
