"""What the files in ``tests/weights/files`` hold, computed without what wrote them."""

from pathlib import Path

import numpy as np

FILES = Path(__file__).parent / "written"


def torch_arrays() -> dict[str, np.ndarray]:
    """Of ``checkpoint.pth``, ``legacy.pth`` and ``plain.safetensors``."""
    row = np.arange(10, dtype=np.float32)
    quarters = np.arange(8, dtype=np.float32) / 4
    return {
        "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 8,
        "conv.parameter": np.arange(3, dtype=np.float64),
        "transposed": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "row.start": row[:4],
        "row.end": row[4:],
        "row.every_third": row[::3],
        "tied.one": np.full((2, 2), 5, np.float32),
        "tied.two": np.full((2, 2), 5, np.float32),
        "expanded": np.array([[1, 1, 1], [2, 2, 2]], np.float32),
        "half": quarters.astype(np.float16),
        "bfloat16": quarters.reshape(2, 4).T,
        "flags": np.array([True, False, True]),
        "bytes": np.arange(5, dtype=np.uint8),
        "uint16": np.arange(5, dtype=np.uint16),
        "empty": np.zeros((0, 4), np.float32),
        "norm.num_batches_tracked": np.array(7),
    }


def detectron2_arrays() -> dict[str, np.ndarray]:
    """Of ``detectron2_2.pkl`` and ``detectron2_4.pkl``: without the text among them."""
    grid = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return {
        "stem.conv1.weight": grid,
        "stem.fortran": grid,
        "stem.big_endian": grid,
        "stem.scalar": np.array(2.5),
        "stem.half": grid.astype(np.float16),
        "stem.count": np.array(3),
    }


def detectron_arrays() -> dict[str, np.ndarray]:
    """Of ``detectron.pkl``: without the momentum."""
    large = np.arange(100, dtype=np.float32)
    return {"conv1_w": large, "fpn_b": large[:3]}


def tensor_arrays() -> dict[str, np.ndarray]:
    """Of ``tensors2.pkl`` and ``tensors4.pkl``."""
    return {"a": np.arange(3, dtype=np.float32), "b": np.arange(4).reshape(2, 2).T}


def assert_same(arrays: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Names, types, shapes and values; and the arrays can be written to."""
    assert set(arrays) == set(expected)
    for name, values in expected.items():
        assert isinstance(arrays[name], np.ndarray), name
        assert (arrays[name].dtype, arrays[name].shape) == (values.dtype, values.shape), name
        np.testing.assert_array_equal(arrays[name], values, err_msg=name)
        assert arrays[name].flags.writeable and arrays[name].flags.c_contiguous, name
