"""Location models: published answers, and every choice of small cases."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.siting import NoSites, max_cover, p_center, p_median, set_cover, set_cover_with_backup

LIMIT_M = 5_000.0


@pytest.fixture(scope="module")
def san_francisco(data: Path):
    """Costs of 205 tracts to 16 stores, and their people."""
    folder = data / "spopt_sf"
    long = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    table = long.pivot_table(values="distance", index="DestinationName", columns="name")
    people = long.drop_duplicates("DestinationName").set_index("DestinationName")["demand"].reindex(table.index)
    return table.to_numpy(float), people.to_numpy(float)


@pytest.mark.data
def test_published_answers(san_francisco):
    cost, people = san_francisco
    assert cost.shape == (205, 16)
    assert set_cover(cost, LIMIT_M).value == 8
    covered = max_cover(cost, people, LIMIT_M, 4)
    assert covered.value == 875_247
    assert (covered.served_by < 0).sum() == 21
    assert p_median(cost, people, 4).value == pytest.approx(2_848_268_129.71, abs=5e-3)
    assert p_center(cost, 4).value == pytest.approx(7_403.0638, abs=5e-5)
    backup, share = set_cover_with_backup(cost, LIMIT_M)
    assert len(backup.sites) == 8
    assert backup.value == 145
    # the published 81.4634 % counts 22 tracts as backed up that one store alone can reach at all: spopt leaves them free
    alone = int(((cost <= LIMIT_M).sum(axis=1) == 1).sum())
    assert (alone, share) == (22, 145 / 205)
    assert (backup.value + alone) / 205 == pytest.approx(0.814634, abs=5e-7)
    assert backup.gap == covered.gap == 0


costs = st.tuples(st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0, np.inf, np.nan])
    )
)


def plain(cost):
    return np.where(np.isnan(cost), np.inf, cost)


def choices(n, p, locked=()):
    return [np.array(c, int) for c in combinations(range(n), p) if set(locked) <= set(c)]


@settings(max_examples=60)
@given(costs, st.sampled_from([1.0, 2.0, 4.0]), st.data())
def test_covers_are_the_best_of_all_choices(cost, limit, draw):
    m, n = cost.shape
    reach = plain(cost) <= limit
    able = reach.any(axis=1)
    every = [c for k in range(n + 1) for c in choices(n, k)]
    whole = [c for c in every if reach[:, c].any(axis=1)[able].all()] if n else every
    fewest = min(len(c) for c in whole)
    found = set_cover(cost, limit)
    assert found.value == fewest == found.bound
    assert ((found.served_by >= 0) == able).all()
    backup, share = set_cover_with_backup(cost, limit)
    assert share * m == pytest.approx(max((reach[:, c].sum(axis=1) >= 2).sum() for c in whole if len(c) == fewest))
    assert len(backup.sites) == fewest
    weight = np.array(draw.draw(st.lists(st.integers(0, 9), min_size=m, max_size=m)), float)
    locked = draw.draw(st.lists(st.integers(0, n - 1), max_size=1))
    p = draw.draw(st.integers(max(1, len(locked)), n))
    best = max(weight[reach[:, c].any(axis=1)].sum() for c in choices(n, p, locked))
    most = max_cover(cost, weight, limit, p, locked=locked)
    assert most.value == best
    assert set(locked) <= set(most.sites)
    assert len(most.sites) == p
    assert most.gap == 0


@settings(max_examples=60)
@given(costs, st.data())
def test_median_and_center_are_the_best_of_all_choices(cost, draw):
    m, n = cost.shape
    weight = np.array(draw.draw(st.lists(st.integers(1, 9), min_size=m, max_size=m)), float)
    p = draw.draw(st.integers(1, n))
    known = plain(cost)
    lost = np.flatnonzero(~np.isfinite(known).any(axis=1))
    sums = [(weight * known[:, c].min(axis=1)).sum() for c in choices(n, p)]
    worst = [known[:, c].min(axis=1).max() for c in choices(n, p)]
    for solve, due in ((lambda: p_median(cost, weight, p), min(sums)), (lambda: p_center(cost, p), min(worst))):
        if np.isfinite(due):
            found = solve()
            assert found.value == pytest.approx(due)
            assert (found.served_by >= 0).all()
        else:
            with pytest.raises(NoSites) as none:
                solve()
            assert none.value.clients.tolist() == lost.tolist()


def test_a_median_of_more_sites_than_are_looked_at_first_is_that_of_the_whole_model():
    rng = np.random.default_rng(3)
    at, sites = rng.uniform(0, 100, (60, 2)), rng.uniform(0, 100, (90, 2))
    cost = np.hypot(*(at[:, None] - sites[None]).T).T
    # one far away whose nearest chosen site is beyond the first forty
    cost[0] = np.sort(cost[0])[::-1]
    few = p_median(cost, np.ones(60), 2)
    best = min(cost[:, list(c)].min(axis=1).sum() for c in combinations(range(90), 2))
    assert few.value == pytest.approx(best)


@pytest.mark.parametrize("p", [0, 4])
def test_a_number_of_sites_that_cannot_be_is_refused(p):
    cost = np.ones((2, 3))
    for solve in (
        lambda: max_cover(cost, [1, 1], 1, p),
        lambda: p_median(cost, [1, 1], p),
        lambda: p_center(cost, p),
    ):
        with pytest.raises(NoSites):
            solve()
    with pytest.raises(NoSites):
        p_median(cost, [1, 1], 1, locked=[0, 1])


def test_nobody_needs_no_site():
    assert set_cover(np.full((2, 3), np.inf), 5).sites.tolist() == []
    assert p_median(np.ones((2, 3)), [0, 0], 1).value == 0
