"""Who is looked at in the field, and which villages come first."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from analysis.fieldwork import check_list, sample_size
from analysis.origins import origins
from geo import crs, overlay
from layers.houses import STAGES, stage_number
from tests.flatland import CATALOG


@pytest.mark.parametrize(("n", "confidence", "margin", "size"), [
    # Cochran's table: 385 of very many, 370 of 10,000, 278 of 1,000, 80 of 100
    (10_000_000, 0.95, 0.05, 385), (10_000, 0.95, 0.05, 370), (1_000, 0.95, 0.05, 278), (100, 0.95, 0.05, 80),
    (0, 0.95, 0.05, 0), (1, 0.95, 0.05, 1), (10_000, 0.99, 0.05, 623), (10_000, 0.95, 0.1, 96),
])  # fmt: skip
def test_a_sample_is_as_large_as_it_must_be(n, confidence, margin, size):
    assert sample_size(n, confidence=confidence, margin=margin) == size


@given(st.integers(0, 300), st.integers(0, 99), st.integers(0, 9))
def test_doubtful_plots_are_all_listed_and_the_sample_hangs_on_ids_and_seed(n, doubtful, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"homestead_id": [f"H{i:03d}" for i in range(n)], "town": "", "village": "",
                          "stage": rng.choice(["", *STAGES], n), "field_check": rng.random(n) * 100 < doubtful})  # fmt: skip
    listed = check_list(table, confidence=0.9, margin=0.1, seed=seed)
    assert (listed["why"] == "doubtful").sum() == table["field_check"].sum()
    due = sample_size(int((~table["field_check"]).sum()), confidence=0.9, margin=0.1)
    assert (listed["why"] == "sample").sum() == due
    assert listed["homestead_id"].is_unique
    stages = stage_number(listed["stage"])
    assert sorted(zip(listed["why"], stages, listed["homestead_id"], strict=True)) == list(
        zip(listed["why"], stages, listed["homestead_id"], strict=True)
    )
    again = check_list(table.iloc[rng.permutation(n)], confidence=0.9, margin=0.1, seed=seed)
    assert again["homestead_id"].tolist() == listed["homestead_id"].tolist()


def squares(*boxes):
    metres = np.array(
        [shapely.box(500_000 + a, 3_100_000 + b, 500_000 + c, 3_100_000 + d) for a, b, c, d in boxes]
    )
    return crs.geometry_to_degrees(metres, "EPSG:4543")


def frame(*boxes, **columns):
    return gpd.GeoDataFrame(columns, geometry=squares(*boxes), crs=4326)


def test_villages_are_ranked_by_what_is_known_of_their_ground():
    villages = frame((0, 0, 1000, 1000), (1000, 0, 2000, 1000), (2000, 0, 3000, 1000), name=["甲", "乙", "丙"],
                     admin_code=["1", "2", "3"])  # fmt: skip
    fields = frame((0, 0, 200, 1000), (1000, 0, 1100, 1000), (1500, 0, 1600, 1000))
    rest = frame((200, 0, 1000, 1000), (1100, 0, 1500, 1000))
    fields["land_use"], rest["land_use"] = "farmland", "forest"
    fields = gpd.GeoDataFrame(pd.concat([fields, rest], ignore_index=True))
    at = shapely.centroid(squares((100, 100, 110, 110), (1200, 100, 1210, 110), (1300, 100, 1310, 110)))
    plots = pd.DataFrame(
        {
            "lon": shapely.get_x(at),
            "lat": shapely.get_y(at),
            "area_m2": [200.0, 400 / 3, 100.0],
            "overlap_m2": [0.0, 0.0, 100 / 3],
        }
    )
    people = plots.iloc[:2].assign(pop=[300.0, 900.0])
    out = origins(villages, plots, CATALOG, steep_share=np.array([0.1, 0.6, 0.9]), survey=fields, people=people,
                  zones={"redline": squares((0, 0, 500, 1000))}, steep_field=np.array([False, True, False, False, False]))  # fmt: skip
    assert out["village"].tolist() == ["乙", "甲"]  # nobody's plot is in the third
    second, first = out.iloc[1], out.iloc[0]
    assert second[["fragile", "overloaded", "overused"]].tolist() == pytest.approx([0.5, 0, 0], abs=1e-4)
    assert second["farmland_ha"] == pytest.approx(20, rel=1e-4)
    # 900 people on 20 ha of the 60 % that is surveyed are 27 a hectare: 1.8 times 15; one of two fields is steep
    assert first[["fragile", "overloaded", "overused"]].tolist() == pytest.approx([0.6, 0.8, 0.5], abs=1e-4)
    assert out["priority"].tolist() == [1, 3]
    assert out["plots_mu"].tolist() == pytest.approx([0.3, 0.3])
    # of the first nobody says how many live there, of the second only of some
    gaps = people.iloc[[1, 1]].assign(pop=[900.0, np.nan])
    untold = origins(villages, plots, CATALOG, steep_share=np.array([0.1, 0.6, 0.9]), survey=fields, people=gaps,
                     zones={}, steep_field=np.array([False, True, False, False, False]))  # fmt: skip
    assert untold[["people", "overloaded"]].isna().all(axis=None)
    few = origins(villages, plots, CATALOG, steep_share=np.array([0.1, 0.6, 0.9]), survey=fields.iloc[:3],
                  people=people, zones={}, steep_field=np.array([False, True, False]))  # fmt: skip
    assert few["overused"].isna().all()
    assert few["known_n"].tolist() == [1, 1]
    bare = origins(villages, plots, CATALOG, steep_share=np.full(3, np.nan), survey=None, people=None, zones={},
                   steep_field=None)  # fmt: skip
    assert bare["index"].isna().all()
    assert bare["priority"].isna().all()
    assert (bare["known_n"] == 0).all()


@given(st.lists(st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(1, 40)] * 2), min_size=1, max_size=6),
       st.lists(st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(1, 60)] * 2), max_size=6))  # fmt: skip
def test_what_zones_cover_counts_once_and_pieces_are_exact(shapes, zones):
    one = squares(*((x, y, x + w, y + h) for x, y, w, h in shapes))
    other = squares(*((x, y, x + w, y + h) for x, y, w, h in zones)) if zones else np.zeros(0, object)
    area = crs.area_m2(one)
    covered = overlay.covered_m2(one, other, area_m2=area)
    # by squares of a metre
    grid = np.zeros((140, 160), bool)
    for x, y, w, h in zones:
        grid[x : x + w, y : y + h] = True
    due = [grid[x : x + w, y : y + h].sum() for x, y, w, h in shapes]
    np.testing.assert_allclose(covered, due, rtol=1e-5, atol=1e-3)
    cut = overlay.pieces(one, other, area_m2=area)
    assert (cut["area_m2"] <= area[cut["shape"]] * (1 + 1e-9)).all()
    pairs = overlay.overlaps(one, least_m2=0.5)
    assert (pairs["one"] < pairs["other"]).all()
    for pair in pairs.itertuples():
        (x, y, w, h), (a, b, c, d) = shapes[pair.one], shapes[pair.other]
        common = max(0, min(x + w, a + c) - max(x, a)) * max(0, min(y + h, b + d) - max(y, b))
        assert pair.area_m2 == pytest.approx(common, rel=1e-4)
