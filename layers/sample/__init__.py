"""
The sample county: a small made-up county of mountains, written as the files a real one would send.

Made from a seed, in code, at the latitude of Liangshan; no place in it exists. It knows its own truth: what is
planted in its files is returned by ``write_county``, so that a test can hold what was found against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from geo import crs as systems
from geo import io, osm
from geo.problems import Problem, Stop
from layers.sample.ground import CENTRE, height_m, to_degrees, valley_m
from layers.sample.records import (
    FACILITIES,
    FACILITY_HEADING,
    SCHOOLS,
    SETTLEMENT_HEADING,
    SETTLEMENTS,
)
from layers.sample.roads import Roads, build_roads

SEED = 15
PROJECT = "样例县.toml"
HALF_WIDTH_M, HALF_HEIGHT_M = 12_000.0, 9_000.0
PLANE = "EPSG:4543"


@dataclass(frozen=True, slots=True)
class Truth:
    """
    What is planted in the files.

    ``faults`` are (code, file, row) of row faults. ``cut_off``, ``off_network`` and ``unplaced`` are ids of
    settlements without a path to the rest, too far from a street, and without a usable position.
    ``no_clinic`` are the settlements, placed and on streets, with no village clinic within half an hour.
    """

    faults: frozenset[tuple[str, str, int]]
    cut_off: frozenset[str]
    off_network: frozenset[str]
    unplaced: frozenset[str]
    no_clinic: frozenset[str]
    plots_n: int


def write_county(folder: Path) -> Truth:
    """
    Write the county's files and its project file into a folder.

    Files of an older sample county there are written over, its project file is kept.

    Raises
    ------
    Stop
        The folder holds other things.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PROJECT).is_file():
        raise Stop(Problem.stop("folder_not_ours", file=folder, path=folder))
    folder.mkdir(parents=True, exist_ok=True)
    # first, because the folder is known by it; it invites to be changed, so a changed one is kept
    if not (folder / PROJECT).exists():
        (folder / PROJECT).write_text(_PROJECT_TEXT, "utf-8")
    rng = np.random.default_rng(SEED)
    roads = build_roads()
    _write_osm(folder / "道路.osm.pbf", roads)
    _write_settlements(folder / "安置点台账.xlsx")
    _write_facilities(folder, rng)
    plots_n = _write_plots(folder / "旧宅基地.shp", rng)
    _write_outline(folder / "县边界.gpkg")
    _write_ground(folder / "高程.tif")
    ids = {s.trait: s.id for s in SETTLEMENTS if s.trait}
    rows = {s.trait: n for n, s in enumerate(SETTLEMENTS, start=4) if s.trait}
    faults = {
        ("position_swapped", "安置点台账.xlsx", rows["swapped"]),
        ("position_missing", "安置点台账.xlsx", rows["unplaced"]),
        ("not_a_number", "安置点台账.xlsx", rows["pop_text"]),
        ("category_unknown", "服务设施.csv", len(FACILITIES) + 2),
    }
    return Truth(
        faults=frozenset(faults),
        cut_off=frozenset({ids["across_river"]}),
        off_network=frozenset({ids["high_up"]}),
        unplaced=frozenset({ids["swapped"], ids["unplaced"]}),
        no_clinic=frozenset(s.id for s in SETTLEMENTS if s.lacks_clinic),
        plots_n=plots_n,
    )


def _write_osm(path: Path, roads: Roads) -> None:
    lon, lat = to_degrees(roads.x, roads.y)
    nodes = [osm.Node(n, float(a), float(b)) for n, (a, b) in enumerate(zip(lon, lat, strict=True), start=1)]
    ways = [osm.Way(n, refs, tags) for n, (refs, tags) in enumerate(roads.ways, start=1)]
    stops = [osm.Node(len(nodes) + n, *_at(x, y), {"highway": "bus_stop", "name": f"样例{n}站"})
             for n, (x, y) in enumerate(roads.stops, start=1)]  # fmt: skip
    osm.write_osm(path, nodes + stops, ways, box=_box())


def _at(x: float, y: float) -> tuple[float, float]:
    lon, lat = to_degrees(x, y)
    return float(lon), float(lat)


def _beside_valley(x: float, above_m: float) -> tuple[float, float]:
    return _at(x, float(valley_m(x)) + above_m)


def _gcj02(lon: float, lat: float) -> tuple[str, str]:
    east, north = systems.wgs84_to_gcj02(lon, lat)
    return f"{east:.6f}", f"{north:.6f}"


def _box() -> io.Bounds:
    west, south = _at(-HALF_WIDTH_M, -HALF_HEIGHT_M)
    east, north = _at(HALF_WIDTH_M, HALF_HEIGHT_M)
    return west, south, east, north


def _write_settlements(path: Path) -> None:
    rows: list[tuple[object, ...]] = [("样例县易地扶贫搬迁集中安置点台账",), ("单位：户、人",), SETTLEMENT_HEADING]
    for number, s in enumerate(SETTLEMENTS, start=1):
        lon, lat = _beside_valley(s.x, s.above_m)
        position: tuple[object, object] = (round(lon, 6), round(lat, 6))
        if s.trait == "swapped":
            position = position[::-1]
        elif s.trait == "unplaced":
            position = ("", "")
        people: object = "约一百二" if s.trait == "pop_text" else s.people
        rows.append((number, s.id, s.name, s.town, s.kind, s.people // 4, people, *position))
    rows.append(("合计", "", "", "", "", "", sum(s.people for s in SETTLEMENTS), "", ""))
    io.write_table(rows, path, sheet="安置点")


def _write_facilities(folder: Path, rng: np.random.Generator) -> None:
    """Facilities in GCJ-02, as a map provider gives them; schools in CGCS2000, as the bureau keeps them."""
    rows: list[tuple[object, ...]] = [FACILITY_HEADING]
    for kind, name, x, above_m in FACILITIES:
        off = rng.uniform(8, 25, 2)
        rows.append((name, kind, *_gcj02(*_beside_valley(x + off[0], above_m + off[1]))))
    rows.append(("样例电影放映队", "流动放映", *_gcj02(*_at(0, 0))))
    io.write_table(rows, folder / "服务设施.csv", encoding="gb18030")
    plane = CRS.from_user_input(PLANE)
    for category, schools in SCHOOLS.items():
        rows = [("学校标识码", "学校名称", "班级数", "在校学生数", "东坐标", "北坐标")]
        for number, (name, at_x, up_m, classes) in enumerate(schools, start=1):
            east, north = systems.project(*_beside_valley(at_x, up_m), plane)
            code = f"{category}{number:02d}"
            rows.append((code, name, classes, classes * 38, round(float(east), 2), round(float(north), 2)))
        io.write_table(rows, folder / f"{category}台账.xlsx", sheet="学校")


def _write_plots(path: Path, rng: np.random.Generator) -> int:
    """Old homesteads in hamlets on the slopes, turned this way and that, in the metres of the zone."""
    shapes, names = [], []
    plane = CRS.from_user_input(PLANE)
    for hamlet in range(20):
        x0, side = rng.uniform(-10_000, 10_000), rng.choice([-1.0, 1.0])
        above = side * rng.uniform(1_500, 4_500)
        for house in range(int(rng.integers(6, 16))):
            x, y = x0 + rng.normal(0, 120), valley_m(x0) + above + rng.normal(0, 120)
            width, depth, turn = rng.uniform(9, 18), rng.uniform(8, 14), rng.uniform(0, np.pi)
            corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, depth / 2)
            rotated = corners @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
            lon, lat = to_degrees(rotated[:, 0] + x, rotated[:, 1] + y)
            shapes.append(shapely.Polygon(np.column_stack(systems.project(lon, lat, plane))))
            names.append(f"YL{hamlet + 1:02d}-{house + 1:03d}")
    io.write_vector(gpd.GeoDataFrame({"编号": names}, geometry=shapes, crs=PLANE), path)
    return len(names)


def _write_outline(path: Path) -> None:
    path.unlink(missing_ok=True)
    west, south, east, north = _box()
    inner = shapely.box(west, south, east, north).buffer(-0.01)
    io.write_layer(
        gpd.GeoDataFrame({"名称": ["样例县"]}, geometry=[inner], crs=systems.DEGREES), path, layer="县界"
    )


def _write_ground(path: Path) -> None:
    west, south, east, north = _box()
    step = 1 / 3600  # one second of arc, as the free terrain models have it
    columns, rows = int(np.ceil((east - west) / step)), int(np.ceil((north - south) / step))
    lon, lat = west + (np.arange(columns) + 0.5) * step, north - (np.arange(rows) + 0.5) * step
    x, y = systems.project(np.tile(lon, (rows, 1)), np.tile(lat[:, None], columns), CENTRE)
    io.write_raster(height_m(x, y).astype(np.float32), path, west=west, north=north, step=step)


_PROJECT_TEXT = """\
# 样例县：由程序按固定种子编造，没有一处是真的。改一改再运行：yike run 样例县.toml
[project]
name = "样例县"
language = "zh"
as_of = 2026-06-30
crs = "EPSG:4543"

[area]
service = "县边界.gpkg"

[layers]
settlements = { path = "安置点台账.xlsx", sheet = "安置点", crs = "CGCS2000" }
facilities = [
  { osm = true },
  { path = "服务设施.csv", crs = "GCJ-02" },
  { path = "小学台账.xlsx", crs = "EPSG:4543", category = "primary_school" },
  { path = "初中台账.xlsx", crs = "EPSG:4543", category = "junior_middle_school" },
]
homesteads = "旧宅基地.shp"

[network]
osm = "道路.osm.pbf"

[terrain]
dem = ["高程.tif"]
"""
