"""Counting the people of a raster at points, without losing or doubling one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo import crs as systems
from geo.io import Raster


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """
    People by point, and the balance: ``total`` = the sum of ``at_point`` + ``nowhere``.

    ``nowhere`` are the people of the area with no point within the limit.
    """

    at_point: NDArray[np.float64]
    total: float
    nowhere: float


def count_people(
    raster: Raster,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    limit_m: float,
    within: shapely.Geometry,
) -> Counted:
    """
    Give the people of every cell to the nearest point by straight line, each cell to one.

    The rim belongs to the limit. Of equally near points (to a millimetre) the first gets the cell. Cells are
    not resampled; a cell belongs to the area if its centre does. Points without position get NaN.

    Parameters
    ----------
    raster
        People a cell; voids and negative values are nobody.
    lon, lat
        Points, degrees.
    limit_m
        How far from a cell's centre a point may lie, metres.
    within
        The area whose people are counted, degrees.
    """
    x, y = raster.cell_centres()
    row, column = np.nonzero(np.nan_to_num(raster.values) > 0)
    cell_lon, cell_lat = systems.to_degrees(x[column], y[row], systems.system(raster.crs.to_wkt()))
    inside = shapely.intersects_xy(within, cell_lon, cell_lat)
    people = raster.values[row, column].astype(np.float64)[inside]
    cell_lon, cell_lat = cell_lon[inside], cell_lat[inside]
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    at_point = np.where(np.isfinite(lon) & np.isfinite(lat), 0.0, np.nan)
    total = float(people.sum())
    if not len(known) or not len(people):
        return Counted(at_point, total, total)
    plane = systems.zone(float(np.median(lon[known])))
    tree = KDTree(np.column_stack(systems.project(lon[known], lat[known], plane)))
    k = min(4, len(known))
    away, point = tree.query(np.column_stack(systems.project(cell_lon, cell_lat, plane)), k=k)
    away, point = away.reshape(len(people), k), point.reshape(len(people), k)
    tied = np.rint(away * 1000) == np.rint(away[:, :1] * 1000)
    first = known[np.where(tied, point, len(known)).min(axis=1)]
    near = systems.geodesic_m(cell_lon, cell_lat, lon[first], lat[first]) <= limit_m
    np.add.at(at_point, first[near], people[near])
    return Counted(at_point, total, float(people[~near].sum()))
