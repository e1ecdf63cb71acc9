"""Care: predicted on towns of one street, grids against their laws, and how equal a share is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import coo_array, csgraph

from analysis.care import CARE_METHODS, measure_care
from analysis.equity import equity, gini, palma
from analysis.grids import draw_grids, neighbours
from analysis.laws import check_laws
from tests.flatland import CATALOG, Town, degrees, facilities, places

BLOCK = 1.5
"""Minutes of an adult for a block; half an hour to a village clinic is 20 of them."""


def clinics(*given):
    """Institutions of (category, point, doctors, beds)."""
    frame = facilities(*((category, at) for category, at, *_ in given))
    frame["doctors"] = [float(doctors) for _, _, doctors, *_ in given]
    frame["beds"] = [float(rest[0]) if rest else np.nan for _, _, _, *rest in given]
    return frame


def measured(homes, served, **more):
    town = Town().street((0, 0), (90, 0))
    return measure_care(
        homes, served, streets=town.streets(), catalog=CATALOG, sourced=frozenset(CATALOG.categories), **more
    )


def of(table, level, method="balanced"):
    return table[(table["level"] == level) & (table["method"] == method)].set_index("place_id")


def test_two_villages_share_their_clinics_as_each_method_says():
    homes = places([(0, 0), (15, 0)], people=[600, 1200])
    found = measured(homes, clinics(("village_clinic", (0, 0), 1), ("village_clinic", (15, 0), 2)))
    near = of(found.care, "village")
    assert near["nearest_min"].tolist() == [0, 0]
    assert near["facility_id"].tolist() == ["F0", "F1"]
    two = of(found.care, "village", "2sfca")
    assert two["per_1000"].tolist() == pytest.approx([1000 * 3 / 1800] * 2)
    # 22.5 minutes are in the third zone; each parts itself 1 to 0.22
    part, rest = 1 / 1.22, 0.22 / 1.22
    first, second = 1000 / (600 * part + 1200 * rest), 2000 / (600 * rest + 1200 * part)
    assert near["per_1000"].tolist() == pytest.approx([first * part + second * rest, first * rest + second * part])
    assert near["staff_short"].tolist() == [0, 0]
    levels = found.care_levels.set_index(["level", "method"])
    assert levels.loc[("village", "balanced"), "staff_reached"] == 3
    tables = {"care": found.care, "care_levels": found.care_levels, "grids": found.grids}
    assert check_laws(tables, catalog=CATALOG)["held"].all()
    wrong = found.care.assign(per_1000=found.care["per_1000"] * 1.01)
    laws = check_laws(tables | {"care": wrong}, catalog=CATALOG).set_index("law")["held"]
    assert not laws["care_is_shared_once"]
    lost = found.care.assign(grid_id="nowhere")
    assert not check_laws(tables | {"care": lost}, catalog=CATALOG).set_index("law")["held"]["one_grid_each"]


def test_what_is_short_is_what_the_standard_lacks_and_who_reaches_none_lacks_all():
    homes = places([(0, 0), (60, 0)], people=[2000, 500])
    found = measured(homes, clinics(("village_clinic", (5, 0), 1)))
    own = of(found.care, "village")
    assert own["per_1000"].tolist() == [0.5, 0]
    assert own["staff_short"].tolist() == pytest.approx([1.0, 0.5])
    assert own["nearest_min"].tolist() == pytest.approx([5 * BLOCK, 55 * BLOCK], abs=1e-3)
    assert own["status"].tolist() == ["ok", "ok"]
    assert of(found.care, "county")["nearest_min"].isna().all()


def test_a_clinic_that_tells_no_doctors_leaves_a_gap_and_a_rule_fills_it():
    import dataclasses

    homes = places([(0, 0), (60, 0)], people=[2000, 500])
    served = clinics(("village_clinic", (5, 0), np.nan), ("village_clinic", (60, 0), 1))
    own = of(measured(homes, served).care, "village")
    assert own["status"].tolist() == ["staff_unknown", "ok"]
    assert own["per_1000"].isna().tolist() == [True, False]
    assert own["nearest_min"].notna().all()
    ruled = dataclasses.replace(CATALOG, default_staff={"village_clinic": 4.0})
    town = Town().street((0, 0), (90, 0))
    found = measure_care(
        homes, served, streets=town.streets(), catalog=ruled, sourced=frozenset(CATALOG.categories)
    )
    assert of(found.care, "village")["per_1000"].tolist() == [2.0, 2.0]


def test_beds_that_not_all_tell_are_counted_apart():
    homes = places([(0, 0), (60, 0)], people=[2000, 500])
    served = clinics(("township_hospital", (5, 0), 1, np.nan), ("township_hospital", (60, 0), 1, 0))
    levels = measured(homes, served).care_levels.set_index(["level", "method"]).loc[("town", "2sfca")]
    assert (levels["untold_n"], levels["people_unsaid"]) == (0, 0)
    assert levels["untold_beds_n"] == 1
    # the limit of a town's hospital is passed on foot: each place has its own
    assert levels["people_beds_unsaid"] == 2000
    assert levels["beds_short"] == pytest.approx(500 / 1000 * levels["standard_beds"])


def test_one_house_with_two_signs_is_one_institution():
    homes = places([(0, 0), (2, 0)], people=[2000, 500])
    served = clinics(("township_hospital", (1, 0), 3, 9), ("community_health_centre", (1, 0), 3, np.nan))
    served["facility_id"] = served["facility_name"] = "H"
    lon, lat = degrees([(-9, -9), (9, 9)])
    layer = gpd.GeoDataFrame(
        {"id": ["G"], "lead": ["H"]}, geometry=[shapely.box(*lon[:1], *lat[:1], *lon[1:], *lat[1:])], crs=4326
    )
    for found in (measured(homes, served), measured(homes, served[::-1].reset_index(drop=True), grids=layer)):
        levels = found.care_levels.set_index(["level", "method"]).loc[("town", "2sfca")]
        assert (levels["staff"], levels["beds"], levels["untold_beds_n"]) == (3, 9, 0)
        assert of(found.care, "town", "2sfca")["per_1000"].tolist() == pytest.approx([1.2, 1.2])
        (grid,) = found.grids.to_dict("records")
        assert (grid["lead_facility_id"], grid["load"]) == ("H", pytest.approx(2500 / 3))


def test_where_no_source_carries_a_level_nothing_is_said_of_it():
    homes = places([(0, 0), (60, 0)], people=[2000, 500])
    town = Town().street((0, 0), (90, 0))
    found = measure_care(
        homes, clinics(("village_clinic", (5, 0), 1)), streets=town.streets(), catalog=CATALOG, sourced=frozenset()
    )
    own = of(found.care, "village")
    assert own["status"].tolist() == ["no_data", "no_data"]
    assert own["per_1000"].isna().all()
    assert own["nearest_min"].notna().all()
    reach = found.care_reach.set_index("level")
    assert reach.loc["any", "status"] == "no_data"
    assert reach["met"].isna().all()  # four in five are near one, and the others may be
    assert found.care_levels["staff_short"].isna().all()
    assert (found.care_levels["people_unsaid"] == 2500).all()


def test_who_lived_there_before_draws_on_the_same_doctors():
    homes = places([(0, 0)], people=[500])
    homes["pop_host"] = 1500.0
    found = measured(homes, clinics(("village_clinic", (0, 0), 1)))
    assert of(found.care, "village")["per_1000"].tolist() == [0.5]


def test_a_settlement_that_rides_reaches_further_and_hospitals_are_driven_to():
    homes = places([(0, 0), (0, 0)], people=[10, 10], usual_mode="ebike").assign(place_id=["A", "B"])
    homes.loc[1, "usual_mode"] = ""
    # 45 blocks are 67 minutes on foot and 13.5 at 20 km/h; the hospital at 50 is 10 minutes by car at 30
    served = clinics(
        ("village_clinic", (45, 0), 1),
        ("township_hospital", (45, 0), 5, 20),
        ("county_hospital", (50, 0), 50, 200),
    )
    found = measured(homes, served)
    assert of(found.care, "village")["nearest_min"].tolist() == pytest.approx([13.5, 67.5], abs=0.02)
    assert of(found.care, "village")["per_1000"].tolist() == pytest.approx([100, 0])
    assert of(found.care, "county")["nearest_min"].notna().all()
    assert of(found.care, "county", "2sfca")["beds_per_1000"].tolist() == pytest.approx([10_000, 10_000])
    reach = found.care_reach.set_index("level")
    assert reach.loc["village", "share"] == 0.5
    assert reach.loc["any", "people_within"] == 20  # the hospital, by car
    refer = found.referrals.set_index(["level", "facility_id"])
    assert refer.loc[("village", "F0"), "next_facility_id"] == "F1"
    assert refer.loc[("village", "F0"), "drive_min"] == pytest.approx(0, abs=1e-4)
    assert refer.loc[("town", "F1"), "next_facility_id"] == "F2"


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(3)
    homes = places([(int(x), 0) for x in rng.integers(0, 90, 12)], people=rng.integers(1, 900, 12))
    served = clinics(*(("township_hospital", (int(x), 0), int(d), 9) for x, d in rng.integers(1, 80, (5, 2))),
                     *(("village_clinic", (int(x), 0), 1) for x in rng.integers(1, 80, 6)))  # fmt: skip
    found = measured(homes, served)
    again = measured(homes[::-1].reset_index(drop=True), served[::-1].reset_index(drop=True))
    keys = ["place_id", "level", "method"]
    # sums are made in another order
    pd.testing.assert_frame_equal(
        *(one.care.sort_values(keys, ignore_index=True) for one in (found, again)), rtol=1e-9
    )
    pd.testing.assert_frame_equal(*(one.grids.sort_values("grid_id", ignore_index=True) for one in (found, again)))
    assert set(found.care["method"]) == set(CARE_METHODS)
    assert (found.care["grid_id"] != "").all()


def test_given_grids_are_checked_as_a_partition():
    homes = places([(0, 0), (20, 0), (40, 0), (80, 0)], people=[100, 200, 300, 400])
    served = clinics(("township_hospital", (0, 0), 4), ("township_hospital", (40, 0), 5))
    boxes = []
    for low, high in ((-1, 25), (15, 45)):
        lon, lat = degrees([(low, -3), (high, 3)])
        boxes.append(shapely.box(lon[0], lat[0], lon[1], lat[1]))
    layer = gpd.GeoDataFrame(
        {"id": ["A", "B"], "name": ["一", "二"], "lead": ["F0", "谁"]}, geometry=boxes, crs=4326
    )
    found = measured(homes, served, grids=layer)
    own = of(found.care, "town")
    assert own["grid_id"].tolist() == ["A", "A", "B", ""]
    assert found.given.overlaps == [(0, 1)]
    assert found.given.several.tolist() == [1, 2, 1, 0]
    assert found.given.lead.tolist() == [0, -1]
    table = found.grids.set_index("grid_id")
    assert table["people"].tolist() == [300, 300]
    assert table["load"].tolist()[0] == 75
    assert np.isnan(table["load"].tolist()[1])


def contiguous(grid, edges):
    for g in set(grid.tolist()) - {-1}:
        mine = np.flatnonzero(grid == g)
        own = edges[np.isin(edges, mine).all(axis=1)]
        graph = coo_array((np.ones(len(own)), (own[:, 0], own[:, 1])), shape=(len(grid), len(grid)))
        _, part = csgraph.connected_components(graph, directed=False)
        if len(set(part[mine].tolist())) > 1:
            return False
    return True


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 10_000))
def test_drawn_grids_hold_everybody_once_hang_together_and_are_no_less_even(n, m, seed):
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 12, (n, 2)).astype(float)
    lead = rng.integers(0, 12, (m, 2)).astype(float)
    people = rng.integers(0, 50, n).astype(float)
    time = np.abs(xy[:, None, :] - lead[None, :, :]).sum(axis=2) * 10
    weight = rng.integers(1, 5, m).astype(float)
    grid = draw_grids(xy, people, time, weight, lead_xy=lead, limit_min=60)
    assert ((grid >= 0) & (grid < m)).all()
    edges = neighbours(xy)
    assert contiguous(grid, edges)
    nearest = time.argmin(axis=1)
    moved = grid != nearest
    if contiguous(nearest, edges):
        assert (time[moved, grid[moved]] <= np.maximum(60, time[moved].min(axis=1))).all()
        even = [(np.bincount(g, people, m) ** 2 / weight).sum() for g in (grid, nearest)]
        assert even[0] <= even[1] + 1e-6


@given(hnp.arrays(np.int64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.integers(0, 6)))
def test_neighbours_are_those_with_nobody_between_and_all_hang_together(spots):
    xy = spots.astype(float)
    edges = neighbours(xy)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(xy), len(xy)))
    assert csgraph.connected_components(graph, directed=False)[0] == 1
    for a, b in edges:
        middle, radius = (xy[a] + xy[b]) / 2, np.hypot(*(xy[a] - xy[b])) / 2
        assert (np.hypot(*(xy - middle).T) >= radius - 1e-9).all()


@given(
    hnp.arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 100).map(float)),
    st.integers(0, 1000),
)
def test_gini_is_the_mean_difference_and_palma_the_tenth_over_the_two_fifths(value, seed):
    people = np.random.default_rng(seed).integers(1, 5, len(value)).astype(float)
    each = np.repeat(value, people.astype(int))
    if each.sum() == 0:
        assert np.isnan(gini(value, people))
        return
    due = np.abs(each[:, None] - each[None, :]).mean() / (2 * each.mean())
    assert gini(value, people) == pytest.approx(due, abs=1e-9)
    ten = np.sort(np.repeat(each, 10))
    poor, rich = ten[: len(ten) * 4 // 10].sum(), ten[len(ten) * 9 // 10 :].sum()
    assert palma(value, people) == (pytest.approx(rich / poor) if poor else np.inf)


def test_equity_tells_who_is_served_and_who_is_below():
    homes = places([(0, 0), (15, 0), (60, 0)], people=[600, 1200, 200])
    homes["place_kind"] = ["settlement", "host", "settlement"]
    found = measured(homes, clinics(("village_clinic", (0, 0), 1), ("village_clinic", (15, 0), 1)))
    table = equity(homes, found.care, None, least={"village": 1.0}, care_method="2sfca", seats_view="")
    own = table[table["part"] == "village"].set_index(["by", "name"])
    assert own.loc[("all", "all"), ["people", "served_people", "people_below"]].tolist() == [2000, 1800, 200]
    assert own.loc[("all", "all"), "mean"] == pytest.approx(2000 / 1800)
    assert own.loc[("all", "all"), "gini"] == pytest.approx(0, abs=1e-12)
    assert own.loc[("moved", "moved"), "below_share"] == 0.25
    assert own.loc[("moved", "host"), "below_share"] == 0
