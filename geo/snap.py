"""Joining points to streets: to the middle of an edge, by one rule that looks at one point at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from geo import crs as systems
from geo.closed import crossing
from geo.network import Streets, Usage
from geo.profile import TravelProfile

MAIN_COMPONENT_M = 2000.0
"""A part of the network shorter than this is not snapped to while a longer one is in reach."""


_EARTH_M = 6_370_000.0
At = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Longitude and latitude of points."""


@dataclass(frozen=True, slots=True, eq=False)
class Snaps:
    """
    Where points meet the streets; one row a point.

    ``edge`` is -1 and the rest NaN unless ``status`` is ``ok`` or ``minor``. ``fraction`` runs from 0 at
    the edge's u to 1 at its v, in steps of about a centimetre. ``lon`` and ``lat`` are the meeting point;
    ``distance_m`` is the geodesic to it. ``status`` is ``ok``, ``minor`` (a part of the network under 2 km, for
    want of better), ``off_network`` (no street within the limit), ``no_position``, or ``parted``, see
    ``keep_together``.
    """

    edge: NDArray[np.int64]
    fraction: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    distance_m: NDArray[np.float64]
    component: NDArray[np.int32]
    status: NDArray[np.object_]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which points meet a street."""
        return self.edge >= 0


def keep_together(driven: Snaps, walked: Snaps, *, on_foot: Usage) -> Snaps:
    """
    Take back where a car would be met on a part of the network to which nobody can walk.

    The way from a house to a street where cars go is on foot. Where the house stands on one part of what can be
    walked and that street on another, something lies between, and the house has no car: ``parted``.
    """
    there = on_foot.component[np.maximum(driven.edge, 0)]
    apart = driven.found & walked.found & (there >= 0) & (there != walked.component)
    blank = {
        name: np.where(apart, np.nan, getattr(driven, name)) for name in ("fraction", "lon", "lat", "distance_m")
    }
    return replace(
        driven, **blank, edge=np.where(apart, -1, driven.edge),
        component=np.where(apart, -1, driven.component).astype(np.int32),
        status=np.where(apart, "parted", driven.status),
    )  # fmt: skip


def nearest_of(snaps: Snaps, owner: NDArray[np.int64], n: int) -> Snaps:
    """
    Give each of ``n`` owners of points the snap of the one that is best off: the nearest to a street that is ok.

    ``owner`` says whose each point is; everybody has at least one.
    """
    if n == len(owner):
        return snaps
    order = np.lexsort((snaps.distance_m, snaps.status != "ok", ~snaps.found, owner))
    best = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    return Snaps(*(getattr(snaps, name)[best] for name in Snaps.__dataclass_fields__))


class Snapper:
    """
    Finds the street of a point for one profile; built once, asked often.

    Parameters
    ----------
    streets, usage, profile
        The graph and who travels on it.
    plane
        A plane of metres.
    closed
        Shapes in degrees that no way to a street crosses.
    """

    def __init__(
        self, streets: Streets, usage: Usage, *, profile: TravelProfile, plane: CRS, closed: ArrayLike = ()
    ) -> None:  # fmt: skip
        self._usage = usage
        self._plane = plane
        self._limit_m = profile.off_street_limit_m
        self._streets = streets
        usable = (usage.forward | usage.backward) & ~streets.raised
        main = usable & (usage.component_m >= MAIN_COMPONENT_M)
        self._lines = streets.lines(plane)
        # by how much the plane stretches at most; the nearest street is asked for with that much room, and the
        # rim is judged on true metres
        west, _, east, _ = shapely.total_bounds(self._lines)
        self._stretch = float(np.cosh((east - west) / _EARTH_M)) * 1.001 if len(self._lines) else 1.0
        # in order of preference: a real part of the network, then whatever there is
        self._choices = [np.flatnonzero(main), np.flatnonzero(usable & ~main)]
        self._trees = [shapely.STRtree(self._lines[rows]) for rows in self._choices]
        walls = np.asarray(closed, object)
        self._closed = shapely.STRtree(systems.geometry_to_plane(walls, plane) if len(walls) else walls)

    def snap(self, lon: ArrayLike, lat: ArrayLike) -> Snaps:
        """
        Join points to the nearest usable edge whose strong component holds at least 2 km of street.

        Nobody joins a bridge or a tunnel but at its ends. Where something closed lies between, the nearest edge is
        taken to which the straight way is open.

        The rim belongs to the limit: a street at exactly the limit is met. Where no such edge is in the limit,
        the nearest of the shorter parts is taken and keeps its own component. Equally near edges: the first in
        file order. No point depends on another.

        Parameters
        ----------
        lon, lat
            Degrees; NaN where a point has no position.
        """
        lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        known = np.isfinite(lon) & np.isfinite(lat)
        x, y = systems.project(np.where(known, lon, 0.0), np.where(known, lat, 0.0), self._plane)
        points = np.asarray(shapely.points(x, y), object)
        edge = np.full(len(lon), -1, np.int64)
        status = np.full(len(lon), "off_network", object)
        status[~known] = "no_position"
        for rows, tree, name in zip(self._choices, self._trees, ("ok", "minor"), strict=True):
            open_ = np.flatnonzero(known & (edge < 0))
            if not len(open_) or not len(rows):
                continue
            reach = self._limit_m * self._stretch
            hit, row = tree.query_nearest(points[open_], max_distance=reach, all_matches=True)
            order = np.lexsort((rows[row], hit))
            hit, row = hit[order], rows[row[order]]
            single, first = np.unique(hit, return_index=True)
            near = self._past_walls(points[open_[single]], row[first], rows, tree, reach)
            edge[open_[single]] = near
            status[open_[single[near >= 0]]] = name
        return self._measured(points, lon, lat, edge, status)

    def barred(self, here: At, there: At) -> NDArray[np.bool_]:
        """Say between which points, in degrees, something closed lies."""
        ends = (np.column_stack(systems.project(*at, self._plane)) for at in (here, there))
        return crossing(self._closed, *ends)

    def _past_walls(
        self, points: NDArray[np.object_], edge: NDArray[np.int64], rows: NDArray[np.int64], tree: shapely.STRtree,
        reach_m: float,
    ) -> NDArray[np.int64]:  # fmt: skip
        """Take the nearest of some edges to which the straight way is open, ``edge`` if it is; else -1."""
        out = edge.copy()
        length, barred = self._legs(points, edge)
        open_ = np.flatnonzero(barred)
        out[open_] = -1
        around = np.minimum(2 * length[open_] + 1, reach_m)
        while len(open_):
            hit, row = tree.query(points[open_], predicate="dwithin", distance=around)
            away, barred = self._legs(points[open_[hit]], rows[row])
            order = np.lexsort((rows[row], away, hit))
            order = order[~barred[order]]
            met, first = np.unique(hit[order], return_index=True)
            out[open_[met]] = rows[row[order[first]]]
            left = (out[open_] < 0) & (around < reach_m)
            open_, around = open_[left], np.minimum(2 * around[left], reach_m)
        return out

    def _legs(
        self, points: NDArray[np.object_], edge: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The metres of straight ways to edges, and whether something closed lies between."""
        if not len(self._closed.geometries):
            return np.zeros(len(edge)), np.zeros(len(edge), bool)
        ends = shapely.get_coordinates(shapely.shortest_line(points, self._lines[edge])).reshape(-1, 2, 2)
        away = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        return away, crossing(self._closed, ends[:, 0], ends[:, 1])

    def _measured(
        self,
        points: NDArray[np.object_],
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        edge: NDArray[np.int64],
        status: NDArray[np.object_],
    ) -> Snaps:
        n = len(edge)
        fraction, at_lon, at_lat, distance = (np.full(n, np.nan) for _ in range(4))
        met = np.flatnonzero(edge >= 0)
        if len(met):
            lines = self._lines[edge[met]]
            along = shapely.line_locate_point(lines, points[met], normalized=True)
            fraction[met] = self._streets.to_the_centimetre(edge[met], np.nan_to_num(along))
            xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, fraction[met], normalized=True))
            at_lon[met], at_lat[met] = systems.to_degrees(xy[:, 0], xy[:, 1], self._plane.to_wkt())
            distance[met] = systems.geodesic_m(lon[met], lat[met], at_lon[met], at_lat[met])
        far = distance > self._limit_m
        edge = np.where(far, -1, edge)
        status = np.where(far, "off_network", status)
        for values in (fraction, at_lon, at_lat, distance):
            values[far] = np.nan
        component = np.where(edge >= 0, self._usage.component[np.maximum(edge, 0)], -1).astype(np.int32)
        return Snaps(edge, fraction, at_lon, at_lat, distance, component, status)


def nearest_line_m(lon: ArrayLike, lat: ArrayLike, lines: ArrayLike) -> NDArray[np.float64]:
    """
    Give the geodesic distance of points to the nearest of some lines: pipes, roads, power lines.

    A polygon is its whole area: a point inside is at 0.

    Parameters
    ----------
    lon, lat
        Degrees; NaN where a point has no position.
    lines
        Shapes in degrees; empty ones and None are passed over.

    Returns
    -------
    distance_m
        NaN for a point without a position, and for all where there are no lines.
    """
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    out = np.full(len(x), np.nan)
    shapes = np.array([shape for shape in np.asarray(lines, object) if shape is not None and not shape.is_empty])
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(shapes) or not len(known):
        return out
    plane = systems.zone(float(np.median(x[known])))
    flat = systems.geometry_to_plane(shapes, plane)
    points = shapely.points(*systems.project(x[known], y[known], plane))
    row, near = shapely.STRtree(flat).query_nearest(points, all_matches=False)
    ways = shapely.shortest_line(points[row], flat[near])
    ends = shapely.get_coordinates(shapely.get_point(ways, 1))
    at = systems.to_degrees(ends[:, 0], ends[:, 1], plane.to_wkt())
    out[known[row]] = systems.geodesic_m(x[known[row]], y[known[row]], *at)
    return out
