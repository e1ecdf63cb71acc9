"""Compile the kernels once, so that tests that run side by side load them instead of compiling them each."""

from __future__ import annotations

import yike  # noqa: F401  chooses the cache before numba is imported
from tests.flatland import Town

if __name__ == "__main__":
    Town().grid(1, 1).journey([(0, 0)], [(1, 1)]).nearest([0], rank=[0], direction="to_facility")
