"""The examples of docs/detections.md run, one after the other, and write what they say."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import kmaskrcnn
from tests.detections.some import of_masks, random_masks
from tests.floors import ROOT

TEXT = (ROOT.parent / "docs" / "detections.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


class Model:
    """Finds the same objects in every photograph."""

    def predict(self, source) -> list[kmaskrcnn.Detections]:
        paths = sorted(Path(source).glob("*.png")) if Path(source).is_dir() else [Path(source)]
        found = of_masks(random_masks(6, (120, 160), side=60))
        return [found.replaced(image=path) for path in paths]


def test_the_examples_run(tmp_path, monkeypatch):
    for extra in ("pandas", "supervision"):
        pytest.importorskip(extra, reason=f"an extra: pip install kmaskrcnn[{extra}]")
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    Path("photos").mkdir()
    for name in ("photo.jpg", "photos/1.png", "photos/2.png"):
        cv2.imwrite(name, image)
    world = {"model": Model(), "kmaskrcnn": kmaskrcnn}
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"docs/detections.md, block {number}", "exec"), world)
    for name in ("found.jpg", "classes.png", "found.csv", "found.json", "photos/2.json"):
        assert Path(name).stat().st_size > 0
    assert len(world["train"]) == 2 and len(world["table"]) == 6
    assert world["mine"].measure()["centroid_x"] == pytest.approx([40])
    assert len(world["theirs"]) == len(world["results"]) == 6


def test_it_names_every_method():
    public = {name for name in vars(kmaskrcnn.Detections) if not name.startswith("_")}
    assert [name for name in sorted(public) if f".{name}(" not in TEXT] == []
