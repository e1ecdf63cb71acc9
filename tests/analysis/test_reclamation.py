"""Old homesteads on made-up ground: areas, slopes, gates and ways predicted by hand, and laws for any plots."""

from __future__ import annotations

import dataclasses

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
    assert found["reason_codes"].tolist() == ["", "no_area", "no_area", "no_slope"]
    assert found.index.equals(given.index)
    assert by_way(found)["plots_n"].tolist() == [1, 3]


def test_a_point_with_the_area_of_a_ledger_stands_on_a_circle_and_is_looked_at():
    given = plots(shapely.Point(60, 60), 面积=[200.0])
    found = ways(given, terrain=slope(10), layers={"redline": zone((0, 0, 60, 400))}).iloc[0]
    assert (found["area_m2"], found["area_source"]) == (200, "ledger")
    assert found["slope_deg_mean"] == pytest.approx(10, abs=0.01)
    assert found["way"] == "regreen"  # half of the circle is inside
    assert found["reason_codes"] == "no_polygon;redline:0.5"
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
    assert found["reason_codes"].tolist()[1] == "near_limit;steep:0.75"
    assert (
        in_words("steep:0.75;redline:0.5", CATALOG, load("zh")) == "坡度超过25度（75%）；在生态保护红线内（50%）"
    )


def test_a_limit_on_a_rim_of_the_slope_map_is_judged_by_its_classes():
    given_ = plots((50, 50, 60, 60), (150, 50, 160, 60))
    classes = zone((0, 0, 100, 400), (100, 0, 400, 400), slope_class=[4, 3])
    for terrain in (None, slope(3), slope(40)):
        for limit, expected in ((15.0, ["regreen", "reclaim"]), (6.0, ["regreen", "regreen"])):
            found = ways(given_, limits(steep_local__over=limit), slope_map=classes, terrain=terrain)
            assert found["way"].tolist() == expected
            assert found[f"slope_over_{limit:g}_share"].tolist() == [1.0, float(limit == 6)]


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
