"""
Exist or reach, stand-ins, tiers, lists and usual modes: each rule on a town whose times are known.

A block is 100 m; an adult walks it in 1.5 min, a child in 100 s, an elderly person in 2 min, and an e-bike
takes 0.3 min at 20 km/h.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.access import REQUIREMENTS, measure_access
from analysis.circle import circle_shares, judge_circles
from analysis.gaps import distance_gaps
from analysis.laws import check_laws
from layers.places import points_of
from tests.flatland import CATALOG, Town, degrees, facilities, places

CLINIC, HOSPITAL, SHOP, BANK = "village_clinic", "township_hospital", "convenience_store", "bank_branch"
LINE = Town()
for block in range(60):
    LINE.street((block, 0), (block + 1, 0))


def measure(homes, served, *, town=LINE, sourced=None, runs=None, **more):
    there = facilities(*served)
    if runs is not None:
        there["runs_a_day"] = runs
    named = frozenset(there["category"]) if sourced is None else frozenset(sourced)
    return measure_access(homes, there, streets=town.streets(), catalog=CATALOG, sourced=named, **more).access


def decides(access, place, category):
    found = access[access["deciding"] & (access["place_id"] == place) & (access["category"] == category)]
    assert len(found) == 1
    return found.iloc[0]


def circle(access, at, name, place="P0", persona="adult"):
    circles = judge_circles(access, at, catalog=CATALOG, personas=("adult", "elderly"))
    return circles.set_index(["place_id", "persona", "list"]).loc[(place, persona, name)]


# --- exist or reach ---------------------------------------------------------------------------------------


def test_two_hundred_people_are_not_told_to_own_what_ten_thousand_carry():
    # a bank 40 blocks away: an hour on foot. By the catalogue 3,000 people must have one.
    assert CATALOG.categories[BANK].min_population["rural"] == 3000
    at = places([(0, 0), (0, 0)], people=[200, 3000], usual_mode="ebike")
    access = measure(at, [(BANK, (59, 0)), (SHOP, (1, 0))])
    small, large = (decides(access, name, BANK) for name in ("P0", "P1"))
    assert (small["requirement"], large["requirement"]) == ("reach", "exist")
    # both are told how long the way to it is: 59 blocks at 20 km/h
    assert small["time_min"] == large["time_min"] == pytest.approx(59 * 0.3)
    far = measure(at.assign(usual_mode="walk"), [(BANK, (59, 0)), (SHOP, (1, 0))])
    assert decides(far, "P0", BANK)["time_min"] == pytest.approx(59 * 1.5)


def test_a_small_place_misses_nothing_and_a_large_one_does():
    # a shop 20 blocks away, 30 minutes; the limit is 15. From 200 people on one must be there.
    least = CATALOG.categories[SHOP].min_population["rural"]
    at = places([(0, 0), (0, 0)], people=[least - 1, least])
    access = measure(at, [(SHOP, (20, 0))])
    small, large = (circle(access, at, "mofcom_basic", name) for name in ("P0", "P1"))
    assert (small["missing"], small["far"], small["exist_n"]) == ("", SHOP, 0)
    assert (large["missing"], large["far"], large["exist_n"], large["exist_met_n"]) == (SHOP, "", 1, 0)
    assert (small["met_n"], small["total_n"]) == (large["met_n"], large["total_n"]) == (0, 1)
    gaps = distance_gaps(access).set_index("place_id")
    assert gaps["requirement"].to_dict() == {"P1": "exist", "P0": "reach"}
    assert (gaps["over_min"] == 15.0).all()


def test_host_people_count_for_what_must_exist_and_for_nothing_else():
    least = CATALOG.categories[SHOP].min_population["rural"]
    at = places([(0, 0)], people=[least - 10]).assign(pop_host=10.0)
    access = measure(at, [(SHOP, (1, 0))])
    found = decides(access, "P0", SHOP)
    assert found["requirement"] == "exist"
    assert found["people"] == found["people_met"] == least - 10


def test_unknown_people_are_asked_to_own_nothing():
    at = places([(0, 0)], people=[np.nan])
    access = measure(at, [(SHOP, (30, 0))])
    assert decides(access, "P0", SHOP)["requirement"] == "unknown"
    found = circle(access, at, "mofcom_basic")
    assert (found["missing"], found["far"]) == ("", SHOP)


def test_a_category_without_a_number_is_only_reached():
    free = next(
        c for c in CATALOG.in_access() if not c.min_population and CATALOG.standard(c.id, "rural").walk_min
    )
    access = measure(places([(0, 0)], people=[1e6]), [(free.id, (1, 0))])
    assert decides(access, "P0", free.id)["requirement"] == "reach"
    assert set(access["requirement"]) <= set(REQUIREMENTS)


# --- stand-ins and tiers ----------------------------------------------------------------------------------


def test_a_township_hospital_stands_in_for_a_rural_clinic():
    at = places([(0, 0)])
    access = measure(at, [(CLINIC, (30, 0)), (HOSPITAL, (5, 0))])
    found = decides(access, "P0", CLINIC)
    assert (found["status"], found["time_min"], found["served_by"]) == ("served", 7.5, HOSPITAL)
    assert found["straight_m"] == pytest.approx(500, abs=0.01)
    # and never the other way round
    assert decides(measure(at, [(CLINIC, (5, 0)), (HOSPITAL, (45, 0))]), "P0", HOSPITAL)["served_by"] == HOSPITAL


def test_the_nearer_of_the_two_serves():
    found = decides(measure(places([(0, 0)]), [(CLINIC, (3, 0)), (HOSPITAL, (5, 0))]), "P0", CLINIC)
    assert (found["served_by"], found["time_min"]) == (CLINIC, 4.5)


@pytest.mark.parametrize("profile", ["urban", "park"])
def test_tiers_do_not_stand_in_for_each_other_in_towns(profile):
    # a health centre is not a health station, nor a hospital a clinic
    at = places([(0, 0)], profile=profile)
    served = [("community_health_centre", (1, 0)), (HOSPITAL, (1, 0)), ("cultural_centre", (1, 0))]
    sourced = {"community_health_centre", HOSPITAL, "cultural_centre", "community_health_station", "cultural_room"}
    access = measure(at, served, sourced=sourced)
    for station in ("community_health_station", "cultural_room"):
        assert decides(access, "P0", station)["status"] == "no_facility"
    assert decides(access, "P0", "community_health_centre")["status"] == "served"
    assert not any(CATALOG.categories[c].substitutes.get(profile) for c in CATALOG.on_list("gb50180_5min"))


def test_each_of_two_profiles_has_its_own_stand_ins():
    at = pd.concat([places([(0, 0)]), places([(0, 0)], profile="urban").assign(place_id="P1")], ignore_index=True)
    access = measure(at, [("pharmacy", (50, 0)), (CLINIC, (2, 0))])
    # in the country a clinic may sell what a pharmacy does, in a town not
    assert decides(access, "P0", "pharmacy")["served_by"] == CLINIC
    assert decides(access, "P1", "pharmacy")["served_by"] == "pharmacy"


def test_of_a_category_nobody_carries_only_a_stand_in_is_known():
    at = places([(0, 0), (40, 0)])
    access = measure(at, [(HOSPITAL, (5, 0))])
    near, far = (decides(access, name, CLINIC) for name in ("P0", "P1"))
    assert (near["status"], near["served_by"]) == ("served", HOSPITAL)
    # 35 blocks, 52 minutes: there may be a clinic that nobody listed, so nothing is said
    assert (far["status"], far["served_by"]) == ("no_data", "")
    assert np.isnan(far["time_min"])
    assert pd.isna(far["met"])


# --- lists ------------------------------------------------------------------------------------------------


def test_each_list_counts_its_own_members_only():
    every = [c.id for c in CATALOG.in_access()]
    access = measure(places([(0, 0)], profile="urban"), [(name, (0, 0)) for name in every])
    circles = judge_circles(access, places([(0, 0)], profile="urban"), catalog=CATALOG, personas=("adult",))
    counted = circles.set_index("list")
    assert set(counted.index) == set(CATALOG.lists)
    for name, entry in CATALOG.lists.items():
        assert counted.loc[name, "list_n"] == entry.category_n == len(CATALOG.on_list(name))
        assert counted.loc[name, "met_n"] == counted.loc[name, "total_n"] > 0
    without = measure(
        places([(0, 0)], profile="urban"), [(n, (0, 0)) for n in every if n != "supermarket"], sourced=every
    )
    fewer = judge_circles(
        without, places([(0, 0)], profile="urban"), catalog=CATALOG, personas=("adult",)
    ).set_index("list")
    lost = {name for name in counted.index if fewer.loc[name, "met_n"] < counted.loc[name, "met_n"]}
    assert lost == set(CATALOG.categories["supermarket"].lists)


def test_an_atm_is_shown_beside_a_bank_and_never_as_one():
    access = measure(places([(0, 0)], profile="urban"), [("atm_agent", (0, 0))], sourced={"atm_agent", BANK})
    assert decides(access, "P0", BANK)["status"] == "no_facility"
    assert decides(access, "P0", "atm_agent")["status"] == "served"
    assert "atm_agent" not in CATALOG.on_list("policy_3_named_two")


# --- usual modes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "decided", "time", "limit"),
    [
        ("", "walk", 45.0, 30.0),
        ("walk", "walk", 45.0, 30.0),
        ("ebike", "ebike", 9.0, 15.0),
        ("drive", "drive", 9.0, 15.0),
    ],
)
def test_a_clinic_is_asked_in_the_usual_mode(mode, decided, time, limit):
    # 30 blocks: 3 km; cars go 20 km/h on these streets
    found = decides(measure(places([(0, 0)], usual_mode=mode), [(CLINIC, (30, 0))]), "P0", CLINIC)
    assert (found["mode"], found["threshold_min"]) == (decided, limit)
    assert found["time_min"] == pytest.approx(time)
    assert found["mode_assumed"] == (mode == "")


def test_schools_are_walked_to_and_what_has_no_limit_for_riding_too():
    access = measure(places([(0, 0)], usual_mode="ebike"), [("primary_school", (3, 0)), ("cultural_room", (3, 0))])
    school, room = decides(access, "P0", "primary_school"), decides(access, "P0", "cultural_room")
    assert (school["mode"], school["persona"]) == ("walk", "child")
    assert school["time_min"] == pytest.approx(5.0)
    assert CATALOG.standard("cultural_room", "rural").drive_min is None
    assert (room["mode"], room["time_min"]) == ("walk", 4.5)


def test_an_e_bike_rides_with_the_one_way_and_is_pushed_against_it():
    town = Town()
    for block in range(20):
        town.street((block, 0), (block + 1, 0), oneway="yes")
    there = decides(measure(places([(0, 0)], usual_mode="ebike"), [(CLINIC, (10, 0))], town=town), "P0", CLINIC)
    back = decides(measure(places([(10, 0)], usual_mode="ebike"), [(CLINIC, (0, 0))], town=town), "P0", CLINIC)
    assert there["time_min"] == pytest.approx(3.0)
    assert back["time_min"] == pytest.approx(15.0)


def test_an_e_bike_is_pushed_where_only_walkers_may_go():
    town = Town()
    for block in range(10):
        town.street((block, 0), (block + 1, 0), highway="path" if block >= 5 else "residential")
    found = decides(measure(places([(0, 0)], usual_mode="ebike"), [(CLINIC, (10, 0))], town=town), "P0", CLINIC)
    assert found["time_min"] == pytest.approx(5 * 0.3 + 5 * 1.5)


STOPS = [("bus_stop", (2, 0)), ("bus_stop", (42, 0)), ("bus_stop", (20, 0))]


def test_a_bus_is_walked_to_waited_for_ridden_and_left():
    # 12 buses a day: one an hour, half an hour's wait. 2 blocks there, 40 blocks at 20 km/h, 3 on to the clinic.
    at = places([(0, 0)], usual_mode="bus")
    found = decides(measure(at, [*STOPS, (CLINIC, (45, 0))], runs=[12, 12, np.nan, np.nan]), "P0", CLINIC)
    assert (found["mode"], found["threshold_min"]) == ("bus", 15.0)
    assert found["time_min"] == pytest.approx(2 * 1.5 + 30 + 40 * 0.3 + 3 * 1.5)
    assert found["distance_m"] == pytest.approx(4500, abs=0.1)


def test_who_walks_all_the_way_has_not_ridden_and_keeps_the_limit_of_walking():
    # the county hospital has a limit for vehicles only: an hour's walk is no hour by bus
    at = places([(0, 0)], usual_mode="bus")
    walked = decides(
        measure(at, [*STOPS, ("county_hospital", (6, 0))], runs=[12, 12, 12, np.nan]), "P0", "county_hospital"
    )
    assert (walked["mode"], walked["rode"], walked["status"]) == ("bus", False, "no_standard")
    assert walked["time_min"] == pytest.approx(9.0)
    assert np.isnan(walked["threshold_min"])
    ridden = decides(
        measure(at, [*STOPS, ("county_hospital", (45, 0))], runs=[12, 12, 12, np.nan]), "P0", "county_hospital"
    )
    assert (ridden["rode"], ridden["status"], ridden["threshold_min"]) == (True, "served", 60.0)
    # and a clinic that is walked to is held to the half hour of walking
    clinic = decides(measure(at, [*STOPS, (CLINIC, (15, 0))], runs=[12, 12, np.nan, np.nan]), "P0", CLINIC)
    assert (clinic["rode"], clinic["threshold_min"], clinic["status"]) == (False, 30.0, "served")


def test_an_e_bike_that_is_pushed_all_the_way_is_a_walk():
    town = Town()
    for block in range(20):
        town.street((block, 0), (block + 1, 0), highway="path")
    found = decides(measure(places([(0, 0)], usual_mode="ebike"), [(CLINIC, (15, 0))], town=town), "P0", CLINIC)
    assert (found["rode"], found["threshold_min"], found["time_min"]) == (False, 30.0, 22.5)


def test_where_there_is_no_standard_nothing_must_exist():
    assert "urban" in CATALOG.categories[CLINIC].no_standard
    access = measure(places([(0, 0)], people=[20_000], profile="urban"), [(CLINIC, (1, 0))])
    assert decides(access, "P0", CLINIC)["requirement"] == "reach"


def test_a_stop_with_too_few_buses_is_no_stop():
    least = CATALOG.modes["bus"].min_runs_a_day
    at = places([(0, 0)], usual_mode="bus")
    served = [*STOPS, (CLINIC, (45, 0))]
    walked = decides(measure(at, served, runs=[least - 1, 12, np.nan, np.nan]), "P0", CLINIC)
    assert walked["time_min"] == pytest.approx(45 * 1.5)
    ridden = decides(measure(at, served, runs=[least, 12, np.nan, np.nan]), "P0", CLINIC)
    assert ridden["time_min"] == pytest.approx(min(45 * 1.5, 3 + 720 / least / 2 + 12 + 4.5))


def test_a_bus_that_is_slower_than_walking_is_not_waited_for():
    at = places([(0, 0)], usual_mode="bus")
    found = decides(measure(at, [*STOPS, (CLINIC, (6, 0))], runs=[12, 12, 12, np.nan]), "P0", CLINIC)
    assert found["time_min"] == pytest.approx(9.0)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(4, 48))
def test_a_bus_never_takes_longer_than_walking_and_more_buses_never_longer(home, clinic, stop, runs):
    at = places([(home, 0)], usual_mode="bus")
    served = [("bus_stop", (stop, 0)), ("bus_stop", (50, 0)), (CLINIC, (clinic, 0))]
    few, many = (
        decides(measure(at, served, runs=[n, n, np.nan]), "P0", CLINIC)["time_min"] for n in (runs, 2 * runs)
    )
    assert many <= few + 1e-9
    assert few <= abs(home - clinic) * 1.5 + 1e-9


def two_streets(apart_blocks, **tags):
    """A path for walkers and, beside it, a road; they never meet."""
    town = Town()
    for block in range(120):
        town.street((block, 0), (block + 1, 0), highway="path")
        town.street((block, apart_blocks), (block + 1, apart_blocks), **tags)
    return town


def test_an_e_bike_beside_a_road_that_leads_nowhere_is_still_walked_from():
    # 20 m from the road for vehicles and 30 m from the path; the clinic is on the path
    at, town = places([(0, 0.3)], usual_mode="ebike"), two_streets(0.5, foot="no")
    found = decides(measure(at, [(CLINIC, (10, -0.4))], town=town), "P0", CLINIC)
    walked = decides(measure(places([(0, 0.3)]), [(CLINIC, (10, -0.4))], town=town), "P0", CLINIC)
    assert (found["status"], found["rode"]) == ("served", False)
    assert found["time_min"] == walked["time_min"] == pytest.approx(0.45 + 15 + 0.6)


@given(
    st.integers(0, 15), st.floats(-1, 2), st.integers(0, 15), st.floats(-1, 2), st.lists(st.booleans(), max_size=6)
)
def test_an_e_bike_never_takes_longer_than_walking(home, aside, clinic, beside, joined):
    town = Town()
    for block in range(25):
        town.street((block, 0), (block + 1, 0), highway="path")
        town.street((block, 1), (block + 1, 1), foot="no", oneway="yes")
    for block, walked in enumerate(joined):
        town.street((3 * block, 0), (3 * block, 1), foot="yes" if walked else "no")
    served = [(CLINIC, (clinic, beside)), (CLINIC, (20, 0))]
    ridden, walked = (
        decides(measure(places([(home, aside)], usual_mode=mode), served, town=town), "P0", CLINIC)
        for mode in ("ebike", "walk")
    )
    assert ridden["time_min"] <= walked["time_min"]


def test_a_bus_stops_only_where_one_walks_to_the_road_it_stands_by():
    at = places([(0, 0)], usual_mode="bus")
    served = [("bus_stop", (2, 0.1)), ("bus_stop", (110, 0.1)), (CLINIC, (112, 0))]
    runs = [48, 48, np.nan]
    found = decides(measure(at, served, runs=runs, town=two_streets(0.4)), "P0", CLINIC)
    assert (found["rode"], found["time_min"]) == (False, pytest.approx(112 * 1.5))
    town = two_streets(0.4)
    for x in (2, 110):  # a few metres of path between the two make it a stop
        town.street((x, 0), (x, 0.4), highway="path")
    found = decides(measure(at, served, runs=runs, town=town), "P0", CLINIC)
    assert found["rode"]


def test_the_way_from_the_stop_is_walked_at_both_ends():
    # stops stand 30 m from the road: 0.45 min to each; 48 buses a day come every quarter of an hour
    at = places([(0, 0)], usual_mode="bus")
    served = [("bus_stop", (2, 0.3)), ("bus_stop", (42, 0.3)), (CLINIC, (45, 0))]
    found = decides(measure(at, served, runs=[48, 48, np.nan]), "P0", CLINIC)
    assert found["time_min"] == pytest.approx(3 + 0.45 + 7.5 + 12 + 0.45 + 4.5)


def test_the_fewest_buses_that_count_do_count():
    least, town = CATALOG.modes["bus"].min_runs_a_day, Town()
    for block in range(200):
        town.street((block, 0), (block + 1, 0))
    served = [("bus_stop", (2, 0)), ("bus_stop", (198, 0)), (CLINIC, (200, 0))]
    at = places([(0, 0)], usual_mode="bus")
    found = decides(measure(at, served, runs=[least, least, np.nan], town=town), "P0", CLINIC)
    assert found["time_min"] == pytest.approx(3 + 720 / least / 2 + 196 * 0.3 + 3)


def test_nothing_rides_faster_than_cars_go_there():
    slow = next(rule for rule in CATALOG.travel_profile("adult", "drive").roads
                if rule.walk and rule.drive_kmh and rule.drive_kmh < 20)  # fmt: skip
    town = Town()
    for block in range(60):
        town.street((block, 0), (block + 1, 0), highway=slow.name)
    found = decides(measure(places([(0, 0)], usual_mode="ebike"), [(CLINIC, (30, 0))], town=town), "P0", CLINIC)
    assert found["time_min"] == pytest.approx(3.0 / slow.drive_kmh * 60)


def test_a_stand_in_whose_sources_are_known_does_not_make_the_category_known():
    # a clinic that no source carries may be nearer than the hospital that serves in its stead
    for blocks, status in ((5, "served"), (55, "no_data")):
        access = measure(places([(0, 0)]), [(HOSPITAL, (blocks, 0))], sourced={HOSPITAL})
        found = decides(access, "P0", CLINIC)
        assert (found["status"], found["facility_id"]) == (status, "F0" if status == "served" else "")
        assert np.isnan(found["straight_m"]) == (status == "no_data")


def test_a_stand_in_that_no_source_carries_is_not_taken():
    access = measure(places([(0, 0)]), [(CLINIC, (5, 0))], sourced={CLINIC})
    assert decides(access, "P0", CLINIC)["served_by"] == CLINIC
    assert decides(access, "P0", HOSPITAL)["status"] == "no_data"


def test_the_circle_of_the_elderly_walks():
    at = places([(0, 0)], usual_mode="ebike")
    access = measure(at, [(SHOP, (9, 0))])
    # 9 blocks: 2.7 min on an e-bike, 18 min on foot for an elderly person; the limit is 15
    assert circle(access, at, "mofcom_basic")["met_n"] == 1
    assert circle(access, at, "mofcom_basic", persona="elderly")["met_n"] == 0


# --- what does not operate --------------------------------------------------------------------------------


def test_what_does_not_operate_is_no_facility():
    there = facilities((CLINIC, (1, 0)), (CLINIC, (10, 0)))
    there["operating"] = [False, True]
    at, streets = places([(0, 0)]), LINE.streets()
    access = measure_access(at, there, streets=streets, catalog=CATALOG, sourced=frozenset({CLINIC})).access
    assert decides(access, "P0", CLINIC)["facility_id"] == "F1"
    none = measure_access(
        at, there.assign(operating=False), streets=streets, catalog=CATALOG, sourced=frozenset({CLINIC})
    ).access
    assert decides(none, "P0", CLINIC)["status"] == "no_facility"


# --- places of several points -----------------------------------------------------------------------------


def spread(at, points, shares):
    lon, lat = degrees(points)
    ids = [f"P0·{n}" for n in range(len(points))]
    return pd.DataFrame({"point_id": ids, "place_id": "P0", "lon": lon, "lat": lat, "share": shares})


@pytest.mark.parametrize(("last_share", "met", "time"), [(0.1, True, 30.0), (0.11, False, 31.5)])
def test_nine_in_ten_make_a_place_served(last_share, met, time):
    # within 20 blocks for all but the last point's people, who have 21
    at = places([(0, 0)], people=[100])
    points = spread(at, [(0, 0), (10, 0), (41, 0)], [0.5, 0.5 - last_share, last_share])
    access = measure(at, [(CLINIC, (20, 0))], points=points)
    found = decides(access, "P0", CLINIC)
    assert found["met"] == met
    assert found["time_min"] == pytest.approx(time)
    assert found["people_met"] == pytest.approx(100 * (1 - last_share))


def test_a_lower_share_asks_less():
    at = places([(0, 0)], people=[100])
    points = spread(at, [(0, 0), (41, 0)], [0.5, 0.5])
    assert not decides(measure(at, [(CLINIC, (20, 0))], points=points), "P0", CLINIC)["met"]
    found = decides(measure(at, [(CLINIC, (20, 0))], points=points, met_share=0.5), "P0", CLINIC)
    assert (found["met"], found["people_met"]) == (True, 50)


def test_a_point_cut_off_counts_with_the_slow():
    town = Town().street((0, 0), (30, 0)).street((0, 40), (30, 40))
    at = places([(0, 0)], people=[100])
    for share, status in ((0.1, "served"), (0.2, "unreachable")):
        points = spread(at, [(5, 0), (5, 40)], [1 - share, share])
        found = decides(measure(at, [(CLINIC, (0, 0))], town=town, points=points), "P0", CLINIC)
        assert found["status"] == status
        assert found["people_met"] == pytest.approx(100 * (1 - share))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=6), st.integers(0, 60))
def test_the_deciding_point_is_the_weighted_quantile_and_every_law_holds(given_points, clinic):
    weights = np.array([weight for _, weight in given_points], np.float64)
    at = places([(0, 0)], people=[1000])
    points = spread(at, [(x, 0) for x, _ in given_points], weights / weights.sum())
    access = measure(at, [(CLINIC, (clinic, 0))], points=points)
    found = decides(access, "P0", CLINIC)
    times = np.array([abs(x - clinic) * 1.5 for x, _ in given_points])
    order = np.argsort(times, kind="stable")
    total = np.cumsum(weights[order]) / weights.sum()
    assert found["time_min"] == pytest.approx(times[order][np.searchsorted(total, 0.9 - 1e-9)])
    assert found["people_met"] == pytest.approx(1000 * weights[times <= 30].sum() / weights.sum())
    circles = judge_circles(access, at, catalog=CATALOG, personas=("adult",))
    tables = {"places": at, "access": access, "circles": circles, "shares": circle_shares(circles, at)}
    laws = check_laws(tables, catalog=CATALOG)
    assert laws["held"].all(), laws[~laws["held"]]


def test_points_must_hold_every_place():
    at = places([(0, 0), (1, 0)])
    with pytest.raises(ValueError, match="every place"):
        measure(at, [(CLINIC, (1, 0))], points=points_of(at).iloc[1:])


# --- shares -----------------------------------------------------------------------------------------------


BASIC = [(name, (1, 0)) for name in CATALOG.on_list("mofcom_basic")]
WALKED = [name for name, _ in BASIC if CATALOG.standard(name, "rural").walk_min]


def test_a_list_of_which_less_than_half_can_be_judged_says_nothing():
    at = places([(0, 0)], people=[100])
    for n, judged in ((6, 0), (7, 1)):
        circles = judge_circles(
            measure(at, [(c, (1, 0)) for c in WALKED[:n]]), at, catalog=CATALOG, personas=("adult",)
        )
        found = circle_shares(circles, at).query("list == 'mofcom_basic' and by == 'all'").iloc[0]
        assert (found["judged_n"], found["all_met_n"]) == (judged, judged)
    assert len(WALKED) == 7  # of thirteen


def test_shares_stand_for_each_class_and_add_up():
    at = places([(0, 0), (30, 0), (0, 0)], people=[100, 300, 4000])
    at["county"] = ["甲县", "乙县", "甲县"]
    access = measure(at, BASIC)
    circles = judge_circles(access, at, catalog=CATALOG, personas=("adult",))
    shares = circle_shares(circles, at, strata={"甲县": "national"}).query("list == 'mofcom_basic'")
    by = shares.set_index(["by", "name"])
    assert by.loc[("all", "all"), "people_all_met_share"] == pytest.approx(4100 / 4400)
    assert by.loc[("size_class", "micro"), "people_all_met"] == 100
    assert by.loc[("size_class", "small"), "people_all_met"] == 0
    assert by.loc[("stratum", "national"), "places_n"] == 2
    due = [c for c in WALKED if CATALOG.categories[c].min_population.get("rural", np.inf) <= 300]
    assert by.loc[("stratum", "none"), "missing_n"] == len(due) > 0
    sums = shares.groupby("by")[["places_n", "people", "missing_n"]].sum()
    assert (sums == sums.loc["all"]).all(axis=None)


def test_a_village_centre_makes_a_range():
    at = places([(0, 0), (30, 0)], people=[100, 300]).assign(position_source=["surveyed", "village_centre"])
    circles = judge_circles(measure(at, BASIC), at, catalog=CATALOG, personas=("adult",))
    found = circle_shares(circles, at).query("list == 'mofcom_basic' and by == 'all'").iloc[0]
    assert found["people_share_low"] == found["people_all_met_share"] == 0.25
    assert found["people_share_high"] == 1.0


def test_unknown_is_apart_from_missing_and_from_far():
    at = places([(0, 0)], people=[5000])
    access = measure(at, [(SHOP, (30, 0)), ("supermarket", (1, 0))])
    found = circle(access, at, "mofcom_basic")
    named = {name: set(found[name].split(";")) - {""} for name in ("missing", "far", "unknown")}
    assert SHOP in named["missing"]
    assert "supermarket" not in named["missing"] | named["far"] | named["unknown"]
    # thirteen, less the two that are listed, less fresh food, for which the supermarket stands in
    assert found["unknown_n"] == len(named["unknown"]) == 10
    assert "fresh_food_store" not in named["unknown"]
    assert not named["missing"] & named["unknown"]


def test_a_moved_threshold_moves_its_rows_and_no_other():
    at = pd.concat([places([(n, 0)]).assign(place_id=f"P{n}") for n in (0, 15, 25)], ignore_index=True)
    served = [(CLINIC, (0, 0)), (SHOP, (0, 0)), ("pharmacy", (0, 0))]
    moved = CATALOG.with_overrides({"village_clinic.rural.walk_min": 20}, {})
    streets, there = LINE.streets(), facilities(*served)
    before, after = (
        measure_access(at, there, streets=streets, catalog=c, sourced=frozenset(there["category"])).access
        for c in (CATALOG, moved)
    )
    differs = (before != after) & ~(before.isna() & after.isna())
    rows = before[differs.any(axis=1)]
    assert set(rows["category"]) == {CLINIC}
    # the standard was a project default before, so that the rows by car say what they said
    assert rows["mode"].value_counts().to_dict() == {"walk": 3}
    assert set(differs.columns[differs.any()]) == {"threshold_min", "status", "met", "people_met"}
    # 25 blocks take 37.5 minutes, late by both; 15 take 22.5, late by the new one only
    late = after[after["deciding"] & (after["category"] == CLINIC)].set_index("place_id")["status"]
    assert late.to_dict() == {"P0": "served", "P15": "beyond_limit", "P25": "beyond_limit"}
