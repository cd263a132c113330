"""The switches of augmentation: one frozen dataclass, and its named instances."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from kmaskrcnn.field_types import check_fields, check_names


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How the images of a training differ from epoch to epoch. The defaults change nothing.

    Shares of images are 0 (none) to 1 (all). What changes places is done in the order of the
    fields and becomes one affine matrix an image, through which pixels, boxes, masks and keypoints
    go once.

    Raises:
        ValueError: a field is of another type or out of its range; the message names the field.
    """

    # Cut first: the share of each side that is kept, drawn between two limits; Detectron2's
    # RandomCrop("relative_range").
    crop: tuple[float, float] = (1.0, 1.0)
    # The short edge, as shares of min_size, of which one is drawn; max_size stays the limit.
    train_sizes: tuple[float, ...] = (1.0,)
    # Large-scale jitter (Ghiasi et al. 2021, arXiv:2012.07177): a factor on that size, drawn
    # between two limits; what exceeds the size without jitter is cut at a random place.
    scale: tuple[float, float] = (1.0, 1.0)
    # True: a smaller image stays at the upper left of a canvas of that size, as there.
    pad: bool = False
    # (height, width) in pixels in the place of the size without jitter; () takes that one.
    canvas_size: tuple[int, ...] = ()
    # Shares of images that are mirrored left and right, and top and bottom.
    flip: float = 0.0
    vertical_flip: float = 0.0
    # About the middle, drawn between minus and plus: degrees, degrees, share of each side.
    rotation: float = 0.0
    shear: float = 0.0
    translation: float = 0.0
    # RGB of what comes in from outside of the photograph: ImageNet's mean, which the network's
    # normalisation turns to 0. (Detectron2 pads with 128.)
    fill: tuple[int, int, int] = (124, 116, 104)
    # Four images on one canvas (Bochkovskiy et al. 2020, arXiv:2004.10934): share of the images,
    # and between which shares of each side the point lies where they meet (theirs: 0.2 to 0.8).
    mosaic: float = 0.0
    mosaic_middle: tuple[float, float] = (0.3, 0.7)
    # Objects of another image pasted with their masks (Ghiasi et al. 2021): share of the images,
    # and between which numbers, as many as there are, that of the objects is drawn (mmdetection:
    # up to 100).
    copy_paste: float = 0.0
    paste_count: tuple[int, int] = (1, 100)
    # Pixels over which a pasted object's edge is blended, the sigma of a Gaussian; 0: a hard edge,
    # which Ghiasi et al. find as good.
    paste_blend: float = 0.0
    # An object that is covered by others is left out when less than this share of it is still to be
    # seen. (mmdetection leaves out what keeps fewer than 300 pixels.)
    min_visible: float = 0.1
    # Colours: largest change of the factors of brightness, contrast and saturation, and degrees of
    # hue, each for a share of the images; torchvision's RandomPhotometricDistort has 0.125, 0.5,
    # 0.5, 18 and 0.5.
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    color_share: float = 0.5

    def __post_init__(self) -> None:
        check_fields(self)
        shares = (
            "flip vertical_flip translation mosaic copy_paste min_visible brightness contrast "
            "saturation color_share"
        )
        for name in shares.split():
            self._require(name, 0 <= getattr(self, name) <= 1, "between 0 and 1")
        ranges = {"crop": (0.0, 1.0), "scale": (0.0, 100.0), "mosaic_middle": (0.0, 1.0)}
        for name, (least, most) in {**ranges, "paste_count": (-1, 10_000)}.items():
            low, high = getattr(self, name)
            expected = f"two numbers in order, above {least} and {most} at most"
            self._require(name, least < low <= high <= most, expected)
        self._require(
            "train_sizes",
            len(self.train_sizes) > 0 and all(0 < share <= 10 for share in self.train_sizes),
            "one or more shares above 0",
        )
        self._require(
            "canvas_size",
            len(self.canvas_size) in (0, 2) and all(side > 0 for side in self.canvas_size),
            "(height, width), or ()",
        )
        for name, most in {"rotation": 180, "shear": 60, "hue": 180}.items():
            self._require(name, 0 <= getattr(self, name) <= most, f"0 to {most} degrees")
        self._require("paste_blend", 0 <= self.paste_blend <= 100, "0 to 100 pixels")
        self._require("fill", all(0 <= value <= 255 for value in self.fill), "RGB, 0 to 255")

    def _require(self, name: str, condition: bool, expected: str) -> None:
        if not condition:
            raise ValueError(
                f"Augmentation.{name} must be {expected}, but it is {getattr(self, name)!r}."
            )

    @classmethod
    def named(cls, policy: str) -> Augmentation:
        """A policy by name, or several joined by ``+``.

        Raises:
            ValueError: a name that is none of ``POLICIES``.
        """
        names = [name.strip() for name in policy.split("+")]
        unknown = sorted(set(names) - set(NAMED))
        if unknown:
            raise ValueError(
                f"augmentation {policy!r}: {', '.join(map(repr, unknown))} is unknown; expected "
                f"names among {', '.join(NAMED)}, joined by '+'."
            )
        return cls(**{field: value for name in names for field, value in NAMED[name].items()})

    def replace(self, **changes: Any) -> Augmentation:
        """A copy with other values.

        Raises:
            TypeError: a name is not a field; the message lists the nearest ones.
        """
        check_names(Augmentation, changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON; `Augmentation(**d)` reads them back."""
        return dataclasses.asdict(self)

    def changes(self) -> dict[str, Any]:
        """The fields that are off their defaults: what it does."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }


NAMED: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "flip": {"flip": 0.5},
    "vertical_flip": {"vertical_flip": 0.5},
    "scale_jitter": {"scale": (0.8, 1.25)},
    "crop": {"crop": (0.6, 1.0)},
    "rotation": {"rotation": 15.0},
    "color": {"brightness": 0.125, "contrast": 0.5, "saturation": 0.5, "hue": 18.0},
    "copy_paste": {"copy_paste": 1.0},
    "mosaic": {"mosaic": 0.5},
    # Detectron2's INPUT.MIN_SIZE_TRAIN 640, 672, … 800 over 800, and its flip
    "detectron2": {"train_sizes": (0.8, 0.84, 0.88, 0.92, 0.96, 1.0), "flip": 0.5},
    "lsj": {"scale": (0.1, 2.0), "pad": True, "flip": 0.5},
}
POLICIES = tuple(NAMED)
