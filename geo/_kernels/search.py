"""
Shortest paths from many sources at once, over whole milliseconds.

A node's label is one whole number: its time, shifted left, and the rank of the source. The smaller label is the
earlier, and of equal times the one of the smaller rank, so labels depend on no order of arcs or sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNREACHED = np.int64(2**61)
"""Time of a node that no source reaches; two of them still add up. Never leaves this package's callers."""

RANK_BITS = np.int64(24)
MOST_SOURCES = 2**24
LONGEST_MS = np.int64(2**37)
"""Four years: no way takes longer, and a label has room for it."""

NO_LABEL = np.int64(2**62)


@njit(cache=True, nogil=True)
def nearest_source(
    indptr: NDArray[np.int64],
    arcs: NDArray[np.int32],
    length_m: NDArray[np.float64],
    source_node: NDArray[np.int32],
    source_ms: NDArray[np.int64],
    source_m: NDArray[np.float64],
    source_rank: NDArray[np.int32],
    is_target: NDArray[np.bool_],
    targets: int,
    limit_ms: int,
    shift: int,
    ring: int,
    measured: bool,
) -> Any:
    """
    Label every node with its nearest source: least time, then smallest rank, then shortest way.

    ``arcs`` are rows of head and milliseconds, in the order of their tails. Stops when ``targets`` nodes marked
    in ``is_target`` are final (0: never) and labels nothing beyond ``limit_ms``; the rim belongs to it. Metres
    are 0 and unread unless ``measured``. Nodes wait in buckets of ``2**shift`` ms, a power of two of them
    (``ring`` is one less) that neither the latest source nor an arc reaches around; one that is improved within
    its bucket is done again.

    Returns labels (``NO_LABEL`` where no source is near) and metres per node.
    """
    label = np.full(len(indptr) - 1, NO_LABEL, np.int64)
    metres = np.zeros(len(label) if measured else 1, np.float64)
    last = ((limit_ms + 1) << RANK_BITS) - 1  # the greatest label within the limit
    first = np.full(ring + 1, -1, np.int32)
    room = max(1024, 2 * len(source_node))
    entry_node, entry_next = np.empty(room, np.int32), np.empty(room, np.int32)
    free = np.int32(-1)
    queued = np.full(len(label), -1, np.int32)  # the bucket that a node waits in, in the ring
    open_target = is_target.copy() if targets > 0 else is_target
    left, bucket = targets, np.int64(0)
    made = _begin(
        label, metres, first, queued, entry_node, entry_next, source_node, source_ms, source_m, source_rank, last,
        shift, ring, measured,
    )  # fmt: skip
    waiting = made
    while waiting > 0:
        # without a sign there is no counting from the end to look out for
        slot = np.uint32(bucket & ring)
        while first[slot] >= 0:
            entry = first[slot]
            place = np.uint32(entry)
            first[slot] = entry_next[place]
            node = np.uint32(entry_node[place])
            entry_next[place], free = free, entry
            waiting -= 1
            if queued[node] != slot:
                continue  # it was improved and moved on to an earlier one
            queued[node] = -1
            if targets > 0 and open_target[node]:
                open_target[node] = False
                left -= 1
            own = label[node]
            for a in range(np.uint64(indptr[node]), np.uint64(indptr[node + 1])):
                head = np.uint32(arcs[a, 0])
                new = own + (np.int64(arcs[a, 1]) << RANK_BITS)
                old = label[head]
                if new > old or new > last:
                    continue
                if new == old and not (measured and metres[node] + length_m[a] < metres[head]):
                    continue
                label[head] = new
                if measured:
                    metres[head] = metres[node] + length_m[a]
                at = np.uint32((new >> RANK_BITS >> shift) & ring)
                if queued[head] == at:
                    continue
                queued[head] = np.int32(at)
                if free >= 0:
                    entry, free = free, entry_next[np.uint32(free)]
                else:
                    if made == len(entry_node):
                        entry_node, entry_next = _longer(entry_node), _longer(entry_next)
                    entry, made = np.int32(made), made + 1
                place = np.uint32(entry)
                entry_node[place], entry_next[place] = head, first[at]
                first[at] = entry
                waiting += 1
        if targets > 0 and left == 0:
            # a search that stops early leaves tentative labels behind
            label[label >> RANK_BITS >> shift > bucket] = NO_LABEL
            break
        bucket += 1
    return label, metres


@njit(cache=True, nogil=True)
def _begin(
    label: NDArray[np.int64], metres: NDArray[np.float64], first: NDArray[np.int32], queued: NDArray[np.int32],
    entry_node: NDArray[np.int32], entry_next: NDArray[np.int32], source_node: NDArray[np.int32],
    source_ms: NDArray[np.int64], source_m: NDArray[np.float64], source_rank: NDArray[np.int32], last: Any,
    shift: int, ring: int, measured: bool,
) -> int:  # fmt: skip
    """Label the sources and put them into their buckets; the number of entries that were made."""
    made = 0
    for s in range(len(source_node)):
        node, m = source_node[s], source_m[s]
        new = (source_ms[s] << RANK_BITS) | np.int64(source_rank[s])
        if new > last or new > label[node] or (new == label[node] and not (measured and m < metres[node])):
            continue
        label[node] = new
        if measured:
            metres[node] = m
        at = (source_ms[s] >> shift) & ring
        queued[node] = np.int32(at)
        entry_node[made], entry_next[made] = node, first[at]
        first[at] = np.int32(made)
        made += 1
    return made


@njit(cache=True, nogil=True)
def unpack(label: NDArray[np.int64], ms: NDArray[np.int32], rank: NDArray[np.int32]) -> None:
    """Take labels apart into milliseconds and rank; -1 where there is none."""
    for node in range(len(label)):
        if label[node] == NO_LABEL:
            ms[node], rank[node] = -1, -1
        else:
            ms[node] = label[node] >> RANK_BITS
            rank[node] = label[node] & (MOST_SOURCES - 1)


@njit(cache=True, nogil=True)
def _longer(values: Any) -> Any:
    out = np.empty(2 * len(values), values.dtype)
    out[: len(values)] = values
    return out


@njit(cache=True, nogil=True)
def nearest_k(
    indptr: NDArray[np.int64],
    arcs: NDArray[np.int32],
    source_node: NDArray[np.int32],
    source_ms: NDArray[np.int64],
    source_rank: NDArray[np.int32],
    k: int,
    limit_ms: int,
) -> NDArray[np.int64]:
    """
    Label every node with its ``k`` nearest sources, a row a node and the nearest first.

    ``NO_LABEL`` stands where there are fewer. No source stands twice in a row. Labels and the limit are those of
    ``nearest_source``.
    """
    n = len(indptr) - 1
    found = np.full((n, k), NO_LABEL, np.int64)
    count = np.zeros(n, np.int32)
    heap_label, heap_node = np.empty(1024, np.int64), np.empty(1024, np.int32)
    size = 0
    mask = np.int64(MOST_SOURCES - 1)
    for s in range(len(source_node)):
        if source_ms[s] <= limit_ms:
            new = (source_ms[s] << RANK_BITS) | np.int64(source_rank[s])
            if size == len(heap_node):
                heap_label, heap_node = _longer(heap_label), _longer(heap_node)
            size = _push(heap_label, heap_node, size, new, source_node[s])
    while size > 0:
        own, node = heap_label[0], heap_node[0]
        size -= 1
        if size > 0:
            _sink(heap_label, heap_node, size)
        known = count[node] == k
        for i in range(count[node]):
            known = known or (found[node, i] & mask) == (own & mask)
        if known:
            continue
        found[node, count[node]] = own
        count[node] += 1
        for a in range(indptr[node], indptr[node + 1]):
            new = own + (np.int64(arcs[a, 1]) << RANK_BITS)
            if count[arcs[a, 0]] == k or new >> RANK_BITS > limit_ms:
                continue
            if size == len(heap_node):
                heap_label, heap_node = _longer(heap_label), _longer(heap_node)
            size = _push(heap_label, heap_node, size, new, arcs[a, 0])
    return found


@njit(cache=True, nogil=True)
def within(
    indptr: NDArray[np.int64],
    arcs: NDArray[np.int32],
    length_m: NDArray[np.float64],
    start_node: NDArray[np.int32],
    start_ms: NDArray[np.int64],
    start_m: NDArray[np.float64],
    limit_ms: NDArray[np.int64],
    is_end: NDArray[np.bool_],
) -> Any:
    """
    Find for each start by itself the marked nodes that it reaches within its own limit; the rim belongs to it.

    Of ways that take equally long the shortest counts. Returns the row of the start, the node, its milliseconds
    and metres, start by start and the nearest first.
    """
    n = len(indptr) - 1
    time, metres = np.full(n, UNREACHED, np.int64), np.zeros(n, np.float64)
    touched = np.empty(n, np.int32)
    heap_ms, heap_node = np.empty(1024, np.int64), np.empty(1024, np.int32)
    row, end = np.empty(1024, np.int32), np.empty(1024, np.int32)
    end_ms, end_m = np.empty(1024, np.int64), np.empty(1024, np.float64)
    hits = 0
    for s in range(len(start_node)):
        if start_ms[s] > limit_ms[s]:
            continue
        size, seen = 0, 0
        time[start_node[s]], metres[start_node[s]] = start_ms[s], start_m[s]
        touched[0], seen = start_node[s], 1
        size = _push(heap_ms, heap_node, size, start_ms[s], start_node[s])
        while size > 0:
            own, node = heap_ms[0], heap_node[0]
            size -= 1
            if size > 0:
                _sink(heap_ms, heap_node, size)
            if own > time[node]:
                continue
            for a in range(indptr[node], indptr[node + 1]):
                head, new = arcs[a, 0], own + np.int64(arcs[a, 1])
                if new > limit_ms[s] or new > time[head]:
                    continue
                m = metres[node] + length_m[a]
                if new == time[head] and m >= metres[head]:
                    continue
                if time[head] == UNREACHED:
                    touched[seen] = head
                    seen += 1
                time[head], metres[head] = new, m
                if size == len(heap_node):
                    heap_ms, heap_node = _longer(heap_ms), _longer(heap_node)
                size = _push(heap_ms, heap_node, size, new, head)
        order = np.argsort(time[touched[:seen]], kind="mergesort")
        for i in order:
            node = touched[i]
            if is_end[node]:
                if hits == len(row):
                    row, end = _longer(row), _longer(end)
                    end_ms, end_m = _longer(end_ms), _longer(end_m)
                row[hits], end[hits], end_ms[hits], end_m[hits] = s, node, time[node], metres[node]
                hits += 1
            time[node] = UNREACHED
    return row[:hits], end[:hits], end_ms[:hits], end_m[:hits]


@njit(cache=True, nogil=True)
def _push(heap_key: NDArray[np.int64], heap_node: NDArray[np.int32], size: int, key: int, node: int) -> int:
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
        if heap_key[parent] <= key:
            break
        heap_key[hole], heap_node[hole] = heap_key[parent], heap_node[parent]
        hole = parent
    heap_key[hole], heap_node[hole] = key, node
    return size + 1


@njit(cache=True, nogil=True)
def _sink(heap_key: NDArray[np.int64], heap_node: NDArray[np.int32], size: int) -> None:
    # the last entry fills the gap at the top
    key, node = heap_key[size], heap_node[size]
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and heap_key[child + 1] < heap_key[child]:
            child += 1
        if heap_key[child] >= key:
            break
        heap_key[hole], heap_node[hole] = heap_key[child], heap_node[child]
        hole = child
    heap_key[hole], heap_node[hole] = key, node
