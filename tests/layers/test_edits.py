"""Scenario edits: read with all faults at once, applied in their order, and nothing given is changed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.seats import school_pools
from geo.problems import Stop
from layers.edits import Scenario, edit_facilities, edit_places, edit_roads, read_scenario, touched_categories
from tests.flatland import CATALOG, Town, facilities, places


def scenario(tmp_path, text):
    path = tmp_path / "s.toml"
    path.write_text(text, "utf-8")
    return read_scenario(path, CATALOG)


def test_an_empty_file_and_an_empty_list_are_no_edits(tmp_path):
    assert scenario(tmp_path, "") == Scenario("s", ())
    assert scenario(tmp_path, '[scenario]\nname = "空"').name == "空"


def test_all_faults_are_told_at_once(tmp_path):
    text = """
[[edit]]
do = "clsoe"
[[edit]]
do = "add"
category = "primary_scool"
name = "x"
lon = 200
[[edit]]
do = "enlarge"
facility = ""
capacity = 1.5
seats = 3
[[edit]]
do = "close_road"
way = true
[other]
"""
    with pytest.raises(Stop) as stopped:
        scenario(tmp_path, text)
    told = {dict(problem.params)["key"] for problem in stopped.value.problems}
    assert told == {
        "other", "edit 1.do", "edit 2.category", "edit 2.lon", "edit 2.lat", "edit 3.facility", "edit 3.capacity",
        "edit 3.seats", "edit 4.way",
    }  # fmt: skip
    assert "close" in next(
        dict(p.params)["wanted"] for p in stopped.value.problems if dict(p.params)["key"] == "edit 1.do"
    )
    with pytest.raises(Stop):
        read_scenario(tmp_path / "none.toml", CATALOG)


def test_facilities_are_added_closed_moved_and_enlarged_in_order():
    given = facilities(("primary_school", (0, 0)), ("village_clinic", (5, 0)))
    given["capacity"], given["classes"] = [450.0, np.nan], [10.0, np.nan]
    before = given.copy()
    edits = [
        {"do": "close", "facility": "F1"},
        {"do": "move", "facility": "F0", "lon": 102.0, "lat": 28.5},
        {"do": "enlarge", "facility": "F0", "add_classes": 2, "boarding_beds": 40},
        {"do": "add", "category": "pharmacy", "name": "新药店", "lon": 102.1, "lat": 28.2, "id": "N"},
        {"do": "enlarge", "facility": "新药店", "doctors": 3},
    ]
    out = edit_facilities(given, edits, CATALOG, file="情景")
    pd.testing.assert_frame_equal(given, before)
    own = out.set_index("facility_id")
    assert own["operating"].tolist() == [True, False, True]
    assert own.loc["F0", ["lon", "lat", "classes", "capacity", "boarding_beds"]].tolist() == [
        102.0,
        28.5,
        12,
        540,
        40,
    ]
    assert own.loc["N", ["category", "doctors", "row"]].tolist() == ["pharmacy", 3, 4]
    assert (out.dtypes == given.dtypes).all()
    pd.testing.assert_frame_equal(edit_facilities(given, [], CATALOG, file=""), given)


def test_classes_bring_seats_to_whatever_a_school_tells():
    given = facilities(*(("primary_school", (n, 0)) for n in range(4)), ("nine_year_school", (5, 0)))
    given["capacity"] = [400.0, 400.0, np.nan, np.nan, 900.0]
    given["classes"] = [12.0, np.nan, 6.0, np.nan, np.nan]
    edits = [{"do": "enlarge", "facility": f"F{n}", "add_classes": 2} for n in range(5)]
    ruled = dataclasses.replace(CATALOG, default_seats={"primary_school": 300})
    out = edit_facilities(
        given, [*edits, {"do": "enlarge", "facility": "F0", "add_boarding_beds": 10}], ruled, file="s"
    )
    pools = school_pools(out, ruled).set_index("facility_id")
    # 45 a class: 400 + 90 twice, 8 classes, 300 by rule and 90, and a nine-year school counts its smaller class
    assert pools["seats"].tolist() == [490, 490, 360, 390, 990]
    assert pools["beds"].tolist() == [10, 0, 0, 0, 0]


def test_who_is_not_there_is_told_with_who_is_near():
    given = facilities(("primary_school", (0, 0)))
    with pytest.raises(Stop) as stopped:
        edit_facilities(
            given, [{"do": "close", "facility": "F9"}, {"do": "close", "facility": "zz"}], CATALOG, file="s"
        )
    assert [p.code for p in stopped.value.problems] == ["scenario_no_facility"] * 2
    assert dict(stopped.value.problems[0].params)["near"] == "F0"


def test_people_come_with_their_children_and_new_places_stand_last():
    given = places([(0, 0), (5, 0)], people=[100, 50])
    given["age_6_8"] = [6.0, np.nan]
    out = edit_places(
        given,
        [{"do": "add_people", "place": "P0", "people": 50},
         {"do": "add_place", "name": "新点", "people": 900, "lon": 102.75, "lat": 28.0}],
        CATALOG, file="s",
    )  # fmt: skip
    assert out["pop"].tolist() == [150, 50, 900]
    assert out["age_6_8"].tolist()[:1] == [9]
    # whoever comes, comes together: nobody is rounded away
    few = edit_places(given, [{"do": "add_people", "place": "P0", "people": 5}] * 10, CATALOG, file="s")
    assert few["age_6_8"].tolist()[:1] == [9]
    assert out["size_class"].tolist()[2] == CATALOG.size_class(900)
    assert out["place_id"].tolist()[2] == "new:2"
    with pytest.raises(Stop):
        edit_places(given, [{"do": "add_people", "place": "P9", "people": 5}], CATALOG, file="s")


def test_a_road_is_closed_and_opened_by_its_way():
    streets = Town().street((0, 0), (10, 0)).street((0, 5), (10, 5)).streets()
    way = int(streets.tags["way_id"].iloc[0])
    closed = edit_roads(streets, [{"do": "close_road", "way": way}], file="s")
    assert closed.tags["access"].tolist()[0] == "no"
    assert (streets.tags["access"] != "no").all()
    opened = edit_roads(closed, [{"do": "open_road", "way": way, "highway": "tertiary"}], file="s")
    assert opened.tags.loc[0, ["access", "highway"]].tolist() == ["yes", "tertiary"]
    with pytest.raises(Stop):
        edit_roads(streets, [{"do": "close_road", "way": 999_999}], file="s")


def test_what_an_edit_touches_is_its_category_and_whom_it_stands_in_for():
    given = facilities(("township_hospital", (0, 0)), ("pharmacy", (5, 0)), ("bus_stop", (3, 0)))

    def touched(*edits):
        told = Scenario("s", tuple(edits))
        return touched_categories(told, given, edit_facilities(given, told.facilities, CATALOG, file="s"), CATALOG)

    assert touched() == set()
    assert touched({"do": "close", "facility": "F0"}) == {"township_hospital", "village_clinic", "pharmacy"}
    assert touched({"do": "move", "facility": "F1", "lon": 1.0, "lat": 1.0}) == {"pharmacy"}
    assert touched({"do": "close", "facility": "F2"}) is None  # every way by bus
    assert touched({"do": "standard", "key": "mall.urban.walk_min", "value": 9}) == {"mall"}
    other = next(c.id for c in CATALOG.categories.values() if not c.in_access)
    assert touched({"do": "standard", "key": f"{other}.rural.walk_min", "value": 9}) == set()
    assert touched({"do": "add_people", "place": "P0", "people": 1}) is None
