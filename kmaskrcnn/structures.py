"""What a user holds: ``Detections``, the objects found in one image, in the image's own pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kmaskrcnn.detections import cutting, measuring, merging, picture, saving, selecting, tables
from kmaskrcnn.detections.coco import coco_results
from kmaskrcnn.detections.cutting import Image
from kmaskrcnn.detections.label_map import label_map
from kmaskrcnn.detections.labelme import labelme_file, relative_path
from kmaskrcnn.detections.objects import Objects
from kmaskrcnn.detections.supervision import to_supervision
from kmaskrcnn.files import write_bytes
from kmaskrcnn.ops import drawing
from kmaskrcnn.ops.outlines import to_polygons
from kmaskrcnn.ops.styles import AUTO

Range = selecting.Range


class Detections(Objects):
    __doc__ = Objects.__doc__

    # -- fewer of them, or in another order ---------------------------------------------------

    def filter(
        self,
        score: float | None = None,
        classes: str | Sequence[str] | None = None,
        *,
        area: Range | None = None,
        side: Range | None = None,
        within: Sequence[float] | None = None,
        at_edge: bool | None = None,
    ) -> Detections:
        """The objects that pass every condition that is given.

        Args:
            score: the least score.
            classes: a name or several.
            area: (least, most) square pixels of the mask, or of the box where there are no masks;
                None where there is no limit: ``area=(50, None)``.
            side: (least, most) pixels of the box's longer side.
            within: x1 y1 x2 y2, pixels: the whole box must lie in it.
            at_edge: True for those that come within a pixel of the image's border and may go on
                behind it, False for the others.

        Raises:
            ValueError: a name that is not in ``class_names``; a range or window that is none.
        """
        return self[selecting.kept(self, score, classes, area, side, within, at_edge)]

    def sorted(self, by: str = "score", descending: bool | None = None) -> Detections:
        """In order of ``"score"`` or ``"area"``, the largest first, or of ``"class"``, ``"left"``
        or ``"top"``, the smallest first; ``descending`` says otherwise.
        """
        return self[selecting.order(self, by, descending)]

    def top(self, count: int) -> Detections:
        """The ``count`` objects of the highest scores, or all where there are fewer."""
        return self.sorted()[: max(0, count)]

    def merged(
        self,
        iou: float = 0.5,
        *,
        how: str = "best",
        share_of: str = "union",
        by: str | None = None,
        across_classes: bool = False,
    ) -> Detections:
        """One object in place of those that overlap: duplicates, or the parts of tiles.

        Args:
            iou: two objects are the same where they share more than this.
            how: ``"best"`` keeps an object if no better one that is kept is the same (non-maximum
                suppression); ``"union"`` joins what is the same, also by way of others: box around
                all, mask of all pixels, and score, class and keypoints of the best.
            share_of: what they share is divided by the ``"union"`` of both, or by the
                ``"smaller"`` of the two, which finds a part inside a whole.
            by: ``"masks"`` or ``"boxes"``; by default masks where there are any.
            across_classes: whether objects of different classes can be the same.
        """
        return merging.merge(self, iou, how, share_of, by, across_classes)

    # -- pictures -----------------------------------------------------------------------------

    def draw(
        self,
        image: Image | None = None,
        *,
        color_by: str = AUTO,
        masks: bool = True,
        boxes: bool | str = AUTO,
        captions: bool | str = AUTO,
        keypoints: bool = True,
        keypoint_score: float = 0.05,
        long_side: int | None = None,
    ) -> np.ndarray:
        """The image with the objects on it, (H, W, 3) uint8 RGB.

        Args:
            image: path or array of ``image_size``; by default ``self.image``.
            color_by: ``"instance"``, each its own colour, or ``"class"``; ``"auto"``: classes where
                there is a legend of several.
            masks, keypoints: whether to draw them.
            boxes: whether to draw them; ``"auto"``: not where there are masks of a crowd, more
                than 24 objects.
            captions: True: class and score of each object that has room for them; ``"legend"``: a
                table of the classes in a corner; ``"auto"``: that of a crowd; False: neither.
            keypoint_score: only keypoints above it are drawn.
            long_side: pixels of the picture's longer side, enlarged or reduced before drawing, so
                that lines and text stay sharp; None keeps the image's size.
        """
        return picture.draw(
            self,
            cutting.image_of(self, image, "draw"),
            color_by=color_by,
            masks=masks,
            boxes=boxes,
            captions=captions,
            keypoints=keypoints,
            keypoint_score=keypoint_score,
            long_side=long_side,
        )

    def crops(self, image: Image | None = None, *, margin: int = 0) -> Iterator[np.ndarray]:
        """What is around each object, (h, w, 3) uint8 RGB: its box, ``margin`` pixels wider, cut
        at the image's border. One at a time; ``list(found.crops())`` has them all.
        """
        return cutting.crops(self, cutting.image_of(self, image, "crops"), margin)

    def cutouts(self, image: Image | None = None, *, margin: int = 0) -> Iterator[np.ndarray]:
        """Each object alone, (h, w, 4) uint8 RGBA, transparent around its mask, as small as that
        and ``margin`` pixels wider; the box's content where there are no masks. One at a time.
        """
        return cutting.cutouts(self, cutting.image_of(self, image, "cutouts"), margin)

    def label_map(self, of: str = "objects") -> np.ndarray:
        """(H, W) int32: 0 where nothing is, else i + 1 of object i, or label + 1 of ``"classes"``.

        Where objects overlap, the one of the higher score is there. Without masks boxes are filled.
        """
        return label_map(self, of)

    # -- other forms --------------------------------------------------------------------------

    def measure(self, image: Image | None = None) -> dict[str, np.ndarray]:
        """Measurements of each object by scikit-image, K values each, in pixels of the image.

        ``area``; ``centroid_x``, ``centroid_y`` in continuous pixels (the centre of the first pixel
        is 0.5, 0.5); ``orientation`` of the long axis, radians from the x axis towards the y axis,
        which points down, in (-π/2, π/2]; ``major_axis``, ``minor_axis``: of the ellipse with the
        same second moments; ``eccentricity`` of that, 0 a circle; ``perimeter`` by
        Crofton's formula in four directions; ``solidity``: share of the convex hull that is filled.
        An object without a pixel has the area 0 and else NaN. Without masks boxes are measured.

        Args:
            image: path or array: adds ``mean_intensity`` of all channels in the image's own values
                and, of three channels, ``mean_red``, ``mean_green``, ``mean_blue``.
        """
        return measuring.measure(self, image)

    def to_pandas(self, *, measurements: bool = False, image: Image | None = None) -> Any:
        """A ``pandas.DataFrame``, a row an object: class, score, x1 y1 x2 y2, width, height, area,
        keypoints, and what ``measure(image)`` gives where ``measurements`` are wanted.
        """
        return tables.to_pandas(tables.columns(self, measurements, image))

    def to_supervision(self, *, dense_masks: bool = False) -> Any:
        """A ``supervision.Detections`` with the class names in its ``data["class_name"]``.

        Its masks are run lengths (supervision's ``CompactMask``), or an array (K, H, W) bool where
        ``dense_masks`` are wanted or supervision is too old for others.
        """
        return to_supervision(self, dense_masks)

    def polygons(self, tolerance: float = 0.0) -> list[list[np.ndarray]]:
        """Outer outlines of each object: lists of (P, 2) float32, x y, along the pixels' edges.

        Args:
            tolerance: pixels by which a simplified outline may differ; 0 keeps every step, 0.5 to 1
                is much shorter.
        """
        return [to_polygons(region, tolerance) for region in self.regions()]

    def to_coco(
        self, image_id: int | str, category_ids: Mapping[str, int] | None = None
    ) -> list[dict[str, Any]]:
        """COCO results: image_id, category_id, bbox (x y width height), score, segmentation (RLE),
        keypoints (x y score of each, in COCO's indices of pixels).

        Args:
            image_id: of the annotation file.
            category_ids: class name → category id of the annotation file; label + 1 when None.
        """
        return coco_results(self, image_id, category_ids)

    def to_labelme(
        self, image_path: str | Path | None = None, *, tolerance: float = 1.0
    ) -> dict[str, Any]:
        """The content of a LabelMe file: correct it there, and train on it again.

        An object is a polygon, or several with one ``group_id``; holes are cut open to the outline;
        without masks it is a rectangle. The score is in its description. Keypoints are left out.

        Args:
            image_path: of the image, as the file shall name it; by default ``self.image``.
            tolerance: pixels by which an outline may differ, so that it has few corners to move.
        """
        return labelme_file(self, image_path, tolerance)

    def save(
        self,
        path: str | Path,
        image: Image | None = None,
        *,
        format: str | None = None,
        image_id: int | str = 0,
        **how: Any,
    ) -> Path:
        """Writes a picture (``.png``, ``.jpg`` …), COCO results (``.json``) or a table (``.csv``),
        as the suffix says, or a LabelMe file: ``save("photo.json", format="labelme")``.

        Args:
            path: file to write; its folder is made.
            image: see ``draw``; of a LabelMe file the image's path; of a table, measured too.
            format: ``"picture"``, ``"coco"``, ``"labelme"`` or ``"csv"``; None: as the suffix says.
            image_id: of the COCO results.
            how: goes to ``draw``, ``to_labelme`` or, for a table, ``to_pandas``.
        """
        path = Path(path)
        kind = saving.format_of(path, format)
        if kind == "coco":
            data = saving.json_bytes(self.to_coco(image_id, **how))
        elif kind == "csv":
            data = tables.to_csv(tables.columns(self, image=image, **how)).encode()
        elif kind == "labelme":
            content = self.to_labelme(self.image if image is None else image, **how)  # type: ignore
            content["imagePath"] = relative_path(content["imagePath"], path.parent)
            data = saving.json_bytes(content, indent=2)
        else:
            data = drawing.encode_picture(self.draw(image, **how), path.suffix.lower())
        write_bytes(path, data)
        return path
