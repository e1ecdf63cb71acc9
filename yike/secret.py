"""The secret with which ID numbers become keys: of this user, outside of every project and run."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

LENGTH = 32


def household_secret() -> bytes | None:
    """
    Give the secret, which is made the first time; None where it can be neither read nor kept.

    With another secret the same household has another key: two runs of one user agree, two users need not.
    """
    path = user_config() / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # written whole under another name first: who reads meanwhile reads all of it or nothing
            handle, name = tempfile.mkstemp(dir=path.parent)  # of this user only
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(LENGTH))
            try:
                os.link(name, path)
            except OSError:
                if not path.exists():  # a disk that knows no links; else another run was quicker
                    Path(name).replace(path)
            Path(name).unlink(missing_ok=True)
        found = path.read_bytes()
    except OSError:
        return None
    return found if len(found) == LENGTH else None


def user_config() -> Path:
    """The folder of this user for what must be kept."""
    home = os.environ.get("APPDATA") or os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "yike"
