"""What `pip` will find: every package has an `__init__`, every dependency a reason, one version."""

import ast
import configparser
import re
import sys

from tests.floors import ROOT

CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT.parent / "setup.cfg")
MODULE_OF = {
    "opencv-python-headless": "cv2",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "faster-coco-eval": "faster_coco_eval",
    "google-crc32c": "google_crc32c",
}
NEVER = ("opencv-python", "opencv-contrib-python", "imgaug", "tensorflow-addons")
EXTRAS = ("pandas", "supervision", "tensorboard")  # of users; the others are of developers


def required() -> list[str]:
    """The distributions of ``install_requires`` and of the users' extras, without versions."""
    lines = CONFIG["options"]["install_requires"].split()
    lines += [line for name in EXTRAS for line in CONFIG["options.extras_require"][name].split()]
    return [re.split("[<>=]", line)[0] for line in lines]


def imported() -> set[str]:
    """The top-level modules of others that the package imports."""
    names: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"kmaskrcnn"}


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in ROOT.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_every_file_beside_the_modules_travels_in_the_wheel():
    """Templates and the like are named in ``package_data``, which counts from their package."""
    data = CONFIG["options.package_data"]
    named = {
        path
        for package, patterns in data.items()
        for pattern in patterns.split()
        for path in (ROOT.parent / package.replace(".", "/")).glob(pattern)
    }
    other = {p for p in ROOT.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert {p for p in other if "custom_ops" not in p.parts} <= named
    assert ROOT / "pages" / "templates" / "base.html" in named


def test_what_is_imported_is_required():
    assert imported() <= {MODULE_OF.get(name, name) for name in required()}


def test_every_dependency_has_its_line():
    text = (ROOT.parent / "docs" / "dependencies.md").read_text()
    missing = [name for name in required() if f"| {name} " not in text]
    assert missing == []


def test_nothing_that_breaks_machines_or_is_left_alone():
    """opencv-python needs libGL.so.1, which servers lack; the others are not maintained."""
    named = set(re.findall(r"^\s*([\w-]+)", (ROOT.parent / "setup.cfg").read_text(), re.M))
    assert "opencv-python-headless" in named
    assert named & set(NEVER) == set()
    assert imported() & {"imgaug", "tensorflow_addons"} == set()


def test_the_licence_is_apache():
    assert CONFIG["metadata"]["license"] == "Apache-2.0"
    assert "Apache License\n" in (ROOT.parent / "LICENSE").read_text()
    assert "\nApache-2.0." in (ROOT.parent / "README.md").read_text()


def test_no_dependency_binds_its_users():
    """No copyleft among what is installed with the package: its users may do as they please."""
    text = (ROOT.parent / "docs" / "dependencies.md").read_text()
    licences = dict(re.findall(r"^\| (\S+) ≥ [^|]*\| ([^|]+) \|", text, re.M))
    assert set(licences) == set(required())
    assert [name for name, licence in licences.items() if "GPL" in licence] == []
