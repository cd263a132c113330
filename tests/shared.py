"""Reference answers and photographs that are not part of the project.

They are too big, or not ours to ship. Where the environment variable KMASKRCNN_SHARED names the
folder that holds them, the tests use them; elsewhere those tests are skipped, with the reason.
"""

import os
from pathlib import Path

import pytest

VARIABLE = "KMASKRCNN_SHARED"


def shared_path(relative: str) -> Path:
    """Where a file or folder of the references lies; skips the calling test when there is none.

    Args:
        relative: path inside the folder of the references, such as ``"parity/ops/roi.npz"``.

    Returns:
        The path, which exists.

    Raises:
        FileNotFoundError: the variable is set and the file is not there. That is a mistake in the
            test or in the variable, and no reason to skip.
    """
    root = os.environ.get(VARIABLE)
    if not root:
        pytest.skip(f"needs {relative} of the references: set {VARIABLE} to their folder")
    path = Path(root, relative)
    if not path.exists():
        raise FileNotFoundError(f"{VARIABLE}={root} holds no {relative}")
    return path
