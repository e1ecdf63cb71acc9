"""
Flows of least cost through a network, in whole numbers, by the network simplex method.

A spanning tree hangs from a root; arcs outside of it stand empty or full. An arc that would lower the cost comes
in, flow goes round the cycle that it closes, and the arc that blocks it goes out.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

EMPTY, IN_TREE, FULL = 1, 0, -1
"""Where an arc stands."""


@njit(cache=True, nogil=True)
def grow(
    root: int,
    tail: NDArray[np.int32],
    cost: NDArray[np.int64],
    arc: NDArray[np.int32],
    child: NDArray[np.int32],
    sibling: NDArray[np.int32],
    depth: NDArray[np.int32],
    price: NDArray[np.int64],
    stack: NDArray[np.int32],
) -> None:
    """
    Set depth and price of all nodes below a node from its own.

    ``arc`` is the one between a node and its parent; the children of a node are linked by ``child`` and
    ``sibling``. The price of a node is that of its parent less the cost of the arc up to it, or with that of the
    arc down from it: an arc of the tree costs just what the prices of its ends differ by.
    """
    stack[0] = root
    waiting = 1
    while waiting:
        waiting -= 1
        node = stack[waiting]
        below = child[node]
        while below >= 0:
            a = arc[below]
            depth[below] = depth[node] + 1
            price[below] = price[node] - cost[a] if tail[a] == below else price[node] + cost[a]
            stack[waiting] = below
            waiting += 1
            below = sibling[below]


@njit(cache=True, nogil=True)
def _hang(
    node: int,
    under: int,
    parent: NDArray[np.int32],
    child: NDArray[np.int32],
    sibling: NDArray[np.int32],
    before: NDArray[np.int32],
) -> None:
    """Take a node from its parent and hang it under another."""
    if before[node] >= 0:
        sibling[before[node]] = sibling[node]
    else:
        child[parent[node]] = sibling[node]
    if sibling[node] >= 0:
        before[sibling[node]] = before[node]
    parent[node] = under
    sibling[node], before[node] = child[under], -1
    if child[under] >= 0:
        before[child[under]] = node
    child[under] = node


@njit(cache=True, nogil=True)
def _entering(
    at: int,
    block: int,
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    cost: NDArray[np.int64],
    may_enter: NDArray[np.bool_],
    state: NDArray[np.int8],
    price: NDArray[np.int64],
) -> tuple[int, int]:
    """Give the arc that saves most in the first block with any from ``at`` on, -1 for none, and where to go on."""
    entering, best = -1, np.int64(0)
    left = block
    for _ in range(len(tail)):
        if may_enter[at]:
            saved = state[at] * (cost[at] + price[tail[at]] - price[head[at]])
            if saved < best:
                best, entering = saved, at
        at = at + 1 if at + 1 < len(tail) else 0
        left -= 1
        if left == 0:
            if entering >= 0:
                break
            left = block
    return entering, at


@njit(cache=True, nogil=True)
def _around(
    entering: int,
    first: int,
    second: int,
    join: int,
    tail: NDArray[np.int32],
    most: NDArray[np.int64],
    flow: NDArray[np.int64],
    parent: NDArray[np.int32],
    arc: NDArray[np.int32],
) -> tuple[int, int, bool]:
    """Say how much can go round a cycle, below which node the arc hangs that blocks it last, and on which side."""
    room, leaving, on_first = most[entering], -1, False
    u = first
    while u != join:  # flow comes down this side
        a = arc[u]
        d = flow[a] if tail[a] == u else most[a] - flow[a]
        if d < room:
            room, leaving, on_first = d, u, True
        u = parent[u]
    u = second
    while u != join:  # and goes up this one
        a = arc[u]
        d = most[a] - flow[a] if tail[a] == u else flow[a]
        if d <= room:
            room, leaving, on_first = d, u, False
        u = parent[u]
    return room, leaving, on_first


@njit(cache=True, nogil=True)
def _send(
    room: int,
    start: int,
    join: int,
    upward: bool,
    tail: NDArray[np.int32],
    flow: NDArray[np.int64],
    parent: NDArray[np.int32],
    arc: NDArray[np.int32],
) -> None:
    """Send something up one side of a cycle, or down it."""
    u = start
    while u != join:
        flow[arc[u]] += room if (tail[arc[u]] == u) == upward else -room
        u = parent[u]


@njit(cache=True, nogil=True)
def least_cost(
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    cost: NDArray[np.int64],
    most: NDArray[np.int64],
    may_enter: NDArray[np.bool_],
    flow: NDArray[np.int64],
    state: NDArray[np.int8],
    parent: NDArray[np.int32],
    arc: NDArray[np.int32],
    child: NDArray[np.int32],
    sibling: NDArray[np.int32],
    before: NDArray[np.int32],
    depth: NDArray[np.int32],
    price: NDArray[np.int64],
    root: int,
) -> int:
    """
    Change ``flow`` and the tree until no arc that may enter would lower the cost; give the number of changes.

    Of arcs that block a cycle equally the last one on the way round leaves, so that from each node something can
    still be sent up to the root, if it could be at the start: then no round of changes comes back to where it was.

    References
    ----------
    Cunningham 1976 (strongly feasible trees); Kovacs 2015 (search of arcs by blocks).
    """
    stack = np.empty(len(parent), np.int32)
    depth[root], price[root] = 0, 0
    grow(root, tail, cost, arc, child, sibling, depth, price, stack)
    block = max(32, int(np.sqrt(len(tail))))
    at, changes = 0, 0
    while True:
        entering, at = _entering(at, block, tail, head, cost, may_enter, state, price)
        if entering < 0:
            return changes
        changes += 1
        first, second = tail[entering], head[entering]
        if state[entering] == FULL:
            first, second = second, first
        # where the ways of both ends to the root meet
        u, v = first, second
        while u != v:
            if depth[u] >= depth[v]:
                u = parent[u]
            else:
                v = parent[v]
        join = u
        room, leaving, on_first = _around(entering, first, second, join, tail, most, flow, parent, arc)
        if room > 0:
            flow[entering] += state[entering] * room
            _send(room, first, join, False, tail, flow, parent, arc)
            _send(room, second, join, True, tail, flow, parent, arc)
        if leaving < 0:
            state[entering] = -state[entering]
            continue
        state[arc[leaving]] = EMPTY if flow[arc[leaving]] == 0 else FULL
        state[entering] = IN_TREE
        # what hung on the arc that left is turned round and hung on the one that came
        node, under = (first, second) if on_first else (second, first)
        a, top = entering, node
        while True:
            above, own = parent[node], arc[node]
            _hang(node, under, parent, child, sibling, before)
            arc[node] = a
            if node == leaving:
                break
            under, a, node = node, own, above
        a = entering
        depth[top] = depth[parent[top]] + 1
        price[top] = price[parent[top]] - cost[a] if tail[a] == top else price[parent[top]] + cost[a]
        grow(top, tail, cost, arc, child, sibling, depth, price, stack)
