from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geo import crs
from geo.io import Raster
from geo.problems import CRSUnitError
from geo.terrain import slope_class, slope_deg, slope_under

METRES = CRS.from_epsg(4543)


def plane(east: float, north: float, *, size: int = 9, cell_m: float = 10.0) -> Raster:
    """A tilted plane: it rises ``east`` metres a metre eastwards and ``north`` northwards."""
    x, y = np.meshgrid(np.arange(size) * cell_m, -np.arange(size) * cell_m)
    values = (1000 + east * x + north * y).astype(np.float32)
    return Raster(values, Affine(cell_m, 0, 500_000, 0, -cell_m, 3_100_000), METRES)


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_plane_has_its_own_slope(east, north):
    found = slope_deg(plane(east, north))
    inner = found.values[1:-1, 1:-1]
    # heights are float32: a kilometre holds 6e-5 m, over 80 m of neighbours
    np.testing.assert_allclose(inner, np.degrees(np.arctan(np.hypot(east, north))), atol=1e-3)
    assert np.isnan(found.values[0]).all()
    assert np.isnan(found.values[:, -1]).all()


def test_degrees_are_measured_on_the_ellipsoid():
    # a second of arc northwards is 30.8 m and eastwards 27.3 m at 28° N; the plane rises 10 m a metre of each
    step = 1 / 3600
    lon, lat = 102 + (np.arange(5) + 0.5) * step, 28 - (np.arange(5) + 0.5) * step
    north_m = crs.geodesic_m(np.full(5, 102.0), np.full(5, 28.0), np.full(5, 102.0), lat)
    for grade in (0.1, 1.0):
        values = np.repeat((grade * north_m)[:, None], 5, axis=1).astype(np.float32)
        ground = Raster(values, Affine(step, 0, 102, 0, -step, 28), CRS.from_epsg(4326))
        np.testing.assert_allclose(slope_deg(ground).values[1:-1, 1:-1], np.degrees(np.arctan(grade)), atol=1e-3)
        east_m = crs.geodesic_m(np.full(5, 102.0), np.full(5, lat[2]), lon, np.full(5, lat[2]))
        values = np.repeat((grade * east_m)[None, :], 5, axis=0).astype(np.float32)
        ground = Raster(values, ground.transform, ground.crs)
        assert slope_deg(ground).values[2, 2] == pytest.approx(np.degrees(np.arctan(grade)), abs=1e-3)


def test_a_void_spoils_its_neighbours_only():
    ground = plane(0.5, 0.0)
    holed = ground.values.copy()
    holed[4, 4] = np.nan
    found = slope_deg(Raster(holed, ground.transform, ground.crs)).values
    assert np.isnan(found[3:6, 3:6]).all()
    assert np.isfinite(found[1:-1, 1:-1]).sum() == 49 - 9


def test_mercator_has_no_slope():
    lying = plane(0.5, 0.0)
    with pytest.raises(CRSUnitError):
        slope_deg(Raster(lying.values, lying.transform, CRS.from_epsg(3857)))


def test_too_small_a_raster_has_none():
    assert np.isnan(slope_deg(plane(1, 1, size=2)).values).all()


def test_the_rim_belongs_to_the_gentler_class():
    known = pd.Series([0, 2, 2.01, 6, 15, 25, 25.01, np.nan], index=list("abcdefgh"))
    classes = slope_class(known)
    assert classes.index.tolist() == known.index.tolist()
    assert classes.tolist()[:7] == [1, 1, 2, 2, 3, 4, 5]
    assert pd.isna(classes.iloc[7])


def stairs() -> Raster:
    """Cells of 10 m whose slope is 0, 10, 25 and 30 degrees from west to east, the last column unknown."""
    values = np.tile(np.array([0, 10, 25, 30, np.nan], np.float32), (4, 1))
    return Raster(values, Affine(10, 0, 500_000, 0, -10, 3_100_040), METRES)


def plots(*boxes: tuple[float, float, float, float] | None) -> gpd.GeoDataFrame:
    """Plots by west, south, east, north in metres from the corner of ``stairs``."""
    x, y = 500_000, 3_100_000
    shapes = [None if b is None else shapely.box(x + b[0], y + b[1], x + b[2], y + b[3]) for b in boxes]
    degrees = crs.geometry_to_degrees(np.array(shapes, object), "EPSG:4543")
    return gpd.GeoDataFrame(index=[f"H{i}" for i in range(len(boxes))], geometry=degrees, crs="EPSG:4326")


def test_shares_of_cells_are_exact():
    # a quarter in the flat column and three quarters at 10°; half at 25 and half at 30; half unknown
    found = slope_under(plots((7.5, 0, 17.5, 10), (25, 5, 35, 25), (35, 0, 45, 10)), stairs(), limits_deg=[25.0])
    assert found.index.tolist() == ["H0", "H1", "H2"]
    np.testing.assert_allclose(found["slope_deg_mean"], [7.5, 27.5, 30.0], atol=1e-3)
    np.testing.assert_allclose(found["slope_over_25_share"], [0, 0.5, 1.0], atol=1e-4)
    np.testing.assert_allclose(found["slope_known_share"], [1, 1, 0.5], atol=1e-4)
    assert found["slope_class"].tolist()[::2] == [3, 5]


def test_exactly_the_limit_is_not_over_it():
    found = slope_under(plots((21, 1, 29, 9)), stairs(), limits_deg=[25.0])
    assert found["slope_deg_mean"].iloc[0] == pytest.approx(25.0)
    assert found["slope_over_25_share"].iloc[0] == 0.0
    assert found["slope_class"].iloc[0] == 4


def test_of_two_classes_with_equal_area_the_gentler_is_taken():
    found = slope_under(plots((5, 0, 15, 10), (5.1, 0, 15.1, 10)), stairs(), limits_deg=[25.0])
    assert found["slope_class"].tolist() == [1, 3]


def test_outside_without_shape_and_empty():
    found = slope_under(plots(None, (900, 900, 910, 910)), stairs(), limits_deg=[25.0])
    assert found[["slope_deg_mean", "slope_over_25_share", "slope_class"]].isna().all(axis=None)
    assert len(slope_under(plots(), stairs(), limits_deg=[25.0])) == 0


def test_outside_of_the_raster_nothing_is_known():
    # half of the plot lies west of the first cell
    found = slope_under(plots((-5, 0, 5, 10)), stairs(), limits_deg=[25.0])
    assert found["slope_known_share"].iloc[0] == pytest.approx(0.5, abs=1e-4)
