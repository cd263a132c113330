"""The weights that others publish: where they lie, how they are checked, what they are worth.

A figure is its authors' own, in percent, and stands here as they state it; what they do not state
is left out. `kmaskrcnn.weights.hub.download` brings the files.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kmaskrcnn import presets


@dataclass(frozen=True)
class PublishedWeights:
    """One file of weights.

    Attributes:
        preset: the preset that it fits; of a backbone alone, ``family/backbone``.
        name: what these weights are called beside others of the preset: ``"coco"``, …
        url: the address.
        licence: as its authors state it; ``(the code's)`` where they state one for the code only.
        source: the peer's file that address and figures were taken from.
        size: in bytes, to the last one; None where it is not known.
        mib: the size in MiB as the authors state it, rounded; None where they do not.
        sha256: the first digits of the file's SHA-256, or all; None where nobody states them.
        md5: the same of its MD5.
        ap: AP in percent by ``"box"``, ``"mask"``, ``"keypoint"``; empty for a backbone.
        classes: the name, in `kmaskrcnn.classes`, of the classes in order; empty for a backbone.
    """

    preset: str
    name: str
    url: str
    licence: str
    source: str
    size: int | None = None
    mib: float | None = None
    sha256: str | None = None
    md5: str | None = None
    ap: Mapping[str, float] = field(default_factory=dict, hash=False)
    classes: str = ""

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return posixpath.basename(urlsplit(self.url).path)


def rows() -> tuple[PublishedWeights, ...]:
    """All of them: torchvision's, Detectron2's, matterport's, backbones last."""
    return _ROWS


def published(preset: str, name: str = "coco") -> PublishedWeights:
    """The weights of a preset by name.

    Args:
        preset: of `kmaskrcnn.presets`, or a row's, such as ``"torchvision/resnext101_64x4d"``.
        name: as in the row. ``"imagenet"`` of a whole detector is the backbone that its authors
            start from.

    Raises:
        ValueError: there are none; the message lists what there is.
    """
    for owner in (preset, _backbone(preset)):
        for row in _ROWS:
            if (row.preset, row.name) == (owner, name):
                return row
    raise ValueError(_nothing(preset, name))


def names(preset: str) -> list[str]:
    """The names of the weights that fit a preset, the detector's own before its backbone's."""
    owners = (preset, _backbone(preset))
    return [row.name for owner in owners for row in _ROWS if row.preset == owner]


def _backbone(preset: str) -> str:
    """``"detectron2/mask_rcnn_R_50_C4"`` → ``"detectron2/resnet50"``; of other names nothing."""
    family, slash, _ = preset.partition("/")
    if not slash or preset not in presets.preset_names():
        return ""
    config = presets.preset(preset)
    return f"{family}/{config.backbone}" + ("_gn" if config.norm == "group" else "")


def _nothing(preset: str, name: str) -> str:
    if there := names(preset):
        return f"{preset} has no weights {name!r}; there are: {', '.join(there)}"
    known = list(dict.fromkeys(row.preset for row in _ROWS))
    near = difflib.get_close_matches(str(preset), known, n=3, cutoff=0.5) or known
    return f"No weights are published for {preset!r}; there are some for {', '.join(near)}"


def _torchvision(
    preset: str, sha256: str, mib: float, size: int | None = None, name: str = "coco", **ap: float
) -> PublishedWeights:
    return PublishedWeights(
        preset=f"torchvision/{preset}",
        name=name,
        url=f"https://download.pytorch.org/models/{preset}_coco-{sha256}.pth",
        licence="BSD-3-Clause (the code's)",
        source="torchvision/models/detection",
        size=size,
        mib=mib,
        sha256=sha256,
        ap=ap,
        classes="PERSON" if "keypoint" in ap else "COCO_CATEGORIES",
    )


def _torchvision_backbone(
    body: str, sha256: str, mib: float, size: int | None = None, name: str = "imagenet"
) -> PublishedWeights:
    return PublishedWeights(
        preset=f"torchvision/{body}",
        name=name,
        url=f"https://download.pytorch.org/models/{body}-{sha256}.pth",
        licence="BSD-3-Clause (the code's)",
        source="torchvision/models/resnet.py",
        size=size,
        mib=mib,
        sha256=sha256,
    )


def _detectron2(
    config: str,
    number: int,
    md5: str,
    *,
    preset: str = "",
    sha256: str | None = None,
    size: int | None = None,
    **ap: float,
) -> PublishedWeights:
    cityscapes = config.startswith("Cityscapes/")
    address = f"detectron2/{config}/{number}/model_final_{md5}.pkl"
    classes = "PERSON" if "keypoint" in ap else "COCO_CLASSES"
    return PublishedWeights(
        preset=f"detectron2/{preset or posixpath.basename(config).removesuffix('_3x')}",
        name="cityscapes" if cityscapes else "coco",
        url=f"https://dl.fbaipublicfiles.com/{address}",
        licence="CC-BY-SA-3.0",
        source="detectron2/MODEL_ZOO.md",
        size=size,
        sha256=sha256,
        md5=md5,
        ap=ap,
        classes="CITYSCAPES_CLASSES" if cityscapes else classes,
    )


def _detectron2_backbone(body: str, path: str) -> PublishedWeights:
    return PublishedWeights(
        preset=f"detectron2/{body}",
        name="imagenet",
        url=f"https://dl.fbaipublicfiles.com/{path}",
        licence="CC-BY-SA-3.0",
        source="detectron2/MODEL_ZOO.md",
    )


_ROWS = (
    # torchvision 0.28, torchvision/models/detection/{mask,faster,keypoint}_rcnn.py. A file's name
    # ends in the first digits of its SHA-256; MiB are their _file_size. The bytes are those that
    # projects record which pin the file; they round to _file_size.
    _torchvision("maskrcnn_resnet50_fpn", "bf2d0c1e", 169.84, 178_090_079, box=37.9, mask=34.6),
    _torchvision("maskrcnn_resnet50_fpn_v2", "73cbd019", 177.219, 185_828_065, box=47.4, mask=41.8),
    _torchvision("fasterrcnn_resnet50_fpn", "258fb6c6", 159.743, 167_502_836, box=37.0),
    _torchvision("fasterrcnn_resnet50_fpn_v2", "dd69338a", 167.104, box=46.7),
    _torchvision(
        "keypointrcnn_resnet50_fpn", "fc266e95", 226.054, 237_034_793, box=54.6, keypoint=65.0
    ),
    _torchvision(  # of an early epoch
        "keypointrcnn_resnet50_fpn",
        "9f466800",
        226.054,
        name="coco_legacy",
        box=50.6,
        keypoint=61.1,
    ),
    # Detectron2, MODEL_ZOO.md: of the 3x schedule where there is one. It says that a file's name
    # has the first digits of its MD5. The SHA-256 are those that InterDigital's CompressAI-Vision
    # records, scripts/install.sh.
    _detectron2("COCO-Detection/faster_rcnn_R_50_C4_3x", 137849393, "f97cb7", box=38.4),
    _detectron2("COCO-Detection/faster_rcnn_R_50_DC5_3x", 137849425, "68d202", box=39.0),
    _detectron2(
        "COCO-Detection/faster_rcnn_R_50_FPN_3x",
        137849458,
        "280758",
        sha256="3c25caca37baabbff3e22cc9eb0923db165a0c18b867871a3bf3570bac9b7ef0",
        box=40.2,
    ),
    _detectron2("COCO-Detection/faster_rcnn_R_101_C4_3x", 138204752, "298dad", box=41.1),
    _detectron2("COCO-Detection/faster_rcnn_R_101_DC5_3x", 138204841, "3e0943", box=40.6),
    _detectron2("COCO-Detection/faster_rcnn_R_101_FPN_3x", 137851257, "f6e8b1", box=42.0),
    _detectron2(
        "COCO-Detection/faster_rcnn_X_101_32x8d_FPN_3x",
        139173657,
        "68b088",
        sha256="fe5ad56ff746aa55c5f453b01f8395134e9281d240dbeb473411d4a6b262c9dc",
        box=43.0,
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_50_C4_3x", 137849525, "4ce675", box=39.8, mask=34.4
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_50_DC5_3x", 137849551, "84107b", box=40.0, mask=35.9
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_3x",
        137849600,
        "f10217",
        sha256="9a737e290372f1f70994ebcbd89d8004dbb3ae30a605fd915a190fa4a782dd66",
        size=177_841_981,
        box=41.0,
        mask=37.2,
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_101_C4_3x", 138363239, "a2914c", box=42.6, mask=36.7
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_101_DC5_3x", 138363294, "0464b7", box=41.9, mask=37.3
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_R_101_FPN_3x", 138205316, "a3ec72", box=42.9, mask=38.6
    ),
    _detectron2(
        "COCO-InstanceSegmentation/mask_rcnn_X_101_32x8d_FPN_3x",
        139653917,
        "2d9806",
        sha256="12f6e1811baf1b4d329c3f5ac5ec52d8f634d3cedc82a13fff55d0c05d84f442",
        box=44.3,
        mask=39.5,
    ),
    _detectron2(
        "COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x", 137849621, "a6e10b", box=55.4, keypoint=65.5
    ),
    _detectron2(
        "COCO-Keypoints/keypoint_rcnn_R_101_FPN_3x", 138363331, "997cc7", box=56.4, keypoint=66.1
    ),
    _detectron2(
        "COCO-Keypoints/keypoint_rcnn_X_101_32x8d_FPN_3x",
        139686956,
        "5ad38f",
        box=57.3,
        keypoint=66.0,
    ),
    _detectron2(
        "Misc/mask_rcnn_R_50_FPN_3x_gn",
        138602888,
        "dc5d9e",
        preset="mask_rcnn_R_50_FPN_gn",
        box=42.6,
        mask=38.6,
    ),
    _detectron2("Misc/cascade_mask_rcnn_R_50_FPN_3x", 144998488, "480dd8", box=44.3, mask=38.5),
    _detectron2(
        "Cityscapes/mask_rcnn_R_50_FPN",
        142423278,
        "af9cf5",
        preset="cityscapes_mask_rcnn_R_50_FPN",
        mask=36.5,
    ),
    # matterport/Mask_RCNN, mrcnn/utils.py: COCO_MODEL_URL. Bytes: the end of the HDF5 file, by its
    # own header.
    PublishedWeights(
        preset="matterport/mask_rcnn_resnet101",
        name="coco",
        url="https://github.com/matterport/Mask_RCNN/releases/download/v2.0/mask_rcnn_coco.h5",
        licence="MIT (the code's)",
        source="Mask_RCNN/mrcnn/utils.py",
        size=257_557_808,
        classes="COCO_CLASSES",
    ),
    # torchvision 0.28, torchvision/models/resnet.py: IMAGENET1K_V1 and IMAGENET1K_V2.
    _torchvision_backbone("resnet50", "0676ba61", 97.781, 102_530_333),
    _torchvision_backbone("resnet50", "11ad3fa6", 97.79, 102_540_417, name="imagenet_v2"),
    _torchvision_backbone("resnet101", "63fe2227", 170.511),
    _torchvision_backbone("resnet101", "cd907fc2", 170.53, name="imagenet_v2"),
    _torchvision_backbone("resnext50_32x4d", "7cdf4587", 95.789),
    _torchvision_backbone("resnext50_32x4d", "1a0047aa", 95.833, name="imagenet_v2"),
    _torchvision_backbone("resnext101_32x8d", "8ba56ff5", 339.586),
    _torchvision_backbone("resnext101_32x8d", "110c445d", 339.673, name="imagenet_v2"),
    _torchvision_backbone("resnext101_64x4d", "173b62eb", 319.318),
    # Detectron2, MODEL_ZOO.md: ImageNet Pretrained Models.
    _detectron2_backbone("resnet50", "detectron2/ImageNetPretrained/MSRA/R-50.pkl"),
    _detectron2_backbone("resnet101", "detectron2/ImageNetPretrained/MSRA/R-101.pkl"),
    _detectron2_backbone("resnext101_32x8d", "detectron2/ImageNetPretrained/FAIR/X-101-32x8d.pkl"),
    _detectron2_backbone("resnet50_gn", "detectron/ImageNetPretrained/47261647/R-50-GN.pkl"),
)
