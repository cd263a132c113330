"""What the PNG formats share: order, numbers out of pixels, and a bounded memory."""

import math
from pathlib import Path

import numpy as np
import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.formats.files import (
    MaskCache,
    Masks,
    below,
    inside,
    last_part,
    list_images,
    natural,
    read_png,
    refuse_other_sizes,
    split_names,
)
from kmaskrcnn.data.formats.outlines import usable_size
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


@pytest.mark.parametrize("folder", [Path("photos"), Path("/data/photos")])
@pytest.mark.parametrize("name", ["1.jpg", "a/1.jpg", "a\\1.jpg", "a/../1.jpg", "./1.jpg", "ä.jpg"])
def test_names_inside_of_a_folder(folder, name):
    path = inside(folder, name, "a.json")
    assert path.parts[: len(folder.parts)] == folder.parts
    assert path.name == last_part(name)


@pytest.mark.parametrize(
    "name",
    ["../1.jpg", "a/../../1.jpg", "..", "/etc/passwd", "..\\1.jpg", "C:\\1.jpg", "c:1.jpg"]
    + ["a\0b.jpg", "a\ud800.jpg", "x" * 300],
)
def test_names_that_lead_out_of_it(name):
    with pytest.raises(DataError) as caught:
        inside(Path("photos"), name, "a.json, image 7")
    assert "a.json, image 7: the file name" in str(caught.value)
    assert repr(name)[:200] in str(caught.value) and "leads out of photos" in str(caught.value)
    assert below(Path("photos"), name) is None


def test_a_whole_path_into_the_folder_is_inside(tmp_path):
    assert inside(tmp_path, str(tmp_path / "a" / "1.jpg"), "") == tmp_path / "a" / "1.jpg"


def test_a_linked_folder_is_inside(tmp_path):
    image = write_image(tmp_path / "elsewhere" / "1.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "elsewhere")
    assert inside(tmp_path / "photos", "linked/1.png", "").samefile(image)


def test_sizes_that_no_image_has():
    assert usable_size(20, 30.0) == (20, 30) and usable_size(2**20 - 1, 100) == (2**20 - 1, 100)
    for height, width in ((0, 9), (None, 9), ("9", 9), (2**20, 9), (20_000, 20_000), (9, math.nan)):
        assert usable_size(height, width) is None


def test_a_mask_of_another_size_is_not_decoded(tmp_path, monkeypatch):
    image = write_image(tmp_path / "1.jpg", 20, 30)
    sizes = [(20, 30), (30, 20)]
    masks = [write_image(tmp_path / f"{n}.png", *size) for n, size in enumerate(sizes)]
    monkeypatch.setattr("cv2.imdecode", None)  # is not asked
    refuse_other_sizes([*masks, tmp_path / "gone.png"], image)
    refuse_other_sizes([write_image(tmp_path / "b.png", 9, 9)], tmp_path / "gone.jpg")
    with pytest.raises(DataError, match=r"b\.png is 9×9 .*its image 1\.jpg 20×30"):
        refuse_other_sizes([*masks, tmp_path / "b.png"], image)


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
