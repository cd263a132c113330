"""One door to every format: looks at what is there, and says what it found."""

from __future__ import annotations

from pathlib import Path

from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.formats.coco import CocoDataset


def load(path: str | Path, images: str | Path | None = None, split: str | None = None) -> Dataset:
    path = Path(path)
    if path.is_dir():
        path = next(path.glob("*.json"))
    return CocoDataset(path, images)
