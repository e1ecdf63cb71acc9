"""Writing the county as the files a real one would send, with what is planted in their rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from scipy.spatial import KDTree

from geo import crs as systems
from geo import io, osm
from layers.catalog import Catalog, Category
from layers.sample import land
from layers.sample.ground import CENTRE, Ground, heights, to_degrees
from layers.sample.people import COUNTY, Home, Village
from layers.sample.roads import Layout
from layers.sample.services import AMAP, HEALTH, JOBS, LEDGER, OSM, SCHOOL, SHIFTED, Service
from layers.sample.truth import Terrain

PLANE = "EPSG:4543"
Row = tuple[object, ...]


@dataclass(slots=True)
class Planted:
    """What is planted in the files, noted where it is written."""

    faults: set[tuple[str, str, int]] = field(default_factory=set)
    doubts: set[tuple[str, str]] = field(default_factory=set)

    def note_fault(self, code: str, file: str, row: int) -> None:
        """Note a fault in a row."""
        self.faults.add((code, file, row))

    def note_doubt(self, code: str, file: str) -> None:
        """Note a doubt about a file."""
        self.doubts.add((code, file))


CHILDREN = (0.045, 0.055, 0.06, 0.055, 0.05)
"""Shares of a settlement's people in the bands of age of three years, from birth to 14."""


def place(xy: tuple[float, float]) -> tuple[float, float]:
    """Degrees of a point in metres, as ledgers keep them."""
    lon, lat = to_degrees([xy[0]], [xy[1]])
    return round(float(lon[0]), 6), round(float(lat[0]), 6)


def shifted(xy: tuple[float, float]) -> tuple[float, float]:
    """GCJ-02 of a point in metres, as map providers give it."""
    lon, lat = to_degrees([xy[0]], [xy[1]])
    east, north = systems.wgs84_to_gcj02(lon, lat)
    return round(float(east[0]), 6), round(float(north[0]), 6)


def write_streets(
    path: Path, ground: Ground, layout: Layout, services: Sequence[Service], planted: Planted
) -> None:
    """Streets and rivers, bus stops and toilets, and a school that a ledger has too."""
    roads = layout.roads
    lon, lat = to_degrees(roads.x, roads.y)
    nodes = [osm.Node(n, float(a), float(b)) for n, (a, b) in enumerate(zip(lon, lat, strict=True), start=1)]
    ways = [osm.Way(n, [m + 1 for m in refs], tags) for n, (refs, tags) in enumerate(roads.ways, start=1)]
    for line in layout.rivers:
        at = to_degrees(line[:, 0], line[:, 1])
        first = len(nodes) + 1
        nodes += [osm.Node(first + i, float(a), float(b)) for i, (a, b) in enumerate(zip(*at, strict=True))]
        ways.append(
            osm.Way(len(ways) + 1, list(range(first, len(nodes) + 1)), {"waterway": "river", "name": "样例河"})
        )
    tags = {"bus_stop": {"highway": "bus_stop"}, "public_toilet": {"amenity": "toilets"},
            "coach_station": {"amenity": "bus_station"}}  # fmt: skip
    for service in services:
        if service.source == OSM:
            at_node = roads.at(service.node)
            told = tags[service.category] | {"name": service.name}
            nodes.append(osm.Node(len(nodes) + 1, *place(at_node), told))
        elif service.trait == "also_osm":
            x, y = roads.at(service.node)
            told = {"amenity": "school", "name": service.name}
            planted.note_doubt("facility_merged", path.name)
            nodes.append(osm.Node(len(nodes) + 1, *place((x + 40.0, y)), told))
    osm.write_osm(path, nodes, ways, box=ground.box)


def write_survey_roads(path: Path, layout: Layout) -> None:
    """The same streets as road lines of a survey: a class in words, bridges marked, a Shapefile without .cpg."""
    words = {
        "secondary": "县道",
        "tertiary": "乡道",
        "unclassified": "村道",
        "residential": "街道",
        "track": "机耕路",
        "path": "小路",
    }
    shapes, rows = [], []
    for nodes, tags in layout.roads.ways:
        xy = np.array([layout.roads.at(node) for node in nodes])
        shapes.append(shapely.LineString(np.column_stack(_plane(xy))))
        rows.append((words[tags["highway"]], tags.get("name", ""), "是" if "bridge" in tags else "否"))
    frame = gpd.GeoDataFrame(rows, columns=["道路等级", "路名", "bridge"], geometry=shapes, crs=PLANE)
    io.write_vector(frame, path, encoding="GBK", cpg=False)


def _plane(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = to_degrees(xy[:, 0], xy[:, 1])
    return systems.project(lon, lat, CRS.from_user_input(PLANE))


def write_settlements(path: Path, homes: Sequence[Home], layout: Layout, ground: Ground, planted: Planted) -> None:
    """The ledger of settlements: a title, a unit, headings, rows, a total; with planted rows."""
    file = path.name
    heading = ("序号", "安置点编号", "安置点名称", "县", "乡镇", "村", "安置方式", "户数（户）", "安置人口（人）",
               "实际入住人口", "建档立卡人口", "原住居民", "0-2岁", "3-5岁", "6-8岁", "9-11岁", "12-14岁",
               "主要出行方式", "经度", "纬度")  # fmt: skip
    rows: list[Row] = [(f"{COUNTY}易地扶贫搬迁集中安置点台账",), ("单位：户、人",), heading]
    for number, home in enumerate(homes, start=1):
        row = len(rows) + 1
        position: Row = place(layout.roads.at(home.node))
        name, people = home.id, home.people
        shown: object = people
        if home.trait == "swapped":
            position = position[::-1]
            planted.note_fault("position_swapped", file, row)
            planted.note_doubt("placed_at_village", file)
        elif home.trait == "unplaced":
            position = ("", "")
            planted.note_doubt("placed_at_village", file)
        elif home.trait == "pop_text":
            shown = "约一百二"
            planted.note_fault("not_a_number", file, row)
        elif home.trait == "repeated":
            name = homes[0].id
            planted.note_fault("id_repeated", file, row)
        elif home.trait == "high_up":
            position = place(_remote(layout, ground))
        rows.append((number, name, home.name, COUNTY, home.town, home.village, home.kind, people // 4, shown,
                     int(people * 0.93), int(people * 0.88), home.hosts,
                     *(int(people * share) for share in CHILDREN), home.mode, *position))  # fmt: skip
    rows.append(("合计", *[""] * 7, sum(home.people for home in homes)))
    planted.note_doubt("totals_left_out", file)
    io.write_table(rows, path, sheet="安置点")


def _remote(layout: Layout, ground: Ground) -> tuple[float, float]:
    """Where in the county one is furthest from every street: more than half an hour on foot."""
    x, y = (np.arange(-half + 300.0, half - 299.0, 200.0) for half in (ground.half_x, ground.half_y))
    points = np.column_stack([grid.reshape(-1) for grid in np.meshgrid(x, y)])
    used = np.unique(np.concatenate([nodes for nodes, _ in layout.roads.ways]))
    away, _ = KDTree(np.column_stack((layout.roads.x, layout.roads.y))[used]).query(points)
    at = points[int(np.argmax(away))]
    return float(at[0]), float(at[1])


def settlement_id(home: Home, homes: Sequence[Home]) -> str:
    """The id under which a settlement is found again; a repeated one has its row behind it."""
    if home.trait != "repeated":
        return home.id
    return f"{homes[0].id}#{list(homes).index(home) + 4}"


def write_shapes(path: Path, homes: Sequence[Home], layout: Layout) -> None:
    """Some settlements as ground, as entrances or as buildings."""
    rows = []
    for home in homes:
        x, y = layout.roads.at(home.node)
        if home.shape == "ground":
            rows.append((home.id, shapely.box(x - 130, y - 90, x + 110, y + 90)))
        elif home.shape == "gates":
            rows += [(home.id, shapely.Point(x + a, y + b)) for a, b in ((0, 0), (180, 0), (0, 140))]
        elif home.shape == "buildings":
            rows += [
                (home.id, shapely.box(x + a - 8, y + b - 6, x + a + 8, y + b + 6))
                for a in (0, 30, 60)
                for b in (0, 25)
            ]
    frame = gpd.GeoDataFrame(rows, columns=["安置点编号", "geometry"], geometry="geometry")
    io.write_vector(_degrees(frame), path, layer="安置点范围")


def _degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    moved = shapely.transform(
        frame.geometry.to_numpy(), lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1]))
    )
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=moved, crs="EPSG:4490")


def write_households(
    path: Path, homes: Sequence[Home], layout: Layout, villages: Sequence[Village], planted: Planted
) -> None:
    """Scattered households in GCJ-02 and GB 18030; of some only the village is known."""
    codes = {(v.town, v.name): v.code for v in villages}
    rows: list[Row] = [("户编号", "乡镇", "村", "行政区划代码", "安置方式", "家庭人口", "经度", "纬度")]
    for home in homes:
        position: Row = shifted(layout.roads.at(home.node))
        if home.trait == "no_position":
            position = ("", "")
            planted.note_doubt("placed_at_village", path.name)
        rows.append(
            (
                home.id,
                home.town,
                home.village,
                codes[home.town, home.village],
                "农村分散安置",
                home.people,
                *position,
            )
        )
    planted.note_doubt("pupils_by_ratio", path.name)
    io.write_table(rows, path, encoding="gb18030")


def write_hosts(path: Path, homes: Sequence[Home], layout: Layout, planted: Planted) -> None:
    """Who lived there before."""
    rows: list[Row] = [("编号", "居民点名称", "乡镇", "村", "类型", "常住人口", "经度", "纬度")]
    rows += [(h.id, h.name, h.town, h.village, h.kind, h.people, *place(layout.roads.at(h.node))) for h in homes]
    planted.note_doubt("pupils_by_ratio", path.name)
    io.write_table(rows, path, sheet="居民点")


_STATUS = {"closed": "停用", "planned": "在建", "ended": "正常"}


def write_facilities(
    folder: Path, services: Sequence[Service], layout: Layout, catalog: Catalog, planted: Planted
) -> None:
    """Schools, clinics, other services and jobs as ledgers; shops as a map provider's table; one undeclared."""
    names = {c.id: c.name_zh.split("/")[0].split("(")[0] for c in catalog.categories.values()}
    at = layout.roads.at

    def position(service: Service, beside: float = 0.0) -> tuple[float, float]:
        x, y = at(service.node)
        return place((x + beside, y))

    _school_ledger(folder / "学校台账.xlsx", [s for s in services if s.source == SCHOOL], names, position, planted)
    _health_ledger(
        folder / "医疗机构台账.xlsx", [s for s in services if s.source == HEALTH], names, position, planted
    )
    _service_ledger(folder / "服务设施台账.xlsx", services, names, position, planted)
    _provider_table(folder / "高德POI.csv", services, at, catalog, planted)
    jobs: list[Row] = [
        ("单位名称", "载体类型", "岗位数", "在岗人数", "吸纳搬迁群众", "月均工资", "运营状态", "经度", "纬度")
    ]
    jobs += [(s.name, names[s.category], s.capacity, s.capacity * 4 // 5, s.capacity // 3, 2_600, "正常运营", *position(s))
             for s in services if s.source == JOBS]  # fmt: skip
    io.write_table(jobs, folder / "就业载体台账.xlsx", sheet="载体")
    # from a map provider too, but nobody says so
    loose: list[Row] = [("名称", "类别", "经度", "纬度")]
    loose += [(s.name, names[s.category], *shifted(at(s.node))) for s in services if s.source == SHIFTED]
    io.write_table(loose, folder / "便民回收.csv", encoding="gb18030")
    planted.note_doubt("crs_looks_shifted", "便民回收.csv")


Position = Callable[..., tuple[float, float]]


def _school_ledger(
    path: Path, services: Sequence[Service], names: Mapping[str, str], position: Position, planted: Planted
) -> None:
    heading = (
        "学校标识码",
        "学校名称",
        "学校类型",
        "乡镇",
        "核定学位",
        "班级数",
        "在校学生数",
        "寄宿床位",
        "寄宿生",
        "专任教师",
        "办学状态",
        "经度",
        "纬度",
    )
    rows: list[Row] = [heading]
    for s in services:
        seats = s.capacity or 200
        beds = (
            seats // 3 if s.category in ("junior_middle_school", "nine_year_school", "senior_high_school") else 0
        )
        rows.append((s.code, s.name, names[s.category], s.town, seats, seats // 45, int(seats * 0.92), beds,
                     int(beds * 0.9), seats // 16, _STATUS.get(s.trait, "正常"), *position(s)))  # fmt: skip
        if s.trait in ("planned", "closed"):
            planted.note_doubt("not_operating", path.name)
    io.write_table(rows, path, sheet="学校")


def _health_ledger(
    path: Path, services: Sequence[Service], names: Mapping[str, str], position: Position, planted: Planted
) -> None:
    heading = (
        "机构代码",
        "机构名称",
        "机构类别",
        "乡镇",
        "床位",
        "执业医师",
        "护士",
        "服务人口",
        "运营状态",
        "经度",
        "纬度",
    )
    rows: list[Row] = [heading]
    for s in services:
        status = _STATUS.get(s.trait, "正常")
        if s.trait == "closed":
            planted.note_doubt("not_operating", path.name)
        if len(rows) == 3:
            status = "看情况"
            planted.note_doubt("status_unknown", path.name)
        rows.append(
            (
                s.code,
                s.name,
                names[s.category],
                s.town,
                s.capacity,
                s.staff,
                s.staff,
                s.staff * 800,
                status,
                *position(s),
            )
        )
    io.write_table(rows, path, sheet="机构")


def _service_ledger(
    path: Path, services: Sequence[Service], names: Mapping[str, str], position: Position, planted: Planted
) -> None:
    file = path.name
    rows: list[Row] = [
        ("设施编号", "设施名称", "类别", "乡镇", "村", "容量", "状态", "建成时间", "停用时间", "经度", "纬度")
    ]
    again: list[Row] = []
    for s in services:
        row = (
            s.code,
            s.name,
            names[s.category],
            s.town,
            s.village,
            s.capacity or "",
            _STATUS.get(s.trait, "正常"),
            "2018.06",
        )
        if s.source == LEDGER:
            rows.append((*row, "2025.3" if s.trait == "ended" else "", *position(s)))
            if s.trait == "ended":
                planted.note_doubt("not_operating", file)
            if s.trait == "twice":
                again.append(
                    (
                        "",
                        s.name,
                        names[s.category],
                        s.town,
                        s.village,
                        "",
                        "正常",
                        "2018.06",
                        "",
                        *position(s, 25.0),
                    )
                )
                planted.note_doubt("facility_twice", file)
        elif s.trait == "also_ledger":  # another capacity than the school ledger has
            again.append(
                (
                    "",
                    s.name,
                    names[s.category],
                    s.town,
                    "",
                    s.capacity + 30,
                    "正常",
                    "2018.06",
                    "",
                    *position(s, 40.0),
                )
            )
            planted.note_doubt("capacity_differs", file)
            planted.note_doubt("facility_merged", file)
    rows += again
    rows.append(("", "样例县电影放映队", "流动放映", "城关镇", "", "", "正常", "", "", *rows[1][-2:]))
    planted.note_fault("category_unknown", file, len(rows))
    io.write_table(rows, path, sheet="设施")


def _provider_table(
    path: Path,
    services: Sequence[Service],
    at: Callable[[int], tuple[float, float]],
    catalog: Catalog,
    planted: Planted,
) -> None:
    rows: list[Row] = [("poi_id", "名称", "typecode", "经度", "纬度")]
    codes = {category.id: _own_code(category, catalog) for category in catalog.categories.values()}
    for s in services:
        code = codes[s.category]
        if s.source == AMAP:
            rows.append((f"B0{len(rows):06d}", s.name, code, *shifted(at(s.node))))
        elif s.trait == "also_amap":
            x, y = at(s.node)
            rows.append((f"B0{len(rows):06d}", s.name[-6:], code, *shifted((x + 60.0, y))))
            planted.note_doubt("facility_merged", path.name)
    rows.append((f"B0{len(rows):06d}", "城关加油站", "010100", *shifted(at(services[0].node))))
    planted.note_doubt("amap_unsorted", path.name)
    io.write_table(rows, path, encoding="gb18030")


def _own_code(category: Category, catalog: Catalog) -> str:
    """A type code that no other category takes whatever the name, else the first."""
    others = {
        code for c in catalog.categories.values() if c is not category and c.amap_name is None for code in c.amap
    }
    return next((code for code in category.amap if code not in others), next(iter(category.amap), ""))


def write_ground(path: Path, ground: Ground) -> Terrain:
    """Write terrain in seconds of arc, as the free models have it."""
    west, south, east, north = ground.box
    step = 1 / 3600
    columns, rows = int(np.ceil((east - west) / step)), int(np.ceil((north - south) / step))
    lon, lat = west + (np.arange(columns) + 0.5) * step, north - (np.arange(rows) + 0.5) * step
    x, y = systems.project(np.tile(lon, (rows, 1)), np.tile(lat[:, None], columns), CENTRE)
    terrain = Terrain(heights(ground, x, y), west, north, step)
    io.write_raster(terrain.heights, path, west=west, north=north, step=step)
    return terrain


def write_land(
    folder: Path, ground: Ground, layout: Layout, villages: Sequence[Village], plots: Sequence[land.Plot],
    settlements: Sequence[Home], planted: Planted,
) -> None:  # fmt: skip
    """Villages, collectives, homesteads, the land survey in a geodatabase, zones, rivers and pipes."""
    box = shapely.box(-ground.half_x, -ground.half_y, ground.half_x, ground.half_y)
    own = land.village_shapes(list(villages), layout, box)
    named = [(v.code, v.name, v.town, "老" + v.name if n == 1 else "") for n, v in enumerate(villages)]
    frame = gpd.GeoDataFrame(named, columns=["XZQDM", "XZQMC", "乡镇", "曾用名"], geometry=own, crs=None)
    io.write_vector(_degrees(frame), folder / "行政村.shp", encoding="GBK", cpg=False)
    collectives = gpd.GeoDataFrame(
        [(f"{v.town}{v.name}农民集体", "32", v.name) for v in villages],
        columns=["所有权人", "QSXZ", "村"],
        geometry=own,
    )
    io.write_vector(_degrees(collectives), folder / "集体土地所有权.gpkg", layer="所有权")
    towns: dict[str, list[shapely.Geometry]] = {}
    for village, shape in zip(villages, own, strict=True):
        towns.setdefault(village.town, []).append(shape)
    merged = [shapely.union_all(shapes) for shapes in towns.values()]
    for name, what, lead in (("医疗网格.gpkg", "网格", "卫生院"), ("学区.gpkg", "学区", "小学")):
        rows = [(f"{n:02d}", f"{town}{what}", f"{town}{lead}") for n, town in enumerate(towns, start=1)]
        grid = gpd.GeoDataFrame(rows, columns=["网格编号", "名称", "牵头机构"], geometry=merged)
        # the county town has health centres and no township hospital, and several primary schools with numbers
        planted.note_doubt("grid_lead_unknown" if lead == "卫生院" else "district_lead_unknown", name)
        io.write_vector(_degrees(grid), folder / name, layer=what)
    _write_plots(folder / "旧宅基地.shp", plots, planted)
    _write_slope_map(folder / "坡度图.gpkg", villages)
    _write_survey(folder / "三调.gdb", villages, planted)
    for name, shapes in land.zones(list(villages), box).items():
        zone = gpd.GeoDataFrame({"编号": [f"{n:03d}" for n in range(1, len(shapes) + 1)]}, geometry=shapes)
        io.write_vector(_degrees(zone), folder / ZONES[name], layer=name)
    io.write_vector(_degrees(gpd.GeoDataFrame({"名称": ["县界"]}, geometry=[box.buffer(-50.0)])), folder / "县边界.gpkg",
                    layer="县界")  # fmt: skip
    rivers = [shapely.LineString(line) for line in layout.rivers]
    frame = gpd.GeoDataFrame({"名称": [f"样例河{n}" for n in range(len(rivers))]}, geometry=rivers)
    io.write_vector(_degrees(frame), folder / "河流.gpkg", layer="河流")
    pipes = [
        shapely.LineString(line)
        for line in land.pipes(layout, list(settlements))
        if len(np.unique(line, axis=0)) > 1
    ]
    io.write_vector(
        _degrees(gpd.GeoDataFrame({"类型": ["供水"] * len(pipes)}, geometry=pipes)),
        folder / "管网.gpkg",
        layer="管网",
    )


ZONES = {"permanent_farmland": "永久基本农田.fgb", "redline": "生态保护红线.parquet", "reserves": "自然保护地.gpkg",
         "hazards": "地灾隐患.geojson", "plan_parcels": "规划用地.gpkg", "urban_boundary": "城镇开发边界.gpkg"}  # fmt: skip


def _write_plots(path: Path, plots: Sequence[land.Plot], planted: Planted) -> None:
    file, moved, rows = path.name, [], []
    for row, plot in enumerate(plots, start=1):
        moved.append(shapely.transform(land.drawn(plot), lambda xy: np.column_stack(_plane(xy))))
        name = plots[row - 2].id if plot.trait == "repeated" else plot.id
        rows.append((name, plot.house, plot.village.name, plot.soil_cm))
        code = {"crossing": "shape_crossing", "flat": "plot_no_area", "repeated": "id_repeated"}.get(plot.trait)
        if code:
            planted.note_fault(code, file, row)
        if plot.trait == "overlap":  # told is the plot that is less far, of equals that of the later id
            before = plots[row - 1 - land.BEFORE]
            planted.note_fault("plots_overlap", file, row - land.BEFORE * (before.stage < plot.stage))
    # some were made fields on steep ground, and of none the ledgers say what kind of field
    planted.note_doubt("done_otherwise", file)
    planted.note_doubt("done_class_assumed", file)
    planted.note_doubt("slopes_differ", file)
    columns = ["编号", "旧房编号", "村", "土层厚度"]
    io.write_vector(gpd.GeoDataFrame(rows, columns=columns, geometry=moved, crs=PLANE), path, encoding="GBK")


def _write_slope_map(path: Path, villages: Sequence[Village]) -> None:
    """The survey's own slope map, of the first village only: of class 3, but for a hillside that it calls flat."""
    boxes = [shapely.box(x - 15, y - 15, x + 120, y + 110) for x, y in villages[0].spot.hamlets]
    classes = ["1", *["3"] * (len(boxes) - 1)]
    io.write_vector(_degrees(gpd.GeoDataFrame({"PDJB": classes}, geometry=boxes)), path, layer="PDT")


def _write_survey(path: Path, villages: Sequence[Village], planted: Planted) -> None:
    patches = land.survey_of(list(villages))
    rows = []
    for patch in patches:
        code = patch.code
        if patch.number == 5:
            code = "9901"
            planted.note_fault("land_class_unknown", path.name, patch.number)
        slope = {"0103": 0.12}.get(code, 0.0)
        rows.append((f"{patch.number:06d}", code, patch.name, "32", f"{patch.village.town}{patch.village.name}农民集体",
                     patch.village.name, round(patch.outline.area, 2), slope, 203 if code == "0702" else None, 2024))  # fmt: skip
    columns = ["TBBH", "DLBM", "DLMC", "QSXZ", "QSDWMC", "ZLDWMC", "TBMJ", "KCXS", "CZCSXM", "SJNF"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry=[patch.outline for patch in patches])
    frame["CZCSXM"] = frame["CZCSXM"].astype("Int64")
    shutil.rmtree(path, ignore_errors=True)
    io.write_vector(_degrees(frame), path, layer="DLTB")


PROJECTS = ("样例项目一区", "样例项目二区", "样例项目三区")
"""Of each town one in turn; no ledger of projects has the third."""

MOVED_IN = "2019-12"


@dataclass(slots=True)
class _House:
    """A row of an old-house ledger as it is written."""

    plot: land.Plot
    house: str
    area: object
    dest: str
    demolished: object
    exception: str
    approval: str
    should: str
    flags: tuple[str, str, str]


def write_house_ledgers(
    folder: Path,
    plots: Sequence[land.Plot],
    settlements: Sequence[Home],
    rng: np.random.Generator,
    planted: Planted,
) -> dict[str, int]:
    """
    A folder of old-house ledgers, one workbook a town, with names and numbers of made-up people in them.

    Returns
    -------
    numbers
        How many houses there are, must go, are gone, and stand longer than they may.
    """
    folder.mkdir(exist_ok=True)
    heading = ("序号", "旧房编号", "户主姓名", "身份证号", "村", "安置点", "是否有旧房", "宅基地面积（㎡）", "旧房建筑面积（㎡）",
               "是否应拆", "是否拆除", "拆除时间", "复垦类型", "是否复垦", "复垦面积（亩）", "是否验收", "验收时间", "保留原因",
               "批准文号", "增减挂钩项目", "所有权人", "是否确权", "入住时间")  # fmt: skip
    named = [home for home in settlements if not home.trait]
    towns = list(dict.fromkeys(plot.village.town for plot in plots))
    numbers = dict.fromkeys(("houses", "should_demolish", "demolished", "overdue"), 0)
    for number, town in enumerate(towns):
        file = f"{town}旧房台账.xlsx"
        moved_in = "" if number == 1 else MOVED_IN
        rows: list[Row] = [(f"{town}旧房拆除复垦台账",), heading]
        own = [plot for plot in plots if plot.village.town == town]
        for row, plot in enumerate(own, start=3):
            told = _house(plot, row, str(named[int(rng.integers(0, len(named)))].name))
            if number == 0:
                _plant(told, row, own[row - 4], file, planted)
            if row == 5:
                told.area = round(plot.outline.area * 0.0015, 2)
                planted.note_fault("area_in_mu", file, row)
            done = told.plot
            mu = round(done.outline.area * 0.0015, 4) if done.stage > 1 else ""
            rows.append((row - 2, told.house, "张某某", _id_number(rng), done.village.name, told.dest, "是", told.area,
                         round(done.outline.area * 0.7, 1), told.should, told.flags[0], told.demolished, "复垦",
                         told.flags[1], mu, told.flags[2], "2022-11-30" if done.stage > 2 else "", told.exception,
                         told.approval, PROJECTS[number % 3], f"{town}{done.village.name}农民集体",
                         "是" if done.stage == 3 else "否", moved_in))  # fmt: skip
            if told.house == plot.house:
                stays = bool(told.exception and told.approval) and told.flags[0] == "否"
                gone = not stays and told.flags[0] == "是"
                numbers["houses"] += 1
                numbers["should_demolish"] += not stays
                numbers["demolished"] += gone
                numbers["overdue"] += not stays and not gone and bool(moved_in)
        if number == 0:  # a house that nobody surveyed
            lost = (
                len(own) + 1,
                f"JF{own[0].village.code[6:]}-900",
                "张某某",
                _id_number(rng),
                own[0].village.name,
            )
            rows.append((*lost, named[0].name, "是", 33.0, 24.0, "是", "否", *[""] * 11, moved_in))
            planted.note_doubt("houses_without_plot", file)
            numbers = {name: n + (name != "demolished") for name, n in numbers.items()}
        rows.append(("合计", len(rows) - 2))
        planted.note_doubt("totals_left_out", file)
        if number == 1:
            planted.note_doubt("move_in_unknown", file)
        io.write_table(rows, folder / file, sheet="旧房")
    planted.note_doubt("quality_unknown", "增减挂钩项目.xlsx")
    planted.note_doubt("quota_sold_stopped", "增减挂钩项目.xlsx")
    if len(towns) > 2:
        planted.note_doubt("project_unknown", "增减挂钩项目.xlsx")
    return numbers


def _house(plot: land.Plot, row: int, dest: str) -> _House:
    flags = tuple(("是" if plot.stage >= level else "否") for level in (1, 2, 3))
    return _House(
        plot, plot.house, round(plot.outline.area, 1), dest, "2020.06" if plot.stage > 0 else "",
        "保留生产用房" if plot.retained else "", f"样批〔2019〕{row}号" if plot.retained else "",
        "否" if plot.retained else "是", (flags[0], flags[1], flags[2]),
    )  # fmt: skip


def _plant(told: _House, row: int, before: land.Plot, file: str, planted: Planted) -> None:
    """What is planted in the rows of the first town's ledger."""
    if row == 6:  # a second household of the house above; its own plot then has no house
        again = _house(before, row - 1, told.dest)
        told.plot, told.house, told.area, told.demolished = before, before.house, again.area, again.demolished
        told.exception, told.approval, told.should, told.flags = (
            again.exception, again.approval and f"样批〔2019〕{row - 1}号", again.should, again.flags,
        )  # fmt: skip
        planted.note_doubt("house_shared", file)
        planted.note_doubt("plots_without_house", "旧宅基地.shp")
    elif row == 7:
        told.demolished = "拆了"
        planted.note_fault("not_a_date", file, row)
    elif row == 8:
        told.dest = "外县安置点"
        planted.note_fault("settlement_unknown", file, row)
    elif row == 9:
        told.exception, told.approval, told.should = "户主不同意", "", "是"
        planted.note_fault("exception_unknown", file, row)
    elif row == 10:
        told.exception, told.approval, told.should = "保留生产用房", "", "否"
        told.plot, told.demolished, told.flags = replace(told.plot, stage=0), "", ("否", "否", "否")
        planted.note_fault("retained_without_approval", file, row)
        planted.note_doubt("should_demolish_differs", file)
    elif row == 11:
        told.area = round(told.plot.outline.area * 2000 / 3, 1)
        planted.note_fault("plot_area_unit", file, row)
    elif row == 12:
        told.exception, told.approval, told.should, told.flags = "", "", "是", ("否", "是", "是")
        told.demolished = "2020.06"
        planted.note_fault("stage_order", file, row)
        planted.note_fault("no_but_dated", file, row)
    elif row == 13:
        told.exception, told.approval, told.should, told.flags = (
            "保留生产用房",
            "样批〔2019〕13号",
            "是",
            ("是", "否", "否"),
        )
        told.plot, told.demolished = replace(told.plot, stage=1), "2020.06"
        planted.note_doubt("kept_but_gone", file)


def _id_number(rng: np.random.Generator) -> str:
    """A number of 18 places whose check digit fits, of nobody: the division code is none."""
    digits = f"519901{rng.integers(1950, 2000)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}{rng.integers(0, 1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11]


def _projects(plots: Sequence[land.Plot], planted: Planted) -> list[Row]:
    """Two projects; the second took more farmland than it gave back, and than it built on."""
    towns = list(dict.fromkeys(plot.village.town for plot in plots))
    rows: list[Row] = []
    planted.note_doubt("farmland_beyond", "增减挂钩项目.xlsx")
    for number, taken in ((0, 0.35), (1, 1.1)):
        own = {town for place, town in enumerate(towns) if place % 3 == number}
        mu = sum(plot.outline.area * 0.0015 for plot in plots if plot.stage == 3 and plot.village.town in own)
        used = (round(share * mu, 2) for share in (2.0, 0.4, 0.05, taken, 0.02, 0.2))
        rows.append(
            (f"X{number + 1:02d}", PROJECTS[number], f"样自然资〔2019〕{number + 1}号", *used, "2027-12-31")
        )
    return rows


def write_ledgers(
    folder: Path, settlements: Sequence[Home], villages: Sequence[Village], plots: Sequence[land.Plot],
    planted: Planted,
) -> None:  # fmt: skip
    """Labour, vacancies, housing, utilities, land, assets, quota and work relief; one is of another county."""
    named = [home for home in settlements if home.trait not in ("repeated",)]
    labour: list[Row] = [
        ("安置点", "劳动力人数", "已就业", "培训人次", "外出务工人数", "公益岗人数", "零就业家庭")
    ]
    labour += [
        (h.name, h.people // 2, h.people // 3, h.people // 5, h.people // 6, h.people // 40, h.people // 200)
        for h in named
    ]
    labour.append(("不存在安置点", 10, 5, 1, 1, 0, 0))
    planted.note_fault("settlement_unknown", "劳动力台账.xlsx", len(labour))
    housing: list[Row] = [("安置点", "安置房套数", "不动产登记套数", "新增住房需求户", "公租房套数")]
    housing += [(h.name, h.people // 4, h.people // 5, h.people // 80, h.people // 100) for h in named]
    other: list[Row] = [("安置点", "设施类型", "接通户数", "设计能力", "管护单位", "管护经费")]
    other += [(f"邻县{name}安置点", "供水", 40, 120, "水务站", 2) for name in ("甲", "乙", "丙")]
    planted.note_doubt("ledger_other_county", "基础设施台账.xlsx")
    tables: dict[str, list[Row]] = {
        "劳动力台账.xlsx": labour,
        "住房台账.xlsx": housing,
        "基础设施台账.xlsx": other,
        "岗位清单.xlsx": [("用工单位", "招聘人数", "工作地点"), *((f"样例企业{n}", 5 * n, "城关镇") for n in range(1, 9))],
        "承包地台账.xlsx": [("发包方", "土地类型", "实测面积（亩）", "补贴项目"),
                            *((f"{v.town}{v.name}农民集体", kind, area, subsidy) for v in villages
                              for kind, area, subsidy in (("承包地", 820.5, "耕地地力"), ("林地", 2_400, "退耕还林"))),
                            (f"{villages[0].town}{villages[0].name}农民集体", "承包地", 60, "退耕还林、耕地地力")],
        "资产台账.xlsx": [("资产名称", "资产类型", "产权归属", "年收益", "使用状态"),
                          *((f"{v.name}集体资产", "产业", "村集体", 3.2, "正常") for v in villages)],
        "增减挂钩项目.xlsx": [("项目编号", "项目名称", "批准文号", "拆旧面积（亩）", "安置建新面积（亩）", "其他建新面积（亩）",
                               "占用耕地（亩）", "预留（亩）", "省内交易（亩）", "归还期限"), *_projects(plots, planted)],
        "以工代赈.xlsx": [("项目名称", "建设类型", "总投资", "劳务报酬", "吸纳务工"), ("通组路硬化", "乡村道路", 380, 64, 90)],
    }  # fmt: skip
    planted.note_fault("subsidy_twice", "承包地台账.xlsx", len(tables["承包地台账.xlsx"]))
    for name, rows in tables.items():
        io.write_table(rows, folder / name, sheet="台账")
