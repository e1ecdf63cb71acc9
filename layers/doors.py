"""Where one comes into a facility that is more than a point: by its gates, or anywhere along its outline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import crs as systems
from layers.catalog import Catalog

Shapes = NDArray[np.object_]

STEP_M, STEPS_N = 50.0, 400
"""An outline is come to at marks this far apart, and at so many at most: one of over 20 km at wider ones [P]."""

OSM_STEP = 1e7
"""OpenStreetMap counts positions in steps of a ten-millionth of a degree."""


def door_table(facilities: pd.DataFrame) -> pd.DataFrame:
    """
    List the doors of facilities: where one comes in, one row a door; the position where no other is known.

    Parameters
    ----------
    facilities
        ``lon``, ``lat`` and, if there are any, ``doors``: a multipoint in degrees as text, '' for none.

    Returns
    -------
    doors
        ``facility`` (its place among the rows), ``lon`` and ``lat``, in the order of facilities.
    """
    n = len(facilities)
    lon, lat = (facilities[name].to_numpy(np.float64) for name in ("lon", "lat"))
    text = facilities["doors"].to_numpy(object) if "doors" in facilities else np.full(n, "", object)
    some = np.flatnonzero(text != "")
    at, own = shapely.get_coordinates(shapely.from_wkt(text[some]), return_index=True)
    alone = np.flatnonzero(text == "")
    table = pd.DataFrame(
        {"facility": np.concatenate((alone, some[own])), "lon": np.concatenate((lon[alone], at[:, 0])),
         "lat": np.concatenate((lat[alone], at[:, 1]))}
    )  # fmt: skip
    return table.sort_values("facility", kind="stable", ignore_index=True)


def gates_on(outlines: Shapes, gates: Shapes) -> NDArray[np.object_]:
    """
    Find the gates that stand on outlines, at a vertex that both share.

    Parameters
    ----------
    outlines
        Shapes of OpenStreetMap in degrees, or None; at others than polygons no gate is looked for.
    gates
        Its points.

    Returns
    -------
    doors
        A multipoint as text for each outline, '' where there is no gate.
    """
    out = np.full(len(outlines), "", object)
    known = set(_steps(shapely.get_coordinates(gates)))
    areas = np.flatnonzero(_areas(outlines))
    at, own = shapely.get_coordinates(outlines[areas], return_index=True)
    met = np.array([key in known for key in _steps(at)], bool)
    for row, points in pd.DataFrame(at[met]).groupby(areas[own[met]]):
        out[row] = doors_text(points.drop_duplicates().to_numpy(np.float64))
    return out


def outline_doors(outlines: Shapes) -> NDArray[np.object_]:
    """Put a door about every 50 m around polygons in degrees, as text; '' for other shapes and None."""
    out = np.full(len(outlines), "", object)
    for row in np.flatnonzero(_areas(outlines)):
        plane = systems.zone(float(shapely.centroid(outlines[row]).x))
        flat = systems.geometry_to_plane(np.array([outlines[row]], object), plane)
        rings = shapely.get_exterior_ring(shapely.get_parts(flat))
        step = max(STEP_M, float(shapely.length(rings).sum()) / STEPS_N)
        marks = [
            np.linspace(0.0, ring.length, max(1, round(ring.length / step)), endpoint=False) for ring in rings
        ]
        points = map(shapely.line_interpolate_point, rings, marks)
        x, y = shapely.get_coordinates(np.concatenate([*points])).T
        out[row] = doors_text(np.column_stack(systems.to_degrees(x, y, plane.to_wkt())))
    return out


def by_kind(doors: pd.Series, category: pd.Series, outlines: Shapes, catalog: Catalog) -> NDArray[np.object_]:
    """
    Add the doors of facilities that have none and are of a category of the kind ``area``: those of their outline.

    Parameters
    ----------
    doors, category, outlines
        Of each facility, the last in degrees or None.
    catalog
        The categories.
    """
    areas = [name for name, own in catalog.categories.items() if own.kind == "area"]
    out = doors.to_numpy(object, copy=True)
    open_ = np.flatnonzero((doors == "").to_numpy(bool) & category.isin(areas).to_numpy(bool))
    out[open_] = outline_doors(outlines[open_])
    return out


def _areas(shapes: Shapes) -> NDArray[np.bool_]:
    return np.asarray((shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes), np.bool_)


def _steps(at: NDArray[np.float64]) -> list[tuple[int, int]]:
    return [(x, y) for x, y in np.rint(at * OSM_STEP).astype(np.int64).tolist()]


def doors_text(at: NDArray[np.float64]) -> str:
    """Write doors (longitude and latitude, n × 2) as ``doors`` of facilities, to the centimetre."""
    return str(shapely.to_wkt(shapely.multipoints(at), rounding_precision=7))
