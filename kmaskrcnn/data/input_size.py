"""How large the network sees photographs, and how they lie in its input."""

from __future__ import annotations

from dataclasses import dataclass

from kmaskrcnn.data.geometry import Canvas, lay_out
from kmaskrcnn.data.resizing import Size, resized_size


@dataclass(frozen=True)
class InputSize:
    """The size of the network's input; the fields are those of ``MaskRCNNConfig``.

    Attributes:
        min_size, max_size: pixels: the shorter side's target, and the longer side's limit.
        size_divisor: the padded sides' common divisor, at least the network's largest stride.
        resize: whose sizes, see ``resizing.resized_size``.
        canvas: ``"corner"`` or ``"square"``, see ``geometry.lay_out``.

    Raises:
        ValueError: an unknown resize or canvas.
    """

    min_size: int
    max_size: int
    size_divisor: int = 64
    resize: str = "affine"
    canvas: str = "corner"

    def __post_init__(self) -> None:
        self.lay_out(self.of((1, 1)))

    def of(self, size: Size, share: float = 1.0) -> Size:
        """To what an image of ``size`` is resized; with ``share``, another short edge."""
        min_size = max(round(share * self.min_size), 1)
        return resized_size(size, min_size, self.max_size, self.resize)

    def lay_out(self, size: Size) -> Canvas:
        """Where a resized image of ``size`` lies in the padded input."""
        return lay_out(size, self.canvas, self.max_size, self.size_divisor)
