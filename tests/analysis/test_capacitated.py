"""Location models with room: against every choice on small cases, and beside spopt on larger ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from spopt.locate import LSCP, MCLP, PCenter, PMedian

from analysis.assignment import assign
from analysis.capacitated import GOALS, _Asked, with_room
from analysis.siting import NoSites, max_cover, p_center, p_median, set_cover

# the peer still uses words that its solver gives up
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    costs = draw(hnp.arrays(np.float64, (n, m), elements=st.sampled_from([1.0, 2.5, 4.0, 7.0, np.inf])))
    people = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    room = draw(st.lists(st.integers(0, 15), min_size=m, max_size=m))
    return costs, np.array(people), np.array(room), draw(st.integers(1, m))


def every_choice(costs, people, room, p):
    """All choices of at most ``p`` sites: how many are placed, at what least cost, and the furthest's least cost."""
    near = np.isfinite(costs)
    due = people[near.any(axis=1)].sum()
    out = {}
    for size in range(1, p + 1):
        for sites in combinations(range(len(room)), size):
            asked = _Asked(costs, people, room, near, (), p, 1.0)
            flow = asked.placed(np.array(sites))
            least = float((costs[flow["client"], flow["site"]] * flow["people"]).sum())
            furthest = np.inf
            for step in sorted(set(costs[near])):
                client, site = np.nonzero(near & (costs <= step))
                open_ = np.where(np.isin(np.arange(len(room)), sites), room, 0)
                arcs = asked.arcs().iloc[:0].assign()
                arcs = (
                    arcs.reindex(range(len(client)))
                    .assign(group=client, pool=site)
                    .astype({"group": int, "pool": int})
                )
                if assign(people, open_, arcs[["group", "pool"]]).placed.sum() == due:
                    furthest = step
                    break
            out[sites] = (int(flow["people"].sum()), least, 0.0 if due == 0 else furthest)
    return due, out


@settings(max_examples=60)
@given(cases(), st.sampled_from(GOALS))
def test_no_choice_is_better(case, goal):
    costs, people, room, p = case
    due, choices = every_choice(costs, people, room, p)
    whole = {sites: told for sites, told in choices.items() if told[0] == due}
    if goal != "cover" and not whole:
        with pytest.raises(NoSites):
            with_room(costs, people, room, goal=goal, p=p)
        return
    found = with_room(costs, people, room, goal=goal, p=p)
    best = {
        "cover": max(told[0] for told in choices.values()),
        "fewest": min((len(sites) for sites in whole), default=None),
        "median": min((told[1] for told in whole.values()), default=None),
        "center": min((told[2] for told in whole.values()), default=None),
    }[goal]  # fmt: skip
    if goal == "fewest" and due == 0:
        best = 0
    assert found.value == pytest.approx(best)
    assert found.gap == 0
    # what is placed is where it can be
    assert (
        found.flow.groupby("site")["people"].sum() <= room[found.flow.groupby("site")["people"].sum().index]
    ).all()
    assert (
        found.flow.groupby("client")["people"].sum() <= people[found.flow.groupby("client")["people"].sum().index]
    ).all()
    assert set(found.flow["site"]) <= set(found.sites.tolist())
    assert np.isfinite(costs[found.flow["client"], found.flow["site"]]).all()


@pytest.fixture(scope="module", params=[0, 1, 2])
def drawn(request):
    rng = np.random.default_rng(request.param)
    clients, sites = rng.uniform(0, 10, (40, 2)), rng.uniform(0, 10, (15, 2))
    return np.hypot(*(clients[:, None] - sites[None]).transpose(2, 0, 1)), rng.integers(1, 30, 40), rng


def solved(model):
    return model.solve(pulp.PULP_CBC_CMD(msg=False)).problem.objective.value()


def test_spopt_finds_no_other_value_without_room(drawn):
    costs, people, _ = drawn
    limit = float(np.quantile(costs.min(axis=1), 1.0)) * 1.2
    assert set_cover(costs, limit).value == solved(LSCP.from_cost_matrix(costs, limit))
    assert max_cover(costs, people, limit / 2, 3).value == pytest.approx(
        solved(MCLP.from_cost_matrix(costs, people, limit / 2, 3))
    )
    assert p_median(costs, people, 4).value == pytest.approx(solved(PMedian.from_cost_matrix(costs, people, 4)))
    assert p_center(costs, 4).value == pytest.approx(solved(PCenter.from_cost_matrix(costs, 4)))


def test_spopt_finds_no_fewer_sites_with_room(drawn):
    costs, people, rng = drawn
    room = rng.integers(60, 120, costs.shape[1])
    limit = float(costs.min(axis=1).max()) * 2
    theirs = LSCP.from_cost_matrix(costs, limit, demand_quantity_arr=people, facility_capacity_arr=room)
    assert with_room(costs, people, room, goal="fewest", limit=limit).value == solved(theirs)
