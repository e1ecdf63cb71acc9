"""Facilities of several doors: each way by the door that is quickest for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.access import cross, measure_access
from analysis.explain import explain
from analysis.verify import verify
from geo.grades import grades_of
from geo.hillside import lay_hillside, walking_grid
from tests.flatland import CATALOG, Town, facilities, places, with_doors
from tests.geo.test_grades import incline

CLINIC, SCHOOL = "village_clinic", "primary_school"


def measured(town, homes, served, *, terrain=None):
    streets, people = town.streets(), places(homes)
    asked = {"streets": streets, "catalog": CATALOG}
    if terrain is not None:
        asked["grades"] = grades_of(streets, terrain)
        hillside = lay_hillside(walking_grid(terrain))
        asked["open_ground"] = cross(people[["lon", "lat"]], served, hillside=hillside, **asked)
    found = measure_access(people, served, sourced=frozenset(served["category"]), **asked)
    mine = found.access["deciding"] & found.access["category"].isin(served["category"])
    return found.access[mine].set_index(["place_id", "category"]), found.snaps


def line():
    return Town().street((0, 0), (30, 0))


def test_one_walks_to_the_nearest_door():
    served = with_doors(facilities((CLINIC, (15, 0))), [(5, 0), (20, 0.2)])
    access, snaps = measured(line(), [(0, 0), (19, 0), (12, 0)], served)
    np.testing.assert_allclose(access["time_min"], [7.5, 1.8, 10.5], atol=1e-3)
    np.testing.assert_allclose(access["straight_m"], [500, np.hypot(100, 20), 700], atol=0.01)
    own = snaps[(snaps["kind"] == "facility") & (snaps["persona"] == "adult") & (snaps["mode"] == "walk")]
    assert own["point_id"].tolist() == ["F0"]
    assert own["distance_m"].tolist() == pytest.approx([0], abs=0.02)  # the door that is next to the street


def test_there_by_one_gate_and_back_by_another_of_the_same_school():
    # a ring that is walked one way only: 40 blocks
    town = Town().street((0, 0), (10, 0), (10, 10), (0, 10), (0, 0), oneway_foot="yes")
    near, far = (3, 0), (0, 3)
    one = measured(town, [(0, 0)], facilities((SCHOOL, near)))[0].iloc[0]
    both = measured(town, [(0, 0)], with_doors(facilities((SCHOOL, near)), [near, far]))[0].iloc[0]
    block = 100_000 / 60_000
    assert (one["time_to_min"], one["time_back_min"]) == pytest.approx((3 * block, 37 * block), abs=1e-3)
    assert (both["time_to_min"], both["time_back_min"]) == pytest.approx((3 * block, 3 * block), abs=1e-3)
    # two schools at the two gates are no such round trip
    two = measured(town, [(0, 0)], facilities((SCHOOL, near), (SCHOOL, far)))[0].iloc[0]
    assert two["time_min"] == pytest.approx(37 * block, abs=1e-3)


def test_a_gate_on_a_short_dead_piece_is_left_for_the_one_on_a_street():
    town = line().street((15, 5), (15, 6))  # 100 m that hang together with nothing
    served = with_doors(facilities((CLINIC, (15, 5.5))), [(15.1, 5.5), (20, 0)])
    access, snaps = measured(town, [(15, 0)], served)
    assert access["time_min"].tolist() == pytest.approx([7.5], abs=1e-3)
    assert snaps[snaps["kind"] == "facility"]["status"].unique().tolist() == ["ok"]


spots = st.tuples(st.integers(-2, 32), st.integers(-3, 13)).map(lambda p: (p[0] + 0.25, p[1] + 0.25))


@settings(max_examples=25)
@given(
    homes=st.lists(spots, min_size=1, max_size=3, unique=True),
    doors=st.lists(st.lists(spots, min_size=1, max_size=4, unique=True), min_size=1, max_size=3),
    oneway=st.sampled_from(["", "yes", "-1"]), sloped=st.booleans(),
)  # fmt: skip
def test_doors_are_facilities_of_which_each_way_takes_the_nearest(homes, doors, oneway, sloped):
    """Each way alone is the least over the doors, taken for facilities of their own."""
    town = Town().street((0, 0), (10, 0), (10, 10), (0, 10), (0, 0), oneway_foot=oneway).street((10, 0), (30, 0))
    terrain = incline(0.1) if sloped else None
    served = with_doors(facilities(*((SCHOOL, own[0]) for own in doors)), *doors)
    alone = facilities(*((SCHOOL, door) for own in doors for door in own))
    owner = np.repeat(np.arange(len(doors)), [len(own) for own in doors])
    there = {
        k: measured(town, homes, alone.iloc[[k]].reset_index(drop=True), terrain=terrain)[0]
        for k in range(len(alone))
    }
    worse = []
    for number in range(len(doors)):
        own = [there[k] for k in np.flatnonzero(owner == number)]
        to, back = (np.fmin.reduce([f[name].to_numpy() for f in own]) for name in ("time_to_min", "time_back_min"))
        worse.append(np.maximum(to, back))
    found, _ = measured(town, homes, served, terrain=terrain)
    np.testing.assert_allclose(found["time_min"], np.fmin.reduce(worse), atol=2e-4)


def test_one_door_is_a_position():
    homes, at = [(0, 0.3), (4, 2), (12, 0)], [(5, 0.2), (20, 3)]
    served = facilities(*((CLINIC, point) for point in at))
    there = with_doors(facilities((CLINIC, (9, 9)), (CLINIC, (9, 9))), *([point] for point in at))
    columns = ["facility_id", "time_to_min", "time_back_min", "distance_m", "straight_m", "status"]
    for terrain in (None, incline(0.1)):
        one, two = (measured(line(), homes, f, terrain=terrain)[0][columns] for f in (served, there))
        pd.testing.assert_frame_equal(one, two, atol=1e-3)


def test_it_is_explained_by_the_door_taken_and_verified():
    streets, people = line().streets(), places([(0, 0), (12, 0)])
    served = with_doors(facilities((CLINIC, (15, 0)), (CLINIC, (29, 0))), [(5, 0), (20, 0.2)], [])
    asked = {"streets": streets, "catalog": CATALOG, "sourced": frozenset([CLINIC])}
    found = explain(people, served, place_id="P0", category=CLINIC, **asked)
    assert found.way["time_min"].sum() + found.legs["time_min"].sum() == pytest.approx(7.5, abs=1e-3)
    assert found.nearest["time_min"].tolist() == pytest.approx([7.5, 43.5], abs=1e-3)
    laws = verify(people, served, **asked)
    assert laws["held"].all()
