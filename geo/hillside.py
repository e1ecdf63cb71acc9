"""Walking where there is no street: over terrain and land cover, around what is closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from rasterio.features import rasterize

from geo import crs as systems
from geo._kernels.hill import GRADE_STEPS, NO_TIME, STEEPEST, walk_over
from geo.io import Raster
from geo.terrain import cell_m
from geo.walking import WalkFunction

Floats = NDArray[np.float64]

PAD = 2
"""Closed cells around the grid, so that no move leaves it."""

MS_PER_MIN = 60_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Hillside:
    """
    A grid of terrain to walk over, with two rows of closed cells around it.

    ``height`` in metres, NaN where not known; ``factor`` says how many times longer than on open ground a metre
    takes, 0 where nobody passes. ``width_m`` and ``height_m`` are the sizes of the cells row by row; ``ground`` is
    what it was made of.
    """

    ground: Raster
    height: NDArray[np.float32]
    factor: NDArray[np.float32]
    width_m: Floats
    height_m: Floats

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
        grade = np.arange(-STEEPEST * GRADE_STEPS, STEEPEST * GRADE_STEPS + 1) / GRADE_STEPS
        slow = function.off_path_slowness(grade).astype(np.float32)
        limit_ms = int(min(limit_min * MS_PER_MIN, float(NO_TIME) - 1))
        ms_per_m = 3600.0 / flat_kmh
        # about what a straight step takes on level ground, as a power of two
        shift = max(5, round(np.log2(max(ms_per_m * float(np.median(self.width_m)), 64.0))))
        longest = float(np.hypot(2 * self.width_m, 2 * self.height_m).max()) * ms_per_m
        latest = max(longest * float(slow.max()) * float(self.factor.max()), float(start_ms.max(initial=0.0)))
        ring = (1 << ((int(min(latest, limit_ms)) >> shift) + 1).bit_length()) - 1
        found = walk_over(
            self.height, self.factor, self.width_m, self.height_m, slow, ms_per_m, start.astype(np.int64),
            start_ms.astype(np.int64), limit_ms, moves, inward, shift, ring,
        )[PAD:-PAD, PAD:-PAD]  # fmt: skip
        minutes = found.astype(np.float32)
        minutes /= np.float32(MS_PER_MIN)
        minutes[found == NO_TIME] = np.nan
        return Raster(minutes, self.ground.transform, self.ground.crs)

    def cells(self, lon: ArrayLike, lat: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row and column of the cells of points, -1 outside the grid and without a position."""
        x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        if not self.ground.crs.is_geographic:
            x, y = systems.project(x, y, self.ground.crs)
        inverse: Affine = ~self.ground.transform
        column, row = np.floor(inverse.a * x + inverse.c), np.floor(inverse.e * y + inverse.f)
        rows, columns = self.ground.values.shape
        with np.errstate(invalid="ignore"):
            inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        return np.where(inside, row, -1).astype(np.int64), np.where(inside, column, -1).astype(np.int64)


def lay_hillside(
    ground: Raster, *, factor: NDArray[np.float32] | None = None, closed: Iterable[shapely.Geometry] = (),
    bridges: Iterable[shapely.Geometry] = (),
) -> Hillside:  # fmt: skip
    """
    Make a grid to walk over.

    Whatever a closed line or polygon touches is shut, so that no step leaks across it; where a bridge touches it
    is open again. Closed lines are rivers without a bridge, fences, red lines; closed polygons are water.

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
    shut, spanned = (_touched(shapes, ground) for shapes in (closed, bridges))
    open_ = np.where(shut & ~spanned, 0.0, np.where(spanned & (open_ <= 0), 1.0, open_)).astype(np.float32)
    width_m, height_m = cell_m(ground)
    return Hillside(
        ground, np.pad(ground.values, PAD, constant_values=np.nan), np.pad(open_, PAD),
        np.pad(width_m, PAD, mode="edge"), np.pad(height_m, PAD, mode="edge"),
    )  # fmt: skip


def _touched(shapes: Iterable[shapely.Geometry], ground: Raster) -> NDArray[np.bool_]:
    given = [shape for shape in shapes if shape is not None and not shape.is_empty]
    if not given:
        return np.zeros(ground.values.shape, bool)
    if not ground.crs.is_geographic:

        def move(xy: Floats) -> Floats:
            return np.column_stack(systems.project(xy[:, 0], xy[:, 1], ground.crs))

        given = list(shapely.transform(shapely.force_2d(np.array(given, object)), move))
    found = rasterize(
        given, out_shape=ground.values.shape, transform=ground.transform, all_touched=True, dtype=np.uint8
    )
    return np.asarray(found, bool)
