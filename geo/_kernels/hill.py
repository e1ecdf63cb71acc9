"""Walking over open ground: the quickest way between the cells of a grid, up and down."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo._kernels.search import _longer

NO_TIME = np.int32(2**31 - 1)

GRADE_STEPS = 1024
STEEPEST = 2
"""Grades are looked up in steps of 1/1024 from −2 to 2; what is steeper is as slow as that."""

MOVES = np.array(
    [(-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1),
     (-2, -1), (-2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2), (2, -1), (2, 1)],
    np.int64,
)  # fmt: skip
"""Rows and columns of the sixteen moves: straight, diagonal, and as a knight. The first eight are the old ones."""


@njit(cache=True, nogil=True)
def walk_over(
    height: NDArray[np.float32],
    factor: NDArray[np.float32],
    width_m: NDArray[np.float64],
    height_m: NDArray[np.float64],
    slow: NDArray[np.float32],
    ms_per_m: float,
    start: NDArray[np.int64],
    start_ms: NDArray[np.int64],
    limit_ms: int,
    moves: int,
    inward: bool,
    shift: int,
    ring: int,
) -> NDArray[np.int32]:
    """
    Find the time of every cell from the nearest of some cells, or (``inward``) to it.

    ``height`` and ``factor`` have a row of closed cells (factor 0) two deep all around, so that no move leaves the
    grid; ``width_m`` and ``height_m`` are the sizes of the cells of each row. A move takes its length times
    ``ms_per_m`` times ``slow`` of its grade times the mean factor of its two ends. No move goes into a closed
    cell, nor past two that touch at a corner, nor as a knight past any. An unknown height (NaN) is as high as
    where one comes from. Times are whole milliseconds, ``NO_TIME`` beyond ``limit_ms``, whose rim is within.
    Buckets (``shift``, ``ring``) are those of ``search.nearest_source``.
    """
    rows, columns = height.shape
    flat_height, flat_factor = height.ravel(), factor.ravel()
    half_ms, per_m = _tables(width_m, height_m, ms_per_m, moves, -1.0 if inward else 1.0)
    first = np.full(ring + 1, -1, np.int32)
    room = max(4096, 2 * len(start))
    entry_node, entry_next = np.empty(room, np.int32), np.empty(room, np.int32)
    time = np.full(rows * columns, NO_TIME, np.int32)
    queued = np.full(rows * columns, -1, np.int32)
    free = np.int32(-1)
    for s in range(len(start)):
        if start_ms[s] <= limit_ms and start_ms[s] < time[start[s]] and flat_factor[start[s]] > 0:
            time[start[s]] = np.int32(start_ms[s])
    made = _sow(time, queued, first, entry_node, entry_next, start, shift, ring)
    waiting, bucket = made, np.int64(0)
    middle, slope_n = STEEPEST * GRADE_STEPS, len(slow) - 1
    step = MOVES[:, 0] * columns + MOVES[:, 1]
    while waiting > 0:
        while first[bucket & ring] >= 0:
            entry = first[bucket & ring]
            first[bucket & ring] = entry_next[entry]
            cell = np.int64(entry_node[entry])
            entry_next[entry], free = free, entry
            waiting -= 1
            if queued[cell] != bucket & ring:
                continue
            queued[cell] = -1
            now, own, here = time[cell], flat_factor[cell], flat_height[cell]
            row = np.uint32(np.uint32(cell) // np.uint32(columns))
            for m in range(np.uint32(moves)):
                other = np.uint64(cell + step[m])  # without a sign there is no counting from the end
                there = flat_factor[other]
                if not there > 0 or time[other] <= now:
                    continue
                if m >= 4 and not _open_between(flat_factor, cell, m, columns):
                    continue
                steps = (flat_height[other] - here) * per_m[row, m]
                index = middle
                if steps == steps:  # both heights are known
                    index = int(min(max(steps + middle, 0.0), slope_n) + 0.5)
                new = np.int64(now) + np.int64(half_ms[row, m] * slow[np.uint32(index)] * (own + there) + 0.5)
                if new >= time[other] or new > limit_ms:
                    continue
                time[other] = np.int32(new)
                slot = np.int32((new >> shift) & ring)
                if queued[other] == slot:
                    continue
                queued[other] = slot
                if free >= 0:
                    entry, free = free, entry_next[free]
                else:
                    if made == len(entry_node):
                        entry_node, entry_next = _longer(entry_node), _longer(entry_next)
                    entry, made = np.int32(made), made + 1
                entry_node[entry], entry_next[entry] = other, first[slot]
                first[slot] = entry
                waiting += 1
        bucket += 1
    return time.reshape(rows, columns)


@njit(cache=True, nogil=True)
def _sow(
    time: Any, queued: Any, first: Any, entry_node: Any, entry_next: Any, start: Any, shift: int, ring: int
) -> int:
    """Put the cells that have a time at the start into their buckets, each once; their number."""
    made = 0
    for cell in start:
        if time[cell] < NO_TIME and queued[cell] < 0:
            queued[cell] = np.int32((np.int64(time[cell]) >> shift) & ring)
            entry_node[made], entry_next[made] = cell, first[queued[cell]]
            first[queued[cell]] = np.int32(made)
            made += 1
    return made


@njit(cache=True, nogil=True)
def _tables(width_m: Any, height_m: Any, ms_per_m: float, moves: int, turn: float) -> Any:
    """Of each row's moves half of their time on level ground, and what a metre of rise is in steps of grade."""
    half_ms, per_m = np.empty((len(width_m), moves)), np.empty((len(width_m), moves))
    for i in range(len(width_m)):
        for m in range(moves):
            length = np.hypot(MOVES[m, 0] * height_m[i], MOVES[m, 1] * width_m[i])
            half_ms[i, m], per_m[i, m] = 0.5 * length * ms_per_m, turn * GRADE_STEPS / length
    return half_ms, per_m


@njit(cache=True, nogil=True)
def _open_between(factor: Any, cell: Any, move: int, columns: int) -> Any:
    """Say whether a diagonal or a knight's move squeezes through no closed cells."""
    down, right = MOVES[move, 0], MOVES[move, 1]
    if move < 8:
        return factor[cell + down * columns] > 0 or factor[cell + right] > 0
    if abs(down) == 2:
        half = down // 2
        return factor[cell + half * columns] > 0 and factor[cell + half * columns + right] > 0
    half = right // 2
    return factor[cell + half] > 0 and factor[cell + half + down * columns] > 0
