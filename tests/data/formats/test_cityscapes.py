"""Cityscapes: ids in PNGs, polygons painted one over the other, parts and cities."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.cityscapes_polygons import paint
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image, write_mask
from tests.shared import shared_path

SIZE = (20, 30)
IDS = np.full(SIZE, 7, np.uint16)  # road
IDS[2:8, 3:9] = 26000
IDS[2:8, 9:12] = 26001
IDS[10:15, 3:9] = 24  # a group of persons
IDS[10:15, 20:25] = 29003  # a caravan
OBJECTS = [
    {"label": "road", "polygon": [[0, 0], [29, 0], [29, 19], [0, 19]]},
    {"label": "car", "polygon": [[2, 2], [14, 2], [14, 10], [2, 10]]},
    {"label": "persongroup", "polygon": [[8, 5], [20, 5], [20, 9], [8, 9]]},
    {"label": "car", "polygon": [[5, 4], [9, 4], [9, 16], [5, 16]]},
    {"label": "license plate", "polygon": [[5, 12], [9, 12], [9, 14], [5, 14]]},
    {"label": "pole", "polygon": [[6, 0], [7, 0], [7, 19], [6, 19]]},
    {"label": "bus", "polygon": [[24, 3], [28, 3], [28, 9], [24, 9]], "deleted": 1},
    {"label": "caravan", "polygon": [[22, 3], [26, 3], [26, 9], [22, 9]]},
    {"label": "persongroup", "polygon": [[12, 12], [16, 12], [16, 18], [12, 18]]},
    {"label": "rider", "polygon": [[12, 12], [16, 12], [16, 18], [12, 18]]},
]


def write_city(root, ids=IDS, polygons=None, part="train", city="ulm", base="ulm_000000_000019"):
    write_image(root / "leftImg8bit" / part / city / f"{base}_leftImg8bit.png")
    home = root / "gtFine" / part / city
    if ids is not None:
        write_mask(home / f"{base}_gtFine_instanceIds.png", ids)
        write_mask(home / f"{base}_gtFine_labelIds.png", ids // 1000)
    if polygons is not None:
        home.mkdir(parents=True, exist_ok=True)
        content = {"imgHeight": SIZE[0], "imgWidth": SIZE[1], "objects": polygons}
        (home / f"{base}_gtFine_polygons.json").write_text(json.dumps(content))
    return root


def seen(dataset, index=0):
    """(class, whether a crowd, pixels) of each object."""
    return [
        (dataset.class_names[i.label], i.crowd, full_mask(*decode_window(i.mask), SIZE))
        for i in dataset[index].instances
    ]


def test_ids(tmp_path):
    dataset = load(write_city(tmp_path))
    group, first, second = seen(dataset)
    assert [first[:2], second[:2], group[:2]] == [("car", False)] * 2 + [("person", True)]
    np.testing.assert_array_equal(first[2], IDS == 26000)
    np.testing.assert_array_equal(group[2], IDS == 24)
    assert dataset.class_names == tuple(
        "person rider car truck bus train motorcycle bicycle".split()
    )
    assert dataset.class_counts() == [1, 0, 2, 0, 0, 0, 0, 0] and dataset[0].size == SIZE
    assert dataset[0].image_id == "ulm_000000_000019" and len(dataset.category_ids) == 8
    (place,) = dataset.report.places("object left out, its class is none of Cityscapes' eight")
    assert place.endswith("instanceIds.png, 29003")


def test_void_is_what_the_benchmark_leaves_out(tmp_path):
    ids = IDS.copy()
    ids[0], ids[15:], ids[10:15, 20:25] = 4, 1, 29  # static, the own car, a group of caravans
    sample = load(write_city(tmp_path, ids))[0]
    void = full_mask(*decode_window(sample.void), SIZE)
    np.testing.assert_array_equal(void, np.isin(ids, [1, 4, 29]))


def instance_image(objects):
    """json2instanceImg.py's createInstanceImage, for the labels that are used here."""
    ids = {"road": 7, "car": 26, "person": 24, "pole": 17, "bus": 28, "caravan": 29, "rider": 25}
    image = Image.new("I", SIZE[::-1], 0)
    drawer = ImageDraw.Draw(image)
    count = dict.fromkeys(ids, 0)
    for one in objects:
        label, is_group = one["label"], False
        if one.get("deleted"):
            continue
        if label not in ids and label.endswith("group"):
            label, is_group = label[:-5], True
        if label == "license plate":
            continue
        number = ids[label]
        if number >= 24 and not is_group:
            number = number * 1000 + count[label]
            count[label] += 1
        drawer.polygon([tuple(point) for point in one["polygon"]], fill=number)
    return np.array(image)


def test_polygons_are_painted_as_the_official_scripts_do(tmp_path):
    expected = instance_image(OBJECTS)
    root = write_city(tmp_path / "a", ids=None, polygons=OBJECTS)
    (file,) = root.rglob("*.json")
    np.testing.assert_array_equal(paint(file, Report()), expected)
    painted = seen(load(root))
    drawn = seen(load(write_city(tmp_path / "b", ids=expected.astype(np.uint16))))
    assert [row[:2] for row in painted] == [row[:2] for row in drawn]
    assert [row[:2] for row in painted] == [
        ("person", True),
        ("rider", False),
        ("car", False),
        ("car", False),
    ]
    np.testing.assert_array_equal([row[2] for row in painted], [row[2] for row in drawn])


def test_unknown_labels_cover_what_is_below_and_are_counted(tmp_path):
    tree = {**OBJECTS[3], "label": "tree"}
    dataset = load(write_city(tmp_path, ids=None, polygons=[OBJECTS[1], tree]))
    (car,) = seen(dataset)
    assert car[2].sum() == 13 * 9 - 5 * 7
    assert dataset.report.counts == {"object of an unknown label taken as unlabeled": 1}


def test_ids_go_before_polygons(tmp_path):
    dataset = load(write_city(tmp_path, polygons=OBJECTS))
    assert len(dataset) == 1 and dataset.class_counts()[2] == 2 and dataset.class_counts()[1] == 0


def test_parts_and_cities(tmp_path):
    write_city(tmp_path)
    write_city(tmp_path, city="bonn", base="bonn_000000_000001")
    assert [s.image_id[:4] for s in load(tmp_path)] == ["bonn", "ulm_"]
    write_city(tmp_path, part="val", city="jena", base="jena_000000_000001")
    with pytest.raises(DataError, match=r"several parts .train, val.\. Name a split"):
        load(tmp_path)
    assert len(load(tmp_path, split="train")) == 2 and len(load(f"{tmp_path}#valid")) == 1
    for inner, count in (("gtFine/train", 2), ("gtFine/train/bonn", 1)):
        assert len(load(tmp_path / inner)) == count
    with pytest.raises(DataError, match="no part 'test'; there are train, val"):
        load(tmp_path, split="test")


def test_photographs_elsewhere(tmp_path):
    write_city(tmp_path)
    (tmp_path / "leftImg8bit").rename(tmp_path / "photographs")
    with pytest.raises(DataError, match="1 of 1 images are missing: .*leftImg8bit/train/ulm"):
        load(tmp_path)
    assert len(load(tmp_path, images=tmp_path / "photographs")) == 1
    assert len(load(tmp_path, images=tmp_path / "photographs" / "train" / "ulm")) == 1
    jpeg = tmp_path / "leftImg8bit" / "train" / "ulm" / "ulm_000000_000019_leftImg8bit.jpg"
    assert load(tmp_path, images=None if write_image(jpeg) else None)[0].image == jpeg


def test_colours_are_no_ids(tmp_path):
    write_city(tmp_path)
    write_image(tmp_path / "gtFine" / "train" / "ulm" / "ulm_000000_000019_gtFine_instanceIds.png")
    with pytest.raises(DataError, match=r"instanceIds\.png: colours; expected numbers in 16 bits"):
        load(tmp_path)[0]


BAD = {
    "a list": ("[]", "expected Cityscapes' polygons"),
    "no size": ('{"objects": [], "imgHeight": 5}', "expected Cityscapes' polygons"),
    "no list": ('{"objects": 3, "imgHeight": 5, "imgWidth": 5}', "found the keys objects"),
    "cut off": ('{"objects": ', "not JSON, or cut off"),
    "gigantic": ('{"objects": [], "imgHeight": 100000, "imgWidth": 100000}', "megapixels"),
}


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD.keys())
def test_a_json_of_another_kind(tmp_path, text, message):
    write_city(tmp_path, ids=None, polygons=[])
    (path,) = tmp_path.rglob("*.json")
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(tmp_path)[0]
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_objects_that_are_no_polygons_are_counted(tmp_path):
    square = OBJECTS[1]["polygon"]
    bad = [3, {"polygon": square}, {"label": "car"}, {"label": "car", "polygon": square[:2]}]
    bad += [{"label": "car", "polygon": [[1, 1], [2, float("inf")], [3, 3]]}]
    far = {"label": "car", "polygon": [[1, 1], [1e12, 1], [1, 1e12]]}
    dataset = load(write_city(tmp_path, ids=None, polygons=[*bad, far]))
    assert dataset.class_counts()[2] == 1
    assert dataset.report.counts == {
        "object left out, it has no label": 2,
        "object left out, it is no polygon of points x, y": 3,
    }


REAL = {  # files of datumaro: 16 bits with objects, 8 bits with groups alone
    ("train_dataset", "train"): [("person", False)],
    ("train_dataset", "val"): [],  # 1024: object 24 of class 1, which has no instances
    ("train_dataset", "test"): [("truck", False), ("truck", False), ("train", False)],
    ("dataset", "train"): [("person", True)],
    ("dataset", "val"): [],
    ("dataset", "test"): [("truck", True), ("train", True)],
}


@pytest.mark.parametrize("folder, split", REAL)
def test_real_files(folder, split):
    home = shared_path("datasets/format_fixtures_datumaro/cityscapes_dataset") / folder
    dataset = load(home, split=split)
    found = [(dataset.class_names[i.label], i.crowd) for s in dataset for i in s.instances]
    assert found == REAL[folder, split]
    assert cv2.imread(str(dataset[0].image)).shape[:2] == dataset[0].size == (1, 5)
