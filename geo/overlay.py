"""What of each shape lies in which zone, in true square metres, and how far a zone is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import crs as systems

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]


def areal(shapes: Shapes) -> NDArray[np.bool_]:
    """Say which shapes are polygons of one part or more; None is none."""
    return np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))


def only(shapes: Shapes, which: NDArray[np.bool_]) -> Shapes:
    """Give the shapes that are chosen, None for the others."""
    out = shapes.copy()
    out[~which] = None
    return out


def pieces(shapes: Shapes, zones: Shapes, *, area_m2: Floats | None = None) -> pd.DataFrame:
    """
    Cut shapes by zones.

    Parameters
    ----------
    shapes, zones
        Polygons in degrees; what is None or empty meets nothing.
    area_m2
        Of each shape where it is known already; a shape wholly within a zone is not measured again.

    Returns
    -------
    pieces
        ``shape`` and ``zone`` (rows) and ``area_m2`` on the ellipsoid, above 0, in the order of shapes and zones.
        Zones that overlap count each.
    """
    tree = shapely.STRtree(zones)
    shape, zone = tree.query(shapes, predicate="intersects")
    areas = np.full(len(shape), np.nan)
    if area_m2 is not None and len(shape):
        shapely.prepare(zones)
        whole = shapely.covers(zones[zone], shapes[shape])
        areas[whole] = area_m2[shape[whole]]
    open_ = np.flatnonzero(np.isnan(areas))
    areas[open_] = systems.area_m2(shapely.intersection(shapes[shape[open_]], zones[zone[open_]]))
    table = pd.DataFrame({"shape": shape, "zone": zone, "area_m2": areas})
    return table[table["area_m2"] > 0].sort_values(["shape", "zone"], ignore_index=True)


def most(found: pd.DataFrame, n: int) -> tuple[NDArray[np.int64], Floats]:
    """
    Give the zone with most of the area of each of ``n`` shapes, of equal ones the first, and that area.

    Parameters
    ----------
    found
        Of ``pieces``.
    n
        How many shapes there are; one that meets no zone has -1 and 0.
    """
    top = found.sort_values(["area_m2", "zone"], ascending=[False, True]).drop_duplicates("shape")
    zone, area = np.full(n, -1, np.int64), np.zeros(n)
    zone[top["shape"]], area[top["shape"]] = top["zone"], top["area_m2"]
    return zone, area


def first_holding(points: Shapes, zones: Shapes) -> NDArray[np.int64]:
    """Give the first zone that holds each point, its rim too; -1 for none."""
    out = np.full(len(points), len(zones), np.int64)
    point, zone = shapely.STRtree(zones).query(points, predicate="intersects")
    np.minimum.at(out, point, zone)
    return np.where(out == len(zones), -1, out)


def covered_m2(shapes: Shapes, zones: Shapes, *, area_m2: Floats | None = None) -> Floats:
    """
    Measure how much of each shape lies in any zone; where zones overlap it counts once.

    Parameters and boundary as in ``pieces``; 0 where nothing does.
    """
    found = pieces(shapes, zones, area_m2=area_m2)
    out = np.bincount(found["shape"], found["area_m2"], len(shapes)).astype(np.float64)
    several = found[found["shape"].duplicated(keep=False)]
    if len(several):  # zones may overlap: their union counts
        shape, zone = (several[name].to_numpy(np.int64) for name in ("shape", "zone"))
        rows, union = joined(shape, shapely.intersection(shapes[shape], zones[zone]))
        out[rows] = systems.area_m2(union)
    return out


def joined(row: NDArray[np.int64], parts: Shapes) -> tuple[NDArray[np.int64], Shapes]:
    """Put the parts of each row together, overlaps once; rows are in order, and come out each once."""
    first = np.flatnonzero(np.diff(row, prepend=-1))
    union = np.empty(len(first), object)
    for at, own in enumerate(np.split(parts, first[1:]) if len(first) else []):
        union[at] = own[0] if len(own) == 1 else shapely.union_all(own)
    return row[first], union


def first_come(shapes: Shapes) -> Floats:
    """Measure on a plane what each polygon has that none before it has."""
    area = shapely.area(shapes)
    own, before = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    earlier = before < own
    own, before = own[earlier], before[earlier]
    order = np.lexsort((before, own))
    rows, union = joined(own[order], shapely.intersection(shapes[own[order]], shapes[before[order]]))
    area[rows] = np.maximum(area[rows] - shapely.area(union), 0.0)
    return np.asarray(area, np.float64)


def overlaps(
    shapes: Shapes, *, least_m2: float, rank: NDArray[np.int64] | None = None,
    kind: NDArray[np.int64] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """
    Find shapes of one layer that share ground.

    Parameters
    ----------
    shapes
        Polygons in degrees, None for none.
    least_m2
        Pairs that share less are left out.
    rank
        Of each shape, each once; the smaller stands first in a pair. None takes the order of the rows.
    kind
        Of equal shapes of one kind all but the first are paired with that one only; None is one kind.

    Returns
    -------
    pairs
        ``one``, ``other`` (rows) and ``area_m2``.
    """
    n = len(shapes)
    place = np.arange(n) if rank is None else rank
    there = np.flatnonzero(~shapely.is_missing(shapes))
    there = there[np.argsort(place[there])]
    same = pd.DataFrame({"shape": shapely.to_wkb(shapes[there]), "kind": 0 if kind is None else kind[there]})
    first = there[same.groupby(["shape", "kind"], sort=False).ngroup().drop_duplicates().index]
    of = pd.Series(there).groupby([same["shape"], same["kind"]]).transform("first").to_numpy(np.int64)
    one, other = shapely.STRtree(shapes[first]).query(shapes[first], predicate="intersects")
    one, other = first[one], first[other]
    pairs = place[one] < place[other]
    again = of != there
    one, other = np.concatenate((one[pairs], of[again])), np.concatenate((other[pairs], there[again]))
    area = systems.area_m2(shapely.intersection(shapes[one], shapes[other]))
    table = pd.DataFrame({"one": one, "other": other, "area_m2": area})
    return table[table["area_m2"] >= least_m2].sort_values(["one", "other"], ignore_index=True)


def apart_m(shapes: Shapes, others: Shapes, *, within_m: float) -> Floats:
    """
    Measure how far the nearest of others is, edge to edge; 0 where they touch or overlap.

    Both are in the metres of one plane. Infinite where none is within ``within_m``, whose rim belongs to it.
    """
    out = np.full(len(shapes), np.inf)
    if len(others):
        found, away = shapely.STRtree(others).query_nearest(
            shapes, max_distance=within_m + 1e-9, return_distance=True, all_matches=False
        )
        out[found[0]] = away
    return out


def mended(geometry: gpd.GeoSeries, crossing: pd.Series) -> gpd.GeoSeries:
    """
    Make the shapes that cross themselves simple; the others are as they were.

    Only what has an area is kept of a mended polygon: a spike that encloses nothing is dropped.
    """
    out = geometry.copy()
    out[crossing] = geometry[crossing].make_valid(method="structure", keep_collapsed=False)
    return out
