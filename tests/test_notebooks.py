"""Every notebook runs, and its last cell asserts the sentence its story ends with."""

from __future__ import annotations

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

import yike

NOTEBOOKS = sorted((Path(yike.__file__).resolve().parent.parent / "notebooks").glob("*.md"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path):
    notebook = jupytext.read(path)
    code = [cell["source"] for cell in notebook.cells if cell["cell_type"] == "code"]
    assert "assert" in code[-1]
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
