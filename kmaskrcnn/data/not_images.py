"""Files that are no photograph: what they are, by their first bytes, and what to do with them."""

from __future__ import annotations

from pathlib import Path

import cv2

HEAD = 512  # bytes that tell what a file is
_VIDEO = (
    "a video. Take its frames out first, as `ffmpeg -i {path} -vf fps=1 frame-%06d.jpg` does, or "
    "give them one by one: frames = cv2.VideoCapture({path!r}); "
    "model.predict(frames.read()[1][..., ::-1])"
)
_APPLE = "a {brand} image, which is not read here. Save it as JPEG or PNG first."
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x1aE\xdf\xa3", _VIDEO),  # Matroska, WebM
    (b"FLV\x01", _VIDEO),
    (b"OggS", _VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),  # Windows media
    (b"\0\0\x01\xba", _VIDEO),  # MPEG program stream
    (b"\0\0\x01\xb3", _VIDEO),
    (b"%PDF", "a PDF. Draw its pages first, as `pdftoppm -png {path} page` does."),
    (b"PK\x03\x04", "a zip archive. Unpack it, and give the folder."),
    (b"\x1f\x8b", "a gzip archive. Unpack it, and give the folder."),
    (b"\x93NUMPY", "a NumPy array. Load it, and give the array: model.predict(np.load({path!r}))"),
    (b"\x89HDF", "an HDF5 file, which holds weights or arrays rather than a photograph."),
)
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "a web page: a download went wrong. Fetch the image itself."),
    (b"<html", "a web page: a download went wrong. Fetch the image itself."),
    (b"<svg", "an SVG drawing. Save it as PNG first."),
    (b"<?xml", "an XML file, not a photograph."),
    (b"version https://git-lfs", "a placeholder of git-lfs. Run `git lfs pull` first."),
    (b"{", "a JSON file, not a photograph; annotations are for training and evaluating."),
)


def what_else(head: bytes, path: Path) -> str | None:
    """What a file is if it is none of the image formats, and what to do with it.

    Args:
        head: its first ``HEAD`` bytes.
        path: for the commands in the advice.

    Returns:
        A sentence that goes on after "this is"; None for images, and for what is not known.
    """
    found = next((text for start, text in _STARTS if head.startswith(start)), None)
    if found is None and head[4:8] == b"ftyp":
        found = _of_brand(head[8:12])
    if found is None and head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        found = _VIDEO
    if found is None:
        text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        found = next((advice for start, advice in _TEXTS if text.startswith(start)), None)
    return (
        None
        if found is None
        else found.replace("{path!r}", repr(str(path))).replace("{path}", str(path))
    )


def count_pictures(head: bytes, path: Path) -> int:
    """How many pictures a file holds: frames of an animation, pages of a TIFF; 1 of any other."""
    tiff = head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
    if not (tiff or is_animation(head)):
        return 1
    return max(1, cv2.imcount(str(path)))


def is_animation(head: bytes) -> bool:
    """Whether it is of a format that holds frames: any GIF, and WebP with the flag of animations.

    Args:
        head: the file's first ``HEAD`` bytes.
    """
    webp = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return head.startswith(b"GIF8") or (webp and len(head) > 20 and bool(head[20] & 0x02))


def _of_brand(brand: bytes) -> str | None:
    """ISO base media are photographs of telephones, or videos."""
    if brand[:3] in (b"hei", b"hev", b"mif", b"msf"):
        return _APPLE.replace("{brand}", "HEIC")
    return None if brand[:3] == b"avi" else _VIDEO  # AVIF: OpenCV may read it
