"""`kmaskrcnn weights`: lists what others publish, and brings it here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from kmaskrcnn.progress import console, downloading
from kmaskrcnn.weights.hub.download import fetch, is_cached, place
from kmaskrcnn.weights.hub.published import PublishedWeights, names, published, rows


def run(wanted: str | None) -> list[dict[str, Any]]:
    """What is known of the published weights; those of one preset are brought into the cache."""
    if wanted is None:
        return [record(row) for row in rows()]
    row = chosen(wanted)
    return [{**record(row), "path": str(download(row)), "downloaded": True}]


def show(found: Sequence[dict[str, Any]]) -> None:
    """The table; after a download where the file lies."""
    if len(found) == 1 and found[0].get("downloaded"):
        console.print(found[0]["path"])
    else:
        print_table(found)


def chosen(wanted: str) -> PublishedWeights:
    """The row of ``preset:weights``; of a preset alone ``coco``, or else the first that it has."""
    preset_name, _, name = wanted.partition(":")
    there = names(preset_name)
    default = "coco" if "coco" in there or not there else there[0]
    return published(preset_name, name or default)


def download(row: PublishedWeights) -> Path:
    """Into the cache; where no bar can be shown, standard error says what takes long."""
    if not console.is_terminal:
        return fetch(row)
    with downloading(row.file_name) as progress:
        return fetch(row, progress=progress)


def record(row: PublishedWeights) -> dict[str, Any]:
    """All that is known of a row, for JSON."""
    return {**asdict(row), "cached": is_cached(row), "path": str(place(row))}


def print_table(found: Sequence[Mapping[str, Any]]) -> None:
    """One line for each file, in 80 columns, and the licences below."""
    table = Table("preset", "weights", "MiB", "box", "mask", "points", "here", box=None)
    table.padding, table.pad_edge = (0, 1, 0, 0), False
    for row in found:
        size = row["size"] / 2**20 if row["size"] else row["mib"]
        figures = (row["ap"].get(kind) for kind in ("box", "mask", "keypoint"))
        cells = ("–" if figure is None else f"{figure:.1f}" for figure in figures)
        mib = "–" if size is None else f"{size:.0f}"
        here = "yes" if row["cached"] else "no"
        table.add_row(row["preset"], row["name"], mib, *cells, here)
    console.print(table)
    licences = dict.fromkeys((row["preset"].partition("/")[0], row["licence"]) for row in found)
    stated = "; ".join(f"{family} {licence}" for family, licence in licences)
    console.print(f"\nAP in percent, as the authors state it. Licences: {stated}.")
    console.print("Addresses, checksums, places: --json.")
