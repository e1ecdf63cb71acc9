"""What the house forbids, held by the machine."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import yike

ROOT = Path(yike.__file__).resolve().parent.parent
PACKAGES = ("geo", "layers", "analysis", "outputs", "yike")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_assert_in_the_product(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_environment_and_no_clock_below_the_front_desk(path):
    if path.is_relative_to(ROOT / "yike"):
        return
    names = {
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert not names & {"os.environ", "os.getenv", "time.time", "dt.datetime.now", "datetime.now", "dt.date.today"}


def test_no_function_is_long():
    # the fields of this library's peers run over 60 lines in 18 of 19
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                docstring = len((ast.get_docstring(node) or "").splitlines())
                if node.end_lineno - node.lineno - docstring > 80:
                    long.append(f"{path.name}:{node.name}")
    assert long == []


def test_our_names_are_ours_alone():
    providers = metadata.packages_distributions()
    for package in PACKAGES:
        assert set(providers[package]) == {"yike"}, package


def test_every_package_is_typed_and_listed():
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").is_file()
    listed = metadata.files("yike")
    assert listed is not None


def test_a_foreign_package_of_our_name_is_refused(tmp_path: Path):
    (tmp_path / "geo").mkdir()
    (tmp_path / "geo" / "__init__.py").write_text("", "utf-8")
    seen = {**os.environ, "PYTHONPATH": str(ROOT)}
    seen.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, "-c", "import yike"], cwd=tmp_path, capture_output=True, text=True, check=False, env=seen
    )
    assert done.returncode != 0
    assert "ForeignPackageError: package 'geo' resolves to" in done.stderr
    assert "start Python with -P" in done.stderr
    safe = subprocess.run(
        [sys.executable, "-P", "-m", "yike", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert safe.returncode == 0, safe.stderr


def test_an_unwritable_cache_is_no_fault(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    seen = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    code = "import yike, os; from yike.kernel_cache import is_temporary; from pathlib import Path; print(is_temporary(Path(os.environ['NUMBA_CACHE_DIR'])))"  # fmt: skip
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True,
                          env={**seen, "XDG_CACHE_HOME": str(blocked), "LOCALAPPDATA": str(blocked)})  # fmt: skip
    assert done.stdout.strip() == "True"


def test_the_cache_is_named_by_its_kernels(tmp_path: Path, monkeypatch):
    from yike import kernel_cache

    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    first = kernel_cache.prepare_kernel_cache()
    assert first.is_relative_to(tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(kernel_cache, "_cpu", lambda: "another")
    assert kernel_cache.prepare_kernel_cache() != first


def test_importing_the_command_is_light():
    heavy = "import sys, yike.cli; print([n for n in ('pandas', 'geopandas', 'numba', 'folium', 'osmnx', 'rasterio') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-P", "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
