import zipfile

import h5py
import numpy as np
import pytest

from kmaskrcnn.weights import read_arrays
from tests.weights.hostile import cheap

# Of a network of matterport's: groups and the weights in them.
MATTERPORT = {
    "conv1": ["conv1/kernel:0", "conv1/bias:0"],
    "bn_conv1": ["bn_conv1/gamma:0", "bn_conv1/moving_mean:0"],
    "ROI": [],
    "rpn_model": ["rpn_conv_shared/kernel:0", "rpn_class_raw/bias:0", "rpn_bbox_pred/bias:0"],
    "mrcnn_mask": ["mrcnn_mask/kernel:0"],
}
NAMES = {weight.removesuffix(":0") for weights in MATTERPORT.values() for weight in weights}


def write(path, groups, attribute="layer_names", root="", as_bytes=True):
    """An ``.h5`` as Keras 2 writes it, each weight filled with its position."""
    text = (lambda names: np.array(names, "S")) if as_bytes else list
    position = 0
    with h5py.File(path, "w", track_order=True) as file:
        base = file.create_group(root, track_order=True) if root else file
        base.attrs[attribute] = text(groups)
        base.attrs["keras_version"] = b"2.2.5" if as_bytes else "2.6.0"
        for name, weights in groups.items():
            group = base.create_group(name)
            group.attrs["weight_names"] = text(weights) if weights else np.zeros(0, "S1")
            for weight in weights:
                group[weight] = np.full(2, position, np.float32)
                position += 1
    return path


@pytest.mark.parametrize("as_bytes", [True, False])
@pytest.mark.parametrize("root", ["", "model_weights"])
def test_matterport(tmp_path, as_bytes, root):
    arrays = read_arrays(write(tmp_path / "m.h5", MATTERPORT, root=root, as_bytes=as_bytes))
    assert set(arrays) == NAMES
    for position, name in enumerate(w for weights in MATTERPORT.values() for w in weights):
        np.testing.assert_array_equal(arrays[name.removesuffix(":0")], [position] * 2)


def test_matterport_in_another_order(tmp_path):
    reverse = dict(reversed(MATTERPORT.items()))
    assert set(read_arrays(write(tmp_path / "m.h5", reverse))) == NAMES


@pytest.mark.parametrize("suffix", ["_1", "_12"])
def test_matterport_second_model_of_a_process(tmp_path, suffix):
    """Its weights have a suffix, its groups have none."""
    suffixed = {
        group: [weight.replace("/", f"{suffix}/") for weight in weights]
        for group, weights in MATTERPORT.items()
    }
    assert set(read_arrays(write(tmp_path / "m.h5", suffixed))) == NAMES


def test_matterport_anchors_of_a_fork(tmp_path):
    arrays = read_arrays(write(tmp_path / "m.h5", {**MATTERPORT, "anchors": ["Variable:0"]}))
    assert set(arrays) == NAMES | {"anchors/Variable"}


def test_names_in_several_attributes(tmp_path):
    """Keras splits what is longer than HDF5 allows."""
    path = write(tmp_path / "m.h5", MATTERPORT, attribute="layer_names0")
    assert set(read_arrays(path)) == NAMES


def test_numbers_that_belong_to_a_name_stay(tmp_path):
    """A group of several layers is a model, whose layers may well be called after it."""
    groups = {"block": ["block_1/kernel:0", "block_2/kernel:0"], "fc_1": ["fc_1/bias:0"]}
    path = write(tmp_path / "m.h5", groups)
    assert set(read_arrays(path)) == {"block_1/kernel", "block_2/kernel", "fc_1/bias"}


def test_keras_1_has_no_layer_in_its_weights(tmp_path):
    groups = {"conv1": ["conv1_W_1:0"], "bn_conv1": ["bn_conv1_running_mean_1:0"]}
    arrays = read_arrays(write(tmp_path / "m.h5", groups))
    assert set(arrays) == {"conv1/conv1_W_1", "bn_conv1/bn_conv1_running_mean_1"}


def test_two_arrays_of_one_name(tmp_path):
    groups = {"left": ["dense/kernel:0"], "right": ["dense/kernel:0"]}
    with pytest.raises(ValueError, match="2 of its arrays would be called dense/kernel"):
        read_arrays(write(tmp_path / "m.h5", groups))


def test_text_is_left_out(tmp_path):
    path = write(tmp_path / "m.h5", MATTERPORT)
    with h5py.File(path, "a") as file:
        file["conv1/words"] = ["a", "b"]
        file["conv1/nothing"] = h5py.Empty("f4")
    assert set(read_arrays(path)) == NAMES


# What follows is written to do harm.


def giant(group, name, **options):
    """A data set that nothing was ever written of."""
    group.create_dataset(name, (2**40,), "f4", **options)


def overflow(group, name):
    group.create_dataset(name, (2**62, 4), "f4")


def zeros(group, name):
    group.create_dataset(
        name, data=np.zeros(100 << 20, "u1"), compression="gzip", chunks=(1 << 20,)
    )


def chunk(group, name):
    group.create_dataset(name, (1,), "u1", chunks=(1 << 30,), maxshape=(None,), compression="gzip")


def many(group, name):
    for number in range(100):
        group.create_dataset(f"{name}{number}", (1 << 20,), "u1", fillvalue=1)


def elsewhere(group, name):
    group.create_dataset(name, (8,), "u1", external=[("/etc/hostname", 0, 8)])


def virtual(group, name):
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (8,))
    group.create_virtual_dataset(name, layout)


def deep(group, name):
    for _ in range(200):
        group = group.create_group("g")
    group[name] = np.ones(2)


BOMBS = {
    "giant": (giant, "more than the 67,108,864 bytes"),
    "giant in chunks": (lambda g, n: giant(g, n, chunks=(1024,)), "more than the 67,108,864 bytes"),
    "overflow": (overflow, "more than the 67,108,864 bytes"),
    "zeros": (zeros, "more than the 67,108,864 bytes"),
    "chunk": (chunk, "a chunk of .* more than the 67,108,864 bytes"),
    "many": (many, "more than the 67,108,864 bytes"),
    "elsewhere": (elsewhere, "lies in another file"),
    "virtual": (virtual, "lies in another file"),
    "deep": (deep, "its groups are nested more than 64 deep"),
}


@pytest.mark.parametrize("put, message", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_bombs(tmp_path, ending, put, message):
    path = tmp_path / "evil.h5"
    with h5py.File(path, "w") as file:
        put(file.create_group("layers/dense/vars"), "0")
    if ending == ".keras":
        with zipfile.ZipFile(path.with_suffix(".keras"), "w") as archive:
            archive.write(path, "model.weights.h5")
        path = path.with_suffix(".keras")
    assert path.stat().st_size < 1 << 20
    with cheap(66), pytest.raises(ValueError, match=rf"evil\..* was not read: .*{message}"):
        read_arrays(path)


def test_bomb_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(100 << 20))
    with (
        cheap(),
        pytest.raises(ValueError, match="bomb.keras was not read: what it unpacks to: more"),
    ):
        read_arrays(tmp_path / "bomb.keras")


def test_links_are_not_followed(tmp_path):
    """Neither to other files nor in circles; what is linked twice comes once."""
    write(tmp_path / "other.h5", {"dense": ["dense/kernel:0"]}, root="model_weights")
    path = write(tmp_path / "m.h5", MATTERPORT)
    with h5py.File(path, "a") as file:
        file["model_weights"] = h5py.ExternalLink("other.h5", "/model_weights")
        file["out"] = h5py.ExternalLink("other.h5", "/")
        file["soft"] = h5py.SoftLink("/conv1")
        file["nowhere"] = h5py.SoftLink("/nowhere")
        file["rpn_model/again"] = file["rpn_model"]
        file["ROI/root"] = file["/"]
    with cheap():
        assert set(read_arrays(path)) == NAMES


def test_an_attribute_of_many_strings_is_not_read(tmp_path):
    """A thousand references to one long string are a thousand copies of it when read."""
    with h5py.File(tmp_path / "many.weights.h5", "w") as file:
        file["layers/dense/vars/0"] = np.ones(2)
        file["layers/dense/vars"].attrs["name"] = ["x" * 10] * 1000
    assert list(read_arrays(tmp_path / "many.weights.h5")) == ["layers/dense/0"]
