"""Placing people where there is room: as many as can be, then at least cost, with the proof of what is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from geo._kernels.flow import EMPTY, IN_TREE, least_cost

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

MOST = 2**40
"""Nobody counts more people than this."""


class NotProved(Exception):
    """An answer that its own proof does not bear out; none is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """
    Who goes where.

    ``placed`` is how many take each arc. ``short_group``, ``short_pool`` and ``short_bed`` mark what the shortage
    lies in: those groups reach no room but in those pools and beds, and all of that is taken. ``pool_value`` is
    how many more would be placed with one more seat in each pool, ``bed_value`` with one more bed: 1 or 0.
    """

    placed: Ints
    short_group: Bools
    short_pool: Bools
    short_bed: Bools
    pool_value: Ints
    bed_value: Ints


def assign(
    people: ArrayLike, room: ArrayLike, arcs: pd.DataFrame, *, objectives: Sequence[str] = (),
    beds: ArrayLike | None = None,
) -> Assignment:  # fmt: skip
    """
    Place as many as can be, and of all ways to do that take one of least cost.

    Costs are compared one after the other: the second only among the ways that are best by the first. Ties go to
    the pool of the smaller row. All is counted in whole numbers, and every answer is proved: prices support it
    exactly.

    Parameters
    ----------
    people, room
        How many each group has, and how many each pool takes.
    arcs
        ``group`` and ``pool`` (rows of both) and a column of whole numbers for each objective; ``boards``, if it
        is there, says where one needs a bed of the pool beside a place in it. Who has no arc cannot be placed.
    objectives
        Columns of ``arcs``, the first before the second.
    beds
        How many beds each pool has; none by default.

    Raises
    ------
    ValueError
        A number is negative, or there are too many people to count.
    NotProved
        The answer is no optimum; never seen.

    References
    ----------
    Dantzig 1951 (transportation problem); Ford and Fulkerson 1956 (the cut that proves the shortage).
    """
    people, room = np.asarray(people, np.int64), np.asarray(room, np.int64)
    bed_n = np.zeros(len(room), np.int64) if beds is None else np.asarray(beds, np.int64)
    every = np.concatenate((people, room, bed_n))
    if every.min(initial=0) < 0 or every.max(initial=0) > MOST or people.sum() > MOST:
        raise ValueError(f"people, room and beds must be whole numbers from 0 to {MOST}")
    boards = arcs["boards"].to_numpy(bool) if "boards" in arcs else np.zeros(len(arcs), bool)
    # the order of arcs decides nothing: they are looked at by group and pool
    order = np.lexsort((boards, arcs["pool"], arcs["group"]))
    group, pool = (arcs[name].to_numpy(np.int64)[order] for name in ("group", "pool"))
    net = _Net(people, room, bed_n, group, pool, boards[order])
    costs = [arcs[name].to_numpy(np.int64)[order] for name in objectives]
    flow = net.solved([*costs, pool])
    left, to_end = net.reached(flow), net.reaching_room(flow)
    groups, pools, bed = np.split(left, np.cumsum((len(people), len(room))))
    placed = np.empty(len(arcs), np.int64)
    placed[order] = flow[net.fixed_n :]
    more_beds = bed & to_end[len(people) : len(people) + len(room)]
    return Assignment(placed, groups, pools, bed & ~pools, pools.astype(np.int64), more_beds.astype(np.int64))


class _Net:
    """
    Groups, pools and the beds of pools as nodes in this order, and the root to which everybody comes.

    Its arcs are the way of those not placed from each group to the root, the way from each pool to the root (as
    many as there is room), from beds to their pool, and then those that were given.
    """

    def __init__(self, people: Ints, room: Ints, beds: Ints, group: Ints, pool: Ints, boards: Bools) -> None:
        n, m = len(people), len(room)
        self.n, self.m, self.root, self.fixed_n = n, m, n + 2 * m, n + 2 * m
        self.people = people
        groups, pools, bed = np.arange(n), n + np.arange(m), n + m + np.arange(m)
        root = np.full(n + m, self.root)
        self.tail = np.concatenate((groups, pools, bed, group)).astype(np.int32)
        self.head = np.concatenate((root, pools, np.where(boards, n + m, n) + pool)).astype(np.int32)
        self.most = np.concatenate((np.full(n, MOST), room, beds, np.full(len(group), MOST)))
        # what has no room is left out, or the method might go round in circles
        self.open = np.ones(len(self.tail), bool)
        self.open[self.fixed_n :] = (room[pool] > 0) & (~boards | (beds[pool] > 0))

    def solved(self, costs: Sequence[Ints]) -> Ints:
        """
        Place as many as can be at least cost, one cost after the other.

        What is best by one cost stays best as long as only arcs change that cost nothing beyond the prices of
        their ends: those are left to the next.
        """
        n, m, root = self.n, self.m, self.root
        flow = np.concatenate((self.people, np.zeros(len(self.tail) - n, np.int64)))
        state = np.full(len(self.tail), EMPTY, np.int8)
        state[: self.fixed_n] = IN_TREE
        # at first all hang from the root, and beds from their pool
        parent = np.concatenate((np.full(n + m, root), n + np.arange(m), [-1])).astype(np.int32)
        child, sibling, before = (np.full(root + 1, -1, np.int32) for _ in range(3))
        child[n : n + m] = n + m + np.arange(m)
        child[root] = 0 if n + m else -1
        sibling[: max(n + m - 1, 0)] = np.arange(1, max(n + m, 1))
        before[1 : n + m] = np.arange(n + m - 1) if n + m else ()
        arc = np.arange(root + 1, dtype=np.int32)
        depth, price, may = np.zeros(root + 1, np.int32), np.zeros(root + 1, np.int64), self.open.copy()
        nothing = np.zeros(self.fixed_n, np.int64)
        unplaced = np.zeros(len(self.tail), np.int64)
        unplaced[:n] = 1
        for cost in (unplaced, *(np.concatenate((nothing, cost)) for cost in costs)):
            least_cost(
                self.tail, self.head, cost, self.most, may, flow, state, parent, arc, child, sibling, before,
                depth, price, root,
            )  # fmt: skip
            reduced = cost + price[self.tail].astype(np.int64) - price[self.head]
            self._require_proof(flow, reduced, may)
            may &= reduced == 0
        return flow

    def _require_proof(self, flow: Ints, reduced: Ints, may: Bools) -> None:
        """Make sure that the flow is one, and that the prices support it."""
        comes = np.bincount(self.head, flow, self.root + 1) - np.bincount(self.tail, flow, self.root + 1)
        comes[: self.n] += self.people
        kept = (
            not comes[:-1].any() and (flow >= 0).all() and (flow <= self.most).all() and not flow[~self.open].any()
        )
        cheaper = may & (((reduced < 0) & (flow < self.most)) | ((reduced > 0) & (flow > 0)))
        if not kept or cheaper.any():
            raise NotProved(f"{self.n} groups, {self.m} pools, {len(flow)} arcs")

    def reached(self, flow: Ints) -> Bools:
        """The nodes that those who are not placed could reach if others made way."""
        return self._from(flow[: self.n] > 0, np.arange(self.n), *self._open_ways(flow))

    def reaching_room(self, flow: Ints) -> Bools:
        """The nodes from which, if others made way, room can be reached that nobody has taken."""
        spare = flow[self.n : self.n + self.m] < self.most[self.n : self.n + self.m]
        ahead, back = self._open_ways(flow)
        return self._from(spare, self.n + np.arange(self.m), back, ahead)

    def _open_ways(self, flow: Ints) -> tuple[Ints, Ints]:
        """Where one more could go: ahead on arcs that are not full, back on those that are not empty."""
        inner = self.head != self.root
        ahead, back = inner & (flow < self.most), inner & (flow > 0)
        tail, head = (
            np.concatenate((a[ahead], b[back])) for a, b in ((self.tail, self.head), (self.head, self.tail))
        )
        return tail.astype(np.int64), head.astype(np.int64)

    def _from(self, starts: Bools, nodes: Ints, tail: Ints, head: Ints) -> Bools:
        own = nodes[starts]
        ends = (np.concatenate((np.full(len(own), self.root), tail)), np.concatenate((own, head)))
        graph = sparse.csr_array((np.ones(len(ends[0]), np.int8), ends), shape=(self.root + 1, self.root + 1))
        found = np.zeros(self.root + 1, bool)
        found[csgraph.breadth_first_order(graph, self.root, return_predecessors=False)] = True
        return found[: self.root]
