"""The network: every layer, wired once, and the forward pass on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kmaskrcnn import losses
from kmaskrcnn.backbones import STAGES, stages_up_to
from kmaskrcnn.config import MaskRCNNConfig
from kmaskrcnn.ops import frames
from kmaskrcnn.parts import Parts
from kmaskrcnn.weights import named_variables


class Network(keras.Model):
    """Mask R-CNN (He et al. 2017, arXiv:1703.06870) and its relatives.

    Everything is built here, so that weights can be loaded and `summary()` reads well at once.

    Args:
        config: every switch; see `MaskRCNNConfig`.
        class_names: the C classes, without background, in the order of the labels.
        frozen: stages of the backbone that are not trained: "stem", "C2" … "C5".
        backbone_weights: None (random), "imagenet", or a file of the backbone's arrays.
        dtype: a Keras dtype policy; "mixed_bfloat16" and "mixed_float16" keep geometry, NMS and
            losses in float32.

    Raises:
        ValueError: class names that are empty or not unique, unknown stages.
    """

    def __init__(
        self,
        config: MaskRCNNConfig,
        class_names: Sequence[str],
        *,
        frozen: Sequence[str] = (),
        backbone_weights: str | Path | None = None,
        dtype: Any = None,
        name: str = "mask_rcnn",
    ):
        super().__init__(autocast=False, dtype=dtype, name=name)
        self.config, self.class_names = config, _checked_names(class_names)
        self.supports_jit = False  # NMS and RoIAlign do not compile under XLA
        ambient = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.dtype_policy)
        try:
            self._build_layers(config, len(self.class_names), backbone_weights)
        finally:
            keras.config.set_dtype_policy(ambient)
        self.load_report = self.backbone.report
        self._set_frozen(frozen)

    def _build_layers(self, config: MaskRCNNConfig, num_classes: int, backbone_weights) -> None:
        parts = Parts(config, num_classes, backbone_weights)
        self.normalization = parts.normalization()
        self.backbone = parts.backbone
        self.neck = parts.neck
        self.rpn_head = parts.rpn_head()
        self.anchors = parts.anchors()
        self.proposals = parts.proposals()
        self.anchor_sampler = parts.anchor_sampler()
        self.box_branch = parts.box_branch()
        self.instance_branches = parts.instance_branches()
        self.res5 = parts.res5
        if self.compute_dtype in ("bfloat16", "float16"):
            self._compute_stem_in_float32()
        self.built = True

    def _compute_stem_in_float32(self) -> None:
        """Pixels are far from 0 over whole regions, where the roundings of a kernel of 16 bits add
        up to an offset of the features: it costs half a point of AP."""
        for layer in (self.normalization, *self.backbone.stages["stem"]):
            layer.dtype_policy = keras.DTypePolicy("float32")

    @property
    def loss_names(self) -> list[str]:
        """The names of the losses that `call` gives with targets, in their order."""
        names = ["rpn_class_loss", "rpn_box_loss", *self.box_branch.loss_names]
        return names + [branch.loss_name for branch in self.instance_branches]

    @property
    def parameters(self) -> dict[str, keras.Variable]:
        """Every array of the network, by a name such as ``box_head/dense1/kernel``."""
        heads = [*self.box_branch.heads, *(branch.head for branch in self.instance_branches)]
        parts = [self.backbone, self.neck, self.rpn_head, self.res5, *heads]
        return {
            f"{part.name}/{name}": variable
            for part in parts
            if part is not None
            for name, variable in named_variables(part).items()
        }

    # ---------------------------------------------------------------- the forward pass

    @tf.autograph.experimental.do_not_convert  # no `if` or `for` here asks a tensor
    def call(self, inputs, targets=None, training=False):
        """The network, once: detections without targets, losses with them.

        Args:
            inputs: {"images": (B, H, W, 3) RGB in 0..255, padded, "image_sizes": (B, 2) height and
                width of each without its padding}.
            targets: None, or the padded truth that `kmaskrcnn.data.batches` makes.
            training: batch norm (if any learns) and the numbers of proposals of the training.

        Returns:
            {"boxes": (B, K, 4), "scores": (B, K), "labels": (B, K), -1 pads, "masks": (B, K, M, M)
            probabilities, "heatmaps": (B, K, M, M, J)} in pixels of the network input, or the named
            losses, each ().
        """
        images, windows = self.normalization(inputs["images"], inputs["image_sizes"])
        features = self.neck(self.backbone(images, training=training))
        logits, deltas = self.rpn_head(features)
        anchors = self.anchors(features)
        starts = [self._framed(level, windows) for level in anchors]
        proposals = self.proposals(logits, deltas, starts, windows.proposals, training=training)
        if targets is None:
            found = self.box_branch.detect(features, proposals, windows)
            for branch in self.instance_branches:
                found.update(branch.detect(features, found))
            return found
        named = self._rpn_losses(features, anchors, targets, training)
        targets = {**targets, "boxes": self._framed(targets["boxes"], windows)}
        box_losses, rois = self.box_branch.named_losses(
            features, proposals, windows, targets, training
        )
        named.update(box_losses)
        for branch in self.instance_branches:
            named.update(branch.named_losses(features, rois, windows, targets))
        return named

    def _framed(self, boxes, windows):
        """Boxes in pixels (…, 4) in the frame that proposals and heads count in."""
        if self.config.box_frame == "pixels":
            return boxes
        return frames.normalise(boxes, windows.padded_size)

    def _rpn_losses(self, features, anchors, targets, training):
        """In pixels whatever the frame: matterport, too, matches anchors there."""
        wanted = self.anchor_sampler(tf.concat(anchors, 0), targets, training=training)
        logits, deltas = self.rpn_head.of_anchors(features, wanted.indices)
        beta, over = self.config.rpn_box_beta, self.config.box_loss_over
        return {
            "rpn_class_loss": losses.rpn_class_loss(logits, wanted.labels),
            "rpn_box_loss": losses.rpn_box_loss(deltas, wanted.deltas, wanted.labels, beta, over),
        }

    # ---------------------------------------------------------------- freezing

    def freeze(self, up_to: str) -> None:
        """Stops training the backbone from its stem up to a stage.

        Args:
            up_to: "stem", "C2" (the usual choice when fine-tuning), "C3", "C4", "C5" (heads only).

        A compiled model is to be compiled again, as always in Keras; `fit` does it by itself.
        """
        self._set_frozen(stages_up_to(up_to))

    def unfreeze(self, what: str = "all") -> None:
        """Trains exactly these parts of the backbone, and all heads, as matterport's `layers`.

        Args:
            what: "all", "heads" (the whole backbone frozen), or "3+", "4+", "5+": stage and above.
        """
        choices = {"all": 0, "heads": len(STAGES), "3+": 2, "4+": 3, "5+": 4}
        if what not in choices:
            raise ValueError(f"unfreeze takes one of {', '.join(choices)}, not {what!r}.")
        self._set_frozen(STAGES[: choices[what]])

    def _set_frozen(self, frozen: Sequence[str]) -> None:
        unknown = [stage for stage in frozen if stage not in STAGES]
        if unknown:
            raise ValueError(f"The stages are {', '.join(STAGES)}; there is no {unknown}.")
        self.frozen = tuple(frozen)
        for stage, layers in self.backbone.stages.items():
            for layer in layers:
                layer.trainable = stage not in self.frozen
        self.train_function = None  # traced for the other variables


def _checked_names(class_names: Sequence[str]) -> tuple[str, ...]:
    names = tuple(class_names) if not isinstance(class_names, str) else ()
    if not names or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(
            "class_names must be a list of different names, at least one and without the "
            f"background, as ['cat', 'dog']; got {class_names!r}."
        )
    return names
