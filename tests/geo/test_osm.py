from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import osm
from geo.network import build_streets
from geo.problems import Stop
from geo.profile import TagRule
from tests.flatland import Town, degrees

RULES = [
    TagRule.parse(t) for t in ("amenity=school", "amenity=school + name~小学", "shop=*", "place=village|town")
]
THINGS = [
    ((1, 1), {"amenity": "school", "name": "样例小学"}),
    ((2, 1), {"amenity": "school"}),
    ((3, 1), {"shop": "convenience", "place": "village", "name": "两样"}),
    ((4, 1), {"amenity": "bench"}),
]


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_every_kind_of_file_reads_the_same(tmp_path: Path, ending):
    town = Town(cut=True).grid(3, 2).street((0, 0), (-5, 0), highway="track", name="机耕路", oneway="-1")
    path = town.write(tmp_path / f"town{ending}", things=THINGS)
    read, built = build_streets(osm.read_ways(path)), town.streets()
    assert read.edge_n == built.edge_n
    # OSM keeps ten-millionths of a degree: a centimetre
    np.testing.assert_allclose(read.length_m, built.length_m, atol=0.02)
    assert read.tags["highway"].tolist() == built.tags["highway"].tolist()
    assert read.tags.iloc[-1][["name", "oneway"]].tolist() == ["机耕路", "-1"]
    assert read.cut
    np.testing.assert_allclose(read.box, built.box, atol=1e-7)


def test_features_come_with_the_rules_that_hold(tmp_path: Path):
    path = Town().grid(1, 1).write(tmp_path / "town.osm", things=THINGS)
    found = osm.read_features(path, RULES, keys=["place"])
    assert found["rules"].tolist() == [
        ("amenity=school", "amenity=school + name~小学"), ("amenity=school",), ("shop=*", "place=village|town"),
    ] or set(found["name"]) == {"样例小学", "", "两样"}  # fmt: skip
    by_name = found.set_index("name")
    assert by_name.loc["样例小学", "rules"] == ("amenity=school", "amenity=school + name~小学")
    assert by_name.loc["两样", "rules"] == ("shop=*", "place=village|town")
    assert by_name.loc["两样", "place"] == "village"
    assert len(found) == 3
    lon, lat = degrees([(1, 1)])
    assert by_name.loc["样例小学", "geometry"].x == pytest.approx(lon[0], abs=1e-7)
    assert by_name.loc["样例小学", "geometry"].y == pytest.approx(lat[0], abs=1e-7)


def test_outlines_come_as_polygons_and_open_ways_as_lines(tmp_path: Path):
    town = Town().grid(1, 1)
    town.street((5, 5), (6, 5), (6, 6), (5, 6), (5, 5), highway="", amenity="school", name="围墙小学")
    town.street((8, 8), (9, 9), highway="", shop="mall")
    found = osm.read_features(town.write(tmp_path / "town.osm"), RULES).set_index("osm_id")
    kinds = {index: shape.geom_type for index, shape in found.geometry.items()}
    assert sorted(kinds.values()) == ["LineString", "MultiPolygon"]
    assert [index[0] for index in kinds] == ["w", "w"]


def test_ways_without_highway_are_no_streets(tmp_path: Path):
    path = tmp_path / "river.osm"
    osm.write_osm(
        path, [osm.Node(1, 102, 28), osm.Node(2, 102.1, 28)], [osm.Way(1, [1, 2], {"waterway": "river"})]
    )
    assert len(osm.read_ways(path).tags) == 0


def test_a_node_that_the_extract_lacks_is_passed_over(tmp_path: Path):
    path = tmp_path / "cut.osm"
    nodes = [osm.Node(1, 102, 28), osm.Node(2, 102.001, 28)]
    ways = [osm.Way(1, [1, 2, 99], {"highway": "path"}), osm.Way(2, [99, 1], {"highway": "path"})]
    osm.write_osm(path, nodes, ways)
    read = osm.read_ways(path)
    assert read.tags["way_id"].tolist() == [1]
    assert read.node_id.tolist() == [1, 2]
    assert read.box is None


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("broken.osm", b"<osm version='0.6'><node id='1'", "osm_unreadable"),
        ("broken.osm.pbf", b"this is no protobuf at all", "osm_unreadable"),
        ("broken.osm.gz", b"not gzip", "osm_unreadable"),
        ("empty.osm.pbf", b"", "file_empty"),
        ("street.shp", b"x", "file_kind"),
        (None, b"", "file_missing"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name, content, code):
    path = tmp_path / (name or "nowhere.osm.pbf")
    if name:
        path.write_bytes(content)
    for read in (osm.read_ways, lambda p: osm.read_features(p, RULES)):
        with pytest.raises(Stop) as stop:
            read(path)
        assert [problem.code for problem in stop.value.problems] == [code]
        assert stop.value.problems[0].file == path.name


@pytest.mark.parametrize(
    "text",
    ["amenity", "amenity=", "=school", "name~小学", "amenity=school + name~[", "amenity=school + name", "a=b + "],
)
def test_a_badly_written_rule_is_refused(text):
    with pytest.raises(ValueError, match=r"key=value|no pattern"):
        TagRule.parse(text)


def test_rules_hold_by_all_their_parts():
    rule = TagRule.parse("amenity=school + name~中学|初中 + name!~高中")
    assert rule.holds({"amenity": "school", "name": "样例初中"})
    assert rule.holds({"amenity": "college;school", "name": "样例中学"})
    assert not rule.holds({"amenity": "school", "name": "样例中学高中部"})
    assert not rule.holds({"amenity": "school"})
    assert rule.anchor.key == "amenity"


@given(
    st.dictionaries(
        st.sampled_from(["name", "junction", "access"]),
        # the last plane of private use, which no name is written in, osmium escapes as another character
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Co"]), min_size=1, max_size=12),
        min_size=1,
    )
)
def test_tags_come_as_they_were_written(tmp_path_factory, tags):
    # osmium's line format escapes what it needs for itself: blanks, commas, equals signs, percent, Chinese
    path = tmp_path_factory.mktemp("tags") / "a.osm.pbf"
    osm.write_osm(
        path, [osm.Node(1, 102, 28), osm.Node(2, 102.001, 28)], [osm.Way(1, [1, 2], {"highway": "path", **tags})]
    )
    read = osm.read_ways(path).tags.iloc[0]
    assert {key: read[key] for key in tags} == tags


def test_positions_are_the_doubles_of_their_decimals(tmp_path: Path):
    rng = np.random.default_rng(1)
    lonlat = np.round(rng.uniform((-180, -85), (180, 85), (500, 2)), 7)
    ids = [10**10 + 7 * n for n in range(len(lonlat))]
    nodes = [osm.Node(n, lon, lat) for n, (lon, lat) in zip(ids, lonlat, strict=True)]
    osm.write_osm(tmp_path / "a.osm.pbf", nodes, [osm.Way(1, ids, {"highway": "path"})])
    read = osm.read_ways(tmp_path / "a.osm.pbf")
    assert read.node_id.tolist() == ids
    np.testing.assert_array_equal(np.column_stack((read.lon, read.lat)), lonlat)


def test_nodes_of_an_editor_have_no_position(tmp_path: Path):
    nodes = [osm.Node(n, 102 + n / 1000, 28) for n in (-3, -2, -1)]
    osm.write_osm(tmp_path / "josm.osm", nodes, [osm.Way(-1, [-1, -2, -3], {"highway": "path"})])
    with pytest.raises(Stop) as stop:
        osm.read_ways(tmp_path / "josm.osm")
    assert [(p.code, dict(p.params)["n"]) for p in stop.value.problems] == [("osm_unplaced", "1")]


def test_a_bad_outline_is_no_fault_of_the_file(tmp_path: Path):
    nodes = [
        osm.Node(n, 102 + x / 1000, 28 + y / 1000)
        for n, (x, y) in enumerate([(0, 0), (1, 1), (1, 0), (0, 1)], start=1)
    ]
    bow, cut, yard = [1, 2, 3, 4, 1], [1, 2, 99], [1, 3, 2, 4, 1]
    ways = [
        osm.Way(1, bow, {"amenity": "school", "name": "蝴蝶结"}), osm.Way(2, cut, {"amenity": "school", "name": "断头"}),
        osm.Way(3, yard, {"amenity": "school", "name": "线", "area": "no"}), osm.Way(4, [98, 99], {"shop": "mall", "name": "无"}),
        osm.Way(5, yard, {"amenity": "school", "name": "好"}),
    ]  # fmt: skip
    osm.write_osm(tmp_path / "a.osm.pbf", nodes, ways)
    found = osm.read_features(tmp_path / "a.osm.pbf", RULES).set_index("name").geometry
    kinds = {name: None if shape is None else shape.geom_type for name, shape in found.items()}
    assert kinds == {
        "蝴蝶结": "LineString",
        "断头": "LineString",
        "线": "LineString",
        "无": None,
        "好": "MultiPolygon",
    }
    assert len(found["断头"].coords) == 2
