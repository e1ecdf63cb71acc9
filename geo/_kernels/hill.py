"""
Walking over open ground: the quickest way between the cells of a grid, up and down, and on to streets.

One search serves two questions: how far every cell is from some cells, and what each of many points reaches by
itself. The nodes of the second are the cells and after them those of the streets.
"""

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

BACK = np.array([3, 2, 1, 0, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8], np.int64)
"""Of each move the one that takes it back."""


@njit(cache=True, nogil=True)
def walk_over(
    height: NDArray[np.float32],
    factor: NDArray[np.float32],
    shut: NDArray[np.uint16],
    width_m: NDArray[np.float64],
    height_m: NDArray[np.float64],
    slow: NDArray[np.float32],
    per_m: float,
    start: NDArray[np.int64],
    start_cost: NDArray[np.int64],
    limit: int,
    moves: int,
    inward: bool,
    shift: int,
    ring: int,
) -> NDArray[np.int32]:
    """
    Find the cost of every cell from the nearest of some cells, or (``inward``) to it.

    ``height`` and ``factor`` have a row of closed cells (factor 0) two deep all around, so that no move leaves the
    grid; ``width_m`` and ``height_m`` are the sizes of the cells of each row. A move costs its length times
    ``per_m`` times ``slow`` of its grade times the mean factor of its two ends. No move goes into a closed cell,
    nor one whose bit is set in ``shut`` of the cell that it leaves. An unknown height (NaN) is as high as where
    one comes from. Costs are whole numbers, ``NO_TIME`` beyond ``limit``, whose rim is within. Buckets (``shift``,
    ``ring``) are those of ``search.nearest_source``.
    """
    rows, columns = height.shape
    level, climb, _ = _tables(width_m, height_m, per_m, moves, -1.0 if inward else 1.0)
    ground = (height.ravel(), factor.ravel(), shut.ravel(), level, climb, np.zeros((1, 1)), slow, columns)
    none, nowhere = np.zeros(1, np.int32), np.zeros(1, np.float32)
    streets = (np.zeros(1, np.int64), none, none, nowhere, np.zeros(1, np.int64), none, none, nowhere)
    cost = np.full(rows * columns, NO_TIME, np.int32)
    queued = np.full(rows * columns, -1, np.int32)
    first = np.full(ring + 1, -1, np.int32)
    state = (cost, queued, first, nowhere, none, none, nowhere)
    entries = np.empty((4096, 2), np.int32)
    _spread(
        ground, streets, state, entries, start, start_cost, nowhere, limit, moves, shift, ring, False,
        np.zeros(1, np.bool_), False,
    )  # fmt: skip
    return cost.reshape(rows, columns)


@njit(cache=True, nogil=True)
def connect(
    grid: Any, streets: Any, slow: NDArray[np.float32], seeds: Any, points: NDArray[np.int64], limit: int,
    moves: int, inward: bool, shift: int, ring: int, slack: int, is_end: NDArray[np.bool_], nearest: bool,
) -> Any:  # fmt: skip
    """
    Find the nodes of the streets that each point comes to over open ground no later than along the streets.

    Nodes are numbered after the cells. ``grid`` is (height, factor, shut, width_m, height_m, per_m), see
    ``walk_over``; ``streets`` (indptr, head, cost, metres, door_ptr, door_node, door_cost, door_m): arcs by their
    tails, and the doors of each cell to nodes. ``seeds`` (ptr, node, cost, metres): where each point begins. What
    the streets reach earlier by more than ``slack`` is not told. With ``nearest`` only the first node marked in
    ``is_end`` is, however it is reached.

    Returns point, node, cost and metres, point by point.
    """
    height, factor, shut, width_m, height_m, per_m = grid
    seed_ptr, seed_node, seed_cost, seed_m = seeds
    cells, nodes = height.size, len(streets[0]) - 1
    level, climb, length = _tables(width_m, height_m, per_m, moves, -1.0 if inward else 1.0)
    ground = (height.ravel(), factor.ravel(), shut.ravel(), level, climb, length, slow, height.shape[1])
    cost, queued = np.full(cells + nodes, NO_TIME, np.int32), np.full(cells + nodes, -1, np.int32)
    metres = np.zeros(cells + nodes, np.float32)
    over, over_m = np.full(nodes, NO_TIME, np.int32), np.zeros(nodes, np.float32)
    first = np.full(ring + 1, -1, np.int32)
    touched = np.empty(cells + nodes, np.int32)
    state = (cost, queued, first, metres, touched, over, over_m)
    entries = np.empty((4096, 2), np.int32)
    found = np.empty((1024, 2), np.int32)
    found_cost, found_m = np.empty(1024, np.int32), np.empty(1024, np.float32)
    hits = 0
    for point in points:
        low, high = seed_ptr[point], seed_ptr[point + 1]
        entries, seen, met = _spread(
            ground, streets, state, entries, seed_node[low:high], seed_cost[low:high], seed_m[low:high],
            limit, moves, shift, ring, True, is_end, nearest,
        )  # fmt: skip
        for t in range(seen):
            node = np.int64(touched[t])
            street = node - cells
            if street >= 0 and (node == met if nearest else over[street] <= np.int64(cost[node]) + slack):
                if hits == len(found_cost):
                    found = _twice(found)
                    found_cost, found_m = _longer(found_cost), _longer(found_m)
                found[hits, 0], found[hits, 1] = point, street
                found_cost[hits] = cost[node] if nearest else over[street]
                found_m[hits] = metres[node] if nearest else over_m[street]
                hits += 1
            cost[node] = NO_TIME
            if street >= 0:
                over[street] = NO_TIME
    return found[:hits, 0].copy(), found[:hits, 1].copy(), found_cost[:hits].copy(), found_m[:hits].copy()


@njit(cache=True, nogil=True)
def _spread(
    ground: Any, streets: Any, state: Any, entries: NDArray[np.int32], start: Any, start_cost: Any, start_m: Any,
    limit: int, moves: int, shift: int, ring: int, measured: bool, is_end: Any, nearest: bool,
) -> Any:  # fmt: skip
    """
    Spread from some nodes until nothing within the limit is left; on to streets if ``measured``.

    ``over`` of a street node is what it costs over open ground, ``cost`` what it costs by whatever way. Returns
    the entries of the queue, which may have grown; how many nodes were touched; the end that was met, or -1.
    """
    height, factor, shut, level, climb, length, slow, columns = ground
    cost, queued, first, metres, touched, _, _ = state
    cells = len(height)
    middle, slope_n = STEEPEST * GRADE_STEPS, len(slow) - 1
    step = MOVES[:, 0] * columns + MOVES[:, 1]
    begun = (start, start_cost, start_m)
    entries, made, seen, limit, met = _sow(
        state, entries, factor, begun, limit, shift, ring, measured, is_end, nearest
    )  # fmt: skip
    free, bucket = np.int32(-1), np.int64(0)
    waiting = made
    while waiting > 0:
        while first[bucket & ring] >= 0:
            entry = first[bucket & ring]
            first[bucket & ring] = entries[entry, 1]
            node = np.int64(entries[entry, 0])
            entries[entry, 1], free = free, entry
            waiting -= 1
            if queued[node] != bucket & ring:
                continue
            queued[node] = -1
            now = np.int64(cost[node])
            if node < cells:
                row = np.uint32(np.uint32(node) // np.uint32(columns))
                own, here, closed = factor[node], height[node], shut[node]
                for m in range(np.uint32(moves)):
                    other = np.uint64(node + step[m])  # without a sign there is no counting from the end
                    there = factor[other]
                    if not there > 0 or cost[other] <= now or (closed >> m) & 1:
                        continue
                    steps = (height[other] - here) * climb[row, m]
                    index = middle
                    if steps == steps:  # both heights are known
                        index = int(min(max(steps + middle, 0.0), slope_n) + 0.5)
                    new = now + np.int64(level[row, m] * slow[np.uint32(index)] * (own + there) + 0.5)
                    if new >= cost[other] or new > limit:
                        continue
                    if measured:
                        if cost[other] == NO_TIME:
                            touched[seen] = np.int32(other)
                            seen += 1
                        metres[other] = metres[node] + length[row, m]
                    cost[other] = np.int32(new)
                    slot = np.int32((new >> shift) & ring)
                    if queued[other] == slot:
                        continue
                    queued[other] = slot
                    if free >= 0:
                        entry, free = free, entries[free, 1]
                    else:
                        if made == len(entries):
                            entries = _twice(entries)
                        entry, made = np.int32(made), made + 1
                    entries[entry, 0], entries[entry, 1] = other, first[slot]
                    first[slot] = entry
                    waiting += 1
                if not measured:
                    continue
            entries, free, made, added, seen, limit, met = _on_to_streets(
                streets, state, entries, cells, node, free, made, seen, limit, shift, ring, is_end, nearest, met
            )
            waiting += added
        bucket += 1
    return entries, seen, met


@njit(cache=True, nogil=True)
def _on_to_streets(
    streets: Any, state: Any, entries: NDArray[np.int32], cells: int, node: Any, free: Any, made: Any, seen: Any,
    limit: int, shift: int, ring: int, is_end: Any, nearest: bool, met: Any,
) -> Any:  # fmt: skip
    """Go from a cell through its doors, or on from a node of the streets; what ``_spread`` goes on with."""
    indptr, arc_head, arc_cost, arc_m, door_ptr, door_node, door_cost, door_m = streets
    cost, queued, first, metres, touched, over, over_m = state
    now, added = np.int64(cost[node]), 0
    if node < cells:
        low, high = door_ptr[node], door_ptr[node + 1]
    else:
        low, high = indptr[node - cells], indptr[node - cells + 1]
    for a in range(low, high):
        if node < cells:
            street, new, m = np.int64(door_node[a]), now + door_cost[a], metres[node] + door_m[a]
            if new <= limit and new < over[street]:
                over[street], over_m[street] = np.int32(new), m
        else:
            street, new, m = np.int64(arc_head[a]), now + arc_cost[a], metres[node] + arc_m[a]
        goal = street + cells
        if new >= cost[goal] or new > limit:
            continue
        if cost[goal] == NO_TIME:
            touched[seen] = np.int32(goal)
            seen += 1
        cost[goal], metres[goal] = np.int32(new), m
        if nearest and is_end[street]:
            limit, met = new - 1, goal  # nothing that is as far matters any more
        slot = np.int32((new >> shift) & ring)
        if queued[goal] == slot:
            continue
        queued[goal] = slot
        if free >= 0:
            entry, free = free, entries[free, 1]
        else:
            if made == len(entries):
                entries = _twice(entries)
            entry, made = np.int32(made), made + 1
        entries[entry, 0], entries[entry, 1] = goal, first[slot]
        first[slot] = entry
        added += 1
    return entries, free, made, added, seen, limit, met


@njit(cache=True, nogil=True)
def _sow(
    state: Any, entries: NDArray[np.int32], factor: Any, begun: Any, limit: int, shift: int, ring: int,
    measured: bool, is_end: Any, nearest: bool,
) -> Any:  # fmt: skip
    """Label where it begins and put it into its buckets, each node once; what ``_spread`` goes on with."""
    cost, queued, first, metres, touched, _, _ = state
    start, start_cost, start_m = begun
    cells = len(factor)
    made, seen, met = np.int64(0), np.int64(0), np.int64(-1)
    for s in range(len(start)):
        node = start[s]
        if start_cost[s] > limit or (node < cells and not factor[node] > 0):
            continue
        if start_cost[s] >= cost[node]:
            continue
        if measured:
            if cost[node] == NO_TIME:
                touched[seen] = np.int32(node)
                seen += 1
            metres[node] = start_m[s]
            if nearest and node >= cells and is_end[node - cells]:
                limit, met = min(limit, start_cost[s] - 1), node
        cost[node] = np.int32(start_cost[s])
    for s in range(len(start)):
        node = start[s]
        if cost[node] < NO_TIME and queued[node] < 0:
            if made == len(entries):
                entries = _twice(entries)
            slot = np.int32((np.int64(cost[node]) >> shift) & ring)
            queued[node] = slot
            entries[made, 0], entries[made, 1] = node, first[slot]
            first[slot] = np.int32(made)
            made += 1
    return entries, made, seen, limit, met


@njit(cache=True, nogil=True)
def _twice(rows: Any) -> Any:
    """Make room for as many rows again."""
    out = np.empty((2 * len(rows), rows.shape[1]), rows.dtype)
    out[: len(rows)] = rows
    return out


@njit(cache=True, nogil=True)
def _tables(width_m: Any, height_m: Any, per_m: float, moves: int, turn: float) -> Any:
    """Of each row's moves half of their cost on level ground, a metre of rise in steps of grade, and metres."""
    level, climb = np.empty((len(width_m), moves)), np.empty((len(width_m), moves))
    length = np.empty((len(width_m), moves))
    for i in range(len(width_m)):
        for m in range(moves):
            length[i, m] = np.hypot(MOVES[m, 0] * height_m[i], MOVES[m, 1] * width_m[i])
            level[i, m], climb[i, m] = 0.5 * length[i, m] * per_m, turn * GRADE_STEPS / length[i, m]
    return level, climb, length
