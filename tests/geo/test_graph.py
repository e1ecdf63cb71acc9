"""Searches on packed graphs against networkx, and against each other."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo._kernels.search import UNREACHED
from geo.graph import Graph, Sources, z_order

N = 9
ARC = st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.integers(0, 30), st.integers(0, 9))
ARCS = st.lists(ARC, max_size=40)
STARTS = st.lists(st.integers(0, N - 1), max_size=5)


def packed(arcs, n=N):
    columns = [np.array([arc[i] for arc in arcs], np.int64) for i in range(4)]
    return Graph.pack(*columns, n)


def network(arcs, n=N):
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(n))
    graph.add_weighted_edges_from([(u, v, ms) for u, v, ms, _ in arcs])
    return graph


@given(ARCS, STARTS, st.integers(1, 4), st.integers(0, 60))
def test_the_k_nearest_are_those_of_searches_one_by_one(arcs, starts, k, limit):
    ms, rank = packed(arcs).nearest_k(Sources.at(starts), k, limit_ms=limit)
    times = [nx.single_source_dijkstra_path_length(network(arcs), start) for start in starts]
    for node in range(N):
        known = sorted((t[node], r) for r, t in enumerate(times) if node in t and t[node] <= limit)[:k]
        assert list(zip(ms[node], rank[node], strict=True)) == known + [(UNREACHED, -1)] * (k - len(known))


@given(ARCS, STARTS, st.integers(0, 60), st.sets(st.integers(0, N - 1)))
def test_what_each_start_reaches_is_what_a_search_from_it_reaches(arcs, starts, limit, marked):
    ends = np.isin(np.arange(N), list(marked))
    zeros = np.zeros(len(starts), np.int64)
    row, node, ms, m = packed(arcs).within(
        np.array(starts, np.int64), zeros, zeros * 1.0, limit_ms=zeros + limit, ends=ends
    )
    found = {(int(r), int(e)): (int(t), float(d)) for r, e, t, d in zip(row, node, ms, m, strict=True)}
    assert len(found) == len(row)
    both = nx.MultiDiGraph()
    both.add_nodes_from(range(N))
    both.add_weighted_edges_from([(u, v, t * 1000 + d) for u, v, t, d in arcs])  # ms before metres
    due = {}
    for number, start in enumerate(starts):
        for end, total in nx.single_source_dijkstra_path_length(both, start).items():
            if end in marked and total // 1000 <= limit:
                due[number, end] = (total // 1000, float(total % 1000))
    assert found == due


@given(ARCS, st.lists(STARTS, max_size=4), st.integers(1, 3))
def test_groups_side_by_side_are_groups_one_by_one(arcs, groups, threads):
    graph = packed(arcs)
    ms, rank = graph.nearest_of_each([Sources.at(group) for group in groups], threads=threads)
    for row, group in enumerate(groups):
        one = graph.nearest(Sources.at(group))
        np.testing.assert_array_equal(np.where(ms[row] < 0, UNREACHED, ms[row]), one.ms)
        np.testing.assert_array_equal(rank[row], one.rank)


@given(ARCS, STARTS, st.integers(2, 5))
def test_the_nearest_of_one_graph_is_the_first_of_its_k(arcs, starts, k):
    graph = packed(arcs)
    one, (ms, rank) = graph.nearest(Sources.at(starts)), graph.nearest_k(Sources.at(starts), k)
    np.testing.assert_array_equal(ms[:, 0], one.ms)
    np.testing.assert_array_equal(rank[:, 0], one.rank)


@given(ARCS, STARTS)
def test_the_reversed_graph_gives_the_transposed_matrix(arcs, starts):
    there = network(arcs)
    turned = packed([(v, u, ms, m) for u, v, ms, m in arcs])
    for start in starts:
        found = turned.nearest(Sources.at([start])).ms
        for node in range(N):
            known = nx.has_path(there, node, start)
            assert (found[node] < UNREACHED) == known
            if known:
                assert found[node] == nx.dijkstra_path_length(there, node, start)


def test_the_widest_costs_and_the_highest_ranks_fit():
    graph = Graph.pack([0, 1], [1, 2], [2**31 - 1, 2**31 - 1], [1.0, 1.0], 3)
    top = Sources(np.array([0]), np.array([2**36]), np.zeros(1), np.array([2**24 - 1]))
    found = graph.nearest(top)
    assert found.ms.tolist() == [2**36, 2**36 + 2**31 - 1, 2**36 + 2**32 - 2]
    assert found.rank.tolist() == [2**24 - 1] * 3
    with pytest.raises(ValueError, match="ranks"):
        graph.nearest(Sources(np.array([0]), np.zeros(1, int), np.zeros(1), np.array([2**24])))
    for cost in (-1, 2**31):
        with pytest.raises(ValueError, match="costs"):
            Graph.pack([0], [1], [cost], [1.0], 2)


def test_a_curve_keeps_near_points_near():
    side = 64
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    order = z_order(x, y)
    assert sorted(order.tolist()) == list(range(side * side))
    step = np.hypot(np.diff(x[order]), np.diff(y[order]))
    assert step.mean() < 2
    assert z_order([], []).tolist() == []
    assert z_order([3.0], [1.0]).tolist() == [0]
