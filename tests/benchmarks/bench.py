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
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import yike
from geo import crs, osm
from geo.network import Streets, build_streets, use_streets
from layers import catalog

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


def row(name: str, size: str, metric: str, value: float, *, sense: str, goal: float, equal: bool, peer: str,
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
        row("read", size, "osmnx.graph_from_xml / ours", peer_s / ours_s, sense=">=", goal=10, equal=equal,
            peer="osmnx", peer_value=peer_s),
        row("read_length", size, "relative difference of length", total, sense="<=", goal=1e-4, equal=equal,
            peer="osmnx", peer_value=sum(peers.values())),
    ]  # fmt: skip


BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {"read": read}


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
