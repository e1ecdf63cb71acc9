"""Why a place has its time: the way told street by street must add up to what ``access`` says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.explain import explain
from geo.grades import grades_of
from geo.walking import DEFAULT, WALK_FUNCTIONS
from tests.flatland import CATALOG, Town, facilities, places
from tests.geo.test_grades import incline

CLINIC, SCHOOL = "village_clinic", "primary_school"


def told(town, homes, served, category=CLINIC, *, terrain=None, place="P0", runs=None, **more):
    streets, there = town.streets(), facilities(*served)
    if runs is not None:
        there["runs_a_day"] = runs
    grades = None if terrain is None else grades_of(streets, terrain)
    return explain(
        places(homes, **more), there, place_id=place, category=category, streets=streets, catalog=CATALOG,
        sourced=frozenset(there["category"]), grades=grades,
    )  # fmt: skip


def corner():
    town = Town().street((0, 0), (2, 0), name="东街").street((2, 0), (2, 3), name="南巷", highway="path")
    return town.street((2, 3), (6, 3), name="长路", highway="tertiary")


def test_the_way_is_told_street_by_street():
    found = told(corner(), [(0.5, 0.2)], [(CLINIC, (5, 3.1)), (CLINIC, (6, 3)), ("bank_branch", (1, 0))])
    assert found.way["street_name"].tolist() == ["东街", "南巷", "长路"]
    assert found.way["highway"].tolist() == ["residential", "path", "tertiary"]
    np.testing.assert_allclose(found.way["length_m"], [150, 300, 300], atol=0.05)
    np.testing.assert_allclose(found.way["time_min"], [2.25, 4.5, 4.5], atol=1e-3)
    assert found.legs["end"].tolist() == ["place", "facility"]
    np.testing.assert_allclose(found.legs["time_min"], [0.3, 0.15], atol=1e-3)
    assert found.way["time_min"].sum() + found.legs["time_min"].sum() == pytest.approx(
        found.verdict["time_min"], abs=1e-4
    )
    assert found.verdict["facility_id"] == "F0"
    assert found.nearest["facility_id"].tolist() == ["F0", "F1"]
    assert found.nearest["time_min"].tolist() == pytest.approx([11.7, 13.05], abs=1e-3)
    assert found.way["rise_m"].isna().all()


def test_grades_are_told_in_the_direction_of_travel():
    walk = WALK_FUNCTIONS[DEFAULT]
    up = told(corner(), [(0, 0)], [(CLINIC, (6, 3))], terrain=incline(0.15))
    down = told(corner(), [(6, 3)], [(CLINIC, (0, 0))], terrain=incline(0.15))
    np.testing.assert_allclose(up.way["rise_m"], [30, 0, 60], atol=0.5)
    np.testing.assert_allclose(up.way["grade_max"], [0.15, 0, 0.15], atol=2e-3)
    np.testing.assert_allclose(down.way["rise_m"], [-60, 0, -30], atol=0.5)
    assert up.way.loc[0, "time_min"] == pytest.approx(3.0 * float(walk.slowness(0.15)), rel=2e-3)
    assert up.way["time_min"].sum() > down.way["time_min"].sum()


def test_a_school_is_explained_for_a_child_both_ways():
    found = told(corner(), [(0, 0)], [(SCHOOL, (6, 3))], SCHOOL, terrain=incline(0.15))
    assert (found.verdict["persona"], found.verdict["mode"]) == ("child", "walk")
    row = found.nearest.iloc[0]
    assert (row["time_to_min"], row["time_back_min"]) == (
        found.verdict["time_to_min"],
        found.verdict["time_back_min"],
    )
    assert row["time_to_min"] > row["time_back_min"]


def test_what_is_not_reached_has_no_way_and_its_reason():
    apart = Town().street((0, 0), (30, 0)).street((0, 9), (30, 9))
    found = told(apart, [(1, 0)], [(CLINIC, (1, 9))])
    assert found.verdict["status"] == "unreachable"
    assert len(found.way) == len(found.nearest) == 0
    assert found.legs["end"].tolist() == ["place"]
    nobody = told(apart, [(1, 0)], [("bank_branch", (1, 0))])
    assert nobody.verdict["status"] == "no_data"


def test_who_rides_a_bus_is_told_the_streets_it_takes():
    town = Town()
    for block in range(60):
        town.street((block, 0), (block + 1, 0), name="大道")
    served = [("bus_stop", (2, 0)), ("bus_stop", (42, 0)), (CLINIC, (45, 0))]
    found = told(town, [(0, 0)], served, usual_mode="bus", runs=[48, 48, np.nan])
    assert (found.verdict["mode"], found.verdict["rode"]) == ("bus", True)
    assert found.way["length_m"].sum() == pytest.approx(4500, abs=0.5)
    # and the wait at the stop, which is on no street
    assert found.way["time_min"].sum() == pytest.approx(found.verdict["time_min"] - 7.5, abs=1e-3)


def test_no_such_place_and_no_such_category():
    for wrong in ({"place": "P9"}, {"category": "casino"}, {"category": "homestead"}):
        with pytest.raises(KeyError):
            told(corner(), [(0, 0)], [(CLINIC, (1, 0))], **wrong)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(-2, 2)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 12), st.integers(-2, 2)), min_size=1, max_size=5), st.floats(-0.3, 0.3),
)  # fmt: skip
def test_the_explanation_is_of_the_number_in_access(homes, clinics, grade):
    town = Town().grid(12, 1)
    found = told(town, homes, [(CLINIC, at) for at in clinics], terrain=incline(grade))
    assert found.nearest.loc[0, "time_min"] == found.verdict["time_min"]
    assert found.nearest["time_min"].is_monotonic_increasing
    assert len(found.nearest) == min(5, len(clinics))
    if len(found.way):
        total = found.way["time_min"].sum() + found.legs["time_min"].sum()
        assert total >= found.verdict["time_min"] - 1e-4  # neighbours off the street need none
