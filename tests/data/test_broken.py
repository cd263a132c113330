"""Broken images: every kind is found by its header or by decoding, left out, counted and named."""

import json

import cv2
import numpy as np
import pytest

from kmaskrcnn.data import DataError, Instance, Sample, find_broken, load, without_broken
from kmaskrcnn.data.headers import look_at
from tests.data.samples import ListDataset, annotation, noise_image, write_image, write_mask
from tests.shared import shared_path

SIZE = (20, 30)


def cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def damaged_png(path):
    """One bit of a pixel's chunk turned: the file is as long as it was."""
    data = bytearray(write_image(path).read_bytes())
    data[data.index(b"IDAT") + 20] ^= 1
    path.write_bytes(data)
    return path


def broken_folder(folder):
    """A COCO file of seven images, of which the first alone is sound."""
    write_image(folder / "sound.png")
    cut(write_image(folder / "cut.png"))
    cut(write_image(folder / "cut.jpg"))
    damaged_png(folder / "damaged.png")
    (folder / "text.jpg").write_text("no image at all")
    write_image(folder / "large.png", 40, 60)
    names = ["sound.png", "cut.png", "cut.jpg", "damaged.png", "text.jpg", "large.png", "gone.jpg"]
    content = {
        "images": [
            {"id": i, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
            for i, name in enumerate(names)
        ],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [annotation(id=i, image_id=i) for i in range(len(names))],
    }
    (folder / "a.json").write_text(json.dumps(content))
    return folder / "a.json"


KINDS = {
    "cut.png": "cut off or damaged",
    "cut.jpg": "cut off or damaged",
    "damaged.png": "cut off or damaged",
    "text.jpg": "not an image",
    "large.png": "of another size",
    "gone.jpg": "missing",
}


def test_every_kind_is_left_out_and_counted_with_file_and_reason(tmp_path):
    dataset = load(broken_folder(tmp_path), skip_broken=True)
    assert len(dataset) == 1 and dataset[0].image == tmp_path / "sound.png"
    assert {b.file.rsplit("/", 1)[-1]: b.kind for b in dataset.broken} == KINDS
    assert dataset.report.counts == {
        "image left out, cut off or damaged": 3,
        "image left out, not an image": 1,
        "image left out, of another size": 1,
        "image left out, missing": 1,
    }
    (large,) = dataset.report.places("image left out, of another size")
    assert "large.png is 40×60" in large and "says 20×30" in large and "(1 objects)" in large
    assert dataset.class_counts() == [1] and dataset.category_ids == (1,)
    assert "of which 6 images are left out as broken" in dataset.description


def test_without_being_told_to_the_first_is_an_error(tmp_path):
    path = broken_folder(tmp_path)
    with pytest.raises(DataError, match=r"a\.json: 1 of 7 images are missing .*: gone\.jpg"):
        load(path)
    (tmp_path / "gone.jpg").write_bytes(b"")
    assert len(load(path)) == 7


def test_a_sound_dataset_stays_itself():
    data = ListDataset([Sample(noise_image(*SIZE), size=SIZE), Sample(noise_image(9, 9))])
    assert without_broken(data) is data


def test_any_dataset_can_be_freed_of_its_broken_images(tmp_path):
    """Arrays of another size, files without a stated size, and samples that cannot be had."""

    class Own(ListDataset):
        def __getitem__(self, index):
            if index == 3:
                raise OSError("the server is gone")
            return super().__getitem__(index)

    objects = [Instance(0, box=(0, 0, 4, 4))]
    samples = [
        Sample(noise_image(*SIZE), objects, size=SIZE),
        Sample(noise_image(*SIZE), objects, size=(30, 20), image_id=5),
        Sample(cut(write_image(tmp_path / "a.jpg")), objects),
        Sample(noise_image(*SIZE)),
        Sample(write_image(tmp_path / "b.bmp"), objects),
    ]
    told = []
    found = find_broken(Own(samples), lambda done, total: told.append((done, total)))
    assert [(b.index, b.kind) for b in found] == [
        (1, "of another size"),
        (2, "cut off or damaged"),
        (3, "unreadable annotation"),
    ]
    assert "the server is gone" in found[2].reason and told == [(i, 5) for i in range(1, 6)]
    sound = without_broken(Own(samples))
    assert sound.indices == (0, 4) and sound.report.total == 3
    assert "image 5 is 20×30" in str(sound.report)


def test_nothing_left_is_an_error(tmp_path):
    data = ListDataset([Sample(tmp_path / "a.jpg"), Sample(tmp_path / "b.jpg")])
    with pytest.raises(DataError, match=r"none of the 2 images can be used; the first: .*a\.jpg"):
        without_broken(data)


def test_folders_of_masks(tmp_path):
    """An id without an image, one with two, one whose mask is broken, one that has no folder."""
    for name, images in {"a": 1, "b": 0, "c": 2, "d": 1}.items():
        (tmp_path / name / "images").mkdir(parents=True)
        for number in range(images):
            write_image(tmp_path / name / "images" / f"{number}.png", *SIZE)
        write_mask(tmp_path / name / "masks" / "1.png", np.eye(*SIZE, dtype=np.uint8))
    cut(tmp_path / "d" / "masks" / "1.png", 0.9)
    (tmp_path / "splits.json").write_text(json.dumps({"train": list("abcde")}))
    with pytest.raises(DataError, match="no folder for 1 ids of the split, such as 'e'"):
        load(tmp_path, split="train")
    with pytest.raises(DataError, match="0 images; expected one"):
        load(tmp_path)
    dataset = load(tmp_path, split="train", skip_broken=True)
    assert [dataset[i].image_id for i in range(len(dataset))] == ["a"]
    assert dataset.report.counts == {
        "id of the split left out, it has no folder": 1,
        "image left out, missing": 2,
        "image left out, unreadable annotation": 1,
    }
    assert "c/images/one image (2 are there)" in str(dataset.report)
    assert "d/masks/1.png: the mask is cut off after" in str(dataset.report)


def test_a_mask_of_no_image(tmp_path):
    for name in ("images/a.png", "masks/a.png", "masks/b.png"):
        write_mask(tmp_path / name, np.eye(*SIZE, dtype=np.uint8))
    with pytest.raises(DataError, match=r"b\.png: no image belongs to this mask"):
        load(tmp_path)
    dataset = load(tmp_path, skip_broken=True)
    assert len(dataset) == 1
    assert dataset.report.places("mask left out, no image belongs to it") == [
        str(tmp_path / "masks" / "b.png")
    ]


def test_an_exif_rotation_is_no_other_size(tmp_path):
    """20 × 30 stored, to be shown upright as 30 × 20: either annotation fits, a third does not."""
    path = write_image(tmp_path / "a.jpg")
    data = path.read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    sizes = [(20, 30), (30, 20), (30, 30), None]
    found = find_broken(ListDataset([Sample(path, size=size) for size in sizes]))
    assert [b.index for b in found] == [2]


def large_jpeg(path):
    pixels = np.random.default_rng(0).integers(0, 256, (500, 700, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert path.stat().st_size > 2**18 + 2**12
    return path


def test_a_large_jpeg_is_judged_by_its_head_and_its_end(tmp_path):
    path = large_jpeg(tmp_path / "a.jpg")
    assert look_at(path) == ((500, 700), True)
    path.write_bytes(path.read_bytes() + b"\0" * 9000)  # as some cameras append
    assert look_at(path) == ((500, 700), True)
    assert look_at(cut(large_jpeg(path))) == ((500, 700), False)
    assert look_at(cut(large_jpeg(path), 0.99)) == ((500, 700), False)


def test_a_header_of_nothing(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    assert look_at(tmp_path / "a.jpg") is None and look_at(tmp_path / "b.jpg") is None
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert look_at(tmp_path / "a.png") == (None, False)


def test_real_photographs_are_sound():
    data = load(shared_path("datasets/fruits_nuts"))
    assert find_broken(data) == [] and load(data.path, skip_broken=True)[0].size == (600, 800)
