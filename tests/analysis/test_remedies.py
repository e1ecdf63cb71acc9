"""Remedies: predicted on a street, for what is counted by reach and for what has seats."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.access import measure_access
from analysis.remedies import GOALS, candidate_rows, propose, scenario_edits
from analysis.seats import place_pupils
from analysis.siting import NoSites
from layers.edits import edit_facilities
from layers.facilities import COLUMNS
from tests.analysis.test_seats import children, schools
from tests.flatland import CATALOG, Town, degrees, facilities, places

CLINIC_BLOCKS = 20
"""Half an hour of an adult at 1.5 minutes a block."""


def street():
    return Town().street((0, 0), (200, 0))


def candidates(*blocks):
    lon, lat = degrees([(x, 0) for x in blocks])
    frame = pd.DataFrame({"candidate_id": [f"c{x}" for x in blocks], "candidate_name": [f"C{x}" for x in blocks],
                          "lon": lon, "lat": lat, "source": "own", "forbidden": ""})  # fmt: skip
    return frame.assign(facility_id=["new:" + name for name in frame["candidate_id"]])


def asked(homes, served, sites, category, new, **more):
    frame = served[list(COLUMNS)]
    added = candidate_rows(sites, category, COLUMNS)
    whole = pd.concat([frame, added], ignore_index=True) if len(frame) else added
    catalog = more.pop("catalog", CATALOG)
    return propose(
        homes, whole, sites, category=category, new=new, streets=street().streets(), catalog=catalog,
        sourced=frozenset(CATALOG.categories), **more,
    )  # fmt: skip


def test_the_site_that_covers_most_comes_first_and_who_is_served_is_not_counted_again():
    homes = places([(0, 0), (40, 0), (60, 0), (120, 0)], people=[100, 30, 40, 60])
    found = asked(homes, facilities(("village_clinic", (5, 0))), candidates(10, 50, 125, 160), "village_clinic", 2)
    own = found.remedies
    assert own["facility_name"].tolist() == ["C50", "C125"]
    assert own["people_gained"].tolist() == [70, 60]
    assert own["action"].tolist() == ["build", "build"]
    assert (found.people, found.before, found.after) == (230, 100, 230)
    assert own["gap"].tolist() == [0, 0]
    assert found.curve["people_placed"].tolist() == [100, 170, 230]
    # and so says the run that has them
    edits = scenario_edits(found, CATALOG)
    after = edit_facilities(facilities(("village_clinic", (5, 0))), edits, CATALOG, file="s")
    access = measure_access(
        homes, after, streets=street().streets(), catalog=CATALOG, sourced=frozenset({"village_clinic"})
    )
    own = access.access[(access.access["category"] == "village_clinic") & access.access["deciding"]]
    assert own["people_met"].sum() == 230


def test_goals_differ():
    homes = places([(0, 0), (30, 0), (60, 0), (160, 0)], people=[100, 100, 100, 1])
    served = facilities(("village_clinic", (0, 0)))
    sites = candidates(30, 45, 60, 110, 160)
    found = {goal: asked(homes, served, sites, "village_clinic", 1, goal=goal) for goal in GOALS}
    assert found["cover"].remedies["facility_name"].tolist() == ["C45"]
    assert set(found["all"].remedies["facility_name"]) == {"C45", "C160"}
    assert found["median"].remedies["facility_name"].tolist() == ["C60"]
    # 30 is 45 minutes from the clinic there is; of 60 the furthest then are those at 160: 150 minutes
    assert found["center"].remedies["facility_name"].tolist() == ["C110"]
    assert found["center"].value_after == pytest.approx(75, abs=0.01)
    assert found["median"].value_after < found["median"].value_before
    assert len(found["backup"].remedies) == 2


def test_a_candidate_that_is_of_no_use_is_told():
    homes = places([(0, 0)], people=[100])
    with pytest.raises(NoSites) as none:
        asked(homes, facilities(), candidates(100), "village_clinic", 1)
    assert none.value.reason == "unreached"
    with pytest.raises(NoSites):
        asked(children([(0, 0)], ages=[(50, 0)]), schools(), candidates(100), "primary_school", 1)


def test_a_new_school_is_as_large_as_it_must_be_and_stands_where_most_have_none():
    homes = children([(0, 0), (60, 0), (120, 0)], ages=[(50, 40), (100, 100), (20, 20)])
    served = schools(("primary_school", (5, 0), 80))
    found = asked(homes, served, candidates(60, 120), "primary_school", 1)
    (row,) = found.remedies.to_dict("records")
    assert (row["facility_name"], row["units"], row["people_gained"]) == ("C60", 5, 200)  # 5 × 45 seats
    assert found.stages == ("primary",)
    assert (found.people, found.before, found.after) == (330, 80, 280)
    # the run that has it places as many
    after = edit_facilities(served, scenario_edits(found, CATALOG), CATALOG, file="s")
    seats = place_pupils(
        homes, after, streets=street().streets(), catalog=CATALOG, sourced=frozenset(CATALOG.categories)
    ).seats
    now = seats[(seats["year"] == 0) & (seats["stage"] == "primary")]
    assert now["day_placed"].sum() == 280


def test_where_a_class_is_enough_no_school_is_built_unless_it_costs_less():
    homes = children([(0, 0), (10, 0)], ages=[(50, 40), (30, 0)])
    served = schools(("primary_school", (5, 0), 90))
    grown = asked(homes, served, candidates(10), "primary_school", 1, growing=True)
    (row,) = grown.remedies.to_dict("records")
    assert (row["action"], row["facility_id"], row["units"], row["people_gained"]) == ("enlarge", "F0", 1, 30)
    assert np.isnan(row["cost"])
    rules = dataclasses.replace(CATALOG.remedies, costs={"new": 10.0, "unit": 40.0, "bed": 2.0})
    costed = dataclasses.replace(CATALOG, remedies=rules)
    (row,) = asked(
        homes, served, candidates(10), "primary_school", 1, growing=True, catalog=costed
    ).remedies.to_dict("records")
    assert row["cost"] == 40.0
    found = asked(homes, served, candidates(10), "primary_school", 1, catalog=costed)
    assert found.remedies["cost"].tolist() == [50.0]
    assert found.curve["cost_per_person"].dropna().tolist()[-1] == pytest.approx(50 / 30)
    edits = scenario_edits(found, costed)
    assert (edits[0]["capacity"], edits[0]["cost"]) == (45, 50.0)


def test_beds_are_added_where_pupils_board():
    homes = children([(0, 0)], ages=[(0, 20)])
    served = schools(("primary_school", (50, 0), 100, 5))
    found = asked(homes, served, candidates(150), "primary_school", 0, growing=True)
    (row,) = found.remedies.to_dict("records")
    assert (row["action"], row["units"], row["beds"], row["people_gained"]) == ("enlarge", 0, 15, 15)
    assert scenario_edits(found, CATALOG)[0] == {"do": "enlarge", "facility": "F0", "add_boarding_beds": 15}
