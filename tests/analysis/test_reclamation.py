from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS

from analysis.laws import check_laws
from analysis.reclamation import by_slope_class, survey_plots
from geo import crs
from geo.io import Raster
from tests.flatland import CATALOG

ZONE = "EPSG:4543"
X, Y = 500_000.0, 3_100_000.0  # on the zone's own meridian, where its metres are true


def plots(*boxes) -> gpd.GeoDataFrame:
    shapes = [
        None
        if b is None
        else b
        if not isinstance(b, tuple)
        else shapely.box(X + b[0], Y + b[1], X + b[2], Y + b[3])
        for b in boxes
    ]
    degrees = crs.geometry_to_degrees(np.array(shapes, object), ZONE)
    ids = [f"H{i}" for i in range(len(boxes))]
    return gpd.GeoDataFrame({"homestead_id": ids}, geometry=degrees, crs=4326)


def hillside(grade: float) -> Raster:
    """Ground that rises ``grade`` metres a metre to the east, in cells of 10 m around the plots."""
    x = np.arange(-100, 400, 10.0)
    values = np.tile((grade * x).astype(np.float32), (50, 1))
    return Raster(values, Affine(10, 0, X - 100, 0, -10, Y + 400), CRS.from_user_input(ZONE))


def test_areas_are_ellipsoidal_in_metres_and_mu():
    found = survey_plots(plots((0, 0, 20, 10), (0, 0, 100, 100)), terrain=None)
    # two plots of 200 and 10,000 m², on the meridian whose scale is 1
    np.testing.assert_allclose(found["area_m2"], [200, 10_000], rtol=1e-6)
    np.testing.assert_allclose(found["area_mu"], [0.3, 15], rtol=1e-6)
    np.testing.assert_allclose(found["area_planar_m2"], [200, 10_000], rtol=1e-6)
    assert found["area_plausible"].tolist() == [True, False]
    assert found["slope_class"].isna().all()
    assert found["field_check"].isna().all()


@pytest.mark.parametrize(
    ("degrees", "slope_class", "over", "check"),
    [
        (1, 1, 0, False),
        (5, 2, 0, False),
        (14, 3, 0, False),
        (19, 4, 0, False),
        (21, 4, 0, True),
        (26, 5, 1, True),
        (31, 5, 1, False),
    ],
)
def test_a_hillside_gives_its_class(degrees, slope_class, over, check):
    found = survey_plots(plots((50, 50, 65, 60)), terrain=hillside(np.tan(np.radians(degrees)))).iloc[0]
    assert found["slope_deg_mean"] == pytest.approx(degrees, abs=0.01)
    assert found["slope_class"] == slope_class
    assert found["slope_over_25_share"] == pytest.approx(over)
    assert found["field_check"] == check
    assert found["slope_source"] == "terrain"


def test_what_has_no_shape_or_no_terrain_is_kept_without_numbers():
    given = plots((50, 50, 65, 60), None, shapely.Point(X, Y), (9_000, 0, 9_010, 10))
    found = survey_plots(given, terrain=hillside(0.1))
    assert len(found) == 4
    assert found["area_m2"].isna().tolist() == [False, True, True, False]
    assert found["slope_deg_mean"].isna().tolist() == [False, True, True, True]
    assert found["slope_source"].tolist() == ["terrain", "", "", ""]
    assert found.index.equals(given.index)


def test_classes_add_up_to_all_plots():
    given = plots((50, 50, 65, 60), (70, 50, 85, 60), None, (9_000, 0, 9_010, 10))
    found = survey_plots(given, terrain=hillside(np.tan(np.radians(24))))
    totals = by_slope_class(found)
    assert totals["slope_class"].tolist() == ["4", "unknown"]
    assert totals["plots_n"].tolist() == [2, 2]
    assert totals["check_n"].tolist() == [2, 0]
    assert totals["area_m2"].sum() == pytest.approx(found["area_m2"].sum())


def test_mu_and_metres_agree_by_law():
    found = survey_plots(plots((0, 0, 20, 10)), terrain=None)
    assert check_laws({"homesteads": found}, catalog=CATALOG)["held"].all()
    assert not check_laws({"homesteads": found.assign(area_mu=0.31)}, catalog=CATALOG)["held"].all()


def test_no_plots():
    assert len(survey_plots(plots(), terrain=hillside(0.1))) == 0
