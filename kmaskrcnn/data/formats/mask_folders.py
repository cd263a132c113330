"""A folder of images beside a folder of masks, joined by the names of their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import list_images
from kmaskrcnn.data.formats.instance_ids import InstanceIdDataset
from kmaskrcnn.data.formats.instance_pngs import InstancePngDataset, open_named_masks
from kmaskrcnn.data.formats.opening import Opening

MASK_FOLDER = re.compile(r"mask|label|annot|instance|segment", re.IGNORECASE)


def recognise(opening: Opening) -> list[Path]:
    """The folder of images and that of masks, told apart by their names; none where there are not
    exactly these two, or a split is asked for, which only a folder of its own can be."""
    folder = opening.folder
    if folder is None or opening.split is not None:
        return []
    children = [child for child in sorted(folder.iterdir()) if child.is_dir()]
    children = [child for child in children if list_images(child)]
    masks = [child for child in children if MASK_FOLDER.search(child.name)]
    pictures = [child for child in children if child not in masks]
    if opening.images is not None:
        masks = masks or ([folder] if list_images(folder) else [])
        pictures = [Path(opening.images)] if list_images(Path(opening.images)) else []
    return [pictures[0], masks[0]] if len(masks) == len(pictures) == 1 else []


def open_folders(found: Sequence[Path], opening: Opening) -> InstancePngDataset | InstanceIdDataset:
    """The dataset of a folder of images and one of masks.

    Raises:
        DataError: a mask that no image belongs to.
    """
    images, masks = found
    groups, strays = _join(list_images(images), list_images(masks))
    if strays and not opening.skip_broken:
        raise DataError(
            f"{strays[0]}: no image belongs to this mask. Expected an image called "
            f"{strays[0].stem!r}, or one whose name it begins with (<image>_<class>_<number>.png)."
        )
    dataset = _of_groups(groups, opening.path, opening.class_name)
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
