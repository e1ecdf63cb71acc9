"""School seats: predicted on towns of one street, and held against laws on drawn ones."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.laws import check_laws
from analysis.seats import METHODS, place_pupils, pupils, school_pools
from layers.places import AGES
from tests.flatland import CATALOG, Town, degrees, facilities, places

PARTS = ["day_placed", "board_placed", "bus_placed", "unplaced_distance", "unplaced_capacity"]
CHILD = 100 / 60
"""Minutes of a child for a block; the limit of primary school is 40 min in the country, 24 blocks."""


def children(points, *, ages, **more):
    """Places with children of 6–8 and 9–11 (and 12–14 if told)."""
    frame = places(points, **more)
    for number, told in enumerate(ages):
        frame.loc[number, list(AGES)] = 0.0
        frame.loc[number, ["age_6_8", "age_9_11", "age_12_14"][: len(told)]] = told
    return frame.assign(ages_source="ledger")


def schools(*given):
    """Schools of (category, point, seats, beds)."""
    frame = facilities(*((category, at) for category, at, *_ in given))
    frame["capacity"] = [float(seats) for _, _, seats, *_ in given]
    frame["boarding_beds"] = [float(rest[0]) if rest else np.nan for _, _, _, *rest in given]
    return frame


def placed(town, homes, served):
    return place_pupils(homes, served, streets=town.streets(), catalog=CATALOG, sourced=frozenset(CATALOG.schools))


def primary(table, year=0):
    return table[(table["stage"] == "primary") & (table["year"] == year)].reset_index(drop=True)


def told(methods):
    return methods[methods["stage"] == "primary"].set_index("method")["unplaced"].to_dict()


def street():
    return Town().street((0, 0), (60, 0))


def test_seats_go_to_those_who_have_no_other_and_the_cut_proves_what_is_short():
    homes = children([(0, 0), (10, 0), (60, 0)], ages=[(30, 30), (40, 40), (10, 0)])
    found = placed(street(), homes, schools(("primary_school", (5, 0), 100), ("primary_school", (30, 0), 20)))
    table = primary(found.seats).set_index("place_id")
    assert table["pupils"].tolist() == [60, 80, 10]
    assert table["unplaced_distance"].tolist() == [0, 0, 10]  # 30 blocks are 50 minutes
    assert table["unplaced_capacity"].sum() == 20
    assert table["day_placed"].sum() == 120
    assert table.loc["P0", "time_max_min"] == pytest.approx(5 * CHILD, abs=1e-3)
    assert table.loc["P1", "time_max_min"] == pytest.approx(20 * CHILD, abs=1e-3)
    (cut,) = primary(found.cuts.assign(stage="primary")).to_dict("records")
    assert (cut["places"], cut["facilities"]) == ("P0;P1", "F0;F1")
    assert (cut["pupils"], cut["seats"], cut["short"], cut["classes_short"]) == (140, 120, 20, 1)
    own = primary(found.schools).set_index("facility_id")
    assert own["placed"].tolist() == [100, 20]
    assert own["seat_value"].tolist() == [1, 1]
    assert own["classes_short"].tolist() == [1, 0]


def test_nearest_only_would_leave_more_without_a_seat():
    """All go to the near school first; the optimum sends those who can walk on."""
    homes = children([(0, 0), (20, 0)], ages=[(50, 0), (50, 0)])
    found = placed(street(), homes, schools(("primary_school", (19, 0), 50), ("primary_school", (40, 0), 50)))
    assert primary(found.seats)["unplaced_capacity"].sum() == 0
    assert primary(found.schools)["placed"].tolist() == [50, 50]
    assert len(primary(found.cuts.assign(stage="primary"))) == 0
    # both go to the near one; it takes who is next to it; half of it and all of the far one are shared
    assert told(found.methods) == {
        "nearest_only": 50,
        "in_order": 50,
        "two_step": 25,
        "optimum_by_day": 0,
        "optimum": 0,
    }


def test_a_nine_year_school_shares_its_seats_between_stages():
    homes = children([(0, 0)], ages=[(30, 0, 40)])
    found = placed(street(), homes, schools(("nine_year_school", (5, 0), 60)))
    table = found.seats[found.seats["year"] == 0].set_index("stage")
    assert table.loc[["primary", "junior"], "pupils"].tolist() == [30, 40]
    assert table["unplaced_capacity"].sum() == 10
    own = found.schools[found.schools["year"] == 0]
    assert own["stage"].tolist() == ["primary", "junior"]
    assert own["capacity"].sum() == own["placed"].sum() == 60
    assert (own["pool_id"] == "F0").all()
    assert found.cuts[found.cuts["year"] == 0]["stage"].tolist() == ["primary;junior"]


def test_a_teaching_point_takes_the_youngest_only():
    homes = children([(0, 0)], ages=[(30, 20)])
    found = placed(street(), homes, schools(("teaching_point", (5, 0), 100)))
    table = primary(found.seats)
    assert (table["day_placed"][0], table["unplaced_distance"][0]) == (30, 20)


def test_the_older_board_where_there_are_beds_and_the_youngest_never():
    # 50 blocks are 83 minutes on foot and a quarter of an hour by car
    homes = children([(0, 0)], ages=[(30, 20)])
    found = placed(street(), homes, schools(("primary_school", (50, 0), 100, 15)))
    table = primary(found.seats)
    assert table.loc[0, ["day_placed", "board_placed", "unplaced_distance", "unplaced_capacity"]].tolist() == [
        0,
        15,
        30,
        5,
    ]
    own = primary(found.schools)
    assert (own.loc[0, "boarders"], own.loc[0, "boarding_beds"]) == (15, 15)
    assert (own.loc[0, "seat_value"], own.loc[0, "bed_value"]) == (0, 1)
    (cut,) = found.cuts[found.cuts["year"] == 0].to_dict("records")
    assert (cut["pupils"], cut["seats"], cut["beds"], cut["short"]) == (20, 0, 15, 5)
    assert told(found.methods) == {
        "nearest_only": 50,
        "in_order": 50,
        "two_step": 50,
        "optimum_by_day": 50,
        "optimum": 35,
    }


def test_bands_grow_older():
    homes = children([(0, 0)], ages=[(30, 20)])
    homes.loc[0, ["age_0_2", "age_3_5"]] = [9, 15]
    by = {
        year: pupils(homes, CATALOG, year=year).groupby("stage")["pupils"].sum(min_count=1).to_dict()
        for year in (0, 3, 6)
    }
    assert by[0] == {"kindergarten": 15, "primary": 50, "junior": 0}
    assert by[3] == {"kindergarten": 9, "primary": 45, "junior": 20}
    assert (by[6]["primary"], by[6]["junior"]) == (24, 30)
    assert np.isnan(by[6]["kindergarten"])  # nobody knows who will be born
    found = placed(street(), homes, schools(("primary_school", (5, 0), 100)))
    later = found.seats[(found.seats["year"] == 6) & (found.seats["stage"] == "kindergarten")].iloc[0]
    assert later["status"] == "pupils_unknown"
    assert later[PARTS].isna().all()


def test_without_ages_a_ratio_stands_and_says_so_and_hosts_send_theirs():
    homes = places([(0, 0)], people=[1000]).assign(pop_host=500.0, ages_source="")
    table = pupils(homes, CATALOG).groupby("stage")["pupils"].sum()
    assert table.to_dict() == {"kindergarten": 48, "primary": 2 * (31 + 16), "junior": 31 + 16}
    assert set(pupils(homes, CATALOG)["pupils_source"]) == {"ratio"}
    both = children([(0, 0)], ages=[(30, 20)]).assign(pop_host=500.0)
    assert pupils(both, CATALOG).query("band == 'age_6_8'")[["pupils", "pupils_source"]].to_numpy().tolist() == [
        [46, "ledger;ratio"]
    ]
    hosts = pd.concat([homes, homes.assign(place_id="H0", place_kind="host", pop_host=0.0)], ignore_index=True)
    assert pupils(hosts, CATALOG).query("band == 'age_6_8'")["pupils"].tolist() == [31, 31]
    small = places([(0, 0)] * 100, people=[4] * 100).assign(ages_source="")
    assert pupils(small, CATALOG).query("stage == 'primary'")["pupils"].sum() == pytest.approx(400 * 0.062, abs=1)
    unknown = places([(0, 0)]).assign(pop=np.nan, ages_source="")
    assert pupils(unknown, CATALOG)["pupils"].isna().all()


def test_seats_come_from_classes_where_none_are_told_and_a_school_that_tells_neither_leaves_doubt():
    served = schools(
        ("primary_school", (5, 0), np.nan),
        ("primary_school", (8, 0), np.nan),
        ("junior_middle_school", (9, 0), -3),
    )
    served.loc[0, "classes"] = 6
    pools = school_pools(served, CATALOG)
    assert pools["seats"].tolist()[:1] == [270]
    assert pools["seats"].isna().tolist() == [False, True, True]
    assert pools["ceiling"].tolist()[:1] == [330]
    assert pools["capacity_source"].tolist() == ["classes", "", ""]
    found = placed(street(), children([(0, 0)], ages=[(300, 0)]), served)
    table = primary(found.seats)
    assert table["status"][0] == "seats_unknown"
    assert table.loc[0, PARTS].isna().all()
    assert primary(found.schools)["placed"].tolist() == [270, 0]
    by_rule = dataclasses.replace(CATALOG, default_seats={"primary_school": 20})
    ruled = school_pools(served, by_rule)
    assert ruled["seats"].tolist()[:2] == [270, 20]
    assert ruled["capacity_source"].tolist() == ["classes", "rule", ""]


def test_a_school_listed_under_two_kinds_has_its_seats_once():
    served = schools(("primary_school", (5, 0), 50), ("junior_middle_school", (5, 0), 80)).assign(facility_id="S")
    pools = school_pools(served, CATALOG)
    assert pools["seats"].tolist() == [80]
    assert pools["stages"].tolist() == [["primary", "junior"]]


def test_a_place_of_several_points_places_its_children_from_each():
    homes = children([(0, 0)], ages=[(11, 0)])
    lon, lat = homes["lon"][0], homes["lat"][0]
    points = pd.DataFrame(
        {"point_id": ["P0·1", "P0·2", "P0·3"], "place_id": "P0", "lon": lon, "lat": lat, "share": 1 / 3}
    )
    served = schools(("primary_school", (5, 0), 100))
    found = place_pupils(
        homes,
        served,
        streets=street().streets(),
        catalog=CATALOG,
        sourced=frozenset(CATALOG.schools),
        points=points,
    )
    assert primary(found.seats)["day_placed"].tolist() == [11]


def zone(*given):
    """Districts of (from block, to block, lead, kind) across the street."""
    boxes = []
    for low, high, *_ in given:
        lon, lat = degrees([(low, -1), (high, 1)])
        boxes.append(shapely.box(lon[0], lat[0], lon[1], lat[1]))
    words = {name: [one[n] for one in given] for name, n in (("lead", 2), ("kind", 3))}
    return gpd.GeoDataFrame(words, geometry=boxes, crs="EPSG:4326")


def short(found, view, year=0):
    own = primary(found.seats[found.seats["view"] == view], year)
    return own[["unplaced_distance", "unplaced_capacity"]].sum(axis=1).tolist()


def test_in_its_district_a_place_lacks_seats_that_its_neighbour_has_empty():
    homes = children([(0, 0), (20, 0)], ages=[(45, 45), (15, 15)])
    served = schools(("primary_school", (5, 0), 60), ("primary_school", (15, 0), 60))
    found = place_pupils(
        homes, served, streets=street().streets(), catalog=CATALOG, sourced=frozenset(CATALOG.schools),
        districts=zone((-1, 10, "F0", ""), (10, 30, "", "小学")),
    )  # fmt: skip
    assert short(found, "as_enrolled") == [30, 0]
    assert short(found, "free_optimum") == [0, 0]
    # the 15 of the first grade go over; of the other 75 of P0 60 have the seats and stay
    assert short(found, "intake_only") == [15, 0]
    # in three years those of 6 to 8 and a third of those of 9 to 11 began since, in six all
    assert short(found, "intake_only", 6) == short(found, "free_optimum", 6)
    assert check_laws({"seats": found.seats, "cuts": found.cuts, "schools": found.schools}, catalog=CATALOG)[
        "held"
    ].all()


def test_a_school_of_another_district_is_no_school_and_one_without_a_district_goes_anywhere():
    homes = children([(0, 0), (50, 0)], ages=[(10, 0), (10, 0)])
    served = schools(("primary_school", (5, 0), 60), ("primary_school", (45, 0), 60))
    found = place_pupils(
        homes, served, streets=street().streets(), catalog=CATALOG, sourced=frozenset(CATALOG.schools),
        districts=zone((-1, 3, "F1", "")),
    )  # fmt: skip
    own = primary(found.seats[found.seats["view"] == "as_enrolled"])
    assert own["unplaced_distance"].tolist() == [10, 0]  # the school that it belongs to is too far
    assert own["day_placed"].tolist() == [0, 10]


def test_as_enrolled_a_school_has_no_more_than_go_there():
    served = schools(("primary_school", (5, 0), 100))
    served["enrolled"] = 70.0
    found = placed(street(), children([(0, 0)], ages=[(60, 30)]), served)
    assert short(found, "as_enrolled") == [20]
    assert short(found, "free_optimum") == [0]
    assert short(found, "intake_only") == [0]  # the 20 who begin take seats that nobody has


numbers = st.integers(0, 60)
spots = st.integers(0, 60)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(spots, numbers, numbers, numbers), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(["primary_school", "nine_year_school", "teaching_point", "junior_middle_school"]), spots, numbers, st.integers(0, 20)), max_size=4),
    st.lists(st.one_of(st.none(), numbers), min_size=4, max_size=4),
    st.integers(0, 60),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_parts_add_up_nobody_sits_twice_and_the_order_of_rows_changes_nothing(
    homes, given_schools, enrolled, border, random
):
    people = children([(x, 0) for x, *_ in homes], ages=[told for _, *told in homes])
    served = schools(*((kind, (x, 0), seats, beds) for kind, x, seats, beds in given_schools))
    served["enrolled"] = [np.nan if told is None else float(told) for told in enrolled[: len(served)]]
    districts = zone((-1, border, "F0", "小学"), (border, 61, "", "")) if border % 2 else None

    def asked(people, served):
        return place_pupils(
            people,
            served,
            streets=street().streets(),
            catalog=CATALOG,
            sourced=frozenset(CATALOG.schools),
            districts=districts,
        )

    found = asked(people, served)
    table = found.seats.dropna(subset="pupils")
    assert (table[PARTS].sum(axis=1) == table["pupils"]).all()
    assert check_laws({name: getattr(found, name) for name in ("seats", "schools", "cuts")}, catalog=CATALOG)[
        "held"
    ].all()
    for (year, view), own in found.schools.groupby(["year", "view"]):
        per = own.groupby("facility_id")
        seats = served.groupby("facility_id")["capacity"].max()
        assert (per["placed"].sum() <= seats.reindex(per["placed"].sum().index)).all()
        if view == "as_enrolled":
            assert (per["placed"].sum() <= served.set_index("facility_id")["enrolled"].fillna(np.inf)).all()
        assert (per["capacity"].sum() == seats.reindex(per["capacity"].sum().index)).all()
        assert (per["boarders"].sum() <= per["boarding_beds"].first()).all()
        now = table[(table["year"] == year) & (table["view"] == view)]
        assert own["placed"].sum() == now[["day_placed", "board_placed"]].to_numpy().sum()
        if view != "intake_only":
            cuts = found.cuts[(found.cuts["year"] == year) & (found.cuts["view"] == view)]
            assert cuts["short"].sum() == now["unplaced_capacity"].sum()
    ways = found.methods.groupby("method")["unplaced"].sum().reindex(METHODS)
    assert (ways[["nearest_only", "in_order"]] >= ways["optimum_by_day"]).all() or ways.isna().all()
    assert ways["optimum_by_day"] >= ways["optimum"] or ways.isna().all()
    shuffled = [list(range(len(frame))) for frame in (people, served)]
    for order in shuffled:
        random.shuffle(order)
    again = asked(*(f.iloc[o].reset_index(drop=True) for f, o in zip((people, served), shuffled, strict=True)))
    for name, key in (("seats", "place_id"), ("schools", "facility_id")):
        keys = [key, "stage", "view", "year"]
        pd.testing.assert_frame_equal(
            *(getattr(one, name).sort_values(keys, ignore_index=True) for one in (found, again))
        )


def test_a_limit_of_nothing_places_only_who_lives_there():
    limit = dataclasses.replace(CATALOG.standard("primary_school", "rural"), walk_min=0.0)
    own = dataclasses.replace(CATALOG, standards={**CATALOG.standards, ("primary_school", "rural"): limit})
    homes = children([(0, 0), (5, 0)], ages=[(5, 0), (7, 0)])
    served = schools(("primary_school", (5, 0), 100))
    found = place_pupils(
        homes, served, streets=street().streets(), catalog=own, sourced=frozenset(CATALOG.schools)
    )
    assert primary(found.seats)["day_placed"].tolist() == [0, 7]


def test_of_who_is_nowhere_or_beyond_the_data_nothing_is_said():
    town = Town(cut=True, margin=5).street((0, 0), (60, 0))
    homes = children([(0, 0), (5, 0), (90, 0)], ages=[(5, 0), (7, 0), (9, 0)])
    homes.loc[1, ["lon", "lat"]] = np.nan
    table = primary(placed(town, homes, schools(("primary_school", (5, 0), 100))).seats)
    assert table["status"].tolist() == ["ok", "no_position", "outside_data"]
    assert table["day_placed"].isna().tolist() == [False, True, True]
    assert table["pupils"].tolist() == [5, 7, 9]


def test_who_has_no_seat_where_no_source_carries_the_schools_may_have_one():
    homes = children([(0, 0), (50, 0)], ages=[(5, 5), (3, 0)])
    served = schools(("primary_school", (5, 0), 10))
    found = place_pupils(
        homes, served, streets=street().streets(), catalog=CATALOG, sourced=frozenset({"teaching_point"})
    )
    table = primary(found.seats)
    assert table["status"].tolist() == ["ok", "no_data"]
    assert table.loc[1, PARTS].isna().all()
    assert len(found.cuts) == 0
    assert found.methods.loc[found.methods["stage"] == "primary", "unplaced"].isna().all()


def test_a_view_in_which_moving_harms_is_found():
    homes = children([(0, 0)], ages=[(45, 45)])
    served = schools(("primary_school", (5, 0), 60))
    served["enrolled"] = 30.0
    tables = {"seats": placed(street(), homes, served).seats}
    assert check_laws(tables, catalog=CATALOG).set_index("law")["held"]["moving_never_harms"]
    free = (tables["seats"]["view"] == "free_optimum") & (tables["seats"]["stage"] == "primary")
    wrong = tables["seats"].copy()
    wrong.loc[free, "unplaced_capacity"] += 70
    assert not check_laws({"seats": wrong}, catalog=CATALOG).set_index("law")["held"]["moving_never_harms"]


def test_a_school_that_tells_no_seats_harms_in_no_view():
    """Where it is in reach nothing is said, in each view; the law holds of what is said."""
    homes = children([(0, 0), (50, 0)], ages=[(45, 45), (8, 8)])
    served = schools(("primary_school", (5, 0), 60), ("primary_school", (45, 0), 60))
    served.loc[1, ["capacity", "classes"]] = np.nan
    served["enrolled"] = [30.0, 12.0]
    tables = {"seats": placed(street(), homes, served).seats}
    own = tables["seats"][(tables["seats"]["stage"] == "primary") & (tables["seats"]["pupils"] > 0)]
    assert set(own.loc[own["place_id"] == "P1", "status"]) == {"seats_unknown"}
    assert own.loc[own["place_id"] == "P1", PARTS].isna().all(axis=None)
    assert own.loc[own["place_id"] == "P0", PARTS].notna().all(axis=None)
    assert check_laws(tables, catalog=CATALOG)["held"].all()


def test_nobody_and_no_schools():
    found = placed(street(), children([(0, 0)], ages=[(5, 5)]), schools())
    assert primary(found.seats)["unplaced_distance"].tolist() == [10]
    assert len(found.schools) == len(found.cuts) == 0


@pytest.mark.parametrize(("table", "column", "law"), [
    ("seats", "day_placed", "pupils_add_up"), ("schools", "placed", "no_school_over_capacity"),
    ("schools", "boarders", "no_school_over_capacity"), ("schools", "placed", "seats_are_taken_once"),
    ("cuts", "short", "cuts_prove_what_is_short"),
])  # fmt: skip
def test_a_result_that_breaks_a_law_is_found(table, column, law):
    homes = children([(0, 0)], ages=[(30, 20)])
    found = placed(street(), homes, schools(("primary_school", (50, 0), 100, 15), ("teaching_point", (5, 0), 20)))
    tables = {name: getattr(found, name) for name in ("seats", "schools", "cuts")}
    assert check_laws(tables, catalog=CATALOG)["held"].all()
    wrong = tables[table].copy()
    wrong.loc[wrong.index[wrong["year"] == 0][0], column] += 200
    laws = check_laws(tables | {table: wrong}, catalog=CATALOG).set_index("law")
    assert not laws.loc[law, "held"]
