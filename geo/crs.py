"""
Datums, zones, lengths and areas.

The program keeps longitude and latitude; this module brings coordinates there from the systems that county
files use, and measures on the CGCS2000 ellipsoid. GCJ-02 and BD-09 are the shifted systems of the map
providers; their inverse is found by iteration to far below a millimetre.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError

from geo.problems import CRSUnitError, Problem, Stop

Floats = NDArray[np.float64]

DEGREES = "EPSG:4326"
"""The system that positions inside the program are in."""

ELLIPSOID = Geod(a=6378137.0, rf=298.257222101)
"""The ellipsoid of CGCS2000, on which all lengths and areas are measured."""

M2_PER_MU = 2000.0 / 3.0
"""One mu (亩) in square metres: 15 mu are one hectare."""

SHIFTED = ("GCJ-02", "BD-09")
NAMES = {
    "WGS84": DEGREES, "WGS-84": DEGREES, "WGS 84": DEGREES,
    "CGCS2000": "EPSG:4490", "2000": "EPSG:4490",
    "GCJ02": "GCJ-02", "GCJ-02": "GCJ-02", "火星坐标": "GCJ-02",
    "BD09": "BD-09", "BD-09": "BD-09",
}  # fmt: skip
"""How people write the systems; anything else goes to PROJ."""

_GCJ_A = 6378245.0
_GCJ_EE = 0.00669342162296594323
_MERCATORS = ("Mercator (variant A)", "Mercator (variant B)", "Popular Visualisation Pseudo Mercator")
_INVERSE_STEPS = 30


def in_degrees(source: str) -> bool:
    """Say whether a system of ``system`` holds degrees that are read as such, shifted or not."""
    return source in (DEGREES, "EPSG:4490", *SHIFTED)


def system(name: str) -> str:
    """
    Name a coordinate system in one way: ``GCJ-02``, ``BD-09`` or ``EPSG:…``.

    Xi'an 80 and Beijing 54 are refused: without local parameters their shift is a guess of up to 100 m.

    Raises
    ------
    Stop
        The name is unknown, or the datum cannot be shifted to CGCS2000 without local parameters.

    Examples
    --------
    >>> system("cgcs2000"), system("gcj02"), system("EPSG:4543")
    ('EPSG:4490', 'GCJ-02', 'EPSG:4543')
    """
    known = NAMES.get(name.strip().upper())
    if known:
        return known
    try:
        crs = CRS.from_user_input(name)
    except CRSError as error:
        raise Stop(Problem.stop("crs_unknown", crs=name)) from error
    return _accepted(crs)


def _accepted(crs: CRS) -> str:
    datum = crs.datum.name if crs.datum is not None else ""
    if "Xian 1980" in datum or "Beijing 1954" in datum:
        raise Stop(Problem.stop("crs_needs_parameters", crs=crs.name))
    code = crs.to_epsg()
    name = f"EPSG:{code}" if code else str(crs.to_wkt())
    try:
        _transformer(name, DEGREES)
    except ProjError as error:  # a system of a building site, tied to no place on the earth
        raise Stop(Problem.stop("crs_unknown", crs=crs.name)) from error
    return name


def require_metres(crs: str, *, what: str) -> CRS:
    """
    Return the system if it measures in metres that are metres.

    Raises
    ------
    CRSUnitError
        It measures in degrees, or it is a Mercator, which stretches metres (1.28 times in area at 28° N).
    """
    found = CRS.from_user_input(crs)
    unit = found.axis_info[0].unit_name
    if not found.is_projected or unit != "metre":
        raise CRSUnitError(f"{what}: {found.to_string()} measures in {unit}, metres required")
    operation = found.coordinate_operation
    method = operation.method_name if operation is not None else ""
    if method in _MERCATORS:
        raise CRSUnitError(f"{what}: {found.to_string()} stretches metres ({method})")
    return found


def zone(lon: float) -> CRS:
    """
    Choose the plane that maps near a longitude are drawn in: CGCS2000 3° Gauss–Krüger, no zone prefix.

    A longitude on the rim of two zones takes the one to the east. Outside China no such EPSG code exists, and
    the same projection is made on the spot.

    Examples
    --------
    >>> zone(102.8).to_epsg(), zone(103.5).to_epsg()
    (4543, 4544)
    >>> zone(43.3).coordinate_operation.params[1].value
    42.0
    """
    meridian = int(np.floor(lon / 3.0 + 0.5)) * 3
    if 75 <= meridian <= 135:
        return CRS.from_epsg(4534 + (meridian - 75) // 3)
    return CRS.from_proj4(f"+proj=tmerc +lat_0=0 +lon_0={meridian} +k=1 +x_0=500000 +ellps=GRS80 +units=m")


def project(lon: ArrayLike, lat: ArrayLike, crs: CRS) -> tuple[Floats, Floats]:
    """Project degrees onto a plane; x is east and y north whatever order the system declares."""
    return _transform(DEGREES, crs, lon, lat)


@cache
def _transformer(source: CRS | str, target: CRS | str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)  # takes PROJ up to a tenth of a second


def _transform(source: CRS | str, target: CRS | str, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    out = _transformer(source, target).transform(np.asarray(x, np.float64), np.asarray(y, np.float64))
    return np.asarray(out[0], np.float64), np.asarray(out[1], np.float64)


def to_degrees(x: ArrayLike, y: ArrayLike, source: str) -> tuple[Floats, Floats]:
    """
    Bring coordinates of a named system to longitude and latitude.

    Parameters
    ----------
    x, y
        East and north, or longitude and latitude, in the unit of ``source``.
    source
        What ``system`` returns.

    Returns
    -------
    lon, lat
        Degrees; NaN stays NaN, and what the system cannot hold comes out as infinite.
    """
    if source == "GCJ-02":
        return gcj02_to_wgs84(x, y)
    if source == "BD-09":
        return gcj02_to_wgs84(*bd09_to_gcj02(x, y))
    if source in (DEGREES, "EPSG:4490"):
        return np.asarray(x, np.float64), np.asarray(y, np.float64)
    return _transform(source, DEGREES, x, y)


def geometry_to_degrees(geometry: NDArray[np.object_], source: str) -> NDArray[np.object_]:
    """Bring the vertices of geometries to degrees, see ``to_degrees``; heights are dropped."""
    flat = shapely.force_2d(geometry)

    def move(xy: Floats) -> Floats:
        return np.column_stack(to_degrees(xy[:, 0], xy[:, 1], source))

    return np.asarray(shapely.transform(flat, move), dtype=object)


def geometry_to_plane(geometry: NDArray[np.object_], crs: CRS) -> NDArray[np.object_]:
    """Project geometries in degrees onto a plane, see ``project``; heights are dropped."""
    flat = shapely.force_2d(geometry)

    def move(xy: Floats) -> Floats:
        return np.column_stack(project(xy[:, 0], xy[:, 1], crs))

    return np.asarray(shapely.transform(flat, move), dtype=object)


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """
    Shift degrees into GCJ-02; outside its box (72.004–137.8347 E, 0.8293–55.8271 N) nothing moves.

    References
    ----------
    The published polynomials, constants a = 6378245, ee = 0.00669342162296594323.
    """
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    x, y = lon - 105.0, lat - 35.0
    pi = np.pi
    root = np.sqrt(np.abs(x))
    wave = 20 * np.sin(6 * pi * x) + 20 * np.sin(2 * pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (wave + 20 * np.sin(pi * y) + 40 * np.sin(pi * y / 3)) * 2 / 3
    north += (160 * np.sin(pi * y / 12) + 320 * np.sin(pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (wave + 20 * np.sin(pi * x) + 40 * np.sin(pi * x / 3)) * 2 / 3
    east += (150 * np.sin(pi * x / 12) + 300 * np.sin(pi * x / 30)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _GCJ_EE * np.sin(phi) ** 2
    north_deg = np.degrees(north / (_GCJ_A * (1 - _GCJ_EE) / magic**1.5))
    east_deg = np.degrees(east / (_GCJ_A / np.sqrt(magic) * np.cos(phi)))
    inside = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return np.where(inside, lon + east_deg, lon), np.where(inside, lat + north_deg, lat)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Shift GCJ-02 into BD-09 by the published rotation and offset."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    turn = np.pi * 3000.0 / 180.0
    z = np.hypot(lon, lat) + 0.00002 * np.sin(lat * turn)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * turn)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """
    Undo ``wgs84_to_gcj02`` to within 1e-9°.

    Examples
    --------
    >>> lon, lat = gcj02_to_wgs84(*wgs84_to_gcj02(102.84, 28.01))
    >>> bool(abs(lon - 102.84) < 1e-9 and abs(lat - 28.01) < 1e-9)
    True
    """
    return _invert(wgs84_to_gcj02, lon, lat)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Undo ``gcj02_to_bd09`` to within 1e-9°."""
    return _invert(gcj02_to_bd09, lon, lat)


def _invert(forward: Any, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    # the shift is a contraction (it changes by under 1 % per degree), so a few steps are exact; the loop is
    # bounded because at the rim of the GCJ box, where the shift jumps, no exact inverse exists
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    guess_lon, guess_lat = lon, lat
    for _ in range(_INVERSE_STEPS):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        miss_lon, miss_lat = there_lon - lon, there_lat - lat
        guess_lon, guess_lat = guess_lon - miss_lon, guess_lat - miss_lat
        if not (np.any(np.abs(miss_lon) > 1e-12) or np.any(np.abs(miss_lat) > 1e-12)):
            break
    return guess_lon, guess_lat


def geodesic_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """
    Measure straight lines over the ellipsoid, in metres, element by element; NaN where an end is NaN.

    Examples
    --------
    >>> bool(abs(geodesic_m([102.0], [28.0], [102.0], [29.0])[0] - 110827.58) < 0.01)
    True
    """
    a, b, c, d = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (lon1, lat1, lon2, lat2)))
    return np.asarray(ELLIPSOID.inv(a, b, c, d)[2], np.float64)


def area_m2(geometry: NDArray[np.object_]) -> Floats:
    """
    Measure polygons in degrees on the ellipsoid (椭球面积), holes taken out, whatever way the rings run.

    Returns
    -------
    area_m2
        float64, one per geometry; NaN where there is no geometry, 0 for lines and points.

    References
    ----------
    Karney 2013, "Algorithms for geodesics"; the ellipsoid is that of CGCS2000.
    """
    areas = np.full(len(geometry), np.nan)
    for row, shape in enumerate(geometry):
        if shape is not None:
            areas[row] = sum(_polygon_m2(part) for part in getattr(shape, "geoms", [shape]))
    return areas


def _polygon_m2(shape: Any) -> float:
    if shape.geom_type != "Polygon" or shape.is_empty:
        return 0.0
    rings = [shape.exterior, *shape.interiors]
    sizes = [abs(ELLIPSOID.polygon_area_perimeter(*ring.xy)[0]) for ring in rings]
    return float(sizes[0] - sum(sizes[1:]))
