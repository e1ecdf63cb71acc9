"""The same county on streets from other sources: a survey's road lines, a graph that OSMnx saved, OSM online."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import pandas as pd
import pytest

import yike
from geo import osm, roads
from geo.problems import Stop
from layers.sample import PROJECT, write_county
from yike.proof import planted_against_found


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("county") / "样例"
    return write_county(folder, scale=0.1), folder


def on_network(folder: Path, line: str, to: Path) -> Path:
    copied = shutil.copytree(folder, to)
    text = (copied / PROJECT).read_text("utf-8").replace('osm = "道路.osm.pbf"', line)
    text = text.replace("{ osm = true }", '{ path = "道路.osm.pbf", osm = true }')
    (copied / PROJECT).write_text(text, "utf-8")
    return copied / PROJECT


def verdicts(truth, run) -> pd.DataFrame:
    table = planted_against_found(truth, run)
    return table[table["kind"].isin(["gap", "served"])]


def test_road_lines_of_a_survey_give_the_same_times(county, tmp_path: Path):
    truth, folder = county
    run = yike.open(on_network(folder, 'roads = "道路中心线.shp"', tmp_path / "a"), cache=tmp_path / "s").run()
    found = verdicts(truth, run)
    # a survey does not say that a street is one-way; that quickens an e-bike, and only there may a time be another
    assert found["missed_n"].sum() == found["invented_n"].sum() <= 0.01 * found["planted_n"].sum()
    network = run.table("problems").query("layer == 'network'")
    assert set(network["code"]) == {"network_without_box"}  # above all, no two roads cross without meeting


def test_a_graph_of_osmnx_gives_the_same_times(county, tmp_path: Path):
    import osmnx

    truth, folder = county
    whole = osm.read_ways(folder / "道路.osm.pbf")
    project = on_network(folder, 'graphml = "路网.graphml"', tmp_path / "a")
    save_graph(whole, project.with_name("路网.graphml"), osmnx)
    run = yike.open(project, cache=tmp_path / "s").run()
    found = verdicts(truth, run)
    assert found["planted_n"].sum() > 3_000
    assert found[["missed_n", "invented_n"]].sum().tolist() == [0, 0]


def save_graph(ways, path: Path, osmnx) -> None:
    """Save streets as OSMnx would have read them from a file, unsimplified."""
    import networkx as nx

    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=False)
    for way, (first, last) in enumerate(zip(ways.offset[:-1], ways.offset[1:], strict=True)):
        tags = {key: value for key, value in ways.tags.iloc[way].items() if value != "" and key != "way_id"}
        oneway = tags.pop("oneway", "no") == "yes"
        for node in range(first, last):
            graph.add_node(int(ways.node_id[node]), x=float(ways.lon[node]), y=float(ways.lat[node]))
        for a, b in zip(ways.node_id[first : last - 1], ways.node_id[first + 1 : last], strict=True):
            about = tags | {"osmid": int(ways.tags["way_id"].iloc[way]), "oneway": oneway, "length": 1.0}
            graph.add_edge(int(a), int(b), **about, reversed=False)
            if not oneway:
                graph.add_edge(int(b), int(a), **about, reversed=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        osmnx.save_graphml(graph, path)


def test_a_place_is_asked_for_by_its_name(county, tmp_path: Path, monkeypatch):
    truth, folder = county
    asked = []

    def replies(name: str):
        asked.append(name)
        return osm.read_ways(folder / "道路.osm.pbf")

    project = on_network(folder, 'place = "样例县, 四川"', tmp_path / "a")
    monkeypatch.setattr(roads, "ways_of_place", replies)
    run = yike.open(project, cache=tmp_path / "s").run()
    assert asked == ["样例县, 四川"]
    assert verdicts(truth, run)[["missed_n", "invented_n"]].sum().tolist() == [0, 0]
    # what was answered is kept: a second run asks nobody
    yike.open(project, cache=tmp_path / "s").run()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('graphml = "道路.osm.pbf"', "file_kind"), ('roads = "没有.shp"', "file_missing"),
        ('graphml = "坏.graphml"', "graphml_unreadable"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_read_is_told(county, tmp_path: Path, line, code):
    project = on_network(county[1], line, tmp_path / "a")
    project.with_name("坏.graphml").write_text("<graphml", "utf-8")
    with pytest.raises(Stop) as stop:
        yike.open(project, cache=tmp_path / "s").read()
    assert code in {problem.code for problem in stop.value.problems}


def test_one_network_is_named(county, tmp_path: Path):
    project = on_network(county[1], 'osm = "道路.osm.pbf"\nplace = "样例县"', tmp_path / "a")
    with pytest.raises(Stop) as stop:
        yike.open(project)
    assert [problem.code for problem in stop.value.problems] == ["key_wrong"]
