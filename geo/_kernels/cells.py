"""Loops over the cells of a travel-time surface, which lie in square tiles where there are streets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SHIFT = 6
TILE = 1 << SHIFT
"""Cells along the side of a tile."""


@njit(cache=True, nogil=True)
def mark_tiles(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    offset: NDArray[np.int64],
    edges: NDArray[np.int64],
    west: float,
    north: float,
    cell_m: float,
    reach_m: float,
    marked: NDArray[np.bool_],
) -> None:
    """Mark the tiles that lie within reach of a segment of some edges."""
    side = cell_m * TILE
    rows, columns = marked.shape
    for e in edges:
        for k in range(offset[e], offset[e + 1] - 1):
            left = int(np.floor((min(x[k], x[k + 1]) - reach_m - west) / side))
            right = int(np.floor((max(x[k], x[k + 1]) + reach_m - west) / side))
            top = int(np.floor((north - max(y[k], y[k + 1]) - reach_m) / side))
            bottom = int(np.floor((north - min(y[k], y[k + 1]) + reach_m) / side))
            for i in range(max(top, 0), min(bottom, rows - 1) + 1):
                for j in range(max(left, 0), min(right, columns - 1) + 1):
                    marked[i, j] = True


@njit(cache=True, nogil=True)
def nearest_street(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    offset: NDArray[np.int64],
    edges: NDArray[np.int64],
    west: float,
    north: float,
    cell_m: float,
    reach_m: float,
    tile_of: NDArray[np.int32],
    cell_edge: NDArray[np.int32],
    cell_fraction: NDArray[np.float32],
    cell_distance: NDArray[np.float32],
) -> None:
    """
    Give each cell within reach of a street the nearest edge, where on it, and how far it is.

    A cell that an earlier call gave an edge keeps it. Of equally near edges the first counts.
    """
    before = cell_edge >= 0
    square = cell_distance * cell_distance
    reach2 = reach_m * reach_m
    for e in edges:
        total = 0.0
        for k in range(offset[e], offset[e + 1] - 1):
            total += np.hypot(x[k + 1] - x[k], y[k + 1] - y[k])
        along = 0.0
        for k in range(offset[e], offset[e + 1] - 1):
            dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
            length = np.hypot(dx, dy)
            left = int(np.ceil((min(x[k], x[k + 1]) - reach_m - west) / cell_m - 0.5))
            right = int(np.floor((max(x[k], x[k + 1]) + reach_m - west) / cell_m - 0.5))
            top = int(np.ceil((north - max(y[k], y[k + 1]) - reach_m) / cell_m - 0.5))
            bottom = int(np.floor((north - min(y[k], y[k + 1]) + reach_m) / cell_m - 0.5))
            once = 1.0 / (length * length) if length > 0 else 0.0
            for i in range(max(top, 0), min(bottom, tile_of.shape[0] * TILE - 1) + 1):
                py = north - (i + 0.5) * cell_m - y[k]
                for j in range(max(left, 0), min(right, tile_of.shape[1] * TILE - 1) + 1):
                    tile = tile_of[i >> SHIFT, j >> SHIFT]
                    if tile < 0:
                        continue
                    px = west + (j + 0.5) * cell_m - x[k]
                    share = min(1.0, max(0.0, (px * dx + py * dy) * once))
                    qx, qy = px - share * dx, py - share * dy
                    away2 = np.float32(qx * qx + qy * qy)
                    a, b = i & (TILE - 1), j & (TILE - 1)
                    if away2 >= square[tile, a, b] or away2 > reach2 or before[tile, a, b]:
                        continue
                    square[tile, a, b] = away2
                    cell_edge[tile, a, b] = e
                    cell_fraction[tile, a, b] = (along + share * length) / total if total > 0 else 0.0
            along += length
    for tile in range(len(square)):
        for a in range(TILE):
            for b in range(TILE):
                cell_distance[tile, a, b] = np.sqrt(square[tile, a, b])


@njit(cache=True, nogil=True)
def window_ms(
    tile_of: NDArray[np.int32],
    cell_edge: NDArray[np.int32],
    cell_distance: NDArray[np.float32],
    from_u_ms: NDArray[np.float32],
    from_v_ms: NDArray[np.float32],
    along_ms: NDArray[np.float32],
    against_ms: NDArray[np.float32],
    leg_ms: float,
    u: NDArray[np.int32],
    v: NDArray[np.int32],
    node_ms: NDArray[np.int64],
    home_edge: int,
    home_along: float,
    home_against: float,
    home_ms: float,
    top: int,
    left: int,
    rows: int,
    columns: int,
) -> Any:
    """
    Time and distance from the street of the cells of a window, given the times of all nodes.

    ``from_u_ms`` and ``from_v_ms`` are what is left from either end of a cell's edge, infinite where one may not
    go; ``leg_ms`` is what a metre off the street takes. A cell on the edge of the home itself is reached along
    it (``along_ms`` ahead and ``against_ms`` back, as seen from u). Infinite where nothing is near.
    """
    ms = np.full((rows, columns), np.inf, np.float32)
    away = np.full((rows, columns), np.inf, np.float32)
    for i in range(rows):
        for j in range(columns):
            a, b = top + i, left + j
            if a < 0 or b < 0 or a >= tile_of.shape[0] * TILE or b >= tile_of.shape[1] * TILE:
                continue
            tile = tile_of[a // TILE, b // TILE]
            if tile < 0:
                continue
            p, q = a % TILE, b % TILE
            e = cell_edge[tile, p, q]
            if e < 0:
                continue
            best = min(node_ms[u[e]] + from_u_ms[tile, p, q], node_ms[v[e]] + from_v_ms[tile, p, q])
            if e == home_edge:
                ahead = along_ms[tile, p, q] - home_along
                back = home_against - against_ms[tile, p, q]
                if ahead >= 0:
                    best = min(best, home_ms + ahead)
                if back >= 0:
                    best = min(best, home_ms + back)
            away[i, j] = cell_distance[tile, p, q]
            if best < 1e15:
                ms[i, j] = best + leg_ms * cell_distance[tile, p, q]
    return ms, away
