"""Runs every notebook at its own settings and keeps it with its outputs: ``make docs``."""

import tempfile
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
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for notebook_path in sorted(NOTEBOOKS.glob("*.ipynb")):
        print(notebook_path.name)
        run(notebook_path)
