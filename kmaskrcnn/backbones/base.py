"""What every backbone is: images in, feature maps at strides 4 to 32 out, layers in stages."""

from collections.abc import Mapping

import keras

from kmaskrcnn.layers.folding import fold_all

STRIDES = {"C2": 4, "C3": 8, "C4": 16, "C5": 32}
STAGES = ("stem", *STRIDES)


def stages_up_to(name: str) -> tuple[str, ...]:
    """The stages from the stem up to this one, ``("stem", "C2")`` for ``"C2"``; none for ``""``.

    Raises:
        ValueError: there is no such stage.
    """
    if name and name not in STAGES:
        raise ValueError(f"the stages of a backbone are {', '.join(STAGES)}; there is no {name!r}")
    return STAGES[: STAGES.index(name) + 1] if name else ()


class Backbone(keras.Model):
    """A functional Keras model from images to the feature maps of a pyramid.

    Input: (B, H, W, input_channels), already normalised, H and W multiples of 32 so that every
    stride is exact. Output: ``{"C2": (B, H/4, W/4, F2), …, "C5": (B, H/32, W/32, F5)}``.

    Attributes:
        recipe: the arguments of :func:`kmaskrcnn.backbones.build_backbone` that build it anew. A
            model that holds a backbone saves these, and not the graph.
        taps: ``{"C2": layer name, …}``, where the feature maps are taken.
        report: what was loaded from a weights file (a ``kmaskrcnn.weights.Report``), or None.
    """

    def __init__(
        self,
        inputs,
        taps: Mapping[str, tuple[str, object]],
        stages: Mapping[str, str],
        recipe: Mapping[str, object],
    ) -> None:
        """Wires a backbone.

        Args:
            inputs: the Keras tensor of the images.
            taps: ``{"C2": (layer name, Keras tensor), …}``.
            stages: the stage (of :data:`STAGES`) of every layer, by its name.
            recipe: see the class.
        """
        outputs = {level: tensor for level, (_, tensor) in taps.items()}
        super().__init__(inputs=inputs, outputs=outputs, name="backbone")
        self.taps = {level: layer for level, (layer, _) in taps.items()}
        self.recipe = dict(recipe)
        self.report = None
        self._stage_names = dict(stages)
        fold_all(self)

    def stage_of(self, layer_name: str) -> str:
        """The stage a layer belongs to: ``"stem"``, ``"C2"``, … ``"C5"``.

        Raises:
            ValueError: there is no such layer.
        """
        if layer_name not in self._stage_names:
            raise ValueError(f"backbone {self.recipe['name']!r} has no layer {layer_name!r}")
        return self._stage_names[layer_name]

    @property
    def stages(self) -> dict[str, list[keras.layers.Layer]]:
        """The layers of each stage, from the input up, so that whole stages can be frozen."""
        found: dict[str, list[keras.layers.Layer]] = {stage: [] for stage in STAGES}
        for layer in self.layers:
            if not isinstance(layer, keras.layers.InputLayer):
                found[self.stage_of(layer.name)].append(layer)
        return found
