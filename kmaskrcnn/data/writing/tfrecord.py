"""TFRecord files in the layout of TF's object detection, with masks as PNG.

Format: https://github.com/tensorflow/models/blob/master/research/object_detection/dataset_tools
(``create_coco_tf_record.py --include_masks``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tensorflow as tf

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.formats.label_map import label_map
from kmaskrcnn.data.headers import turn_of
from kmaskrcnn.data.writing.photographs import read_bytes
from kmaskrcnn.data.writing.samples import Job, Size, place_of, to_region
from kmaskrcnn.ops.drawing import encode_picture
from kmaskrcnn.ops.regions import to_mask

IMAGES_A_SHARD = 500


def write_tfrecord(job: Job, folder: Path) -> None:
    """``label_map.pbtxt`` and ``<part>.record-00000-of-00010`` …, images inside."""
    (folder / "label_map.pbtxt").write_text(label_map(job.class_names), encoding="utf-8")
    for part, dataset in job.parts.items():
        total = -(-len(dataset) // IMAGES_A_SHARD)
        samples = job.samples(part, holds={"marks of difficult objects"})
        for shard in range(total):
            path = folder / f"{part or 'images'}.record-{shard:05}-of-{total:05}"
            with tf.io.TFRecordWriter(str(path)) as writer:
                first = shard * IMAGES_A_SHARD
                for index in range(first, min(first + IMAGES_A_SHARD, len(dataset))):
                    writer.write(_example(job, next(samples), index).SerializeToString())
        next(samples, None)  # the last image counts as written


def _example(job: Job, sample: Sample, index: int) -> tf.train.Example:
    height, width = size = sample.true_size()
    data, suffix = _encoded(sample)
    in_memory = isinstance(sample.image, np.ndarray)
    name = f"{index:06}.{suffix}" if in_memory else Path(str(sample.image)).name
    features: dict[str, list[Any]] = {
        "image/height": [height],
        "image/width": [width],
        "image/filename": [name],
        "image/source_id": [str(index if sample.image_id is None else sample.image_id)],
        "image/key/sha256": [hashlib.sha256(data).hexdigest()],
        "image/encoded": [data],
        "image/format": [suffix],
        **_objects(job, sample, size),
    }
    return tf.train.Example(
        features=tf.train.Features(feature={k: _feature(v) for k, v in features.items() if v})
    )


def _objects(job: Job, sample: Sample, size: Size) -> dict[str, list[Any]]:
    """Columns with a value an object."""
    keys = [f"bbox/{side}" for side in ("xmin", "ymin", "xmax", "ymax")]
    keys += ["class/text", "class/label", "is_crowd", "difficult", "area", "mask"]
    columns: dict[str, list[Any]] = {f"image/object/{key}": [] for key in keys}
    for instance in sample.instances:
        region = to_region(instance, size, place_of(sample, instance))
        box = np.asarray(region.window if instance.box is None else instance.box, np.float64)
        shares = np.clip(box / np.tile(size[::-1], 2), 0, 1).tolist()
        mask = b""
        if instance.mask is not None:
            mask = cv2.imencode(".png", to_mask(region, size).astype(np.uint8))[1].tobytes()
        row = [*shares, job.class_names[instance.label], int(instance.label) + 1]
        area = float(region.area if instance.area is None else instance.area)
        row += [int(instance.crowd), int(instance.difficult), area, mask]
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    return columns


def _encoded(sample: Sample) -> tuple[bytes, str]:
    """The image's own bytes where TensorFlow decodes them as they are meant, else a PNG."""
    if not isinstance(sample.image, np.ndarray) and turn_of(Path(sample.image)) == 1:
        data = read_bytes(sample)
        for start, suffix in ((b"\xff\xd8", "jpeg"), (b"\x89PNG", "png")):
            if data.startswith(start):
                return data, suffix
    return encode_picture(sample.read(), ".png"), "png"


def _feature(values: list[Any]) -> tf.train.Feature:
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    if isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    texts = [value.encode() if isinstance(value, str) else value for value in values]
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=texts))
