"""
Made-up towns on level ground, whose every time is arithmetic.

A town is drawn in blocks of 100 m around 28° N 102.75° E. An adult walks a block in exactly 90,000 ms (1.5 min),
a child in 100,000, an elderly person in 120,000, so times can be worked out in the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geo import crs as systems
from geo import osm
from geo.network import Streets, Usage, build_streets, use_streets
from geo.profile import TravelProfile
from geo.reach import Journeys
from geo.snap import Snapper, Snaps
from layers import catalog as catalogue
from layers.facilities import COLUMNS as FACILITY_COLUMNS
from layers.facilities import HEALTH_NUMBERS, SCHOOL_NUMBERS
from layers.places import AGES
from layers.places import COLUMNS as PLACE_COLUMNS

Point = tuple[float, float]
Floats = NDArray[np.float64]
CATALOG = catalogue.load()
ADULT = CATALOG.travel_profile("adult", "walk")
CAR = CATALOG.travel_profile("adult", "drive")
BLOCK_M = 100.0
BLOCK_MIN = 1.5
"""An adult's time for a block."""

# true at the middle to a hundred-millionth within a kilometre, so a block is 100 m to a micrometre
PLANE = CRS.from_proj4("+proj=tmerc +lat_0=28 +lon_0=102.75 +k=1 +x_0=0 +y_0=0 +ellps=GRS80 +units=m")


def degrees(points: Sequence[Point]) -> tuple[Floats, Floats]:
    """Longitude and latitude of points in blocks."""
    xy = np.asarray(points, np.float64).reshape(-1, 2) * BLOCK_M
    return systems.to_degrees(xy[:, 0], xy[:, 1], PLANE.to_wkt())


@dataclass
class Town:
    """Streets by corners; two streets meet where they name the same corner, and only there."""

    cut: bool = False
    margin: float = 30.0
    """Blocks between the outermost corner and the box that the data was cut to, if it was ``cut``."""
    _corners: dict[Point, int] = field(default_factory=dict)
    _ways: list[tuple[list[Point], dict[str, str]]] = field(default_factory=list)

    def street(self, *corners: Point, **tags: str) -> Town:
        """Add a street, ``residential`` unless said otherwise; ``oneway_foot`` is ``oneway:foot``."""
        for corner in corners:
            self._corners.setdefault(corner, len(self._corners) + 1)
        named = {key.replace("_", ":") if key == "oneway_foot" else key: value for key, value in tags.items()}
        self._ways.append((list(corners), {"highway": "residential"} | named))
        return self

    def grid(self, columns: int, rows: int, **tags: str) -> Town:
        """Add an open grid of ``columns`` by ``rows`` blocks from (0, 0)."""
        for y in range(rows + 1):
            self.street(*((x, y) for x in range(columns + 1)), **tags)
        for x in range(columns + 1):
            self.street(*((x, y) for y in range(rows + 1)), **tags)
        return self

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The box of the data: the corners and ``margin`` blocks around."""
        xy = np.array(list(self._corners))
        low, high = xy.min(axis=0) - self.margin, xy.max(axis=0) + self.margin
        (west, east), (south, north) = degrees([tuple(low), tuple(high)])
        return float(west), float(south), float(east), float(north)

    def streets(self) -> Streets:
        """Build the graph, as it would be read from a file."""
        lon, lat = degrees(list(self._corners))
        number = {corner: n for n, corner in enumerate(self._corners)}
        rows = [
            (n, *(tags.get(key, "") for key in osm.WAY_TAGS)) for n, (_, tags) in enumerate(self._ways, start=1)
        ]
        picked = np.array([number[c] for corners, _ in self._ways for c in corners])
        sizes = [len(corners) for corners, _ in self._ways]
        ways = osm.OsmWays(
            tags=pd.DataFrame(rows, columns=["way_id", *osm.WAY_TAGS]),
            offset=np.cumsum([0, *sizes]), node_id=picked + 1, lon=lon[picked], lat=lat[picked],
            box=self.box if self.cut else None,
        )  # fmt: skip
        return build_streets(ways)

    def write(self, path: Path, *, things: Sequence[tuple[Point, dict[str, str]]] = ()) -> Path:
        """Write the town as an OSM file, with tagged points beside."""
        lon, lat = degrees(list(self._corners))
        nodes = [osm.Node(n, a, b) for n, (a, b) in enumerate(zip(lon, lat, strict=True), start=1)]
        for n, (point, tags) in enumerate(things, start=len(nodes) + 1):
            (a,), (b,) = degrees([point])
            nodes.append(osm.Node(n, a, b, tags))
        ways = [
            osm.Way(n, [self._corners[c] for c in corners], tags)
            for n, (corners, tags) in enumerate(self._ways, start=1)
        ]
        osm.write_osm(path, nodes, ways, box=self.box if self.cut else None)
        return path

    def journey(
        self, homes: Sequence[Point], facilities: Sequence[Point], *, profile: TravelProfile = ADULT
    ) -> Journeys:
        """Journeys between points in blocks."""
        streets = self.streets()
        usage = use_streets(streets, profile)
        at_home, at_facility = degrees(homes), degrees(facilities)
        snapper = Snapper(streets, usage, profile=profile, plane=PLANE)
        return Journeys.straight(
            streets, usage, profile=profile, homes=snapper.snap(*at_home), facilities=snapper.snap(*at_facility),
            homes_at=at_home, facilities_at=at_facility,
        )  # fmt: skip

    def snapped(self, points: Sequence[Point], *, profile: TravelProfile = ADULT) -> tuple[Streets, Usage, Snaps]:
        """Points joined to the streets."""
        streets = self.streets()
        usage = use_streets(streets, profile)
        return streets, usage, Snapper(streets, usage, profile=profile, plane=PLANE).snap(*degrees(points))


def places(
    points: Sequence[Point], *, profile: str = "rural", people: Sequence[float] | None = None, usual_mode: str = ""
) -> pd.DataFrame:
    """Settlements P0, P1, …; people 1, 2, 4, …, so that a sum names its members."""
    lon, lat = degrees(points)
    n = len(points)
    frame = pd.DataFrame({column: [""] * n for column in PLACE_COLUMNS})
    frame["place_id"] = [f"P{i}" for i in range(n)]
    frame["place_name"] = frame["place_id"]
    frame["place_kind"], frame["profile"], frame["position_source"] = "settlement", profile, "surveyed"
    for column in ("pop_resident", "pop_registered", "pop_host", "position_error_m", *AGES):
        frame[column] = np.nan
    frame["usual_mode"] = usual_mode
    frame["pop"] = [float(2**i) for i in range(n)] if people is None else list(people)
    frame["size_class"] = frame["pop"].map(CATALOG.size_class)
    frame["lon"], frame["lat"], frame["row"] = lon, lat, range(1, n + 1)
    return frame


def facilities(*given: tuple[str, Point]) -> pd.DataFrame:
    """Facilities F0, F1, … of (category, point)."""
    lon, lat = degrees([point for _, point in given])
    frame = pd.DataFrame({column: [""] * len(given) for column in FACILITY_COLUMNS})
    frame["operating"], frame["merged_n"] = True, 1
    for column in ("capacity", "runs_a_day", *SCHOOL_NUMBERS, *HEALTH_NUMBERS):
        frame[column] = np.nan
    frame["facility_id"] = [f"F{i}" for i in range(len(given))]
    frame["facility_name"] = frame["facility_id"]
    frame["category"] = [category for category, _ in given]
    frame["lon"], frame["lat"], frame["row"] = lon, lat, range(1, len(given) + 1)
    return frame


def with_doors(frame: pd.DataFrame, *doors: Sequence[Point]) -> pd.DataFrame:
    """The same facilities with doors, each a list of points; an empty one for none."""
    texts = ["" if not points else shapely.MultiPoint(np.column_stack(degrees(points))).wkt for points in doors]
    return frame.assign(doors=texts)
