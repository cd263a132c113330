"""How a picture of objects is drawn, so that it stays legible with five and with two hundred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

AUTO = "auto"
MANY = 24
"""More objects than this are a crowd: captions would hide what they name."""


class Style(NamedTuple):
    """What is drawn: colours by ``"instance"`` or ``"class"``, boxes, captions, a legend."""

    color_by: str
    boxes: bool
    captions: bool
    legend: bool


def choose_style(
    labels: Sequence[int] | np.ndarray,
    *,
    has_masks: bool,
    color_by: str = AUTO,
    boxes: bool | str = AUTO,
    captions: bool | str = AUTO,
) -> Style:
    """What suits so many objects, where it is left open.

    Few objects have each their colour, box and caption. A crowd has a legend with the number of
    each class in place of captions, colours of classes where there are several, and no boxes where
    there are masks.

    Args:
        labels: (K,) of the objects.
        has_masks: whether masks are drawn.
        color_by: ``"instance"``, ``"class"`` or ``"auto"``.
        boxes: True, False or ``"auto"``.
        captions: True: one for each object that has room for it, False, ``"legend"`` or ``"auto"``.
    """
    if color_by not in ("instance", "class", AUTO):
        raise ValueError(f"color_by: expected 'instance', 'class' or 'auto', got {color_by!r}")
    if boxes not in (True, False, AUTO):
        raise ValueError(f"boxes: expected True, False or 'auto', got {boxes!r}")
    if captions not in (True, False, "legend", AUTO):
        raise ValueError(f"captions: expected True, False, 'legend' or 'auto', got {captions!r}")
    crowd = len(labels) > MANY
    legend = captions == "legend" or (captions == AUTO and crowd)
    if color_by == AUTO:
        color_by = "class" if legend and len(set(map(int, labels))) > 1 else "instance"
    return Style(
        color_by,
        boxes=not (crowd and has_masks) if boxes == AUTO else bool(boxes),
        captions=not legend and bool(captions),
        legend=legend,
    )


def legend_rows(names: Sequence[str], color_by: str) -> list[tuple[int | None, str]]:
    """``"deer: 12"`` of each class, the most frequent first.

    Args:
        names: K class names of the objects.
        color_by: as the objects are coloured.

    Returns: pairs of an object of the class, whose colour the row has, and text; None in place of
    the object where each has its own colour.
    """
    counts = Counter(names).most_common()
    first = {name: names.index(name) for name, _ in counts}
    by_class = color_by == "class"
    return [(first[name] if by_class else None, f"{name}: {count}") for name, count in counts]
