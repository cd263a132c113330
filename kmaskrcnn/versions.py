"""Which versions of Python and of other packages fit, what is installed, and what to do.

Only the metadata of what is installed is read: nothing here imports TensorFlow, so that the answer
comes in milliseconds and also where TensorFlow does not import. A test holds `REQUIREMENTS` and
`PYTHON` to ``setup.cfg``.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

Version = tuple[int, ...]  # (2, 21): as many parts as are compared


@dataclass(frozen=True)
class Requirement:
    """A package that kmaskrcnn needs.

    Attributes:
        name: of the distribution, as pip knows it.
        module: what is imported.
        lowest: the oldest version that works.
        newest: the newest that was tested; empty where newer ones have never mattered.
        variants: other distributions of the same module.
        core: with an older version nothing works at all.
    """

    name: str
    module: str
    lowest: str
    newest: str = ""
    variants: tuple[str, ...] = ()
    core: bool = False

    @property
    def supported(self) -> str:
        """``"2.18 to 2.21"``, or ``"4.9 or newer"``."""
        return f"{self.lowest} to {self.newest}" if self.newest else f"{self.lowest} or newer"


TENSORFLOW_VARIANTS = (
    *("tensorflow-cpu", "tensorflow-intel", "tensorflow-macos", "tensorflow-gpu"),
    *("tensorflow-rocm", "tensorflow-cpu-aws", "tensorflow-aarch64", "tf-nightly"),
)
# No longer made: what they were is in `tensorflow` now.
RETIRED = ("tensorflow-intel", "tensorflow-macos", "tensorflow-gpu", "tensorflow-cpu-aws")
OPENCV_VARIANTS = ("opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
REQUIREMENTS = (
    Requirement("tensorflow", "tensorflow", "2.18", "2.21", TENSORFLOW_VARIANTS, core=True),
    Requirement("keras", "keras", "3.6", "3.15", ("keras-nightly",), core=True),
    Requirement("numpy", "numpy", "1.26", core=True),
    Requirement("h5py", "h5py", "3.11"),
    Requirement("pycocotools", "pycocotools", "2.0.8"),
    Requirement("google-crc32c", "google_crc32c", "1.5"),
    Requirement("faster-coco-eval", "faster_coco_eval", "1.8"),
    Requirement("opencv-python-headless", "cv2", "4.9", variants=OPENCV_VARIANTS),
    Requirement("scikit-image", "skimage", "0.22"),
    Requirement("pillow", "PIL", "10.1", variants=("pillow-simd",)),
    Requirement("msgspec", "msgspec", "0.21"),
    Requirement("pyyaml", "yaml", "6.0.1"),
    Requirement("matplotlib", "matplotlib", "3.9"),
    Requirement("click", "click", "8.1"),
    Requirement("rich", "rich", "13.0"),
    Requirement("tomlkit", "tomlkit", "0.12"),
    Requirement("jinja2", "jinja2", "3.1"),
    Requirement("markupsafe", "markupsafe", "2.1"),
)
# What is installed on request, and what for.
OPTIONAL = {
    Requirement("pandas", "pandas", "2.1"): "Detections.to_pandas()",
    Requirement("supervision", "supervision", "0.31"): "Detections.to_supervision()",
    Requirement("tensorboard", "tensorboard", "2.18"): "kmaskrcnn train --tensorboard",
}
PYTHON = Requirement("Python", "", "3.10", "3.13")

FITS = "fits"
NEWER = "newer than tested"
UNKNOWN = "version not known"
TOO_OLD = "too old"
MISSING = "missing"


@dataclass(frozen=True)
class Found:
    """What is installed of a requirement.

    Attributes:
        requirement: what is needed.
        version: as its metadata says; None without metadata.
        verdict: `FITS`, `NEWER`, `UNKNOWN`, `TOO_OLD` or `MISSING`.
        variant: the distribution that is there, where it is not the requirement's own.
        beside: further distributions of the same module in another version, such as
            ``"tensorflow-cpu 2.18.0"``: they overwrite each other's files.
    """

    requirement: Requirement
    version: str | None
    verdict: str
    variant: str = ""
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the distribution that is there, or else should be."""
        return self.variant or self.requirement.name

    @property
    def broken(self) -> bool:
        """Whether it has to be installed, or another version of it."""
        return self.verdict in (TOO_OLD, MISSING)

    def requirement_line(self) -> str:
        """What pip is to be given, such as ``"tensorflow-cpu>=2.18"``, in quotes."""
        name = self.requirement.name if self.name in RETIRED else self.name
        return f'"{name}>={self.requirement.lowest}"'

    def sentence(self) -> str:
        """Found and supported, in one line."""
        found = f"{self.name} {self.version or ''}".strip()
        what = f"{found} is missing" if self.verdict == MISSING else f"{found} found"
        return f"{what}, {self.requirement.supported} supported"


def parse(text: str) -> Version:
    """``"2.21.0-rc1"`` → ``(2, 21, 0)``; what does not begin with a number is ``()``."""
    match = re.match(r"\d+(?:\.\d+)*", text.lstrip("v"))
    return tuple(map(int, match.group().split("."))) if match else ()


def judge(requirement: Requirement, version: str | None) -> str:
    """How a version fits, by whole numbers: 2.21.3 is no newer than a tested 2.21."""
    found = parse(version or "")
    if not found:
        return UNKNOWN
    lowest, newest = parse(requirement.lowest), parse(requirement.newest)
    if (*found, 0, 0)[: max(len(lowest), len(found))] < lowest:
        return TOO_OLD
    return NEWER if newest and found[: len(newest)] > newest else FITS


def installed(name: str) -> str | None:
    """The version of a distribution; None if it is not there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def look(requirement: Requirement) -> Found:
    """What is installed of a requirement, under its own name or a variant's."""
    names = (requirement.name, *requirement.variants)
    there = [(name, version) for name in names if (version := installed(name))]
    if there:
        (name, version), *others = there
        beside = tuple(f"{other} {its}" for other, its in others if its != version)
        return Found(requirement, version, judge(requirement, version), name, beside)
    can_import = importlib.util.find_spec(requirement.module) is not None
    return Found(requirement, None, UNKNOWN if can_import else MISSING)


def look_at_python() -> Found:
    """The Python that runs."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Found(PYTHON, version, judge(PYTHON, version))


def pip_line(broken: Iterable[Found]) -> str:
    """What to type, for exactly the packages that do not fit."""
    broken = list(broken)
    retired = [found.name for found in broken if found.name in RETIRED]
    wanted = " ".join(found.requirement_line() for found in broken)
    first = f"python -m pip uninstall -y {' '.join(retired)} && " if retired else ""
    return f"{first}python -m pip install --upgrade {wanted}"


def misfit(looked: Iterable[Found]) -> str:
    """Found and supported versions of what does not fit, and what to do; empty if all do."""
    broken = [found for found in looked if found.broken]
    if not broken:
        return ""
    lines = "; ".join(found.sentence() for found in broken)
    packages = [found for found in broken if found.requirement is not PYTHON]
    advice = [f"Run: {pip_line(packages)}"] if packages else []
    if len(packages) < len(broken):
        advice.insert(0, f"Make an environment with Python {PYTHON.supported}.")
    return f"kmaskrcnn does not fit what is installed: {lines}. {' '.join(advice)}"


@lru_cache(maxsize=1)
def core() -> tuple[Found, ...]:
    """Python and the packages without which nothing works, looked at once."""
    return look_at_python(), *(look(row) for row in REQUIREMENTS if row.core)
