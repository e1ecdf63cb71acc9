from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from geo.problems import Stop
from yike.project import Network, Project, Source, load_project

GOOD = """\
[project]
name = "某县"
as_of = 2026-06-30

[layers]
settlements = { path = "安置点.xlsx", sheet = "一" }
facilities = [ { osm = true }, { path = "学校.xlsx", category = "primary_school" } ]
homesteads = "旧宅.gpkg"
people = { path = "人口.tif", limit_m = 1500 }

[network]
osm = "路.osm.pbf"

[terrain]
dem = "高程.tif"

[standards]
"primary_school.rural.walk_min" = 25
"""


def load(tmp_path: Path, text: str) -> Project:
    path = tmp_path / "某县.toml"
    path.write_text(text, "utf-8")
    return load_project(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(Stop) as stop:
        load(tmp_path, text)
    return [problem.code for problem in stop.value.problems]


def test_a_project_file_is_resolved(tmp_path: Path):
    project = load(tmp_path, GOOD)
    assert project.name == "某县"
    assert project.language == "zh"
    assert project.network == Network("osm", Source(tmp_path / "路.osm.pbf"))
    assert project.settlements[0].sheet == "一"
    assert [source.osm for source in project.facilities] == ["true", ""]
    assert project.facilities[0].path == project.network.source.path
    assert project.people_limit_m == 1500
    assert project.dem == (tmp_path / "高程.tif",)
    assert project.catalog().standard("primary_school", "rural").walk_min == 25
    assert [path.name for path in project.input_files()] == [
        "路.osm.pbf", "安置点.xlsx", "学校.xlsx", "旧宅.gpkg", "高程.tif", "人口.tif",
    ]  # fmt: skip


def test_the_resolved_whole_is_written_out(tmp_path: Path):
    written = json.loads(json.dumps(load(tmp_path, GOOD).resolved(), ensure_ascii=False))
    settings = {field.name for field in dataclasses.fields(Project)} - {"file"}
    assert set(written) == settings  # no setting is forgotten
    assert written["as_of"] == "2026-06-30"
    assert written["network"]["source"]["path"] == "路.osm.pbf"  # no path of the machine
    assert str(tmp_path) not in json.dumps(written)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path):
    (tmp_path / "某县.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_project(tmp_path / "某县.toml").name == "某县"


def test_all_faults_are_told_at_once(tmp_path: Path):
    text = """
[project]
langauge = "zh"
language = "fr"
as_of = "soon"
audience = "public"
crs = "EPSG:3857"
[layers]
settlements = { path = "a.xlsx", sheets = "一" }
facilities = [ { category = "primary_school" }, { path = "b.xlsx", category = "小学" }, 7 ]
people = { path = "p.tif", limit_m = -1 }
[network]
osm = 5
[area]
service = [103, 28, 102, 29]
[run]
circle_personas = ["robot"]
[standards]
"primary_school.rural.walk" = 40
[wether]
"""
    found = faults(tmp_path, text)
    assert sorted(found) == sorted([
        "key_unknown", "key_wrong", "key_wrong", "key_wrong", "crs_not_metres", "key_unknown", "key_missing",
        "category_not_known", "key_wrong", "key_wrong", "key_wrong", "key_wrong", "key_unknown", "override_unknown",
        "key_unknown",
    ])  # fmt: skip


def test_an_unknown_key_names_the_near_ones(tmp_path: Path):
    with pytest.raises(Stop) as stop:
        load(tmp_path, GOOD + '\n[netwrok]\nosm = "a"\n')
    (problem,) = stop.value.problems
    assert dict(problem.params) == {"key": "netwrok", "near": "network"}
    assert problem.file == "某县.toml"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[project\n", "project_syntax"),
        ("[network]\nosm = 'a.osm'\n", "key_missing"),
        ("[layers]\nsettlements = 'a.xlsx'\n", "key_missing"),
        (GOOD.replace("[network]", "[network]\nosmm = 1"), "key_unknown"),
        (GOOD.replace('name = "某县"', "name = 3"), "key_wrong"),
        (GOOD.replace("[project]", "project = 3\n[x]"), "key_wrong"),
        (GOOD.replace('sheet = "一"', 'crs = "Mars"'), "crs_unknown"),
        (GOOD.replace('sheet = "一"', 'crs = "EPSG:4610"'), "crs_needs_parameters"),
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, text, code):
    assert code in faults(tmp_path, text)


def test_a_missing_file_and_a_folder(tmp_path: Path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(Stop) as stop:
            load_project(path)
        assert stop.value.problems[0].code == "project_missing"


def test_one_table_of_facilities_needs_no_list(tmp_path: Path):
    project = load(
        tmp_path,
        GOOD.replace("[ { osm = true }, { path", "{ path").replace('"primary_school" } ]', '"primary_school" }'),
    )
    assert [source.category for source in project.facilities] == ["primary_school"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('people = { path = "人口.tif", limit_m = 1500 }', 'people = ["人口.tif"]'),
        ('people = { path = "人口.tif", limit_m = 1500 }', "people = true"),
        ('homesteads = "旧宅.gpkg"', 'homesteads = { osm = "building" }'),
        ("[standards]", "[run]\ncircle_personas = []\n[standards]"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path: Path, old, new):
    assert old in GOOD
    assert faults(tmp_path, GOOD.replace(old, new)) == ["key_wrong"]


def test_ferries_are_taken_if_the_project_says_so(tmp_path: Path):
    assert "[network]\n" in GOOD
    assert not load(tmp_path, GOOD).network.ferries
    project = load(tmp_path, GOOD.replace("[network]\n", "[network]\nferries = true\n"))
    assert project.network.ferries
    assert "ferry" in {rule.name for rule in project.catalog().roads}
    assert faults(tmp_path, GOOD.replace("[network]\n", "[network]\nferries = 1\n")) == ["key_wrong"]


def test_seats_and_pupils_of_the_project_go_before_the_catalogue(tmp_path: Path):
    more = "[seats]\nprimary_school = 300\n[pupils]\nprimary = 120.5\n"
    catalog = load(tmp_path, GOOD + more).catalog()
    assert catalog.default_seats == {"primary_school": 300}
    assert (catalog.stages["primary"].per_1000, catalog.stages["junior"].per_1000) == (120.5, 31)
    assert faults(tmp_path, GOOD + "[seats]\nprimary_school = 0\npharmacy = 3\n") == ["key_wrong", "key_unknown"]
    assert faults(tmp_path, GOOD + "[pupils]\nprimary = -1\nsenior = 3\n") == ["key_wrong", "key_unknown"]


BIG = "9" * 400


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (GOOD.replace('walk_min" = 25', f'walk_min" = {BIG}'), ["key_wrong", "override_value"]),
        (GOOD.replace("limit_m = 1500", f"limit_m = {BIG}"), ["key_wrong", "key_wrong"]),
        (GOOD.replace("limit_m = 1500", "limit_m = inf"), ["key_wrong"]),
        (GOOD + f"[area]\nservice = [102, 28, {BIG}, 29]\n", ["key_wrong", "key_wrong"]),
        (GOOD + "[area]\nservice = [-inf, 28, inf, 29]\n", ["key_wrong"]),
        (GOOD + "[area]\nservice = [102, 28, nan, 29]\n", ["key_wrong"]),
        (GOOD.replace('"旧宅.gpkg"', '"旧\\u0000宅.gpkg"'), ["key_wrong"]),
        (GOOD.replace("旧宅", "宅" * 300), ["key_wrong"]),
        (GOOD.replace("{ osm = true }", '{ osm = true, category = "pharmacy" }'), ["key_wrong"]),
        (GOOD.replace("{ osm = true }", '{ osm = true, code = "amap" }'), ["key_wrong"]),
        (GOOD.replace('name = "某县"', f"name = {'9' * 5000}"), ["project_syntax"]),
        (GOOD + "x = " + "[" * 5000 + "]" * 5000, ["project_syntax"]),
    ],
)
def test_values_that_no_machine_can_use_are_said(tmp_path: Path, text, codes):
    assert text != GOOD
    assert sorted(faults(tmp_path, text)) == codes


def test_a_list_of_no_settlements_is_said_as_such(tmp_path: Path):
    with pytest.raises(Stop) as stop:
        load(tmp_path, "[layers]\nsettlements = []\n[network]\nosm = 'a.osm'\n")
    assert [(p.code, dict(p.params)["key"]) for p in stop.value.problems] == [("key_wrong", "layers.settlements")]


def test_a_threshold_is_a_number_that_ends(tmp_path: Path):
    assert faults(tmp_path, GOOD.replace('walk_min" = 25', 'walk_min" = inf')) == ["override_value"]


def test_the_area_may_have_a_system_of_its_own(tmp_path: Path):
    project = load(tmp_path, GOOD + '\n[area]\nservice = { path = "界.shp", crs = "EPSG:4543" }\n')
    assert project.service.crs == "EPSG:4543"
    assert "界.shp" in [path.name for path in project.input_files()]
