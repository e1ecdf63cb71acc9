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


CHUNK = 8
"""Segments of an edge that are looked at together: a cell that none of them can be nearest to passes them by."""


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
    first_row: int,
    end_row: int,
    tile_of: NDArray[np.int32],
    taken: NDArray[np.bool_],
    cell_edge: NDArray[np.int32],
    cell_fraction: NDArray[np.float32],
    square: NDArray[np.float32],
) -> None:
    """
    Give each cell of some rows within reach of a street the nearest edge, where on it, and the square of how far.

    A cell that is ``taken`` keeps what it has. Of equally near edges the first counts.
    """
    reach2 = reach_m * reach_m
    start = np.empty(CHUNK)  # of each segment: metres along the edge, one over its square, its length
    once, length = np.empty(CHUNK), np.empty(CHUNK)
    end_row = min(end_row, tile_of.shape[0] * TILE)
    for e in edges:
        total = 0.0
        for k in range(offset[e], offset[e + 1] - 1):
            total += np.hypot(x[k + 1] - x[k], y[k + 1] - y[k])
        along = 0.0
        for k0 in range(offset[e], offset[e + 1] - 1, CHUNK):
            k1 = min(k0 + CHUNK, offset[e + 1] - 1)
            x0 = x1 = x[k0]
            y0 = y1 = y[k0]
            for k in range(k0, k1):
                s = k - k0
                length[s] = np.hypot(x[k + 1] - x[k], y[k + 1] - y[k])
                once[s] = 1.0 / (length[s] * length[s]) if length[s] > 0 else 0.0
                start[s] = along
                along += length[s]
                x0, x1 = min(x0, x[k + 1]), max(x1, x[k + 1])
                y0, y1 = min(y0, y[k + 1]), max(y1, y[k + 1])
            left = max(int(np.ceil((x0 - reach_m - west) / cell_m - 0.5)), 0)
            right = min(int(np.floor((x1 + reach_m - west) / cell_m - 0.5)), tile_of.shape[1] * TILE - 1)
            top = max(int(np.ceil((north - y1 - reach_m) / cell_m - 0.5)), first_row)
            bottom = min(int(np.floor((north - y0 + reach_m) / cell_m - 0.5)), end_row - 1)
            for i in range(top, bottom + 1):
                at_y = north - (i + 0.5) * cell_m
                aside_y = max(y0 - at_y, at_y - y1, 0.0)
                for j in range(left, right + 1):
                    tile = tile_of[i >> SHIFT, j >> SHIFT]
                    if tile < 0:
                        continue
                    a, b = i & (TILE - 1), j & (TILE - 1)
                    at_x = west + (j + 0.5) * cell_m
                    aside_x = max(x0 - at_x, at_x - x1, 0.0)
                    least = np.float32(aside_x * aside_x + aside_y * aside_y)
                    best = square[tile, a, b]
                    if least >= best or least > reach2 or taken[tile, a, b]:
                        continue
                    found, where = -1, 0.0
                    for k in range(k0, k1):
                        dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
                        px, py = at_x - x[k], at_y - y[k]
                        share = min(1.0, max(0.0, (px * dx + py * dy) * once[k - k0]))
                        qx, qy = px - share * dx, py - share * dy
                        away2 = np.float32(qx * qx + qy * qy)
                        if away2 < best and away2 <= reach2:
                            best, found, where = away2, k - k0, share
                    if found >= 0:
                        square[tile, a, b] = best
                        cell_edge[tile, a, b] = e
                        cell_fraction[tile, a, b] = (
                            (start[found] + where * length[found]) / total if total > 0 else 0.0
                        )


@njit(cache=True, nogil=True)
def window_ms(
    tile_of: NDArray[np.int32],
    cell_edge: NDArray[np.int32],
    cell_distance: NDArray[np.float32],
    open_u: NDArray[np.bool_],
    open_v: NDArray[np.bool_],
    whole_ms: NDArray[np.int64],
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

    A cell is reached from either end of its edge, where it is open (``open_u``, ``open_v``): from u in
    ``along_ms``, from v in ``whole_ms`` of the edge without ``against_ms``; ``leg_ms`` is what a metre off the
    street takes. A cell on the edge of the home itself is reached along it. Infinite where nothing is near.
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
            best = np.inf
            if open_u[e]:
                best = node_ms[u[e]] + np.float64(along_ms[tile, p, q])
            if open_v[e]:
                best = min(best, node_ms[v[e]] + np.float64(np.float32(whole_ms[e] - against_ms[tile, p, q])))
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
