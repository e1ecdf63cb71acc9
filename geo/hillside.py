"""Walking where there is no street: over terrain and land cover, around what is closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import shapely
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from rasterio.features import rasterize
from scipy.ndimage import binary_dilation

from geo import crs as systems
from geo._kernels.hill import BACK, GRADE_STEPS, MOVES, NO_TIME, STEEPEST, walk_over
from geo.closed import crossing
from geo.io import Raster
from geo.terrain import averaged, cell_m, heights_at, heights_at_xy
from geo.walking import WalkFunction

Floats = NDArray[np.float64]

PAD = 2
"""Closed cells around the grid, so that no move leaves it."""

STEP_M = 30.0
"""The side of a cell and the step of a straight line over terrain, about."""

MS_PER_MIN = 60_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Hillside:
    """
    A grid of terrain to walk over, with two rows of closed cells around it.

    ``height`` in metres, NaN where not known; ``factor`` says how many times longer than on open ground a metre
    takes, 0 where nobody passes; bit ``m`` of ``shut`` says that move ``m`` out of a cell is barred. ``width_m``
    and ``height_m`` are the sizes of the cells row by row; ``ground`` is what it was made of. ``closed`` are the
    shapes that nobody crosses, in its system.
    """

    ground: Raster
    height: NDArray[np.float32]
    factor: NDArray[np.float32]
    shut: NDArray[np.uint16]
    width_m: Floats
    height_m: Floats
    closed: shapely.STRtree

    def times(
        self, lon: ArrayLike, lat: ArrayLike, *, function: WalkFunction, flat_kmh: float, limit_min: float = 30.0,
        inward: bool = False, moves: int = 16, start_min: ArrayLike = 0.0,
    ) -> Raster:  # fmt: skip
        """
        Give the time from the nearest of some points to every cell, or from it to the nearest point.

        A point stands in the middle of its cell. Steps go to the eight neighbours, and with 16 moves as a knight
        too. Off a path one walks as the function says for there, never faster than on one. The limit belongs to
        what is reached.

        Parameters
        ----------
        lon, lat
            Degrees. A point outside the grid or in a closed cell reaches nothing.
        function, flat_kmh
            How grades slow, and the speed on level ground on a path.
        limit_min
            Minutes beyond which nothing is reached.
        inward
            From the cells to the points.
        moves
            8 or 16; with 8 a way may be 8.2 % too long, with 16 by 2.8 %.
        start_min
            Minutes that lie behind at each point.

        Returns
        -------
        minutes
            NaN where not reached.

        Raises
        ------
        ValueError
            ``moves`` is neither 8 nor 16.
        """
        if moves not in (8, 16):
            raise ValueError(f"moves must be 8 or 16, got {moves}")
        row, column = self.cells(lon, lat)
        inside = (row >= 0) & (column >= 0)
        start = (row + PAD)[inside] * self.height.shape[1] + (column + PAD)[inside]
        start_ms = np.rint(np.broadcast_to(np.asarray(start_min, np.float64), row.shape) * MS_PER_MIN)[inside]
        slow = slowness_table(function)
        limit_ms = int(min(limit_min * MS_PER_MIN, float(NO_TIME) - 1))
        ms_per_m = 3600.0 / flat_kmh
        # about what a straight step takes on level ground, as a power of two
        shift = max(5, round(np.log2(max(ms_per_m * float(np.median(self.width_m)), 64.0))))
        longest = float(np.hypot(2 * self.width_m, 2 * self.height_m).max()) * ms_per_m
        latest = max(longest * float(slow.max()) * float(self.factor.max()), float(start_ms.max(initial=0.0)))
        ring = (1 << ((int(min(latest, limit_ms)) >> shift) + 1).bit_length()) - 1
        found = walk_over(
            self.height, self.factor, self.shut, self.width_m, self.height_m, slow, ms_per_m,
            start.astype(np.int64), start_ms.astype(np.int64), limit_ms, moves, inward, shift, ring,
        )[PAD:-PAD, PAD:-PAD]  # fmt: skip
        minutes = found.astype(np.float32)
        minutes /= np.float32(MS_PER_MIN)
        minutes[found == NO_TIME] = np.nan
        return Raster(minutes, self.ground.transform, self.ground.crs)

    def cells(self, lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the cells of points, -1 outside the grid and without a position."""
        x, y = self.ground.own_xy(lon, lat)
        inverse: Affine = ~self.ground.transform
        column, row = np.floor(inverse.a * x + inverse.c), np.floor(inverse.e * y + inverse.f)
        rows, columns = self.ground.values.shape
        with np.errstate(invalid="ignore"):
            inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        return np.where(inside, row, -1).astype(np.int64), np.where(inside, column, -1).astype(np.int64)

    def middles(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Longitude and latitude of the middles of cells."""
        x = self.ground.transform.c + self.ground.transform.a * (column + 0.5)
        y = self.ground.transform.f + self.ground.transform.e * (row + 0.5)
        if self.ground.crs.is_geographic:
            return np.asarray(x, np.float64), np.asarray(y, np.float64)
        return systems.to_degrees(x, y, self.ground.crs.to_wkt())

    def straight(
        self, here: tuple[Floats, Floats], there: tuple[Floats, Floats], *, function: WalkFunction
    ) -> tuple[Floats, Floats, Floats]:
        """
        Walk straight from points to points, off a path, up and down at steps of some 30 m.

        Parameters
        ----------
        here, there
            Longitude and latitude.
        function
            How grades slow.

        Returns
        -------
        there_m, back_m, length_m
            Metres on level ground and a path that take as long, there and back, infinite where something closed
            lies between; and the geodesic length.
        """
        length = systems.geodesic_m(*here, *there)
        count = np.maximum((np.nan_to_num(length) / STEP_M + 1e-3).astype(np.int64), 1)
        which = np.repeat(np.arange(len(count)), count)
        first = np.cumsum(count) - count
        part = (np.arange(len(which)) - first[which]) / count[which]
        (low, before), (high, after) = (
            self._on(*(a[which] + (b - a)[which] * mark for a, b in zip(here, there, strict=True)))
            for mark in (part, part + 1 / count[which])
        )
        grade = np.nan_to_num((high - low) / np.maximum(length / count, 1e-9)[which])
        # that something stands at an end says that one can be there
        before, after = np.where((part <= 0) & (before <= 0), 1.0, before), np.where(
            (np.arange(len(which)) == (first + count - 1)[which]) & (after <= 0), 1.0, after)  # fmt: skip
        over = np.where((before > 0) & (after > 0), (before + after) / 2, np.inf)
        costs = [
            np.bincount(which, over * function.off_path_slowness(sign * grade), len(count)) / count * length
            for sign in (1, -1)
        ]
        barred = self.barred(here, there)
        out = [np.where(barred, np.inf, cost) for cost in costs]
        return out[0], out[1], length

    def _on(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Height and factor at points; open ground beyond the grid, of which nothing is known."""
        row, column = self.cells(lon, lat)
        factor = self.factor[row + PAD, column + PAD].astype(np.float64)
        return heights_at(self.ground, lon, lat), np.where(row < 0, 1.0, factor)

    def barred(self, here: tuple[Floats, Floats], there: tuple[Floats, Floats]) -> NDArray[np.bool_]:
        """Say between which points something closed lies, or runs through one of them."""
        return crossing(self.closed, *(np.column_stack(self.ground.own_xy(*ends)) for ends in (here, there)))


def slowness_table(function: WalkFunction) -> NDArray[np.float32]:
    """How many times longer than on a level path one walks off it, by grade as the kernels look it up."""
    grade = np.arange(-STEEPEST * GRADE_STEPS, STEEPEST * GRADE_STEPS + 1) / GRADE_STEPS
    return function.off_path_slowness(grade).astype(np.float32)


def walking_grid(ground: Raster) -> Raster:
    """
    Average terrain and take it at cells of 30 m or more, that lie where they lie whatever part of it is read.

    Raises
    ------
    geo.problems.CRSUnitError
        The raster is in neither degrees nor true metres.
    """
    smooth = averaged(ground)
    width, height = (float(np.median(sizes)) for sizes in cell_m(ground))
    across, down = (max(1, round(STEP_M / size)) for size in (width, height))
    if across == down == 1:
        return smooth
    dx, dy = ground.transform.a * across, -ground.transform.e * down
    west, south, east, north = ground.bounds
    west, north = np.ceil(west / dx - 1e-6) * dx, np.floor(north / dy + 1e-6) * dy
    columns, rows = int((east - west) / dx + 1e-6), int((north - south) / dy + 1e-6)
    x, y = np.meshgrid(west + (np.arange(columns) + 0.5) * dx, north - (np.arange(rows) + 0.5) * dy)
    values = heights_at_xy(smooth, x, y).astype(np.float32)
    return Raster(values, Affine(dx, 0, west, 0, -dy, north), ground.crs)


def cover_factors(ground: Raster, cover: Raster, factors: Mapping[int, float]) -> NDArray[np.float32]:
    """
    Say how much longer a metre takes in each cell of a grid for what covers it, see ``lay_hillside``.

    Nine places of a cell are looked at: it is closed (0) if most of them are, else takes the mean of the others.

    Parameters
    ----------
    ground
        The grid.
    cover
        Classes of land cover.
    factors
        Of each class; 0 is closed. A class that is not named, and a place without any, is open ground: 1.
    """
    rows, columns = ground.values.shape
    total, open_n = np.zeros((rows, columns)), np.zeros((rows, columns), np.int64)
    known = np.array(sorted(factors), np.int64)
    table = np.array([factors[int(code)] for code in known], np.float64)
    for down, right in product((1 / 6, 0.5, 5 / 6), repeat=2):
        x = ground.transform.c + ground.transform.a * (np.arange(columns) + right)
        y = ground.transform.f + ground.transform.e * (np.arange(rows) + down)
        x, y = np.meshgrid(x, y)
        lon, lat = (x, y) if ground.crs.is_geographic else systems.to_degrees(x, y, ground.crs.to_wkt())
        code = np.nan_to_num(_class_at(cover, lon, lat), nan=-1).astype(np.int64)
        place = np.minimum(np.searchsorted(known, code), max(len(known) - 1, 0))
        here = np.where(known[place] == code, table[place], 1.0) if len(known) else np.ones(code.shape)
        total += here
        open_n += here > 0
    return np.where(open_n >= 5, total / np.maximum(open_n, 1), 0.0).astype(np.float32)


def _class_at(cover: Raster, lon: Floats, lat: Floats) -> Floats:
    """The value of the cell that each place lies in; NaN outside."""
    x, y = cover.own_xy(lon, lat)
    column = np.floor((x - cover.transform.c) / cover.transform.a)
    row = np.floor((y - cover.transform.f) / cover.transform.e)
    rows, columns = cover.values.shape
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    at = np.where(inside, row, 0).astype(np.int64), np.where(inside, column, 0).astype(np.int64)
    return np.where(inside, cover.values[at], np.nan).astype(np.float64)


def lay_hillside(
    ground: Raster, *, factor: NDArray[np.float32] | None = None, closed: Iterable[shapely.Geometry] = (),
    bridges: Iterable[shapely.Geometry] = (),
) -> Hillside:  # fmt: skip
    """
    Make a grid to walk over.

    No step crosses a closed line or goes into a closed polygon, nor between two closed cells that touch at a
    corner; within a cell of a bridge they are open. Closed lines are rivers without a bridge, fences, red lines;
    closed polygons are water.

    Parameters
    ----------
    ground
        Heights in metres, NaN where not known: there the ground is level.
    factor
        How many times longer than on open ground a metre takes, cell by cell of ``ground``; 0 or NaN is closed.
    closed, bridges
        Shapes in degrees.

    Raises
    ------
    geo.problems.CRSUnitError
        The raster is in neither degrees nor true metres.
    ValueError
        ``factor`` has another shape than the grid, or is negative somewhere.
    """
    shape = ground.values.shape
    open_ = np.ones(shape, np.float32) if factor is None else np.nan_to_num(factor).astype(np.float32)
    if open_.shape != shape or (open_ < 0).any():
        raise ValueError(f"factor must be {shape} numbers from 0 up, got {open_.shape}")
    width_m, height_m = cell_m(ground)
    walls = _walls(closed, bridges, ground)
    areas = walls[shapely.get_dimensions(walls) == 2]
    if len(areas):
        inside = rasterize(list(areas), out_shape=shape, transform=ground.transform, dtype=np.uint8)
        open_ = np.where(inside > 0, 0.0, open_).astype(np.float32)
    open_ = np.pad(open_, PAD)
    shut = _between_closed(open_)
    tree = shapely.STRtree(walls)
    if len(walls):
        shut |= np.pad(_across(tree, walls, ground), PAD)
    return Hillside(
        ground, np.pad(ground.values, PAD, constant_values=np.nan), open_, shut,
        np.pad(width_m, PAD, mode="edge"), np.pad(height_m, PAD, mode="edge"), tree,
    )  # fmt: skip


def _walls(
    closed: Iterable[shapely.Geometry], bridges: Iterable[shapely.Geometry], ground: Raster
) -> NDArray[np.object_]:
    """What is closed, in the system of the grid, without what lies within a cell of a bridge."""
    shapes, spans = (_moved(given, ground) for given in (closed, bridges))
    if len(shapes) and len(spans):
        reach = max(ground.transform.a, -ground.transform.e)
        shapes = shapely.difference(shapes, shapely.union_all(shapely.buffer(spans, reach)))
    parts = shapely.get_parts(shapes)
    return np.asarray(parts[~shapely.is_empty(parts)], object)


def _moved(given: Iterable[shapely.Geometry], ground: Raster) -> NDArray[np.object_]:
    shapes = [shape for shape in given if shape is not None and not shape.is_empty]
    flat = np.asarray(shapely.force_2d(np.array(shapes, object)), object)
    areas = shapely.get_dimensions(flat) == 2
    flat[areas] = shapely.make_valid(flat[areas])
    return flat if ground.crs.is_geographic else systems.geometry_to_plane(flat, ground.crs)


def _between_closed(open_: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The moves that squeeze between two closed cells at a corner, or as a knight past any."""
    shut = np.zeros(open_.shape, np.uint16)
    inner = (slice(PAD, -PAD),) * 2
    if (open_[inner] > 0).all():
        return shut
    closed = open_ <= 0

    def beside(down: int, right: int) -> NDArray[np.bool_]:
        return closed[PAD + down : closed.shape[0] - PAD + down, PAD + right : closed.shape[1] - PAD + right]

    for move, (down, right) in enumerate(MOVES.tolist()):
        if move < 4:
            continue
        if move < 8:
            barred = beside(down, 0) & beside(0, right)
        elif abs(down) == 2:
            barred = beside(down // 2, 0) | beside(down // 2, right)
        else:
            barred = beside(0, right // 2) | beside(down, right // 2)
        shut[inner] |= barred.astype(np.uint16) << np.uint16(move)
    return shut


def _across(tree: shapely.STRtree, walls: NDArray[np.object_], ground: Raster) -> NDArray[np.uint16]:
    """The moves whose straight line from middle to middle meets something closed."""
    shut = np.zeros(ground.values.shape, np.uint16)
    touched = rasterize(
        list(walls), out_shape=shut.shape, transform=ground.transform, all_touched=True, dtype=np.uint8
    )
    rows, columns = (np.asarray(v, np.int64) for v in np.nonzero(binary_dilation(touched, np.ones((5, 5), bool))))
    height, width = ground.values.shape
    x, y = ground.cell_centres()
    for move, (down, right) in enumerate(MOVES.tolist()):
        back = int(BACK[move])
        a, b = rows + down, columns + right
        there = (back > move) & (a >= 0) & (b >= 0) & (a < height) & (b < width)
        i, j, a, b = rows[there], columns[there], a[there], b[there]
        barred = crossing(tree, np.column_stack((x[j], y[i])), np.column_stack((x[b], y[a])))
        np.bitwise_or.at(shut, (i[barred], j[barred]), np.uint16(1 << move))
        np.bitwise_or.at(shut, (a[barred], b[barred]), np.uint16(1 << back))
    return shut
