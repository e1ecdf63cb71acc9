"""
What the county knows of itself: what is planted in its files, and who lacks what by how many minutes.

The gaps are worked out here on the county's own streets, with scipy's search and nothing of the program's: people
and facilities stand at corners, so a way is a sum of lengths and a time is arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from layers.catalog import Catalog, Category
from layers.sample.ground import Floats
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
    """Metres on foot (both ways alike), and minutes with an e-bike there and back."""

    walk_m: csr_array
    ride_min: csr_array


def _graphs(roads: Roads, catalog: Catalog) -> _Graphs:
    classes = {rule.name: rule for rule in catalog.roads}
    ride_kmh = catalog.modes["ebike"].kmh or 0.0
    walk_kmh = catalog.personas["adult"].flat_kmh
    x, y = np.array(roads.x), np.array(roads.y)
    walk: dict[tuple[int, int], float] = {}
    ride: dict[tuple[int, int], float] = {}
    for nodes, tags in roads.ways:
        rule = classes.get(tags.get("highway", ""))
        if rule is None or not rule.walk:
            continue
        for a, b in pairwise(nodes):
            length = float(np.hypot(x[a] - x[b], y[a] - y[b]))
            for one, other, rideable in ((a, b, True), (b, a, tags.get("oneway") != "yes")):
                walk[one, other] = min(length, walk.get((one, other), np.inf))
                speed = min(ride_kmh, rule.drive_kmh) if rule.drive_kmh and rideable else walk_kmh
                ride[one, other] = min(length / speed * 0.06, ride.get((one, other), np.inf))
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
) -> pd.DataFrame:
    """
    Work out who has and who lacks what, place by place and category by category, on foot or with an e-bike.

    ``profiles`` are the profile of each kind of place. Categories that decide by car, and homes whose usual mode
    is the bus, are left out.
    """
    graphs = _graphs(roads, catalog)
    known = {service.category for service in services}
    at = {
        name: np.unique([s.node for s in services if s.category == name and s.trait not in IDLE]).astype(np.int64)
        for name in known
    }
    walked = {name: _nearest_m(graphs.walk_m, nodes) for name, nodes in at.items()}
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


def _nearest_m(graph: csr_array, nodes: np.ndarray) -> Floats:
    if not len(nodes):
        return np.full(graph.shape[0], np.inf)
    return np.asarray(dijkstra(graph, indices=nodes, min_only=True))


def _from_and_to(graph: csr_array, node: int) -> tuple[Floats, Floats]:
    return np.asarray(dijkstra(graph, indices=node)), np.asarray(dijkstra(graph.T.tocsr(), indices=node))


def _judged(
    home: Home, category: Category, profile: str, mode: str, walked: Mapping[str, Floats],
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
    speed = catalog.personas[category.persona].flat_kmh
    time = min([float(walked[name][home.node]) for name in names], default=np.inf) / speed * 0.06
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
