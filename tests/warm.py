"""Compile the kernels once, so that tests that run side by side load them instead of compiling them each."""

from __future__ import annotations

import yike  # noqa: F401  chooses the cache before numba is imported
from geo.graph import Graph, Sources
from tests.flatland import CAR, Town

if __name__ == "__main__":
    town = Town().street((0, 0), (1, 0), oneway="yes").street((1, 0), (1, 1), (0, 0))
    town.journey([(0, 0)], [(1, 1), (1, 0)], profile=CAR).nearest([0, 1], rank=[0, 1], direction="round_trip_mean")
    Graph.pack([0], [1], [1], [1.0], 2).nearest_k(Sources.at([0]), 1)
