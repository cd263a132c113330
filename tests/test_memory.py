"""Memory: what the process has held, and errors that say what to lower."""

import gc
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import kmaskrcnn
from kmaskrcnn import data, memory

TOO_BIG = 2**22  # a square of so many floats is 64 TiB: refused at once, nothing is filled


def tensor_that_does_not_fit(*args):
    """As TensorFlow says it, without the ten seconds that it waits first."""
    raise tf.errors.ResourceExhaustedError(
        None,
        None,
        "{{function_node __wrapped__Fill_device_/job:localhost/replica:0/task:0/device:GPU:0}} OOM "
        f"when allocating tensor with shape[{TOO_BIG},{TOO_BIG}] and type float on "
        "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc [Op:Fill] name: ",
    )


def array_that_does_not_fit(*args):
    return np.zeros((TOO_BIG, TOO_BIG), np.float32)


def in_a_graph():
    tf.function(lambda n: tf.reduce_sum(tf.random.normal([n, n])))(tf.constant(TOO_BIG))


def in_the_data():
    stream = tf.data.Dataset.range(2)
    list(stream.map(lambda i: tf.numpy_function(array_that_does_not_fit, [], tf.float32)))


def without_a_word():
    raise MemoryError


@pytest.mark.parametrize(
    "work, asked",
    [
        (tensor_that_does_not_fit, "a tensor of shape [4194304,4194304], float, on GPU:0"),
        pytest.param(
            in_a_graph,
            "a tensor of shape [4194304,4194304], float, on CPU:0",
            marks=pytest.mark.slow,  # TensorFlow waits ten seconds for memory before it says so
        ),
        (array_that_does_not_fit, "64.0 TiB for an array with shape (4194304, 4194304)"),
        (in_the_data, "64.0 TiB for an array with shape (4194304, 4194304)"),
        (without_a_word, "what this step needs"),
    ],
)
def test_every_kind_of_refusal_names_what_was_asked_for_and_the_knobs(work, asked):
    with pytest.raises(kmaskrcnn.OutOfMemoryError) as caught, memory.clear_errors(a=2, b=3):
        work()
    assert asked in str(caught.value) and str(caught.value).endswith("Lower one of: a=2, b=3.")
    assert isinstance(caught.value, MemoryError) and caught.value.knobs == {"a": 2, "b": 3}


def test_the_inner_knobs_win_and_other_errors_pass():
    with (
        pytest.raises(memory.OutOfMemoryError, match="inner=1"),
        memory.clear_errors(outer=1),
        memory.clear_errors(inner=1),
    ):
        without_a_word()
    with pytest.raises(KeyError), memory.clear_errors(outer=1):
        raise KeyError


@pytest.fixture(scope="module")
def model():
    names = data.ShapesDataset.class_names
    made = kmaskrcnn.MaskRCNN.from_preset("tiny", names, min_size=64, max_size=96)
    made.compile(keras.optimizers.SGD(), run_eagerly=True)  # so that nothing need be built
    return made


def test_fit_names_the_three_knobs_and_their_values(model, monkeypatch):
    shapes = data.ShapesDataset(2, image_size=(64, 64))
    monkeypatch.setattr(model, "train_step", tensor_that_does_not_fit)
    with pytest.raises(kmaskrcnn.OutOfMemoryError) as caught:
        model.fit(shapes, batch_size=2, verbose=0)
    knobs = f"batch_size=2, min_size=64 (max_size=96), rois_per_image={model.config.rois_per_image}"
    assert f"shape [{TOO_BIG},{TOO_BIG}]" in str(caught.value) and knobs in str(caught.value)


def test_evaluate_and_predict_name_theirs(model, monkeypatch):
    shapes = data.ShapesDataset(2, image_size=(64, 64))
    monkeypatch.setattr(model, "test_step", tensor_that_does_not_fit)
    monkeypatch.setattr(model, "_detect_bytes", tensor_that_does_not_fit)
    knobs = r"min_size=64 \(max_size=96\), proposals_test=\d+, detections_per_image=\d+"
    with pytest.raises(kmaskrcnn.OutOfMemoryError, match="one of: " + knobs):
        model.evaluate(shapes, verbose=0)
    with pytest.raises(kmaskrcnn.OutOfMemoryError, match="one of: batch_size=3, " + knobs):
        model.predict([s.image for s in shapes], batch_size=3)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux twice")
def test_peak_memory_is_what_the_system_says(monkeypatch):
    block = np.ones(2**22)
    held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    from_proc = memory.peak_memory()
    assert block.nbytes < held <= from_proc
    monkeypatch.setattr("builtins.open", no_file)
    assert from_proc * 0.99 <= memory.peak_memory()  # of the program before this one, perhaps


def no_file(*args):
    raise FileNotFoundError


def test_the_fullest_gpu_counts(monkeypatch):
    peaks = {"GPU:0": 5, "GPU:1": 7}
    devices = [tf.config.LogicalDevice(f"/device:{name}", "GPU") for name in peaks]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: devices)
    said = {name: {"current": 1, "peak": peak} for name, peak in peaks.items()}
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", said.__getitem__)
    assert memory.peak_gpu_memory() == 7
    devices.clear()
    assert np.isnan(memory.peak_gpu_memory())


def test_the_search_for_garbage_rests_and_goes_on():
    assert gc.isenabled()
    with pytest.raises(KeyError), memory.garbage_kept():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with memory.garbage_kept():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_images_of_many_sizes_are_traced_once(monkeypatch):
    model = kmaskrcnn.MaskRCNN.from_preset("tiny", data.ShapesDataset.class_names)
    traced, call = [], type(model).call

    def counted(self, *args, **kwargs):
        traced.append(kwargs.get("training"))
        return call(self, *args, **kwargs)

    monkeypatch.setattr(type(model), "call", counted)
    shapes = data.ShapesDataset(
        5, image_size=[(40, 90), (90, 40), (64, 200), (300, 64)], max_objects=12
    )
    model.predict([shapes[index].image for index in range(len(shapes))])
    model.fit(shapes, batch_size=2, verbose=0)
    model.predict(shapes[0].image)
    assert traced == [False, True]


def test_two_thousand_sizes_become_few_padded_shapes():
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.uniform(np.log(200), np.log(4000), (2000, 2))).astype(int)
    network = data.InputSize(800, 1333)
    padded = {network.lay_out(network.of((height, width))).size for height, width in sizes.tolist()}
    assert len(padded) <= 40


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and asks glibc")
def test_freed_memory_goes_back():
    rows = [np.ones(10_000) for _ in range(2000)]  # 160 MB of blocks that glibc keeps
    last = [rows.pop()]  # behind them, so that they are not the end of the heap
    before = resident()
    rows.clear()
    memory.give_back()
    assert before - resident() > 100e6
    assert len(last) == 1


def resident():
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
