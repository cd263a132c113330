"""What a look at a dataset found, as one HTML page with charts and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.inspection import pictures
from kmaskrcnn.data.inspection.charts import draw_charts
from kmaskrcnn.data.inspection.duplicates import Duplicates
from kmaskrcnn.data.inspection.findings import Findings, spread
from kmaskrcnn.data.inspection.objects import Problem
from kmaskrcnn.data.inspection.training_size import HARD, SMALL
from kmaskrcnn.data.pictures import short_name
from kmaskrcnn.ops import drawing
from kmaskrcnn.pages import picture, render

SAMPLES, CLOSE_UPS, PAIRS, PLACES = 12, 8, 12, 200
"""Pictures of samples, of each kind of problem, of duplicates; lines of each list, at most."""
SIDE, SMALL_SIDE = 480, 320  # pixels of a sample's picture, and of the others'
ADVICE = {
    "tiny": "Covers fewer than 16 pixels: rather a slip of the mouse.",
    "as large as the image": "Its box is the image itself.",
    "twice": "Another object of its class has the same box. One of them is to go.",
    "almost twice": "Its mask is nearly that of another object of its class: a copy?",
    "two classes in one place": "Another object with the same box is of another class.",
    "outline that crosses itself": "A polygon's edges cross; what lies between may be left out.",
    "reaches out of the image": "Was it annotated on this image, at this size?",
    "box that is not its mask's": "The box and the mask of one annotation lie apart.",
    "object without an area": "It is left out of the training.",
    "box without a mask": "Others have one: the whole box would be learned as its mask.",
    "unreadable": "Numbers or a class that are none.",
    "image listed twice": "It is trained on twice as often.",
    "file name in several folders": "Fine, unless results are told apart by it.",
}


@dataclass(frozen=True)
class Group:
    """One kind of what looks wrong: what it means, close-ups, and where it is."""

    kind: str
    advice: str
    count: int
    pictures: list[Markup]
    places: list[str]


def make_page(found: Findings) -> str:
    """The page.

    Raises:
        DataError: an image that is to be drawn cannot be read any more.
    """
    usable = len(found.sizes) > 0
    samples = pictures.pick(found, SAMPLES) if usable else []
    parts = {"train": found}
    if found.validation is not None:
        parts["validation"] = found.validation
    return render(
        "inspection.html",
        found=found,
        parts_of_data=parts,
        charts=draw_charts(found),
        sides=spread(found.network_sides),
        hard=HARD,
        small=SMALL,
        samples=[
            picture(
                pictures.draw(found, index, SIDE),
                max_side=SIDE,
                caption=_caption(found.dataset[index]),
            )
            for index in samples
        ],
        suspicious={name: list(_groups(part)) for name, part in parts.items()},
        copies=[_pair(parts, group) for group in found.duplicates[:PAIRS]],
        broken_rows={name: _broken_rows(part) for name, part in parts.items()},
        places=PLACES,
    )


def _broken_rows(found: Findings) -> list[tuple[str, str, int, str]]:
    return [(b.file, b.kind, b.num_objects, b.reason) for b in found.broken[:PLACES]]


def _caption(sample: Sample) -> str:
    count = len(sample.instances)
    return f"{short_name(sample)}: {count} object{'' if count == 1 else 's'}"


def _groups(found: Findings) -> Iterator[Group]:
    kinds: dict[str, list[Problem]] = {}
    for problem in found.problems:
        kinds.setdefault(problem.kind, []).append(problem)
    for kind, problems in sorted(kinds.items(), key=lambda item: -len(item[1])):
        shown = _spread_out([p for p in problems if p.image is not None], CLOSE_UPS)
        close = [
            picture(
                pictures.close_up(found.dataset[p.image or 0], p, SMALL_SIDE),
                max_side=SMALL_SIDE,
                caption=_about(p),
            )
            for p in shown
        ]
        texts = [str(problem) for problem in problems[:PLACES]]
        yield Group(kind, ADVICE.get(kind, ""), len(problems), close, texts)


def _about(problem: Problem) -> str:
    name = Path(problem.file).name
    number = "" if problem.annotation_id is None else f", annotation {problem.annotation_id}"
    return f"{name}{number}: {problem.detail}"


def _spread_out(problems: Sequence[Problem], limit: int) -> list[Problem]:
    if not problems:
        return []
    chosen = np.unique(np.linspace(0, len(problems) - 1, min(limit, len(problems))).astype(int))
    return [problems[place] for place in chosen]


def _pair(parts: dict[str, Findings], group: Duplicates) -> Markup:
    """Two images of a group side by side; of a leak, one of each part."""
    second = next((i for i, part in enumerate(group.parts) if part != group.parts[0]), 1)
    images = []
    for place in (0, second):
        sample = parts[group.parts[place]].dataset[group.indices[place]]
        images.append(drawing.fit(sample.read(), (SMALL_SIDE, SMALL_SIDE)))
    both = drawing.contact_sheet(
        images, columns=2, cell_size=(max(i.shape[0] for i in images), SMALL_SIDE), gap=4
    )
    shown = (f"{Path(group.files[i]).name} ({group.parts[i]})" for i in (0, second))
    more = f", and {len(group.files) - 2} more" if len(group.files) > 2 else ""
    caption = f"{group.likeness}: {' = '.join(shown)}{more}"
    return picture(both, max_side=2 * SMALL_SIDE + 12, caption=caption)
