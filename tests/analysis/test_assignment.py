"""Placing people where there is room, against everybody who can say better: brute force, networkx and scipy."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis.assignment import assign


def table(rows):
    names = ["group", "pool", "boards", "beyond", "ms"]
    return pd.DataFrame(list(rows), columns=names).astype({"boards": bool})


def score(arcs, placed):
    """Those not placed come first: the more placed the better."""
    return (-int(placed.sum()), int((placed * arcs["beyond"]).sum()), int((placed * arcs["ms"]).sum()))


def fits(people, room, beds, arcs, placed):
    by = {name: np.bincount(arcs[name], placed, n) for name, n in (("group", len(people)), ("pool", len(room)))}
    boarders = np.bincount(arcs["pool"], placed * arcs["boards"], len(room))
    return (by["group"] <= people).all() and (by["pool"] <= room).all() and (boarders <= beds).all()


def solved(people, room, beds, arcs):
    return assign(people, room, arcs, objectives=["beyond", "ms"], beds=beds)


@st.composite
def cases(draw, groups=3, pools=3, most=3, arcs=6):
    n, m = draw(st.integers(1, groups)), draw(st.integers(1, pools))
    few = st.integers(0, most)
    people, room, beds = (np.array(draw(st.lists(few, min_size=k, max_size=k))) for k in (n, m, m))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, m - 1), st.booleans())
    pairs = draw(st.lists(ends, max_size=arcs, unique=True))
    costs = [(draw(st.integers(0, 1)), draw(st.integers(0, 9))) for _ in pairs]
    return people, room, beds, table((*pair, *cost) for pair, cost in zip(pairs, costs, strict=True))


@settings(max_examples=200)
@given(cases())
def test_it_is_the_best_of_all_ways(case):
    people, room, beds, arcs = case
    assume(np.prod([people[g] + 1 for g in arcs["group"]], initial=1) <= 5_000)
    found = solved(*case)
    assert fits(people, room, beds, arcs, found.placed)
    ways = (np.array(way, np.int64) for way in product(*(range(people[g] + 1) for g in arcs["group"])))
    best = min(score(arcs, way) for way in ways if fits(people, room, beds, arcs, way))
    assert score(arcs, found.placed) == best


@given(cases(groups=8, pools=6, most=40, arcs=30))
def test_the_proof_adds_up_and_a_seat_more_is_worth_what_it_says(case):
    people, room, beds, arcs = case
    found = solved(*case)
    short = people.sum() - found.placed.sum()
    held = people[found.short_group].sum() - room[found.short_pool].sum() - beds[found.short_bed].sum()
    assert short == held
    # nobody of the short groups reaches anything else
    ways = found.short_group[arcs["group"]] & ~found.short_pool[arcs["pool"]]
    assert not (ways & ~(arcs["boards"] & found.short_bed[arcs["pool"]])).any()
    for pool in range(len(room)):
        more = np.arange(len(room)) == pool
        assert solved(people, room + more, beds, arcs).placed.sum() - found.placed.sum() == found.pool_value[pool]
        assert solved(people, room, beds + more, arcs).placed.sum() - found.placed.sum() == found.bed_value[pool]


@given(cases(groups=8, pools=6, most=40, arcs=30), st.randoms(use_true_random=False))
def test_the_order_of_arcs_changes_nothing(case, random):
    people, room, beds, arcs = case
    order = list(range(len(arcs)))
    random.shuffle(order)
    one, other = solved(*case), solved(people, room, beds, arcs.iloc[order])
    np.testing.assert_array_equal(one.placed[order], other.placed)
    np.testing.assert_array_equal(one.short_group, other.short_group)


@pytest.mark.parametrize("seed", range(50))
def test_it_costs_what_networkx_says(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(20, 60)), int(rng.integers(5, 20))
    people, room, beds = rng.integers(0, 60, n), rng.integers(0, 150, m), rng.integers(0, 30, m)
    pairs = pd.DataFrame(
        {"group": rng.integers(0, n, 6 * n), "pool": rng.integers(0, m, 6 * n), "boards": rng.random(6 * n) < 0.2}
    )
    arcs = pairs.drop_duplicates().assign(beyond=0, ms=0).reset_index(drop=True)
    arcs["ms"] = rng.integers(0, 2_400_000, len(arcs))
    arcs["beyond"] = (arcs["ms"] > 1_200_000).astype(int)
    found = solved(people, room, beds, arcs)
    graph = nx.MultiDiGraph()
    graph.add_node("end", demand=int(people.sum()))
    unplaced, beyond = 10**15, 10**9  # weights that no sum of what comes after reaches
    for g in range(n):
        graph.add_node(("g", g), demand=-int(people[g]))
        graph.add_edge(("g", g), "end", weight=unplaced)
    for p in range(m):
        graph.add_edge(("p", p), "end", capacity=int(room[p]), weight=0)
        graph.add_edge(("b", p), ("p", p), capacity=int(beds[p]), weight=0)
    for row in arcs.itertuples():
        graph.add_edge(
            ("g", row.group), ("b" if row.boards else "p", row.pool), weight=int(row.beyond * beyond + row.ms)
        )
    due = nx.network_simplex(graph)[0]
    placed, over, ms = score(arcs, found.placed)
    assert (people.sum() + placed) * unplaced + over * beyond + ms == due


def test_it_places_as_many_and_costs_as_much_as_a_linear_program():
    rng = np.random.default_rng(7)
    n, m, k = 400, 100, 12
    people, room = rng.integers(5, 80, n), np.full(m, 150)
    pool = np.argsort(rng.random((n, m)), axis=1)[:, :k]
    arcs = table(
        zip(
            np.repeat(np.arange(n), k),
            pool.ravel(),
            np.zeros(n * k),
            np.zeros(n * k),
            rng.integers(1, 10**6, n * k),
            strict=True,
        )
    )
    found = assign(people, room, arcs, objectives=["ms"])
    matrix = np.zeros((n + m, n * k))
    matrix[arcs["group"], np.arange(n * k)] = matrix[n + arcs["pool"], np.arange(n * k)] = 1
    worth = linprog(arcs["ms"] / 1e6 - 1e4, A_ub=matrix, b_ub=np.concatenate((people, room)))
    assert found.placed.sum() * -1e4 + (found.placed * arcs["ms"]).sum() / 1e6 == pytest.approx(
        worth.fun, rel=1e-9
    )


def test_ties_go_to_the_pool_of_the_smaller_row():
    arcs = table([(0, 2, False, 0, 5), (0, 1, False, 0, 5), (0, 3, False, 0, 5), (1, 3, False, 0, 5)])
    assert assign([4, 2], [9, 3, 9, 9], arcs, objectives=["ms"]).placed.tolist() == [1, 3, 0, 2]


def test_nobody_and_nothing():
    none = table([])
    assert assign([], [], none).placed.tolist() == []
    found = assign([5, 0], [], none)
    assert found.short_group.tolist() == [True, False]
    assert assign([0], [3], table([(0, 0, False, 0, 1)])).placed.tolist() == [0]
    full = assign([5], [0], table([(0, 0, False, 0, 1)]))
    assert (full.placed.tolist(), full.short_group.tolist(), full.short_pool.tolist()) == ([0], [True], [True])


@pytest.mark.parametrize("given", [([-1], [1], None), ([1], [-1], None), ([1], [1], [-1]), ([2**41], [1], None)])
def test_what_is_no_number_of_people_is_refused(given):
    with pytest.raises(ValueError, match="whole numbers"):
        assign(given[0], given[1], table([]), beds=given[2])
