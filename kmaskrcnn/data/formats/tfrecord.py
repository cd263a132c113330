"""TFRecord files in the layout of TF's object detection, with masks as PNG.

Format: https://github.com/tensorflow/models/blob/master/research/object_detection/dataset_tools
(``create_coco_tf_record.py --include_masks``): a ``tf.train.Example`` an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from kmaskrcnn.data.dataset import Instance, Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.label_map import read_label_map
from kmaskrcnn.data.formats.opening import Opening
from kmaskrcnn.data.formats.outlines import BEYOND, Size, usable_box, usable_size
from kmaskrcnn.data.formats.tfrecord_files import (
    Place,
    index,
    is_record_file,
    missing_shards,
    part_of,
    read_record,
)
from kmaskrcnn.data.headers import read_size
from kmaskrcnn.data.images import decode_image
from kmaskrcnn.data.report import Report
from kmaskrcnn.data.rle import encode

Features = dict[str, Any]
OBJECT = "image/object/"
CORNERS = ("xmin", "ymin", "xmax", "ymax")
TEXT = f"{OBJECT}class/text"
_KEYS = {
    tf.float32: [*(f"{OBJECT}bbox/{side}" for side in CORNERS), f"{OBJECT}area"]
    + [f"{OBJECT}keypoint/x"],
    tf.int64: ["image/height", "image/width", f"{OBJECT}class/label"]
    + [f"{OBJECT}is_crowd", f"{OBJECT}difficult"],
    tf.string: ["image/encoded", "image/filename", "image/source_id", TEXT, f"{OBJECT}mask"],
}
KEYS = {
    key: tf.io.FixedLenSequenceFeature([], kind, allow_missing=True)
    for kind, keys in _KEYS.items()
    for key in keys
}
"""What is read of a record, each a list of values."""


class TFRecordDataset:
    """Records of images with their objects; a record is read and decoded when it is asked for.

    Attributes:
        class_names: those of a label map beside the files (``*.pbtxt``), in its order. Without one
            every record is read once, and they are the names in use, sorted.
        report: what was mended or left out, known for records that were read.
    """

    def __init__(self, files: Sequence[Path], skip_broken: bool = False) -> None:
        """Looks for the records of ``files``.

        Args:
            files: the shards of one part.
            skip_broken: shards that are missing or damaged are counted, and no error.

        Raises:
            DataError: a missing or damaged shard, a label map that cannot be read, no class.
        """
        self.report = Report()
        self.files = list(files)
        self._places = self._index(skip_broken)
        maps = sorted(files[0].parent.glob("*.pbtxt")) or sorted(
            files[0].parent.parent.glob("*.pbtxt")
        )
        self._names_by_id = read_label_map(maps[0]) if maps else {}
        self.class_names = tuple(dict.fromkeys(self._names_by_id.values())) or self._names_in_use()
        self._labels = {name: label for label, name in enumerate(self.class_names)}

    @property
    def description(self) -> str:
        """One line about what was found."""
        first = self.files[0]
        return (
            f"TFRecord, {first.parent / part_of(first)}: {len(self)} images in {len(self.files)} "
            f"files, {len(self.class_names)} classes"
        )

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int, /) -> Sample:
        place = self._places[index]
        features = _features(place)
        size = _size(features)
        name = _text(features, "image/filename") or f"record {index % len(self)}"
        if not features["image/encoded"]:
            raise DataError(f"{place}: no image under 'image/encoded'.")
        pixels = decode_image(features["image/encoded"][0], Path(f"{place} ({name})"), size)
        size = size or (pixels.shape[0], pixels.shape[1])
        instances = self._instances(features, size, str(place))
        source_id = _text(features, "image/source_id")
        number = int(source_id) if source_id.isdecimal() else source_id or index % len(self)
        return Sample(pixels, instances, image_id=number, size=size, source=f"{place}, {name}")

    def _index(self, skip_broken: bool) -> list[Place]:
        missing = missing_shards(self.files)
        if missing and not skip_broken:
            raise DataError(
                f"{self.files[0].parent}: {len(missing)} shards are missing: "
                f"{', '.join(missing[:5])}. Add them, or read what is there (skip_broken=True)."
            )
        for name in missing:
            self.report.add("shard that is missing left out", str(self.files[0].parent / name))
        places = []
        for file in self.files:
            try:
                places += index(file)
            except DataError as error:
                if not skip_broken:
                    raise
                self.report.add("shard left out, damaged", str(error))
        if not places:
            raise DataError(f"{self.files[0]}: no record.")
        return places

    def _names_in_use(self) -> tuple[str, ...]:
        texts = {
            t for place in self._places for t in _features(place).get(f"{OBJECT}class/text", ())
        }
        if not texts:
            raise DataError(
                f"{self.files[0]}: no class names: neither a label map (*.pbtxt) beside the files "
                "nor 'image/object/class/text' in the records."
            )
        return tuple(sorted(_decoded(text) for text in texts))

    def _instances(self, features: Features, size: Size, place: str) -> list[Instance]:
        count = max((len(features[f"{OBJECT}bbox/{side}"]) for side in CORNERS), default=0)
        columns = {
            key: _column(features, f"{OBJECT}{key}", count, place)
            for key in (*(f"bbox/{side}" for side in CORNERS), "class/text", "class/label")
            + ("mask", "is_crowd", "difficult", "area")
        }
        if features[f"{OBJECT}keypoint/x"]:
            self.report.add("keypoints left out", place)
        instances = []
        for number in range(count):
            row = {key: column[number] for key, column in columns.items()}
            instance = self._instance(row, size, f"{place}, object {number}")
            if instance is not None:
                instances.append(instance)
        return instances

    def _instance(self, row: Features, size: Size, place: str) -> Instance | None:
        """One object; None where nothing usable is left."""
        label = self._label(row)
        if label is None:
            self.report.add("object left out, its class is not in the label map", place)
            return None
        mask = self._mask(row["mask"], size, place)
        corners = [row[f"bbox/{side}"] for side in CORNERS]
        box = None
        if None not in corners:
            left, top, right, bottom = np.array(corners) * (*size[::-1], *size[::-1])
            bbox = (left, top, right - left, bottom - top)
            box = usable_box(bbox, size, place, self.report, quiet=mask is not None)
        if mask is None and box is None:
            self.report.add("object left out, without a usable mask or box", place)
            return None
        area = row["area"] if row["area"] is not None and 0 < row["area"] < BEYOND**2 else None
        return Instance(
            label,
            mask,
            box,
            crowd=bool(row["is_crowd"]),
            area=area,
            annotation_id=place.rpartition(" ")[2],
            difficult=bool(row["difficult"]),
        )

    def _label(self, row: Features) -> int | None:
        """By its name, or by its id where the record names none."""
        if row["class/text"] is not None:
            return self._labels.get(_decoded(row["class/text"]))
        return self._labels.get(self._names_by_id.get(row["class/label"], ""))

    def _mask(self, png: bytes | None, size: Size, place: str) -> dict[str, Any] | None:
        """A PNG as large as the image, as a run-length code."""
        if not png:
            return None
        mask = None
        if read_size(png) == tuple(size):
            mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
        if mask is None or not mask.any():
            why = "it has no pixel" if mask is not None else "no PNG of the image's size"
            self.report.add(f"mask left out, {why}", place)
            return None
        return encode(mask > 0)


def recognise(opening: Opening) -> list[Path]:
    """The files of records: the path itself, or those of the split in a folder."""
    if opening.folder is None:
        return [opening.path] if is_record_file(opening.path) else []
    files = [file for file in sorted(opening.folder.iterdir()) if is_record_file(file)]
    return [file for file in files if opening.is_of_split(file)]


def open_files(found: Sequence[Path], opening: Opening) -> TFRecordDataset:
    """The dataset of the shards of one part.

    Raises:
        DataError: shards of several parts.
    """
    parts = sorted({part_of(file) for file in found})
    if len(parts) > 1:
        raise DataError(
            f"{opening.path}: records of several parts ({', '.join(parts[:10])}). Name one of them "
            "as a split."
        )
    return TFRecordDataset(found, opening.skip_broken)


def _features(place: Place, keys: Sequence[str] = tuple(KEYS)) -> Features:
    """Key → list of its values, empty where the record has no such key.

    Raises:
        DataError: damaged, no ``tf.train.Example``, or values of another type.
    """
    record = read_record(place)
    try:
        found = tf.io.parse_single_example(record, {key: KEYS[key] for key in keys})
    except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:
        reason = str(getattr(error, "message", error)).rpartition("}}")[2]  # without the op's name
        raise DataError(f"{place}: no tf.train.Example that is known ({reason:.200}).") from error
    return {key: values.numpy().tolist() for key, values in found.items()}


def _column(features: Features, key: str, count: int, place: str) -> list[Any]:
    """``count`` values; a key that is not there has none.

    Raises:
        DataError: another number of values.
    """
    values = features[key] or [None] * count
    if len(values) != count:
        raise DataError(f"{place}: {len(values)} values under {key!r} for {count} boxes.")
    return values


def _size(features: Features) -> Size | None:
    """(height, width) as the record says; None where it does not."""
    height, width = (sum(features[f"image/{side}"][:1]) for side in ("height", "width"))
    return usable_size(height, width)


def _text(features: Features, key: str) -> str:
    return _decoded(b"".join(features[key][:1]))


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")
