"""Pictures: objects on an image, many pictures on one sheet; RGB uint8 in and out."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from kmaskrcnn.ops.captions import Color, draw_captions, draw_legend, text_width, write
from kmaskrcnn.ops.regions import Region
from kmaskrcnn.ops.skeletons import Skeletons, draw_skeleton

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
PALETTE: tuple[Color, ...] = (
    (255, 76, 76),
    (0, 166, 255),
    (255, 190, 11),
    (46, 213, 115),
    (186, 85, 255),
    (255, 121, 198),
    (0, 221, 209),
    (255, 130, 37),
    (124, 131, 255),
    (163, 217, 0),
    (240, 60, 170),
    (140, 205, 255),
)


def color_of(index: int) -> Color:
    """The colour of number ``index``: twelve chosen ones, then hues a golden angle apart."""
    if index < len(PALETTE):
        return PALETTE[index]
    hue = (index * 0.6180339887) % 1.0
    saturation, value = ((0.8, 0.95), (0.45, 1.0), (0.9, 0.72))[index % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def colors_of(labels: Sequence[int] | np.ndarray, color_by: str) -> list[Color]:
    """A colour for each object, by its place (``"instance"``) or by its label (``"class"``)."""
    if color_by not in ("instance", "class"):
        raise ValueError(f"color_by: expected 'instance' or 'class', got {color_by!r}")
    numbers = range(len(labels)) if color_by == "instance" else (int(v) for v in labels)
    return [color_of(number) for number in numbers]


def as_rgb(image: str | Path | np.ndarray, image_size: tuple[int, int] | None = None) -> np.ndarray:
    """A picture to draw on: (H, W, 3) uint8 RGB, always a new array.

    Args:
        image: a file, or (H, W), (H, W, 1), (H, W, 3 RGB), (H, W, 4 RGBA) of uint8, of bool, or of
            anything else, which is stretched from its own least to its own greatest value.
        image_size: (height, width) that it must have. A photograph with an EXIF rotation is turned
            if and only if it has that size then.

    Raises:
        ValueError: no such file, not an image, or another size.
    """
    if isinstance(image, (str, Path)):
        image = read_picture(Path(image), image_size)
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise ValueError(f"image: expected (H, W), (H, W, 3) or (H, W, 4), got {image.shape}")
    if image_size is not None and image.shape[:2] != tuple(image_size):
        raise ValueError(
            f"image: expected {tuple(image_size)} (height, width), the size that the objects were "
            f"found in, got {image.shape[:2]}"
        )
    image = image[:, :, :3] if image.dtype == np.uint8 else _to_bytes(image[:, :, :3])
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3))).copy()


def read_picture(
    path: Path, image_size: tuple[int, int] | None = None, *, as_it_is: bool = False
) -> np.ndarray:
    """A file as (H, W, 3) uint8 RGB; or ``as_it_is``, grey and 16 bits kept, without alpha.

    Args:
        path: of a picture that OpenCV reads.
        image_size: see `as_rgb`; here another size is no error.
    """
    data = np.fromfile(path, np.uint8) if path.is_file() else np.zeros(0, np.uint8)
    kind = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if as_it_is else cv2.IMREAD_COLOR
    image = cv2.imdecode(data, kind) if data.size else None
    if image is not None and image_size is not None and image.shape[:2] != tuple(image_size):
        image = cv2.imdecode(data, kind | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        reason = "not an image that OpenCV reads" if path.is_file() else "no such file"
        raise ValueError(f"{path}: {reason}")
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _to_bytes(image: np.ndarray) -> np.ndarray:
    image = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
    low, high = float(image.min()), float(image.max())
    return ((image - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image at ``size`` (height, width): averaged when it shrinks, linear when it grows."""
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (int(size[1]), int(size[0])), interpolation=how)


def draw_instances(
    image: np.ndarray,
    boxes: np.ndarray,
    *,
    region_of: Callable[[int], Region] | None = None,
    captions: Sequence[str] | None = None,
    legend: Sequence[tuple[int | None, str]] = (),
    colors: Sequence[Color] | None = None,
    outline_boxes: bool = True,
    skeletons: Skeletons | None = None,
    opacity: float = 0.4,
) -> np.ndarray:
    """Objects on an image: translucent masks with an outline, boxes, skeletons, captions on plates.

    Large objects are drawn first, so that small ones lie on top. Lines and texts follow the image's
    size, and lines of small objects theirs, so that they are not covered by them. Masks are asked
    for one at a time.

    Args:
        image: (H, W, 3) uint8 RGB, left as it is.
        boxes: (K, 4), x1 y1 x2 y2 in pixels of ``image``.
        region_of: gives the mask of object i; None for no masks.
        captions: K texts, the most important objects first; None for none.
        legend: rows of a table in a corner: an object whose colour it names, or None, and text.
        colors: K colours, RGB; by default one for each object.
        outline_boxes: whether boxes are drawn.
        skeletons: the objects' keypoints; None for none.
        opacity: of the masks, 0 to 1.

    Returns: (H, W, 3) uint8 RGB.
    """
    boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    colors = colors_of(range(len(boxes)), "instance") if colors is None else colors
    image = image.copy()
    unit = np.sqrt(image.shape[0] * image.shape[1]) / 640
    lines = _line_widths(boxes, 1.5 * unit)
    largest_first = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
    for i in largest_first:
        if region_of is not None:
            _draw_region(image, region_of(int(i)), colors[i], opacity, lines[i])
        if outline_boxes:
            _draw_box(image, boxes[i], colors[i], lines[i])
    if skeletons is not None:  # over the masks of all objects
        for i in largest_first:
            draw_skeleton(image, skeletons, int(i), boxes[i], colors[i])
    if captions is not None:
        crowding = np.clip(np.sqrt(12 / max(len(boxes), 1)), 0.6, 1.0)
        draw_captions(image, boxes, captions, colors, max(6, round(9 * unit * crowding)))
    rows = [(None if i is None else colors[i], text) for i, text in legend]
    draw_legend(image, boxes, rows, max(6, round(8 * unit)))
    return image


def _line_widths(boxes: np.ndarray, most: float) -> list[int]:
    """Whole pixels of each object's lines: a 16th of its shorter side, at most ``most``."""
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    return [max(1, round(float(width))) for width in np.minimum(sides / 16, most)]


def _draw_region(
    image: np.ndarray, region: Region, color: Color, opacity: float, line: int
) -> None:
    if not region.crop.any():
        return
    left, top, right, bottom = region.window
    view = image[top:bottom, left:right]
    levels = np.arange(256, dtype=np.float32)[:, None]
    table = (levels * (1 - opacity) + np.asarray(color, np.float32) * opacity).astype(np.uint8)
    bytes_of_crop = np.ascontiguousarray(region.crop).view(np.uint8)
    cv2.copyTo(cv2.LUT(view, table[None]), bytes_of_crop, view)
    contours, _ = cv2.findContours(
        bytes_of_crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left, top)
    )
    cv2.drawContours(image, contours, -1, color, line, cv2.LINE_AA)


def _draw_box(image: np.ndarray, box: np.ndarray, color: Color, line: int) -> None:
    left, top, right, bottom = np.round(box).astype(int)
    cv2.rectangle(
        image, (left, top), (max(right, left + 1) - 1, max(bottom, top + 1) - 1), color, line
    )


def encode_picture(image: np.ndarray, suffix: str) -> bytes:
    """The file of an RGB picture, in the format of ``suffix``."""
    return cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def contact_sheet(
    images: Iterable[np.ndarray],
    captions: Sequence[str] | None = None,
    *,
    columns: int = 4,
    cell_size: tuple[int, int] = (320, 320),
    gap: int = 8,
    background: Color = (250, 250, 250),
) -> np.ndarray:
    """Many pictures on one sheet, each fitted into a cell, row by row, with a line of text below.

    Args:
        images: RGB uint8 arrays of any sizes, or grey ones.
        captions: a text for each; None for none.
        columns: pictures in a row.
        cell_size: (height, width) of a cell, without its text.
        gap: pixels between cells and around them.
        background: colour of the sheet.

    Returns: (H, W, 3) uint8 RGB.
    """
    images = list(images)
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"expected {len(images)} captions, one an image, got {len(captions)}")
    columns = max(1, min(columns, len(images)))
    text = 11
    below = 2 * text if captions is not None else 0
    pitch = np.array([cell_size[0] + below + gap, cell_size[1] + gap])
    rows = max(1, -(-len(images) // columns))
    sheet = np.full((rows * pitch[0] + gap, columns * pitch[1] + gap, 3), background, np.uint8)
    for i, image in enumerate(images):
        top, left = np.array(divmod(i, columns)) * pitch + gap
        fitted = fit(as_rgb(image), cell_size)
        height, width = fitted.shape[:2]
        y, x = top + (cell_size[0] - height) // 2, left + (cell_size[1] - width) // 2
        sheet[y : y + height, x : x + width] = fitted
        if captions is not None:
            shown = shorten(captions[i], cell_size[1], text)
            write(sheet, shown, left + 2, top + cell_size[0] + text // 2, text, (40, 40, 40))
    return sheet


def fit(image: np.ndarray, cell_size: tuple[int, int]) -> np.ndarray:
    """The image, aspect kept, as large as fits into ``cell_size`` (height, width)."""
    scale = min(cell_size[0] / image.shape[0], cell_size[1] / image.shape[1])
    size = tuple(max(1, int(side * scale + 0.5)) for side in image.shape[:2])
    return resize(image, (size[0], size[1]))


def shorten(text: str, width: int, height: int) -> str:
    """``text``, cut with dots where it is wider than ``width`` at capitals ``height`` high."""
    if text_width(text, height) <= width:
        return text
    while text and text_width(text + "...", height) > width:
        text = text[:-1]
    return text + "..."
