import keras
import numpy as np
import pytest

from kmaskrcnn.weights import Report, assign, load, missing_names, named_variables


@pytest.fixture
def model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.DepthwiseConv2D(3, use_bias=False, name="dw"),
            keras.Sequential([keras.layers.Conv2D(4, 1, name="pw")], name="nested"),
            keras.layers.BatchNormalization(name="norm"),
        ]
    )


def drawn(model) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.random(v.shape) for name, v in named_variables(model).items()}


def assert_equal(model, arrays):
    for name, variable in named_variables(model).items():
        np.testing.assert_allclose(variable, arrays[name], rtol=1e-6)


def test_variables_are_named_by_layer(model):
    assert list(named_variables(model)) == [
        "dw/kernel",
        "pw/kernel",
        "pw/bias",
        "norm/gamma",
        "norm/beta",
        "norm/moving_mean",
        "norm/moving_variance",
    ]


def test_assign_by_name(model):
    arrays = drawn(model)
    report = assign(model, dict(reversed(arrays.items())))
    assert_equal(model, arrays)
    assert report.loaded == tuple(arrays) and not report.unused and not report.missing
    assert report.num_values == model.count_params()


def test_assign_to_some_layers(model):
    arrays = drawn(model)
    report = assign([model.get_layer("norm")], arrays)
    assert len(report.loaded) == 4 and report.unused == ("dw/kernel", "pw/kernel", "pw/bias")


def test_assign_by_position(model):
    arrays = drawn(model)
    counts = {}
    positions = {}
    for name, array in arrays.items():
        layer = name.split("/")[0]
        positions[f"{layer}/{counts.setdefault(layer, 0)}"] = array
        counts[layer] += 1
    assign(model, positions)
    assert_equal(model, arrays)


def test_older_name_of_depthwise_kernels(model):
    arrays = drawn(model)
    report = assign(model, {"dw/depthwise_kernel": arrays["dw/kernel"]}, allow_missing=True)
    assert report.loaded == ("dw/kernel",)
    assert report.missing == tuple(list(arrays)[1:])


def test_missing_arrays_are_named_with_their_shapes(model):
    arrays = drawn(model)
    del arrays["pw/kernel"]
    assert missing_names(model, arrays) == ["pw/kernel"]
    with pytest.raises(ValueError, match=r"the arrays does not|missing: pw/kernel \(1, 1, 3, 4\)"):
        assign(model, arrays)


def test_wrong_shapes_are_named_and_nothing_is_loaded(model):
    before = model.get_weights()
    arrays = {**drawn(model), "pw/bias": np.zeros(5)}
    with pytest.raises(ValueError, match=r"pw/bias has shape \(5,\), expected \(4,\)"):
        assign(model, arrays, allow_missing=True)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_values_that_are_not_finite_are_refused(model):
    arrays = {**drawn(model), "norm/beta": np.array([0, np.nan, 0, 0])}
    with pytest.raises(ValueError, match="norm/beta holds values that are not finite"):
        assign(model, arrays)


def test_unused_arrays_are_refused_on_request(model):
    arrays = {**drawn(model), "top/kernel": np.zeros(3)}
    assert assign(model, arrays).unused == ("top/kernel",)
    with pytest.raises(ValueError, match="not in the network: top/kernel"):
        assign(model, arrays, allow_unused=False)


def test_foreign_arrays_show_both_sides(model):
    with pytest.raises(ValueError, match=r"(?s)no name fits.*dw/kernel.*not in the network: fc\.w"):
        assign(model, {"fc.w": np.zeros(3)}, allow_missing=True)


def test_two_layers_of_one_name():
    twins = [keras.layers.Dense(2, name="twin") for _ in range(2)]
    for layer in twins:
        layer.build((None, 3))
    with pytest.raises(ValueError, match="two variables are called twin/kernel"):
        named_variables(twins)


def test_load_reads_a_file(tmp_path, model):
    arrays = drawn(model)
    np.savez(tmp_path / "w.npz", **arrays)
    report = load(model, tmp_path / "w.npz")
    assert_equal(model, arrays)
    assert str(tmp_path / "w.npz") in str(report)


def test_report_reads_well():
    names = tuple(f"layer_{n}/kernel" for n in range(10))
    text = Report("w.npz", ("a/kernel",), names, ("b/kernel",), 1234).text
    assert text.splitlines()[0] == "w.npz: 1 arrays, 1,234 values loaded"
    assert "not used: layer_0/kernel" in text and "and 2 more" in text
    assert "left as they were: b/kernel" in text
