"""Floating catchments: a case worked out by hand, the formulas as matrices, and what each must conserve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import LinearConstraint, minimize

from analysis.catchment import DECAYS, METHODS, ZONES, catchment, rational_agents


def ways(time):
    i, j = np.nonzero(np.isfinite(time))
    return pd.DataFrame({"client": i, "site": j, "time_min": time[i, j]})


def test_two_villages_and_two_clinics():
    """Both reach the first clinic, the second village both: 10 doctors for 300 and 10 for 200."""
    time = np.array([[5.0, np.inf], [15.0, 5.0]])
    found = catchment([100, 200], [10, 10], ways(time), limit_min=30, method="2sfca")
    np.testing.assert_allclose(found.ratio, [10 / 300, 10 / 200])
    np.testing.assert_allclose(found.access, [10 / 300, 10 / 300 + 10 / 200])
    # the first village asks the whole of its weight of the first clinic; the second parts itself 0.68 to 1
    part = 0.68 / 1.68
    balanced = catchment([100, 200], [10, 10], ways(time), limit_min=30)
    np.testing.assert_allclose(balanced.ratio, [10 / (100 + 200 * part), 10 / (200 * (1 - part))])


def test_the_rim_belongs_to_the_catchment_and_zones_are_thirds():
    w = DECAYS["zones"](np.array([0.0, 1 / 3, 0.34, 2 / 3, 0.67, 1.0]))
    np.testing.assert_array_equal(w, [ZONES[0], ZONES[0], ZONES[1], ZONES[1], ZONES[2], ZONES[2]])
    np.testing.assert_allclose(DECAYS["gauss"](np.array([0.0, 1.0])), [1, 0], atol=1e-15)
    time = np.array([[30.0], [30.001]])
    assert (catchment([1, 1], [1], ways(time), limit_min=30, method="2sfca").access > 0).tolist() == [True, False]


def test_who_reaches_nothing_has_nothing_and_a_site_for_nobody_has_no_ratio():
    found = catchment([5, 5], [3, 4], ways(np.array([[1.0, np.inf], [np.inf, np.inf]])), limit_min=15)
    assert found.access[1] == 0
    assert np.isnan(found.ratio).tolist() == [False, True]
    assert catchment([], [], ways(np.zeros((0, 0))), limit_min=15).access.tolist() == []


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    times = st.sampled_from([0.0, 3.0, 7.0, 12.0, 14.0, 20.0, np.inf])
    return (
        draw(hnp.arrays(np.float64, n, elements=st.integers(1, 500))),
        draw(hnp.arrays(np.float64, m, elements=st.integers(0, 50))),
        draw(hnp.arrays(np.float64, (n, m), elements=times)),
    )


def over(a, b):
    return np.divide(
        a,
        b,
        out=np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b))),
        where=np.broadcast_to(b, np.broadcast_shapes(np.shape(a), np.shape(b))) > 0,
    )


@given(cases(), st.sampled_from(sorted(METHODS)))
def test_it_is_the_formula_as_matrices(case, method):
    people, supply, time = case
    w = np.where(
        time <= 15, DECAYS[METHODS[method][0]](np.minimum(time, 15).ravel() / 15).reshape(time.shape), 0.0
    )
    by_client, by_site = over(w, w.sum(axis=1, keepdims=True)), over(w, w.sum(axis=0, keepdims=True))
    if method == "3sfca":
        due = (by_client * w) @ over(supply, people @ (by_client * w))
    elif method == "m2sfca":
        due = (w**2) @ over(supply, people @ w)
    elif method == "balanced":
        due = by_site @ over(supply, people @ by_client)
    else:
        due = w @ over(supply, people @ w)
    np.testing.assert_allclose(
        catchment(people, supply, ways(time), limit_min=15, method=method).access, due, atol=1e-12
    )


@given(cases(), st.sampled_from(sorted(METHODS)))
def test_each_method_conserves_what_it_says(case, method):
    people, supply, time = case
    found = catchment(people, supply, ways(time), limit_min=15, method=method)
    w = np.where(
        time <= 15, DECAYS[METHODS[method][0]](np.minimum(time, 15).ravel() / 15).reshape(time.shape), 0.0
    )
    used = supply[w.sum(axis=0) > 0].sum()
    total = float(people @ found.access)
    if method == "m2sfca":
        assert total <= used + 1e-9
    elif method == "balanced":
        assert found.access.sum() == pytest.approx(np.nansum(found.ratio), abs=1e-9)
        parted = over(supply, np.nan_to_num(found.ratio))  # people at each site that has any supply
        reached = (w.sum(axis=0) > 0) & (supply > 0)
        by_client = over(w, w.sum(axis=1, keepdims=True))
        np.testing.assert_allclose(parted[reached], (people @ by_client)[reached])
        assert (people @ by_client).sum() == pytest.approx(people[w.sum(axis=1) > 0].sum())
        assert float(people @ found.per_head) == pytest.approx(used, abs=1e-9)
    else:
        assert total == pytest.approx(used, abs=1e-9)
        np.testing.assert_array_equal(found.per_head, found.access)


@given(cases(), st.sampled_from(sorted(METHODS)), st.integers(2, 5))
def test_a_site_parted_in_two_and_a_scale_change_nothing(case, method, k):
    people, supply, time = case
    one = catchment(people, supply, ways(time), limit_min=15, method=method)
    grown = catchment(people * k, supply * k, ways(time), limit_min=15, method=method)
    np.testing.assert_allclose(one.access, grown.access, atol=1e-12)
    if METHODS[method][1] in ("shared", "unused"):
        twice = catchment(
            people, np.append(supply / 2, supply / 2), ways(np.hstack((time, time))), limit_min=15, method=method
        )
        np.testing.assert_allclose(one.access, twice.access, atol=1e-12)


@pytest.mark.parametrize(
    "wrong", [{"method": "4sfca"}, {"decay": "steep"}, {"limit_min": 0}, {"people": [-1]}, {"supply": [-1]}]
)
def test_what_makes_no_sense_is_refused(wrong):
    asked = {"people": [1], "supply": [1], "ways": ways(np.array([[1.0]])), "limit_min": 15} | wrong
    with pytest.raises(ValueError, match="must be"):
        catchment(asked.pop("people"), asked.pop("supply"), asked.pop("ways"), **asked)


def test_of_two_clinics_the_crowded_one_is_left_by_so_many_that_both_cost_the_same():
    """Alone between two clinics, 100 people and 1 doctor each: 10 minutes further are a quarter of tau."""
    found, cost = rational_agents([100], [1, 1], ways(np.array([[0.0, 10.0]])), limit_min=60, tau_min=40)
    # crowding is people over 50: x/50 = 1/4 + (100 - x)/50
    np.testing.assert_allclose(1 / found.ratio, [56.25, 43.75])
    np.testing.assert_allclose(cost, [1.125])
    np.testing.assert_allclose(found.access, [2 / 100])


@given(cases(), st.sampled_from([5.0, 15.0, 60.0]))
def test_nobody_gains_by_going_elsewhere_and_all_are_somewhere(case, tau):
    people, supply, time = case
    found, cost = rational_agents(people, supply, ways(time), limit_min=15, tau_min=tau)
    open_to = (time <= 15) & (supply > 0)
    load = over(supply, np.nan_to_num(found.ratio))
    reach = open_to.any(axis=1)
    assert load.sum() == pytest.approx(people[reach].sum())
    mean = people.sum() / supply.sum() if supply.sum() else 1.0
    each = np.where(open_to, time / tau + over(load, supply * mean), np.inf)
    np.testing.assert_allclose(cost[reach], each.min(axis=1)[reach], atol=1e-6)
    assert np.isnan(cost[~reach]).all()
    used = load > 0
    assert float(people @ found.access) == pytest.approx(supply[used].sum(), rel=1e-6)
    # the oracle: a convex programme of which this is the optimum
    k = np.argwhere(open_to)
    if len(k) > 1:

        def worth(x):
            at = np.bincount(k[:, 1], x, len(supply))
            return float(x @ time[tuple(k.T)] / tau + (over(at**2, 2 * supply * mean)).sum())

        rows = [LinearConstraint((k[:, 0] == i) * 1.0, people[i], people[i]) for i in np.flatnonzero(reach)]
        start = np.array([people[i] / open_to[i].sum() for i, _ in k])
        best = minimize(worth, start, bounds=[(0, None)] * len(k), constraints=rows, method="SLSQP",
                        options={"ftol": 1e-12, "maxiter": 500})  # fmt: skip
        # the loads decide the worth but for the times: told by the costs
        total = float(people[reach] @ cost[reach]) - (over(load**2, supply * mean)).sum()
        ours = total + (over(load**2, 2 * supply * mean)).sum()
        assert ours <= best.fun + 1e-4 * max(abs(best.fun), 1)
