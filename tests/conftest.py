"""What every test stands on: the law tests' profile, the real data, a browser, and no skipping in CI."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import yike  # before numba: it chooses where compiled kernels are kept

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(yike.__file__).resolve().parent.parent
IN_CI = bool(os.environ.get("CI"))

# finished stages of runs under test are kept apart from the user's, and gone afterwards
_STAGES = tempfile.TemporaryDirectory(prefix="yike-test-stages-")
os.environ["XDG_CACHE_HOME"] = _STAGES.name

settings.register_profile(
    "gate", max_examples=50, derandomize=True, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
settings.register_profile("night", settings.get_profile("gate"), max_examples=2000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


def pytest_report_header() -> str:
    import pyogrio
    import pyproj
    import shapely

    gdal = ".".join(str(part) for part in pyogrio.__gdal_version__)
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ("numba", "numpy", "pandas"))
    return f"GDAL {gdal}, GEOS {shapely.geos_version_string}, PROJ {pyproj.proj_version_str}, {packages}"


def _absent(what: str) -> None:
    """A skip is for a developer's machine; CI has everything and must not pass without it."""
    if IN_CI:
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def data() -> Path:
    folder = Path(os.environ.get("YIKE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _absent(f"the real data is not at {folder}; set YIKE_DATA")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        _absent("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def office() -> str:
    found = shutil.which("libreoffice") or shutil.which("soffice")
    if found is None:
        _absent("LibreOffice is not installed")
    return str(found)
