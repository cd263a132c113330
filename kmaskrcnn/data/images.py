"""Images of any kind as (H, W, 3) uint8 RGB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from kmaskrcnn.data.errors import DataError
from kmaskrcnn.data.headers import declared_size, is_cut_off, read_size
from kmaskrcnn.data.not_images import HEAD, count_pictures, is_animation, what_else
from kmaskrcnn.environment import MAX_PIXELS, max_pixels
from kmaskrcnn.versions import parse

BYTES_A_PIXEL = 8  # four channels of 16 bits, not compressed
READS_ANIMATIONS = parse(cv2.__version__) >= (4, 12)
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_UPRIGHT = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH


def read_image(
    image: str | Path | np.ndarray, size: tuple[int, int] | None = None, name: str | None = None
) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB.

    Grey is repeated, alpha is dropped, palettes are looked up, 16 bits are scaled by 1/257 (by the
    type's range, not by guessing from the content), floats are taken from 0 … 1.

    Args:
        image: a path, or an array (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), RGB.
        size: (height, width) as the annotation says. An EXIF rotation is applied if and only if
            this size says so; without a size it is applied.
        name: how messages call an array.

    Raises:
        DataError: a missing, broken, cut-off or gigantic file, another size than ``size``, an
            unusable array.
    """
    if isinstance(image, np.ndarray):
        pixels = _to_rgb(image, name or "the array")
        name = name or "the array"
    else:
        name = str(image)
        pixels = _read_file(Path(image), size)
    if size is not None and pixels.shape[:2] != tuple(size):
        raise DataError(_of_another_size(name, pixels.shape, size))
    return pixels


def _read_file(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    data = _bytes_of(path)
    pixels = decode_image(data, path, size)
    if size is None:
        _refuse_several(data, path, pixels)
    return pixels


def decode_image(data: bytes, path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """The bytes of an image file as (H, W, 3) uint8 RGB; ``path`` is how messages call it, ``size``
    as for ``read_image``, not yet checked unless the header tells that no turn can give it.

    Raises:
        DataError: broken, cut off, gigantic, or of another size.
    """
    refuse_gigantic(str(path), declared_size(data) or (0, 0))
    stored = read_size(data)
    if stored is not None and size is not None and sorted(stored) != sorted(size):
        raise DataError(_of_another_size(str(path), stored, size))
    if is_cut_off(data):
        raise DataError(
            f"{path}: the file is cut off after {len(data)} bytes. Copy or download it again."
        )
    if size is None:
        return _decode(data, path, _UPRIGHT)
    pixels = _decode(data, path, _AS_STORED)
    if pixels.shape[:2] != tuple(size) and pixels.shape[1::-1] == tuple(size):
        upright = _decode(data, path, _UPRIGHT)
        return upright if upright.shape[:2] == tuple(size) else pixels
    return pixels


def _of_another_size(name: str, found: Sequence[int], size: Sequence[int]) -> str:
    return (
        f"{name} is {found[0]}×{found[1]} (height×width), its annotation says {size[0]}×{size[1]}. "
        "Use the image that was annotated, or mend width and height (and the coordinates) in the "
        "annotation."
    )


def _bytes_of(path: Path) -> bytes:
    """The file, if it may be an image: a film of many gigabytes is told by its first bytes."""
    if path.exists() and not path.is_file():
        raise DataError(f"{path}: a folder, a device or a pipe; expected an image file.")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            found = what_else(head, path)
            if found is not None:
                raise DataError(f"{path}: not an image that can be decoded: this is {found}")
            limit = BYTES_A_PIXEL * max_pixels()
            if path.stat().st_size > limit:
                raise DataError(f"{path}: more than {limit:,} bytes, too much for an image.")
            return head + file.read()
    except OSError as error:
        raise DataError(
            f"{path}: the image cannot be read ({error.strerror or error}). Check the path and "
            "the folder of the images."
        ) from error


def _refuse_several(data: bytes, path: Path, first: np.ndarray) -> None:
    """Frames or pages of one size are several pictures; smaller ones are previews of the first."""
    count = count_pictures(data[:HEAD], path)
    if count == 1:
        return
    second = cv2.imreadmulti(str(path), 1, 1, flags=_UPRIGHT)[1]
    if second and second[0].shape[:2] == first.shape[:2]:
        raise DataError(
            f"{path}: {count} pictures in one file. Give those you mean, as arrays: "
            f"[np.asarray(p.convert('RGB')) for p in ImageSequence.Iterator(Image.open('{path}'))]"
        )


def _decode(data: bytes, path: Path, flags: int) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:
        raise DataError(f"{path}: the image cannot be decoded ({error.err or error}).") from error
    if pixels is None and is_animation(data[:HEAD]) and not READS_ANIMATIONS:
        raise DataError(
            f"{path}: a GIF or an animated WebP, which OpenCV reads from 4.12 on; this is "
            f"{cv2.__version__}. Save it as PNG, or run: "
            "python -m pip install --upgrade opencv-python-headless"
        )
    if pixels is None:
        raise DataError(
            f"{path}: not an image that can be decoded ({len(data)} bytes, beginning "
            f"{data[:8]!r}). Expected JPEG, PNG, TIFF, BMP, WebP or the like; replace the file."
        )
    refuse_gigantic(str(path), pixels.shape[:2])
    if pixels.dtype in (np.uint8, np.uint16):  # OpenCV does it without the interpreter's lock
        return _to_bytes(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels), str(path))
    return _to_rgb(pixels[..., ::-1], str(path))


def _to_rgb(pixels: np.ndarray, name: str) -> np.ndarray:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in (2, 3) or channels not in (1, 3, 4) or 0 in pixels.shape:
        raise DataError(
            f"{name} has the shape {pixels.shape}. Expected (height, width), or (height, width, "
            f"1, 3 or 4), not empty.{_channels_first(pixels.shape)}"
        )
    refuse_gigantic(name, pixels.shape[:2])
    pixels = _to_bytes(pixels.reshape(*pixels.shape[:2], channels)[..., :3], name)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _channels_first(shape: tuple[int, ...]) -> str:
    wrong = len(shape) == 3 and shape[0] in (1, 3, 4) and 0 not in shape
    return " Channels come last here: use .transpose(1, 2, 0)." if wrong else ""


def _to_bytes(pixels: np.ndarray, name: str) -> np.ndarray:
    """To uint8, by the range of the type."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels * np.uint8(255)
    if pixels.dtype == np.uint16:
        scaled = cv2.convertScaleAbs(np.ascontiguousarray(pixels), alpha=1 / 257)  # rounds
        return scaled.reshape(pixels.shape)
    if np.issubdtype(pixels.dtype, np.floating) and pixels.min() >= 0 and pixels.max() <= 1:
        return (pixels * 255 + 0.5).astype(np.uint8)
    raise DataError(
        f"{name} is {pixels.dtype} with values {pixels.min()} … {pixels.max()}. Expected uint8, "
        "uint16 (0 … 65535) or float in 0 … 1: scale it to 0 … 255 and use .astype('uint8')."
    )


def refuse_gigantic(name: str, size: Sequence[int]) -> None:
    """Raises a ``DataError`` for a (height, width) of more pixels than are read."""
    if size[0] * size[1] > max_pixels():
        raise DataError(
            f"{name} has {size[0]}×{size[1]} pixels, more than {max_pixels() / 1e6:g} megapixels. "
            f"Cut it into tiles, shrink it, or raise the limit: set {MAX_PIXELS}, in pixels."
        )
