"""
Yike (一刻): the front desk. Project file, pipeline, run folder, command line, and objects for a notebook.

What belongs here: wiring. What does not: mathematics, words, file formats.

>>> import yike  # first, also in a notebook: it refuses to start beside foreign packages of our names
"""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from yike.kernel_cache import prepare_kernel_cache

if TYPE_CHECKING:
    from yike.run import OpenProject

SIBLINGS = ("geo", "layers", "analysis", "outputs")


class ForeignPackageError(ImportError):
    """A package of one of our names was found elsewhere; its functions are not ours."""


def check_siblings() -> None:
    """
    Make sure that ``geo`` and the others are the ones that lie beside this package.

    Raises
    ------
    ForeignPackageError
        Python was started in a folder with a package of that name, or one is installed.
    """
    home = Path(__file__).resolve().parent.parent
    for name in SIBLINGS:
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parent.parent != home:
            raise ForeignPackageError(
                f"package {name!r} resolves to {origin}, expected {home / name}; "
                "start Python with -P, or leave the directory that holds it"
            )


check_siblings()
prepare_kernel_cache()
__version__ = metadata.version("yike")


def open(  # noqa: A001  reads as what it does
    path: str | Path, *, cache: Path | None = None, scenario: str | Path | None = None
) -> OpenProject:
    """
    Open a project file; finished stages of its runs are kept in ``cache``, or with the user's other caches.

    With a ``scenario`` file its runs are of what that edits.

    Raises
    ------
    geo.problems.Stop
        The file is missing, badly written, or has keys that are not known; all faults at once.
    """
    from yike.run import OpenProject

    told = None if scenario is None else Path(scenario)
    return OpenProject.load(Path(path), cache=cache, scenario=told)
