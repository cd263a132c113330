"""An installation that cannot work is refused in a sentence, in processes of its own."""

import importlib

import pytest

from kmaskrcnn import installation
from tests.fake_packages import broken_module, pretend, python

OLD = {"tensorflow": "2.15.0", "keras": "2.15.0"}
SENTENCE = "tensorflow 2.15.0 found, 2.18 to 2.21 supported; keras 2.15.0 found, 3.6 to 3.15"
PIP = 'python -m pip install --upgrade "tensorflow>=2.18" "keras>=3.6"'
USE = "import kmaskrcnn; kmaskrcnn.MaskRCNN"
CHECK = "from kmaskrcnn import installation; installation.check()"


def last(text: str) -> str:
    """The last line, which is what a person reads of a stack trace."""
    return text.strip().splitlines()[-1]


def test_the_import_says_what_does_not_fit(tmp_path):
    done = python("-c", "import kmaskrcnn", folder=pretend(tmp_path, **OLD))
    assert done.returncode == 0
    (said,) = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert said.startswith("<string>:1: RuntimeWarning: ") and SENTENCE in said and PIP in said


def test_the_first_use_refuses(tmp_path):
    done = python("-c", USE, folder=pretend(tmp_path, **OLD))
    assert done.returncode == 1
    assert SENTENCE in last(done.stderr) and PIP in last(done.stderr)


def test_modules_that_are_imported_by_themselves_refuse_too(monkeypatch):
    import kmaskrcnn.ops

    def refuse():
        raise installation.InstallationError("does not fit")

    monkeypatch.setattr(installation, "check", refuse)
    with pytest.raises(installation.InstallationError, match="does not fit"):
        importlib.reload(kmaskrcnn.ops)


def test_a_fitting_installation_says_nothing(tmp_path):
    folder = pretend(tmp_path, tensorflow="2.18.0", keras="3.6.0", numpy="1.26.0")
    done = python("-W", "error", "-c", f"import kmaskrcnn, sys; {CHECK}", folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_newer_tensorflow_is_one_warning(tmp_path):
    done = python("-c", f"{CHECK}; installation.check()", folder=pretend(tmp_path, keras="4.0.1"))
    assert done.returncode == 0
    assert done.stderr.count("Warning") == 1
    assert "keras 4.0.1 found, 3.6 to 3.15 supported: newer than" in done.stderr


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend(backend, tmp_path):
    done = python("-c", USE, folder=tmp_path, KERAS_BACKEND=backend)
    assert done.returncode == 1
    assert f"here it is {backend} (KERAS_BACKEND={backend}). Set KERAS_BACKEND=tensorflow" in last(
        done.stderr
    )


def test_legacy_keras_is_one_warning(tmp_path):
    done = python("-c", CHECK, folder=tmp_path, TF_USE_LEGACY_KERAS="1")
    assert done.returncode == 0
    assert done.stderr.count("TF_USE_LEGACY_KERAS=1: tf.keras is Keras 2") == 1


@pytest.mark.parametrize(
    "module, code, expected",
    [
        (
            "cv2",
            "raise ImportError('libGL.so.1: cannot open shared object file')",
            ["libGL.so.1", "--force-reinstall opencv-python-headless"],
        ),
        (
            "pycocotools",
            "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')",
            ["pycocotools was built for another NumPy", "--no-cache-dir --no-deps pycocotools"],
        ),
        (
            "tensorflow",
            "raise ImportError('Failed to load the native TensorFlow runtime.')",
            ["does not load", "AVX", "pip install --force-reinstall tensorflow"],
        ),
        (
            "skimage",
            "raise ModuleNotFoundError(\"No module named 'skimage'\", name='skimage')",
            ["scikit-image is missing", 'pip install --upgrade "scikit-image>=0.22"'],
        ),
    ],
)
def test_a_broken_package_is_named_with_its_remedy(module, code, expected, tmp_path):
    broken_module(tmp_path, module, code)
    code = f"from kmaskrcnn import installation\nwith installation.explained(): import {module}"
    done = python("-c", code, folder=tmp_path)
    assert done.returncode == 1
    said = last(done.stderr)
    assert said.startswith("kmaskrcnn.installation.InstallationError: ")
    assert [part for part in expected if part not in said] == []


def test_other_errors_stay_what_they_are():
    for error in (ImportError("cannot import name 'x'"), ValueError("3"), KeyError("numpy")):
        assert installation.explain(error) == ""
    with pytest.raises(ValueError, match="^3$"), installation.explained():
        raise ValueError("3")


def test_the_command_line_ends_in_the_sentence(tmp_path):
    broken_module(tmp_path, "tensorflow", "raise ImportError('native TensorFlow runtime')")
    done = python("-m", "kmaskrcnn.cli", "build-op", folder=tmp_path)
    assert done.returncode == 1
    assert "does not load" in done.stderr and "Traceback" not in done.stderr
