"""What a fresh process waits for, counted rather than timed: imports, tracings, operations."""

import subprocess
import sys

import pytest
import tensorflow as tf

from kmaskrcnn import data
from kmaskrcnn.model import MaskRCNN
from kmaskrcnn.training import default_optimizer

NOT_AT_ONCE = "skimage sklearn torch torchvision onnx tf2onnx click tomlkit supervision".split()
CLASSES = ["circle", "square", "triangle"]


@pytest.fixture(scope="module")
def model():
    return MaskRCNN.from_preset("tiny", CLASSES)


@pytest.fixture(scope="module")
def step(model):
    """A traced training step."""
    shapes = data.ShapesDataset(2, seed=0, image_size=(64, 64))
    batch = next(iter(data.batches(shapes, model.input_size, data.Order(2))))
    model.compile(default_optimizer(model.config.replace(optimizer="sgd"), 10, 2))
    model.optimizer.build(model.trainable_variables)
    before = rewritten()
    traced = tf.function(model.train_step).get_concrete_function(batch)
    return traced, rewritten() - before


def rewritten() -> set[str]:
    """The functions that AutoGraph has read and written anew so far; each is a module."""
    return {name for name in sys.modules if name.startswith("__autograph_generated")}


def operations(traced) -> int:
    """Of a graph with all the functions in it."""
    graph = traced.graph.as_graph_def()
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)


def test_the_model_is_imported_without_what_it_may_never_need():
    code = f"""
import sys, kmaskrcnn
kmaskrcnn.MaskRCNN
print([name for name in {NOT_AT_ONCE} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_training_step_is_traced_as_it_is_written(step):
    """AutoGraph, which turns `if` and `for` into TensorFlow's, took half of the tracing."""
    assert step[1] == set()


def test_so_is_a_prediction(model):
    before = rewritten()
    model._detect_bytes.get_concrete_function()
    assert rewritten() == before


def test_the_graphs_are_small(model, step):
    """With Keras' own SGD a step had a quarter more."""
    assert operations(model._detect_bytes.get_concrete_function()) < 3200
    assert operations(step[0]) < 8500
