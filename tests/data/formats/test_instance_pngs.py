"""One PNG per instance, in both layouts."""

import json

import numpy as np
import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image, write_mask
from tests.shared import shared_path


def square(left: int, value: int = 255, size=(20, 30)) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    mask[5:9, left : left + 4] = value
    return mask


def write_cells(folder, ids=("a", "b", "c"), num_masks=2):
    for name in ids:
        write_image(folder / name / "images" / f"{name}.png")
        (folder / name / "masks").mkdir()
        for number in range(num_masks):
            write_mask(folder / name / "masks" / f"{number}.png", square(number * 6))
    return folder


def test_a_folder_per_image(tmp_path):
    dataset = load(write_cells(tmp_path), class_name="nucleus")
    assert dataset.class_names == ("nucleus",) and len(dataset) == 3
    assert dataset.class_counts() == [6]
    sample = dataset[1]
    assert sample.image == tmp_path / "b/images/b.png" and sample.image_id == "b"
    assert sample.size == (20, 30)
    assert [i.annotation_id for i in sample.instances] == ["0", "1"]
    for number, instance in enumerate(sample.instances):
        got = full_mask(*decode_window(instance.mask), (20, 30))
        np.testing.assert_array_equal(got, square(number * 6) > 0)
    assert "one PNG per instance" in dataset.description and "6 objects" in dataset.description


def test_one_step_further_down_and_every_value_counts(tmp_path):
    write_cells(tmp_path / "stage1_train", ["a"])
    write_mask(tmp_path / "stage1_train/a/masks/0.png", square(3, value=1))
    _, crop = decode_window(load(tmp_path)[0].instances[0].mask)
    assert crop.sum() == 16


def test_splits(tmp_path):
    write_cells(tmp_path)
    (tmp_path / "splits.json").write_text(json.dumps({"train": ["c", "a"], "val": ["b"]}))
    assert [s.image_id for s in load(tmp_path, split="train")] == ["c", "a"]
    assert [s.image_id for s in load(f"{tmp_path}#val")] == ["b"]
    assert [s.image_id for s in load(tmp_path, split="valid")] == ["b"]
    assert len(load(tmp_path)) == 3
    with pytest.raises(
        DataError, match=r"splits\.json: no list under 'test'; there are train, val"
    ):
        load(tmp_path, split="test")
    (tmp_path / "splits.json").write_text(json.dumps({"train": ["c", "z"]}))
    with pytest.raises(DataError, match="no folder for 1 ids of the split, such as 'z'"):
        load(tmp_path, split="train")
    (tmp_path / "splits.json").unlink()
    with pytest.raises(DataError, match=r"splits\.json: the split 'train' is asked for"):
        load(tmp_path, split="train")


def test_images_without_masks_are_kept_and_empty_masks_counted(tmp_path):
    write_cells(tmp_path, ["a"])
    write_mask(tmp_path / "a/masks/1.png", square(0, value=0))
    write_cells(tmp_path, ["b"], num_masks=0)
    dataset = load(tmp_path)
    assert [len(sample.instances) for sample in dataset] == [1, 0]
    assert len(dataset.report.places("mask without a pixel left out")) == 1
    assert "image without a mask file kept" in str(dataset.report)


def test_masks_are_read_once(tmp_path):
    dataset = load(write_cells(tmp_path, ["a"]))
    first = dataset[0].instances
    for path in (tmp_path / "a/masks").iterdir():
        path.unlink()
    assert [i.mask for i in dataset[0].instances] == [i.mask for i in first]


def test_bad_files_are_named(tmp_path):
    write_cells(tmp_path, ["a"])
    write_mask(tmp_path / "a/masks/1.png", square(0, size=(20, 31)))
    with pytest.raises(DataError, match=r"1\.png is 20×31 .* its image a.png 20×30"):
        load(tmp_path)[0]
    image = (tmp_path / "a/images/a.png").read_bytes()
    (tmp_path / "a/images/a.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1\.png is 20×31 .*0\.png is 20×30"):
        load(tmp_path)[0]
    (tmp_path / "a/images/a.png").write_bytes(image)
    (tmp_path / "a/masks/1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"1\.png: not a PNG that can be decoded"):
        load(tmp_path)[0]
    dataset = load(tmp_path)
    (tmp_path / "a/masks/1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png: the mask cannot be read"):
        dataset[0]


def test_no_masks_at_all(tmp_path):
    with pytest.raises(DataError, match="3 images, but no masks"):
        load(write_cells(tmp_path, num_masks=0))


def test_a_folder_with_no_image(tmp_path):
    write_cells(tmp_path, ["a", "b"])
    (tmp_path / "b/images/b.png").unlink()
    with pytest.raises(DataError, match="0 images; expected one"):
        load(tmp_path)


def test_masks_named_after_image_and_class(tmp_path):
    write_image(tmp_path / "photos" / "x_1.jpg")
    write_image(tmp_path / "photos" / "x_10.jpg")
    for number, name in enumerate(["x_1_big_cat_0", "x_1_dog_1", "x_10_dog_0", "x_10_dog_2"]):
        write_mask(tmp_path / "annotations" / f"{name}.png", square(number * 5))
    dataset = load(tmp_path)
    assert dataset.class_names == ("big_cat", "dog") and dataset.class_counts() == [1, 3]
    assert [s.image.name for s in dataset] == ["x_1.jpg", "x_10.jpg"]
    assert [[i.label for i in s.instances] for s in dataset] == [[0, 1], [1, 1]]
    assert dataset[0].instances[0].annotation_id == "x_1_big_cat_0"


def test_masks_without_a_class(tmp_path):
    write_image(tmp_path / "images" / "a.png")
    write_mask(tmp_path / "masks" / "a_1.png", square(3))
    write_mask(tmp_path / "masks" / "a_2.png", square(9))
    assert load(tmp_path, class_name="leaf").class_names == ("leaf",)


def test_a_mask_without_an_image(tmp_path):
    write_image(tmp_path / "images" / "a.png")
    write_mask(tmp_path / "masks" / "b_cat_1.png", square(3))
    with pytest.raises(DataError, match=r"b_cat_1\.png: no image belongs to this mask"):
        load(tmp_path)


def test_the_examples_of_pycococreator():
    dataset = load(shared_path("datasets/shapes_pycococreator"))
    assert dataset.class_names == ("circle", "square") and dataset.class_counts() == [2, 3]
    assert [len(sample.instances) for sample in dataset] == [1, 4]


def test_real_nuclei():
    dataset = load(shared_path("datasets/dsb2018_nuclei"), split="train", class_name="nucleus")
    assert len(dataset) == 100 and dataset.class_counts() == [4638]
    sample = dataset[0]
    assert len(sample.instances) > 0 and sample.size is not None
