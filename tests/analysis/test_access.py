from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.access import STATUSES, deciding_mode, measure_access
from analysis.circle import circle_shares, judge_circles
from analysis.gaps import coverage, distance_gaps
from analysis.laws import check_laws
from geo import osm
from geo.network import build_streets
from layers.catalog import NO_STANDARD
from tests.flatland import CATALOG, Town, facilities, places

CLINIC, SHOP = "village_clinic", "convenience_store"
ALL = sorted(c.id for c in CATALOG.in_access())
LINE = Town()
for block in range(60):  # a corner every block, so that a home on one is at whole blocks from everything
    LINE.street((block, 0), (block + 1, 0))


FEW = dataclasses.replace(
    CATALOG,
    categories={name: CATALOG.categories[name] for name in (CLINIC, SHOP, "kindergarten", "emergency_station")},
)


def measure(town, homes, served, *, catalog=CATALOG, sourced=None, profile="rural", **more):
    at = homes if isinstance(homes, pd.DataFrame) else places(homes, profile=profile)
    there = facilities(*served)
    named = frozenset(there["category"]) if sourced is None else frozenset(sourced)
    measured = measure_access(at, there, streets=town.streets(), catalog=catalog, sourced=named, **more)
    return measured.access, at


def row(access, place="P0", category=CLINIC):
    found = access[access["deciding"] & (access["place_id"] == place) & (access["category"] == category)]
    assert len(found) == 1
    return found.iloc[0]


def with_limit(minutes: float, category=CLINIC):
    return CATALOG.with_overrides({f"{category}.rural.walk_min": minutes}, {})


def test_every_place_has_one_deciding_row_for_every_category():
    access, _ = measure(LINE, [(0, 0), (5, 0), (7, 1)], [(CLINIC, (3, 0))])
    deciding = access[access["deciding"]]
    assert (deciding.groupby("place_id").size() == len(ALL)).all()
    assert set(deciding["category"]) == set(ALL)
    assert set(access["status"]) <= set(STATUSES)


def test_the_rim_is_served():
    # 20 blocks of 1.5 minutes are exactly the half hour of a village clinic
    access, _ = measure(LINE, [(0, 0), (20, 0), (40, 0), (40.01, 0)], [(CLINIC, (20, 0))])
    statuses = [row(access, f"P{i}")["status"] for i in range(4)]
    assert statuses == ["served", "served", "served", "beyond_limit"]
    assert row(access, "P0")["time_min"] == 30.0


def test_people_are_counted_where_they_are_served():
    # 1, 2, 4, 8 people: the sum is a list of names
    access, _ = measure(LINE, [(0, 0), (19, 0), (45, 0), (21, 0)], [(CLINIC, (20, 0))])
    mine = access[access["deciding"] & (access["category"] == CLINIC)]
    assert mine["people_met"].sum() == 1 + 2 + 8
    assert mine["people"].sum() == 15


def test_the_straight_answer_stands_beside():
    town = Town().street((0, 0), (30, 0)).street((0, 0), (0, 4)).street((0, 4), (30, 4))
    access, _ = measure(town, [(30, 0)], [(SHOP, (30, 4))], profile="urban")
    found = row(access, category=SHOP)
    assert found["time_min"] == pytest.approx(64 * 1.5)
    assert found["straight_m"] == pytest.approx(400, abs=0.01)
    standard = CATALOG.standard(SHOP, "urban")
    assert (found["threshold_min"], found["radius_m"]) == (standard.walk_min, standard.radius_m)
    assert found["straight_met"] == (standard.radius_m >= 400)
    assert found["met"] == False  # noqa: E712  a nullable boolean


def test_no_data_is_not_a_lack():
    access, _ = measure(LINE, [(0, 0)], [(CLINIC, (3, 0))])
    found = row(access, category=SHOP)
    assert found["status"] == "no_data"
    assert pd.isna(found["met"])
    assert np.isnan(found["people_met"])
    assert SHOP not in set(distance_gaps(access)["category"])


def test_a_source_without_a_usable_row_is_no_facility():
    access, _ = measure(LINE, [(0, 0)], [(CLINIC, (3, 0))], sourced={CLINIC, SHOP})
    found = row(access, category=SHOP)
    assert found["status"] == "no_facility"
    assert found["met"] == False  # noqa: E712
    lost = facilities((SHOP, (1, 0))).assign(lon=np.nan, lat=np.nan)
    measured = measure_access(
        places([(0, 0)]), lost, streets=LINE.streets(), catalog=CATALOG, sourced=frozenset({SHOP})
    )
    # the row proves that there is one, and not where: unknown, not a lack
    assert row(measured.access, category=SHOP)["status"] == "no_data"


def test_without_a_threshold_there_is_a_time_and_no_verdict():
    assert CATALOG.standard("parking", "rural").walk_min is None
    access, _ = measure(LINE, [(0, 0)], [("parking", (2, 0))])
    found = row(access, category="parking")
    assert (found["status"], found["time_min"]) == ("no_standard", 3.0)
    assert pd.isna(found["met"])


def test_another_part_of_the_network_is_unreachable():
    town = Town().street((0, 0), (30, 0)).street((0, 25), (30, 25))
    access, _ = measure(town, [(5, 0), (5, 25)], [(CLINIC, (6, 25))])
    assert [row(access, f"P{i}")["status"] for i in range(2)] == ["unreachable", "served"]
    assert row(access)["straight_m"] == pytest.approx(2502, abs=1)  # near, and no way there
    assert np.isnan(row(access)["time_min"])


def test_too_far_from_a_street_is_off_the_network():
    access, _ = measure(LINE, [(5, 20.1), (5, 19.9)], [(CLINIC, (5, 0))])
    assert [row(access, f"P{i}")["status"] for i in range(2)] == ["off_network", "served"]


def test_outside_the_data_and_without_position():
    # a block outside of the box, two blocks from the street: near, and beyond what the data can tell
    cut = Town(cut=True, margin=1).street((0, 0), (60, 0))
    at = places([(0, 0), (500, 0), (1, 0), (30, 2)])
    at.loc[2, ["lon", "lat"]] = np.nan
    access, _ = measure(cut, at, [(CLINIC, (31, 0))])
    assert [row(access, f"P{i}")["status"] for i in range(4)] == ["beyond_limit", *["outside_data"] * 3]
    for place in ("P1", "P2", "P3"):
        found = row(access, place)
        assert pd.isna(found["met"])
        assert np.isnan(found[["time_min", "time_to_min", "distance_m"]].astype(float)).all()
        assert found["facility_id"] == ""
    assert len(access[access["place_id"] == "P2"]) == len(access[access["place_id"] == "P0"])
    assert check_laws({"places": at, "access": access}, catalog=CATALOG)["held"].all()


def test_without_a_box_those_within_reach_of_a_street_are_inside():
    # the extent of the streets is a line; people live to both sides of it
    access, _ = measure(LINE, [(30, 0.5), (30, 0), (30, -10), (30, 40)], [(CLINIC, (31, 0))])
    assert [row(access, f"P{i}")["status"] for i in range(4)] == ["served", "served", "served", "outside_data"]


def test_a_place_does_not_depend_on_another():
    alone, _ = measure(LINE, [(3, 2)], [(CLINIC, (9, 0))])
    far = places([(3, 2), (5, 0)])
    far.loc[1, "lon"] = -102.84
    together, _ = measure(LINE, far, [(CLINIC, (9, 0))])
    assert row(alone)["time_min"] == row(together)["time_min"]


def test_the_rim_belongs_to_a_limit_of_any_decimals():
    # 4.1 min is 246,000 ms, and 4.1 * 60,000 a little less in binary; 273.33 m take an adult 4.1 min
    access, _ = measure(
        Town().street((0, 0), (30, 0)), [(0, 0)], [(CLINIC, (0, 2.73333))], catalog=with_limit(4.1)
    )
    found = row(access)
    assert found["time_min"] == pytest.approx(4.1, abs=1e-9)
    assert found["status"] == "served"


def test_a_clinic_that_meets_no_street_of_the_data_is_no_facility():
    access, _ = measure(LINE, [(0, 0)], [(CLINIC, (900, 900))])
    assert row(access)["status"] == "no_facility"


def test_ties_go_to_the_smallest_id():
    access, _ = measure(LINE, [(10, 0)], [(CLINIC, (15, 0)), (CLINIC, (5, 0))])
    assert row(access)["facility_id"] == "F0"
    there = facilities((CLINIC, (15, 0)), (CLINIC, (5, 0))).assign(facility_id=["F1", "F0"])
    measured = measure_access(
        places([(10, 0)]), there, streets=LINE.streets(), catalog=CATALOG, sourced=frozenset(ALL)
    )
    assert row(measured.access)["facility_id"] == "F0"
    assert row(measured.access)["distance_m"] == pytest.approx(500, abs=0.01)


def test_each_category_asks_its_own_persona():
    given_ = [("kindergarten", (10, 0)), ("primary_school", (10, 0)), (CLINIC, (10, 0))]
    access, _ = measure(LINE, [(0, 0)], given_)
    # a kilometre: an adult at 4.0, a child at 3.6 and a child by the hand at 3.0 km/h
    assert row(access)["time_min"] == 15.0
    assert row(access, category="primary_school")["time_min"] == pytest.approx(1000 / 60, abs=1 / 6000)
    assert row(access, category="kindergarten")["time_min"] == 20.0


def test_an_ambulance_drives_from_the_station():
    assert deciding_mode(CATALOG.categories["emergency_station"], "rural", "", NO_STANDARD) == "drive"
    one_way = Town().street((0, 0), (10, 0), oneway="yes").street((10, 0), (10, 10), (0, 10), (0, 0))
    access, _ = measure(one_way, [(10, 0)], [("emergency_station", (0, 0))])
    found = row(access, category="emergency_station")
    # 20 km/h: 0.3 min a block; out along the one-way street 10 blocks, home the long way round 30
    assert (found["mode"], found["time_back_min"], found["time_to_min"]) == (
        "drive",
        pytest.approx(3),
        pytest.approx(9),
    )
    assert found["time_min"] == found["time_back_min"]


def test_a_cut_side_may_hide_something_nearer():
    # a block and a half is 2.25 minutes from the cut: nothing beyond it is nearer than what the first found in 1.5
    # minutes, and much may be nearer than the 42 of the second
    town = Town(cut=True, margin=1.5).street((0, 0), (60, 0))
    access, _ = measure(town, [(30, 0), (3, 0)], [(CLINIC, (31, 0))], catalog=with_limit(3))
    assert [bool(row(access, f"P{i}")["edge_affected"]) for i in range(2)] == [False, True]
    # where nothing is found, what counts is whether the limit reaches over the cut
    none, _ = measure(town, [(30, 0)], [], sourced={CLINIC}, catalog=with_limit(3))
    assert row(none)["edge_affected"]
    none, _ = measure(town, [(30, 0)], [], sourced={CLINIC}, catalog=with_limit(2))
    assert not row(none)["edge_affected"]
    wide = Town(cut=True, margin=50).street((0, 0), (60, 0))
    access, _ = measure(wide, [(30, 0), (3, 0)], [(CLINIC, (31, 0))], catalog=with_limit(3))
    # the near one waits 1.5 of 3 minutes, 50 blocks from every side; the far one walks 42 min to the clinic
    assert [bool(row(access, f"P{i}")["edge_affected"]) for i in range(2)] == [False, False]
    access, _ = measure(LINE, [(30, 0)], [(CLINIC, (31, 0))])
    assert not access["edge_affected"].any()  # a file that was not cut has no cut side


def test_one_threshold_moves_exactly_its_rows():
    given_ = [(CLINIC, (10, 0)), (SHOP, (10, 0))]
    before, _ = measure(LINE, [(0, 0), (9, 0)], given_)
    after, _ = measure(LINE, [(0, 0), (9, 0)], given_, catalog=with_limit(14))
    changed = (before["status"] != after["status"]) | (before["met"].fillna(False) != after["met"].fillna(False))
    assert set(before.loc[changed, "place_id"]) == {"P0"}
    assert set(before.loc[changed, "category"]) == {CLINIC}
    assert (before["time_min"].fillna(-1) == after["time_min"].fillna(-1)).all()


def test_nothing_given_is_changed():
    at, there = places([(0, 0)]), facilities((CLINIC, (1, 0)))
    copies = at.copy(), there.copy()
    measure_access(at, there, streets=LINE.streets(), catalog=CATALOG, sourced=frozenset(ALL))
    pd.testing.assert_frame_equal(at, copies[0])
    pd.testing.assert_frame_equal(there, copies[1])


def test_no_facilities_at_all():
    access, _ = measure(LINE, [(0, 0)], [], sourced={CLINIC})
    assert row(access)["status"] == "no_facility"
    assert row(access, category=SHOP)["status"] == "no_data"


def test_snaps_say_where_each_point_meets_the_street():
    measured = measure_access(
        places([(5, 1)]),
        facilities((CLINIC, (7, 2))),
        streets=LINE.streets(),
        catalog=CATALOG,
        sourced=frozenset(ALL),
    )
    adult = measured.snaps[(measured.snaps["persona"] == "adult") & (measured.snaps["mode"] == "walk")]
    assert adult["point_id"].tolist() == ["P0", "F0"]
    np.testing.assert_allclose(adult["distance_m"], [100, 200], atol=0.01)
    assert adult["status"].tolist() == ["ok", "ok"]


def test_nobody_walks_through_the_river_to_a_car():
    # the far bank: 1 km of lanes for cars and 2 km for feet, 5 blocks from the road of the station
    town = Town().street((0, 0), (30, 0))
    town.street((0, 5), (10, 5), highway="track").street((10, 5), (20, 5), highway="path").street(
        (20, 5), (25, 5), highway="path"
    )
    access, _ = measure(town, [(5, 5), (5, 1)], [("fire_station", (6, 0)), (CLINIC, (6, 0))])
    for category in ("fire_station", CLINIC):
        assert row(access, "P0", category)["status"] == "unreachable"
    assert row(access, "P1", "fire_station")["mode"] == "drive"
    assert row(access, "P1", "fire_station")["time_min"] == pytest.approx(1.5 + 0.3, abs=0.001)


# --- circles ----------------------------------------------------------------------------------------------


def judged(access, at, name, place="P0", persona="adult"):
    circles = judge_circles(access, at, catalog=CATALOG, personas=("adult", "elderly"))
    found = circles[(circles["list"] == name) & (circles["place_id"] == place) & (circles["persona"] == persona)]
    return None if found.empty else found.iloc[0]


def test_a_list_counts_what_is_met_missing_and_unknown():
    # the policy's six: two in reach, one beyond, one in a source without rows, two in no source
    six = CATALOG.on_list("policy_3_named_six")
    with_standard = [c for c in six if CATALOG.standard(c, "rural").walk_min is not None]
    near, far, empty = with_standard[:2], with_standard[2], with_standard[3]
    served = [*((c, (1, 0)) for c in near), (far, (59, 0))]
    access, at = measure(LINE, [(0, 0)], served, sourced={*near, far, empty})
    found = judged(access, at, "policy_3_named_six")
    assert (found["met_n"], found["total_n"]) == (2, 4)
    # one person need own nothing: what is not there is only far
    assert (found["missing"], found["exist_n"]) == ("", 0)
    assert set(found["far"].split(";")) == {far, empty}
    assert set(found["unknown"].split(";")) == set(six) - {*near, far, empty}
    assert found["total_n"] + found["unknown_n"] + found["no_standard_n"] == found["list_n"] == 6


def test_a_slower_persona_may_lack_what_an_adult_has():
    # 950 m: an adult takes 14.25 min, an elderly person 19
    access, at = measure(LINE, [(0, 0)], [(SHOP, (9.5, 0))])
    assert CATALOG.standard(SHOP, "rural").walk_min == 15
    assert judged(access, at, "mofcom_basic")["met_n"] == 1
    assert judged(access, at, "mofcom_basic", persona="elderly")["met_n"] == 0


def test_towns_tiers_do_not_judge_a_village():
    access, at = measure(LINE, [(0, 0)], [(SHOP, (1, 0))])
    assert judged(access, at, "gb50180_5min") is None
    access, at = measure(LINE, [(0, 0)], [(SHOP, (1, 0))], profile="urban")
    assert judged(access, at, "gb50180_5min")["met_n"] == 1


# --- gaps and laws ----------------------------------------------------------------------------------------


def test_gaps_name_the_minutes_and_the_people():
    access, _ = measure(LINE, [(0, 0), (20, 0), (50, 0)], [(CLINIC, (20, 0))])
    gaps = distance_gaps(access)
    mine = gaps[gaps["category"] == CLINIC]
    assert mine[["place_id", "people", "over_min"]].values.tolist() == [["P2", 4.0, 15.0]]


def test_gaps_put_the_most_people_first():
    at = places([(45, 0), (50, 0), (55, 0)], people=[5, 90, 40])
    access, _ = measure(LINE, at, [(CLINIC, (0, 0))])
    gaps = distance_gaps(access)
    assert gaps[gaps["category"] == CLINIC]["place_id"].tolist() == ["P1", "P2", "P0"]


def test_coverage_names_its_base():
    at = places([(0, 0), (20, 0), (50, 0), (21, 0)], people=[1, 2, 4, np.nan])
    access, _ = measure(LINE, at, [(CLINIC, (20, 0))])
    found = coverage(access, at).set_index("category").loc[CLINIC]
    assert (found["judged_n"], found["met_n"], found["met_share"]) == (4, 3, 0.75)
    assert (found["people"], found["people_met"], found["people_unknown_n"]) == (7, 3, 1)
    assert found["people_share"] == pytest.approx(3 / 7)
    assert found["time_median_min"] == pytest.approx((1.5 + 30) / 2)
    nothing = coverage(access, at).set_index("category").loc[SHOP]
    assert nothing["judged_n"] == 0
    assert np.isnan(nothing["met_share"])
    assert nothing["n_no_data"] == 4


def tables():
    access, at = measure(LINE, [(0, 0), (50, 0)], [(CLINIC, (1, 0)), (SHOP, (9, 0))])
    circles = judge_circles(access, at, catalog=CATALOG, personas=("adult",))
    return {"places": at, "access": access, "circles": circles, "shares": circle_shares(circles, at)}


def test_sound_results_keep_every_law():
    laws = check_laws(tables(), catalog=CATALOG)
    assert laws["held"].all()
    assert (laws["checked_n"] > 0).all()


def test_people_who_vanish_break_a_law():
    whole = pd.DataFrame({"item": ["raster_total", "at_places", "nowhere"], "number": [10.0, 7.0, 3.0]})
    assert check_laws({"balance": whole}, catalog=CATALOG)["held"].all()
    assert not check_laws({"balance": whole.assign(number=[10.0, 7.0, 2.0])}, catalog=CATALOG)["held"].any()


@pytest.mark.parametrize(
    ("law", "table", "column", "value"),
    [
        ("one_status", "access", "status", "maybe"),
        ("served_in_time", "access", "time_min", 999.0),
        ("time_only_where_reached", "access", "time_min", np.nan),
        ("no_shorter_than_straight", "access", "distance_m", 1.0),
        ("met_is_served", "access", "met", False),
        ("met_is_served", "access", "met", pd.NA),
        ("people_met_are_people", "access", "people_met", 2.0),
        ("time_between_its_legs", "access", "time_min", 0.1),
        ("time_between_its_legs", "access", "time_back_min", -1.0),
        ("every_place_once", "access", "place_id", "P9"),
        ("circle_adds_up", "circles", "total_n", 99),
        ("one_status", "access", "requirement", "perhaps"),
        ("served_in_time", "access", "status", "beyond_limit"),
        ("time_only_where_reached", "access", "status", "no_data"),
        ("time_only_where_reached", "access", "facility_id", ""),
        ("people_met_are_people", "access", "people", 0.5),
        ("people_met_are_people", "access", "people_met", 0.01),
        ("threshold_is_the_standard", "access", "threshold_min", 60.0),
        ("every_list_judged", "circles", "list_n", 99),
        ("every_list_judged", "circles", "place_id", "P9"),
        ("shares_are_shares", "shares", "people_share_low", 0.9),
        ("shares_are_shares", "shares", "people_share_high", 1.5),
        ("shares_are_shares", "shares", "judged_n", 7),
        ("shares_are_shares", "shares", "missing_n", -1),
        ("known_sizes", "places", "pop", 2_000.0),
    ],
)
def test_a_broken_law_is_caught(law, table, column, value):
    broken = {name: frame.copy() for name, frame in tables().items()}
    frame = broken[table]
    # the row of the clinic of the first place, which is served
    at = row(frame).name if table == "access" else frame.index[0]
    frame.loc[at, column] = value
    laws = check_laws(broken, catalog=CATALOG).set_index("law")
    assert not laws.loc[law, "held"]
    assert laws.loc[law, "worst"] > 0


def scaled(columns, factor):
    return lambda frame: frame.assign(**{name: frame[name] * factor for name in columns})


@pytest.mark.parametrize(
    ("law", "table", "change"),
    [
        ("no_faster_than_possible", "access", scaled(["time_min", "time_to_min", "time_back_min"], 1 / 20)),
        ("threshold_is_the_standard", "access", scaled(["threshold_min"], 2)),
        ("people_met_are_people", "access", scaled(["people", "people_met"], 0.5)),
        ("every_list_judged", "circles", lambda frame: frame[frame["place_id"] != "P1"]),
        ("every_list_judged", "circles", lambda frame: frame.assign(**{
            name: frame[name] + 1 for name in ("met_n", "total_n", "list_n")})),
        ("shares_are_shares", "shares", scaled(
            ["places_n", "judged_n", "all_met_n", "people", "people_all_met", "exist_n", "exist_met_n", "missing_n"], 2)),
        ("known_sizes", "places", lambda frame: frame.assign(pop=3_000.0)),
    ],
    ids=["quicker", "thresholds", "people", "lost", "counts", "shares", "sizes"],
)  # fmt: skip
def test_a_whole_column_that_is_wrong_is_caught(law, table, change):
    whole = tables()
    laws = check_laws(whole | {table: change(whole[table])}, catalog=CATALOG).set_index("law")
    assert not laws.loc[law, "held"]


def test_a_long_straight_edge_far_from_the_middle_of_the_zone_breaks_no_law():
    # 2 degrees of longitude off the meridian of the zone the plane moves its scale by some 1e-5 along 10 km
    lon = np.array([104.4, 104.5])
    at = pd.concat(
        [places([(0, 0)]).assign(lon=lon[0] + f * 0.1, place_id=f"P{n}") for n, f in enumerate((0.1, 0.37, 0.8))]
    )
    at = pd.concat([at, places([(0, 0)]).assign(lon=100.2, place_id="far")], ignore_index=True)
    there = facilities((CLINIC, (0, 0)), (CLINIC, (0, 0))).assign(lon=[lon[0] + 0.055, lon[0] + 0.02])
    lat = np.full(2, at["lat"].iloc[0])
    ways = osm.OsmWays(tags=pd.DataFrame([[1, *("residential" if k == "highway" else "" for k in osm.WAY_TAGS)]],
                                         columns=["way_id", *osm.WAY_TAGS]),
                       offset=np.array([0, 2]), node_id=np.array([1, 2]), lon=lon, lat=lat, box=None)  # fmt: skip
    access = measure_access(at, there.assign(lat=lat), streets=build_streets(ways), catalog=CATALOG,
                            sourced=frozenset({CLINIC})).access  # fmt: skip
    assert access["time_min"].notna().sum() >= 3
    laws = check_laws({"places": at, "access": access}, catalog=CATALOG).set_index("law")
    assert laws.loc["no_shorter_than_straight", "held"], laws.loc["no_shorter_than_straight", "worst"]


@pytest.mark.parametrize("lost", [slice(0), slice(None, -1), slice(1, None)])
def test_rows_that_vanish_break_a_law(lost):
    whole = tables()
    deciding = whole["access"][whole["access"]["deciding"]]
    kept = deciding.iloc[lost]
    laws = check_laws(whole | {"access": kept}, catalog=CATALOG).set_index("law")
    assert not laws.loc["every_place_once", "held"]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(-5, 5)), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from([CLINIC, SHOP, "kindergarten"]), st.tuples(st.integers(0, 60), st.just(0))),
        max_size=3,
    ),
    st.tuples(st.integers(0, 60), st.just(0)),
)
def test_a_new_clinic_takes_nothing_away_and_every_law_holds(homes, served, extra):
    asked = {"sourced": {CLINIC, SHOP, "kindergarten"}, "catalog": FEW}
    before, at = measure(LINE, homes, served, **asked)
    after, _ = measure(LINE, homes, [*served, (CLINIC, extra)], **asked)
    met = [frame.loc[frame["category"] == CLINIC, "people_met"].to_numpy() for frame in (before, after)]
    assert (met[1] >= met[0]).all()
    circles = judge_circles(after, at, catalog=FEW, personas=("adult", "elderly"))
    assert check_laws({"places": at, "access": after, "circles": circles}, catalog=FEW)["held"].all()


def test_straight_legs_and_straight_ways_cross_nothing_closed():
    """Two banks, a bridge 10 blocks to the east; the clinic and the home face each other across the river."""
    import shapely

    from tests.flatland import degrees

    town = Town().street((0, 0), (10, 0), (10, 6), (0, 6))
    homes, served = places([(0, 2.5)]), facilities(("village_clinic", (0, 3.5)))
    river = shapely.LineString(np.column_stack(degrees([(-30, 3), (9.9, 3)])))
    asked = {"streets": town.streets(), "catalog": CATALOG, "sourced": frozenset(["village_clinic"])}

    def minutes(**more):
        access = measure_access(homes, served, **asked, **more).access
        return access[(access["category"] == "village_clinic") & access["deciding"]].iloc[0]["time_min"]

    assert minutes() == pytest.approx(1.5, abs=1e-3)
    assert minutes(closed=np.array([river])) == pytest.approx((2.5 + 10 + 6 + 10 + 2.5) * 1.5, abs=0.01)
