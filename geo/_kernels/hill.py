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
) -> NDArray[np.int32]:
    """
    Find the time of every cell from the nearest of some cells, or (``inward``) to it.

    ``height`` and ``factor`` have a row of closed cells (factor 0) two deep all around, so that no move leaves the
    grid; ``width_m`` and ``height_m`` are the sizes of the cells of each row. A move takes its length times
    ``ms_per_m`` times ``slow`` of its grade times the mean factor of its two ends. No move goes into a closed
    cell, nor past two that touch at a corner, nor as a knight past any. An unknown height (NaN) is as high as
    where one comes from. Times are whole milliseconds, ``NO_TIME`` beyond ``limit_ms``, whose rim is within.
    """
    rows, columns = height.shape
    turn = -1.0 if inward else 1.0
    flat_height, flat_factor = height.ravel(), factor.ravel()
    time = np.full(rows * columns, NO_TIME, np.int32)
    queued = np.full(rows * columns, -1, np.int32)
    half_ms, per_m = np.empty((rows, moves)), np.empty((rows, moves))  # of each row's moves
    for i in range(rows):
        for m in range(moves):
            length = np.hypot(MOVES[m, 0] * height_m[i], MOVES[m, 1] * width_m[i])
            half_ms[i, m], per_m[i, m] = 0.5 * length * ms_per_m, turn * GRADE_STEPS / length
    most = 2 * half_ms.max() * float(slow.max()) * float(flat_factor.max())
    ring = 1
    while ring <= int(min(most, limit_ms)) >> shift:
        ring *= 2
    ring = 2 * ring - 1
    first = np.full(ring + 1, -1, np.int32)
    entry_node, entry_next = np.empty(4096, np.int32), np.empty(4096, np.int32)
    made, free, waiting = 0, np.int32(-1), 0
    order = np.argsort(start_ms)
    at, bucket = 0, np.int64(0)
    middle, slope_n = STEEPEST * GRADE_STEPS, len(slow) - 1
    step = MOVES[:, 0] * columns + MOVES[:, 1]
    while waiting > 0 or at < len(order):
        if waiting == 0:
            bucket = max(bucket, start_ms[order[at]] >> shift)
        if bucket << shift > limit_ms:
            break
        while at < len(order) and start_ms[order[at]] >> shift <= bucket:
            cell, ms = start[order[at]], start_ms[order[at]]
            at += 1
            if ms <= limit_ms and ms < time[cell] and flat_factor[cell] > 0:
                time[cell] = np.int32(ms)
                queued[cell] = np.int32(bucket & ring)
                if made == len(entry_node):
                    entry_node, entry_next = _longer(entry_node), _longer(entry_next)
                entry_node[made], entry_next[made] = cell, first[bucket & ring]
                first[bucket & ring] = np.int32(made)
                made += 1
                waiting += 1
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
