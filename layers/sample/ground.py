"""The lie of the land: a winding valley between two ranges, in metres around the middle of the county."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from geo import crs as systems

Floats = NDArray[np.float64]
CENTRE = CRS.from_proj4("+proj=tmerc +lat_0=28.05 +lon_0=102.75 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m")
"""The plane in which the county is made: metres east and north of its middle."""

VALLEY_BOTTOM_M = 1_850.0


def to_degrees(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Longitude and latitude of metres around the middle."""
    return systems.to_degrees(x, y, CENTRE.to_wkt())


def valley_m(x: ArrayLike) -> Floats:
    """How far north the bottom of the valley lies at ``x``."""
    x = np.asarray(x, np.float64)
    return 700.0 * np.sin(x / 3_800.0) + 250.0 * np.sin(x / 1_150.0 + 1.0)


def height_m(x: ArrayLike, y: ArrayLike) -> Floats:
    """Height above the sea: a flat bottom, flanks that steepen, spurs and gullies across them."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    away = np.abs(y - valley_m(x))
    flank = 1_500.0 * (1 - np.exp(-((np.maximum(away - 350.0, 0.0) / 3_200.0) ** 1.6)))
    rough = np.minimum(away / 2_500.0, 1.0)
    spurs = 130.0 * np.sin(x / 900.0 + 0.4 * np.sin(y / 1_300.0)) + 45.0 * np.sin(x / 310.0) * np.cos(y / 270.0)
    return VALLEY_BOTTOM_M - x / 120.0 + flank + rough * spurs
