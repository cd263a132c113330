"""XML of annotations, from files that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from kmaskrcnn.data.errors import DataError

MAX_BYTES = 2**26


def read_xml(file: Path) -> ElementTree.Element:
    """The root of an XML file.

    Raises:
        DataError: missing, too large, cut off, no XML, or with entities of its own, which can fill
            memory.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"{file}: the annotation file cannot be read ({error.strerror or error})."
        ) from error
    if len(data) > MAX_BYTES or b"<!ENTITY" in data.replace(b"\0", b""):  # in UTF-16, too
        raise DataError(f"{file}: more than {MAX_BYTES:,} bytes, or entities, in an annotation.")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise DataError(
            f"{file}: not XML, or cut off ({error}). Copy or export the file again."
        ) from error


def text_of(element: ElementTree.Element, path: str) -> str:
    """The text of the first element at ``path``; empty where there is none."""
    return (element.findtext(path) or "").strip()


def number_of(element: ElementTree.Element, path: str) -> float | None:
    """The number at ``path``; None where there is none."""
    try:
        return float(text_of(element, path))
    except ValueError:
        return None
