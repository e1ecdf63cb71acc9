"""How far one gets in some minutes: a surface of travel time around a place, and the rings drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from contourpy import FillType, LineType, SerialContourGenerator, ZInterp
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import KDTree

from geo import crs as systems
from geo._kernels.cells import TILE, mark_tiles, nearest_street, window_ms
from geo.graph import Graph, Sources
from geo.network import Streets, Usage
from geo.profile import TravelProfile, fastest_kmh
from geo.snap import MAIN_COMPONENT_M, Snaps

Floats = NDArray[np.float64]

CELL_M = 25.0
"""The side of a cell of the surface."""

OFF_ROAD_M = 250.0
"""How far from a street a ring may reach [P]: what lies further is drawn as not reached, whatever the time."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeGrid:
    """
    Travel times of the cells around one place, in a plane of metres.

    ``x`` and ``y`` are the middles of columns and rows (south to north); ``time_min`` is infinite where nothing
    is reached, ``street_m`` where no street is near.
    """

    x: Floats
    y: Floats
    time_min: NDArray[np.float32]
    street_m: NDArray[np.float32]


class Surface:
    """
    Cells of 25 m along the streets of one profile, each with its nearest street, from which rings are drawn.

    A cell is reached as a person there would be: along its nearest street, of which a part of at least 2 km goes
    first, and over the straight leg from it: at walking speed, with grades as on level ground off a path. Built
    once and asked for many places.

    Parameters
    ----------
    streets, usage, profile
        The graph and who travels on it.
    plane
        A plane of metres for the cells.
    off_road_m
        How far from the street cells are reached.
    around, limit_min
        Places (longitude and latitude) and minutes: cells are made only for the streets that can matter to what is
        reached from these places in so many minutes. For all streets by default.
    """

    def __init__(
        self,
        streets: Streets,
        usage: Usage,
        *,
        profile: TravelProfile,
        plane: CRS,
        off_road_m: float = OFF_ROAD_M,
        around: tuple[Floats, Floats] | None = None,
        limit_min: float = 15.0,
    ) -> None:
        self._streets, self._usage, self._profile, self._plane = streets, usage, profile, plane
        self._off_road_m = off_road_m
        self._fastest = fastest_kmh(profile) * 1000 / 60  # metres a minute
        # two cells more than is drawn, so that the rim lies between cells that both have a time
        self._reach_m = off_road_m + 2 * CELL_M
        usable = usage.forward | usage.backward
        self._graphs: dict[bool, Graph] = {}
        self._numbers: dict[tuple[int, ...], tuple[Floats, Floats]] = {}  # column and row of each cell, by shape
        x, y = systems.project(streets.lon, streets.lat, plane)
        if around is not None:
            usable = usable & self._near(x, y, around, limit_min)
        usable = usable & ~streets.raised  # nobody leaves a bridge or a ferry but at its ends
        main = usable & (usage.component_m >= MAIN_COMPONENT_M)
        rows = np.flatnonzero(usable)
        which = np.repeat(np.arange(streets.edge_n), np.diff(streets.offset))
        kept = usable[which]
        self._west = float(x[kept].min(initial=np.inf)) - self._reach_m if len(rows) else 0.0
        self._north = float(y[kept].max(initial=-np.inf)) + self._reach_m if len(rows) else 0.0
        east = float(x[kept].max(initial=-np.inf)) + self._reach_m if len(rows) else 0.0
        south = float(y[kept].min(initial=np.inf)) - self._reach_m if len(rows) else 0.0
        side = CELL_M * TILE
        shape = (int((self._north - south) / side) + 1, int((east - self._west) / side) + 1)
        marked = np.zeros(shape, bool)
        frame = (self._west, self._north, CELL_M, self._reach_m)
        mark_tiles(x, y, streets.offset, rows, *frame, marked)
        self._tile_of = np.where(marked, np.cumsum(marked).reshape(shape) - 1, -1).astype(np.int32)
        tiles = (int(marked.sum()), TILE, TILE)
        self._edge, self._distance = np.full(tiles, -1, np.int32), np.full(tiles, np.inf, np.float32)
        fraction = np.zeros(tiles, np.float32)
        # two bands of rows with as much street in each, side by side
        middle = int((self._north - float(np.median(y[kept]))) / CELL_M) if len(rows) else 0
        bands = ((0, middle), (middle, shape[0] * TILE))
        for chosen in (np.flatnonzero(main), np.flatnonzero(usable & ~main)):
            arrays: tuple[Any, ...] = (self._tile_of, self._edge >= 0, self._edge, fraction, self._distance)
            with ThreadPoolExecutor(len(bands)) as pool:
                tasks = [pool.submit(nearest_street, x, y, streets.offset, chosen, *frame, *band, *arrays)
                         for band in bands]  # fmt: skip
            for task in tasks:
                task.result()
        np.sqrt(self._distance, out=self._distance)
        self._along, self._against = (np.zeros(tiles, np.float32) for _ in "ab")
        own = self._edge >= 0
        ahead, against = usage.part_ms(self._edge[own].astype(np.int64), fraction[own].astype(np.float64))
        self._along[own], self._against[own] = ahead, against

    def _near(self, x: Floats, y: Floats, around: tuple[Floats, Floats], limit_min: float) -> NDArray[np.bool_]:
        """Mark the edges that come near enough to some place to be walked on, or to be a cell's nearest."""
        streets = self._streets
        at = np.column_stack(systems.project(*around, self._plane))
        at = at[np.isfinite(at).all(axis=1)]
        if not len(at) or not streets.edge_n:
            return np.zeros(streets.edge_n, bool)
        reach = self._fastest * limit_min + 2 * self._reach_m
        step = np.hypot(np.diff(x), np.diff(y))
        step[streets.offset[1:-1] - 1] = 0.0  # from one edge to the next
        bound = reach + float(step.max(initial=0.0))
        away, _ = KDTree(at).query(np.column_stack((x, y)), distance_upper_bound=bound)
        return np.asarray(np.minimum.reduceat(away, streets.offset[:-1]) < np.inf, np.bool_)

    def times(self, snaps: Snaps, row: int, *, limit_min: float, inward: bool = False) -> TimeGrid:
        """
        Give the times of the cells that might be reached from a place, or that reach it (``inward``).

        Parameters
        ----------
        snaps, row
            Where places meet the streets, and which of them is asked for.
        limit_min
            Beyond, times are infinite.
        inward
            From the cells to the place.
        """
        edge, fraction = int(snaps.edge[row]), float(snaps.fraction[row])
        x, y = systems.project([snaps.lon[row]], [snaps.lat[row]], self._plane)
        reach = self._fastest * limit_min + self._reach_m + 2 * CELL_M
        left, top = int((x[0] - reach - self._west) // CELL_M), int((self._north - y[0] - reach) // CELL_M)
        n = int(2 * reach / CELL_M) + 2
        usage = self._usage
        # over terrain one walks off the street as one does off a path
        slower = 1.0 if usage.grades is None else float(usage.function.off_path_slowness(0.0))
        leg_ms = 3600.0 / self._profile.flat_kmh * slower
        start = round(float(snaps.distance_m[row]) * leg_ms)
        one, at = np.array([edge]), np.array([fraction])
        ahead, against = (int(part[0]) for part in usage.part_ms(one, at))
        away = {
            False: ((usage.backward, against), (usage.forward, usage.forward_ms[edge] - ahead)),
            True: ((usage.forward, ahead), (usage.backward, usage.backward_ms[edge] - against)),
        }[inward]
        ends = [(node, start + int(ms)) for node, (open_, ms) in
                zip((usage.u[edge], usage.v[edge]), away, strict=True) if open_[edge]]  # fmt: skip
        nodes, ms = (np.array(column, np.int64) for column in zip(*ends, strict=True)) if ends else ([], [])
        sources = Sources(np.asarray(nodes), np.asarray(ms), np.zeros(len(ends)), np.arange(len(ends)))
        limit_ms = int(limit_min * 60_000)
        found = self._graph(inward=inward).nearest(sources, limit_ms=limit_ms, measured=False)
        along, against_ms = (self._against, self._along) if inward else (self._along, self._against)
        # along the home's own edge, ahead where it is open ahead and back where it is open back
        home = (against, ahead) if inward else (ahead, against)
        open_ = (usage.backward, usage.forward) if inward else (usage.forward, usage.backward)
        home_along = float(home[0]) if open_[0][edge] else np.inf
        home_against = float(home[1]) if open_[1][edge] else -np.inf
        # the way to a cell leads ahead from u and against from v; the way from it turned round
        whole_ms = usage.forward_ms if inward else usage.backward_ms
        grid, street = window_ms(
            self._tile_of, self._edge, self._distance, open_[0], open_[1], whole_ms, along, against_ms, leg_ms,
            usage.u, usage.v, found.ms, edge, home_along, home_against, float(start), top, left, n, n,
        )  # fmt: skip
        columns = np.asarray(self._west + (left + np.arange(n) + 0.5) * CELL_M, np.float64)
        rows = np.asarray(self._north - (top + np.arange(n) + 0.5) * CELL_M, np.float64)
        return TimeGrid(columns, rows[::-1], grid[::-1] / np.float32(60_000), street[::-1])

    def rings(
        self, snaps: Snaps, *, minutes: Sequence[float] = (5, 10, 15), inward: bool = False
    ) -> gpd.GeoDataFrame:
        """
        Draw the rings of places: what is reached within some minutes, the rim belonging to it.

        All rings of a place come from one surface, so that the smaller lie in the larger; holes are kept.

        Returns
        -------
        rings
            ``row`` of the place in ``snaps``, ``minutes``, and polygons in degrees, place by place and the
            smallest first; empty where a place meets no street.
        """
        shapes: list[shapely.Geometry] = []
        for row in range(len(snaps.edge)):
            if snaps.edge[row] < 0:
                shapes += [shapely.MultiPolygon()] * len(minutes)
                continue
            grid = self.times(snaps, row, limit_min=max(minutes), inward=inward)
            shapes += [self._drawn(grid, limit) for limit in minutes]
        names = pd.MultiIndex.from_product([range(len(snaps.edge)), minutes], names=["row", "minutes"])
        degrees = systems.geometry_to_degrees(np.array(shapes, object), self._plane.to_wkt())
        frame = pd.DataFrame(index=names).reset_index()
        return gpd.GeoDataFrame(frame, geometry=degrees, crs="EPSG:4326")

    def _drawn(self, grid: TimeGrid, limit_min: float) -> shapely.Geometry:
        # nobody gets further than this from the middle
        reach = int((self._fastest * limit_min + self._off_road_m) / CELL_M) + 3
        middle = len(grid.x) // 2
        own = slice(max(0, middle - reach), middle + reach + 1)
        # both the time and the way off the street must be within their limits; 1 is the rim of both
        height = np.maximum(grid.time_min[own, own] / limit_min, grid.street_m[own, own] / self._off_road_m)
        # drawn on the numbers of columns and rows, and then put where they are
        if height.shape not in self._numbers:
            row, column = np.indices(height.shape, np.float64)
            self._numbers[height.shape] = (np.ascontiguousarray(column), np.ascontiguousarray(row))
        generator: Any = SerialContourGenerator  # which knows of no mask, whatever its types say
        made = generator(
            *self._numbers[height.shape], np.minimum(height, 3.0, dtype=np.float64), None, corner_mask=False,
            line_type=LineType.Separate, fill_type=FillType.OuterOffset, quad_as_tri=False,
            z_interp=ZInterp.Linear,
        )  # fmt: skip
        filled = made.filled(-1.0, 1.0)
        corner = np.array([grid.x[own][0], grid.y[own][0]])
        polygons = []
        for numbers, parts in zip(*filled, strict=True):
            points = corner + numbers * CELL_M
            lines = [points[start:end] for start, end in pairwise(parts)]
            polygons.append(shapely.Polygon(lines[0], lines[1:]))
        return shapely.MultiPolygon([part for part in polygons if part.area > 0])

    def _graph(self, *, inward: bool) -> Graph:
        if inward not in self._graphs:
            usage = self._usage
            tail = np.concatenate((usage.u[usage.forward], usage.v[usage.backward]))
            head = np.concatenate((usage.v[usage.forward], usage.u[usage.backward]))
            cost = np.concatenate((usage.forward_ms[usage.forward], usage.backward_ms[usage.backward]))
            tail, head = (head, tail) if inward else (tail, head)
            self._graphs[inward] = Graph.pack(tail, head, cost, np.zeros(len(cost)), usage.node_n)
        return self._graphs[inward]
