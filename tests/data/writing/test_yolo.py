"""Labels of YOLO, read as their documentation says, line by line."""

from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from kmaskrcnn.data import Instance, write
from kmaskrcnn.data.polygons import rasterise
from kmaskrcnn.ops.regions import Region, to_rle
from tests.data.samples import noise_image
from tests.data.writing.objects import SIZE, codes, everything, one, square


def read_labels(path: Path) -> tuple[list[int], list]:
    """Classes and run lengths of a file for an image of ``SIZE``."""
    rows = [line.split() for line in path.read_text().splitlines()]
    rings = [np.reshape(row[1:], (-1, 2)).astype(float) * SIZE[::-1] for row in rows]
    masks = [to_rle(Region(*rasterise([ring], SIZE)), SIZE) for ring in rings]
    return [int(row[0]) for row in rows], masks


def test_the_files(tmp_path):
    before, out = everything(tmp_path), tmp_path / "out"
    assert write(before, out, "yolo").total == 0
    assert (out / "data.yaml").read_text() == (
        'train: images/\nnames:\n  0: "Katze, groß"\n  1: "dog"\n'
    )
    for sample, name in zip(before.samples, ("1", "b_1", "x_y"), strict=True):
        assert (out / "images" / f"{name}.png").is_file()
        labels, masks = read_labels(out / "labels" / f"{name}.txt")
        assert labels == [i.label for i in sample.instances]
        if labels:
            overlaps = coco_mask.iou(masks, codes(sample), [0] * len(labels))
            assert np.diag(overlaps).min() >= 0.98


def test_polygons_that_overlap_or_leave_the_image(tmp_path):
    """Two polygons of one object are its union, not what lies in just one of them."""
    before = one(
        Instance(0, [square(2, 2, 10), square(8, 8, 10)]),
        Instance(0, [square(50, 30, 25)]),
        Instance(0, [square(100, 30, 25)], annotation_id="outside"),
    )
    report = write(before, tmp_path / "out", "yolo")
    assert report.counts == {"object left out, it has no pixel in the image": 1}
    labels, masks = read_labels(tmp_path / "out" / "labels" / "5.txt")
    overlaps = coco_mask.iou(masks, codes(before[0])[:2], [0, 0])
    assert labels == [0, 0] and np.diag(overlaps).min() >= 0.98


def test_an_outline_stays_as_short_as_it_is(tmp_path):
    write(one(Instance(0, [square(2, 2, 10)]), image=noise_image(40, 80)), tmp_path / "out", "yolo")
    text = (tmp_path / "out" / "labels" / "5.txt").read_text()
    assert text == "0 0.025 0.05 0.15 0.05 0.15 0.3 0.025 0.3\n"
