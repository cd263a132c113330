import zipfile

import h5py
import keras
import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays


@pytest.fixture
def model():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="inside")], name="body")
    inputs = keras.Input((4,))
    outputs = keras.layers.BatchNormalization(name="norm")(inner(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, name="head")(outputs))
    model.set_weights([np.random.default_rng(0).random(w.shape) for w in model.weights])
    return model


def assert_holds(arrays, model):
    inside = model.get_layer("body").get_layer("inside")
    np.testing.assert_array_equal(arrays["body/inside/0"], inside.kernel)
    np.testing.assert_array_equal(arrays["body/inside/1"], inside.bias)
    np.testing.assert_array_equal(arrays["head/0"], model.get_layer("head").kernel)
    np.testing.assert_array_equal(arrays["norm/3"], model.get_layer("norm").moving_variance)
    assert len(arrays) == 8


def test_npz_keeps_its_names(tmp_path):
    kernel = np.arange(6, dtype="float32").reshape(2, 3)
    np.savez(tmp_path / "plain.npz", **{"conv1/kernel": kernel})
    arrays = read_arrays(tmp_path / "plain.npz")
    assert list(arrays) == ["conv1/kernel"]
    np.testing.assert_array_equal(arrays["conv1/kernel"], kernel)


def test_npz_with_objects_is_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", a=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(ValueError, match=r"evil\.npz is no whole \.npz file .*allow_pickle"):
        read_arrays(tmp_path / "evil.npz")


def test_weights_h5_of_keras_3_is_read_by_layer_names(tmp_path, model):
    model.save_weights(tmp_path / "m.weights.h5")
    assert_holds(read_arrays(tmp_path / "m.weights.h5"), model)


def test_keras_archive(tmp_path, model):
    model.save(tmp_path / "m.keras")
    assert_holds(read_arrays(str(tmp_path / "m.keras")), model)


def test_keras_3_file_without_names_keeps_its_paths(tmp_path):
    with h5py.File(tmp_path / "old.weights.h5", "w") as file:
        file["layers/conv2d/vars/0"] = np.ones(2)
    assert list(read_arrays(tmp_path / "old.weights.h5")) == ["layers/conv2d/0"]


@pytest.mark.parametrize("whole_model", [False, True])
def test_h5_of_keras_2(tmp_path, whole_model):
    with h5py.File(tmp_path / "old.h5", "w") as file:
        group = file.create_group("model_weights") if whole_model else file
        group.attrs["layer_names"] = [b"conv1"]
        group["conv1/conv1/kernel:0"] = np.ones((3, 3))
        group["conv1/conv1/bias:0"] = np.zeros(3)
    arrays = read_arrays(tmp_path / "old.h5")
    assert set(arrays) == {"conv1/kernel", "conv1/bias"} and arrays["conv1/kernel"].shape == (3, 3)


def test_bfloat16_comes_as_float32(tmp_path):
    layer = keras.layers.Dense(2, dtype="bfloat16", name="half")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save_weights(tmp_path / "half.weights.h5")
    arrays = read_arrays(tmp_path / "half.weights.h5")
    assert arrays["half/0"].dtype == np.float32
    np.testing.assert_array_equal(arrays["half/0"], np.asarray(layer.kernel, "float32"))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights file .*nowhere\.npz"):
        read_arrays(tmp_path / "nowhere.npz")


def test_unknown_ending(tmp_path):
    (tmp_path / "weights.docx").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"cannot read weights from a \.docx file; expected .*npz"):
        read_arrays(tmp_path / "weights.docx")


@pytest.mark.parametrize("name", ["cut.npz", "cut.weights.h5", "cut.keras"])
def test_broken_file(tmp_path, model, name):
    path = tmp_path / name
    if name.endswith("npz"):
        np.savez(path, a=np.ones(1000))
    elif name.endswith("keras"):
        model.save(path)
    else:
        model.save_weights(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ValueError, match=f"{name} is no whole .* file .*cut short"):
        read_arrays(path)


def test_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    with pytest.raises(ValueError, match=r"other\.keras is no whole"):
        read_arrays(tmp_path / "other.keras")


def test_file_without_arrays(tmp_path):
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(ValueError, match="holds no arrays"):
        read_arrays(tmp_path / "empty.npz")
