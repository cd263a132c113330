"""One door to every format: looks at what is there, and says what it found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kmaskrcnn.data.broken import without_broken
from kmaskrcnn.data.dataset import Dataset
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.coco import CocoDataset, check_content, foreign
from kmaskrcnn.data.formats.files import list_images, natural, read_json, split_names
from kmaskrcnn.data.formats.instance_ids import InstanceIdDataset
from kmaskrcnn.data.formats.instance_pngs import (
    InstancePngDataset,
    open_folder_per_image,
    open_named_masks,
)
from kmaskrcnn.data.formats.labelme import LabelMeDataset, is_labelme

EXPECTED = (
    "Expected a COCO instances JSON (or a folder that holds one), LabelMe files (a folder of them, "
    "one JSON or XML an image), folders <id>/images and "
    "<id>/masks with one PNG per instance, or a folder of images beside a folder of masks (one PNG "
    "per instance, called <image>_<class>_<number>.png, or one PNG of instance numbers per image)"
)
OTHER_COCO = re.compile(r"^(captions|person_keypoints|panoptic|stuff|image_info|labels)_|^splits$")
MASK_FOLDER = re.compile(r"mask|label|annot|instance|segment", re.IGNORECASE)


def load(
    path: str | Path,
    images: str | Path | None = None,
    split: str | None = None,
    class_name: str = "object",
    skip_broken: bool = False,
) -> Dataset:
    """Opens a dataset, whatever its format: COCO instances JSON, LabelMe JSONs, one PNG per
    instance, instance-id PNGs.

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
        raise DataError(f"{path}: there is no such file or folder. {EXPECTED}. {_nearest(path)}.")
    if path.is_file():
        return _open_file(path, images, skip_broken)
    return (
        open_folder_per_image(path, split, class_name, skip_broken)
        or _open_jsons(path, images, split, skip_broken)
        or _open_xmls(path, images, split, skip_broken)
        or _open_masks(path, images, split, class_name, skip_broken)
        or _give_up(path, split)
    )


def _open_file(path: Path, images: str | Path | None, skip_broken: bool) -> Dataset:
    if path.suffix.lower() == ".xml":
        return LabelMeDataset([path], images, skip_broken)
    content = read_json(path)
    if is_labelme(content):
        return LabelMeDataset([path], images, skip_broken)
    return CocoDataset(path, images, skip_broken, content)


def _open_jsons(
    folder: Path, images: str | Path | None, split: str | None, skip_broken: bool
) -> Dataset | None:
    """The COCO file, or the LabelMe files, in or just below a folder."""
    found = [f for f in _json_files(folder) if split is None or _is_of_split(f, folder, split)]
    if len(found) == 1:
        return _open_only(found[0], images, skip_broken, needed=not _mask_folders(folder))
    if any(_is(file, is_labelme) for file in found[:3]):
        return LabelMeDataset(_of_one_folder(found, folder), images, skip_broken)
    found = [file for file in found if _is(file, _is_coco)]
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in found)
        raise DataError(
            f"{folder}: several annotation files ({names}). Name one of them, or a split."
        )
    return CocoDataset(found[0], images, skip_broken) if found else None


def _open_only(
    file: Path, images: str | Path | None, skip_broken: bool, needed: bool
) -> Dataset | None:
    """The one JSON of a folder; where masks lie beside it (not ``needed``) it may be anything."""
    if not needed and not _is(file, lambda content: is_labelme(content) or _is_coco(content)):
        return None
    return _open_file(file, images, skip_broken)


def _open_xmls(
    folder: Path, images: str | Path | None, split: str | None, skip_broken: bool
) -> Dataset | None:
    """Files of the LabelMe web tool in, or one or two steps below, a folder."""
    for pattern in ("*.xml", "*/*.xml", "*/*/*.xml"):
        files = sorted(folder.glob(pattern))
        files = [f for f in files if split is None or _is_of_split(f, folder, split)]
        if files:
            return LabelMeDataset(_of_one_folder(files, folder), images, skip_broken)
    return None


def _of_one_folder(files: list[Path], folder: Path) -> list[Path]:
    """LabelMe files of one part; several parts are not one dataset."""
    homes = sorted({file.parent for file in files})
    if len(homes) > 1:
        names = ", ".join(str(home.relative_to(folder)) for home in homes[:10])
        raise DataError(
            f"{folder}: LabelMe files in several folders ({names}). Name one of them, or a split."
        )
    return sorted(files, key=natural)


def _is(file: Path, kind: Callable[[Any], bool]) -> bool:
    try:
        return kind(read_json(file))
    except DataError:
        return False


def _is_coco(content: Any) -> bool:
    return foreign(content) is None


def _json_files(folder: Path) -> list[Path]:
    for pattern in ("*.json", "annotations/*.json", "*/*.json"):
        files = [p for p in sorted(folder.glob(pattern)) if not OTHER_COCO.match(p.stem)]
        if files:
            return files
    return []


def _is_of_split(file: Path, folder: Path, split: str) -> bool:
    parts = {
        *re.findall(r"[^\W_]+", file.stem),
        *re.findall(r"[^\W\d_]+", file.stem),
        *file.relative_to(folder).parts,
        file.stem,
    }
    return any(name in parts for name in split_names(split))


def _mask_folders(folder: Path) -> list[Path]:
    children = [child for child in sorted(folder.iterdir()) if child.is_dir()]
    return [child for child in children if MASK_FOLDER.search(child.name) and list_images(child)]


def _open_masks(
    folder: Path,
    images: str | Path | None,
    split: str | None,
    class_name: str,
    skip_broken: bool,
) -> Dataset | None:
    """Images beside masks, told apart by the folders' names and joined by the files' names."""
    names = split_names(split) if split is not None else ()
    folder = next((folder / name for name in names if (folder / name).is_dir()), folder)
    masks = _mask_folders(folder) or (
        [folder] if images is not None and list_images(folder) else []
    )
    pictures = (
        [Path(images)]
        if images is not None
        else [p for p in folder.iterdir() if p.is_dir() and p not in masks]
    )
    pictures = [p for p in pictures if list_images(p)]
    if len(masks) != 1 or len(pictures) != 1:
        return None
    groups, strays = _join(list_images(pictures[0]), list_images(masks[0]))
    if strays and not skip_broken:
        raise DataError(
            f"{strays[0]}: no image belongs to this mask. Expected an image called "
            f"{strays[0].stem!r}, or one whose name it begins with (<image>_<class>_<number>.png)."
        )
    dataset = _of_groups(groups, folder, class_name)
    for mask in strays:
        dataset.report.add("mask left out, no image belongs to it", str(mask))
    return dataset


def _of_groups(
    groups: dict[Path, list[tuple[Path, str]]], folder: Path, class_name: str
) -> InstancePngDataset | InstanceIdDataset:
    """One PNG per object where an image has several, or where they are numbered; else ids."""
    rests = [rest for found in groups.values() for _, rest in found]
    if any(len(found) > 1 for found in groups.values()) or any(r[-1:].isdigit() for r in rests):
        return open_named_masks(groups, folder, class_name)
    one = [found[0][0] if found else None for found in groups.values()]
    return InstanceIdDataset(list(groups), one, folder, class_name)


def _join(
    images: list[Path], masks: list[Path]
) -> tuple[dict[Path, list[tuple[Path, str]]], list[Path]]:
    """Image → its masks, each with what its name has beyond the image's; masks of no image."""
    strays = []
    groups: dict[Path, list[tuple[Path, str]]] = {image: [] for image in images}
    by_stem = {image.stem: image for image in images}
    for mask in masks:
        stem = next((stem for stem in _prefixes(mask.stem) if stem in by_stem), None)
        if stem is None:
            strays.append(mask)
            continue
        groups[by_stem[stem]].append((mask, mask.stem[len(stem) :].lstrip("_-. ")))
    return groups, strays


def _prefixes(stem: str) -> Iterator[str]:
    """The name itself, then without its last part, and so on."""
    yield stem
    for cut in reversed([match.start() for match in re.finditer(r"[_\-. ]", stem)]):
        yield stem[:cut]


def _entries(folder: Path) -> str:
    entries = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    return ", ".join(entries[:10]) + (" …" if len(entries) > 10 else "") or "nothing"


def _nearest(path: Path) -> str:
    """What is in the closest folder above that exists."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    return f"Found in {folder}: {_entries(folder)}"


def _give_up(folder: Path, split: str | None) -> Dataset:
    found = _entries(folder)
    why = ""
    for file in _json_files(folder)[:1]:
        try:
            check_content(read_json(file), file)
        except DataError as error:
            why = f" {error}"
    of_split = f" with a split {split!r}" if split is not None else ""
    raise DataError(
        f"{folder}: no format is recognised{of_split}. {EXPECTED}. Found: {found}.{why}"
    )
