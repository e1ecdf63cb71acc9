"""
What the county knows of itself: what is planted in its files, and who lacks what by how many minutes.

The gaps are worked out here on the county's own streets and terrain, with scipy's search and nothing of the
program's: people and facilities stand at corners, so a way is a sum of lengths, each as many times longer as it is
steep, and a time is arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo import crs as systems
from layers.catalog import Catalog, Category
from layers.sample.ground import Floats, to_degrees
from layers.sample.people import Home
from layers.sample.roads import Roads
from layers.sample.services import Service

NEAR_MIN = 0.05
"""A time this near to its limit is not told as a gap or none: the two computations round differently."""

VERDICTS = ["place_id", "category", "status", "over_min", "sure"]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """
    What is planted.

    ``faults`` are (code, file, row) of row faults, ``doubts`` (code, file) of doubts. ``verdicts`` has a row for
    each place and category that is worked out: ``status``, and ``over_min``, the minutes beyond the limit (below
    0 within it, NaN where nothing is reached); where ``sure`` is false it is too near to the limit to tell. A
    gap is a verdict that is not served.
    """

    faults: frozenset[tuple[str, str, int]]
    doubts: frozenset[tuple[str, str]]
    verdicts: pd.DataFrame
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Graphs:
    """Minutes of an adult on foot, and with an e-bike, from each node to the next."""

    walk_min: csr_array
    ride_min: csr_array


BELL_M, STEP_M = 30.0, 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Heights on a grid of degrees from its north-western corner, as they are written."""

    heights: NDArray[np.float32]
    west: float
    north: float
    step: float

    def averaged(self) -> Floats:
        """Average the heights over a bell of 30 m, first along one axis and then along the other."""
        middle = self.north - self.step * self.heights.shape[0] / 2
        east = systems.geodesic_m([self.west], [middle], [self.west + self.step], [middle])[0]
        up = systems.geodesic_m([self.west], [middle - self.step / 2], [self.west], [middle + self.step / 2])[0]
        out = self.heights.astype(np.float64)
        for axis, cell_m in ((0, up), (1, east)):
            reach = int(3.0 * BELL_M / cell_m + 0.5)
            weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) * cell_m / BELL_M) ** 2)
            around = np.pad(out, [(reach, reach) if n == axis else (0, 0) for n in (0, 1)], mode="edge")
            n = out.shape[axis]
            out = sum(w * np.take(around, np.arange(n) + k, axis) for k, w in enumerate(weight / weight.sum()))
        return out

    def at(self, averaged: Floats, lon: Floats, lat: Floats) -> Floats:
        """Heights between the four nearest cells."""
        column, row = (lon - self.west) / self.step - 0.5, (self.north - lat) / self.step - 0.5
        i, j = np.floor(row).astype(int), np.floor(column).astype(int)
        down, right = row - i, column - j
        upper = averaged[i, j] * (1 - right) + averaged[i, j + 1] * right
        lower = averaged[i + 1, j] * (1 - right) + averaged[i + 1, j + 1] * right
        return np.asarray(upper * (1 - down) + lower * down, np.float64)


def _times_longer(grade: Floats) -> Floats:
    """Irmischer and Clarke's speed on level ground over that on a grade."""
    metres_a_second = 0.11 + np.exp(-((100 * np.array([0.0, *grade]) + 5) ** 2) / (2 * 30**2))
    return np.asarray(metres_a_second[0] / metres_a_second[1:], np.float64)


def _graphs(roads: Roads, catalog: Catalog, terrain: Terrain) -> _Graphs:
    classes = {rule.name: rule for rule in catalog.roads}
    ride_kmh = catalog.modes["ebike"].kmh or 0.0
    walk_kmh = catalog.personas["adult"].flat_kmh
    x, y = np.array(roads.x), np.array(roads.y)
    averaged = terrain.averaged()
    used = Counter(node for nodes, _ in roads.ways for node in nodes)
    walk: dict[tuple[int, int], float] = {}
    ride: dict[tuple[int, int], float] = {}
    for nodes, tags in roads.ways:
        rule = classes.get(tags.get("highway", ""))
        if rule is None or not rule.walk:
            continue
        ends = [k for k, node in enumerate(nodes) if k in (0, len(nodes) - 1) or used[node] > 1]
        for start, end in pairwise(ends):  # from one crossing to the next
            piece = np.array(nodes[start : end + 1])
            along = np.append(0.0, np.cumsum(np.hypot(np.diff(x[piece]), np.diff(y[piece]))))
            n = max(1, int(along[-1] / STEP_M + 1e-3))
            mark = np.linspace(0.0, along[-1], n + 1)
            height = terrain.at(
                averaged, *to_degrees(np.interp(mark, along, x[piece]), np.interp(mark, along, y[piece]))
            )
            if tags.get("bridge"):
                height = np.linspace(height[0], height[-1], n + 1)
            grade = np.diff(height) / (along[-1] / n)
            up, down = (
                np.interp(along, mark, np.append(0.0, np.cumsum(_times_longer(sign * grade) * along[-1] / n)))
                for sign in (1, -1)
            )
            for k, (a, b) in enumerate(pairwise(piece.tolist())):
                length = along[k + 1] - along[k]
                for one, other, far, rideable in (
                    (a, b, up[k + 1] - up[k], True), (b, a, down[k + 1] - down[k], tags.get("oneway") != "yes"),
                ):  # fmt: skip
                    on_foot = far / walk_kmh * 0.06
                    walk[one, other] = min(on_foot, walk.get((one, other), np.inf))
                    speed = min(ride_kmh, rule.drive_kmh) if rule.drive_kmh and rideable else 0.0
                    took = length / speed * 0.06 if speed else on_foot
                    ride[one, other] = min(took, on_foot, ride.get((one, other), np.inf))
    shape = (len(x), len(x))

    def graph(arcs: Mapping[tuple[int, int], float]) -> csr_array:
        ends = np.array(list(arcs), np.int64)
        return csr_array((np.array(list(arcs.values())), (ends[:, 0], ends[:, 1])), shape=shape)

    return _Graphs(graph(walk), graph(ride))


def verdicts_of(
    homes: Sequence[Home],
    services: Sequence[Service],
    roads: Roads,
    catalog: Catalog,
    *,
    profiles: Mapping[str, str],
    terrain: Terrain,
) -> pd.DataFrame:
    """
    Work out who has and who lacks what, place by place and category by category, on foot or with an e-bike.

    ``profiles`` are the profile of each kind of place. Categories that decide by car, and homes whose usual mode
    is the bus, are left out.
    """
    graphs = _graphs(roads, catalog, terrain)
    known = {service.category for service in services}
    at = {
        name: np.unique([s.node for s in services if s.category == name and s.trait not in IDLE]).astype(np.int64)
        for name in known
    }
    there, back = graphs.walk_min.T.tocsr(), graphs.walk_min
    walked: dict[tuple[str, str], Floats] = {}
    for category in catalog.in_access():
        names = {category.id, *(other for others in category.substitutes.values() for other in others)}
        for name in names & set(at):
            walked[name, category.direction] = _nearest_min(there, back, at[name], category.direction)
    rows: list[tuple[object, ...]] = []
    for home in homes:
        profile = profiles[home.kind]
        mode = catalog.mode_of(home.mode)
        ridden = _from_and_to(graphs.ride_min, home.node) if mode == "ebike" else None
        for category in catalog.in_access():
            found = _judged(home, category, profile, mode, walked, ridden, at, catalog)
            if found is not None:
                rows.append((home.id, category.id, *found))
    return pd.DataFrame(rows, columns=VERDICTS)


IDLE = ("closed", "planned", "ended")


def _nearest_min(there: csr_array, back: csr_array, nodes: np.ndarray, direction: str) -> Floats:
    """Minutes of an adult from each node to the nearest of some, from it, or both to one and the same."""
    if not len(nodes):
        return np.full(there.shape[0], np.inf)
    if direction == "to_facility":
        return np.asarray(dijkstra(there, indices=nodes, min_only=True))
    if direction == "from_facility":
        return np.asarray(dijkstra(back, indices=nodes, min_only=True))
    to, fro = dijkstra(there, indices=nodes), dijkstra(back, indices=nodes)
    return np.asarray(((to + fro) / 2 if direction == "round_trip_mean" else np.maximum(to, fro)).min(axis=0))


def _from_and_to(graph: csr_array, node: int) -> tuple[Floats, Floats]:
    return np.asarray(dijkstra(graph, indices=node)), np.asarray(dijkstra(graph.T.tocsr(), indices=node))


def _judged(
    home: Home, category: Category, profile: str, mode: str, walked: Mapping[tuple[str, str], Floats],
    ridden: tuple[Floats, Floats] | None, at: Mapping[str, np.ndarray], catalog: Catalog,
) -> tuple[str, float, bool] | None:  # fmt: skip
    standard = catalog.standard(category.id, profile)
    rule = category.deciding_mode[profile]
    if rule == "drive" or (mode == "bus" and rule == "usual_mode"):
        return None
    rides = rule == "usual_mode" and mode == "ebike" and standard.drive_min is not None
    limit = standard.drive_min if rides else standard.walk_min
    if limit is None:
        return None
    names = [category.id, *category.substitutes.get(profile, ())]
    names = [name for name in names if name in at]
    if not any(len(at[name]) for name in names) and category.id in at:
        return "no_facility", np.nan, True
    slower = catalog.personas["adult"].flat_kmh / catalog.personas[category.persona].flat_kmh
    time = min([float(walked[name, category.direction][home.node]) for name in names], default=np.inf) * slower
    if rides and ridden is not None:
        nodes = np.concatenate([at[name] for name in names]) if names else np.zeros(0, np.int64)
        there, back = ridden[0][nodes], ridden[1][nodes]
        how = {"to_facility": there, "from_facility": back, "round_trip_mean": (there + back) / 2}
        quick = float(np.min(how.get(category.direction, np.maximum(there, back)), initial=np.inf))
        if quick >= time - 1e-9 and np.isfinite(time):  # pushed all the way, or not a step away: that is walking
            limit = standard.walk_min
            if limit is None:
                return None
        time = min(quick, time)
    if category.id not in at:  # only a stand-in is known: it serves, or nothing is known
        return None
    if np.isinf(time):
        return "unreachable", np.nan, True
    over = time - limit
    return "served" if over <= 0 else "beyond_limit", over, abs(over) >= NEAR_MIN
