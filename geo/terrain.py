"""Slope from a terrain raster, and what of it lies under a polygon."""

from __future__ import annotations

from typing import Any

import exactextract
import exactextract.raster
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from exactextract.operation import Operation
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from geo import crs as systems
from geo.io import Raster

SLOPE_CLASS_DEG = (2.0, 6.0, 15.0, 25.0)
"""Upper rims of the slope classes 1 to 4 of the land survey; class 5 is steeper."""


def slope_deg(ground: Raster) -> Raster:
    """
    Work out the slope of each cell from its eight neighbours, in degrees from the horizontal.

    A cell with a void among them, or at the rim of the raster, is NaN. On a raster in degrees the size of the
    cells is taken from the ellipsoid, row by row; one in metres is taken as it is. Heights must be metres.

    Raises
    ------
    CRSUnitError
        The raster is in neither degrees nor true metres.

    References
    ----------
    Horn 1981, "Hill shading and the reflectance map", the third-order finite difference.
    """
    z = ground.values.astype(np.float64)
    slope = np.full(z.shape, np.nan, np.float32)
    if min(z.shape) >= 3:
        width, height = cell_m(ground)
        nw, n, ne = z[:-2, :-2], z[:-2, 1:-1], z[:-2, 2:]
        w, e = z[1:-1, :-2], z[1:-1, 2:]
        sw, s, se = z[2:, :-2], z[2:, 1:-1], z[2:, 2:]
        east = ((ne + 2 * e + se) - (nw + 2 * w + sw)) / (8 * width[1:-1, None])
        north = ((nw + 2 * n + ne) - (sw + 2 * s + se)) / (8 * height[1:-1, None])
        centre = np.isfinite(z[1:-1, 1:-1])
        slope[1:-1, 1:-1] = np.where(centre, np.degrees(np.arctan(np.hypot(east, north))), np.nan)
    return Raster(slope, ground.transform, ground.crs)


def cell_m(ground: Raster) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Width and height of the cells of each row in metres, on the ellipsoid.

    Raises
    ------
    CRSUnitError
        The raster is in neither degrees nor true metres.
    """
    _, y = ground.cell_centres()
    width, height = ground.transform.a, -ground.transform.e
    if not ground.crs.is_geographic:
        systems.require_metres(ground.crs.to_wkt(), what="terrain")
        return np.full(len(y), width), np.full(len(y), height)
    east = systems.geodesic_m(np.zeros(len(y)), y, np.full(len(y), width), y)
    north = systems.geodesic_m(np.zeros(len(y)), y - height / 2, np.zeros(len(y)), y + height / 2)
    return east, north


SMOOTH_M = 30.0
"""
The standard deviation of the bell over which terrain is averaged before one walks over it.

A cell of SRTM is wrong by some metres against its neighbour: over 30 m that alone would be a grade of a tenth.
"""


def averaged(ground: Raster) -> Raster:
    """
    Average heights over a bell of 30 m; NaN where most around is not known.

    What is known around counts; where more than half is not, the bell would lean on one side.

    Raises
    ------
    CRSUnitError
        The raster is in neither degrees nor true metres.
    """
    width, height = (float(np.median(sizes)) for sizes in cell_m(ground))
    sigma = (SMOOTH_M / height, SMOOTH_M / width)
    values = ground.values.astype(np.float32)
    known = np.isfinite(values)
    smooth = gaussian_filter(np.where(known, values, 0.0), sigma, mode="nearest", truncate=3.0)
    if not known.all():
        weight = gaussian_filter(known.astype(np.float32), sigma, mode="nearest", truncate=3.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            smooth = np.where(weight >= 0.5, smooth / weight, np.nan).astype(np.float32)
    return Raster(smooth, ground.transform, ground.crs)


def heights_at(ground: Raster, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights at degrees between the four nearest cells; NaN outside and beside a void."""
    return heights_at_xy(ground, *ground.own_xy(lon, lat))


def heights_at_xy(ground: Raster, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same at places in the raster's own system."""
    column = (x - ground.transform.c) / ground.transform.a - 0.5
    row = (y - ground.transform.f) / ground.transform.e - 0.5
    rows, columns = ground.values.shape
    outside = (column < -0.5) | (row < -0.5) | (column > columns - 0.5) | (row > rows - 0.5)
    found = map_coordinates(ground.values, (row, column), output=np.float64, order=1, mode="nearest")
    return np.where(outside, np.nan, found)


def slope_class(degrees: pd.Series) -> pd.Series:
    """
    Name the slope class of the land survey, 1 (at most 2°) to 5 (over 25°); the rim belongs to the gentler.

    Examples
    --------
    >>> slope_class(pd.Series([2.0, 2.1, 25.0, 25.1, float("nan")])).tolist()
    [1, 2, 4, 5, <NA>]
    """
    rank = np.searchsorted(SLOPE_CLASS_DEG, degrees.to_numpy(np.float64), side="left") + 1
    known = pd.Series(rank, index=degrees.index, dtype="Int64", name="slope_class")
    return known.mask(degrees.isna())


def slope_under(plots: gpd.GeoDataFrame, slope: Raster, *, limit_deg: float) -> pd.DataFrame:
    """
    Weigh the slope under polygons by the exact share of each cell that they cover.

    A slope of exactly ``limit_deg`` is not over it.

    Parameters
    ----------
    plots
        Polygons in degrees.
    slope
        Degrees of slope, see ``slope_deg``.
    limit_deg
        The limit of ``slope_over_share``, degrees.

    Returns
    -------
    under
        Index of ``plots``; ``slope_deg_mean``, ``slope_over_share`` (0 to 1, of the covered area that has a
        slope), ``slope_class`` (the class with most area, the gentler of two with equal area) and
        ``slope_known_share`` (0 to 1, of the plot's area). NaN where no cell with a slope lies under the plot.
    """
    columns = ["slope_deg_mean", "slope_over_share", "slope_known_share"]
    out = pd.DataFrame(np.nan, index=plots.index, columns=columns)
    out["slope_class"] = pd.array([pd.NA] * len(plots), dtype="Int64")
    shaped = plots.geometry.notna() & ~plots.geometry.is_empty
    if not shaped.any():
        return out
    values = slope.values
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        over = np.where(known, values > limit_deg, np.nan).astype(np.float32)
    classes = np.searchsorted(SLOPE_CLASS_DEG, values, side="left").astype(np.float32) + 1
    shapes = gpd.GeoDataFrame(
        {"row": np.flatnonzero(shaped)}, geometry=plots.geometry[shaped].to_numpy(), crs=plots.crs
    )
    if not slope.crs.is_geographic:
        shapes = shapes.to_crs(slope.crs)
    found = _exact(
        slope, shapes,
        slope_mean=("mean", values), over_mean=("mean", over), known_sum=("sum", known),
        # of equally common values the greatest is taken, so the classes go in turned round: the gentler wins
        class_majority=("majority", np.where(known, -classes, np.nan)),
    ).reindex(range(len(plots)))  # fmt: skip
    out["slope_deg_mean"] = found["slope_mean"].to_numpy(np.float64)
    out["slope_over_share"] = found["over_mean"].to_numpy(np.float64)
    # cells that lie outside of the raster are no cells at all, so the plot's own size is what counts
    cells = np.full(len(plots), np.nan)
    cells[shapes["row"]] = shapely.area(shapes.geometry.to_numpy()) / (slope.transform.a * -slope.transform.e)
    out["slope_known_share"] = np.minimum(found["known_sum"].to_numpy(np.float64) / cells, 1.0)
    out["slope_class"] = (-found["class_majority"].astype("float64").round()).astype("Int64").array
    return out


def _exact(grid: Raster, shapes: gpd.GeoDataFrame, **wanted: tuple[str, NDArray[Any]]) -> pd.DataFrame:
    """Work out one statistic of one array on the grid for each name, by row of ``shapes``."""
    xmin, ymin, xmax, ymax = grid.bounds
    wkt = grid.crs.to_wkt()
    operations, sources = [], []
    for name, (statistic, array) in wanted.items():
        cells = np.ascontiguousarray(array, np.float32)
        source = exactextract.raster.NumPyRasterSource(
            cells, xmin, ymin, xmax, ymax, nodata=np.nan, name=name, srs_wkt=wkt
        )
        sources.append(source)
        operations.append(Operation(statistic, name, source))
    shapes = shapes.set_crs(grid.crs, allow_override=True)
    found: pd.DataFrame = exactextract.exact_extract(
        sources, shapes, operations, include_cols=["row"], output="pandas", strategy="raster-sequential"
    )
    return found.set_index("row")
