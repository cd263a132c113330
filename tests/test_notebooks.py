"""The notebooks run from top to bottom at small settings, and are kept with outputs to look at."""

import html
import re
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
EAGER = "import tensorflow\ntensorflow.config.run_functions_eagerly(True)\n"
"""For a few steps of the smallest model tracing takes far longer than computing."""
SMALL = {
    "01_quick_start": 'NUM_IMAGES, EPOCHS, PRESET = 8, 1, "tiny"',
    "02_your_own_photographs": 'DATA, PRESET, WEIGHTS = None, "tiny", None\n'
    "NUM_DRAWN, EPOCHS, MORE_EPOCHS, SIZE = 8, 1, 1, 64",
    "03_inside_mask_rcnn": 'STEPS, PRESET, SIZE = 2, "tiny", 64',
    "04_from_matterport": 'NUM_IMAGES, HEAD_EPOCHS, EPOCHS, PRESET = 4, 1, 1, "tiny"',
}
WRITES = {
    "01_quick_start": "shapes.keras",
    "02_your_own_photographs": "mine.keras",
    "04_from_matterport": "mask_rcnn_shapes_0030.h5",
}
PICTURES = ("image/png", "image/jpeg")


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_notebook_is_run_here():
    assert [path.stem for path in NOTEBOOKS] == sorted(SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(path.parent.parent))  # also where nothing is installed
    notebook = read(path)
    parameters = [
        cell for cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])
    ]
    assert len(parameters) == 1, "one cell with the tag `parameters` says how much to do"
    parameters[0].source = EAGER + SMALL[path.stem]
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=where).execute()
    if path.stem in WRITES:
        assert (tmp_path / WRITES[path.stem]).exists()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_its_outputs(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = [o for o in outputs if any(kind in o.get("data", {}) for kind in PICTURES)]
    assert len(pictures) >= 2
    printed = "".join(output.get("text", "") for output in outputs)
    assert not re.findall(r"/(?:tmp|home|root|work|Users)/\S*", printed), "paths of one machine"
    assert path.stat().st_size < 2_000_000, "smaller pictures, please: the file lives in git"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_new_code_beside_old_code_is_what_the_next_cell_runs(path):
    cells = read(path).cells
    tables = [i for i, cell in enumerate(cells) if "<pre>" in cell.source]
    assert bool(tables) == (path.stem == "04_from_matterport")
    for number in tables:
        old, new = re.findall(r"<pre>\n(.*?)</pre>", cells[number].source, flags=re.DOTALL)
        assert html.unescape(new).strip() == cells[number + 1].source.strip()


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_a_notebook_says_how_it_is_run_how_long_and_what_to_expect(path):
    first = read(path).cells[0].source
    assert f"jupyter lab notebooks/{path.name}" in first
    assert "| time |" in first and "| to expect |" in first
