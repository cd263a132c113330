"""What the environment variables say: where files are kept, and which Keras runs.

Nothing here imports TensorFlow or Keras.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE = "KMASKRCNN_CACHE"
ROI_ALIGN = "KMASKRCNN_ROI_ALIGN"
OFFLINE = "KMASKRCNN_OFFLINE"
MAX_PIXELS = "KMASKRCNN_MAX_PIXELS"
BACKEND = "KERAS_BACKEND"
LEGACY = "TF_USE_LEGACY_KERAS"
# Those that change what kmaskrcnn does, or how fast, and what each is for.
VARIABLES = {
    CACHE: "folder of downloads and of the compiled op",
    ROI_ALIGN: "which RoIAlign runs: auto, op or fallback",
    OFFLINE: "1: nothing is downloaded",
    MAX_PIXELS: "the largest image that is read, in pixels; 200000000 unless set",
    BACKEND: "the backend of Keras, which must be tensorflow",
    LEGACY: "1: tf.keras is Keras 2",
    "CUDA_VISIBLE_DEVICES": "GPUs that TensorFlow may see",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true: GPU memory is taken as it is needed",
    "TF_NUM_INTRAOP_THREADS": "threads of one operation",
    "TF_NUM_INTEROP_THREADS": "operations at a time",
    "OMP_NUM_THREADS": "threads of NumPy and OpenCV",
    "TF_ENABLE_ONEDNN_OPTS": "0: no oneDNN",
    "TF_XLA_FLAGS": "options of XLA",
    "XDG_CACHE_HOME": "the user's folder of caches",
    "CXX": "the compiler for the RoIAlign op",
}


def cache_folder() -> Path:
    """The user's folder for downloads and compiled ops: ``KMASKRCNN_CACHE``, or in their cache."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "kmaskrcnn"


def max_pixels() -> int:
    """The largest image that is read, in pixels: ``KMASKRCNN_MAX_PIXELS``, or 200 megapixels."""
    text = os.environ.get(MAX_PIXELS) or "200000000"
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{MAX_PIXELS}={text}: expected a number of pixels, such as 200000000.")
    return int(text)


def keras_backend() -> tuple[str, str]:
    """The backend that Keras has, or would take when it is imported, and who chose it."""
    keras = sys.modules.get("keras")
    backend = getattr(getattr(keras, "backend", None), "backend", None)
    if backend is not None:
        return backend(), "Keras is imported with it"
    if os.environ.get(BACKEND):
        return os.environ[BACKEND], f"{BACKEND}={os.environ[BACKEND]}"
    import json  # on this path only: `import kmaskrcnn` has to be quick

    file = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "keras.json"
    try:
        return str(json.loads(file.read_text())["backend"]), str(file)
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow", "the default"  # no such file, or one that Keras will complain of


def wrong_backend() -> str:
    """A sentence where Keras runs, or would run, on something else than TensorFlow; else empty."""
    backend, reason = keras_backend()
    if backend == "tensorflow":
        return ""
    return (
        f"kmaskrcnn runs on Keras' TensorFlow backend; here it is {backend} ({reason}). Set "
        f"{BACKEND}=tensorflow before Python imports keras."
    )


def legacy_keras() -> str:
    """A sentence where ``tf.keras`` is Keras 2, which does no harm by itself; else empty."""
    value = os.environ.get(LEGACY)
    if value not in ("1", "true", "True"):  # as TensorFlow reads it
        return ""
    return (
        f"{LEGACY}={value}: tf.keras is Keras 2 (tf_keras) in this process, and the models of "
        "kmaskrcnn are of Keras 3. Take optimizers, callbacks and layers from `import keras`, not "
        "from tf.keras, or unset the variable."
    )
