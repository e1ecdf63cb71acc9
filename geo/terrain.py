"""Slope from a terrain raster, and what of it lies under a polygon."""

from __future__ import annotations

from collections.abc import Sequence
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
from geo.io import Raster, RasterFiles

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


def slope_under(
    plots: gpd.GeoDataFrame, slope: Raster, *, limits_deg: Sequence[float], heights: Raster | None = None
) -> pd.DataFrame:
    """
    Weigh the slope under polygons by the exact share of each cell that they cover.

    A slope of exactly a limit is not over it.

    Parameters
    ----------
    plots
        Polygons in degrees.
    slope
        Degrees of slope, see ``slope_deg``.
    limits_deg
        The limits of the shares, degrees.
    heights
        On the same cells, for ``altitude_m``.

    Returns
    -------
    under
        Index of ``plots``; ``slope_deg_mean``, ``slope_over_<limit>_share`` (0 to 1, of the covered area that has
        a slope), ``slope_class`` (the class with most area, the gentler of two with equal area),
        ``slope_known_share`` (0 to 1, of the plot's area) and ``altitude_m`` (the mean). NaN where no cell with a
        slope lies under the plot.
    """
    shares = [over_share(limit) for limit in limits_deg]
    out = no_slope(plots, limits_deg=limits_deg)
    shaped = plots.geometry.notna() & ~plots.geometry.is_empty
    if not shaped.any():
        return out
    values = slope.values
    known = np.isfinite(values)
    classes = np.searchsorted(SLOPE_CLASS_DEG, values, side="left").astype(np.float32) + 1
    shapes = gpd.GeoDataFrame(
        {"row": np.flatnonzero(shaped)}, geometry=plots.geometry[shaped].to_numpy(), crs=plots.crs
    )
    if not slope.crs.is_geographic:
        shapes = shapes.to_crs(slope.crs)
    with np.errstate(invalid="ignore"):
        over = {name: ("mean", np.where(known, values > limit, np.nan))
                for name, limit in zip(shares, limits_deg, strict=True)}  # fmt: skip
    found = _exact(
        slope, shapes,
        slope_deg_mean=("mean", values), known_sum=("sum", known), **over,
        # of equally common values the greatest is taken, so the classes go in turned round: the gentler wins
        class_majority=("majority", np.where(known, -classes, np.nan)),
        **({} if heights is None else {"altitude_m": ("mean", heights.values)}),
    ).reindex(range(len(plots)))  # fmt: skip
    for name in ("slope_deg_mean", *shares, *(["altitude_m"] if heights is not None else [])):
        out[name] = found[name].to_numpy(np.float64)
    # cells that lie outside of the raster are no cells at all, so the plot's own size is what counts
    cells = np.full(len(plots), np.nan)
    cells[shapes["row"]] = shapely.area(shapes.geometry.to_numpy()) / (slope.transform.a * -slope.transform.e)
    out["slope_known_share"] = np.minimum(found["known_sum"].to_numpy(np.float64) / cells, 1.0)
    out["slope_class"] = (-found["class_majority"].astype("float64").round()).astype("Int64").array
    return out


def no_slope(plots: pd.DataFrame, *, limits_deg: Sequence[float]) -> pd.DataFrame:
    """Give the table of ``slope_under`` where nothing is known."""
    shares = [over_share(limit) for limit in limits_deg]
    columns = ["slope_deg_mean", *shares, "slope_known_share", "altitude_m"]
    out = pd.DataFrame(np.nan, index=plots.index, columns=columns)
    return out.assign(slope_class=pd.array([pd.NA] * len(plots), dtype="Int64"))


def over_share(limit_deg: float) -> str:
    """
    Name the column of the share that is steeper than a limit.

    Examples
    --------
    >>> over_share(25.0)
    'slope_over_25_share'
    """
    return f"slope_over_{limit_deg:g}_share"


TILE_CELLS = 1024
"""The side of the tiles in which terrain is read: some megabytes each."""

MOST_CELLS = 16_000_000
"""So many cells at most under one shape: 100 km by 140 at 30 m, some 700 MB while it is read."""

LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""Heights beyond are no heights of the earth's land: voids that a file does not declare."""


def slope_by_tiles(
    plots: gpd.GeoDataFrame, files: RasterFiles, *, limits_deg: Sequence[float], unit_m: float = 1.0
) -> pd.DataFrame:
    """
    Weigh the slope under polygons as ``slope_under``, reading the terrain tile by tile.

    A plot belongs to the tile in which its box has its middle; the window that is read holds all plots of the tile
    and two cells around them, so that no answer depends on tiles. Of one that spans more than ``MOST_CELLS``
    nothing is said.

    Parameters
    ----------
    plots, limits_deg
        As in ``slope_under``.
    files
        The terrain, open.
    unit_m
        Metres of a unit of height.
    """
    nothing = no_slope(plots.iloc[:0], limits_deg=limits_deg)
    parts: list[pd.DataFrame] = []
    done: list[NDArray[np.int64]] = []
    shapes = plots.geometry.to_numpy()
    if not files.crs.is_geographic:
        shapes = systems.geometry_to_plane(shapes, files.crs)
    box = shapely.bounds(shapes)
    width, height = files.transform.a, -files.transform.e
    middle = (box[:, :2] + box[:, 2:]) / 2
    at = np.flatnonzero(np.isfinite(middle).all(axis=1))
    tile = np.floor(middle[at] / (TILE_CELLS * np.array((width, height)))).astype(np.int64)
    _, which = np.unique(tile, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    # a plot wider than a tile is read alone; one that spans more than a raster that fits into memory is not read
    cells = (box[:, 2:] - box[:, :2]) / np.array((width, height))
    with np.errstate(invalid="ignore"):
        wide, vast = (cells > TILE_CELLS).any(axis=1), cells.prod(axis=1) > MOST_CELLS
    groups = np.split(at[order], np.flatnonzero(np.diff(which[order])) + 1)
    groups = [part for rows in groups for part in (rows[~wide[rows]], *rows[wide[rows] & ~vast[rows], None])]
    for rows in groups:
        if not len(rows):
            continue
        low, high = box[rows, :2].min(axis=0), box[rows, 2:].max(axis=0)
        margin = 2 * np.array((width, height))
        (west, south), (east, north) = (low - margin).tolist(), (high + margin).tolist()
        ground = files.window((west, south, east, north), crs=files.crs.to_wkt())
        values = ground.values * np.float32(unit_m)
        with np.errstate(invalid="ignore"):
            values[(values < LOWEST_M) | (values > HIGHEST_M)] = np.nan
        ground = Raster(values, ground.transform, ground.crs)
        parts.append(slope_under(plots.iloc[rows], slope_deg(ground), limits_deg=limits_deg, heights=ground))
        done.append(rows)
    if not parts:
        return nothing.reindex(plots.index)
    found = pd.concat(parts, ignore_index=True).set_axis(np.concatenate(done))
    return found.reindex(range(len(plots))).set_axis(plots.index)


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
