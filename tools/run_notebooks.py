"""Runs notebooks at their own settings and keeps them with their outputs: ``make docs``.

python tools/run_notebooks.py            all of them
python tools/run_notebooks.py 03         those whose names begin so
"""

import sys
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NOISE = ("execution", "ExecuteTime")  # times of each cell: they differ in every run


def run(path: Path) -> None:
    """Executes in an empty folder, so that what the notebook writes does not stay here."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        nbclient.NotebookClient(notebook, timeout=None, resources=where).execute()
    for cell in notebook.cells:
        for key in NOISE:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":  # warnings of other packages are not worth looking at
            cell.outputs = joined([o for o in cell.outputs if o.get("name") != "stderr"])
    nbformat.write(notebook, path)


def joined(outputs: list) -> list:
    """Printed lines that follow each other as one output."""
    kept: list = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


if __name__ == "__main__":
    for notebook_path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not sys.argv[1:] or notebook_path.name.startswith(tuple(sys.argv[1:])):
            start = time.perf_counter()
            run(notebook_path)
            print(f"{notebook_path.name}: {time.perf_counter() - start:.0f} s")
