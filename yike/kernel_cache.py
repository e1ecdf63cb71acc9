"""Where compiled kernels are kept between starts."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from importlib import metadata
from pathlib import Path


def prepare_kernel_cache() -> Path:
    """
    Point numba at a cache that belongs to exactly these kernels, this numba and this machine.

    numba does not notice an edited helper in another file, so the folder's name is a digest of all of them. An
    unwritable cache would make imports fail, so a temporary folder serves where the user's cannot be written.
    Must run before numba is imported; a folder the user has set is kept.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    folder = user_cache() / f"kernels-{_digest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"yike-kernels-{_digest()}"
        folder.mkdir(parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def is_temporary(folder: Path) -> bool:
    """Say whether the cache had to go to the temporary folder."""
    return folder.parent == Path(tempfile.gettempdir())


def user_cache() -> Path:
    """The folder of this user for what can be made again."""
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "yike"


def _digest() -> str:
    found = hashlib.sha256()
    kernels = Path(__file__).resolve().parent.parent / "geo" / "_kernels"
    for source in sorted(kernels.glob("*.py")):
        found.update(source.read_bytes())
    found.update(f"{metadata.version('numba')} {platform.python_version()} {platform.processor()}".encode())
    found.update(_cpu().encode())
    return found.hexdigest()[:16]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line for line in lines if line.startswith("flags")), platform.machine())
