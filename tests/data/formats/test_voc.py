"""Pascal VOC: palettes, colours, void borders, classes by majority, lists of images."""

import numpy as np
import pytest
from PIL import Image

from kmaskrcnn.data import DataError, load
from kmaskrcnn.data.formats.voc_masks import VOC_CLASSES, VOID, colour_map
from kmaskrcnn.data.rle import decode_window
from tests.data.samples import full_mask, write_image
from tests.shared import shared_path

SIZE = (20, 30)
CAT, DOG = 8, 12  # as VOC counts, from 1
OBJECTS = np.zeros(SIZE, np.uint8)
OBJECTS[2:8, 3:9] = 1
OBJECTS[2:8, 9] = VOID
OBJECTS[10:18, 10:25] = 2
CLASSES = np.where(OBJECTS == 1, CAT, np.where(OBJECTS == 2, DOG, OBJECTS)).astype(np.uint8)


def write_palette(path, values, colours=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values, "P")
    image.putpalette((colour_map() if colours is None else colours).astype(np.uint8).tobytes())
    image.save(path)


def write_voc(folder, name="a", objects=OBJECTS, classes=CLASSES):
    write_image(folder / "JPEGImages" / f"{name}.jpg")
    write_palette(folder / "SegmentationObject" / f"{name}.png", objects)
    write_palette(folder / "SegmentationClass" / f"{name}.png", classes)
    return folder


def write_list(folder, part, *names):
    file = folder / "ImageSets" / "Segmentation" / f"{part}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{name}\n" for name in names))


def masks_of(sample):
    return [full_mask(*decode_window(i.mask), SIZE) for i in sample.instances]


def test_the_colours_are_those_of_the_development_kit():
    colours = colour_map().tolist()
    assert colours[1] == [128, 0, 0] and colours[15] == [192, 128, 128]
    assert colours[20] == [0, 64, 128] and colours[VOID] == [224, 224, 192]
    assert len({tuple(c) for c in colours}) == 256


def test_objects_and_their_classes(tmp_path):
    dataset = load(write_voc(tmp_path))
    (sample,) = dataset
    assert dataset.class_names == VOC_CLASSES and sample.size == SIZE
    assert [dataset.class_names[i.label] for i in sample.instances] == ["cat", "dog"]
    np.testing.assert_array_equal(masks_of(sample), [OBJECTS == 1, OBJECTS == 2])
    assert dataset.class_counts()[VOC_CLASSES.index("dog")] == 1 and dataset.report.total == 0
    assert [i.annotation_id for i in sample.instances] == ["a:1", "a:2"]


@pytest.mark.parametrize("year", ["VOC2012", "VOCdevkit/VOC2012"])
def test_a_year_inside_of_a_download(tmp_path, year):
    write_voc(tmp_path / year)
    assert len(load(tmp_path)) == 1
    write_voc(tmp_path / year.replace("2012", "2007"))
    with pytest.raises(DataError, match="several folders of Pascal VOC .*VOC2007.*Name one"):
        load(tmp_path)


def test_colours_count_as_the_palette_does(tmp_path):
    write_voc(tmp_path)
    for kind, values in (("Object", OBJECTS), ("Class", CLASSES)):
        Image.fromarray(colour_map()[values]).save(tmp_path / f"Segmentation{kind}" / "a.png")
    np.testing.assert_array_equal(masks_of(load(tmp_path)[0]), [OBJECTS == 1, OBJECTS == 2])


def test_a_palette_of_other_colours_counts_by_its_order(tmp_path):
    write_voc(tmp_path)
    strange = np.random.default_rng(0).permutation(768).reshape(256, 3) % 256
    write_palette(tmp_path / "SegmentationClass" / "a.png", CLASSES, strange)
    assert [i.label for i in load(tmp_path)[0].instances] == [CAT - 1, DOG - 1]


def test_grey_masks(tmp_path):
    write_voc(tmp_path)
    for kind, values in (("Object", OBJECTS), ("Class", CLASSES)):
        Image.fromarray(values).save(tmp_path / f"Segmentation{kind}" / "a.png")
    assert [i.label for i in load(tmp_path)[0].instances] == [CAT - 1, DOG - 1]


def test_the_class_is_that_of_most_pixels(tmp_path):
    classes = CLASSES.copy()
    classes[2:4, 3:9] = DOG  # 12 of 36 pixels
    classes[10:18, 10:25] = VOID
    classes[10, 10] = CAT
    sample = load(write_voc(tmp_path, classes=classes))[0]
    assert [i.label for i in sample.instances] == [CAT - 1, CAT - 1]


def test_an_object_without_a_class_is_counted(tmp_path):
    dataset = load(write_voc(tmp_path, classes=np.where(CLASSES == DOG, 0, CLASSES)))
    assert dataset.class_counts()[CAT - 1] == 1 and sum(dataset.class_counts()) == 1
    (place,) = dataset.report.places("object left out, no pixel of it has a class")
    assert place.endswith("a.png, object 2")


def test_classes_of_one_s_own(tmp_path):
    """As CVAT exports them: colours in labelmap.txt. As LabelMe does: class_names.txt."""
    write_voc(tmp_path)
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:1,2,3::\nvan:4,5,6::\n"
    )
    colours = np.array([[0, 0, 0], [4, 5, 6], [1, 2, 3]], np.uint8)
    painted = colours[np.where(OBJECTS == VOID, 0, OBJECTS)]
    Image.fromarray(painted).save(tmp_path / "SegmentationClass" / "a.png")
    dataset = load(tmp_path)
    assert dataset.class_names == ("car", "van")
    assert [i.label for i in dataset[0].instances] == [1, 0]
    (tmp_path / "labelmap.txt").unlink()
    (tmp_path / "class_names.txt").write_text("__ignore__\n_background_\nnut\nfig\n")
    write_palette(tmp_path / "SegmentationClass" / "a.png", OBJECTS)
    dataset = load(tmp_path)
    assert dataset.class_names == ("nut", "fig")
    assert [i.label for i in dataset[0].instances] == [0, 1]


@pytest.mark.parametrize(
    "text, message",
    [
        ("cat:1,2:a:b\n", r"labelmap.txt:1: 'cat:1,2:a:b'; expected name:red,green,blue"),
        ("# x\n\ncat 1 2 3\n", r"labelmap.txt:3: "),
        ("background:0,0,0::\n", "no class. Expected a class a line"),
        ("cat:0,0,1::\ncat:0,0,2::\n", "cat, cat. Expected a class a line, each once"),
    ],
)
def test_a_list_of_classes_that_is_none(tmp_path, text, message):
    (write_voc(tmp_path) / "labelmap.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        load(tmp_path)


def test_lists_of_images(tmp_path):
    for name in "abc":
        write_voc(tmp_path, name)
    assert len(load(tmp_path)) == 3
    write_list(tmp_path, "train", "b")
    write_list(tmp_path, "val", "a", "", "b")
    assert [s.image_id for s in load(tmp_path, split="train")] == ["b"]
    assert [s.image_id for s in load(f"{tmp_path}#valid")] == ["a", "b"]
    assert [s.image_id for s in load(tmp_path)] == ["b", "a"]
    with pytest.raises(DataError, match="no list for the split 'test'; there are train, val"):
        load(tmp_path, split="test")


def test_listed_images_without_a_mask_are_counted(tmp_path):
    """As those of VOC's test set."""
    write_list(write_voc(tmp_path), "test", "a", "z")
    dataset = load(tmp_path, split="test")
    assert len(dataset) == 1 and dataset.report.counts == {"image left out, it has no mask file": 1}
    write_list(tmp_path, "test", "z")
    with pytest.raises(DataError, match=r"no mask of any of 1 images; .*z\.png is not there"):
        load(tmp_path, split="test")


@pytest.mark.parametrize("name", ["../b", "/etc/passwd", "..\\..\\b"])
def test_lists_do_not_lead_out_of_the_folder(tmp_path, name):
    write_list(write_voc(tmp_path / "voc"), "train", name)
    with pytest.raises(DataError, match="leads out of"):
        load(tmp_path / "voc")


def test_missing_photographs(tmp_path):
    write_voc(tmp_path)
    write_voc(tmp_path, "b")
    (tmp_path / "JPEGImages" / "a.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 2 images are missing: .*a\.jpg"):
        load(tmp_path)
    assert len(load(tmp_path, skip_broken=True)) == 1
    write_image(tmp_path / "elsewhere" / "a.png")
    write_image(tmp_path / "elsewhere" / "b.png")
    assert load(tmp_path, images=tmp_path / "elsewhere")[0].image.parent.name == "elsewhere"


def test_boxes_of_the_xml_without_a_mask_are_counted(tmp_path):
    write_voc(tmp_path)
    file = tmp_path / "Annotations" / "a.xml"
    file.parent.mkdir()
    objects = "".join(f"<object><name>{name}</name></object>" for name in ("cat", "cat", "sofa"))
    file.write_text(f"<annotation>{objects}</annotation>")
    dataset = load(tmp_path)
    assert len(dataset[0].instances) == 2
    places = dataset.report.places("object of the XML without a mask, it is not trained on")
    assert places == [f"{file}: 1 × 'cat'", f"{file}: 1 × 'sofa'"]
    file.write_text("<annotation>")
    dataset = load(tmp_path)
    assert len(dataset[0].instances) == 2 and "cut off" in str(dataset.report)


def test_masks_of_two_sizes(tmp_path):
    write_voc(tmp_path, classes=CLASSES[:-1])
    with pytest.raises(DataError, match="Class/a.png is 19×30 .*Object/a.png is 20×30"):
        load(tmp_path)[0]


def test_a_broken_mask_is_an_image_left_out(tmp_path):
    write_voc(tmp_path)
    write_voc(tmp_path, "b")
    path = tmp_path / "SegmentationClass" / "a.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"a\.png: the mask is cut off"):
        load(tmp_path)[0]
    dataset = load(tmp_path, skip_broken=True)
    assert len(dataset) == 1 and dataset[0].image_id == "b"


def test_a_photograph_is_no_mask(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    write_voc(tmp_path, objects=np.zeros((90, 90), np.uint8), classes=np.ones((90, 90), np.uint8))
    Image.fromarray(noise).save(tmp_path / "SegmentationObject" / "a.png")
    write_image(tmp_path / "JPEGImages" / "a.jpg", 90, 90)
    with pytest.raises(DataError, match="objects; is it a photograph"):
        load(tmp_path)[0]


def test_a_real_file_of_datumaro():
    """One object, of a colour that is VOC's second; two boxes of other classes in the XML."""
    folder = shared_path("datasets/format_fixtures_datumaro/voc_dataset/voc_dataset1")
    dataset = load(folder, split="train")
    (instance,) = dataset[0].instances
    assert dataset.class_names[instance.label] == "bicycle" and dataset[0].size == (10, 20)
    assert list(dataset.report.counts.values()) == [2]


def test_the_xml_says_which_objects_are_difficult(tmp_path):
    """An object's number is its place in the XML; one of another class there is not it."""
    write_voc(tmp_path)
    file = tmp_path / "Annotations" / "a.xml"
    file.parent.mkdir()
    one = "<object><name>{}</name><difficult>{}</difficult></object>"
    for names, flags, expected in (
        (("cat", "dog"), (0, 1), [False, True]),
        (("dog", "cat"), (1, 1), [False, False]),
        (("cat",), (1,), [True, False]),
    ):
        rows = "".join(one.format(*row) for row in zip(names, flags, strict=True))
        file.write_text(f"<annotation>{rows}</annotation>")
        (sample,) = load(tmp_path)
        assert [i.difficult for i in sample.instances] == expected
