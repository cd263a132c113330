"""Images of a dataset in a folder of their own: copied, linked, or left where they are."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import cast

import numpy as np

from kmaskrcnn.data.dataset import Sample
from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import declared_size, turn_of
from kmaskrcnn.ops.drawing import encode_picture

HOW = ("copy", "link", "none")


class Photographs:
    """Puts images into a folder, each under a name whose stem no other has.

    An image that is an array is written as PNG.
    """

    def __init__(self, folder: Path, how: str, upright: bool = False) -> None:
        """Makes the folder.

        Args:
            folder: for the images.
            how: ``"copy"``; ``"link"``: a symbolic link to each; ``"none"``: only names are given.
            upright: the format does not say images' sizes, so that a photograph that was annotated
                without heeding its EXIF rotation is written anew, as PNG without such a tag.
        """
        self._folder, self._how, self._upright = folder, how, upright
        self._stems: set[str] = set()
        if how != "none":
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, sample: Sample, index: int) -> str:
        """The image's name in the folder, where it is now.

        Raises:
            DataError: a file that cannot be read, an array that is to be left where it is, two
                images of one name that are.
        """
        if isinstance(sample.image, np.ndarray) or (self._upright and ignores_turn(sample)):
            return self._draw(sample, index)
        source = Path(sample.image)
        name = self._free(source.stem, source.suffix, source.parent.name)
        try:
            if self._how == "copy":
                shutil.copyfile(source, self._folder / name)
            elif self._how == "link":
                source.stat()  # refuses what is not there
                os.symlink(source.resolve(), self._folder / name)
        except OSError as error:
            raise DataError(_cannot(sample, error)) from error
        return name

    def _draw(self, sample: Sample, index: int) -> str:
        own = sample.image_id if isinstance(sample.image, np.ndarray) else Path(sample.image).stem
        named = re.sub(r"[^\w.-]", "_", str(f"{index:06}" if own is None else own))[:100]
        name = self._free(named.strip(".") or f"{index:06}", ".png", "image")
        if self._how == "none":
            raise DataError(f"{sample.name} has no file that could be used as it is: copy images.")
        (self._folder / name).write_bytes(encode_picture(sample.read(), ".png"))
        return name

    def _free(self, stem: str, suffix: str, prefix: str) -> str:
        """A name that is not taken; letters' case does not tell names apart everywhere."""
        wanted = stem
        for number in range(2, 1_000_000):
            if wanted.lower() not in self._stems:
                break
            wanted = f"{prefix}_{stem}" if number == 2 else f"{stem}_{number - 1}"
        if wanted != stem and self._how == "none":
            raise DataError(f"two images are called {stem}: copy or link them under other names.")
        self._stems.add(wanted.lower())
        return wanted + suffix


def ignores_turn(sample: Sample) -> bool:
    """Whether the annotation holds for the pixels as they are stored, and EXIF turns them."""
    if sample.size is None or isinstance(sample.image, np.ndarray):
        return False
    path = Path(sample.image)
    return turn_of(path) != 1 and declared_size(path.read_bytes()) == tuple(sample.size)


def read_bytes(sample: Sample) -> bytes:
    """The image's file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return Path(cast(str, sample.image)).read_bytes()
    except OSError as error:
        raise DataError(_cannot(sample, error)) from error


def _cannot(sample: Sample, error: OSError) -> str:
    return f"{sample.name}: the image cannot be taken along ({error.strerror or error})."
