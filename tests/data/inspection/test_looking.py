"""A look at a dataset: every figure of a small one, all that is broken at once, pictures."""

import json

import numpy as np
import pytest

from kmaskrcnn.data import (
    DataError,
    Instance,
    Report,
    Sample,
    ShapesDataset,
    Subset,
    inspect,
    load,
)
from tests.data.samples import ListDataset, noise_image, write_image
from tests.data.test_broken import KINDS, broken_folder
from tests.shared import shared_path


def image(height, width, *instances, image_id=None) -> Sample:
    pixels = noise_image(height, width, seed=height * width)
    return Sample(pixels, instances, image_id, (height, width))


def square(label, side, at=1, number=None, **more) -> Instance:
    return Instance(label, box=(at, at, at + side, at + side), annotation_id=number, **more)


@pytest.fixture
def dataset() -> ListDataset:
    """Three images; one tiny object, one pair of twins, one crowd."""
    return ListDataset(
        [
            image(200, 300, square(0, 20, number=1), square(0, 50, number=2), image_id="a"),
            image(150, 150, square(1, 100, number=3), square(1, 100, number=4), image_id="b"),
            image(100, 100, square(0, 2, number="x"), square(0, 60, 20, crowd=True), image_id="c"),
            image(120, 120, image_id="d"),
        ],
        ("cat", "dog"),
    )


def test_every_figure(dataset):
    found = inspect(dataset).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert (found["images"], found["objects"], found["crowds"]) == (4, 6, 1)
    assert found["images_without_objects"] == 1
    assert found["classes"] == [
        {"name": "cat", "objects": 4, "images": 2},
        {"name": "dog", "objects": 2, "images": 1},
    ]
    assert found["image_sizes"] == {"min": [100, 100], "median": [150, 150], "max": [200, 300]}
    assert found["objects_per_image"] == {"min": 0, "median": 2, "max": 2}
    assert found["object_areas"]["shares"] == {"small": 0.4, "medium": 0.2, "large": 0.4}
    assert (found["object_areas"]["min"], found["object_areas"]["median"]) == (4, 2500)
    assert found["broken"] == [] and found["repairs"] == {}
    assert found["problems"] == [
        {
            "kind": "twice",
            "file": "image b",
            "annotation_id": 4,
            "detail": "the same box and class as annotation 3",
            "image": 1,
            "instance": 1,
        },
        {
            "kind": "tiny",
            "file": "image c",
            "annotation_id": "x",
            "detail": "4 pixels",
            "image": 2,
            "instance": 0,
        },
    ]
    assert found["training_size"] == {"min_size": 800, "max_size": 1333}
    assert found["object_sides_at_training_size"]["min"] == 16  # 2 of 100 pixels, at 800
    assert found["duplicates"] == [] and found["validation"] is None and found["class_table"] == []


def test_the_lines(dataset):
    dataset.description, dataset.report = "found", Report()
    dataset.report.add("polygon clipped", "file, annotation 9")
    lines = str(inspect(dataset)).splitlines()
    assert lines == [
        "found",
        "  images: 4 usable of 4; height×width from 100×100 over 150×150 (median) to 200×300",
        "  objects: 6, of which 1 crowds; an image has 0 to 2, median 2; 1 images have none",
        "  object sizes: 40% small (below 32×32 pixels), 20% medium (below 96×96), 40% large",
        "  class  objects  images",
        "  cat          4       2",
        "  dog          2       1",
        "  suspicious, twice: 1",
        "    image b, annotation 4: the same box and class as annotation 3",
        "  suspicious, tiny: 1",
        "    image c, annotation x: 4 pixels",
        "  mended or left out, polygon clipped: 1",
        "    file, annotation 9",
        "  at the training size (800 to 1333 pixels): objects of 16 over 200 (median) to 533 "
        "pixels a side; 0% below 8, 0% below 16",
        "  suggested image size: --image-size 400 (80% of the objects have 16 pixels a side or "
        "more there, half of them 100; larger images show no more detail; think of tiles)",
        "  anchors: 20.0% of the objects overlap none by an IoU of 0.5, 20.0% are smaller than the "
        "smallest",
        *lines[-2:],
    ]
    assert lines[-2].startswith("  suggested anchors at this image size, which leave 0.0%:")
    assert lines[-1].startswith("    --set")


def test_few_places_are_printed_and_all_are_saved(tmp_path):
    tiny = [square(0, 2, at=3 * n, number=n) for n in range(9)]
    found = inspect(ListDataset([image(50, 50, *tiny)]))
    assert "suspicious, tiny: 9" in str(found) and "… and 6 more" in str(found)
    assert "annotation 2:" in str(found) and "annotation 3:" not in str(found)
    found.save(tmp_path / "out" / "data.txt")
    assert "annotation 8: 4 pixels" in (tmp_path / "out" / "data.txt").read_text()


def test_all_broken_images_at_once(tmp_path):
    path = broken_folder(tmp_path)
    for found in (inspect(path), inspect(str(tmp_path)), inspect(load(path, skip_broken=True))):
        assert {b.file.rsplit("/", 1)[-1]: b.kind for b in found.broken} == KINDS
        assert found.to_dict()["images"] == 7 and len(found.sizes) == 1
        assert "images: 1 usable of 7" in str(found) and not found.repairs
        assert "broken image, missing: 1" in str(found) and "gone.jpg" in str(found)
        assert found.sheet(cell_size=60).shape[2] == 3


def test_nothing_but_broken_images(tmp_path):
    found = inspect(ListDataset([Sample(tmp_path / "a.jpg", [square(0, 9)])]))
    assert "broken image, missing: 1" in str(found) and found.to_dict()["image_sizes"] == {}
    with pytest.raises(DataError, match="no image that can be drawn"):
        found.sheet()


def test_files_that_are_listed_twice(tmp_path):
    paths = [write_image(tmp_path / name) for name in ("a/1.png", "b/1.png", "b/2.png")]
    paths.append(paths[2])
    found = inspect(ListDataset([Sample(path, [square(0, 9)]) for path in paths])).problems
    assert [(p.kind, p.file.rsplit("/", 1)[-1]) for p in found] == [
        ("file name in several folders", "1.png"),
        ("image listed twice", "2.png"),
    ]
    assert str(tmp_path / "a/1.png") in str(found[0])


def test_objects_that_cannot_be_read_are_listed():
    wrong = [
        square(7, 9, number="label"),
        Instance(0, [[[1, "x"]]], annotation_id="points"),
        Instance(0, {"size": [30, 30], "counts": [5]}, annotation_id="runs"),
        Instance(0, box=(1, 2, 3), annotation_id="box"),
    ]
    found = inspect(ListDataset([image(30, 30, *wrong, square(0, 9))]))
    assert [(p.kind, p.annotation_id) for p in found.problems] == [
        ("unreadable", "label"),
        ("unreadable", "points"),
        ("unreadable", "runs"),
        ("unreadable", "box"),
    ]
    assert found.class_objects == (1, 0)
    assert found.sheet(cell_size=60).any()  # of what can be drawn


def test_a_box_without_a_mask_stands_out_among_masks():
    boxes = [square(0, 9), square(0, 9, at=12)]
    assert not inspect(ListDataset([image(30, 30, *boxes)])).problems
    polygon = [np.array([[1, 1], [9, 1], [9, 9]], float)]
    crowd = Instance(0, box=(2, 15, 9, 22), crowd=True, annotation_id="crowd")
    mixed = ListDataset([image(30, 30, Instance(0, polygon), square(0, 9, 20, 7), crowd)])
    problems = inspect(mixed).problems
    assert [(p.kind, p.annotation_id, p.instance) for p in problems] == [
        ("box without a mask", 7, 1),
    ]


def test_progress_is_told():
    told = []
    parts = ShapesDataset(3, image_size=(32, 32)), ShapesDataset(2, seed=1, image_size=(32, 32))
    inspect(parts[0], validation=parts[1], progress=lambda *step: told.append(step))
    assert told == [(step, 5) for step in range(1, 6)]


def test_a_sheet_shows_images_evenly_and_what_is_suspicious(dataset):
    found = inspect(dataset)
    whole = found.sheet(limit=4, columns=4, cell_size=100)
    assert whole.dtype == np.uint8 and whole.shape[1] > 4 * 100
    assert found.sheet(limit=2, columns=4, cell_size=100).shape[1] < 3 * 100
    both = found.sheet(columns=4, cell_size=100, suspicious=True)
    assert both.shape[1] < 3 * 100
    sound = inspect(Subset(dataset, [0, 3]))
    assert sound.sheet(cell_size=100, suspicious=True).shape[1] > 2 * 100


def test_real_photographs():
    found = inspect(shared_path("datasets/coco_openlicense"))
    assert len(found.sizes) == 137 and found.num_objects.sum() == 1287 and found.num_crowds == 16
    assert not found.broken and {p.kind for p in found.problems} == {
        "as large as the image",
        "outline that crosses itself",
        "tiny",
    }
