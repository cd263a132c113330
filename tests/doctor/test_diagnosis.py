"""What has to be mended and what may matter, from facts that the test makes up."""

import os

import pytest

from kmaskrcnn import environment, versions
from kmaskrcnn.doctor import diagnosis, lines, machine
from kmaskrcnn.versions import Found

WELL = {
    **{row.module: {"result": row.lowest, "seconds": 0.1} for row in versions.REQUIREMENTS},
    "devices": {"result": ["CPU 0"], "seconds": 0.1},
    "roi_align": {"result": "the C++ op: loaded from op.so", "seconds": 0.1},
    "compiler": {"error": "RuntimeError: No C++ compiler found"},
    "forward": {"result": "tiny: 10 boxes", "seconds": 2.5},
}


@pytest.fixture
def diagnose(monkeypatch, tmp_path):
    """A diagnosis of a whole installation, but for what the test changes."""
    monkeypatch.setattr(diagnosis, "gpus_of_the_driver", lambda: [])
    monkeypatch.setenv(environment.CACHE, str(tmp_path))
    monkeypatch.delenv(environment.LEGACY, raising=False)
    well = {row.name: row.lowest for row in versions.REQUIREMENTS}

    def run(probed=WELL, **there):
        there = well | {name.replace("_", "-"): version for name, version in there.items()}
        monkeypatch.setattr(diagnosis, "run_probe", lambda run: probed)
        monkeypatch.setattr(versions, "installed", there.get)
        return diagnosis.diagnose()

    return run


def words(facts):
    """The report without its columns."""
    return [" ".join(line.split()) for line in lines(facts)]


def test_all_is_well(diagnose):
    facts = diagnose()
    assert facts["problems"] == [] and facts["notes"] == []  # a compiler is not needed
    text = "\n".join(lines(facts))
    assert "✗" not in text and "!" not in text
    assert "✓ tensorflow 2.18 2.18 to 2.21" in words(facts)
    assert "RoIAlign      the C++ op" in text
    assert "forward pass  tiny: 10 boxes, 2.5 s" in text
    assert text.endswith("✓ Everything that is needed is here, and it works.")


def test_what_the_processor_has_of_16_bits(diagnose, monkeypatch):
    there = {"bfloat16": ("AMX", "AVX512"), "float16": ()}
    monkeypatch.setattr(machine, "instructions", there.get)
    text = lines(diagnose())
    assert "bfloat16      by AMX and AVX512" in text
    assert "float16       not in hardware: float32 is faster" in text
    monkeypatch.setattr(machine, "instructions", lambda name: None)
    assert not any(line.startswith("bfloat16") for line in lines(diagnose()))


def test_without_the_forward_pass_nothing_is_proven(diagnose):
    facts = diagnose({step: outcome for step, outcome in WELL.items() if step != "forward"})
    assert lines(facts)[-1].endswith("whether it works was not tried.")


def test_versions_that_do_not_fit(diagnose):
    facts = diagnose(tensorflow="2.15.0", keras="2.15.0")
    (problem,) = facts["problems"]
    assert "tensorflow 2.15.0 found, 2.18 to 2.21 supported" in problem and "pip" in problem
    assert lines(facts)[-1] == "1 to mend."
    assert "✗ tensorflow 2.15.0 2.18 to 2.21 too old" in words(facts)


def test_what_does_not_import(diagnose):
    gl = "libGL.so.1: cannot open"
    probed = {step: WELL[step] for step in WELL if step not in diagnosis.STEPS}
    facts = diagnose(probed | {"cv2": {"error": gl}})
    assert facts["problems"] == [f"opencv-python-headless does not import: {gl}"]
    assert "✗ opencv-python-headless 4.9 4.9 or newer does not import" in words(facts)
    assert "devices       not tried" in lines(facts)


@pytest.mark.parametrize("step", ["start", "devices", "roi_align", "forward"])
def test_what_does_not_run(diagnose, step):
    facts = diagnose(WELL | {step: {"error": "the process died: Segmentation fault"}})
    (problem,) = facts["problems"]
    assert problem == f"{diagnosis.WHAT_FAILED[step]}: the process died: Segmentation fault"


def test_another_backend(diagnose, monkeypatch):
    monkeypatch.setattr(environment, "wrong_backend", lambda: "here it is jax")
    assert diagnose()["problems"] == ["here it is jax"]


def test_notes(diagnose, monkeypatch):
    monkeypatch.setenv(environment.LEGACY, "1")
    notes = diagnose(keras="4.0", tensorflow_addons="0.23.0", opencv_python="4.10")["notes"]
    newer, beside, addons, legacy = notes
    assert "keras 4.0 found, 3.6 to 3.15 supported: newer" in newer
    assert "opencv-python-headless and opencv-python 4.10 have the same module" in beside
    assert "tensorflow-addons 0.23.0" in addons and "nothing here needs it" in addons
    assert legacy.startswith("TF_USE_LEGACY_KERAS=1")


def test_a_gpu_that_tensorflow_does_not_see(diagnose, monkeypatch):
    monkeypatch.setattr(diagnosis, "gpus_of_the_driver", lambda: ["NVIDIA H100"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (note,) = diagnose()["notes"]
    assert "The driver knows NVIDIA H100" in note and "tensorflow[and-cuda]" in note
    seen = WELL | {"devices": {"result": ["CPU 0", "GPU 0: NVIDIA H100"], "seconds": 1.0}}
    assert diagnose(seen)["notes"] == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert diagnose()["notes"] == []


def test_a_cache_that_cannot_be_written_to(diagnose, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(environment.CACHE, str(tmp_path / "file"))
    facts = diagnose()
    (note,) = facts["notes"]
    assert "cannot be written to (Not a directory)" in note and environment.CACHE in note
    assert facts["problems"] == []


def test_a_cache_that_is_not_there_yet(monkeypatch, tmp_path):
    monkeypatch.setenv(environment.CACHE, str(tmp_path / "a" / "b"))
    here = machine.cache()
    assert (here["cannot_write"], here["mib"]) == ("", 0)
    assert not (tmp_path / "a").exists()
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "weights").write_bytes(bytes(3 * 2**19))
    assert machine.cache()["mib"] == 1.5


def test_a_full_disk(diagnose, monkeypatch):
    monkeypatch.setattr(machine, "free_gib", lambda folder: 0.4)
    assert "0.4 GiB are free" in diagnose()["notes"][0]


def test_the_drivers_gpus(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559 MiB, 550.54.15'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert machine.gpus_of_the_driver() == ["NVIDIA H100 80GB HBM3, 81559 MiB, driver 550.54.15"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert machine.gpus_of_the_driver() == []


def test_optional_packages(diagnose):
    facts = diagnose(pandas="2.1.0")
    rows = {row["name"]: row for row in facts["optional"]}
    assert rows["pandas"]["version"] == "2.1.0"
    text = "\n".join(lines(facts))
    assert "optional, for Detections.to_pandas()\n" in text
    assert 'python -m pip install "kmaskrcnn[supervision]"' in rows["supervision"]["install"]


def test_a_variant_keeps_its_name():
    found = Found(versions.REQUIREMENTS[0], "2.20.0", versions.FITS, "tensorflow-cpu")
    assert diagnosis.row_of(found, {})["name"] == "tensorflow-cpu"
