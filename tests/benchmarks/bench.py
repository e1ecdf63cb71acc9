"""
``make bench``: ours and the peers in one go, equal answers first; prints a table and writes ``bench.json``.

``make bench ONLY=read`` runs the rows whose name begins so. Ratios are peer time over ours: these machines are
shared, so single seconds say little.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.spatial import KDTree

import yike
from analysis.assignment import assign
from analysis.siting import max_cover, p_median
from geo import crs, osm
from geo.graph import Graph, Sources, z_order
from geo.hillside import lay_hillside
from geo.io import Raster, read_raster
from geo.network import Streets, build_streets, use_streets
from geo.profile import TagRule
from geo.reach import Journeys
from geo.rings import Surface
from geo.snap import Snapper
from geo.terrain import slope_deg
from geo.walking import WALK_FUNCTIONS
from layers import catalog
from layers.sample import PROJECT, write_county
from yike.proof import planted_against_found
from yike.run import OpenProject, Run

ROOT = Path(yike.__file__).resolve().parent.parent
DATA = Path(os.environ.get("YIKE_DATA", ROOT.parent / "shared" / "data"))


def seconds(work: Callable[[], object], *, times: int) -> float:
    """The median time of some calls."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def row_(name: str, size: str, metric: str, value: float, *, sense: str, goal: float, equal: bool, peer: str,
        peer_value: float) -> dict[str, Any]:  # fmt: skip
    """One goal and whether it was met; a wrong answer meets none."""
    met = value >= goal if sense == ">=" else value <= goal
    return {
        "name": name, "size": size, "metric": metric, "value": round(value, 4), "sense": sense, "goal": goal,
        "ok": bool(met and equal), "equal": bool(equal), "peer": peer, "peer_value": round(peer_value, 4),
        "skipped": False,
    }  # fmt: skip


def skipped(name: str, why: str) -> list[dict[str, Any]]:
    """A row that could not be run here, with the reason."""
    nothing = dict.fromkeys(("size", "metric", "sense", "peer"), "") | dict.fromkeys(
        ("value", "goal", "peer_value")
    )
    return [{"name": name, **nothing, "ok": False, "equal": False, "skipped": why}]


def highways_only(pbf: Path, xml: Path) -> Path:
    """Write the streets of an extract, and the nodes they need, as the XML that osmnx reads."""
    import osmium

    with osmium.BackReferenceWriter(str(xml), str(pbf), overwrite=True) as writer:
        ways = osmium.FileProcessor(str(pbf)).with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        for way in ways.with_filter(osmium.filter.KeyFilter("highway")):
            writer.add(way)
    return xml


def length_by_way_of_osmnx(graph: Any) -> dict[int, float]:
    """Each way's length, every step between two nodes once, on the ellipsoid that ours is measured on."""
    steps = {(way, *sorted((u, v))) for u, v, way in graph.edges(data="osmid")}
    ways, us, vs = (np.array(column) for column in zip(*sorted(steps), strict=True))
    lon, lat = (dict(graph.nodes(data=axis)) for axis in "xy")
    at = [np.array([axis[node] for node in ends]) for ends in (us, vs) for axis in (lon, lat)]
    metres = crs.geodesic_m(*at)
    return {int(way): float(metres[ways == way].sum()) for way in np.unique(ways)}


def length_by_way(streets: Streets) -> dict[int, float]:
    """Each way's length in our graph."""
    total = np.bincount(streets.way, weights=streets.length_m, minlength=len(streets.tags))
    return dict(zip(streets.tags["way_id"].astype(int), total.tolist(), strict=True))


def read() -> list[dict[str, Any]]:
    """The whole Comoros from OSM to a network that can be walked, against osmnx on the highways alone."""
    pbf = DATA / "comoros" / "comores-latest.osm.pbf"
    if not pbf.is_file():
        return skipped("read", f"{pbf.name} is not there; set YIKE_DATA")
    import osmnx

    profile = catalog.load().travel_profile("adult", "walk")

    def ours() -> Streets:
        streets = build_streets(osm.read_ways(pbf))
        use_streets(streets, profile)
        return streets

    with tempfile.TemporaryDirectory() as folder:
        xml = highways_only(pbf, Path(folder) / "highways.osm")

        def theirs(*, simplify: bool) -> Any:
            # all parts and both directions, as ours
            return osmnx.graph_from_xml(xml, bidirectional=True, simplify=simplify, retain_all=True)

        streets, graph = ours(), theirs(simplify=False)
        mine, peers = length_by_way(streets), length_by_way_of_osmnx(graph)
        apart = [abs(mine[way] - length) / length for way, length in peers.items() if length > 0]
        total = abs(sum(mine.values()) / sum(peers.values()) - 1)
        equal = set(mine) == set(peers) and total <= 1e-4
        # ours has edges from junction to junction, so osmnx's simplified graph is the like of it; the raw one,
        # an edge for every two vertices, is quicker to make and is printed beside
        peer_s = seconds(lambda: theirs(simplify=True), times=3)
        raw_s = seconds(lambda: theirs(simplify=False), times=3)
        ours_s = seconds(ours, times=7)
    size = f"{len(mine)} ways, {sum(mine.values()) / 1000:.0f} km"
    print(f"read: ours {ours_s:.2f} s, osmnx {peer_s:.2f} s ({peer_s / ours_s:.1f} times), unsimplified {raw_s:.2f} s "
          f"({raw_s / ours_s:.1f} times); lengths differ by {total:.1e} in all, {max(apart):.1e} in the worst of "
          f"{len(apart)} ways")  # fmt: skip
    return [
        row_("read", size, "osmnx.graph_from_xml / ours", peer_s / ours_s, sense=">=", goal=15, equal=equal,
            peer="osmnx", peer_value=peer_s),
        row_("read_length", size, "relative difference of length", total, sense="<=", goal=1e-4, equal=equal,
            peer="osmnx", peer_value=sum(peers.values())),
    ]  # fmt: skip


def jagged(side: int, *, seed: int = 0) -> tuple[Graph, np.ndarray, np.ndarray]:
    """A country of side × side junctions, two thirds of the lanes between them, each way its own time; and where."""
    rng = np.random.default_rng(seed)
    at = np.arange(side * side).reshape(side, side)
    lanes = np.concatenate([
        np.column_stack((at[:, :-1].ravel(), at[:, 1:].ravel())), np.column_stack((at[:-1].ravel(), at[1:].ravel()))
    ])  # fmt: skip
    lanes = lanes[rng.random(len(lanes)) < 0.65]
    x, y = at.ravel() % side + rng.uniform(-0.3, 0.3, side * side), at.ravel() // side * 1.0
    order = z_order(x, y)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    u, v = place[lanes[:, 0]], place[lanes[:, 1]]
    metres = rng.uniform(30, 170, len(lanes))
    ms = [np.rint(metres * rng.uniform(0.9, 1.4, len(lanes)) * 900).astype(np.int64) for _ in "ab"]
    graph = Graph.pack(np.append(u, v), np.append(v, u), np.append(*ms), np.append(metres, metres), side * side)
    return graph, 100.0 * x[order], 100.0 * y[order]


def spread(graph: Graph, groups: int, *, each: int, seed: int = 1) -> list[Sources]:
    """Facilities at random junctions, category by category."""
    rng = np.random.default_rng(seed)
    return [Sources.at(rng.choice(graph.node_n, each, replace=False)) for _ in range(groups)]


def nearest() -> list[dict[str, Any]]:
    """40 categories, the nearest facility of every one of two million nodes, in one call on two cores."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph, _, _ = jagged(1414)
    groups = spread(graph, 40, each=4_000)
    same = csr_array(
        (graph.arcs[:, 1].astype(np.float64), graph.arcs[:, 0], graph.indptr), shape=[graph.node_n] * 2
    )
    graph.nearest_of_each(groups[:2])  # compiled
    start = time.perf_counter()
    ms, rank = graph.nearest_of_each(groups, threads=2)
    ours_s = time.perf_counter() - start
    equal, peer_s = True, 0.0
    for row, group in enumerate(groups):
        start = time.perf_counter()
        found = dijkstra(same, indices=group.node, min_only=True)
        peer_s += time.perf_counter() - start
        equal &= np.array_equal(np.where(np.isinf(found), -1, found), ms[row])
        equal &= bool((ms[row, group.node] == 0).all() and (rank[row, group.node] >= 0).all())
    size = f"{graph.node_n / 1e6:.1f} M nodes, {len(graph.arcs) / 1e6:.1f} M arcs"
    print(f"nearest: ours {ours_s:.1f} s, scipy {peer_s:.1f} s for 40 categories")
    return [row_("nearest", size, "scipy min_only / ours", peer_s / ours_s, sense=">=", goal=4, equal=equal,
                 peer="scipy", peer_value=peer_s)]  # fmt: skip


def nearest_pandana() -> list[dict[str, Any]]:
    """A quarter of a million nodes, three categories, a limit of 5 km: pandana's question, asked in metres."""
    try:
        import pandana
    except ImportError as error:
        return skipped("nearest_pandana", str(error))
    rough, x, y = jagged(500)
    tail = np.repeat(np.arange(rough.node_n), np.diff(rough.indptr))
    head, metres = rough.arcs[:, 0].astype(np.int64), np.rint(rough.length_m)

    def build() -> Graph:
        return Graph.pack(tail, head, metres.astype(np.int64), metres, rough.node_n)

    graph = build()
    groups = spread(graph, 3, each=500)

    def ours() -> Any:
        return graph.nearest_of_each(groups, limit_ms=5_000, threads=2)

    ours()
    build_s, ours_s = seconds(build, times=3), seconds(ours, times=7)
    start = time.perf_counter()
    once = pd.DataFrame({"from": tail, "to": head, "m": metres}).query(
        "`from` < to"
    )  # it makes them two-way itself
    peer = pandana.Network(pd.Series(x), pd.Series(y), once["from"], once["to"], once[["m"]], twoway=True)
    peer.precompute(5_000)
    peer_build_s = time.perf_counter() - start
    for number, group in enumerate(groups):
        peer.set_pois(str(number), 5_000, 1, pd.Series(x[group.node]), pd.Series(y[group.node]))

    def theirs() -> list[Any]:
        return [peer.nearest_pois(5_000, str(number), num_pois=1)[1].to_numpy() for number in range(3)]

    ms, _ = ours()
    equal = all(
        np.array_equal(np.where(mine < 0, 5_000, mine), np.rint(found))
        for mine, found in zip(ms, theirs(), strict=True)
    )
    peer_s = seconds(theirs, times=3)
    print(f"nearest_pandana: build ours {build_s:.2f} s, pandana {peer_build_s:.1f} s; query ours {1000 * ours_s:.0f} ms, "
          f"pandana {1000 * peer_s:.0f} ms")  # fmt: skip
    return [row_("nearest_pandana", f"{graph.node_n} nodes, 5 km", "pandana query / ours", peer_s / ours_s, sense=">=",
                 goal=100, equal=equal, peer="pandana", peer_value=peer_s)]  # fmt: skip


def rings() -> list[dict[str, Any]]:
    """5, 10 and 15 minutes around 200 places of the Comoros, against osmnx's way to draw them."""
    pbf = DATA / "comoros" / "comores-latest.osm.pbf"
    if not pbf.is_file():
        return skipped("rings", f"{pbf.name} is not there; set YIKE_DATA")
    import networkx as nx
    import osmnx

    minutes, cap_m = (5, 10, 15), 250.0
    profile = replace(catalog.load().travel_profile("adult", "walk"), off_street_limit_min=cap_m * 60 / 4000)
    streets = build_streets(osm.read_ways(pbf))
    usage = use_streets(streets, profile)
    plane = crs.zone(43.4)
    rng = np.random.default_rng(3)
    main = np.flatnonzero(usage.component_m > 50_000)
    # the places of OSM, and random corners to make up 200
    kinds = "city|town|village|hamlet|suburb|quarter|neighbourhood"
    mapped = osm.read_features(pbf, [TagRule.parse(f"place={kinds}")]).geometry.representative_point()
    at = streets.offset[rng.choice(main, 200 - len(mapped), replace=False)]
    lon, lat = np.append(mapped.x, streets.lon[at]), np.append(mapped.y, streets.lat[at])
    snaps = Snapper(streets, usage, profile=profile, plane=plane).snap(lon, lat)

    def ours() -> gpd.GeoDataFrame:
        made = Surface(streets, usage, profile=profile, plane=plane, off_road_m=cap_m, around=(lon, lat))
        return made.rings(snaps, minutes=minutes)

    mine = ours()  # compiled
    ours_s = seconds(ours, times=5)
    with tempfile.TemporaryDirectory() as folder:
        xml = highways_only(pbf, Path(folder) / "highways.osm")
        graphs = [osmnx.project_graph(osmnx.graph_from_xml(xml, bidirectional=True, simplify=simplify, retain_all=True),
                                      to_crs=plane) for simplify in (False, True)]  # fmt: skip
    x, y = crs.project(lon, lat, plane)

    def theirs(graph: Any) -> gpd.GeoDataFrame:
        """As OSMnx's own example of isochrones goes: edge by edge, buffered and united."""
        nodes = osmnx.graph_to_gdfs(graph, edges=False).geometry
        shapes = []
        for node in osmnx.distance.nearest_nodes(graph, x, y):
            for limit in minutes:
                part = nx.ego_graph(graph, node, radius=limit * 4000 / 60, distance="length")
                lines = []
                for u, v in part.edges():
                    straight = shapely.LineString([nodes[u], nodes[v]])
                    lines.append(graph.get_edge_data(u, v)[0].get("geometry", straight))
                shapes.append(gpd.GeoSeries(lines, crs=plane).buffer(50).union_all())
        return gpd.GeoDataFrame(geometry=shapes, crs=plane)

    def quicker(graph: Any) -> None:
        """The same with the lines looked up all at once."""
        lines = osmnx.graph_to_gdfs(graph, nodes=False).geometry
        for node in osmnx.distance.nearest_nodes(graph, x, y):
            for limit in minutes:
                part = nx.ego_graph(graph, node, radius=limit * 4000 / 60, distance="length")
                own = lines.loc[list(part.edges(keys=True))] if part.number_of_edges() else lines.iloc[:0]
                own.buffer(50).union_all()

    start = time.perf_counter()
    drawn = theirs(graphs[0])
    peer_s = time.perf_counter() - start
    quick_s = seconds(partial(quicker, graphs[0]), times=1)
    simple_s = seconds(partial(theirs, graphs[1]), times=1)
    iou, iou_buffer = _against_points(mine, drawn, streets, usage, profile, plane, (lon, lat), snaps)
    print(f"rings: ours {ours_s:.2f} s, ego_graph + buffer + union {peer_s:.0f} s ({peer_s / ours_s:.0f} times), with "
          f"all lines looked up at once {quick_s:.0f} s ({quick_s / ours_s:.0f} times), on the simplified graph "
          f"{simple_s:.0f} s ({simple_s / ours_s:.0f} times); IoU ours {iou:.3f}, buffer {iou_buffer:.3f}")  # fmt: skip
    size = "200 places, 3 rings"
    return [
        row_("rings", size, "ego_graph + buffer + union / ours", peer_s / ours_s, sense=">=", goal=200,
             equal=iou >= 0.95 and iou > iou_buffer, peer="osmnx, networkx", peer_value=peer_s),
        row_("rings_points", size, "IoU on 20,000 points", iou, sense=">=", goal=0.95, equal=iou > iou_buffer,
             peer="buffer", peer_value=iou_buffer),
    ]  # fmt: skip


def _against_points(
    mine: Any, drawn: Any, streets: Any, usage: Any, profile: Any, plane: Any, at: Any, snaps: Any
) -> Any:
    """IoU of both kinds of 15-minute rings with what the engine says of 20,000 points, 100 around each place."""
    rng = np.random.default_rng(7)
    x, y = crs.project(*at, plane)
    px, py = (np.repeat(axis, 100) + rng.uniform(-1100, 1100, 20_000) for axis in (x, y))
    there = crs.to_degrees(px, py, plane.to_wkt())
    points = Snapper(streets, usage, profile=profile, plane=plane).snap(*there)
    journeys = Journeys.straight(
        streets, usage, profile=profile, homes=points, facilities=snaps, homes_at=there, facilities_at=at
    )
    inside = np.zeros((3, 20_000), bool)
    for place in range(200):
        own = slice(100 * place, 100 * place + 100)
        time_min = journeys.nearest(np.array([place]), rank=np.array([0]), direction="from_facility").back_min[own]
        inside[0, own] = np.nan_to_num(time_min, nan=np.inf) <= 15
        inside[1, own] = shapely.contains_xy(mine.geometry[3 * place + 2], there[0][own], there[1][own])
        inside[2, own] = shapely.contains_xy(drawn.geometry[3 * place + 2], px[own], py[own])
    return [float((inside[0] & inside[k]).sum() / (inside[0] | inside[k]).sum()) for k in (1, 2)]


def walk() -> list[dict[str, Any]]:
    """Four million cells of open ground from one of them, against scikit-image's search on the flat."""
    try:
        from skimage.graph import MCP_Geometric
    except ImportError as error:
        return skipped("walk", str(error))
    n, cell = 2000, 30.0
    x, y = np.meshgrid(np.arange(n), np.arange(n))
    rough = 200 * np.sin(x / 40) + 150 * np.cos(y / 55) + np.random.default_rng(0).normal(0, 1, (n, n))
    plane = crs.zone(102.75)
    place = Affine(cell, 0, 500_000, 0, -cell, 3_100_000)
    flat, hill = (lay_hillside(Raster(h.astype(np.float32), place, plane)) for h in (np.zeros((n, n)), rough))
    middle = crs.to_degrees([500_000 + cell * (n // 2 + 0.5)], [3_100_000 - cell * (n // 2 + 0.5)], plane.to_wkt())

    def ours(on: Any, function: str, moves: int) -> Any:
        found = on.times(*middle, function=WALK_FUNCTIONS[function], flat_kmh=4.0, limit_min=30_000, moves=moves)
        return found.values

    def theirs() -> Any:
        return MCP_Geometric(np.ones((n, n)), fully_connected=True).find_costs([(n // 2, n // 2)])[0]

    level, peer = ours(flat, "flat", 8), theirs() * cell / (4000 / 60 * 0.6)
    equal = bool(np.isfinite(level).all()) and float(np.abs(level - peer).max() / peer.max()) < 1e-5
    peer_s = seconds(theirs, times=3)
    took = {moves: seconds(partial(ours, hill, "irmischer_clarke", moves), times=3) for moves in (8, 16)}
    flat_s = seconds(partial(ours, flat, "flat", 8), times=3)
    print(f"walk: 4 M cells, scikit-image flat {peer_s:.2f} s; ours flat {flat_s:.2f} s, up and down {took[8]:.2f} s with 8 "
          f"moves, {took[16]:.2f} s with 16")  # fmt: skip
    rest = {"sense": ">=", "equal": equal, "peer": "scikit-image", "peer_value": peer_s}
    return [
        row_("walk_8", "4 M cells", "MCP flat / ours up and down", peer_s / took[8], goal=3, **rest),
        row_("walk_16", "4 M cells", "MCP flat / ours up and down", peer_s / took[16], goal=1.5, **rest),
    ]


def assign_() -> list[dict[str, Any]]:
    """6,000 places with as many pupils as 1,500 schools have seats, against HiGHS's interior point on the same."""
    n, m, k = 6_000, 1_500, 40
    rng = np.random.default_rng(11)
    homes, schools = rng.uniform(0, 100_000, (n, 2)), rng.uniform(0, 100_000, (m, 2))
    away, near = KDTree(schools).query(homes, k=k)
    people = rng.integers(5, 80, n)
    room = np.full(m, people.sum() // m)
    ms = np.rint(away * 1000).astype(np.int64)
    arcs = pd.DataFrame({"group": np.repeat(np.arange(n), k), "pool": near.ravel(), "ms": ms.ravel()})

    def ours() -> Any:
        return assign(people, room, arcs, objectives=["ms"]).placed

    placed = ours()
    ours_s = seconds(ours, times=3)
    arc = np.arange(n * k)
    ends = np.concatenate((arcs["group"], n + arcs["pool"]))
    matrix = csr_array((np.ones(2 * n * k), (ends, np.tile(arc, 2))), shape=(n + m, n * k))
    # one more placed is worth more than all time
    worth = 1_000.0

    def theirs() -> Any:
        cost = arcs["ms"].to_numpy() / 1e6 - worth
        return linprog(cost, A_ub=matrix, b_ub=np.concatenate((people, room)), method="highs-ipm")

    start = time.perf_counter()
    found = theirs()
    peer_s = time.perf_counter() - start
    mine = float((placed * arcs["ms"]).sum() / 1e6 - worth * placed.sum())
    equal = abs(mine - found.fun) <= 1e-9 * abs(found.fun)
    print(
        f"assign: {people.sum()} pupils, {placed.sum()} placed in {ours_s:.2f} s; HiGHS {peer_s:.1f} s ({peer_s / ours_s:.1f} times)"
    )
    return [row_("assign", "6,000 places, 1,500 schools", "seconds", ours_s, sense="<=", goal=5, equal=equal,
                 peer="HiGHS interior point", peer_value=peer_s)]  # fmt: skip


def _spread(n: int, m: int, seed: int = 0) -> tuple[Any, Any]:
    """Costs of n clients to m sites of a square, and people."""
    rng = np.random.default_rng(seed)
    homes, sites = rng.uniform(0, 100, (n, 2)), rng.uniform(0, 100, (m, 2))
    return np.hypot(*(homes[:, None] - sites[None]).T).T, rng.integers(1, 100, n)


def mclp() -> list[dict[str, Any]]:
    """Maximal cover of 2,000 clients by 20 of 300 sites, a tenth of the pairs in reach; spopt at a quarter of it."""
    cost, people = _spread(2_000, 300)
    limit = float(np.quantile(cost, 0.0999))
    found = max_cover(cost, people, limit, 20)
    ours_s = seconds(partial(max_cover, cost, people, limit, 20), times=3)
    small, few = _spread(500, 75)
    near = float(np.quantile(small, 0.0999))
    peer_s, same = _beside_spopt(
        "MCLP", small, few, {"service_radius": near, "p_facilities": 5}, max_cover(small, few, near, 5).value
    )
    small_s = seconds(partial(max_cover, small, few, near, 5), times=3)
    print(f"mclp: {ours_s:.2f} s, gap {found.gap}; at a quarter ours {small_s:.2f} s, spopt {peer_s:.2f} s")
    return [row_("mclp", "2,000 x 300", "seconds", ours_s, sense="<=", goal=10, equal=found.gap == 0 and same,
                 peer="spopt at a quarter", peer_value=peer_s)]  # fmt: skip


def pmedian() -> list[dict[str, Any]]:
    """The median of 900 clients and 90 of 900 sites to a thousandth; spopt at a quarter of it."""
    cost, people = _spread(900, 900, seed=1)
    found = p_median(cost, people, 90, gap=1e-3)
    ours_s = seconds(partial(p_median, cost, people, 90, gap=1e-3), times=3)
    small, few = _spread(225, 225, seed=1)
    peer_s, same = _beside_spopt("PMedian", small, few, {"p_facilities": 22}, p_median(small, few, 22).value)
    small_s = seconds(partial(p_median, small, few, 22), times=3)
    print(f"pmedian: {ours_s:.2f} s, gap {found.gap:.5f}; at a quarter ours {small_s:.2f} s, spopt {peer_s:.2f} s")
    return [row_("pmedian", "900 x 900, p = 90", "seconds", ours_s, sense="<=", goal=20,
                 equal=found.gap <= 1e-3 and same, peer="spopt at a quarter", peer_value=peer_s)]  # fmt: skip


def _beside_spopt(model: str, cost: Any, people: Any, asked: dict[str, Any], due: float) -> tuple[float, bool]:
    """How long spopt takes with its default solver, building included, and whether it finds the same."""
    try:
        import pulp
        import spopt.locate
    except ImportError as error:
        print(f"{model}: {error}")
        return math.nan, True
    start = time.perf_counter()
    made = getattr(spopt.locate, model).from_cost_matrix(cost, people, **asked)
    solved = made.solve(pulp.PULP_CBC_CMD(msg=False))
    took = time.perf_counter() - start
    return took, abs(abs(solved.problem.objective.value()) - due) <= 1e-6 * due


def demo() -> list[dict[str, Any]]:
    """The sample county from nothing to the map, stage by stage; equal is that it knows its own truth."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        truth = write_county(Path(folder) / "county")
        wrote_s = time.perf_counter() - start
        done = yike.open(Path(folder) / "county" / PROJECT, cache=Path(folder) / "stages").run()
        total_s = time.perf_counter() - start
        took = json.loads((done.folder / "run.json").read_text("utf-8"))["seconds"]
        table = planted_against_found(truth, done)
    stages = ", ".join(
        f"{name} {s:.1f}" for name, s in sorted(took.items(), key=lambda pair: -pair[1]) if s >= 0.1
    )
    print(f"demo: {total_s:.1f} s, of it writing the county {wrote_s:.1f}; {stages}")
    equal = not table[["missed_n", "invented_n"]].to_numpy().any()
    return [row_("demo", "whole sample county", "seconds", total_s, sense="<=", goal=60, equal=equal, peer="its own truth",
                 peer_value=float(table["planted_n"].sum()))]  # fmt: skip


MOVED = """
[[edit]]
do = "move"
facility = "{clinic}"
lon = {lon}
lat = {lat}
"""


def scenario() -> list[dict[str, Any]]:
    """
    A scenario that moves one clinic of the sample county, whose base has been run.

    Equal is that each table is the one of a run that does everything again, as the peer does, and that the empty
    scenario's are its base's byte for byte.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_county(folder / "county")
        project, cache = folder / "county" / PROJECT, folder / "stages"
        base = yike.open(project, cache=cache).run(folder / "base")
        clinics = base.table("facilities").query("category == 'village_clinic' and operating")

        def run(clinic: Any, where: str, cache: Path = cache) -> tuple[Run, float]:
            told = MOVED.format(clinic=clinic.facility_id, lon=clinic.lon + 0.004, lat=clinic.lat + 0.002)
            (folder / "s.toml").write_text(told, "utf-8")
            start = time.perf_counter()
            done = OpenProject.load(project, cache=cache, scenario=folder / "s.toml").run(folder / where)
            return done, time.perf_counter() - start

        done = [run(clinic, f"run{n}") for n, clinic in enumerate(clinics.iloc[2:5].itertuples())]
        whole, whole_s = run(next(clinics.iloc[2:3].itertuples()), "whole", folder / "nothing kept")
        (folder / "s.toml").write_text("", "utf-8")
        empty = OpenProject.load(project, cache=cache, scenario=folder / "s.toml").run(folder / "empty")
        equal = all(
            done[0][0].table(path.stem).equals(whole.table(path.stem))
            for path in (whole.folder / "tables").glob("*.parquet")
        ) and all(
            path.read_bytes() == (empty.folder / "tables" / path.name).read_bytes()
            for path in (base.folder / "tables").glob("*.parquet")
        )
    ours_s = statistics.median(took for _, took in done)
    print(f"scenario: {ours_s:.1f} s; with nothing kept {whole_s:.1f} s")
    return [row_("scenario", "sample county, a clinic", "seconds", ours_s, sense="<=", goal=5, equal=equal,
                 peer="ours, nothing kept", peer_value=whole_s)]  # fmt: skip


GROWTH = """
import sys, time
sys.path.insert(0, {folder!r})
import bench
graph, _, _ = bench.jagged({side})
groups = bench.spread(graph, 40, each={each})
graph.nearest_of_each(groups[:2])
start = time.perf_counter()
graph.nearest_of_each(groups, threads=2)
took = time.perf_counter() - start
# the highest that this process ever held; what getrusage says begins with the parent's
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, int(peak.split()[1]) / 1e6)
"""


def nearest_growth() -> list[dict[str, Any]]:
    """What twice as many nodes cost, each in a process of its own."""
    found = []
    for side, each in ((1000, 2_000), (1414, 4_000)):
        text = GROWTH.format(folder=str(Path(__file__).parent), side=side, each=each)
        runs = [subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout.split()
                for _ in range(3)]  # fmt: skip
        found.append((statistics.median(float(run[0]) for run in runs), max(float(run[1]) for run in runs)))
    (one, _), (two, gigabytes) = found
    print(f"nearest_growth: {one:.2f} s for 1 M nodes, {two:.2f} s and {gigabytes:.2f} GB for 2 M")
    alone = {"equal": True, "peer": "ours at half", "peer_value": one}
    return [
        row_(
            "nearest_growth", "1 and 2 M nodes", "time at 2 M / at 1 M", two / one, sense="<=", goal=2.3, **alone
        ),
        row_("nearest_memory", "2 M nodes, 40 categories", "GB at most", gigabytes, sense="<=", goal=3, **alone),
    ]


MANY_PLOTS = """
import sys, time
sys.path.insert(0, {folder!r})
from pathlib import Path
import province
files = sorted(Path({tiles!r}).glob("*.tif"))
plots = province.homesteads({n})
province.classify(plots.head(500), files)
start = time.perf_counter()
table = province.classify(plots, files)
took = time.perf_counter() - start
assert len(table) == {n} and table["slope_deg_mean"].notna().all()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, int(peak.split()[1]) / 1e6, (table["way"] == "regreen").sum())
"""


def plots() -> list[dict[str, Any]]:
    """
    370,000 old homesteads over terrain and a land survey of 480,000 km², made up, in a process of its own.

    Equal is that on a part slope means are those of ``exactextract`` called directly on the slope of a whole tile.
    Beside: rasterstats on the same part, whose cells are all or nothing.
    """
    import exactextract
    import province
    import rasterstats

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = province.write_terrain(folder)
        found = {}
        for n in (185_000, 370_000):
            text = MANY_PLOTS.format(folder=str(Path(__file__).parent), tiles=name, n=n)
            told = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True).stdout
            found[n] = [float(word) for word in told.split()]
        west, north = province.WEST, province.NORTH
        every = province.homesteads(370_000)
        box = every.bounds
        inside = (box["minx"] > west + 0.01) & (box["maxx"] < west + 0.99) & (box["miny"] > north - 0.99)
        part = every[inside & (box["maxy"] < north - 0.01)].head(5_000).reset_index(drop=True)
        tile = [path for path in files if path.stem == f"N{north - 1}E{west}"]
        ground = slope_deg(read_raster(tile))
        start = time.perf_counter()
        own = province.classify(part, files)
        ours_s = time.perf_counter() - start
        source = exactextract.raster.NumPyRasterSource(
            ground.values, *ground.bounds, nodata=np.nan, name="slope", srs_wkt=ground.crs.to_wkt()
        )
        direct = exactextract.exact_extract(source, part[["geometry"]], ["mean"], output="pandas")["mean"]
        start = time.perf_counter()
        other = rasterstats.zonal_stats(
            part.geometry, ground.values, affine=ground.transform, nodata=np.nan, stats=["mean"], all_touched=True
        )
        peer_s = time.perf_counter() - start
        equal = bool(np.abs(own["slope_deg_mean"].to_numpy() - direct.to_numpy()).max() < 1e-4)
        apart = np.abs(own["slope_deg_mean"] - [one["mean"] for one in other])
    (half_s, _, _), (whole_s, gigabytes, _) = found[185_000], found[370_000]
    print(f"plots: {half_s:.0f} s for 185,000, {whole_s:.0f} s and {gigabytes:.2f} GB for 370,000; rasterstats "
          f"{peer_s:.1f} s for {len(part)} of them (ours {ours_s:.1f} s with areas and ways), means up to "
          f"{apart.max():.1f} degrees apart")  # fmt: skip
    size = "370,000 plots, 45 tiles"
    return [
        row_("plots", size, "seconds", whole_s, sense="<=", goal=240, equal=equal, peer="ours at half", peer_value=half_s),
        row_("plots_memory", size, "GB at most", gigabytes, sense="<=", goal=4, equal=equal, peer="", peer_value=0),
        row_("plots_growth", "185,000 and 370,000", "time at twice as many", whole_s / half_s, sense="<=", goal=2.1,
             equal=equal, peer="rasterstats on 5,000", peer_value=peer_s),
    ]  # fmt: skip


BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "read": read, "nearest": nearest, "nearest_pandana": nearest_pandana, "nearest_growth": nearest_growth,
    "rings": rings, "walk": walk, "assign": assign_, "mclp": mclp,
    "pmedian": pmedian, "scenario": scenario, "demo": demo, "plots": plots,
}  # fmt: skip


def main(only: str = "") -> int:
    """Run the benches whose name begins with ``only``; 1 if an answer was wrong or a goal was missed."""
    rows = [line for name, bench in BENCHES.items() if name.startswith(only) for line in bench()]
    print(f"{'name':<14}{'size':<24}{'metric':<36}{'value':>12}{'goal':>12}  equal  ok")
    for line in rows:
        if line["skipped"]:
            print(f"{line['name']:<14}skipped: {line['skipped']}")
            continue
        value = f"{line['value']:.4g}" if math.isfinite(line["value"]) else "nan"
        print(f"{line['name']:<14}{line['size']:<24}{line['metric']:<36}{value:>12}{line['sense']:>5}{line['goal']:>7}"
              f"  {line['equal']!s:<5}  {line['ok']}")  # fmt: skip
    Path("bench.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0 if rows and all(line["ok"] for line in rows) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
