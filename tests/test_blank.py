"""Networks that are made to be loaded: zeros for a moment, and nobody else's."""

import threading

import keras
import numpy as np
import pytest

from kmaskrcnn.blank import blank
from kmaskrcnn.loading import load
from kmaskrcnn.model import MaskRCNN

KINDS = ("he_normal", "glorot_uniform", keras.initializers.RandomNormal(stddev=0.01))


def kernels():
    """A kernel of each kind of initializer that the network has."""
    layers = [keras.layers.Dense(4, kernel_initializer=kind) for kind in KINDS]
    for layer in layers:
        layer.build((None, 3))
    return [layer.kernel.numpy() for layer in layers]


def test_kernels_are_zeros_inside_alone():
    with blank():
        assert not any(kernel.any() for kernel in kernels())
    assert all(kernel.all() for kernel in kernels())


def test_after_an_error_kernels_are_drawn_again():
    with pytest.raises(OSError), blank():
        raise OSError
    assert all(kernel.all() for kernel in kernels())


def test_other_threads_draw_theirs():
    found = []
    with blank():
        thread = threading.Thread(target=lambda: found.extend(kernels()))
        thread.start()
        thread.join()
    assert len(found) == len(KINDS) and all(kernel.all() for kernel in found)


@pytest.fixture(scope="module")
def trained():
    return MaskRCNN.from_preset("tiny", ["a", "b"])


@pytest.fixture
def drawn(monkeypatch):
    """How often random numbers were drawn for a kernel."""
    shapes, draw = [], keras.initializers.VarianceScaling.__call__

    def counted(self, shape, dtype=None, **options):
        shapes.append(shape)
        return draw(self, shape, dtype, **options)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", counted)
    return shapes


def arrays_of(model):
    return {name: value.numpy() for name, value in model.parameters.items()}


def test_a_model_that_is_given_all_weights_draws_none(trained, drawn, tmp_path):
    trained.save(tmp_path / "m.keras")
    models = [
        MaskRCNN.from_preset("tiny", ["a", "b"], weights=tmp_path / "m.keras"),
        load(tmp_path / "m.keras"),
        load(tmp_path / "m.keras", dtype="mixed_bfloat16"),
    ]
    assert drawn == []
    for model in models:
        for name, value in arrays_of(trained).items():
            np.testing.assert_array_equal(model.parameters[name].numpy(), value)


@pytest.mark.parametrize(
    "classes, options, part",
    [
        (["a", "b"], {"leave_out": ["mask_head"]}, "mask_head/conv1/kernel"),
        (["a", "c"], {}, "mask_head/logits/kernel"),
    ],
)
def test_what_starts_anew_is_drawn(trained, tmp_path, classes, options, part):
    trained.save(tmp_path / "m.keras")
    model = MaskRCNN.from_preset("tiny", classes, weights=tmp_path / "m.keras", **options)
    assert model.parameters[part].numpy().all()
