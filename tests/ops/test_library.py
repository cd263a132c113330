"""Finding, choosing and building the RoIAlign op."""

import shutil
import subprocess

import pytest

from kmaskrcnn import environment, ops
from kmaskrcnn.ops import compiler, library


@pytest.fixture
def no_op(monkeypatch, tmp_path):
    """A machine on which nothing has been built: the cache folder, empty."""
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setenv(environment.CACHE, str(tmp_path))
    name = compiler.file_name(library.tf.__version__)
    monkeypatch.setattr(library, "places", lambda: [tmp_path / name])
    monkeypatch.setattr(library, "_failures", {})
    return tmp_path


@pytest.mark.parametrize(
    ("version", "group"),
    [
        ("2.16.2", "2.16_2.19"),
        ("2.18.0", "2.16_2.19"),
        ("2.19.1", "2.16_2.19"),
        ("2.20.0", "2.20"),
        ("2.21.0-rc1", "2.21"),
        ("3.0.0", "3.0"),
    ],
)
def test_groups_of_tensorflow_versions(version, group):
    assert compiler.abi_group(version) == group
    assert f"-tf{group}-" in compiler.file_name(version)


def test_name_follows_the_sources(monkeypatch, tmp_path):
    for name in compiler.SOURCES:
        shutil.copy(compiler.source_folder() / name, tmp_path / name)
    before = compiler._digest(tmp_path)
    (tmp_path / compiler.SOURCES[0]).write_text("// another text\n")
    compiler._digest.cache_clear()
    assert compiler._digest(tmp_path) != before
    compiler._digest.cache_clear()


def test_every_included_header_is_in_the_name():
    headers = compiler.source_folder().glob("roi_align*.h")
    included = {path.name for path in headers} - {"roi_align_cuda.h"}
    assert included == {name for name in compiler.SOURCES if name.endswith(".h")}


def test_no_binary(no_op):
    status = ops.status()
    assert status.implementation == "fallback"
    assert "kmaskrcnn build-op" in str(status)
    assert library.load() is None and library.selected() is None


def test_the_op_is_demanded_and_not_there(no_op, monkeypatch):
    monkeypatch.setenv(library.VARIABLE, "op")
    with pytest.raises(RuntimeError, match="build-op"):
        library.selected()


def test_a_binary_that_does_not_load(no_op):
    library.places()[0].write_bytes(b"not a library")
    status = ops.status()
    assert status.implementation == "fallback"
    assert "does not load" in status.reason


def test_an_unknown_mode(monkeypatch):
    monkeypatch.setenv(library.VARIABLE, "quick")
    with pytest.raises(ValueError, match="auto, op, fallback"):
        ops.status()


def test_using_overrides_the_environment(monkeypatch):
    monkeypatch.setenv(library.VARIABLE, "op")
    with library.using("fallback"):
        assert library.mode() == "fallback"
        assert ops.status().implementation == "fallback"
    assert library.mode() == "op"
    with pytest.raises(ValueError, match="auto"), library.using("quick"):
        pass


def test_a_visible_gpu_is_left_to_tensorflow(monkeypatch):
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library.tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert "GPU" in ops.status().reason


def test_no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(RuntimeError, match="no-such-compiler"):
        compiler.compile_op(tmp_path / "op.so", [], [])


@pytest.mark.skipif(shutil.which("false") is None, reason="needs the program `false`")
def test_a_compiler_that_fails_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(RuntimeError, match="false failed with code 1"):
        compiler.compile_op(tmp_path / "op.so", [], [])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
@pytest.mark.parametrize(
    ("flags", "rounds"),
    [
        (["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"], 100_000),
        (["-O3"], 20_000),  # as the op is compiled, with the clone for this processor
    ],
    ids=["sanitized", "optimized"],
)
def test_hostile_inputs_in_plain_cpp(tmp_path, flags, rounds):
    source = compiler.source_folder() / "roi_align_test.cc"
    program = tmp_path / "roi_align_test"
    subprocess.run(["g++", "-std=c++17", *flags, str(source), "-o", str(program)], check=True)
    result = subprocess.run([str(program), str(rounds), "7"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert f"{rounds} rounds without a report" in result.stdout
    assert not result.stderr
