"""What `predict` takes, as one path or array an image; what it does not take is told how to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.formats.files import list_images

_TAKEN = (
    "predict takes a path, a folder, an array (height, width[, channels]) or a list of these; got "
)
_NOT_RGB = ("P", "PA", "LA", "La", "CMYK", "YCbCr", "LAB", "HSV", "RGBX")  # of Pillow


def image_sources(x: Any) -> list[Path | np.ndarray]:
    """What a person means by `x`, as one path or array an image.

    Args:
        x: a path, a folder, an array (H, W), (H, W, C) or (B, H, W, C), a picture of Pillow, or a
            list of these. Nothing of it is decoded here.

    Raises:
        DataError: a path that does not exist, an address, a folder without images.
        TypeError: anything else.
    """
    if isinstance(x, (str, Path)):
        return _from_path(x)
    if isinstance(x, (list, tuple)):
        return [source for item in x for source in image_sources(item)]
    if isinstance(x, Image.Image):
        return [np.asarray(x.convert("RGB") if x.mode in _NOT_RGB else x)]
    if hasattr(x, "__array__") and np.ndim(x) in (2, 3, 4):
        return list(np.asarray(x)) if np.ndim(x) == 4 else [np.asarray(x)]
    raise TypeError(f"{_TAKEN}{_described(x)}.{_advice(x)}")


def _from_path(given: str | Path) -> list[Path | np.ndarray]:
    if not str(given):
        raise DataError("the path is empty; expected that of an image or a folder.")
    path = Path(given).expanduser()
    if path.is_dir():
        return list(_images_in(path))
    if path.exists():
        return [path]
    scheme = str(given).partition("://")[0]
    if "://" in str(given) or scheme in ("http:", "https:"):
        raise DataError(f"{given}: addresses are not fetched. Download it, and give the file.")
    if any(sign in str(given) for sign in "*?["):
        raise DataError(
            f"{given}: there is no such file, and patterns are not looked up. Give the folder, or "
            f"sorted(glob.glob({str(given)!r}))."
        )
    raise DataError(f"{path}: there is no such image or folder.")


def _images_in(folder: Path) -> list[Path]:
    found = list_images(folder)
    if found:
        return found
    kinds = Counter(p.suffix.lower() or p.name for p in folder.iterdir() if p.is_file())
    there = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common(5))
    below = sorted(p for p in folder.iterdir() if p.is_dir() and list_images(p))
    advice = f" Folders below it are not searched; {below[0]} holds some." if below else ""
    raise DataError(
        f"{folder}: no image in this folder (it holds {there or 'no file'}; expected .jpg, .png, "
        f".tif, .bmp, .webp or the like).{advice}"
    )


def _described(x: Any) -> str:
    axes = f" of {np.ndim(x)} axes" if hasattr(x, "__array__") else ""
    return f"{type(x).__name__}{axes}"


def _advice(x: Any) -> str:
    """What to do about it, where that can be guessed."""
    if isinstance(x, Mapping):
        return f" Give the value that is the image, of the keys {', '.join(map(str, list(x)[:5]))}."
    if isinstance(x, (bytes, bytearray)):
        return " Give the path, or decode the bytes: cv2.imdecode(…, cv2.IMREAD_COLOR)[..., ::-1]."
    if isinstance(x, Iterator):
        return " Give list(…) of it, or call predict for each."
    if hasattr(x, "class_names") and hasattr(x, "__getitem__"):
        return " Of a dataset give [data[i].image for i in range(len(data))], or call evaluate."
    if isinstance(x, (int, float)):
        return " A picture as nested lists of numbers needs np.array(…, 'uint8') around it."
    if x is None:
        return " Did reading the image fail? cv2.imread gives None for a file it cannot read."
    return ""
