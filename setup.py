"""The part of the build that ``setup.cfg`` cannot say: the C++ sources travel inside the wheel.

``custom_ops/`` stands beside the package, where C++ people look for it. A wheel carries it as
``kmaskrcnn/custom_ops/`` so that ``kmaskrcnn build-op`` can compile it anywhere; an editable install
reads it where it is.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCES = Path("custom_ops")
LEFT_OUT = shutil.ignore_patterns("build", "tests", "__pycache__", "*.o", "*.pyc")


class BuildWithSources(build_py):
    """``build_py`` that adds the sources of the custom ops (and, by ``make wheel``, the binaries)."""

    def run(self) -> None:
        super().run()
        if self.editable_mode or not SOURCES.is_dir():
            return
        target = Path(self.build_lib, "kmaskrcnn", "custom_ops")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(SOURCES, target, ignore=LEFT_OUT)


setup(cmdclass={"build_py": BuildWithSources})
