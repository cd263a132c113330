"""What a look at a dataset found, as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kmaskrcnn.data.inspection.findings import Findings, spread
from kmaskrcnn.data.inspection.training_size import HARD, SMALL


def describe(found: Findings, num_places: int) -> list[str]:
    """What to know, a line each, with the first ``num_places`` places of every kind."""
    lines = _summary(found)
    lines += _part(found, num_places)
    lines += _advice(found)
    if found.validation is not None:
        lines += ["", "validation:", *_summary(found.validation)]
        lines += _part(found.validation, num_places)
        lines += ["", *_both_parts(found)]
    copies = [_copies(group.is_leak, str(group)) for group in found.duplicates]
    lines += _grouped("duplicates", copies, num_places)
    return lines


def _summary(found: Findings) -> list[str]:
    lines = [found.description]
    if len(found.sizes):
        shares, each = found.shares(), spread(found.num_objects)
        low, middle, high = (f"{s[0]}×{s[1]}" for s in found.size_range().values())
        lines += [
            f"  images: {len(found.sizes)} usable of {len(found.sizes) + len(found.broken)}; "
            f"height×width from {low} over {middle} (median) to {high}",
            f"  objects: {found.num_objects.sum()}, of which {found.num_crowds} crowds; an image "
            f"has {each['min']:g} to {each['max']:g}, median {each['median']:g}; "
            f"{(found.num_objects == 0).sum()} images have none",
            f"  object sizes: {shares['small']:.0%} small (below 32×32 pixels), "
            f"{shares['medium']:.0%} medium (below 96×96), {shares['large']:.0%} large",
        ]
    columns = zip(found.class_names, found.class_objects, found.class_images, strict=True)
    return lines + _table([("class", "objects", "images"), *columns])


def _part(found: Findings, num_places: int) -> list[str]:
    """What is wrong with one part."""
    lines = _grouped("broken image", [(b.kind, b.reason) for b in found.broken], num_places)
    problems = [(problem.kind, str(problem)) for problem in found.problems]
    lines += _grouped("suspicious", problems, num_places)
    repairs = [(kind, place) for kind, places in found.repairs.items() for place in places]
    lines += _grouped("mended or left out", repairs, num_places)
    if not (found.broken or found.problems or found.repairs):
        lines.append("  nothing broken, nothing suspicious")
    return lines


def _advice(found: Findings) -> list[str]:
    """The image size and the anchors."""
    fit, size = found.anchor_advice, found.size_advice
    if fit is None:
        return []
    used = next(choice for choice in size.choices if choice.min_size == size.used)
    low, middle, high = spread(found.network_sides).values()
    lines = [
        f"  at the training size ({used.min_size} to {used.max_size} pixels): objects of "
        f"{low:.0f} over {middle:.0f} (median) to {high:.0f} pixels a side; {used.hard:.0%} below "
        f"{HARD:g}, {used.small:.0%} below {SMALL:g}",
        f"  suggested image size: --image-size {size.suggested} ({size.reason})",
        f"  anchors: {fit.used.unreached:.1%} of the objects overlap none by an IoU of 0.5, "
        f"{fit.used.below:.1%} are smaller than the smallest",
    ]
    if fit.worth_it:
        lines += [
            f"  suggested anchors at this image size, which leave {fit.suggested.unreached:.1%}:",
            f"    {fit.suggested.options()}",
        ]
    return lines


def _both_parts(found: Findings) -> list[str]:
    """The classes of both parts, and whether they share photographs."""
    rows = [("class", "train", "validation", "")]
    for row in found.class_rows:
        train, held_out = ("–" if n is None else str(n) for n in (row.train, row.validation))
        rows.append((row.name, train, held_out, row.remark))
    return _table(rows)


def _copies(is_leak: bool, text: str) -> tuple[str, str]:
    return "in train and in validation" if is_leak else "in one part", text


def _table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Names to the left, figures to the right, a remark behind."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = []
    for row in texts:
        figures = [f"{cell:>{width}}" for cell, width in zip(row[1:3], widths[1:3], strict=True)]
        lines.append("  ".join(["", f"{row[0]:{widths[0]}}", *figures, *row[3:]]).rstrip())
    return lines


def _grouped(title: str, found: Sequence[tuple[str, str]], num_places: int) -> list[str]:
    """A line for each kind of what was found, and one for each of its first places."""
    lines = []
    for kind, count in Counter(kind for kind, _ in found).most_common():
        places = [place for other, place in found if other == kind]
        lines.append(f"  {title}, {kind}: {count}")
        lines += [f"    {place}" for place in places[:num_places]]
        if count > num_places:
            lines.append(f"    … and {count - num_places} more")
    return lines
