"""TFRecord: as TensorFlow itself writes it, what is mended, what is refused."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kmaskrcnn.data import DataError, Instance, load, write
from kmaskrcnn.data.formats.label_map import label_map, read_label_map
from kmaskrcnn.data.formats.tfrecord import TFRecordDataset
from kmaskrcnn.data.formats.tfrecord_files import index, read_record
from kmaskrcnn.data.rle import decode_window
from kmaskrcnn.data.writing import tfrecord as writer
from tests.data.samples import ListDataset, full_mask, noise_image
from tests.data.writing.objects import SIZE, compare, everything, filled, one


def feature(values):
    kind = {int: "int64_list", float: "float_list"}.get(type(values[0]), "bytes_list")
    lists = {"int64_list": tf.train.Int64List, "float_list": tf.train.FloatList}
    return tf.train.Feature(**{kind: lists.get(kind, tf.train.BytesList)(value=values)})


def png(mask):
    return cv2.imencode(".png", mask.astype(np.uint8))[1].tobytes()


def record(**changes):
    """An example of one picture and one object, as ``create_coco_tf_record.py`` makes it."""
    height, width = SIZE
    fields = {
        "image/height": [height],
        "image/width": [width],
        "image/filename": [b"1.png"],
        "image/source_id": [b"17"],
        "image/encoded": [png(noise_image(height, width)[..., ::-1])],
        "image/object/bbox/xmin": [10 / 60],
        "image/object/bbox/xmax": [30 / 60],
        "image/object/bbox/ymin": [5 / 40],
        "image/object/bbox/ymax": [15 / 40],
        "image/object/class/text": [b"dog"],
        "image/object/mask": [png(filled(5, 15, 10, 30))],
        "image/object/is_crowd": [0],
        "image/object/area": [198.5],
    }
    fields |= {key.replace("__", "/"): value for key, value in changes.items()}
    found = {key: feature(value) for key, value in fields.items() if value}
    return tf.train.Example(features=tf.train.Features(feature=found)).SerializeToString()


def records(folder, *contents, name="train.record", labels=("cat", "dog")):
    folder.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / name)) as stream:
        for content in contents:
            stream.write(content)
    if labels:
        (folder / "label_map.pbtxt").write_text(label_map(labels))
    return folder / name


def test_a_sound_record(tmp_path):
    dataset = load(records(tmp_path, record(), record(image__source_id=[b"b.jpg"])))
    assert isinstance(dataset, TFRecordDataset) and dataset.class_names == ("cat", "dog")
    assert len(dataset) == 2 and "2 images in 1 files, 2 classes" in dataset.description
    sample = dataset[0]
    assert (sample.image_id, sample.size, dataset[1].image_id) == (17, SIZE, "b.jpg")
    np.testing.assert_array_equal(sample.read(), noise_image(*SIZE))
    (found,) = sample.instances
    assert (found.label, found.crowd, found.area) == (1, False, 198.5)
    np.testing.assert_allclose(found.box, (10, 5, 30, 15), atol=1e-4)
    np.testing.assert_array_equal(
        full_mask(*decode_window(found.mask), SIZE), filled(5, 15, 10, 30)
    )
    assert dataset.report.total == 0


def test_it_is_what_tensorflow_reads(tmp_path):
    """Written here, read by TensorFlow: every key, an entry an object."""
    write(everything(tmp_path), tmp_path / "out", "tfrecord")
    (path,) = (tmp_path / "out").glob("images.record-00000-of-00001")
    first = next(iter(tf.data.TFRecordDataset(str(path))))
    names = ["bbox/xmin", "bbox/ymax", "area"], ["class/label", "is_crowd"], ["class/text", "mask"]
    kinds = (tf.float32, tf.int64, tf.string)
    keys = {
        f"image/object/{name}": tf.io.FixedLenFeature([4], kind)
        for row, kind in zip(names, kinds, strict=True)
        for name in row
    }
    keys["image/encoded"] = tf.io.FixedLenFeature([], tf.string)
    found = tf.io.parse_single_example(first, keys)
    assert tf.io.decode_png(found["image/encoded"]).shape == (*SIZE, 3)
    masks = [tf.io.decode_png(text).numpy()[..., 0] for text in found["image/object/mask"]]
    np.testing.assert_array_equal(masks[3], filled(22, 38, 30, 50))
    np.testing.assert_allclose(found["image/object/bbox/xmin"][3], 30 / 60)
    assert found["image/object/class/label"].numpy().tolist() == [1, 2, 2, 1]
    assert found["image/object/class/text"][1] == b"dog"


def test_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "IMAGES_A_SHARD", 2)
    before = everything(tmp_path)
    write({"train": before, "val": ListDataset(before.samples[:1], before.class_names)},
          tmp_path / "out", "tfrecord")  # fmt: skip
    names = sorted(path.name for path in (tmp_path / "out").glob("*.record-*"))
    assert names[1:] == ["train.record-00001-of-00002", "val.record-00000-of-00001"]
    assert compare(before, load(tmp_path / "out#train")) == 1
    with pytest.raises(DataError, match=r"records of several parts \(train, val\)"):
        load(tmp_path / "out")
    (tmp_path / "out" / names[0]).unlink()
    with pytest.raises(DataError, match="1 shards are missing: train.record-00000-of-00002"):
        load(tmp_path / "out#train")
    rest = load(tmp_path / "out#train", skip_broken=True)
    assert len(rest) == 1 and "shard that is missing left out" in str(rest.report)


def test_classes_without_a_label_map(tmp_path):
    path = records(tmp_path, record(), record(image__object__class__text=[b"ant"]), labels=())
    dataset = load(path)
    assert dataset.class_names == ("ant", "dog") and dataset[0].instances[0].label == 1
    nameless = {"image__object__class__text": [], "image__object__class__label": [2]}
    with pytest.raises(DataError, match="no class names"):
        load(records(tmp_path / "b", record(**nameless), labels=()))
    dataset = load(records(tmp_path / "c", record(**nameless)))
    assert dataset[0].instances[0].label == 1


def test_boxes_alone(tmp_path):
    dataset = load(records(tmp_path, record(image__object__mask=[])))
    (found,) = dataset[0].instances
    assert found.mask is None
    np.testing.assert_allclose(found.box, (10, 5, 30, 15), atol=1e-4)


@pytest.mark.parametrize(
    "changes, message, left",
    [
        ({"image__object__class__text": [b"gnu"]}, "its class is not in the label map", 0),
        ({"image__object__mask": [b"no PNG"]}, "mask left out, no PNG of the image's size", 1),
        ({"image__object__mask": [png(np.ones((9, 9)))]}, "no PNG of the image's size", 1),
        ({"image__object__mask": [png(np.zeros(SIZE))]}, "mask left out, it has no pixel", 1),
        ({"image__object__bbox__xmax": [float("nan")]}, "not a finite number", 1),
        ({"image__object__keypoint__x": [0.5]}, "keypoints left out", 1),
    ],
)
def test_mended_or_left_out(tmp_path, changes, message, left):
    dataset = load(records(tmp_path, record(**changes)))
    assert len(dataset[0].instances) == left
    assert message in str(dataset.report) and "train.record, record at byte 0" in str(
        dataset.report
    )


@pytest.mark.parametrize(
    "content, message",
    [
        (record(image__encoded=[]), "no image under 'image/encoded'"),
        (record(image__encoded=[b"no image"]), "not an image that can be decoded"),
        (record(image__height=[41]), r"is 40×60 \(height×width\), its annotation says 41×60"),
        (record(image__object__area=[1.0, 2.0]), "2 values under 'image/object/area' for 1 boxes"),
        (b"no example", "no tf.train.Example"),
        (record(image__object__area=[1]), "no tf.train.Example that is known .*area"),
    ],
)
def test_a_record_that_cannot_be_used(tmp_path, content, message):
    dataset = load(records(tmp_path, record(), content))
    with pytest.raises(DataError, match=message) as caught:
        dataset[1].read()
    assert "train.record, record at byte" in str(caught.value)
    kept = load(tmp_path, skip_broken=True)
    assert len(kept) == 1


def test_damaged_files(tmp_path):
    path = records(tmp_path, record(), record())
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(DataError, match="train.record: cut off after .* in record 1"):
        load(path)
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    dataset = load(path)
    with pytest.raises(DataError, match="damaged, its checksum does not fit"):
        dataset[0]
    assert dataset[1].image_id == 17
    second = index(path)[1].offset
    path.write_bytes(whole[: second - 12] + bytes(40))
    with pytest.raises(DataError, match="record 1: damaged, or no TFRecord file"):
        load(path)
    (tmp_path / "a.record").write_bytes(b"\x1f\x8b" + bytes(50))
    with pytest.raises(DataError, match="compressed records"):
        index(tmp_path / "a.record")


def test_records_are_found_by_their_offsets(tmp_path):
    path = records(tmp_path, b"a", b"", b"ccc")
    assert [read_record(place) for place in index(path)] == [b"a", b"", b"ccc"]


@pytest.mark.parametrize("text", ["item { id: 1 name: 'a' }", 'item{\n name: "a" # x\n id:1\n}'])
def test_label_maps(tmp_path, text):
    (tmp_path / "m.pbtxt").write_text(text)
    assert read_label_map(tmp_path / "m.pbtxt") == {1: "a"}


def test_label_maps_there_and_back(tmp_path):
    names = ("Katze, groß", "it's", 'a "b" {c}', "\\")
    (tmp_path / "m.pbtxt").write_text(label_map(names), encoding="utf-8")
    assert tuple(read_label_map(tmp_path / "m.pbtxt").values()) == names


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no item"),
        ("item { name: 'a' }", "expected items such as"),
        ("item { id: 1 name: 'a' } item { id: 1 name: 'b' }", "id 1 has two names"),
    ],
)
def test_label_maps_that_are_none(tmp_path, text, message):
    (tmp_path / "m.pbtxt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_label_map(tmp_path / "m.pbtxt")


def test_an_object_beyond_the_image_is_written_within(tmp_path):
    before = one(Instance(0, None, box=(-5.0, 3.0, 70.0, 20.0)))
    write(before, tmp_path / "out", "tfrecord")
    box = load(tmp_path / "out")[0].instances[0].box
    np.testing.assert_allclose(box, (0, 3, 60, 20), atol=1e-4)
