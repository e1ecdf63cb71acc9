"""More room: worked out by hand, and against every choice on small cases."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.assignment import assign
from analysis.expansion import Pools, _Model, expand, in_turn
from analysis.siting import NoSites


def pools(room, new, *, most=3, unit=10, beds=None, cost=(50.0, 10.0, 1.0)):
    n = len(room)
    return Pools(
        np.array(room), np.zeros(n, int) if beds is None else np.array(beds), np.full(n, unit), np.full(n, most),
        np.full(n, 0 if beds is None else 9), np.array(new, bool), *cost,
    )  # fmt: skip


def arcs(*pairs, boards=()):
    table = pd.DataFrame(list(pairs), columns=["group", "pool"])
    return table.assign(boards=[pair in boards for pair in pairs])


def test_a_class_where_a_class_does_and_a_school_where_none_is():
    """25 of 30 find a seat; a class at their school is enough. 18 others reach a new site only."""
    ways = arcs((0, 0), (1, 1))
    found = expand([30, 18], ways, pools([25, 0], [False, True]))
    assert found.units.tolist() == [1, 2]
    assert found.opened.tolist() == [False, True]
    assert (found.placed, found.cost, found.gap) == (48, 80.0, 0.0)
    order, gained = in_turn([30, 18], ways, pools([25, 0], [False, True]), found)
    assert order.tolist() == [1, 0]
    assert gained.tolist() == [18, 5]
    no_site = expand([30, 18], ways, pools([25, 0], [False, True]), sites=0)
    assert (no_site.placed, no_site.cost) == (30, 10.0)
    poor = expand([30, 18], ways, pools([25, 0], [False, True]), budget=60.0)
    assert (poor.placed, poor.cost) == (35, 60.0)


def test_beds_are_added_for_those_who_board():
    ways = arcs((0, 0), boards=[(0, 0)])
    found = expand([8], ways, pools([20], [False], beds=[3]))
    assert (found.beds.tolist(), found.units.tolist(), found.placed) == ([5], [0], 8)


def test_without_a_cheaper_way_in_time_the_first_answer_stands_and_its_cost_is_not_proved(monkeypatch):
    ways, there = arcs((0, 0), (1, 1)), pools([25, 0], [False, True])
    solve = _Model.solve

    def slow(self, objective, *rest, at_least=None):
        if at_least is not None:
            raise NoSites("time")
        return solve(self, objective, *rest)

    monkeypatch.setattr(_Model, "solve", slow)
    found = expand([30, 18], ways, there)
    assert found.placed == 48
    assert (found.cost_bound, found.gap) == (0.0, 1.0)
    assert found.cost >= 80


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    people = draw(st.lists(st.integers(0, 30), min_size=n, max_size=n))
    room = draw(st.lists(st.integers(0, 25), min_size=m, max_size=m))
    new = draw(st.lists(st.booleans(), min_size=m, max_size=m))
    pairs = [(g, p) for g in range(n) for p in range(m) if draw(st.booleans())]
    return people, [0 if n else r for r, n in zip(room, new, strict=True)], new, pairs


@settings(max_examples=40)
@given(cases(), st.one_of(st.none(), st.integers(0, 2)), st.one_of(st.none(), st.integers(0, 150)))
def test_no_choice_places_more_and_none_that_places_as_many_is_cheaper(case, sites, budget):
    people, room, new, pairs = case
    ways, there = arcs(*pairs), pools(room, new, most=2)
    found = expand(people, ways, there, sites=sites, budget=None if budget is None else float(budget))
    best = (-1, 0.0)
    for units in product(range(3), repeat=len(room)):
        opened = sum(u > 0 and n for u, n in zip(units, new, strict=True))
        cost = 10.0 * sum(units) + 50.0 * opened
        if (sites is not None and opened > sites) or (budget is not None and cost > budget):
            continue
        placed = int(assign(people, np.array(room) + 10 * np.array(units), ways).placed.sum())
        best = max(best, (placed, -cost))
    assert (found.placed, found.cost) == (best[0], pytest.approx(-best[1]))
    assert found.bound == pytest.approx(found.placed)
    order, gained = in_turn(people, ways, there, found)
    assert gained.sum() == found.placed - int(assign(people, room, ways).placed.sum())
    assert set(order.tolist()) == set(np.flatnonzero(found.units).tolist())
