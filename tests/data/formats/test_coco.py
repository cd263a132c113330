"""COCO files: what is read, what is mended, what is refused, and what the messages say."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.coco import CocoDataset
from kmaskrcnn.data.geometry import identity
from kmaskrcnn.data.rle import decode_window, instance_rle
from kmaskrcnn.data.warp_masks import warp_instance
from tests.data.samples import SQUARE, annotation, coco_content, full_mask, write_coco, write_image
from tests.shared import shared_path


def open_coco(folder: Path, *annotations, **changes) -> CocoDataset:
    return CocoDataset(write_coco(folder, coco_content(annotations, **changes)))


def test_a_sound_file(tmp_path):
    dataset = open_coco(tmp_path, annotation())
    assert dataset.class_names == ("cat", "dog") and dataset.category_ids == (1, 5)
    assert len(dataset) == 1 and dataset.class_counts() == [1, 0] and dataset.report.total == 0
    sample = dataset[0]
    assert sample.image == tmp_path / "1.png" and sample.image_id == 1 and sample.size == (20, 30)
    assert dataset.image_ids == [1]
    (instance,) = sample.instances
    assert (instance.label, instance.annotation_id, instance.area) == (0, 7, 100)
    assert instance.box == (4, 2, 14, 12) and not instance.crowd
    np.testing.assert_array_equal(instance.mask[0], np.reshape(SQUARE, (4, 2)))
    assert "1 images" in dataset.description and "1 objects of 2 classes" in dataset.description


def test_labels_without_the_objects(tmp_path):
    images = [IMAGE, IMAGE | {"id": 2}, IMAGE | {"id": 3}]
    rows = [(3, 5), (1, 1), (3, 1), (1, 1)]
    objects = [annotation(id=n, image_id=i, category_id=c) for n, (i, c) in enumerate(rows)]
    dataset = open_coco(tmp_path, *objects, images=images)
    for index, labels in enumerate([[0, 0], [], [1, 0]]):
        assert dataset.image_labels(index) == labels == [i.label for i in dataset[index].instances]
    assert [i.annotation_id for i in dataset[-1].instances] == [0, 2]
    with pytest.raises(IndexError):
        dataset[3]


def test_run_length_codes_and_crowds(tmp_path):
    mask = np.zeros((20, 30), bool)
    mask[3:9, 5:25] = True
    code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    text = {"size": code["size"], "counts": code["counts"].decode()}
    counts = [5 * 20 + 3, *[6, 14] * 19, 6, 5 * 20 - 9]
    counts[-1] = 600 - sum(counts[:-1])
    dataset = open_coco(
        tmp_path,
        annotation(segmentation=text),
        annotation(id=8, segmentation={"size": [20, 30], "counts": counts}, iscrowd=1),
    )
    for instance in dataset[0].instances:
        np.testing.assert_array_equal(full_mask(*decode_window(instance.mask), (20, 30)), mask)
    assert [instance.crowd for instance in dataset[0].instances] == [False, True]


def test_an_unannotated_parent_category_is_dropped_with_a_line(tmp_path):
    categories = [
        {"id": 0, "name": "animals", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "animals"},
        {"id": 2, "name": "dog", "supercategory": "animals"},
    ]
    dataset = open_coco(tmp_path, annotation(), categories=categories)
    assert dataset.class_names == ("cat", "dog") and dataset[0].instances[0].label == 0
    assert "parent category without an annotation left out: 'animals'" in str(dataset.report)
    used = open_coco(tmp_path, annotation(category_id=0), categories=categories)
    assert used.class_names == ("animals", "cat", "dog")


MENDED = {
    "two points": ({"segmentation": [[1, 1, 5, 5]]}, "polygon left out, fewer than 3 points"),
    "odd": ({"segmentation": [[1, 1, 5, 5, 9, 1, 7]]}, "polygon left out, fewer than 3 points"),
    "NaN": (
        {"segmentation": [[1, 1, float("nan"), 5, 9, 1]]},
        "a coordinate is not a finite number",
    ),
    "a line": ({"segmentation": [[1, 1, 5, 5, 9, 9]]}, "polygon left out, it has no area"),
    "a point": ({"segmentation": [[3, 3] * 4]}, "polygon left out, it has no area"),
    "outside": ({"segmentation": [[40, 1, 50, 1, 45, 9]]}, "it lies outside of the image"),
    "words": ({"segmentation": [["a", "b"]]}, "not a list of numbers"),
    "number": ({"segmentation": 7}, "neither polygons nor a run-length code"),
}


@pytest.mark.parametrize("changes, message", MENDED.values(), ids=MENDED.keys())
def test_a_bad_mask_is_left_out_and_the_box_stays(tmp_path, changes, message):
    dataset = open_coco(tmp_path, annotation(**changes))
    (instance,) = dataset[0].instances
    assert instance.mask is None and instance.box == (4, 2, 14, 12)
    assert message in str(dataset.report)
    assert f"{tmp_path / 'instances.json'}, annotation 7" in str(dataset.report)


BOXES = {
    "zero area": ([4, 2, 0, 10], "box without an area taken from the mask"),
    "negative": ([4, 2, -3, 10], "box without an area taken from the mask"),
    "NaN": ([4, 2, float("nan"), 10], "box with a coordinate that is not a finite number taken"),
    "outside": ([90, 2, 10, 10], "box outside of the image taken from the mask"),
    "three numbers": ([4, 2, 3], "box that is not four numbers taken from the mask"),
    "words": (["a", 2, 3, 4], "box that is not four numbers taken from the mask"),
}


@pytest.mark.parametrize("bbox, message", BOXES.values(), ids=BOXES.keys())
def test_a_bad_box_is_taken_from_the_mask(tmp_path, bbox, message):
    dataset = open_coco(tmp_path, annotation(bbox=bbox))
    (instance,) = dataset[0].instances
    assert instance.box is None and message in str(dataset.report)
    box, _, _ = warp_instance(instance, identity((20, 30)), (20, 30))
    np.testing.assert_array_equal(box, [4, 2, 14, 12])


def test_neither_mask_nor_box(tmp_path):
    dataset = open_coco(tmp_path, annotation(segmentation=[], bbox=[4, 2, 0, 0]), annotation(id=8))
    assert [i.annotation_id for i in dataset[0].instances] == [8]
    assert "object left out, without a usable mask or box" in dataset.report.counts


def test_what_hangs_over_the_edge_is_clipped_and_counted(tmp_path):
    over = annotation(segmentation=[[-9, 2, 14, 2, 14, 12, -9, 12]], bbox=[-9, 2, 23, 10])
    dataset = open_coco(tmp_path, over)
    box, window, crop = warp_instance(dataset[0].instances[0], identity((20, 30)), (20, 30))
    np.testing.assert_array_equal(box, [0, 2, 14, 12])
    assert window == (0, 2, 14, 12) and crop.all()
    assert dataset[0].instances[0].box == (0, 2, 14, 12)
    assert {"polygon clipped at the image's edge", "box clipped at the image's edge"} == set(
        dataset.report.counts
    )


def test_twins_and_strays_are_counted(tmp_path):
    twins = [annotation(), annotation(), annotation(category_id=5)]
    dataset = open_coco(tmp_path, *twins, annotation(id=9, image_id=33))
    assert [i.label for i in dataset[0].instances] == [0, 1]
    assert "annotation that is listed twice taken once" in str(dataset.report)
    assert "annotation id that occurs more than once" in str(dataset.report)
    assert "annotation 9, image_id 33" in str(dataset.report)


IMAGE = {"id": 1, "file_name": "1.png", "height": 20, "width": 30}
REFUSED = {
    "category twice": (
        {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]},
        [],
        "category id 1 occurs twice",
    ),
    "category without a name": ({"categories": [{"id": 1}]}, [], "a category without id or name"),
    "no categories": ({"categories": []}, [], "no categories"),
    "no images": ({"images": []}, [], "no images"),
    "images of one id": (
        {"images": [IMAGE, IMAGE | {"file_name": "2.png"}]},
        [],
        "no images but those of ambiguous ids",
    ),
    "image without a name": (
        {"images": [{"id": 1}]},
        [],
        r"images\[0\] is .*expected an object with",
    ),
    "missing image": (
        {"images": [IMAGE, {"id": 2, "file_name": "2.png"}]},
        [],
        "1 of 2 images are missing in .*: 2.png",
    ),
    "no image at all": (
        {"images": [{"id": 2, "file_name": "2.png"}]},
        [],
        "the images are not found",
    ),
    "code of another size": (
        {},
        [annotation(segmentation={"size": [30, 20], "counts": [600]})],
        r"annotation 7: the run-length code is 30×20 .*its image 20×30",
    ),
    "code too short": (
        {},
        [annotation(segmentation={"size": [20, 30], "counts": [9]})],
        "annotation 7: a run-length code of 9 pixels for a mask of 20×30",
    ),
    "code without counts": (
        {},
        [annotation(segmentation={"size": [20, 30]})],
        "annotation 7: a run-length code needs 'size'",
    ),
}


@pytest.mark.parametrize("changes, annotations, message", REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path, changes, annotations, message):
    with pytest.raises(DataError, match=message) as caught:
        open_coco(tmp_path, *annotations, **changes)
    assert "instances.json" in str(caught.value)


FOREIGN = {
    "results": ([{"image_id": 1}], "the top is a list, as in COCO results"),
    "LabelMe": ({"shapes": [], "imagePath": "a.png"}, "it looks like LabelMe"),
    "VIA": ({"a.png123": {"regions": []}}, "found the keys a.png123"),
    "number": (7, "the top is int"),
}


@pytest.mark.parametrize("content, message", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_files(tmp_path, content, message):
    with pytest.raises(DataError, match=f"not a COCO instances file: .*{message}"):
        CocoDataset(write_coco(tmp_path, content))


def test_files_that_are_cut_off_or_absent(tmp_path):
    path = write_coco(tmp_path, coco_content([annotation()]))
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match=r"instances\.json: not JSON, or cut off \(.*truncated"):
        CocoDataset(path)
    with pytest.raises(DataError, match=r"gone\.json: the annotation file cannot be read"):
        CocoDataset(tmp_path / "gone.json")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not JSON, or cut off"):
        CocoDataset(path)


@pytest.mark.parametrize(
    "file, image",
    [
        ("a.json", "1.png"),
        ("a.json", "images/1.png"),
        ("annotations/instances_val2017.json", "val2017/1.png"),
        ("annotations/a.json", "images/1.png"),
        ("train.json", "train/1.png"),
    ],
)
def test_images_are_found_in_the_usual_places(tmp_path, file, image):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(coco_content([annotation()])))
    write_image(tmp_path / image)
    assert CocoDataset(path)[0].image == tmp_path / image


def test_the_images_folder_can_be_named(tmp_path):
    path = write_coco(tmp_path / "a", coco_content([], images=[{**IMAGE, "file_name": "x\\2.png"}]))
    image = write_image(tmp_path / "b" / "2.png")
    assert CocoDataset(path, tmp_path / "b")[0].image == image
    with pytest.raises(DataError, match="the images' folder does not exist"):
        CocoDataset(path, tmp_path / "c")


@pytest.mark.parametrize("name", ["/home/me/1.png", "C:\\photos\\1.png", "../../train/1.png"])
def test_a_foreign_prefix_is_dropped(tmp_path, name):
    dataset = open_coco(tmp_path, images=[{**IMAGE, "file_name": name}])
    assert dataset[0].image == tmp_path / "1.png"


@pytest.mark.parametrize("number", [0, 1])
def test_a_file_name_does_not_lead_out_of_the_folder(tmp_path, number):
    """However it is written, and whichever image it is of."""
    secret = write_image(tmp_path / "private" / "secret.png")
    for name in (str(secret), "../../../private/secret.png"):
        images = [{**IMAGE, "id": 2, "file_name": name}]
        images.insert(1 - number, IMAGE)
        path = write_coco(tmp_path / "a" / "b" / "c", coco_content([], images=images))
        message = f"instances.json, image 2: the file name '{name}' leads out of"
        with pytest.raises(DataError, match=message):
            CocoDataset(path)
        kept = load(path, skip_broken=True)
        assert [kept[i].image_id for i in range(len(kept))] == [1]
        assert "image left out, missing" in str(kept.report)


def test_images_without_annotations_are_kept(tmp_path):
    dataset = open_coco(tmp_path)
    assert len(dataset) == 1 and tuple(dataset[0].instances) == ()


@pytest.mark.parametrize(
    "name, num_images, num_objects",
    [
        ("coco_openlicense/instances.json", 137, 1287),
        ("fruits_nuts/trainval.json", 18, 165),
        ("animals_openimages4/train/_annotations.coco.json", 258, 325),
    ],
)
def test_real_files_give_the_masks_of_pycocotools(name, num_images, num_objects, capsys):
    path = shared_path(f"datasets/{name}")
    dataset, reference = CocoDataset(path), COCO(str(path))
    assert len(dataset) == num_images and sum(dataset.class_counts()) == num_objects
    assert dataset.report.total == 0
    for index in range(0, num_images, 7):
        sample = dataset[index]
        for instance in sample.instances:
            window, crop = decode_window(instance_rle(instance, sample.size))
            expected = reference.annToMask(reference.anns[instance.annotation_id])
            np.testing.assert_array_equal(full_mask(window, crop, sample.size), expected)
            category = reference.anns[instance.annotation_id]["category_id"]
            assert dataset.category_ids[instance.label] == category
