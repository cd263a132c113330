"""What the environment variables say, before anything is imported."""

import sys
import types

import pytest

from kmaskrcnn import environment


@pytest.fixture
def before_keras(monkeypatch, tmp_path):
    """A process that has not imported Keras, and whose user has no keras.json."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    for name in (environment.BACKEND, environment.LEGACY, environment.CACHE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(environment.CACHE, str(tmp_path / "own"))
    assert environment.cache_folder() == tmp_path / "own"
    monkeypatch.delenv(environment.CACHE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert environment.cache_folder() == tmp_path / "kmaskrcnn"


def test_the_largest_image(monkeypatch):
    monkeypatch.delenv(environment.MAX_PIXELS, raising=False)
    assert environment.max_pixels() == 200_000_000
    monkeypatch.setenv(environment.MAX_PIXELS, "1000")
    assert environment.max_pixels() == 1000
    monkeypatch.setenv(environment.MAX_PIXELS, "2e8")
    with pytest.raises(ValueError, match="KMASKRCNN_MAX_PIXELS=2e8: expected a number of pixels"):
        environment.max_pixels()


def test_tensorflow_is_the_default(before_keras):
    assert environment.keras_backend() == ("tensorflow", "the default")
    assert environment.wrong_backend() == ""


def test_the_variable_comes_before_the_file(before_keras, monkeypatch):
    (before_keras / "keras.json").write_text('{"backend": "torch"}')
    assert "here it is torch" in environment.wrong_backend()
    assert str(before_keras / "keras.json") in environment.wrong_backend()
    monkeypatch.setenv(environment.BACKEND, "jax")
    assert "here it is jax (KERAS_BACKEND=jax)" in environment.wrong_backend()
    assert "KERAS_BACKEND=tensorflow" in environment.wrong_backend()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_file_that_says_nothing(before_keras, text):
    (before_keras / "keras.json").write_text(text)
    assert environment.wrong_backend() == ""


def test_the_keras_that_is_imported_counts(before_keras, monkeypatch):
    monkeypatch.setenv(environment.BACKEND, "tensorflow")
    keras = types.ModuleType("keras")
    keras.backend = types.SimpleNamespace(backend=lambda: "jax")
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert "here it is jax (Keras is imported with it)" in environment.wrong_backend()


def test_legacy_keras(before_keras, monkeypatch):
    assert environment.legacy_keras() == ""
    monkeypatch.setenv(environment.LEGACY, "0")
    assert environment.legacy_keras() == ""
    monkeypatch.setenv(environment.LEGACY, "1")
    assert "Take optimizers, callbacks and layers from `import keras`" in environment.legacy_keras()
