"""Compiles the RoIAlign op for several TensorFlow versions, none of which needs to be installed.

    python custom_ops/roi_align/build_all.py FOLDER [VERSION ...]

Downloads each version's wheel with pip, takes its headers and ``libtensorflow_framework`` and
compiles against them: one file a group of versions that share an ABI, about a minute each. Linux.
"""

import argparse
import importlib.util
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType

# The newest of each group: one binary for 2.16 to 2.19; 2.20 and 2.21 each need their own.
VERSIONS = ("2.19.*", "2.20.*", "2.21.*")
PYTHON = "3.12"  # all of these versions have wheels for it, and the op does not depend on Python
LIBRARY = "libtensorflow_framework.so.2"


def load_compiler() -> ModuleType:
    """``kmaskrcnn.ops.compiler`` from its file, because the package itself imports TensorFlow."""
    folder = Path(__file__).resolve().parents[2]
    package = folder if folder.name == "kmaskrcnn" else folder / "kmaskrcnn"
    path = package / "ops" / "compiler.py"
    spec = importlib.util.spec_from_file_location("kmaskrcnn_compiler", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def download(version: str, folder: Path) -> Path:
    """The wheel of a TensorFlow version such as ``2.20.*``, for this machine."""
    machine = platform.machine()
    package = "tensorflow-cpu" if machine == "x86_64" else "tensorflow"
    tags = [f"--platform=manylinux{tag}_{machine}" for tag in ("2014", "_2_17", "_2_27", "_2_28")]
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *tags]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *target]
    subprocess.run([*command, f"--dest={folder}", f"{package}=={version}"], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> None:
    """The headers and the library to link with."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("tensorflow/include/") or name == f"tensorflow/{LIBRARY}":
                archive.extract(name, folder)


def build(version: str, output: Path) -> Path:
    """Compiles for one version; returns the file."""
    compiler = load_compiler()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = download(version, folder)
        unpack(wheel, folder)
        exact = wheel.name.split("-")[1]
        # As tf.sysconfig says for each of them.
        compile_flags = [f"-I{folder}/tensorflow/include", "-D_GLIBCXX_USE_CXX11_ABI=1"]
        compile_flags += ["--std=c++17", "-DEIGEN_MAX_ALIGN_BYTES=64"]
        link_flags = [f"-L{folder}/tensorflow", f"-l:{LIBRARY}"]
        target = output / compiler.file_name(exact)
        return compiler.compile_op(target, compile_flags, link_flags)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("versions", nargs="*", default=VERSIONS, help=f"default: {VERSIONS}")
    arguments = parser.parse_args()
    if platform.system() != "Linux":
        parser.error("wheels with compiled ops are made on Linux")
    for version in arguments.versions:
        print(f"TensorFlow {version}: {build(version, arguments.folder)}", flush=True)


if __name__ == "__main__":
    main()
