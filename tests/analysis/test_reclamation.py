"""Old homesteads on made-up ground: areas, slopes, gates and ways predicted by hand, and laws for any plots."""

from __future__ import annotations

import dataclasses
import tracemalloc

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from analysis.laws import check_laws
from analysis.plots import Land, measure_plots
from analysis.reclamation import (
    Around,
    Site,
    by_slope_class,
    by_way,
    claimed_by_another,
    decide,
    differs_from_ground,
    distances,
    fire,
    moved,
)
from geo import crs, io
from geo.io import Raster, RasterFiles
from layers.homesteads import plots as read_plots
from outputs.land import in_words
from outputs.messages import load
from tests.flatland import CATALOG

MU = 2000 / 3
ZONE = "EPSG:4543"
X, Y = 500_000.0, 3_100_000.0  # on the zone's own meridian, where its metres are true


def degrees(*shapes):
    metres = [
        shapely.box(X + b[0], Y + b[1], X + b[2], Y + b[3]) if isinstance(b, tuple)
        else None if b is None else shapely.transform(b, lambda xy: xy + np.array((X, Y)))
        for b in shapes
    ]  # fmt: skip
    return crs.geometry_to_degrees(np.array([*metres, None], object)[:-1], ZONE)


def plots(*shapes, **columns) -> gpd.GeoDataFrame:
    ids = [f"H{i}" for i in range(len(shapes))]
    frame = gpd.GeoDataFrame({"宅基地编号": ids, **columns}, geometry=degrees(*shapes), crs=4326)
    return read_plots(frame, CATALOG, file="旧宅.shp")[0]


def zone(*shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=degrees(*shapes), crs=4326)


def survey(*patches) -> gpd.GeoDataFrame:
    """Patches of (box, class)."""
    codes = [code for _, code in patches]
    frame = zone(*(box for box, _ in patches), class_code=codes, scheme="third_survey")
    frame["land_use"] = [CATALOG.land["third_survey"].use_of(code) for code in codes]
    frame["patch"] = [f"T{n}" for n in range(len(codes))]
    frame["deduct_rate"], frame["survey_year"] = 0.1, 2024.0
    return frame


def hillside(grade: float) -> Raster:
    """Ground that rises ``grade`` metres a metre to the east, in cells of 10 m around the plots."""
    x = np.arange(-100, 400, 10.0)
    values = np.tile((grade * x).astype(np.float32), (50, 1))
    return Raster(values, Affine(10, 0, X - 100, 0, -10, Y + 400), CRS.from_user_input(ZONE))


def slope(degrees_: float) -> Raster:
    return hillside(np.tan(np.radians(degrees_)))


def measured(given: gpd.GeoDataFrame, catalog=CATALOG, **land) -> pd.DataFrame:
    return measure_plots(given, Land(**land), catalog)[0]


def ways(given: gpd.GeoDataFrame, catalog=CATALOG, layers=None, **land) -> pd.DataFrame:
    found = measured(given, catalog, **land)
    around = Around({name: one.geometry.to_numpy() for name, one in (layers or {}).items()}, land.get("survey"))
    site = Site.of(given, found, around)
    site = site.with_measured(found.join(distances(site)))
    fired, number = fire(site, catalog)
    return site.measured.join(decide(site, fired, number, catalog))


def limits(**values):
    own = CATALOG.reclamation.with_overrides({key.replace("__", "."): value for key, value in values.items()})
    return dataclasses.replace(CATALOG, reclamation=own)


def test_areas_are_ellipsoidal_in_metres_and_mu():
    found = measured(plots((0, 0, 20, 10), (0, 0, 100, 100)))
    # two plots of 200 and 10,000 m², on the meridian whose scale is 1
    np.testing.assert_allclose(found["area_m2"], [200, 10_000], rtol=1e-6)
    np.testing.assert_allclose(found["area_mu"], [0.3, 15], rtol=1e-6)
    np.testing.assert_allclose(found["area_planar_m2"], [200, 10_000], rtol=1e-6)
    assert found["area_plausible"].tolist() == [True, False]
    assert found["slope_class"].isna().all()


@pytest.mark.parametrize(
    ("degrees_", "slope_class", "over", "check", "way"),
    [(1, 1, 0, False, "reclaim"), (5, 2, 0, False, "reclaim"), (14, 3, 0, False, "reclaim"),
     (19, 4, 0, False, "reclaim"), (21, 4, 0, True, "reclaim"), (26, 5, 1, True, "regreen"),
     (31, 5, 1, False, "regreen")],
)  # fmt: skip
def test_a_hillside_gives_its_class_and_the_law_its_way(degrees_, slope_class, over, check, way):
    found = ways(plots((50, 50, 65, 60)), terrain=slope(degrees_)).iloc[0]
    assert found["slope_deg_mean"] == pytest.approx(degrees_, abs=0.01)
    assert found["slope_class"] == slope_class
    assert found["slope_over_25_share"] == pytest.approx(over)
    assert found["field_check"] == check
    assert found["slope_source"] == "terrain"
    assert found["way"] == way
    assert ("steep" in found["gates"].split(";")) == (degrees_ > 25)


def test_what_has_no_shape_or_no_terrain_waits_with_its_reason():
    given = plots((50, 50, 65, 60), None, shapely.Point(0, 0), (9_000, 0, 9_010, 10))
    found = ways(given, terrain=hillside(0.1))
    assert found["area_m2"].isna().tolist() == [False, True, True, False]
    assert found["slope_source"].tolist() == ["terrain", "", "", ""]
    assert found["way"].tolist() == ["reclaim", "hold", "hold", "hold"]
    assert found["reason_codes"].tolist() == ["no_limit", "no_area", "no_area", "no_slope"]
    assert found.index.equals(given.index)
    assert by_way(found)["plots_n"].tolist() == [1, 3]


def test_a_point_with_the_area_of_a_ledger_stands_on_a_circle_and_is_looked_at():
    given = plots(shapely.Point(60, 60), 面积=[200.0])
    found = ways(given, terrain=slope(10), layers={"redline": zone((0, 0, 60, 400))}).iloc[0]
    assert (found["area_m2"], found["area_source"]) == (200, "ledger")
    assert found["slope_deg_mean"] == pytest.approx(10, abs=0.01)
    assert found["way"] == "regreen"  # half of the circle is inside
    assert found["reason_codes"] == "redline:0.5;no_polygon"
    assert found["field_check"]


def test_the_slope_map_of_the_survey_goes_before_the_terrain():
    given = plots((50, 50, 70, 60), (80, 50, 100, 60), (150, 50, 170, 60))
    told = zone((0, 0, 55, 400), (55, 0, 85, 400), (85, 0, 120, 400), slope_class=["2", "4", "5"])
    found = ways(given, terrain=slope(35), slope_map=told)
    assert found["slope_source"].tolist() == ["survey", "survey", "terrain"]
    assert found["slope_class"].tolist() == [4, 5, 5]
    assert found["slope_over_25_share"].tolist() == pytest.approx([0, 0.75, 1])
    # terrain of 35 degrees says nothing where the survey does
    assert found["way"].tolist() == ["reclaim", "regreen", "regreen"]
    assert found["field_check"].tolist() == [False, True, False]
    assert found["reason_codes"].tolist()[1] == "steep:75%;near_limit:75%/25"
    assert in_words("near_limit:75%/25", CATALOG, load("zh")) == "坡度接近限值（75.0% 的面积超过 25°）"
    assert in_words("near_limit:23.46°/25", CATALOG, load("en")) == "slope near the limit (mean 23.5°, limit 25°)"
    assert in_words("near_limit:/20", CATALOG, load("zh")) == "坡度接近限值（坡度级分不出是否超过 20°）"
    assert in_words("steep:75%;redline:0.5", CATALOG, load("zh")) == "坡度超过25度（75%）；在生态保护红线内（50%）"
    assert "（0.8°）" in in_words("steep:0.8", CATALOG, load("zh"))  # degrees, however few


def test_a_slope_map_that_terrain_contradicts_is_told():
    given_ = plots(*((at, 50, at + 10, 60) for at in (50, 150, 250)))
    classes = zone((0, 0, 100, 400), (100, 0, 200, 400), slope_class=[2, 3])
    _, problems = measure_plots(given_, Land(terrain=slope(20), slope_map=classes), CATALOG)
    assert [(p.code, dict(p.params)["ids"]) for p in problems] == [("slopes_differ", given_["homestead_id"][0])]
    _, problems = measure_plots(given_, Land(slope_map=classes), CATALOG)
    assert problems == []


def test_the_patch_that_is_told_is_one_of_the_class_that_is_told():
    patches = survey(((0, 0, 60, 400), "0301"), ((60, 0, 63, 400), "0702"), ((63, 0, 70, 400), "0301"))
    found, _ = measure_plots(plots((55, 50, 67, 60)), Land(survey=patches.assign(patch=["1", "2", "3"])), CATALOG)
    assert found[["survey_class", "survey_patch"]].to_numpy().tolist() == [["0301", "1"]]
    patches = survey(((0, 0, 58, 400), "0702"), ((58, 0, 63, 400), "0301"), ((63, 0, 90, 400), "0702"))
    found, _ = measure_plots(plots((54, 50, 67, 60)), Land(survey=patches.assign(patch=["1", "2", "3"])), CATALOG)
    assert found[["survey_class", "survey_patch"]].to_numpy().tolist() == [["0702", "1"]]


def test_a_layer_of_collectives_of_one_village_says_nothing_of_the_others():
    given_ = plots(
        *((at, 50, at + 10, 60) for at in (50, 150, 250)),
        所有权人=["甲村农民集体", "乙村农民集体", "甲村农民集体"],
    )
    owners = zone((0, 0, 100, 400)).assign(collective="甲村农民集体", owner_code="32")
    found = ways(given_, terrain=slope(10), collectives=owners)
    # the third is its own village's and lies outside of it
    assert found["way"].tolist() == ["reclaim", "reclaim", "hold"]
    assert found["crossing"].tolist() == [False, False, True]
    assert found["own_share"].isna().tolist() == [False, True, False]


def test_both_areas_are_held_against_the_polygon():
    given_ = plots((50, 50, 60, 60), (80, 50, 90, 60), 面积=[100.0, 100.0])
    told = pd.DataFrame({"area_m2": [300.0, 101.0], "file": "旧房.xlsx", "row": [3, 4]}, index=given_.index)
    _, problems = measure_plots(given_, Land(), CATALOG, ledger=told)
    assert [(p.code, p.file, dict(p.params)["ids"]) for p in problems] == [
        ("plot_area_differs", "旧房.xlsx", given_["homestead_id"][0])
    ]


def test_points_at_one_place_are_one_piece_and_many_of_them_ask_no_pairs():
    points = [shapely.Point(50, 50)] * 3 + [shapely.Point(85, 50), shapely.Point(200, 50)]
    given_ = plots(*points, 面积=[100.0, 400.0, 90.0, 100.0, 100.0])
    found = ways(given_, terrain=slope(10), survey=survey(((0, 0, 400, 400), "0702"), ((38, 0, 39, 60), "0103")))
    # from the largest circle (11.3 m) to the fourth (5.6 m round a point 35 m away) it is 18 m, to the field none
    assert len(set(found["piece_mu"].round(9)[:4])) == 1
    assert found["piece_mu"][4] < found["piece_mu"][0]
    assert found["piece_mu"][0] == pytest.approx((400 + 100 + 60) * 0.0015, rel=1e-3)
    heap = plots(*[shapely.Point(50, 50)] * 4000, 面积=[100.0] * 4000)
    tracemalloc.start()
    ways(heap, terrain=slope(10))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 300e6  # four thousand squared is sixteen million pairs


def test_where_no_forest_is_none_surrounds():
    given_ = plots((50, 50, 60, 60))
    own, _ = measure_plots(given_, Land(survey=survey(((0, 0, 400, 400), "0702"))), CATALOG)
    site = Site.of(given_, own, Around({}, survey(((0, 0, 400, 400), "0702"))))
    fired, found = fire(site.with_measured(own.join(distances(site))), CATALOG)
    assert (fired["surrounded"][0], found["surrounded"][0]) == (False, 0.0)


def test_a_limit_on_a_rim_of_the_slope_map_is_judged_by_its_classes():
    given_ = plots((50, 50, 60, 60), (150, 50, 160, 60))
    classes = zone((0, 0, 100, 400), (100, 0, 400, 400), slope_class=[4, 3])
    for terrain in (None, slope(3), slope(40)):
        for limit, expected in ((15.0, ["regreen", "reclaim"]), (6.0, ["regreen", "regreen"])):
            found = ways(given_, limits(steep_local__over=limit), slope_map=classes, terrain=terrain)
            assert found["way"].tolist() == expected
            assert found[f"slope_over_{limit:g}_share"].tolist() == [1.0, float(limit == 6)]


@pytest.mark.parametrize("terrain", [None, slope(3), slope(18), slope(22), slope(40)])
@pytest.mark.parametrize("limit", [20.0, 22.5])
def test_a_limit_inside_a_class_moves_that_class_only_and_terrain_says_which_of_it(terrain, limit):
    given_ = plots(*((at, 50, at + 10, 60) for at in (50, 150, 250)))
    classes = zone((0, 0, 100, 400), (100, 0, 200, 400), (200, 0, 400, 400), slope_class=[3, 4, 5])
    was, now = (ways(given_, one, slope_map=classes, terrain=terrain)
                for one in (CATALOG, limits(steep__over=limit)))  # fmt: skip
    over = terrain is not None and was["slope_terrain_deg"][1] > limit
    assert was["way"].tolist() == ["reclaim", "reclaim", "regreen"]
    assert now["way"].tolist() == ["reclaim", "regreen" if over else "reclaim", "regreen"]
    assert moved(was.assign(homestead_id="a"), now.assign(homestead_id="a")).index.size == over
    # what the map does not say somebody must look at, and what terrain contradicts, and nothing else
    of_terrain = 0 if terrain is None else int(np.searchsorted([2, 6, 15, 25], was["slope_terrain_deg"][1])) + 1
    apart = [bool(of_terrain) and abs(of_terrain - own) > 1 for own in (3, 4, 5)]
    assert now["field_check"].tolist() == [apart[0], True, apart[2]]
    assert ["slopes_differ" in codes for codes in now["check_codes"]] == apart
    assert now["gates"].tolist()[0] == ""
    share = now[f"slope_over_{limit:g}_share"].tolist()
    assert share[0] == 0
    assert share[2] == 1
    assert np.isnan(share[1]) if terrain is None else share[1] == over
    if over:
        assert now["reason_codes"][1] == f"steep:100%;near_limit:/{limit:g}"


def test_a_gate_that_fires_by_the_share_says_so():
    """Two parts of the ground at 26 degrees and one at 10: the mean is under the limit, most of the area is over."""
    tan = np.tan(np.radians(np.where(np.arange(50) < 25, 10.0, 26.0)))
    values = np.tile(np.cumsum(tan * 10).astype(np.float32), (50, 1))
    ground = Raster(values, Affine(10, 0, X - 100, 0, -10, Y + 400), CRS.from_user_input(ZONE))
    found = ways(plots((130, 50, 190, 60)), terrain=ground).iloc[0]
    assert found["slope_deg_mean"] < 25
    assert found["way"] == "regreen"
    share = found["slope_over_25_share"]
    mean = f"{found['slope_deg_mean']:.4g}"
    assert found["reason_codes"] == f"steep:{100 * share:.4g}%;near_limit:{mean}°/25"
    assert found["check_codes"] == f"near_limit:{mean}°/25"


def test_where_nothing_is_surveyed_no_gate_says_that_nothing_is_near():
    half = survey(((0, 0, 70, 400), "0702"))
    found = ways(plots((50, 50, 65, 65), (150, 50, 165, 65)), terrain=slope(10), survey=half)
    assert found["gates"].tolist() == ["isolated", ""]
    assert found["way"].tolist() == ["regreen", "reclaim"]
    assert found["field_check"].tolist() == [False, True]
    assert "survey_in_part" in found["reason_codes"].iloc[1]
    assert found["field_m"].isna().tolist() == [False, True]
    bare = zone((0, 0, 400, 400), patch=["T1"])  # no classes
    assert ways(plots((50, 50, 65, 65)), terrain=slope(10), survey=bare)["gates"].tolist() == [""]


def test_a_field_of_the_survey_is_no_new_farmland_and_what_was_done_otherwise_is_told_apart():
    land = survey(((0, 0, 100, 400), "0702"), ((100, 0, 400, 400), "0103"))
    found = ways(plots((90, 50, 110, 60), (50, 50, 60, 60)), terrain=slope(5), survey=land)
    assert found["farmland_area_m2"].tolist() == pytest.approx([100, 0], abs=0.1)
    rate = 1 - found["ridge_rate"]
    assert found["net_farmland_mu"].tolist() == pytest.approx(
        (pd.Series([100, 100]) * 3 / 2000 * rate).tolist(), abs=1e-3
    )
    rows = pd.DataFrame({"way": ["regreen"] * 3 + ["consolidate"], "stage": ["accepted", "accepted", "standing", "accepted"],
                         "way_done": ["reclaim", "regreen", "", "reclaim"], "area_m2": 100.0, "area_mu": 0.15,
                         "net_farmland_mu": 0.0, "field_check": False})  # fmt: skip
    table = by_way(rows).set_index("way")
    assert table.loc["regreen", ["done_n", "done_otherwise_n"]].tolist() == [2, 1]
    assert table.loc["consolidate", ["done_n", "done_otherwise_n"]].tolist() == [1, 0]


def test_all_parcels_of_a_collective_are_one():
    owners = zone(
        (0, 0, 55, 400), (55, 0, 400, 400), (0, 400, 400, 500), collective=["甲", "甲", ""], owner_code="32"
    )
    found = ways(plots((45, 50, 65, 70), (45, 388, 65, 408)), terrain=slope(10), collectives=owners)
    assert found["own_share"].tolist() == pytest.approx([1, 0.6], abs=1e-4)
    assert found["collective"].tolist() == ["甲", "甲"]
    assert found["crossing"].tolist() == [False, True]


def test_half_of_the_area_over_the_limit_does_not_fire_and_more_does():
    told = zone((0, 0, 60, 400), (60, 0, 400, 400), slope_class=["4", "5"])
    found = ways(plots((50, 50, 70, 60), (50.1, 70, 70.1, 80)), slope_map=told)
    assert found["way"].tolist() == ["reclaim", "regreen"]
    assert found["field_check"].all()


def test_each_plot_is_parted_by_the_survey_to_the_square_metre():
    land = survey(((0, 0, 60, 400), "0702"), ((60, 0, 65, 400), "0103"), ((65, 0, 100, 55), "1201A"))
    found = measured(plots((50, 50, 70, 60)), survey=land).iloc[0]
    assert found["construction_area_m2"] == pytest.approx(100 + 25, abs=1e-3)
    assert found["other_area_m2"] == pytest.approx(50, abs=1e-3)
    assert found["unmapped_area_m2"] == pytest.approx(25, abs=1e-3)
    assert (found["survey_class"], found["survey_patch"], found["survey_year"]) == ("0702", "T0", 2024)
    parts = found[["construction_area_m2", "other_area_m2", "unmapped_area_m2"]].sum()
    assert parts == pytest.approx(found["area_m2"], abs=1e-6)


def test_patches_that_overlap_count_once_and_are_construction_land_only_where_none_says_otherwise():
    """A plot of 20 by 20 m: a homestead patch twice, a field over its last quarter, and nothing over the rest."""
    twice = survey(
        ((0, 0, 70, 55), "0702"), ((0, 0, 70, 60), "0702"), ((65, 0, 400, 55), "0103"), ((65, 0, 400, 60), "0103")
    )
    found = measured(plots((50, 50, 70, 70)), survey=twice).iloc[0]
    assert found["construction_area_m2"] == pytest.approx(150, abs=1e-3)
    assert found["farmland_area_m2"] == found["other_area_m2"] == pytest.approx(50, abs=1e-3)
    assert found["unmapped_area_m2"] == pytest.approx(200, abs=1e-3)


def test_a_wood_drawn_twice_surrounds_no_more():
    half = [((-200, -200, 57.5, 600), "0301")]
    gates = [ways(plots((50, 50, 65, 70)), terrain=slope(10),
                  survey=survey(*half * n, ((57.5, -200, 400, 600), "0702"), ((-900, 0, -890, 9), "0103")))["gates"][0]
             for n in (1, 2)]  # fmt: skip
    assert gates[0] == gates[1]
    assert "surrounded" not in gates[1]


def test_a_plot_that_needs_a_look_says_why_and_one_that_does_not_says_nothing_of_it():
    bow = shapely.Polygon([(50, 50), (70, 70), (70, 50), (50, 70)])
    given_ = plots(bow, (100, 50, 105, 55), (150, 50, 170, 70), (160, 50, 180, 70), (200, 50, 215, 65))
    found = ways(given_, terrain=slope(10))
    codes = found["reason_codes"].str.split(";").tolist()
    why = ["mended", "size_odd", "overlapped", "overlapped"]
    assert codes == [*(["no_limit", one] for one in why), ["no_limit"]]
    assert found["check_codes"].tolist() == [*why, ""]
    assert found["field_check"].tolist() == [True] * 4 + [False]
    # what is green whatever its slope is not looked at for it
    red = ways(plots((50, 50, 65, 65)), terrain=slope(24), layers={"redline": zone((0, 0, 400, 400))}).iloc[0]
    assert (red["reason_codes"], red["field_check"]) == ("redline:1", False)
    words = in_words("joins_field:12.3;no_limit", CATALOG, load("zh"))
    assert words == "与耕地连成片（12.30 亩）；没有触发限制"


GATES = [
    ("redline", {"layers": {"redline": zone((0, 0, 400, 400))}}, "regreen"),
    ("reserve", {"layers": {"reserves": zone((0, 0, 51, 400))}}, "regreen"),
    ("inside_farmland", {"layers": {"permanent_farmland": zone((0, 0, 400, 400))}}, "hold"),
    ("beside_farmland", {"layers": {"permanent_farmland": zone((80, 0, 400, 400))}}, "reclaim"),
    ("hazard", {"layers": {"hazards": zone((64, 0, 400, 400))}}, "reclaim"),
    ("river", {"layers": {"rivers": zone(shapely.LineString([(85, 0), (85, 400)]))}}, "regreen"),
    ("isolated", {"survey": survey(((0, 0, 400, 400), "0702"))}, "regreen"),
    ("surrounded", {"survey": survey(((0, -200, 400, 400), "0301"), ((-900, 0, -890, 9), "0103"))}, "regreen"),
    ("beside_field", {"survey": survey(((80, 40, 90, 60), "0103"), ((40, 40, 80, 90), "0702"))}, "reclaim"),
]


@pytest.mark.parametrize(("gate", "given_", "way"), GATES, ids=[name for name, *_ in GATES])
def test_each_gate_fires_alone_and_decides_as_the_catalogue_says(gate, given_, way):
    found = ways(plots((50, 50, 65, 70)), terrain=slope(10), **given_).iloc[0]
    assert gate in found["gates"].split(";")
    assert found["way"] == way
    check = CATALOG.reclamation.outcomes[CATALOG.reclamation.gates[gate].outcome].check
    assert found["field_check"] == check
    codes = found["reason_codes"].split(";")
    asked = CATALOG.reclamation.gates
    assert asked[codes[0].partition(":")[0]].outcome == asked[gate].outcome  # what decides stands first
    assert ("no_other_limit" in codes) == (gate == "hazard")
    assert found["check_codes"] == (gate if check else "")


def test_what_is_just_beyond_a_gate_does_not_fire():
    rim = ways(plots((50, 50, 70, 70)), terrain=slope(10), layers={
        "rivers": zone(shapely.LineString([(90.1, 0), (90.1, 400)])), "redline": zone((69.1, 0, 400, 400)),
    }).iloc[0]  # fmt: skip
    assert rim["gates"] == ""  # 20.1 m away; 4.5 % inside
    soil = plots((50, 50, 70, 70), (50, 80, 70, 100), (50, 110, 70, 130), 土层厚度=[40.0, 39.0, 19.0])
    found = ways(soil, terrain=slope(10))
    assert found["gates"].tolist() == ["", "thin_soil", "thin_soil;no_soil"]
    assert found["way"].tolist() == ["reclaim", "regreen", "regreen"]
    assert found["target_class"].tolist() == ["0103", "0301", "0403"]
    assert ways(plots((50, 50, 70, 70)), limits(high__over=2.0), terrain=slope(10))["gates"].tolist() == ["high"]


def test_precedence_is_data_and_every_reason_stands():
    given_ = {"permanent_farmland": zone((0, 0, 400, 400)), "redline": zone((0, 0, 400, 400))}
    found = ways(plots((50, 50, 70, 70)), terrain=slope(30), layers=given_).iloc[0]
    assert found["way"] == "hold"  # a conflict of surveys goes before steep ground
    assert found["gates"] == "inside_farmland;steep;redline"
    order = dict(reversed(list(CATALOG.reclamation.outcomes.items())))
    own = dataclasses.replace(CATALOG, reclamation=dataclasses.replace(CATALOG.reclamation, outcomes=order))
    assert ways(plots((50, 50, 70, 70)), own, terrain=slope(30), layers=given_)["way"].tolist() == ["regreen"]


def test_plots_and_fields_join_to_a_piece_that_is_worth_it():
    # two plots 15 m apart, and a field of 3 mu that one touches; a third 21 m further, a fourth alone
    field = survey(((70, 40, 110, 90), "0103"))
    given_ = plots((50, 50, 70, 70), (15, 50, 35, 70), (-26, 50, -6, 70), (50, 300, 70, 320))
    found = ways(given_, limits(isolated__under_mu=0.0), terrain=slope(10), survey=field)
    assert found["way"].tolist() == ["consolidate", "consolidate", "reclaim", "reclaim"]
    assert found["piece_mu"].tolist() == pytest.approx([4.2, 4.2, 0.6, 0.6], abs=1e-4)
    assert found["cluster_id"].tolist() == ["C:H0", "C:H0", "", ""]
    assert found["net_farmland_mu"].tolist() == pytest.approx([0.54] * 4, abs=1e-4)  # the field's ridges, 10 %
    assert by_way(found)["area_m2"].sum() == pytest.approx(found["area_m2"].sum(), abs=0.01)


def test_plots_that_share_ground_have_it_once_and_a_ledger_in_the_wrong_unit_is_told():
    given_ = plots((50, 50, 70, 70), (60, 50, 80, 70), 面积=[0.6, 266_667.0])
    given_["ledger_area_m2"] = [0.6, 400 * 666.67]
    found, problems = measure_plots(given_, Land(), CATALOG)
    assert found["overlap_m2"].tolist() == pytest.approx([0, 200], abs=1e-3)
    told = [(p.code, p.row) for p in problems]
    assert told == [("plot_area_unit", 1), ("plot_area_unit", 2), ("plots_overlap", 2)]
    thin = plots((0, 0, 100, 1), (50, 50, 55, 55))
    assert [p.code for p in measure_plots(thin, Land(), CATALOG)[1]] == ["plot_sliver", "plot_size"]


def claimed(given_, project, stage=None, **land):
    claims = pd.DataFrame({"project": project, "stage": stage or [""] * len(given_)}, index=given_.index)
    return measure_plots(given_, Land(**land), CATALOG, claims=claims)


def test_shared_ground_is_of_the_plot_with_a_project_then_of_the_one_that_is_further_and_earns_for_no_two_projects():
    both = plots((50, 50, 70, 70), (60, 50, 80, 70))
    land = {"survey": survey(((0, 0, 400, 400), "0702"))}
    for project, stage, overlap, free in (
        (["", ""], ["", ""], [0, 200], [400, 200]),            # the smaller id
        (["", "X1"], ["", ""], [200, 0], [200, 400]),          # who is in a project
        (["X1", "X1"], ["standing", "accepted"], [200, 0], [200, 400]),
        (["X1", "X2"], ["accepted", "standing"], [0, 200], [200, 200]),  # two projects: what both claim earns for none
    ):  # fmt: skip
        found, problems = claimed(both, project, stage, **land)
        assert found["overlap_m2"].tolist() == pytest.approx(overlap, abs=1e-3)
        assert found["free_construction_m2"].tolist() == pytest.approx(free, abs=1e-3)
        assert [p.row for p in problems if p.code == "plots_overlap"] == [1 + (overlap[1] > 0)]


def test_points_at_one_place_share_it_and_have_no_more_of_a_patch_than_it_holds():
    at = [shapely.Point(60, 60)] * 3 + [shapely.Point(200 + 7 * n, 60) for n in range(4)]
    given_ = plots(*at)
    given_["ledger_area_m2"] = [200.0, 100.0, 300.0, *[314.0] * 4]
    land = {
        "survey": survey(((0, 0, 100, 400), "0702"), ((195, 55, 225, 65), "0702"), ((100, 0, 190, 400), "0103"))
    }
    found, problems = measure_plots(given_, Land(**land), CATALOG)
    # one ground: the first has its own, the second nothing, the third what is more
    assert found["overlap_m2"].tolist()[:3] == pytest.approx([0, 100, 200], rel=1e-3)
    assert found["free_construction_m2"].tolist()[:3] == pytest.approx([200, 0, 100], abs=0.5)
    assert found["free_construction_m2"][3:].sum() <= 300 + 1e-3
    told = {p.code: dict(p.params).get("ids") for p in problems}
    assert told["points_crowded"].startswith("H3")
    one, _ = measure_plots(given_.iloc[[3]], Land(**land), CATALOG)
    assert one["free_construction_m2"].iloc[0] < 300


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 10_000))
def test_plots_earn_no_more_than_the_survey_has_and_each_no_more_than_its_own(outlines, points, seed):
    rng = np.random.default_rng(seed)
    boxes = [(x, y, x + w, y + h) for x, y, w, h in rng.uniform((0, 0, 5, 5), (80, 80, 30, 30), (outlines, 4))]
    spots = [shapely.Point(x, y) for x, y in np.round(rng.uniform(0, 100, (points, 2)), -1)]
    given_ = plots(*boxes, *spots)
    given_["ledger_area_m2"] = [*[np.nan] * outlines, *rng.uniform(60, 600, points)]
    patches = survey(
        *(((x, y, x + 30, y + 40), "0702") for x in (0, 40, 80) for y in (0, 50)), ((110, 0, 150, 90), "0103")
    )
    project = rng.choice(["", "X1", "X2"], len(given_))
    found, _ = claimed(given_, project, list(rng.choice(["standing", "accepted"], len(given_))), survey=patches)
    free, built = found["free_construction_m2"], found["construction_area_m2"]
    assert free.sum() <= 6 * 30 * 40 + 0.01
    assert (free <= built + 0.01).all()
    assert (found["overlap_m2"] <= found["area_m2"] + 0.01).all()
    # whose ground it is does not hang on the order of rows
    order = rng.permutation(len(given_))
    again, _ = claimed(given_.iloc[order], project[order], survey=patches,
                       stage=None if len(given_) == 0 else ["standing"] * len(given_))  # fmt: skip
    same, _ = claimed(given_, project, ["standing"] * len(given_), survey=patches)
    columns = ["free_construction_m2", "overlap_m2"]
    pd.testing.assert_frame_equal(again.loc[given_.index, columns], same[columns])


def test_points_a_step_apart_are_at_one_place_whatever_the_order_and_a_row_of_them_is_not():
    rng = np.random.default_rng(3)
    heap = [shapely.Point(60 + x, 60 + y) for x, y in rng.uniform(-0.9, 0.9, (30, 2))]
    row = [shapely.Point(150 + 9 * n, 60) for n in range(10)]
    given_ = plots(*heap, *row)
    given_["ledger_area_m2"] = 200.0
    found, _ = measure_plots(given_, Land(), CATALOG)
    # all of the heap stand on one circle, which one has
    assert (found["overlap_m2"][:30].round(3) == 200).sum() == 29
    assert (found["overlap_m2"][30:] == 0).all()
    order = rng.permutation(40)
    again, _ = measure_plots(given_.iloc[order], Land(), CATALOG)
    pd.testing.assert_series_equal(again["overlap_m2"].sort_index(), found["overlap_m2"])


def test_a_field_drawn_twice_makes_no_larger_piece():
    field, yard = ((-30, 0, 0, 50), "0103"), ((0, 0, 100, 100), "0702")
    sizes = [
        ways(plots((5, 5, 25, 25)), terrain=slope(3), survey=survey(*[field] * n, yard))["piece_mu"][0]
        for n in (1, 3)
    ]
    assert sizes[0] == pytest.approx(sizes[1])
    assert sizes[0] == pytest.approx((1500 + 400) / MU, rel=1e-3)


def test_a_point_within_an_outline_shares_its_ground():
    given_ = plots((50, 50, 70, 70), shapely.Point(60, 60))
    given_["ledger_area_m2"] = [np.nan, 100.0]
    found, problems = measure_plots(given_, Land(survey=survey(((0, 0, 400, 400), "0702"))), CATALOG)
    assert found["overlap_m2"].tolist() == pytest.approx([0, 100], rel=1e-3)
    assert found["free_construction_m2"].tolist() == pytest.approx([400, 0], abs=0.01)
    assert [p.row for p in problems if p.code == "plots_overlap"] == [2]


def test_a_collection_with_shapes_that_cross_themselves_and_each_other_is_mended():
    bow = shapely.Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])
    parts = [bow, shapely.affinity.translate(bow, 5, 0), shapely.LineString([(0, 0), (9, 9)])]
    given_ = plots(shapely.GeometryCollection(parts), (50, 50, 70, 70))
    assert given_.geometry.is_valid.all()
    found = measured(given_)
    # each bow is half of its square, and they share a part
    assert 200 < found["area_m2"][0] < 400
    assert found["area_m2"][1] == pytest.approx(400, abs=1e-3)


def test_whose_a_plot_is_and_where_it_crosses_a_border():
    owners = zone((0, 0, 60, 400), (60, 0, 400, 400), collective=["甲", "乙"], owner_code=["32", "31"])
    given_ = plots((20, 50, 40, 70), (48, 50, 68, 70), (80, 50, 99, 70), 所有权人=["东乡甲农民集体", "", "甲集体"])
    found = ways(given_, terrain=slope(10), collectives=owners)
    assert found["collective"].tolist() == ["东乡甲农民集体", "甲", "甲集体"]
    assert found["owner_level"].tolist() == ["32", "32", "31"]
    assert found["own_share"].tolist() == pytest.approx([1, 0.6, 1])
    assert found["crossing"].tolist() == [False, True, False]
    # across a border; claimed by another than the ground's
    assert found["way"].tolist() == ["reclaim", "hold", "hold"]
    # where most of many are written in another way than the layer writes them, nothing is said of those
    many = plots(*((2 * n, 50, 2 * n + 1, 70) for n in range(25)), 所有权人=["丙"] * 25)
    assert (
        ways(many, limits(isolated__under_mu=0.0), terrain=slope(10), collectives=owners)["way"] == "reclaim"
    ).all()
    few = ways(many.iloc[:5], terrain=slope(10), collectives=owners)
    assert (few["way"] == "hold").all()


@pytest.mark.parametrize(
    ("written", "ground", "differs"),
    [("双河村一组", "桃源乡双河村一组", False), ("桃源乡双河村一组", "双河村一组", False), ("双河村一组", "石门村一组", True),
     ("", "石门村一组", False), ("石门村一组", "", False)],
)  # fmt: skip
def test_a_village_is_one_with_its_town_before_it_and_else_another(written, ground, differs):
    own = pd.DataFrame({"collective": [written], "ground_collective": [ground]})
    assert differs_from_ground(own)[0] == differs
    # where nearly all differ it is the writing, and nobody is accused
    assert not claimed_by_another(pd.concat([own] * 30, ignore_index=True)).any()


def test_names_written_in_two_ways_stand_for_the_ground_of_nearly_all_their_plots():
    own = pd.DataFrame({"collective": ["上坡"] * 30 + ["下沟"] * 30 + ["总村"] * 20,
                        "ground_collective": ["甲"] * 30 + ["乙"] * 29 + ["甲"] + ["甲", "乙"] * 10})  # fmt: skip
    # one plot of 下沟 lies on the ground of 上坡; of 总村 nobody can say
    assert np.flatnonzero(claimed_by_another(own)).tolist() == [59]


def test_classes_add_up_to_all_plots():
    given_ = plots((50, 50, 65, 60), (70, 50, 85, 60), None, (9_000, 0, 9_010, 10))
    found = ways(given_, terrain=slope(24))
    totals = by_slope_class(found)
    assert totals["slope_class"].tolist() == ["4", "unknown"]
    assert totals["plots_n"].tolist() == [2, 2]
    assert totals["check_n"].tolist() == [2, 2]
    assert totals["area_m2"].sum() == pytest.approx(found["area_m2"].sum())


def test_laws_are_found_broken():
    found = ways(plots((0, 0, 20, 10)), terrain=slope(10), survey=survey(((0, 0, 9, 400), "0702")))
    tables = {"homesteads": found, "ways": by_way(found)}
    assert check_laws(tables, catalog=CATALOG)["held"].all()
    for column in ("area_mu", "construction_area_m2"):
        wrong = tables | {"homesteads": found.assign(**{column: found[column] + 1})}
        assert not check_laws(wrong, catalog=CATALOG)["held"].all()
    wrong = tables | {"ways": tables["ways"].assign(area_m2=1.0)}
    assert not check_laws(wrong, catalog=CATALOG).set_index("law").loc["ways_add_up", "held"]


def test_no_plots():
    assert len(ways(plots(), terrain=hillside(0.1))) == 0


def test_a_threshold_moves_just_the_plots_between_the_old_and_the_new():
    """Hills of 10 to 32 degrees beside one another; a limit of 20 moves those above it that 25 let pass."""
    x = np.arange(-100, 2_400, 10.0)
    grade = np.tan(np.radians(10 + 22 * np.clip(x / 2_300, 0, 1)))
    ground = Raster(np.tile(np.cumsum(grade * 10).astype(np.float32), (30, 1)),
                    Affine(10, 0, X - 100, 0, -10, Y + 200), CRS.from_user_input(ZONE))  # fmt: skip
    given_ = plots(*((at, 50, at + 15, 65) for at in range(0, 2_300, 40)))
    was, now = (ways(given_, one, terrain=ground) for one in (CATALOG, limits(steep_local__over=20.0)))
    table = moved(was, now)
    between = (was["slope_deg_mean"] > 20) & (was["way"] != "regreen")
    assert set(table["homestead_id"]) == set(was.loc[between, "homestead_id"])
    assert len(table) > 5
    assert (table["way"] == "regreen").all()
    assert table["gates"].str.contains("steep_local").all()
    assert len(moved(was, was)) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(0, 10_000), st.floats(2, 40))
def test_the_order_of_rows_changes_nothing_and_stricter_limits_free_nobody(n, seed, steep):
    rng = np.random.default_rng(seed)
    boxes = [(x, y, x + w, y + h) for x, y, w, h in rng.uniform((0, 0, 5, 5), (280, 280, 25, 25), (n, 4))]
    given_ = plots(*boxes)
    land = {"terrain": slope(steep), "survey": survey(((0, 0, 150, 300), "0702"), ((150, 0, 300, 300), "0103"))}
    layers = {"redline": zone((200, 200, 400, 400)), "permanent_farmland": zone((0, 250, 90, 400))}
    found = ways(given_, layers=layers, **land)
    order = rng.permutation(n)
    again = ways(given_.iloc[order].reset_index(drop=True), layers=layers, **land)
    columns = ["homestead_id", "way", "target_class", "gates", "cluster_id", "field_check", "construction_area_m2",
               "overlap_m2", "score", "piece_mu"]  # fmt: skip
    one, other = (t[columns].sort_values("homestead_id", ignore_index=True) for t in (found, again))
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)
    strict = ways(given_, limits(steep__over=10.0), layers=layers, **land)
    free = {"reclaim", "consolidate"}
    assert not (strict["way"].isin(free) & ~found["way"].isin(free)).any()
    assert by_way(found)["area_m2"].sum() == pytest.approx(found["area_m2"].sum(), abs=0.01)
    assert ((found["score_low"] <= found["score"]) & (found["score"] <= found["score_high"])).all()


def test_a_shape_flung_far_is_not_read_and_the_others_are(tmp_path, monkeypatch):
    from geo import terrain

    rise = np.tile(np.arange(200, dtype=np.float32) * 5, (200, 1))
    io.write_raster(rise, tmp_path / "高程.tif", west=102, north=28, step=1 / 3600)
    near = shapely.box(102.01, 27.98, 102.0102, 27.9802)
    far = shapely.Polygon([(102.01, 27.98), (102.02, 27.99), (102.03, 27.96)])
    given_ = read_plots(gpd.GeoDataFrame({"编号": [1, 2]}, geometry=[near, far], crs=4326), CATALOG, file="a")[0]
    for most, known in ((5_000, [True, False]), (50_000, [True, True])):
        monkeypatch.setattr(terrain, "MOST_CELLS", most)
        monkeypatch.setattr(terrain, "TILE_CELLS", 20)
        with RasterFiles([tmp_path / "高程.tif"]) as tiles:
            assert measured(given_, terrain=tiles)["slope_deg_mean"].notna().tolist() == known


def test_tiles_change_no_answer(tmp_path, monkeypatch):
    from geo import terrain

    rng = np.random.default_rng(5)
    ground = rng.normal(0, 3, (120, 160)).cumsum(axis=0).cumsum(axis=1).astype(np.float32) / 40
    ground[40:44, 60:70] = np.nan
    for name, left in (("西.tif", 0), ("东.tif", 80)):
        io.write_raster(
            ground[:, left : left + 80], tmp_path / name, west=102 + left / 3600, north=28, step=1 / 3600
        )
    west, south = rng.uniform(101.998, 102.043, 300), rng.uniform(27.966, 28.0, 300)
    boxes = [shapely.box(x, y, x + 0.0003, y + 0.0002) for x, y in zip(west, south, strict=True)]
    frame = gpd.GeoDataFrame({"编号": range(300)}, geometry=boxes, crs=4326)
    given_ = read_plots(frame, CATALOG, file="a")[0]
    files = [tmp_path / "西.tif", tmp_path / "东.tif"]
    whole = measured(given_, terrain=io.read_raster(files))
    assert whole["slope_deg_mean"].notna().sum() > 200
    for cells in (7, 50, 1024):
        monkeypatch.setattr(terrain, "TILE_CELLS", cells)
        with RasterFiles(files) as tiles:
            pd.testing.assert_frame_equal(measured(given_, terrain=tiles), whole, check_exact=False, rtol=1e-5)
