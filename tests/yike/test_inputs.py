"""Which file was read: two of one name, one that changes under the run's hands, one made of several."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

import yike
from geo import io, osm
from geo.problems import Stop
from layers import catalog
from tests.flatland import Town, degrees
from yike.store import digest_of
from yike.teller import Teller

HEADING = ("编号", "安置点名称", "安置方式", "安置人口", "经度", "纬度")


def ledger(path: Path, *rows, heading=HEADING) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return io.write_table([heading, *rows], path) or path


def settled(path: Path, at, *, name="甲", number="A1") -> Path:
    (lon,), (lat,) = degrees([at])
    return ledger(path, (number, name, "农村", 100, lon, lat))


def project(folder: Path, *lines: str) -> Path:
    Town().grid(20, 2).write(folder / "路.osm.pbf")
    path = folder / "县.toml"
    text = ('[project]\nname = "县"', '[network]\nosm = "路.osm.pbf"', "[layers]", *lines)
    path.write_text("\n".join(text), "utf-8")
    return path


FACILITIES = """settlements = "点.csv"
facilities = [{ path = "东/药店.csv", category = "pharmacy" }, { path = "西/银行.csv", category = "bank_branch" }]"""


def minutes(run) -> dict[str, float]:
    rows = run.access[run.access["deciding"]].dropna(subset="time_min")
    return {row.category: round(row.time_min, 3) for row in rows.itertuples()}


def shop(path: Path, x: float) -> Path:
    (lon,), (lat,) = degrees([(x, 0)])
    return ledger(path, ("店", lon, lat), heading=("名称", "经度", "纬度"))


def test_two_files_of_one_name_that_change_places_are_read_again(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    lines = FACILITIES.replace("药店.csv", "表.csv").replace("银行.csv", "表.csv")
    path = project(tmp_path, lines)
    east, west = shop(tmp_path / "东/表.csv", 2), shop(tmp_path / "西/表.csv", 6)
    before = minutes(yike.open(path, cache=tmp_path / "s").run())
    assert before == {"pharmacy": 3.0, "bank_branch": 9.0}
    east.rename(tmp_path / "x"), west.rename(east), (tmp_path / "x").rename(west)
    assert minutes(yike.open(path, cache=tmp_path / "s").run()) == {"pharmacy": 9.0, "bank_branch": 3.0}


def test_a_project_that_exchanges_its_two_files_reads_them_again(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    lines = FACILITIES.replace("药店.csv", "表.csv").replace("银行.csv", "表.csv")
    path = project(tmp_path, lines)
    shop(tmp_path / "东/表.csv", 2), shop(tmp_path / "西/表.csv", 6)
    yike.open(path, cache=tmp_path / "s").run()
    text = path.read_text("utf-8").replace("东/", "?/").replace("西/", "东/").replace("?/", "西/")
    path.write_text(text, "utf-8")
    assert minutes(yike.open(path, cache=tmp_path / "s").run()) == {"pharmacy": 9.0, "bank_branch": 3.0}


class Replaces(Teller):
    """Writes over a file when a stage begins to work."""

    def __init__(self, stage: str, path: Path, content: bytes) -> None:
        self.stage, self.path, self.content = stage, path, content

    def begin(self, stage: str) -> None:
        if stage == self.stage:
            self.path.write_bytes(self.content)


def test_a_file_that_changes_while_it_is_read_is_told_and_not_kept(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    path = project(tmp_path, FACILITIES)
    drug, bank = shop(tmp_path / "东/药店.csv", 2), shop(tmp_path / "西/银行.csv", 6)
    near, far = drug.read_bytes(), bank.read_bytes()
    run = yike.open(path, cache=tmp_path / "s").run(teller=Replaces("facilities", drug, far))
    told = run.table("problems").query("code == 'file_changed'")
    assert told["file"].tolist() == ["药店.csv"]
    drug.write_bytes(near)  # as it was when its digest was taken
    again = yike.open(path, cache=tmp_path / "s").run()
    assert minutes(again) == {"pharmacy": 3.0, "bank_branch": 9.0}
    assert not (again.table("problems")["code"] == "file_changed").any()


def test_two_townships_whose_ledgers_have_one_name_and_no_ids(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    (a, b), (lat, _) = degrees([(3, 0), (9, 0)])
    heading = ("住户", "人口", "经度", "纬度")
    ledger(tmp_path / "甲乡/分散户.csv", ("户1", 4, a, lat), heading=heading)
    ledger(tmp_path / "乙乡/分散户.csv", ("户1", 5, b, lat), heading=heading)
    path = project(tmp_path, 'settlements = "点.csv"\nhouseholds = ["甲乡/分散户.csv", "乙乡/分散户.csv"]')
    run = yike.open(path, cache=tmp_path / "s").run()
    homes = run.places.query("place_kind == 'household'")
    assert homes["pop"].tolist() == [4, 5]
    assert homes["place_id"].is_unique
    assert set(homes["file"]) == {"甲乡/分散户.csv", "乙乡/分散户.csv"}


def test_places_of_one_id_in_two_kinds_are_two(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0), number="1")
    (lon,), (lat,) = degrees([(5, 0)])
    heading = ("户编号", "住户", "人口", "经度", "纬度")
    ledger(tmp_path / "户.csv", ("1", "户1", 4, lon, lat), heading=heading)
    path = project(tmp_path, 'settlements = "点.csv"\nhouseholds = "户.csv"')
    run = yike.open(path, cache=tmp_path / "s").run()
    assert run.places["pop"].tolist() == [100, 4]
    assert run.places["place_id"].is_unique
    told = run.table("problems").query("code == 'place_ids_shared'")
    assert len(told) == 1


@pytest.mark.parametrize("ending", [".DBF", ".prj", ".Cpg"])
def test_a_shapefile_is_signed_with_all_its_parts(tmp_path: Path, ending):
    frame = gpd.GeoDataFrame({"名": ["甲"]}, geometry=[shapely.Point(102, 28)], crs=4326)
    io.write_vector(frame, tmp_path / "a.shp", encoding="GBK")
    part = tmp_path / f"a{ending.lower()}"
    part.rename(part.with_suffix(ending))
    before = digest_of(tmp_path / "a.shp")
    part.with_suffix(ending).write_bytes(b"other")
    assert digest_of(tmp_path / "a.shp") != before


@pytest.mark.parametrize(
    ("name", "beside"),
    [("d.tif", "d.tif.aux.xml"), ("d.tif", "d.tfw"), ("d.tif", "d.TIF.OVR"), ("a.gpkg", "a.gpkg-wal")],
)
def test_what_a_driver_reads_beside_a_file_is_signed_too(tmp_path: Path, name, beside):
    (tmp_path / name).write_bytes(b"x")
    before = digest_of(tmp_path / name)
    (tmp_path / beside).write_bytes(b"y")
    assert digest_of(tmp_path / name) != before
    (tmp_path / "else.txt").write_bytes(b"z")
    assert io.files_of(tmp_path / name) == [tmp_path / name, tmp_path / beside]


def ground(path: Path, factor: float, *, units: str = "", crs: str = "EPSG:4326") -> Path:
    """A plane that rises by 20 % to the east, in some unit of height."""
    profile = {"driver": "GTiff", "width": 200, "height": 200, "count": 1, "dtype": "float32"}
    transform = Affine(0.0003, 0, 102.73, 0, -0.0003, 28.03)
    east_m = np.arange(200) * 0.0003 * 98_300
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform) as out:
        out.write(np.tile(500 + 0.2 * east_m, (200, 1)).astype("float32") * np.float32(factor), 1)
        if units:
            out.units = (units,)
    return path


FEET, SURVEY_FEET = 0.3048, 1200 / 3937


@pytest.mark.parametrize(("factor", "more", "codes"), [
    (1 / FEET, {"units": "ft"}, ["terrain_in_feet"]), (1 / SURVEY_FEET, {"units": "US survey foot"}, ["terrain_in_feet"]),
    (1 / SURVEY_FEET, {"crs": "EPSG:4326+6360"}, ["terrain_in_feet"]), (1.0, {"units": "metre"}, []),
    (1.0, {"crs": "EPSG:4326+5703"}, []),
])  # fmt: skip
def test_heights_in_feet_are_turned_into_metres_and_told(tmp_path: Path, factor, more, codes):
    settled(tmp_path / "点.csv", (0, 0))
    shop(tmp_path / "店.csv", 6)
    path = project(tmp_path, 'settlements = "点.csv"', 'facilities = [{ path = "店.csv", category = "pharmacy" }]',
                   '[terrain]\ndem = "高程.tif"')  # fmt: skip
    told, found = {}, {}
    for name, (scale, how) in {"plain": (1.0, {}), "other": (factor, more)}.items():
        ground(tmp_path / "高程.tif", scale, **how)
        run = yike.open(path, cache=tmp_path / "s").run()
        told[name] = run.table("problems")
        found[name] = minutes(run)["pharmacy"]
    assert found["plain"] > 9.5  # 9 min on level ground
    assert found["other"] == pytest.approx(found["plain"], abs=0.01)
    new = set(told["other"]["code"]) - set(told["plain"]["code"])
    assert sorted(new) == codes


def test_heights_in_an_unknown_unit_stop(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    shop(tmp_path / "店.csv", 6)
    path = project(tmp_path, 'settlements = "点.csv"', 'facilities = [{ path = "店.csv", category = "pharmacy" }]',
                   '[terrain]\ndem = ["a.tif", "b.tif"]')  # fmt: skip
    for units in (("furlong", "furlong"), ("m", "ft")):
        for file, unit in zip(("a.tif", "b.tif"), units, strict=True):
            ground(tmp_path / file, 1.0, units=unit)
        with pytest.raises(Stop) as stop:
            yike.open(path, cache=tmp_path / "s").read()
        assert [p.code for p in stop.value.problems] == ["terrain_unit"]


def test_gates_and_waters_of_the_file_count_without_terrain(tmp_path: Path):
    """A school whose gate lies to the north, and a pond between the home and the street that is nearest."""
    settled(tmp_path / "点.csv", (2.5, -2))
    path = project(tmp_path, 'settlements = "点.csv"', "facilities = [{ osm = true }]", "[categories]",
                   '"primary_school.osm" = ["amenity=school"]')  # fmt: skip
    corners = {
        "school": [(10, 3), (14, 3), (14, 7), (10, 7)],
        "pond": [(0, -1.5), (9, -1.5), (9, -0.5), (0, -0.5)],
    }
    nodes, ways = [], []
    for number, (name, at) in enumerate(corners.items(), start=1):
        lon, lat = degrees(at)
        gate = {3: {"barrier": "gate"}} if name == "school" else {}
        own = [1000 * number + k for k in range(4)]
        nodes += [
            osm.Node(n, a, b, gate.get(k, {})) for k, (n, a, b) in enumerate(zip(own, lon, lat, strict=True))
        ]
        tags = {"amenity": "school", "name": "甲小学"} if name == "school" else {"natural": "water"}
        ways.append(osm.Way(1000 * number, [*own, own[0]], tags))
    town = Town().grid(20, 2).street((0, 0), (0, -9)).street((0, 2), (0, 7), (20, 7))
    lon, lat = degrees(list(town._corners))
    nodes += [osm.Node(n, a, b) for n, (a, b) in enumerate(zip(lon, lat, strict=True), start=1)]
    ways += [osm.Way(n, [town._corners[c] for c in at], tags) for n, (at, tags) in enumerate(town._ways, start=1)]
    osm.write_osm(tmp_path / "路.osm.pbf", sorted(nodes, key=lambda n: n.id), sorted(ways, key=lambda w: w.id))
    run = yike.open(path, cache=tmp_path / "s").run()
    row = run.access.query("category == 'primary_school' and deciding").iloc[0]
    # two and a half blocks west to the street that no pond parts from the home, 9 north, 10 east to the gate
    assert row.time_to_min == pytest.approx((2.5 + 9 + 10) * 100 / 60, abs=0.02)
    joined = gpd.read_file(run.folder / "results.gpkg", layer="snaps").set_index(["point_id", "kind"])
    gate = joined.geometry["w1000", "facility"].length
    assert gate == pytest.approx(0, abs=1e-6)


def covered(path: Path, code, *, inner=None) -> Path:
    """Land cover of one class at 10 m, with another north of the streets."""
    profile = {"driver": "GTiff", "width": 600, "height": 600, "count": 1, "dtype": "uint8", "nodata": 0}
    values = np.full((600, 600), code, np.uint8)
    if inner is not None:
        values[:300] = inner
    with rasterio.open(
        path, "w", **profile, crs="EPSG:4326", transform=Affine(0.0001, 0, 102.73, 0, -0.0001, 28.03)
    ) as out:
        out.write(values, 1)
    return path


def leg(tmp_path: Path, code, *lines: str, factor=1.0) -> tuple[float, list[str]]:
    covered(tmp_path / "覆盖.tif", code)
    settled(tmp_path / "点.csv", (3, -4))
    shop(tmp_path / "店.csv", 3)
    ground(tmp_path / "高程.tif", 0.0)
    path = project(tmp_path, 'settlements = "点.csv"', 'facilities = [{ path = "店.csv", category = "pharmacy" }]',
                   '[terrain]\ndem = "高程.tif"\nlandcover = "覆盖.tif"', *lines)  # fmt: skip
    run = yike.open(path, cache=tmp_path / "s").run()
    return minutes(run).get("pharmacy", np.nan), run.table("problems")["code"].tolist()


def test_what_covers_the_ground_slows_the_way_to_the_street(tmp_path: Path):
    open_min, codes = leg(tmp_path, 30)
    assert open_min == pytest.approx(6 * 1.41, rel=0.02)
    assert "cover_unknown" not in codes
    factors = catalog.load().cover
    assert leg(tmp_path, 10)[0] == pytest.approx(factors[10] * open_min, rel=1e-3)
    assert leg(tmp_path, 10, "[landcover]", "10 = 2.5")[0] == pytest.approx(2.5 * open_min, rel=1e-3)
    odd_min, codes = leg(tmp_path, 77)
    assert odd_min == pytest.approx(open_min, rel=1e-3)
    assert "cover_unknown" in codes


def test_water_of_the_land_cover_is_walked_around_and_one_in_it_walks_out(tmp_path: Path):
    """A band of water of 100 m with a gap 300 m to the east."""
    settled(tmp_path / "点.csv", (3, -4))
    shop(tmp_path / "店.csv", 3)
    ground(tmp_path / "高程.tif", 0.0)
    path = covered(tmp_path / "覆盖.tif", 30)
    with rasterio.open(path, "r+") as raster:
        values = raster.read(1)
        (lon0, lon1), (lat0, lat1) = degrees([(-15, -2.5), (6, -1.5)])
        columns = slice(int((lon0 - 102.73) / 1e-4), int((lon1 - 102.73) / 1e-4))
        values[int((28.03 - lat1) / 1e-4) : int((28.03 - lat0) / 1e-4), columns] = 80
        raster.write(values, 1)
    more = ('settlements = "点.csv"', 'facilities = [{ path = "店.csv", category = "pharmacy" }]')
    made = project(tmp_path, *more, '[terrain]\ndem = "高程.tif"\nlandcover = "覆盖.tif"')
    found = minutes(yike.open(made, cache=tmp_path / "s").run())["pharmacy"]
    # by the eastern end of the water to the street, and 3 blocks back along it
    around = (np.hypot(3, 2) + 2) * 1.5 * 1.41
    assert around + 3 * 1.5 - 1.0 < found < 1.1 * around + 3 * 1.5 + 1.5


@pytest.mark.parametrize("line", ['"树" = 2', "10 = -1", "10 = true", "10 = 1000", '10 = "快"'])
def test_a_factor_that_is_none_is_refused(tmp_path: Path, line):
    with pytest.raises(Stop) as stop:
        leg(tmp_path, 30, "[landcover]", line)
    assert [p.code for p in stop.value.problems] == ["key_wrong"]


def test_a_layer_of_gates_moves_the_door_of_a_facility(tmp_path: Path):
    settled(tmp_path / "点.csv", (0, 0))
    shop(tmp_path / "店.csv", 10)
    lines = ('settlements = "点.csv"', 'facilities = [{ path = "店.csv", category = "pharmacy" }]')
    assert minutes(yike.open(project(tmp_path, *lines), cache=tmp_path / "s").run())["pharmacy"] == 15.0
    lon, lat = degrees([(4, 0), (12, 0)])
    gates = gpd.GeoDataFrame({"名称": ["店", "店"]}, geometry=list(shapely.points(lon, lat)), crs=4326)
    gates.to_file(tmp_path / "门.gpkg", driver="GPKG")
    run = yike.open(project(tmp_path, *lines, 'facility_shapes = "门.gpkg"'), cache=tmp_path / "s").run()
    assert minutes(run)["pharmacy"] == 6.0
    assert run.table("facilities")["doors"].str.startswith("MULTIPOINT").tolist() == [True]
    assert "facility_shapes" in (tmp_path / "县.toml").read_text("utf-8")
