"""Shortest paths from many sources at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNREACHED = np.int64(2**61)
"""Time of a node that no source reaches; two of them still add up. Never leaves this package's callers."""


@njit(cache=True, inline="always")
def _before(time_a: int, rank_a: int, m_a: float, time_b: int, rank_b: int, m_b: float) -> bool:
    if time_a != time_b:
        return time_a < time_b
    if rank_a != rank_b:
        return rank_a < rank_b
    return m_a < m_b


@njit(cache=True)
def nearest_source(
    indptr: NDArray[np.int64],
    heads: NDArray[np.int32],
    cost_ms: NDArray[np.int64],
    length_m: NDArray[np.float64],
    source_node: NDArray[np.int32],
    source_ms: NDArray[np.int64],
    source_m: NDArray[np.float64],
    source_rank: NDArray[np.int32],
    is_target: NDArray[np.bool_],
    targets: int,
) -> Any:
    """
    Label every node with its nearest source: least time, then smallest rank, then shortest way.

    The three together are the key of the heap, so the labels depend on no order of arcs or sources. Stops when
    ``targets`` nodes marked in ``is_target`` are final (0: never). Returns time (UNREACHED where none), rank
    (-1 where none) and metres per node.
    """
    n = len(indptr) - 1
    time = np.full(n, UNREACHED, np.int64)
    rank = np.full(n, -1, np.int32)
    metres = np.zeros(n, np.float64)
    done = np.zeros(n, np.bool_)
    room = len(heads) + len(source_node) + 1
    heap_time = np.empty(room, np.int64)
    heap_rank = np.empty(room, np.int32)
    heap_m = np.empty(room, np.float64)
    heap_node = np.empty(room, np.int32)
    size = 0
    left = targets
    for s in range(len(source_node)):
        node = source_node[s]
        better = _before(source_ms[s], source_rank[s], source_m[s], time[node], rank[node], metres[node])
        if time[node] == UNREACHED or better:
            time[node], rank[node], metres[node] = source_ms[s], source_rank[s], source_m[s]
            size = _push(heap_time, heap_rank, heap_m, heap_node, size, time[node], rank[node], metres[node], node)
    while size > 0:
        t, r, m, node = heap_time[0], heap_rank[0], heap_m[0], heap_node[0]
        size -= 1
        if size > 0:
            _sink(heap_time, heap_rank, heap_m, heap_node, size)
        if done[node]:
            continue
        done[node] = True
        if is_target[node]:
            left -= 1
            if left == 0:
                break
        for a in range(indptr[node], indptr[node + 1]):
            head = heads[a]
            if done[head]:
                continue
            next_t, next_m = t + cost_ms[a], m + length_m[a]
            if time[head] == UNREACHED or _before(next_t, r, next_m, time[head], rank[head], metres[head]):
                time[head], rank[head], metres[head] = next_t, r, next_m
                size = _push(heap_time, heap_rank, heap_m, heap_node, size, next_t, r, next_m, head)
    for node in range(n):
        if not done[node]:  # a search that stopped early leaves tentative labels behind
            time[node], rank[node] = UNREACHED, -1
    return time, rank, metres


@njit(cache=True)
def _push(
    heap_time: Any,
    heap_rank: Any,
    heap_m: Any,
    heap_node: Any,
    size: int,
    t: int,
    r: int,
    m: float,
    node: int,
) -> int:
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if not _before(t, r, m, heap_time[parent], heap_rank[parent], heap_m[parent]):
            break
        heap_time[hole], heap_rank[hole] = heap_time[parent], heap_rank[parent]
        heap_m[hole], heap_node[hole] = heap_m[parent], heap_node[parent]
        hole = parent
    heap_time[hole], heap_rank[hole], heap_m[hole], heap_node[hole] = t, r, m, node
    return size + 1


@njit(cache=True)
def _sink(heap_time: Any, heap_rank: Any, heap_m: Any, heap_node: Any, size: int) -> None:
    # the last entry fills the gap at the top
    t, r, m, node = heap_time[size], heap_rank[size], heap_m[size], heap_node[size]
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and _before(
            heap_time[child + 1], heap_rank[child + 1], heap_m[child + 1],
            heap_time[child], heap_rank[child], heap_m[child],
        ):  # fmt: skip
            child += 1
        if not _before(heap_time[child], heap_rank[child], heap_m[child], t, r, m):
            break
        heap_time[hole], heap_rank[hole] = heap_time[child], heap_rank[child]
        heap_m[hole], heap_node[hole] = heap_m[child], heap_node[child]
        hole = child
    heap_time[hole], heap_rank[hole], heap_m[hole], heap_node[hole] = t, r, m, node
