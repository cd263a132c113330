import os

import pytest

from kmaskrcnn.weights.files.limits import Allowance, Limits, RefusedError


def test_an_allowance_is_used_up():
    allowance = Allowance(10, "bytes")
    allowance.take(4, "the first")
    allowance.check(6, "a look")
    allowance.take(6, "the second")
    with pytest.raises(RefusedError, match="the third: more than the 10 bytes that a file like"):
        allowance.take(1, "the third")


def test_large_files_may_have_more(tmp_path):
    path = tmp_path / "file"
    path.touch()
    assert Limits(path).memory.total == 64 << 20
    os.truncate(path, 1 << 30)
    assert Limits(path).memory.total == 16 << 30
