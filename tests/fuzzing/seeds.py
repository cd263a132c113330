"""A tiny sound dataset of each format that is read: some images, some objects, a few files."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from kmaskrcnn.data import Instance, Sample, write
from kmaskrcnn.data.formats.voc_masks import VOID, colour_map
from kmaskrcnn.data.images import READS_ANIMATIONS
from kmaskrcnn.data.rle import encode
from tests.data.samples import ListDataset, noise_image, write_image, write_mask

SIZE = (24, 32)
TRIANGLE = [[2.0, 2.0], [14.0, 3.0], [8.0, 13.0]]
SQUARE = [[16.0, 10.0], [26.0, 10.0], [26.0, 20.0], [16.0, 20.0]]
NUMBERS = np.zeros(SIZE, np.uint8)
NUMBERS[2:10, 3:12], NUMBERS[12:20, 10:25] = 1, 2


def _dataset() -> ListDataset:
    masks = [[np.array(TRIANGLE)], [np.array(SQUARE)], encode(NUMBERS == 2)]
    samples = [
        Sample(
            noise_image(*SIZE, seed=number),
            [Instance(label, mask, annotation_id=label) for label, mask in enumerate(masks)],
            image_id=number,
        )
        for number in (1, 2)
    ]
    return ListDataset(samples, ("cat", "dog", "ant"))


def _write_json(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def _coco(folder: Path) -> Path:
    write(_dataset(), folder, "coco")
    content = json.loads((folder / "instances.json").read_text())
    crowd = {"size": list(SIZE), "counts": [100, 20, SIZE[0] * SIZE[1] - 120]}
    crowd = {"segmentation": crowd, "bbox": [4, 4, 2, 20], "area": 20, "iscrowd": 1}
    content["annotations"].append(content["annotations"][0] | crowd | {"id": 99})
    _write_json(folder / "instances.json", content)
    return folder


def _kinds_of_images(folder: Path) -> Path:
    """A COCO file whose images are of every kind that OpenCV reads; they lie where they are damaged
    most."""
    kinds = ["jpg", "png", "tif", "bmp", "webp", "jp2", "ppm"] + ["gif"] * READS_ANIMATIONS
    for kind in kinds:
        path = folder / "pictures" / f"a.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise_image(*SIZE)).save(path)
    images = [{"id": n, "file_name": f"a.{kind}"} for n, kind in enumerate(kinds)]
    shape = {"category_id": 1, "segmentation": [sum(SQUARE, [])], "bbox": [16, 10, 10, 10]}
    objects = [shape | {"id": n, "image_id": n} for n in range(len(kinds))]
    categories = [{"id": 1, "name": "cat"}]
    content = {"images": images, "annotations": objects, "categories": categories}
    return _write_json(folder / "pictures" / "instances.json", content)


def _keypoints(folder: Path) -> Path:
    dataset = _dataset()
    points = np.array([[5.0, 5, 2], [9, 9, 1], [0, 0, 0]])
    dataset.keypoint_names, dataset.keypoint_skeleton = ("nose", "left", "right"), ((0, 1),)
    for sample in dataset.samples:
        sample.instances[:] = [Instance(0, i.mask, keypoints=points) for i in sample.instances]
    write(dataset, folder, "coco")
    (folder / "instances.json").rename(folder / "person_keypoints.json")
    return folder / "person_keypoints.json"


def _lvis(folder: Path) -> Path:
    write(_dataset(), folder, "coco")
    content = json.loads((folder / "instances.json").read_text())
    for image in content["images"]:
        image |= {"neg_category_ids": [2], "not_exhaustive_category_ids": [1]}
        image["coco_url"] = f"http://images.cocodataset.org/val2017/{image.pop('file_name')}"
    for category, frequency in zip(content["categories"], "rcf", strict=True):
        category |= {"frequency": frequency, "synset": "a.n.01", "image_count": 2}
    (folder / "images").rename(folder / "val2017")
    return _write_json(folder / "lvis_v1_val.json", content)


def _written(form: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(_dataset(), folder, form)
        return folder

    return make


def _embedded(folder: Path) -> Path:
    write(_dataset(), folder, "labelme")
    for image in folder.glob("*.png"):
        path = image.with_suffix(".json")
        content = json.loads(path.read_text())
        content["imageData"] = base64.b64encode(image.read_bytes()).decode()
        content["shapes"] += [
            {"label": "cat", "shape_type": "circle", "points": [[10, 10], [13, 10]]},
            {"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [6, 6]], "group_id": 1},
        ]
        path.write_text(json.dumps(content))
        image.unlink()
    return folder


def _web(folder: Path) -> Path:
    rows = "".join(f"<pt><x>{x:g}</x><y>{y:g}</y></pt>" for x, y in SQUARE)
    for name in "ab":
        write_image(folder / f"Images/home/{name}.jpg", *SIZE)
        write_mask(folder / f"Masks/home/{name}_mask.png", (NUMBERS == 1).astype(np.uint8) * 255)
        path = folder / f"Annotations/home/{name}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"<annotation><filename>{name}.jpg</filename><folder>home</folder>"
            f"<object><name>cat</name><deleted>0</deleted><polygon>{rows}</polygon></object>"
            f"<object><name>dog</name><segm><mask>{name}_mask.png</mask></segm></object>"
            f"<imagesize><nrows>{SIZE[0]}</nrows><ncols>{SIZE[1]}</ncols></imagesize></annotation>"
        )
    return folder / "Annotations/home"


def _folder_per_image(folder: Path) -> Path:
    for name in "abc":
        write_image(folder / name / "images" / f"{name}.png", *SIZE)
        for number in (1, 2):
            path = folder / name / "masks" / f"{number}.png"
            write_mask(path, (NUMBERS == number).astype(np.uint8) * 255)
    _write_json(folder / "splits.json", {"train": ["a", "b"], "val": ["c"]})
    return folder.with_name(folder.name + "#train")


def _named_masks(folder: Path) -> Path:
    for name in "ab":
        write_image(folder / "photos" / f"{name}.png", *SIZE)
        for number, word in ((1, "cat"), (2, "dog")):
            path = folder / "masks" / f"{name}_{word}_{number}.png"
            write_mask(path, (NUMBERS == number).astype(np.uint8) * 255)
    return folder


def _voc(folder: Path) -> Path:
    for name in ("2007_1", "2007_2"):
        write_image(folder / "JPEGImages" / f"{name}.jpg", *SIZE)
        objects = NUMBERS.copy()
        objects[0] = VOID
        classes = np.array([0, 8, 12], np.uint8)[NUMBERS]
        for kind, values in (("Object", objects), ("Class", classes)):
            image = Image.fromarray(values, "P")
            image.putpalette(colour_map().astype(np.uint8).tobytes())
            (folder / f"Segmentation{kind}").mkdir(exist_ok=True)
            image.save(folder / f"Segmentation{kind}" / f"{name}.png")
        path = folder / "Annotations" / f"{name}.xml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"<annotation><filename>{name}.jpg</filename><size><width>{SIZE[1]}</width><height>"
            f"{SIZE[0]}</height><depth>3</depth></size><object><name>cat</name><difficult>1"
            "</difficult><bndbox><xmin>4</xmin><ymin>3</ymin><xmax>12</xmax><ymax>10</ymax></bndbox>"
            "</object></annotation>"
        )
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2007_1\n2007_2\n")
    return folder


def _cityscapes(folder: Path) -> Path:
    numbers = np.array([7, 26000, 24001], np.uint16)[NUMBERS]
    outlines = [{"label": "car", "polygon": TRIANGLE}, {"label": "road", "polygon": SQUARE}]
    for frame in ("000001", "000002"):
        stem = f"aachen_000000_{frame}"
        write_image(folder / "leftImg8bit/train/aachen" / f"{stem}_leftImg8bit.png", *SIZE)
        fine = folder / "gtFine/train/aachen"
        write_mask(fine / f"{stem}_gtFine_instanceIds.png", numbers)
        content = {"imgHeight": SIZE[0], "imgWidth": SIZE[1], "objects": outlines}
        _write_json(fine / f"{stem}_gtFine_polygons.json", content)
    return folder


def _polygons_of_cityscapes(folder: Path) -> Path:
    _cityscapes(folder)
    for path in folder.rglob("*instanceIds.png"):
        path.unlink()
    return folder


def _via(version: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        images = {}
        for name in ("a.png", "b.png"):
            size = write_image(folder / name, *SIZE).stat().st_size
            x, y = np.array(TRIANGLE).T.tolist()
            shapes: list[dict] = [{"name": "polygon", "all_points_x": x, "all_points_y": y}]
            shapes += [{"name": "circle", "cx": 20, "cy": 12, "r": 4}]
            shapes += [{"name": "rect", "x": 1, "y": 14, "width": 8, "height": 6}]
            shapes += [{"name": "ellipse", "cx": 20, "cy": 12, "rx": 4, "ry": 3, "theta": 0.5}]
            rows = [{"shape_attributes": s, "region_attributes": {"name": "cat"}} for s in shapes]
            regions = {str(n): r for n, r in enumerate(rows)} if version == 1 else rows
            image = {"filename": name, "size": size, "regions": regions, "file_attributes": {}}
            images[f"{name}{size}"] = image
        attributes = {"region": {"name": {"type": "text"}}, "file": {}}
        whole = {"_via_settings": {}, "_via_img_metadata": images, "_via_attributes": attributes}
        _write_json(folder / "via_region_data.json", images if version == 1 else whole)
        return folder

    return make


def _tfrecord(folder: Path) -> Path:
    write(_dataset(), folder, "tfrecord")
    return folder


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><labels><label><name>cat</name></label><label><name>dog</name></label></labels></task></meta>
{}</annotations>
"""
CVAT_IMAGE = """<image id="{0}" name="{0}.png" subset="Train" width="32" height="24">
<polygon label="cat" group_id="1" points="2.0,2.0;14.0,3.0;8.0,13.0"/>
<mask label="dog" rle="1, 4, 2, 3, 10" left="4" top="3" width="5" height="4"/>
<ellipse label="dog" cx="12" cy="9" rx="8" ry="4" rotation="30.5"/>
<box label="cat" xtl="10" ytl="4" xbr="14" ybr="12"/><points label="cat" points="1,2"/>
</image>"""


def _cvat(folder: Path) -> Path:
    for number in (1, 2):
        write_image(folder / "images" / f"{number}.png", *SIZE)
    images = "\n".join(CVAT_IMAGE.format(number) for number in (1, 2))
    (folder / "annotations.xml").write_text(CVAT.format(images))
    return folder


SEEDS: dict[str, Callable[[Path], Path]] = {
    "COCO": _coco,
    "images of other kinds": _kinds_of_images,
    "COCO keypoints": _keypoints,
    "LVIS": _lvis,
    "LabelMe": _written("labelme"),
    "LabelMe, embedded": _embedded,
    "LabelMe XML": _web,
    "PNG an object": _folder_per_image,
    "PNG an object, named": _named_masks,
    "PNG of numbers": _written("png"),
    "Pascal VOC": _voc,
    "Cityscapes": _cityscapes,
    "Cityscapes polygons": _polygons_of_cityscapes,
    "VIA 1": _via(1),
    "VIA 2": _via(2),
    "YOLO": _written("yolo"),
    "CVAT": _cvat,
    "TFRecord": _tfrecord,
}
"""Format → what writes a sound dataset into a new folder and says what to load."""
