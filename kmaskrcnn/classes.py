"""The class and keypoint names that published weights were trained on, in their order."""

from __future__ import annotations

_COCO = (  # of the 91 categories, those without a name were never annotated
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,"
    "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,"
    "backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
    "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,"
    "knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,"
    "couch,potted plant,bed,,dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,cell phone,"
    "microwave,oven,toaster,sink,refrigerator,,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
).split(",")

COCO_CLASSES = tuple(name for name in _COCO if name)
"""The 80 of COCO: Detectron2's and matterport's order."""

COCO_CATEGORIES = tuple(name or f"unused {number}" for number, name in enumerate(_COCO, 1))
"""All 90 category ids of COCO, 1 … 90, torchvision's order; ten of them were never used."""

CITYSCAPES_CLASSES = tuple("person rider car truck bus train motorcycle bicycle".split())
PERSON = ("person",)

COCO_KEYPOINTS = tuple(
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle".split()
)
_COCO_BONES = (  # 1-based, as COCO's annotation files have them
    "16-14 14-12 17-15 15-13 12-13 6-12 7-13 6-7 6-8 7-9 8-10 9-11 2-3 1-2 1-3 2-4 3-5 4-6 5-7"
)
COCO_SKELETON = tuple(
    (int(first) - 1, int(second) - 1)
    for first, second in (bone.split("-") for bone in _COCO_BONES.split())
)
"""Pairs of indices into `COCO_KEYPOINTS` that a drawing joins."""


def by_count(num_classes: int) -> tuple[str, ...]:
    """The names that weights of so many classes were trained on, or numbered ones."""
    known = (COCO_CLASSES, COCO_CATEGORIES, CITYSCAPES_CLASSES, PERSON)
    numbered = tuple(f"class {number}" for number in range(num_classes))
    return next((names for names in known if len(names) == num_classes), numbered)


def mirrored(keypoint_names: tuple[str, ...]) -> list[int]:
    """For each keypoint the one that a left-right flip makes of it, found by its name.

    Names that hold ``left`` or ``right`` change places with their twin; the others stay.
    """

    def twin(name: str) -> str:
        for side, other in (("left", "right"), ("right", "left")):
            if side in name:
                return name.replace(side, other)
        return name

    return [
        keypoint_names.index(twin(name)) if twin(name) in keypoint_names else number
        for number, name in enumerate(keypoint_names)
    ]
