"""Floating catchments beside PySAL's ``access``, where it has them."""

from __future__ import annotations

import access as pysal
import numpy as np
import pandas as pd
import pytest
from access import weights

from analysis.catchment import ZONES, catchment, rational_agents

# the peer still uses words that pandas gives up
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

LIMIT = 30


@pytest.fixture(scope="module", params=[1, 2, 3])
def case(request):
    rng = np.random.default_rng(request.param)
    people, supply = rng.integers(50, 900, 40).astype(float), rng.integers(1, 20, 12).astype(float)
    time = np.rint(rng.uniform(1, 45, (40, 12)) * 10) / 10
    return people, supply, time


@pytest.fixture(scope="module")
def theirs(case):
    people, supply, time = case
    i, j = np.nonzero(time <= LIMIT)
    cost = pd.DataFrame({"origin": i, "dest": j, "cost": time[i, j]})
    homes = pd.DataFrame({"geoid": range(len(people)), "pop": people})
    sites = pd.DataFrame({"geoid": range(len(supply)), "doc": supply})
    return pysal.Access(
        demand_df=homes, demand_index="geoid", demand_value="pop", supply_df=sites, supply_index="geoid",
        supply_value="doc", cost_df=cost, cost_origin="origin", cost_dest="dest", cost_name="cost",
        neighbor_cost_df=cost, neighbor_cost_origin="origin", neighbor_cost_dest="dest", neighbor_cost_name="cost",
    )  # fmt: skip


def ways(time):
    i, j = np.nonzero(np.isfinite(time))
    return pd.DataFrame({"client": i, "site": j, "time_min": time[i, j]})


def ours(case, method):
    people, supply, time = case
    return catchment(people, supply, ways(time), limit_min=LIMIT, method=method).access


def told(column, n):
    return column.iloc[:, 0].reindex(range(n)).fillna(0.0).to_numpy() if column.ndim == 2 else column


def test_two_steps_enhanced_and_three_steps_are_the_same(case, theirs):
    zones = weights.step_fn({LIMIT / 3: ZONES[0], 2 * LIMIT / 3: ZONES[1], LIMIT: ZONES[2]})
    n = len(case[0])
    np.testing.assert_allclose(
        ours(case, "2sfca"), told(theirs.two_stage_fca(name="two", max_cost=LIMIT), n), atol=1e-12
    )
    np.testing.assert_allclose(
        ours(case, "e2sfca"),
        told(theirs.enhanced_two_stage_fca(name="en", max_cost=LIMIT, weight_fn=zones), n),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        ours(case, "3sfca"), told(theirs.three_stage_fca(name="three", max_cost=LIMIT, weight_fn=zones), n),
        atol=1e-12,
    )  # fmt: skip


def test_the_peers_agents_come_near_ours_and_are_no_better_off(case, theirs):
    """Theirs move whole people in a set number of steps: it ends near the balance that ours finds."""
    people, supply, time = case
    tau = 15.0
    _, cost = rational_agents(people, supply, ways(time), limit_min=LIMIT, tau_min=tau)
    column = theirs.raam(name="raam", tau=tau, max_cycles=1500, min_step=0.001)
    theirs_cost = told(column, len(people))
    reached = np.isfinite(cost)
    np.testing.assert_allclose(theirs_cost[reached], cost[reached], rtol=0.02)
