"""A graph packed for searching: what the compiled kernels see, and the questions that they answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo._kernels.search import (
    LONGEST_MS,
    MOST_SOURCES,
    NO_LABEL,
    RANK_BITS,
    UNREACHED,
    nearest_k,
    nearest_source,
    unpack,
    within,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BUCKET_ARCS = 2.5
"""How many mean arcs a bucket of the queue is wide; from 1 to 4 the time differs little."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """
    Where a search begins: nodes, with the milliseconds and metres that lie behind already, and the rank for ties.

    The rank names the source in the answer.
    """

    node: Ints
    ms: Ints
    m: Floats
    rank: Ints

    @classmethod
    def at(cls, node: ArrayLike) -> Sources:
        """Begin at nodes themselves, ranked in their order."""
        nodes = np.asarray(node, np.int64)
        return cls(nodes, np.zeros(len(nodes), np.int64), np.zeros(len(nodes)), np.arange(len(nodes)))

    def parted(self, n: int) -> list[Sources]:
        """Deal them out to ``n`` by node, so that those of one lie near each other where near nodes do."""
        order = np.argsort(self.node, kind="stable")
        return [
            Sources(self.node[own], self.ms[own], self.m[own], self.rank[own]) for own in np.array_split(order, n)
        ]

    def require_ranks(self) -> None:
        """
        Make sure that a label has room for the ranks.

        Raises
        ------
        ValueError
            A rank is negative or too high.
        """
        if len(self.rank) and not 0 <= self.rank.min() <= self.rank.max() < MOST_SOURCES:
            raise ValueError(f"ranks must be from 0 to {MOST_SOURCES - 1}")


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Of each node the milliseconds to its nearest source (``UNREACHED``), its rank (-1) and the metres."""

    ms: Ints
    rank: NDArray[np.int32]
    m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """
    Arcs by tail: those of node ``i`` are ``indptr[i]`` to ``indptr[i + 1]``, rows of head and milliseconds.

    ``length_m`` has an entry an arc; ``shift`` is the width of a bucket of the queue, ``2**shift`` ms, and
    ``longest_ms`` the greatest cost.
    """

    indptr: Ints
    arcs: NDArray[np.int32]
    length_m: Floats
    shift: int
    longest_ms: int

    @classmethod
    def pack(cls, tail: ArrayLike, head: ArrayLike, cost_ms: ArrayLike, length_m: ArrayLike, n: int) -> Graph:
        """
        Order arcs by their tail; parallel ones stay, the quicker is found.

        Raises
        ------
        ValueError
            A cost is negative or over 24 days.
        """
        tails, cost = np.asarray(tail, np.int64), np.asarray(cost_ms, np.int64)
        if len(cost) and (cost.min() < 0 or cost.max() >= 2**31):
            raise ValueError(f"costs must be from 0 to 2^31 ms, got {cost.min()} to {cost.max()}")
        order = np.argsort(tails, kind="stable")
        indptr = np.concatenate(([0], np.cumsum(np.bincount(tails, minlength=n)))).astype(np.int64)
        arcs = np.ascontiguousarray(np.column_stack((np.asarray(head)[order], cost[order])), np.int32)
        wide = max(float(cost.mean()), 1.0) * BUCKET_ARCS if len(cost) else 1.0
        # so few buckets that the ring of them stays small beside the graph
        least = int(np.ceil(np.log2(max(int(cost.max(initial=0)) / 2**16, 1.0))))
        shift = max(round(np.log2(wide)), least, 7)
        return cls(indptr, arcs, np.asarray(length_m, np.float64)[order], shift, int(cost.max(initial=0)))

    @property
    def node_n(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1

    def nearest(
        self, sources: Sources, *, wanted: NDArray[np.bool_] | None = None, limit_ms: int = int(LONGEST_MS),
        measured: bool = True,
    ) -> Nearest:  # fmt: skip
        """
        Find the nearest source of every node, going from the sources.

        Of equally near ones the smallest rank, of equal ways the shortest. To go *to* the sources, ask the
        reversed graph.

        Parameters
        ----------
        sources
            Where it begins.
        wanted
            Nodes whose answers are asked for; the search ends when all of them are final, and others may be
            without an answer.
        limit_ms
            Nothing beyond is reached; the rim is.
        measured
            Whether metres are asked for; without they are 0.
        """
        label, metres = self._labels(sources, wanted, limit_ms, measured=measured)
        found = label != NO_LABEL
        ms = np.where(found, label >> RANK_BITS, UNREACHED)
        rank = np.where(found, label & (MOST_SOURCES - 1), -1).astype(np.int32)
        return Nearest(ms, rank, metres if measured else np.zeros(self.node_n))

    def nearest_of_each(
        self, groups: Sequence[Sources], *, limit_ms: int = int(LONGEST_MS), threads: int = 2
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """
        Find every node's nearest source of each of several groups, side by side on some cores.

        Groups that are left over when each core has had as many are parted among the cores by where their sources
        lie: within a limit each then looks at its own part of the map and a rim.

        Returns
        -------
        ms, rank
            A row a group and a column a node; -1 where no source is reached.
        """
        ms = np.empty((len(groups), self.node_n), np.int32)
        rank = np.empty_like(ms)

        limit = min(limit_ms, 2**31 - 1)
        threads = max(1, threads)
        whole = len(groups) - len(groups) % threads

        def one(row: int) -> None:
            label, _ = self._labels(groups[row], None, limit, measured=False)
            unpack(label, ms[row], rank[row])

        def part(sources: Sources) -> Ints:
            return self._labels(sources, None, limit, measured=False)[0]

        with ThreadPoolExecutor(threads) as pool:
            done = [pool.submit(one, row) for row in range(whole)]
            left = [[pool.submit(part, own) for own in groups[row].parted(threads)]
                    for row in range(whole, len(groups))]  # fmt: skip
            for task in done:
                task.result()
            for row, tasks in enumerate(left, start=whole):
                # a label holds time before rank, so the least is the nearest and of equal ones the first
                unpack(np.minimum.reduce([task.result() for task in tasks]), ms[row], rank[row])
        return ms, rank

    def nearest_k(self, sources: Sources, k: int, *, limit_ms: int = int(LONGEST_MS)) -> tuple[Ints, Ints]:
        """
        Find the ``k`` nearest sources of every node, as ``nearest`` finds one.

        Returns
        -------
        ms, rank
            A row a node, the nearest first; ``UNREACHED`` and -1 where there are fewer.
        """
        sources.require_ranks()
        node, rank = sources.node.astype(np.int32), sources.rank.astype(np.int32)
        label = nearest_k(self.indptr, self.arcs, node, sources.ms, rank, k, limit_ms)
        found = label != NO_LABEL
        return np.where(found, label >> RANK_BITS, UNREACHED), np.where(found, label & (MOST_SOURCES - 1), -1)

    def within(
        self, node: Ints, ms: Ints, m: Floats, *, limit_ms: Ints, ends: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, Ints, Floats]:
        """
        Find the marked nodes that each start reaches by itself within its own limit; the rim belongs to it.

        Returns
        -------
        row, node, ms, m
            Row of the start, node, milliseconds and metres, start by start and the nearest first.
        """
        row, end, end_ms, end_m = within(
            self.indptr, self.arcs, self.length_m, node.astype(np.int32), ms.astype(np.int64), m, limit_ms, ends
        )
        return row.astype(np.int64), end.astype(np.int64), end_ms, end_m

    def _labels(
        self, sources: Sources, wanted: NDArray[np.bool_] | None, limit_ms: int, *, measured: bool
    ) -> tuple[Ints, Floats]:
        targets = np.zeros(1, np.bool_) if wanted is None else wanted
        asked = 0 if wanted is None else int(wanted.sum())
        sources.require_ranks()
        latest = int(min(sources.ms.max(initial=0), limit_ms))
        # buckets go round: as many as lie between the first and what is put in last
        ring = (1 << ((max(self.longest_ms, latest) >> self.shift) + 1).bit_length()) - 1
        label, metres = nearest_source(
            self.indptr, self.arcs, self.length_m, sources.node.astype(np.int32), sources.ms, sources.m,
            sources.rank.astype(np.int32), targets, asked, limit_ms, self.shift, ring, measured,
        )  # fmt: skip
        return label, metres


def z_order(x: ArrayLike, y: ArrayLike) -> Ints:
    """
    Order points along a curve on which near ones mostly stay near, so that a search finds them in the cache.

    Examples
    --------
    >>> z_order([0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]).tolist()
    [2, 3, 0, 1]
    """
    code = np.zeros(np.shape(x), np.uint64)
    for shift, values in enumerate((np.asarray(x, np.float64), np.asarray(y, np.float64))):
        span = float(np.ptp(values)) if values.size else 0.0
        low = float(values.min()) if values.size else 0.0
        bits = ((values - low) / (span or 1.0) * (2**31 - 1)).astype(np.uint64)
        for step, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
                           (2, 0x3333333333333333), (1, 0x5555555555555555)):  # fmt: skip
            bits = (bits | (bits << np.uint64(step))) & np.uint64(mask)
        code |= bits << np.uint64(shift)
    return np.argsort(code, kind="stable").astype(np.int64)
