"""Precisions by name, and the instructions of 16 bits that a system lists."""

import pytest

from kmaskrcnn import precision

SAPPHIRE_RAPIDS = "processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16 amx_bf16 avx512_fp16\n"
GRAVITON_3 = "processor\t: 0\nFeatures\t: fp asimd asimdhp sve svebf16 bf16\n"
HASWELL = "processor\t: 0\nflags\t\t: fpu avx2 f16c\n"


@pytest.mark.parametrize(
    ("cpuinfo", "bfloat16", "float16"),
    [
        (SAPPHIRE_RAPIDS, ("AMX", "AVX512"), ("AVX512",)),
        (GRAVITON_3, ("NEON", "SVE"), ("NEON",)),
        (HASWELL, (), ()),
        ("nothing is listed", None, None),
    ],
)
def test_instructions_by_the_systems_list(cpuinfo, bfloat16, float16, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert precision.instructions("bfloat16") == bfloat16
    assert precision.instructions("float16") == float16


def test_a_system_without_such_a_list(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    assert precision.instructions("bfloat16") is None


def test_policies():
    names = [precision.policy(name) for name in (None, *precision.PRECISIONS)]
    assert names == [None, "float32", "mixed_bfloat16", "mixed_float16"]
