from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo._kernels.search import UNREACHED, nearest_source
from tests.geo import reference

# few nodes and small costs make ties; metres are whole so that sums are exact in any order
ARC = st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 5), st.integers(0, 9))
SOURCE = st.tuples(st.integers(0, 7), st.integers(0, 4), st.integers(0, 9))


def packed(arcs):
    arcs = sorted(arcs, key=lambda arc: arc[0])
    tail, head, ms, metres = (np.array([arc[i] for arc in arcs], np.int64) for i in range(4))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=8)))).astype(np.int64)
    return indptr, head.astype(np.int32), ms, metres.astype(np.float64)


def run(arcs, sources, wanted=None):
    node, ms, metres = (np.array([source[i] for source in sources], np.int64) for i in range(3))
    target = np.zeros(8, bool)
    target[list(wanted or [])] = True
    graph = packed(arcs)
    rank = np.arange(len(sources), dtype=np.int32)
    given_ = (node.astype(np.int32), ms, metres.astype(np.float64), rank)
    fast = nearest_source(*graph, *given_, target, int(target.sum()))
    slow = reference.nearest_source(*(a.tolist() for a in (*graph, *given_)))
    return fast, slow


@given(st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4))
def test_kernel_equals_its_twin(arcs, sources):
    (time, rank, metres), slow = run(arcs, sources)
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


@given(st.lists(ARC, max_size=30), st.lists(SOURCE, max_size=4), st.randoms())
def test_the_order_of_arcs_changes_nothing(arcs, sources, random):
    mixed = arcs.copy()
    random.shuffle(mixed)
    for one, other in zip(run(arcs, sources)[0], run(mixed, sources)[0], strict=True):
        np.testing.assert_array_equal(one, other)
