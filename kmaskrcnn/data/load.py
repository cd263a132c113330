"""One door to every format: looks at what is there, and says what it found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kmaskrcnn.data.broken import without_broken
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats import (
    cityscapes,
    coco,
    coco_kinds,
    cvat,
    instance_pngs,
    labelme,
    lvis,
    mask_folders,
    tfrecord,
    via,
    voc,
    yolo,
)
from kmaskrcnn.data.formats.opening import Format, Opening

FORMATS = (
    Format(
        "one folder an image",
        "folders <id>/images with the image and <id>/masks with one PNG per instance",
        instance_pngs.recognise_homes,
        instance_pngs.open_homes,
    ),
    Format(
        "Cityscapes",
        "a folder with gtFine (*_instanceIds.png or *_polygons.json) and leftImg8bit",
        cityscapes.recognise,
        cityscapes.open_files,
    ),
    Format(
        "Pascal VOC",
        "a folder with SegmentationObject, SegmentationClass and JPEGImages, or VOC2012 and the "
        "like with them in it",
        voc.recognise,
        voc.open_folder,
    ),
    Format(
        "LabelMe",
        "a JSON with shapes and imagePath, or a folder of them, one an image",
        labelme.recognise_jsons,
        labelme.open_files,
    ),
    Format(
        "VIA 1 and 2",
        "a JSON whose images have filename and regions, or a project of VIA 2, or a folder that "
        "holds one",
        via.recognise,
        via.open_file,
    ),
    Format(
        "LVIS",
        "a COCO file whose images have neg_category_ids or not_exhaustive_category_ids",
        lvis.recognise,
        lvis.open_file,
    ),
    Format(
        "COCO instances",
        "a JSON with images, annotations and categories, or a folder that holds one",
        coco.recognise,
        coco.open_file,
    ),
    Format(
        "CVAT",
        "an XML of CVAT for images, or a folder that holds one",
        cvat.recognise,
        cvat.open_file,
    ),
    Format(
        "XML of the LabelMe web tool",
        "a folder of XML files, one an image",
        labelme.recognise_xmls,
        labelme.open_files,
    ),
    Format(
        "YOLO labels",
        "a data.yaml with names and train, val or test, or the folder that holds it",
        yolo.recognise,
        yolo.open_file,
    ),
    Format(
        "TFRecord",
        "files of tf.train.Example as TF's object detection has them: *.record, *.tfrecord, or "
        "shards <name>-00000-of-00010",
        tfrecord.recognise,
        tfrecord.open_files,
    ),
    Format(
        "masks beside images",
        "a folder of images beside a folder of masks: one PNG per instance, called "
        "<image>_<class>_<number>.png, or one PNG of instance numbers per image",
        mask_folders.recognise,
        mask_folders.open_folders,
    ),
)
"""Every format, in the order in which they are tried: the first that recognises a path opens it."""


def load(
    path: str | Path,
    images: str | Path | None = None,
    split: str | None = None,
    class_name: str = "object",
    skip_broken: bool = False,
) -> Dataset:
    """Opens a dataset, whatever its format (see ``FORMATS``).

    The result's ``description`` says what was found, its ``report`` what was mended or left out.

    Args:
        path: an annotation file or a folder; ``folder#split`` is short for ``split=``.
        images: the images' folder, where it is not found by itself.
        split: one of several parts: a key of ``splits.json``, a sub-folder, or part of a file's
            name.
        class_name: what the objects are called where the files do not say.
        skip_broken: images that are missing, cut off, no images, or of another size than their
            annotation says are left out and counted in the report, with file and reason; every file
            is looked at for that. False: the first that is met is an error.

    Raises:
        DataError: nothing there, nothing known, or several things; the message says what was found.
    """
    dataset = open_unchecked(path, images, split, class_name, skip_broken)
    return without_broken(dataset) if skip_broken else dataset


def open_unchecked(
    path: str | Path,
    images: str | Path | None = None,
    split: str | None = None,
    class_name: str = "object",
    skip_broken: bool = True,
) -> Dataset:
    """As ``load``; with ``skip_broken`` images that are missing stay in, to be found later."""
    path = Path(path)
    if not path.exists() and "#" in path.name:
        name, split = path.name.rsplit("#", 1)
        path = path.with_name(name)
    if not path.exists():
        raise DataError(
            f"{path}: there is no such file or folder. {_nearest(path)}. {expectations()}"
        )
    opening = Opening(path, images, split, class_name, skip_broken)
    for attempt in (opening, *opening.folders_of_split()):
        for row in FORMATS:
            found = row.recognise(attempt)
            if found:
                return row.open(found, attempt)
    raise DataError(_nothing_known(opening))


def expectations() -> str:
    """What each format is recognised by, a line a format."""
    return "Expected one of:" + "".join(f"\n  {row.name}: {row.expects}" for row in FORMATS)


def _nothing_known(opening: Opening) -> str:
    path = opening.path
    why = "".join(f" {problem}" for problem in _problems(opening))
    if opening.folder is None:
        return f"{path}: no format is recognised.{why} {expectations()}"
    of_split = f" with a split {opening.split!r}" if opening.split is not None else ""
    found = _entries(opening.path)
    return f"{path}: no format is recognised{of_split}. Found: {found}.{why} {expectations()}"


def _problems(opening: Opening) -> Iterator[str]:
    """Why the file, or the folder's first JSON, is no COCO file, as most are meant to be."""
    files = [opening.path]
    if opening.folder is not None:
        files = opening.jsons or sorted(opening.folder.glob("annotations/*.json"))
    for file in files[:1]:
        try:
            coco_kinds.check_file(opening.json(file))
        except DataError as error:
            yield str(error)


def _entries(folder: Path) -> str:
    entries = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    return ", ".join(entries[:10]) + (" …" if len(entries) > 10 else "") or "nothing"


def _nearest(path: Path) -> str:
    """What is in the closest folder above that exists."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return f"Found in {folder}: {_entries(folder)}"
