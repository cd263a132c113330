"""Any network of ``keras.applications``, or of the user's, as a backbone: taps found by shape,
norms exchanged.

The network is built once for a fixed size, read as a graph, and cloned onto images of any size.
On the way its batch norms are exchanged, layers that normalise the images are taken out (images
come in normalised, see :func:`preprocessing`), and so is dropout, which detectors train without.
"""

import inspect
import re
from collections.abc import Callable, Mapping

import keras
import numpy as np

from kmaskrcnn.backbones.base import Backbone
from kmaskrcnn.backbones.graph import ancestors, assign_stages, find_taps, trace
from kmaskrcnn.layers.normalization import normalization
from kmaskrcnn.weights import missing_names

_PROBE_SIZE = 224  # every published network takes it, and 32 divides it
_FROM_MINUS_ONE_TO_ONE = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
_TORCH = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_CAFFE = ((123.68, 116.779, 103.939), (1.0, 1.0, 1.0))  # read as BGR, which is turned on loading
_ONE_TWENTY_EIGHT = ((128.0, 128.0, 128.0), (128.0, 128.0, 128.0))

# First pattern that matches the name in keras.applications -> mean and standard deviation.
_PREPROCESSING = (
    (r"ResNet\d+$|VGG", _CAFFE),
    (r"EfficientNetV2[SML]$", _ONE_TWENTY_EIGHT),
    (r"EfficientNet|ConvNeXt|DenseNet", _TORCH),
    (r"", _FROM_MINUS_ONE_TO_ONE),
)


def names() -> list[str]:
    """The networks of the installed Keras, as :func:`build` takes them."""
    modules = vars(keras.applications)
    return sorted(n for n, value in modules.items() if n[0].isupper() and callable(value))


def find(name: str) -> tuple[str, dict[str, float]]:
    """Reads a backbone's name.

    Args:
        name: a function registered at Keras, ``"package>name"``, or a name in
            ``keras.applications``, in any case, with a width behind it where the network takes one:
            ``"EfficientNetB0"``, ``"mobilenet_0.75"``, ``"MobileNetV2_1.4"``.

    Returns:
        The name as Keras spells it, and its arguments (``{"alpha": 0.75}`` or nothing).

    Raises:
        ValueError: Keras has no such network, or it takes no width; the nearest names are listed.
    """
    import difflib

    if is_own(name):
        _own_function(name)
        return name, {}
    base, alpha = re.fullmatch(r"(.+?)(?:_(\d+(?:\.\d+)?))?", name).groups()
    spelled = {n.lower(): n for n in names()}
    if base.lower() not in spelled:
        near = difflib.get_close_matches(base.lower(), spelled, n=3) or list(spelled)
        raise ValueError(
            f"there is no backbone {name!r} in keras.applications {keras.__version__}; "
            f"did you mean {', '.join(spelled[n] for n in near)}?"
        )
    found = spelled[base.lower()]
    if alpha is None:
        return found, {}
    if "alpha" not in inspect.signature(getattr(keras.applications, found)).parameters:
        raise ValueError(f"backbone {name!r}: {found} takes no width multiplier; write {found!r}")
    return found, {"alpha": float(alpha)}


def is_own(name: str) -> bool:
    """Whether a name is that of a function of the user's: ``"package>name"``."""
    return ">" in name


def _own_function(name: str) -> Callable[..., keras.Model]:
    function = keras.saving.get_registered_object(name)
    if function is None:
        package, _, short = name.rpartition(">")
        raise ValueError(
            f"the backbone {name!r} is not registered in this program. Define or import its "
            f"function {short!r} under @keras.saving.register_keras_serializable({package!r}) "
            "before the model is made or loaded; see examples/own_backbone.py"
        )
    return function


def preprocessing(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation, in 0…255 RGB, with which a network was trained on ImageNet.

    For a network of the user's those that most are trained with.

    Raises:
        ValueError: there is no such network.
    """
    found, _ = find(name)
    if is_own(name):
        return _TORCH
    return next(values for pattern, values in _PREPROCESSING if re.match(pattern, found))


def build(
    name: str,
    *,
    input_channels: int = 3,
    norm: str = "frozen_batch",
    norm_epsilon: float | None = None,
    taps: Mapping[str, str] | None = None,
    imagenet: bool = False,
) -> Backbone:
    """Builds a network of ``keras.applications`` as a backbone.

    Args:
        name: see :func:`find`.
        input_channels: C of the images.
        norm: what the batch norms become: ``"frozen_batch"``, ``"batch"`` or ``"group"``.
        norm_epsilon: added to the variance; None keeps the network's own.
        taps: layers to tap instead of those found by shape, such as ``{"C5": "conv_pw_12_relu"}``.
        imagenet: whether to start from the weights that Keras publishes (it downloads them).

    Returns:
        The backbone; its layers keep the names that Keras gives them.

    Raises:
        ValueError: the network is unknown, has no layer at a stride, or a tap does not fit.
    """
    found, arguments = find(name)
    source = _source(found, arguments, input_channels, imagenet)
    nodes = trace(source)
    chosen = find_taps(nodes, taps)
    images = keras.Input((None, None, input_channels), name="images")
    clone = keras.models.clone_model(
        source,
        input_tensors=images,
        clone_function=lambda op: _exchange(op, norm, norm_epsilon),
        call_function=_call,
    )
    if imagenet:
        _copy_weights(source, clone, reverse_channels=preprocessing(name) == _CAFFE)
    recipe = {
        "name": name,
        "input_channels": input_channels,
        "norm": norm,
        "norm_epsilon": norm_epsilon,
        "taps": dict(taps or {}),
    }
    outputs = {op.name: op.output for op in clone.operations}
    tensors = {level: (layer, outputs[layer]) for level, layer in chosen.items()}
    return Backbone(images, tensors, assign_stages(nodes, chosen), recipe)


def taps_within(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The taps to move so that they need none of the layers for which arrays are missing.

    Returns:
        ``{level: layer name}`` of the moved taps; nothing when no array is missing, or when a
        stride could not be reached without.
    """
    found, arguments = find(name)
    source = _source(found, arguments, 3, imagenet=False)
    missing = {key.rpartition("/")[0] for key in missing_names(source, arrays)}
    nodes = trace(source)
    whole = [n for n in nodes if missing.isdisjoint(ancestors(nodes, n.name))]
    default = find_taps(nodes)
    try:
        possible = find_taps(whole)
    except ValueError:
        return {}
    return {level: tap for level, tap in possible.items() if tap != default[level]}


def _source(found: str, arguments: Mapping, channels: int, imagenet: bool) -> keras.Model:
    if is_own(found):
        return _own_source(found, channels, imagenet)
    return getattr(keras.applications, found)(
        include_top=False,
        weights="imagenet" if imagenet else None,
        input_shape=(_PROBE_SIZE, _PROBE_SIZE, channels),
        **arguments,
    )


def _own_source(name: str, channels: int, imagenet: bool) -> keras.Model:
    if imagenet:
        raise ValueError(
            f"Keras publishes no ImageNet weights for the backbone {name!r}: give the file of its "
            "weights instead, or none"
        )
    model = _own_function(name)(input_shape=(_PROBE_SIZE, _PROBE_SIZE, channels))
    if not isinstance(model, keras.Model) or not getattr(model, "operations", None):
        raise ValueError(
            f"the backbone {name!r}: expected a functional keras.Model from its function, as "
            f"keras.Model(images, outputs) makes it, got {type(model).__name__}"
        )
    return model


def _exchange(op, norm: str, epsilon: float | None):
    """The layer or operation that stands in the clone for one of the source."""
    if isinstance(op, keras.layers.BatchNormalization):
        return normalization(
            norm,
            op.moving_mean.shape[0],
            epsilon=op.epsilon if epsilon is None else epsilon,
            name=op.name,
            center=op.center,
            scale=op.scale,
        )
    taken_out = (keras.layers.Rescaling, keras.layers.Normalization, keras.layers.Dropout)
    if isinstance(op, taken_out):
        return keras.layers.Identity(name=op.name)
    return op.__class__.from_config(op.get_config())


def _call(op, *arguments, **keywords):
    """Calls a clone as its source was called, less the mask that Keras hands to batch norms."""
    keywords.pop("mask", None)
    return op(*arguments, **keywords)


def _copy_weights(source: keras.Model, target: keras.Model, reverse_channels: bool) -> None:
    """Copies the arrays of layers that still have them; turns the first kernel from BGR to RGB."""
    first = True
    for layer in source.layers:
        if not layer.weights:
            continue
        twin = target.get_layer(layer.name)
        arrays = layer.get_weights()
        if [a.shape for a in arrays] != [tuple(w.shape) for w in twin.weights]:
            continue
        if first and reverse_channels:
            arrays[0] = np.ascontiguousarray(arrays[0][:, :, ::-1])
        twin.set_weights(arrays)
        first = False
