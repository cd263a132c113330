"""What a look at a dataset found: as lines, as JSON, as a sheet of pictures, as a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kmaskrcnn.data.inspection import lines, page, pictures
from kmaskrcnn.data.inspection.findings import Findings
from kmaskrcnn.files import write_text


class Inspection(Findings):
    """What ``inspect`` found, and all that it can do; its attributes are those of `Findings`."""

    def lines(self, num_places: int = 3) -> list[str]:
        """What to know, a line each, with the first ``num_places`` places of every kind."""
        return lines.describe(self, num_places)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def save(self, path: str | Path) -> None:
        """Writes what was found as one file that needs no other.

        Args:
            path: ``.html`` for a page with charts and pictures; else a text file of all lines, with
                every place.

        Raises:
            DataError: an image that is to be drawn cannot be read any more.
        """
        path = Path(path)
        if path.suffix.lower() in (".html", ".htm"):
            write_text(path, page.make_page(self))
        else:
            write_text(path, "\n".join(self.lines(num_places=2**31)) + "\n")

    def sheet(
        self, limit: int = 12, *, columns: int = 4, cell_size: int = 400, suspicious: bool = False
    ) -> np.ndarray:
        """A sheet of annotated images, evenly spread over the dataset.

        Args:
            limit: images at most.
            columns: in a row.
            cell_size: pixels of a picture's longer side.
            suspicious: only images with something suspicious, if there are any; captions say what.

        Returns: (H, W, 3) uint8 RGB.

        Raises:
            DataError: an image that cannot be drawn.
        """
        return pictures.sheet(self, limit, columns, cell_size, suspicious)
