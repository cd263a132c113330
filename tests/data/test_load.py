"""One door: what is behind it is recognised, or the message says what was looked for and found."""

import json
from pathlib import Path

import pytest

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats import opening
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.formats.instance_pngs import InstancePngDataset
from kmaskrcnn.data.formats.json_files import JsonFile
from kmaskrcnn.data.formats.labelme import LabelMeDataset
from kmaskrcnn.data.load import FORMATS
from tests.data.samples import annotation, coco_content, write_coco, write_image
from tests.shared import shared_path

CONTENT = coco_content([annotation()])


def test_a_coco_file(tmp_path):
    assert isinstance(load(write_coco(tmp_path, CONTENT)), CocoDataset)


def test_a_coco_file_with_images_elsewhere(tmp_path):
    path = write_coco(tmp_path / "a", CONTENT)
    image = write_image(tmp_path / "b" / "1.png")
    assert load(path, images=tmp_path / "b")[0].image == image
    assert load(tmp_path / "a", images=str(tmp_path / "b"))[0].image == image


def test_a_folder_that_holds_a_coco_file(tmp_path):
    write_coco(tmp_path, CONTENT, "_annotations.coco.json")
    assert isinstance(load(str(tmp_path)), CocoDataset)


def test_other_files_of_coco_do_not_confuse(tmp_path):
    write_coco(tmp_path, CONTENT)
    for name in ("captions_train.json", "panoptic_train.json", "config.json"):
        (tmp_path / name).write_text("{}")
    assert load(tmp_path).path.name == "instances.json"


@pytest.mark.parametrize("split", ["train", "valid", "val"])
def test_splits_of_a_download(tmp_path, split):
    """As Roboflow exports them: a folder a part."""
    for part in ("train", "valid"):
        write_coco(tmp_path / part, CONTENT, "_annotations.coco.json")
    found = load(tmp_path, split=split)
    assert found.path.parent.name == {"val": "valid"}.get(split, split)
    assert load(f"{tmp_path}#{split}").path == found.path
    with pytest.raises(DataError, match="several annotation files .train/_annotations.*Name one"):
        load(tmp_path)


def test_splits_of_coco_itself(tmp_path):
    for part in ("train2017", "val2017"):
        path = tmp_path / "annotations" / f"instances_{part}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(CONTENT))
        write_image(tmp_path / part / "1.png")
    assert load(tmp_path, split="val")[0].image == tmp_path / "val2017" / "1.png"
    assert load(tmp_path, split="train2017")[0].image == tmp_path / "train2017" / "1.png"


def test_a_real_hash_in_a_name_is_no_split(tmp_path):
    write_coco(tmp_path / "a#b", CONTENT)
    assert len(load(tmp_path / "a#b")) == 1


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder. Found in .*Expected one"):
        load(tmp_path / "gone")
    with pytest.raises(DataError, match="no format is recognised.*Found: nothing"):
        load(tmp_path)


def test_nothing_known(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "1.json").write_text("[]")
    with pytest.raises(DataError, match=r"1\.json: not a COCO instances file: the top is a list"):
        load(tmp_path)
    (tmp_path / "2.json").write_text("{}")
    with pytest.raises(DataError, match=r"Found: 1\.json, 2\.json, labels/\..*the top is a list"):
        load(tmp_path)
    with pytest.raises(DataError, match="no format is recognised with a split 'train'"):
        load(tmp_path, split="train")


def test_a_text_file(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(DataError, match=r"a\.txt: not JSON, or cut off"):
        load(tmp_path / "a.txt")


def test_the_documentation_lists_every_format_in_its_order():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    table = text.split("| --- |", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    assert [row.split("|")[1].strip() for row in table] == [row.name for row in FORMATS]


def test_a_list_of_splits_does_not_hide_what_lies_below(tmp_path):
    (tmp_path / "splits.json").write_text("{}")
    write_coco(tmp_path / "annotations", CONTENT)
    assert isinstance(load(tmp_path), CocoDataset)


@pytest.mark.parametrize(
    "name, kind, length",
    [
        ("animals_openimages4/valid", CocoDataset, 61),
        ("animals_openimages4#train", CocoDataset, 258),
        ("coco_openlicense", CocoDataset, 137),
        ("fruits_nuts", CocoDataset, 18),
        ("fruits_nuts/labelme_json", LabelMeDataset, 18),
        ("dsb2018_nuclei#val", InstancePngDataset, 30),
        ("shapes_pycococreator", InstancePngDataset, 2),
    ],
)
def test_real_downloads(name, kind, length):
    path = shared_path("datasets") / name
    dataset = load(path)
    assert isinstance(dataset, kind) and len(dataset) == length


def test_the_folder_of_a_split_is_opened_like_any_other(tmp_path):
    write_image(tmp_path / "train" / "images" / "1.png")
    write_image(tmp_path / "train" / "masks" / "1.png")
    assert len(load(tmp_path, split="train")) == 1
    with pytest.raises(DataError, match="the split 'val' is asked for"):
        load(tmp_path, split="val")


def test_no_split_of_masks_that_are_not_parted(tmp_path):
    write_image(tmp_path / "images" / "1.png")
    write_image(tmp_path / "masks" / "1.png")
    with pytest.raises(DataError, match="no format is recognised with a split 'train'"):
        load(tmp_path, split="train")


def test_keypoints_are_opened_where_there_are_no_instances(tmp_path):
    write_coco(tmp_path, CONTENT, "person_keypoints_train.json")
    assert load(tmp_path).path.name == "person_keypoints_train.json"
    write_coco(tmp_path, CONTENT, "instances_train.json")
    assert load(tmp_path).path.name == "instances_train.json"


def test_a_json_is_parsed_once(tmp_path, monkeypatch):
    """Whatever formats ask what it is: a file of COCO's size takes a while."""
    path = write_coco(tmp_path, CONTENT)
    parsed = []
    monkeypatch.setattr(opening, "JsonFile", lambda file: parsed.append(file) or JsonFile(file))
    assert len(load(tmp_path)) == 1 and parsed == [path]
