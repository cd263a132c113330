"""The part of the build that ``setup.cfg`` cannot say: the C++ sources travel in the wheel.

``custom_ops/`` stands beside the package, where C++ people look for it. A wheel carries it as
``kmaskrcnn/custom_ops/`` so that ``kmaskrcnn build-op`` can compile it anywhere; an editable
install reads it where it is. ``make wheel`` also gives compiled ops, in the folder named by the
environment variable KMASKRCNN_BINARIES: the wheel is then one for this platform, any Python 3.
"""

import os
import shutil
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

SOURCES = Path("custom_ops")
LEFT_OUT = shutil.ignore_patterns("build", ".gitignore", "__pycache__", "*.o", "*.so", "*.pyc")
BINARIES = os.environ.get("KMASKRCNN_BINARIES")


class BuildWithSources(build_py):
    """``build_py`` that adds the sources of the custom ops, and the binaries of ``make wheel``."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "kmaskrcnn", "custom_ops")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(SOURCES, target, ignore=LEFT_OUT)
        if BINARIES:
            shutil.copytree(BINARIES, target / "roi_align" / "build")


class WithBinaries(Distribution):
    """A distribution for one platform if binaries were given."""

    def has_ext_modules(self) -> bool:
        return bool(BINARIES) or super().has_ext_modules()


class PlatformWheel(bdist_wheel):
    """A wheel for any Python 3: the binaries have no Python ABI."""

    def get_tag(self) -> tuple[str, str, str]:
        tag = super().get_tag()
        return ("py3", "none", tag[2]) if BINARIES else tag


setup(distclass=WithBinaries, cmdclass={"build_py": BuildWithSources, "bdist_wheel": PlatformWheel})
