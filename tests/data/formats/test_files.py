"""What the PNG formats share: order, numbers out of pixels, and a bounded memory."""

from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.data.formats.files import (
    MaskCache,
    Masks,
    list_images,
    natural,
    read_png,
    split_names,
)
from kmaskrcnn.data.rle import encode
from tests.data.samples import write_image, write_mask


def test_numbers_count_as_numbers():
    names = ["a10.png", "a2.png", "a1.png", "b1.png"]
    assert [p.name for p in sorted(map(Path, names), key=natural)] == [
        "a1.png",
        "a2.png",
        "a10.png",
        "b1.png",
    ]


def test_only_images_are_listed(tmp_path):
    write_image(tmp_path / "b.PNG")
    write_image(tmp_path / "a.jpg")
    for name in ("notes.txt", ".hidden.png"):
        (tmp_path / name).write_text("")
    assert [p.name for p in list_images(tmp_path)] == ["a.jpg", "b.PNG"]
    assert list_images(tmp_path / "gone") == []


def test_colours_become_different_numbers(tmp_path):
    colours = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [255, 255, 255]]], np.uint8)
    assert len(np.unique(read_png(write_mask(tmp_path / "c.png", colours)))) == 5


def test_the_names_of_the_validation_split():
    assert split_names("train") == ("train",)
    assert split_names("valid")[0] == "valid" and set(split_names("val")) == set(split_names("dev"))


@pytest.mark.parametrize("max_bytes, num_reads", [(2**20, 4), (0, 8), (500, 6)])
def test_masks_are_kept_within_the_bound(max_bytes, num_reads):
    """Four images of some 210 bytes each: all are kept, none, or those that fit."""
    reads = []

    def read(index: int) -> Masks:
        reads.append(index)
        return Masks([encode(np.eye(4, dtype=bool))], ["a"], [0], (4, 4))

    cache = MaskCache(read, max_bytes)
    for index in [0, 1, 2, 3] * 2:
        assert cache[index].size == (4, 4)
    assert len(reads) == num_reads
