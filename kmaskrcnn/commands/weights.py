"""`kmaskrcnn weights`: lists what others publish, and brings it here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from kmaskrcnn.progress import console, downloading
from kmaskrcnn.weights.hub.download import fetch, is_cached, place
from kmaskrcnn.weights.hub.published import PublishedWeights, names, published, rows


def run(wanted: str | None, as_json: bool) -> None:
    """Lists the published weights, or brings those of one preset into the cache."""
    found = rows() if wanted is None else (chosen(wanted),)
    paths = [] if wanted is None else [download(row, bar=not as_json) for row in found]
    if as_json:
        print(json.dumps([record(row) for row in found], indent=1))
    elif paths:
        console.print(str(paths[0]))
    else:
        print_weights(found)


def chosen(wanted: str) -> PublishedWeights:
    """The row of ``preset:weights``; of a preset alone ``coco``, or else the first that it has."""
    preset_name, _, name = wanted.partition(":")
    there = names(preset_name)
    default = "coco" if "coco" in there or not there else there[0]
    return published(preset_name, name or default)


def download(row: PublishedWeights, bar: bool) -> Path:
    """Into the cache; without a terminal, or a bar, standard error says what takes long."""
    if not (bar and console.is_terminal):
        return fetch(row)
    with downloading(row.file_name) as progress:
        return fetch(row, progress=progress)


def record(row: PublishedWeights) -> dict[str, Any]:
    """All that is known of a row, for JSON."""
    return {**asdict(row), "cached": is_cached(row), "path": str(place(row))}


def print_weights(found: Sequence[PublishedWeights]) -> None:
    """One line for each file, in 80 columns, and the licences below."""
    kinds = ("box", "mask", "keypoint")
    table = Table("preset", "weights", "MiB", "box", "mask", "points", "here", box=None)
    table.padding, table.pad_edge = (0, 1, 0, 0), False
    for row in found:
        size = row.size / 2**20 if row.size else row.mib
        figures = (row.ap.get(kind) for kind in kinds)
        cells = ("–" if figure is None else f"{figure:.1f}" for figure in figures)
        mib = "–" if size is None else f"{size:.0f}"
        table.add_row(row.preset, row.name, mib, *cells, "yes" if is_cached(row) else "no")
    console.print(table)
    licences = dict.fromkeys((row.preset.partition("/")[0], row.licence) for row in found)
    stated = "; ".join(f"{family} {licence}" for family, licence in licences)
    console.print(f"\nAP in percent, as the authors state it. Licences: {stated}.")
    console.print("Addresses, checksums, places: --json.")
