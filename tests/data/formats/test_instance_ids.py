"""Instance-id PNGs: one mask file per image, whose values are numbers."""

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image, write_mask

IDS = np.zeros((20, 30), np.uint16)
IDS[2:8, 3:9] = 1
IDS[10:15, 3:9] = 700
IDS[2:5, 20:29] = IDS[17:19, 20:29] = 4


def write_walkers(folder, mask=IDS, name="p1_mask.png"):
    write_image(folder / "PNGImages" / "p1.png")
    write_mask(folder / "PedMasks" / name, mask)
    return folder


def masks_of(dataset) -> list[np.ndarray]:
    return [full_mask(*decode_window(i.mask), (20, 30)) for i in dataset[0].instances]


@pytest.mark.parametrize("name", ["p1.png", "p1_mask.png"])
def test_sixteen_bits(tmp_path, name):
    dataset = load(write_walkers(tmp_path, name=name), class_name="person")
    assert dataset.class_names == ("person",) and dataset.class_counts() == [3]
    assert "instance-id PNGs" in dataset.description
    for mask, number in zip(masks_of(dataset), [1, 4, 700], strict=True):
        np.testing.assert_array_equal(mask, IDS == number)
    assert dataset[0].instances[2].annotation_id == f"{name[:-4]}:700"
    assert dataset[0].size == (20, 30)


def test_palettes_and_colours_are_numbers(tmp_path):
    """As PennFudan (a palette) and panoptic files (colours) come."""
    colours = np.zeros((20, 30, 3), np.uint8)
    colours[IDS == 1] = (0, 0, 128)
    colours[IDS == 700] = (0, 128, 0)
    colours[IDS == 4] = (128, 0, 0)
    dataset = load(write_walkers(tmp_path, colours))
    got = {mask.tobytes() for mask in masks_of(dataset)}
    assert got == {(IDS == number).tobytes() for number in (1, 4, 700)}


def test_alpha_is_no_number(tmp_path):
    colours = np.zeros((20, 30, 4), np.uint8)
    colours[..., 3] = 255
    colours[IDS == 1, :3] = 9
    dataset = load(write_walkers(tmp_path, colours))
    np.testing.assert_array_equal(masks_of(dataset), [IDS == 1])


def test_images_without_a_mask_or_an_object_are_kept(tmp_path):
    write_walkers(tmp_path)
    write_image(tmp_path / "PNGImages" / "p2.png")
    write_image(tmp_path / "PNGImages" / "p3.png")
    write_mask(tmp_path / "PedMasks" / "p3_mask.png", IDS * 0)
    dataset = load(tmp_path)
    assert [len(sample.instances) for sample in dataset] == [3, 0, 0]
    assert "image without a mask file kept as an image without objects" in dataset.report.counts
    assert "mask file without an object" in dataset.report.counts


def test_splits_are_folders(tmp_path):
    write_walkers(tmp_path / "train")
    write_walkers(tmp_path / "val")
    assert str(load(tmp_path, split="valid")[0].image).startswith(str(tmp_path / "val"))


def test_broken_masks_are_named(tmp_path):
    dataset = load(write_walkers(tmp_path))
    (tmp_path / "PedMasks/p1_mask.png").write_bytes(cv2.imencode(".png", IDS)[1].tobytes()[:20])
    with pytest.raises(DataError, match=r"p1_mask\.png: the mask is cut off after 20 bytes"):
        dataset[0]
