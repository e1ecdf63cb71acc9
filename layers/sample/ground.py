"""The lie of the land: a main valley, side valleys to both sides, ridges between, in metres around the middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS
from scipy.ndimage import gaussian_filter
from scipy.spatial import KDTree

from geo import crs as systems

Floats = NDArray[np.float64]
CENTRE = CRS.from_proj4("+proj=tmerc +lat_0=28.05 +lon_0=102.75 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m")
"""The plane in which the county is made: metres east and north of its middle."""

STEP_M = 100.0
RIVER_M = 260.0
"""How far south of the valley road the main river runs."""

SIDE_X = (1_500, -2_000, -5_000, 4_000, 7_500, -8_000, -10_500, 10_000, 13_500, -13_500, -16_000, 16_000)
"""Where side valleys leave the main one, from the middle outwards, to the north and to the south by turns."""


@dataclass(frozen=True, slots=True, eq=False)
class Valley:
    """The bottom of a valley, a point every 100 m. ``side`` is 0 for the main one, 1 north and -1 south of it."""

    xy: Floats
    side: int


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """All valleys, the main one first, and the half of the county's width and height in metres."""

    valleys: tuple[Valley, ...]
    half_x: float
    half_y: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east and north in degrees."""
        lon, lat = to_degrees([-self.half_x, self.half_x], [-self.half_y, self.half_y])
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def to_degrees(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Longitude and latitude of metres around the middle."""
    return systems.to_degrees(x, y, CENTRE.to_wkt())


def lay_ground(rng: np.random.Generator, *, sides: int, side_m: float) -> Ground:
    """Draw the main valley and so many side valleys, each about so long."""
    phase = rng.uniform(0, 2 * np.pi, 2)
    half_x = float(max(abs(x) for x in SIDE_X[:sides]) + 3_000)

    def main_y(x: Floats) -> Floats:
        return np.asarray(700.0 * np.sin(x / 5_200.0 + phase[0]) + 200.0 * np.sin(x / 1_700.0 + phase[1]))

    along = np.arange(-half_x + 500, half_x - 499, STEP_M)
    valleys = [Valley(np.column_stack((along, main_y(along))), 0)]
    for number, start in enumerate(SIDE_X[:sides]):
        side = 1 if number % 2 == 0 else -1
        s = np.arange(0, side_m + 1, STEP_M)
        drift, bend, turn = rng.uniform(-0.06, 0.06), rng.uniform(250, 450), rng.uniform(0, np.pi)
        x = start + drift * s + bend * (np.sin(s / 2_100.0 + turn) - np.sin(turn)) * np.minimum(s / 800.0, 1.0)
        valleys.append(Valley(np.column_stack((x, float(main_y(np.array([float(start)]))[0]) + side * s)), side))
    return Ground(tuple(valleys), half_x, side_m + 2_000.0)


def heights(ground: Ground, x: Floats, y: Floats) -> NDArray[np.float32]:
    """
    Heights above the sea of a grid of points: a flat bottom that rises along the valley, flanks, spurs.

    ``x`` and ``y`` are two-dimensional; the rises of two valleys are smoothed where they meet on a ridge.
    """
    points = np.concatenate([valley.xy for valley in ground.valleys])
    rise = np.concatenate(
        [np.zeros(len(ground.valleys[0].xy))] + [5.0 * np.arange(len(v.xy)) for v in ground.valleys[1:]]
    )
    away, nearest = KDTree(points).query(np.column_stack((x.reshape(-1), y.reshape(-1))))
    away, base = away.reshape(x.shape), gaussian_filter(rise[nearest].reshape(x.shape), 12)
    flank = 1_300.0 * (1 - np.exp(-((np.maximum(away - 200.0, 0.0) / 1_900.0) ** 1.5)))
    spurs = 90.0 * np.sin(x / 700.0 + 0.4 * np.sin(y / 1_300.0)) + 40.0 * np.sin(x / 260.0) * np.cos(y / 230.0)
    above = 1_650.0 + base + flank + np.minimum(away / 1_500.0, 1.0) * spurs
    return np.asarray(above, np.float32)
