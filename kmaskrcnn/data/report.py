"""What was mended or left out of a dataset, counted and named."""

from __future__ import annotations

import threading
from pathlib import Path

from kmaskrcnn.files import write_text


class Report:
    """Repairs and omissions, each counted once however often a sample is read.

    Safe to be written from several threads. ``str(report)`` is one line a kind, with the first
    places.
    """

    def __init__(self, *parts: Report) -> None:
        """Begins empty, but for what ``parts`` count, now and later."""
        self._parts = parts
        self._places: dict[str, dict[str, None]] = {}
        self._lock = threading.Lock()

    def add(self, kind: str, place: str) -> None:
        """Counts ``kind`` (what was done) at ``place`` (file, image, annotation id)."""
        with self._lock:
            self._places.setdefault(kind, {})[place] = None

    @property
    def counts(self) -> dict[str, int]:
        """Kind → the number of places."""
        return {kind: len(places) for kind, places in self._all().items()}

    def places(self, kind: str) -> list[str]:
        """Where ``kind`` was counted, in the order of counting."""
        return list(self._all().get(kind, ()))

    def _all(self) -> dict[str, dict[str, None]]:
        """Kind → its places, of the parts and of its own."""
        everything: dict[str, dict[str, None]] = {}
        for part in self._parts:
            for kind, places in part._all().items():
                everything.setdefault(kind, {}).update(places)
        with self._lock:
            for kind, places in self._places.items():
                everything.setdefault(kind, {}).update(places)
        return everything

    def lines(self, num_places: int = 3) -> list[str]:
        """One line a kind: how many, and the first ``num_places`` places."""
        lines = []
        for kind, count in self.counts.items():
            shown = "; ".join(self.places(kind)[:num_places])
            lines.append(f"{count} × {kind}: {shown}{' …' if count > num_places else ''}")
        return lines

    def save(self, path: str | Path) -> None:
        """Writes every kind and every place as a text file."""
        lines = []
        for kind, count in self.counts.items():
            lines += [f"{count} × {kind}", *(f"    {place}" for place in self.places(kind)), ""]
        write_text(Path(path), "\n".join(lines or [str(self), ""]))

    @property
    def total(self) -> int:
        """All places of all kinds."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        return "\n".join(self.lines()) or "nothing mended, nothing left out"
