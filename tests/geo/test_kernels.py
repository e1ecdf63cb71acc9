from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo._kernels.search import LONGEST_MS, MOST_SOURCES, NO_LABEL, RANK_BITS, UNREACHED, nearest_source
from tests.geo import reference

# few nodes and small costs make ties; metres are whole so that sums are exact in any order
ARC = st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5), st.integers(0, 9))
SOURCE = st.tuples(st.integers(0, 7), st.integers(0, 4), st.integers(0, 9))


def packed(arcs):
    arcs = sorted(arcs, key=lambda arc: arc[0])
    tail, head, ms, metres = (np.array([arc[i] for arc in arcs], np.int64) for i in range(4))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=8)))).astype(np.int64)
    return indptr, head.astype(np.int32), ms, metres.astype(np.float64)


def run(arcs, sources, wanted=None, *, limit=LONGEST_MS, shift=1):
    node, ms, metres = (np.array([source[i] for source in sources], np.int64) for i in range(3))
    target = np.zeros(8, bool)
    target[list(wanted or [])] = True
    graph = packed(arcs)
    rank = np.arange(len(sources), dtype=np.int32)
    given_ = (node.astype(np.int32), ms, metres.astype(np.float64), rank)
    indptr, head, cost, length = graph
    label, way = nearest_source(
        indptr, np.column_stack((head, cost)).astype(np.int32), length, *given_, target,
        int(target.sum()), limit, shift, 15, True,
    )  # fmt: skip
    found = label != NO_LABEL
    fast = np.where(found, label >> RANK_BITS, UNREACHED), np.where(found, label & (MOST_SOURCES - 1), -1), way
    slow = reference.nearest_source(*(a.tolist() for a in (*graph, *given_)))
    return fast, slow


@given(st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4), st.integers(0, 4))
def test_kernel_equals_its_twin(arcs, sources, shift):
    (time, rank, metres), slow = run(arcs, sources, shift=shift)
    assert time.tolist() == [label[0] for label in slow]
    assert rank.tolist() == [label[1] for label in slow]
    reached = rank >= 0
    assert metres[reached].tolist() == [label[2] for label in slow if label[1] >= 0]


@given(
    st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4), st.sets(st.integers(0, 7), min_size=1, max_size=3)
)
def test_stopping_early_changes_no_label_that_was_asked_for(arcs, sources, wanted):
    (time, rank, metres), slow = run(arcs, sources, wanted)
    for node in wanted:
        assert (time[node], rank[node]) == slow[node][:2]
        if rank[node] >= 0:
            assert metres[node] == slow[node][2]
    # the others are final or not labelled at all, never half-way
    for node in range(8):
        assert time[node] == UNREACHED or (time[node], rank[node]) == slow[node][:2]


@given(st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4), st.integers(0, 12))
def test_a_limit_leaves_out_what_is_beyond_it_and_its_rim_is_within(arcs, sources, limit):
    (time, rank, metres), slow = run(arcs, sources, limit=limit)
    for node in range(8):
        if slow[node][0] <= limit:
            assert (time[node], rank[node], metres[node]) == slow[node]
        else:
            assert (time[node], rank[node]) == (UNREACHED, -1)


def test_metres_that_nobody_asks_for_change_no_label():
    rng = np.random.default_rng(1)
    tail, head, ms = rng.integers(0, 300, 900), rng.integers(0, 300, 900), rng.integers(0, 40, 900)
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=300)))).astype(np.int64)
    arcs = np.column_stack((head[order], ms[order])).astype(np.int32)
    asked = (np.array([5, 9], np.int32), np.zeros(2, np.int64), np.zeros(2), np.arange(2, dtype=np.int32),
             np.zeros(300, bool), 0, LONGEST_MS, 3, 15)  # fmt: skip
    one, _ = nearest_source(indptr, arcs, rng.random(900), *asked, True)
    other, _ = nearest_source(indptr, arcs, np.zeros(0), *asked, False)
    np.testing.assert_array_equal(one, other)


@given(st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4), st.randoms())
def test_the_order_of_arcs_changes_nothing(arcs, sources, random):
    mixed = arcs.copy()
    random.shuffle(mixed)
    for one, other in zip(run(arcs, sources)[0], run(mixed, sources)[0], strict=True):
        np.testing.assert_array_equal(one, other)
