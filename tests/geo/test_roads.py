from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geo import osm, roads
from geo.crs import ELLIPSOID
from geo.network import Streets, build_streets, use_streets
from geo.osm import OsmWays
from geo.problems import Problem, Stop
from tests.flatland import ADULT, CAR, Town, degrees

CLASSES = {"县道": "tertiary", "村道": "residential", "步道": "footway", "4": "primary"}
FLOOR = 1e-3
"""Metres: a crossing on a line of some hundred metres is placed to some hundredths of a millimetre."""
NEAR = 0.05
"""Metres: vertices within a centimetre are one, and a way has a few of them."""


def lines(*courses, **columns) -> gpd.GeoDataFrame:
    """Lines by their corners in blocks of 100 m."""
    shapes = [None if c is None else shapely.LineString(np.column_stack(degrees(c))) for c in courses]
    return gpd.GeoDataFrame(dict(columns), geometry=gpd.GeoSeries(shapes, crs=4326))


def taken(frame, **settings) -> tuple[OsmWays, list[Problem]]:
    return roads.ways_of_lines(
        frame, **{"classes": CLASSES, "class_fields": ["等级"], "default_class": "residential", **settings}
    )


def doubts(problems) -> dict[str, dict[str, str]]:
    return {p.code: dict(p.params) for p in problems if p.code != "roads_class_missing"}


def stopped(work) -> list[str]:
    with pytest.raises(Stop) as stop:
        work()
    return [problem.code for problem in stop.value.problems]


def minutes(streets: Streets, profile=ADULT, *, metres: bool = False) -> np.ndarray:
    """Times between all nodes, by scipy."""
    usage = use_streets(streets, profile)
    n = len(streets.node_id)
    cost = np.full((n, n), np.inf)
    for u, v, opened, ms in (
        (streets.u, streets.v, usage.forward, usage.forward_ms),
        (streets.v, streets.u, usage.backward, usage.backward_ms),
    ):
        np.minimum.at(cost, (u[opened], v[opened]), (streets.length_m if metres else ms / 60_000)[opened])
    row, column = np.nonzero(np.isfinite(cost))
    # a loop or a piece without length is nothing to scipy, which takes 0 for no edge
    return dijkstra(coo_array((np.maximum(cost[row, column], 1e-12), (row, column)), shape=(n, n)).tocsr())


def between(streets: Streets, one, other, *, metres: bool = True) -> float:
    """Metres on foot between the nodes nearest to two points in blocks."""
    lon, lat = degrees([one, other])
    at = [
        int(np.argmin(np.hypot(streets.node_lon - a, streets.node_lat - b))) for a, b in zip(lon, lat, strict=True)
    ]
    return float(minutes(streets, metres=metres)[at[0], at[1]])


# --- lines: where they meet -------------------------------------------------------------------------------


def test_a_grid_of_lines_is_the_grid_of_streets():
    columns, rows = 3, 2
    courses = [[(x, y) for x in range(columns + 1)] for y in range(rows + 1)]
    courses += [[(x, y) for y in range(rows + 1)] for x in range(columns + 1)]
    ways, problems = taken(lines(*courses))
    built, drawn = build_streets(ways), Town().grid(columns, rows).streets()
    assert doubts(problems) == {}
    assert built.edge_n == drawn.edge_n
    np.testing.assert_allclose(np.sort(built.length_m), np.sort(drawn.length_m), atol=FLOOR)
    assert between(built, (0, 0), (columns, rows)) == pytest.approx(500, abs=FLOOR)


def test_lines_that_only_cross_are_joined_and_counted():
    ways, problems = taken(lines([(-1, 0), (1, 0)], [(0, -2), (0, 2)], [(0.5, 3), (0.5, 4)]))
    built = build_streets(ways)
    assert built.edge_n == 5
    assert between(built, (-1, 0), (0, 2)) == pytest.approx(300, abs=FLOOR)
    assert doubts(problems) == {"roads_crossings_noded": {"n": "1", "where": "102.750000,28.000000"}}


@pytest.mark.parametrize(
    ("columns", "edges"),
    [
        ({}, 4),
        ({"bridge": ["yes", ""]}, 2),
        ({"BRIDGE": ["T", "F"]}, 2),
        ({"tunnel": [None, "yes"]}, 2),
        ({"bridge": ["no", "否"]}, 4),
        ({"layer": [1, 0]}, 2),
        ({"layer": [1.0, 1.0]}, 4),
        ({"layer": [None, "0"]}, 4),
        ({"bridge": ["yes", "yes"]}, 2),
    ],
)
def test_what_passes_over_is_not_joined(columns, edges):
    ways, problems = taken(lines([(-1, 0), (1, 0)], [(0, -2), (0, 2)], **columns))
    assert build_streets(ways).edge_n == edges
    assert ("roads_crossings_noded" in doubts(problems)) == (edges == 4)


def test_a_bridge_with_a_vertex_over_the_road_below_is_not_joined():
    ways, _ = taken(lines([(-1, 0), (0, 0), (1, 0)], [(0, -2), (0, 0), (0, 2)], bridge=["yes", ""]))
    assert build_streets(ways).edge_n == 2
    ways, _ = taken(lines([(-1, 0), (0, 0), (1, 0)], [(0, -2), (0, 0), (0, 2)]))
    assert build_streets(ways).edge_n == 4


def test_a_bridge_is_joined_at_its_ends():
    # a road, a bridge over another road, the road on: 400 m, and the road below is not reached
    frame = lines(
        [(-2, 0), (-1, 0)], [(-1, 0), (1, 0)], [(1, 0), (2, 0)], [(0, -1), (0, 1)], bridge=["", "yes", "", ""]
    )
    built = build_streets(taken(frame)[0])
    assert between(built, (-2, 0), (2, 0)) == pytest.approx(400, abs=FLOOR)
    assert between(built, (-2, 0), (0, 1)) == np.inf
    assert build_streets(taken(frame)[0]).tags["bridge"].tolist() == ["", "yes", "", ""]


@pytest.mark.parametrize(("ramp", "joined"), [("yes", True), ("", False)])
def test_only_a_ramp_meets_the_middle_of_a_bridge(ramp, joined):
    # a road that ends under a bridge does not lead up; what is a bridge itself does
    built = build_streets(taken(lines([(-1, 0), (1, 0)], [(0, 0), (0, 1)], bridge=["yes", ramp]))[0])
    assert np.isfinite(between(built, (-1, 0), (0, 1))) == joined


@pytest.mark.parametrize(("gap_m", "joined"), [(0.0, True), (0.5, True), (0.99, True), (1.01, False)])
@pytest.mark.parametrize("beyond", [False, True])
def test_an_end_on_the_middle_of_a_line(gap_m, joined, beyond):
    # the end stops short of the line, or goes a little too far; beyond a metre it crosses
    tip = -gap_m / 100 if beyond else gap_m / 100
    ways, problems = taken(lines([(-1, 0), (1, 0)], [(0, 1), (0, tip)]))
    built = build_streets(ways)
    reached = between(built, (-1, 0), (0, 1))
    assert np.isfinite(reached) == (joined or beyond)
    if joined:
        # the gap is jumped, or the way beyond walked; nothing else changes
        assert reached == pytest.approx(200 - (gap_m if not beyond else -gap_m), abs=1e-3)
        assert doubts(problems) == {}
    elif beyond:
        assert list(doubts(problems)) == ["roads_crossings_noded"]
    else:
        assert doubts(problems) == {"roads_nearly_meet": {"n": "1", "where": "102.750000,28.000009"}}
    assert built.length_m.sum() == pytest.approx(300 - 100 * tip, abs=FLOOR)


@pytest.mark.parametrize(("gap_m", "parts"), [(0.0, 1), (0.99, 1), (1.01, 2)])
def test_ends_that_face_each_other(gap_m, parts):
    built = build_streets(taken(lines([(-1, 0), (0, 0)], [(gap_m / 100, 0), (1, 0)]))[0])
    assert len(np.unique(use_streets(built, ADULT).component)) == parts
    assert built.length_m.sum() == pytest.approx(200 - gap_m, abs=FLOOR)


def test_what_nearly_meets_is_told_and_left_apart():
    frame = lines(
        [(-1, 0), (1, 0)],
        [(0, 0.19), (0, 1)],  # 19 m away: told
        [(0.5, 0.21), (0.5, 1)],  # 21 m: not
        [(-0.5, 0), (-0.5, -0.1)],  # a stub of 10 m that hangs on the line it is near to: not
        [(0.75, -0.1), (0.75, -1)],  # 10 m: told
        [(3, 0), (4, 0)], [(3.5, 0.1), (3.5, 1)],  # near a bridge: not
        bridge=["", "", "", "", "", "yes", ""],
    )  # fmt: skip
    ways, problems = taken(frame)
    found = doubts(problems)
    assert list(found) == ["roads_nearly_meet"]
    assert found["roads_nearly_meet"]["n"] == "2"
    assert found["roads_nearly_meet"]["where"].split("；")[0] == "102.750000,28.000171"
    assert len(np.unique(use_streets(build_streets(ways), ADULT).component)) == 6


def test_a_line_meets_itself():
    # a lasso: 100 m of rope, a ring of four blocks whose end comes back to half a metre from the rope's middle
    ways, _ = taken(lines([(0, -1), (0, 1), (1, 1), (1, 0), (0.005, 0)]))
    built = build_streets(ways)
    np.testing.assert_allclose(np.sort(built.length_m), [100, 399.5], atol=FLOOR)
    assert between(built, (0, -1), (0, 0)) == pytest.approx(100, abs=FLOOR)
    assert len(built.node_id) == 2
    # and where it crosses itself, if it is not a bridge
    knot = [(0, -1), (0, 2), (1, 2), (1, 1), (-1, 1)]
    assert build_streets(taken(lines(knot))[0]).edge_n == 3
    assert build_streets(taken(lines(knot, bridge=["yes"]))[0]).edge_n == 1


def test_nothing_vanishes_in_silence():
    three_d = shapely.LineString([(102.75, 28, 500), (102.751, 28, 510), (102.752, 28, 520)])
    frame = gpd.GeoDataFrame(
        {"名称": list("甲乙丙丁戊己庚")},
        geometry=gpd.GeoSeries(
            [
                shapely.MultiLineString([[(102.75, 28), (102.76, 28)], [(102.77, 28), (102.78, 28)]]),
                None, shapely.Point(102, 28), shapely.LineString([(102, 28), (102, 28)]), shapely.LineString(),
                three_d, shapely.GeometryCollection([shapely.Point(0, 0), three_d]),
            ]
        ),
    )  # fmt: skip
    ways, problems = taken(frame, name_fields=["路名", "名称"], file="路.shp")
    assert ways.tags["way_id"].tolist() == [1, 1, 6, 7]
    assert ways.tags["name"].tolist() == ["甲", "甲", "己", "庚"]
    assert doubts(problems)["roads_without_line"] == {"n": "4", "rows": "2、3、4、5"}
    assert {problem.file for problem in problems} == {"路.shp"}
    assert ways.box is None


@pytest.mark.parametrize("geometry", [[], [None], [shapely.Point(1, 1)]])
def test_no_line_at_all(geometry):
    ways, problems = taken(gpd.GeoDataFrame({"等级": ["县道"] * len(geometry)}, geometry=geometry, crs=4326))
    assert build_streets(ways).edge_n == 0
    assert list(doubts(problems)) == ["roads_without_line"] * len(geometry)


# --- lines: what they are ---------------------------------------------------------------------------------


def test_classes_come_by_word_code_or_tag():
    courses = [[(x, 0), (x, 1)] for x in range(7)]
    frame = lines(
        *courses,
        等级=["县道", " 村道", "大路", None, 4, 4.0, "县道"], highway=[None, "", None, None, "", "", "trunk"],
        name=["", None, "", "", "", "", "国道"],
    )  # fmt: skip
    ways, problems = taken(frame, class_fields=["类别", "等级"], default_class="track")
    assert ways.tags["highway"].tolist() == [
        "tertiary", "residential", "track", "track", "primary", "primary", "trunk",
    ]  # fmt: skip
    assert ways.tags["name"].tolist()[-1] == "国道"
    found = {p.code: dict(p.params) for p in problems}
    assert found["roads_class_unknown"] == {"n": "1", "words": "大路", "taken": "track"}
    assert found["roads_class_missing"] == {"n": "1", "fields": "类别、等级", "taken": "track"}
    assert ways.tags.drop(columns=["way_id"]).map(lambda text: isinstance(text, str)).all(axis=None)


@pytest.mark.parametrize(
    ("told", "ahead", "back"),
    [("yes", True, False), ("-1", False, True), ("F", True, False), ("T", False, True), ("B", True, True),
     (True, True, False), (False, True, True), (1, True, False), (None, True, True), ("是", True, False)],
)  # fmt: skip
def test_one_way_in_the_words_of_files(told, ahead, back):
    built = build_streets(taken(lines([(0, 0), (1, 0)], oneway=[told]))[0])
    usage = use_streets(built, CAR)
    assert (usage.forward.tolist(), usage.backward.tolist()) == ([ahead], [back])
    assert use_streets(built, ADULT).forward.all()
    assert use_streets(built, ADULT).backward.all()


# --- lines: laws ------------------------------------------------------------------------------------------

COURSE = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=5).filter(
    lambda corners: any(a != b for a, b in pairwise(corners))
)
COURSES = st.lists(COURSE, min_size=1, max_size=6)


def total_m(shapes) -> float:
    return sum(ELLIPSOID.line_length(*shapely.get_coordinates(shape).T) for shape in shapes)


def pieces_of(courses) -> np.ndarray:
    """Shapely's noding, in blocks; no lines that lie on each other, which in pieces meet more often."""
    drawn = shapely.multilinestrings([shapely.LineString(course) for course in courses])
    pieces = shapely.get_parts(shapely.node(drawn))
    assume(shapely.length(pieces).sum() > shapely.length(drawn) * (1 - 1e-9))
    return pieces


@given(COURSES)
def test_every_metre_comes_through_once(courses):
    frame = lines(*courses)
    copy = frame.copy()
    ways, _ = taken(frame)
    assert build_streets(ways).length_m.sum() == pytest.approx(total_m(frame.geometry), abs=1e-6 * len(courses))
    assert frame.equals(copy)
    # every given position is there, bit by bit
    given_at = set(map(tuple, shapely.get_coordinates(frame.geometry)))
    assert given_at <= set(zip(ways.lon.tolist(), ways.lat.tolist(), strict=True))


@given(COURSES, st.randoms(use_true_random=False))
def test_the_order_and_direction_of_lines_change_no_distance(courses, random):
    probes = [course[0] for course in courses]
    mixed = [course[::-1] if random.random() < 0.5 else course for course in courses]
    random.shuffle(mixed)
    one, other = (build_streets(taken(lines(*c))[0]) for c in (courses, mixed))
    for probe in probes[1:]:
        assert between(one, probes[0], probe) == pytest.approx(between(other, probes[0], probe), abs=NEAR)


@given(COURSES, st.data())
def test_cutting_a_line_in_two_changes_no_distance(courses, data):
    which = data.draw(st.integers(0, len(courses) - 1))
    course = courses[which]
    at = data.draw(st.integers(0, len(course) - 2))
    (ax, ay), (bx, by) = course[at], course[at + 1]
    middle = ((ax + bx) / 2, (ay + by) / 2)
    parts = [[*course[: at + 1], middle], [middle, *course[at + 1 :]]]
    cut = [*courses[:which], *(p for p in parts if len(set(p)) > 1), *courses[which + 1 :]]
    one, other = (build_streets(taken(lines(*c))[0]) for c in (courses, cut))
    for probe in [course[0] for course in courses][1:]:
        assert between(other, courses[0][0], probe) == pytest.approx(between(one, courses[0][0], probe), abs=NEAR)


@given(COURSES, st.sampled_from(["bridge", "tunnel"]), st.integers(0, 5))
def test_a_bridge_never_connects_in_its_middle(courses, structure, y):
    # the ends of the bridge lie outside of everything, so with it nothing is nearer than without
    over = [(-3.3, y), (8.8, y)]
    plain = build_streets(taken(lines(*courses))[0])
    bridged = build_streets(taken(lines(*courses, over, **{structure: [""] * len(courses) + ["yes"]}))[0])
    assert bridged.edge_n == plain.edge_n + 1
    assert between(bridged, over[0], courses[0][0]) == np.inf
    assert between(bridged, over[0], over[1]) == pytest.approx(1210, abs=FLOOR)
    for course in courses[1:]:
        assert between(bridged, courses[0][0], course[0]) == between(plain, courses[0][0], course[0])


@given(COURSES)
def test_noding_what_is_noded_changes_nothing(courses):
    pieces_of(courses)
    first, _ = taken(lines(*courses))
    built = build_streets(first)
    frame = gpd.GeoDataFrame(geometry=built.lines(), crs=4326)
    again = build_streets(taken(frame)[0])
    probes = [course[0] for course in courses]
    for probe in probes[1:]:
        assert between(again, probes[0], probe) == pytest.approx(between(built, probes[0], probe), abs=NEAR)


@given(COURSES)
def test_distances_are_those_of_shapely_s_own_noding(courses):
    graph = nx.Graph()
    for piece in pieces_of(courses):
        one, other = (tuple(at) for at in shapely.get_coordinates(piece)[[0, -1]].round(6).tolist())
        old = graph.get_edge_data(one, other, {"m": np.inf})["m"]
        graph.add_edge(one, other, m=min(old, 100 * piece.length))
    built = build_streets(taken(lines(*courses))[0])
    home = courses[0][0]
    known = nx.single_source_dijkstra_path_length(graph, home, weight="m")
    for probe in [course[-1] for course in courses]:
        assert between(built, home, probe) == pytest.approx(known.get(probe, np.inf), abs=NEAR)


# --- a graph of OSMnx -------------------------------------------------------------------------------------

TAGS = (*osm.WAY_TAGS, "bridge", "tunnel")


@pytest.fixture
def tagged(monkeypatch):
    """OSMnx keeps the tags that decide who may go where; by itself it keeps fewer."""
    monkeypatch.setattr(osmnx.settings, "useful_tags_way", list(TAGS))
    return osmnx.settings


def saved(path: Path, file: Path, *, simplify: bool, bidirectional: bool = False, project: bool = False) -> Path:
    graph = osmnx.graph_from_xml(file, bidirectional=bidirectional, simplify=simplify, retain_all=True)
    osmnx.save_graphml(osmnx.project_graph(graph) if project else graph, path)
    return path


def both(tmp_path: Path, town: Town, **settings) -> tuple[Streets, Streets, list[Problem]]:
    """The same streets from the OSM file and from the graph that OSMnx made of it."""
    file = town.write(tmp_path / "town.osm")
    ways, problems = roads.ways_of_graphml(saved(tmp_path / "town.graphml", file, **settings))
    return build_streets(osm.read_ways(file)), build_streets(ways), problems


def spread(town: Town) -> Town:
    """A grid with a bent two-way street, a one-way street with bends, one against its nodes, a ring and a path."""
    town.grid(3, 3)
    town.street((0, 0), (-1, 0), (-1, -1), (0, -1), highway="tertiary", name="弯路")
    town.street((3, 3), (4, 3), (4, 4), (5, 4), (5, 3), highway="secondary", oneway="yes")
    town.street((3, 0), (4, 0), (4, -1), (3, -1), (3, 0), highway="primary", oneway="-1")
    town.street((5, 4), (6, 4), (6, 5), (5, 5), (5, 4), highway="primary", junction="roundabout")
    town.street((5, 5), (5, 6), (5, 7), highway="footway", oneway="yes")
    return town.street((0, 3), (0, 5), access="private", highway="service")


@pytest.mark.parametrize("simplify", [True, False])
@pytest.mark.parametrize("project", [True, False])
def test_a_graph_gives_the_times_of_the_file(tmp_path: Path, tagged, simplify, project):
    file, graph, problems = both(tmp_path, spread(Town()), simplify=simplify, project=project)
    for name, group in pd.Series(file.length_m).groupby(file.tags["highway"].to_numpy()[file.way]):
        found = graph.length_m[(graph.tags["highway"] == name).to_numpy()[graph.way]].sum()
        assert found == pytest.approx(group.sum(), abs=0.01), name
    shared = np.intersect1d(file.node_id, graph.node_id)
    assert len(shared) >= 16
    for profile in (ADULT, CAR):
        one, other = (minutes(s, profile)[np.ix_(*[rows_of(s, shared)] * 2)] for s in (file, graph))
        np.testing.assert_allclose(other, one, atol=1e-3)  # a millisecond an edge
    assert "弯路" in set(graph.tags["name"])
    assert [p.code for p in problems if p.code != "graphml_tags_missing"] == []
    assert graph.edge_n == file.edge_n


def test_bends_are_no_crossings(tmp_path: Path, tagged):
    # two streets that bend at the same place, one over the other, and share no node there
    town = Town().street((0, 0), (1, 1), (2, 0)).street((0, 2), (1, 1.0000001), (2, 2), layer="1")
    _, graph, _ = both(tmp_path, town, simplify=True)
    assert graph.edge_n == 2
    assert len(np.unique(use_streets(graph, ADULT).component)) == 2
    assert graph.node_id.min() > 0


def test_streets_of_several_classes_in_one_edge_are_told(tmp_path: Path, tagged):
    town = Town().street((0, 0), (1, 0), highway="residential").street((1, 0), (2, 0), highway="track")
    file, graph, problems = both(tmp_path, town, simplify=True)
    assert graph.length_m.sum() == pytest.approx(file.length_m.sum(), abs=1e-6)
    assert graph.edge_n == 1
    assert graph.tags["highway"].iloc[0] in ("residential", "track")
    assert doubts(problems)["graphml_mixed_class"] == {"n": "1"}
    assert {"graphml_without_oneway", "graphml_without_paths"} <= set(doubts(problems))


def test_what_osmnx_does_not_keep_is_told(tmp_path: Path):
    # in a walking graph every street is open both ways, and OSMnx keeps no foot tag unless told to
    town = Town().street((0, 0), (1, 0), oneway="yes", foot="no")
    file, graph, problems = both(tmp_path, town, simplify=False, bidirectional=True)
    assert use_streets(file, CAR).backward.tolist() == [False]
    assert use_streets(graph, CAR).backward.tolist() == [True]
    assert graph.edge_n == 1
    found = doubts(problems)
    assert set(found) == {"graphml_tags_missing", "graphml_without_oneway", "graphml_without_paths"}
    assert "foot" in found["graphml_tags_missing"]["tags"].split("、")


def test_a_graph_with_every_way_once_keeps_its_tags(tmp_path: Path, tagged, monkeypatch):
    # only unsimplified: OSMnx merges through nodes where the rules of ways change, if it thinks all are one-way
    monkeypatch.setattr(osmnx.settings, "all_oneway", True)
    town = (
        Town()
        .street((0, 0), (1, 0), (2, 0))
        .street((0, 1), (0, 0), oneway="-1")
        .street((2, 0), (2, 1), oneway="yes")
    )
    file, graph, _ = both(tmp_path, town, simplify=False)
    for profile in (ADULT, CAR):
        np.testing.assert_allclose(minutes(graph, profile), minutes(file, profile), atol=1e-3)


def test_a_graph_without_directions(tmp_path: Path, tagged):
    file = spread(Town()).write(tmp_path / "town.osm")
    graph = osmnx.convert.to_undirected(osmnx.graph_from_xml(file, simplify=True, retain_all=True))
    osmnx.save_graphml(graph, tmp_path / "u.graphml")
    read = build_streets(roads.ways_of_graphml(tmp_path / "u.graphml")[0])
    known = build_streets(osm.read_ways(file))
    shared = np.intersect1d(known.node_id, read.node_id)
    one, other = (minutes(s, CAR)[np.ix_(*[rows_of(s, shared)] * 2)] for s in (known, read))
    np.testing.assert_allclose(other, one, atol=1e-3)


HEAD = '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
KEYS = "".join(
    f'<key id="{k}" for="{what}" attr.name="{k}" attr.type="string"/>'
    for k, what in (("x", "node"), ("y", "node"), ("highway", "edge"), ("geometry", "edge"))
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file_empty"),
        ("no graph", "graphml_unreadable"),
        ("<html></html>", "graphml_unreadable"),
        (f'{HEAD}<graph edgedefault="directed"/>', "graphml_unreadable"),
        (f'{HEAD}<graph edgedefault="directed"/></graphml>', "graphml_without_streets"),
        (f'{HEAD}<graph edgedefault="directed"><node id="1"/><node id="2"/></graph></graphml>', "graphml_without_positions"),
        (f'{HEAD}{KEYS}<graph edgedefault="directed"><node id="1"><data key="x">a</data><data key="y">b</data></node></graph></graphml>', "graphml_unreadable"),
        (f'{HEAD}{KEYS}<graph edgedefault="directed"><node id="1"><data key="x">1</data><data key="y">2</data></node>'
         '<edge source="1" target="1"/></graph></graphml>', "graphml_without_streets"),
        (f'{HEAD}{KEYS}<graph edgedefault="directed"><node id="1"><data key="x">1</data><data key="y">2</data></node>'
         '<edge source="1" target="1"><data key="highway">path</data><data key="geometry">LINE</data></edge></graph></graphml>', "graphml_unreadable"),
        (f'{HEAD}{KEYS}<graph edgedefault="directed"><node id="1"><data key="x">500000</data><data key="y">2</data></node>'
         '<edge source="1" target="1"><data key="highway">path</data></edge></graph></graphml>', "crs_missing"),
        *((f'{HEAD}{KEYS}<graph edgedefault="directed"><node id="1"><data key="x">{x}</data><data key="y">2</data></node>'
           '<edge source="1" target="1"><data key="highway">path</data></edge></graph></graphml>', "graphml_without_positions")
          for x in ("nan", "inf", "-1e999")),
    ],
)  # fmt: skip
def test_what_is_no_street_graph_is_said(tmp_path: Path, text, code):
    (tmp_path / "a.graphml").write_text(text, "utf-8")
    assert stopped(lambda: roads.ways_of_graphml(tmp_path / "a.graphml")) == [code]
    assert stopped(lambda: roads.ways_of_graphml(tmp_path / "none.graphml")) == ["file_missing"]
    (tmp_path / "a.osm").write_text("x", "utf-8")
    assert stopped(lambda: roads.ways_of_graphml(tmp_path / "a.osm")) == ["file_kind"]


def test_nodes_may_bear_numbers_of_any_length(tmp_path: Path):
    nodes = "".join(f'<node id="{n}"><data key="x">{102 + k}</data><data key="y">{28 * k}</data></node>'
                    for k, n in enumerate((10**30, 2**63)))  # fmt: skip
    edge = f'<edge source="{10**30}" target="{2**63}"><data key="highway">path</data></edge>'
    crs = '<key id="crs" for="graph" attr.name="crs" attr.type="string"/>'
    graph = f'<graph edgedefault="directed"><data key="crs">epsg:4326</data>{nodes}{edge}</graph>'
    (tmp_path / "a.graphml").write_text(f"{HEAD}{KEYS}{crs}{graph}</graphml>", "utf-8")
    ways, _ = roads.ways_of_graphml(tmp_path / "a.graphml")
    assert ways.node_id.tolist() == [1, 2]
    assert ways.lat.tolist() == [0.0, 28.0]


def rows_of(streets: Streets, node_id: np.ndarray) -> np.ndarray:
    order = np.argsort(streets.node_id)
    return order[np.searchsorted(streets.node_id, node_id, sorter=order)]


def part_of(whole: OsmWays, chosen: np.ndarray, path: Path) -> Path:
    """Write some of the ways of a file into another."""
    ways = []
    for i in chosen:
        tags = {key: value for key, value in whole.tags.iloc[i].items() if key != "way_id" and value}
        ways.append(
            osm.Way(
                int(whole.tags["way_id"].iloc[i]),
                whole.node_id[whole.offset[i] : whole.offset[i + 1]].tolist(),
                tags,
            )
        )
    at = dict(zip(whole.node_id.tolist(), zip(whole.lon.tolist(), whole.lat.tolist(), strict=True), strict=True))
    used = sorted({node for way in ways for node in way.nodes})
    osm.write_osm(path, [osm.Node(node, *at[node]) for node in used], ways)
    return path


@pytest.mark.data
@pytest.mark.parametrize("simplify", [True, False])
def test_monaco_by_way_of_osmnx(data: Path, tmp_path: Path, tagged, simplify):
    whole = osm.read_ways(data / "monaco" / "monaco.osm.gz")
    west = np.flatnonzero(np.minimum.reduceat(whole.lon, whole.offset[:-1]) < 7.421)
    part = part_of(whole, west, tmp_path / "part.osm")
    saved(tmp_path / "m.graphml", part, simplify=simplify)
    read, problems = roads.ways_of_graphml(tmp_path / "m.graphml")
    file, graph = build_streets(osm.read_ways(part)), build_streets(read)
    assert graph.length_m.sum() == pytest.approx(file.length_m.sum(), abs=1e-3)
    one, other = (pd.Series(s.length_m).groupby(s.tags["highway"].to_numpy()[s.way]).sum() for s in (file, graph))
    moved_m = one.sub(other, fill_value=0).abs().sum() / 2
    if simplify:
        # what changes its class lies in merged edges, each of which the graph holds at most twice
        known = osmnx.load_graphml(tmp_path / "m.graphml").edges(data=True)
        assert moved_m <= sum(edge["length"] for _, _, edge in known if isinstance(edge["highway"], list))
        assert int(doubts(problems)["graphml_mixed_class"]["n"]) > 10
    else:
        assert moved_m == pytest.approx(0, abs=1e-3)
        # a ring begins where others meet it, not where it was drawn first
        assert file.edge_n - 10 < graph.edge_n <= file.edge_n
    shared = np.random.default_rng(3).permutation(np.intersect1d(file.node_id, graph.node_id))[:51]
    for profile in (ADULT, CAR):
        # all pairs of 51 nodes; the classes that are merged here are as fast as each other
        one, other = (minutes(s, profile)[np.ix_(*[rows_of(s, shared)] * 2)] for s in (file, graph))
        assert 0.3 < np.isfinite(one).mean() < 0.9
        np.testing.assert_allclose(other, one, atol=1e-3)


# --- OSM online, from a server of our own ---------------------------------------------------------------


class Answers:
    """What the server of a test answers, and what it was asked."""

    def __init__(self) -> None:
        self.place: object = []
        self.streets: object = {"elements": []}
        self.status = 200
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.url = ""


@pytest.fixture
def server(monkeypatch) -> Iterator[Answers]:
    answers = Answers()

    class Replay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlparse(self.path)
            self._reply(parts.path, parse_qs(parts.query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._reply(self.path, parse_qs(body))

        def _reply(self, path: str, query: dict[str, list[str]]) -> None:
            answers.asked.append((path, query))
            answer = answers.place if path.endswith("/search") else answers.streets
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(answers.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("osmnx._nominatim.time.sleep", lambda _: None)  # the second that Nominatim asks for
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    answers.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield answers
    listening.shutdown()
    thread.join()
    listening.server_close()


def outline(low=(-2, -2), high=(5, 5), **changes) -> list[dict[str, object]]:
    (west, east), (south, north) = degrees([low, high])
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    place = {
        "osm_type": "relation", "osm_id": 1, "lat": str((south + north) / 2), "lon": str((west + east) / 2),
        "importance": 0.5, "display_name": "样例县", "boundingbox": [str(v) for v in (south, north, west, east)],
        "geojson": {"type": "Polygon", "coordinates": [ring]},
    }  # fmt: skip
    return [{**place, **changes}]


def elements(town: Town) -> dict[str, object]:
    """A town as Overpass would answer it."""
    lon, lat = degrees(list(town._corners))
    nodes = [
        {"type": "node", "id": n, "lon": a, "lat": b}
        for n, (a, b) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True), start=1)
    ]
    ways = [
        {"type": "way", "id": n, "nodes": [town._corners[c] for c in corners], "tags": tags}
        for n, (corners, tags) in enumerate(town._ways, start=1)
    ]
    return {"version": 0.6, "elements": nodes + ways}


def asked(server: Answers, name: str = "样例县") -> OsmWays:
    return roads.ways_of_place(name, overpass_url=server.url + "/api", nominatim_url=server.url)


def settings() -> dict[str, object]:
    return {key: value for key, value in vars(osmnx.settings).items() if not key.startswith("__")}


def test_a_place_gives_the_streets_of_the_file(server, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    town = spread(Town()).street((1, 0), (1, -1), foot="no", motorroad="yes", bridge="yes")
    town.street((2, 0), (2, -1), oneway="-1", oneway_foot="yes")  # on foot only along, by car only against
    server.place, server.streets = outline((-2, -2), (8, 8)), elements(town)
    before, resolver = settings(), socket.getaddrinfo
    ways = asked(server)
    assert settings() == before
    assert socket.getaddrinfo is resolver
    assert list(tmp_path.iterdir()) == []  # nothing is kept
    found, drawn = build_streets(ways), town.streets()
    np.testing.assert_array_equal(found.node_id, drawn.node_id)
    assert found.edge_n == drawn.edge_n
    assert len(ways.tags) == len(town._ways)
    assert ways.tags.sort_values("way_id")[list(osm.WAY_TAGS)].values.tolist() == drawn.tags[list(osm.WAY_TAGS)].values.tolist()  # fmt: skip
    for profile in (ADULT, CAR):
        np.testing.assert_allclose(minutes(found, profile), minutes(drawn, profile), atol=1e-4)
    (west, east), (south, north) = degrees([(-2, -2), (8, 8)])
    np.testing.assert_allclose(ways.box, (west, south, east, north), atol=1e-9)
    assert found.cut
    # one question for the outline, one for the streets, none for a free slot
    (path, query), (other, body) = server.asked
    assert (path, query["q"], query["polygon_geojson"]) == ("/search", ["样例县"], ["1"])
    assert other == "/api/interpreter"
    assert '["highway"]' in body["data"][0]
    assert "[out:json]" in body["data"][0]
    assert "access" not in body["data"][0]  # private streets come too, and are shut by their tags


def test_streets_are_cut_at_the_outline(server):
    server.place, server.streets = (
        outline((-0.5, -0.5), (1.5, 0.5)),
        elements(Town().street(*((x, 0) for x in range(5)))),
    )
    assert build_streets(asked(server)).length_m.sum() == pytest.approx(100, abs=FLOOR)


@pytest.mark.parametrize(
    ("changes", "code", "questions"),
    [
        ({"place": []}, "place_not_found", 1),
        ({"place": outline(geojson={"type": "Point", "coordinates": [102.75, 28]})}, "place_without_outline", 1),
        ({"place": [{"importance": 1}]}, "place_without_outline", 1),
        ({"place": [{"display_name": "x"}]}, "place_answer_unreadable", 1),
        ({"place": {"error": "busy"}}, "place_offline", 1),
        ({"place": b"<html>maintenance</html>"}, "place_offline", 1),
        ({"status": 429}, "place_offline", 1),
        ({"status": 500}, "place_offline", 1),
        ({"streets": {"elements": []}}, "place_empty", 2),
        ({"streets": elements(Town().street((60, 60), (61, 60)))}, "place_empty", 2),
        (
            {"streets": {**elements(Town().grid(1, 1)), "remark": "runtime error: Query timed out"}},
            "place_offline",
            2,
        ),
        ({"streets": b"<html>"}, "place_offline", 2),
        ({"streets": {"answer": 42}}, "place_answer_unreadable", 2),
    ],
)
def test_no_whole_answer_is_said(server, changes, code, questions):
    server.place, server.streets = outline(), elements(Town().grid(1, 1))
    for key, value in changes.items():
        setattr(server, key, value)
    before, resolver = settings(), socket.getaddrinfo
    assert stopped(lambda: asked(server)) == [code]
    assert settings() == before
    assert socket.getaddrinfo is resolver
    assert len(server.asked) == questions


def test_no_server_is_said(server):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert stopped(lambda: roads.ways_of_place("样例县", overpass_url=url, nominatim_url=url)) == ["place_offline"]
    server.place = outline()
    assert stopped(lambda: roads.ways_of_place("样例县", overpass_url=url, nominatim_url=server.url)) == [
        "place_offline"
    ]
    assert stopped(lambda: asked(server, " ")) == ["place_not_found"]
    assert len(server.asked) == 1
