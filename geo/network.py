"""
Streets as a graph: junctions, edges with their geodesic length, who may use them, and how long they take.

All parts are kept. Whether a part is cut off from the rest is counted per travel profile, never repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import crs as systems
from geo.graph import z_order
from geo.io import Bounds
from geo.osm import OsmWays
from geo.profile import TravelProfile
from geo.walking import WALK_FUNCTIONS, WalkFunction

if TYPE_CHECKING:
    from geo.grades import Grades

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NO = frozenset({"no", "private", "agricultural", "forestry", "delivery", "military", "emergency", "permit"})
"""Values of an access tag that keep the public out."""
YES = frozenset({"yes", "designated", "permissive", "destination", "official", "customers"})


_BESIDE_M = 2000.0
"""The longest way on foot between a point and a street: half an hour of an adult."""


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """
    A street graph.

    Nodes are the junctions and ends of ways, along a curve on which near ones stay near. Edge ``e`` runs from
    ``u[e]`` to ``v[e]`` along the vertices ``lon[offset[e]:offset[e + 1]]``, is ``length_m[e]`` long and has the
    tags of row ``way[e]`` of ``tags``. ``box`` is the box of the data in degrees: the one that the file says it
    was cut to (``cut``: streets may go on outside), else the extent of the streets.
    """

    node_id: Ints
    node_lon: Floats
    node_lat: Floats
    u: NDArray[np.int32]
    v: NDArray[np.int32]
    way: NDArray[np.int32]
    length_m: Floats
    offset: Ints
    lon: Floats
    lat: Floats
    tags: pd.DataFrame
    box: Bounds
    cut: bool

    @property
    def edge_n(self) -> int:
        """Number of edges."""
        return len(self.u)

    @property
    def data_box(self) -> Bounds:
        """The box of what the data can tell of: where it was not cut, as far as people walk to a street."""
        if self.cut:
            return self.box
        west, south, east, north = self.box
        up = _BESIDE_M / 110_000.0
        aside = up / max(0.1, float(np.cos(np.radians(max(abs(south), abs(north))))))
        return west - aside, south - up, east + aside, north + up

    def lines(self) -> NDArray[np.object_]:
        """The edges as lines in degrees."""
        which = np.repeat(np.arange(self.edge_n), np.diff(self.offset))
        return np.asarray(shapely.linestrings(np.column_stack((self.lon, self.lat)), indices=which), object)


def build_streets(ways: OsmWays) -> Streets:
    """
    Cut ways at every node that two of them, or one of them twice, pass through.

    Returns
    -------
    streets
        Every metre of every way once, in the order of the file; lengths are geodesic sums over the vertices.
    """
    total = len(ways.node_id)
    node_id, inverse, count = np.unique(ways.node_id, return_inverse=True, return_counts=True)
    first, last = ways.offset[:-1], ways.offset[1:] - 1
    breaks = count[inverse] > 1
    breaks[first] = breaks[last] = True
    stops = np.flatnonzero(breaks)
    of_way = np.repeat(np.arange(len(ways.tags)), np.diff(ways.offset))
    inner = of_way[stops[:-1]] == of_way[stops[1:]]
    start, end = stops[:-1][inner], stops[1:][inner]

    ends = np.zeros(total, bool)
    ends[start] = ends[end] = True
    is_node = np.zeros(len(node_id), bool)
    is_node[inverse[ends]] = True
    where = np.full(len(node_id), -1)
    where[inverse] = np.arange(total)
    where = where[is_node]
    order = z_order(ways.lon[where], ways.lat[where])
    where = where[order]
    number = np.full(len(node_id), -1)
    number[np.flatnonzero(is_node)[order]] = np.arange(len(order))

    size = end - start + 1
    offset = np.concatenate(([0], np.cumsum(size)))
    pick = np.arange(offset[-1]) - np.repeat(offset[:-1] - start, size)
    lon, lat = ways.lon[pick], ways.lat[pick]
    step = systems.geodesic_m(lon[:-1], lat[:-1], lon[1:], lat[1:]) if len(lon) else np.zeros(0)
    step[offset[1:-1] - 1] = 0.0  # from the end of one edge to the start of the next
    length = np.add.reduceat(step, offset[:-1]) if len(size) else np.zeros(0)
    box = ways.box or _extent(lon, lat)
    return Streets(
        node_id=ways.node_id[where], node_lon=ways.lon[where], node_lat=ways.lat[where],
        u=number[inverse[start]].astype(np.int32), v=number[inverse[end]].astype(np.int32),
        way=of_way[start].astype(np.int32), length_m=length, offset=offset, lon=lon, lat=lat,
        tags=ways.tags, box=box, cut=ways.box is not None,
    )  # fmt: skip


def _extent(lon: Floats, lat: Floats) -> Bounds:
    if not len(lon):
        return np.nan, np.nan, np.nan, np.nan
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """
    One profile on one street graph, per edge.

    ``forward`` and ``backward`` say whether it may be used from u to v and from v to u; ``forward_ms`` and
    ``backward_ms`` how long that takes (0 where it may not). ``component`` numbers the strong component that
    holds both ends, -1 where the ends lie in two or nobody may pass; ``component_m`` is that component's
    length of street. ``walked_ahead`` and ``walked_against`` are walked by ``function`` over ``grades`` (None:
    the ground is level); the others heed no grade.
    """

    forward: Bools
    backward: Bools
    forward_ms: Ints
    backward_ms: Ints
    component: NDArray[np.int32]
    component_m: Floats
    walked_ahead: Bools
    walked_against: Bools
    function: WalkFunction
    grades: Grades | None

    def part_ms(self, edge: Ints, fraction: Floats) -> tuple[Ints, Ints]:
        """
        Give the part of an edge's time between u and a place inside it: from u to it, and from it to u.

        Where the ground is steeper more of the time is spent.
        """
        ahead, against = fraction, fraction
        if self.grades is not None:
            parts = self.grades.slowness_to(self.function, edge, fraction)
            wholes = self.grades.slowness_to(self.function, edge, np.ones(len(edge)))
            ahead, against = (
                np.where(walked[edge], part / whole, fraction)
                for walked, part, whole in zip(
                    (self.walked_ahead, self.walked_against), parts, wholes, strict=True
                )
            )
        return (
            np.rint(ahead * self.forward_ms[edge]).astype(np.int64),
            np.rint(against * self.backward_ms[edge]).astype(np.int64),
        )

    @property
    def symmetric(self) -> bool:
        """Every way takes as long there as back, so every path does."""
        if self.grades is not None and (self.walked_ahead.any() or self.walked_against.any()):
            return False
        same = np.array_equal(self.forward, self.backward)
        return same and np.array_equal(self.forward_ms, self.backward_ms)


def use_streets(streets: Streets, profile: TravelProfile, grades: Grades | None = None) -> Usage:
    """
    Work out where a profile may go, how long each edge takes it and which parts hang together.

    What is walked takes as long as ``grades`` and the walking function of the profile say, up and down;
    whatever rides or drives heeds no grade. Without grades the ground is level.

    References
    ----------
    Access follows the OSM wiki's order of keys: the most special one that is tagged decides.
    """
    function = WALK_FUNCTIONS[profile.walk_function]
    slowness = (None, None) if grades is None else grades.slowness(function)
    # an e-bike is ridden where that is allowed, and pushed where one may walk, against a one-way street too
    ride = replace(profile, mode="bus") if profile.mode == "ebike" else profile
    walk = replace(profile, mode="walk")
    may_ride, may_walk = ([way[streets.way] for way in allowed(streets.tags, how)] for how in (ride, walk))
    ride_ms, level_ms = (streets.length_m / _kmh(streets, how) * 3600.0 for how in (ride, walk))
    open_: list[Bools] = []
    times: list[Ints] = []
    walked: list[Bools] = []
    for rides, walks, slow in zip(may_ride, may_walk, slowness, strict=True):
        walk_ms = whole_ms(level_ms if slow is None else level_ms * slow)
        if profile.mode == "walk":
            open_.append(walks)
            times.append(walk_ms)
            walked.append(np.ones(len(walks), bool))
            continue
        on_foot = (profile.mode == "ebike") & (~rides | (walks & (walk_ms < whole_ms(ride_ms))))
        open_.append(rides | (walks & (profile.mode == "ebike")))
        times.append(np.where(on_foot, walk_ms, whole_ms(ride_ms)))
        walked.append(on_foot)
    component, component_m = _components(streets, open_[0], open_[1])
    there, back = (np.where(ways, ms, 0) for ways, ms in zip(open_, times, strict=True))
    return Usage(open_[0], open_[1], there, back, component, component_m, walked[0], walked[1], function, grades)


def _kmh(streets: Streets, profile: TravelProfile) -> Floats:
    return speeds_kmh(streets.tags, profile)[streets.way]


def whole_ms(ms: Floats) -> Ints:
    """
    Round the time of each edge to whole milliseconds, 0 where there is no speed (NaN) and it is never used.

    This is the one place where time comes from. Rounded once, here; everything later is exact sums.
    """
    return np.rint(np.nan_to_num(ms)).astype(np.int64)


def speeds_kmh(tags: pd.DataFrame, profile: TravelProfile) -> Floats:
    """Give each way the profile's speed on level ground, NaN where its class carries no such traffic."""
    speeds: dict[str, float | None] = {r.name: r.drive_kmh for r in profile.roads}
    if profile.mode == "walk":
        speeds = {r.name: profile.flat_kmh if r.walk else None for r in profile.roads}
    elif profile.ride_kmh is not None:  # no faster than cars, and not where nobody may walk
        most = profile.ride_kmh
        speeds = {r.name: min(most, r.drive_kmh) if r.walk and r.drive_kmh else None for r in profile.roads}
    return tags["highway"].map(speeds).to_numpy(np.float64, na_value=np.nan)


def allowed(tags: pd.DataFrame, profile: TravelProfile) -> tuple[Bools, Bools]:
    """
    Say in which direction each way is open to the profile: along its nodes, and against them.

    A class that carries none of this traffic stays shut. Walkers mind ``oneway:foot`` only, and motorroads
    unless ``foot`` says yes; cars mind ``oneway`` and roundabouts, and so do e-bikes and buses, which keep off
    motorroads.
    """
    walks = profile.mode == "walk"
    open_by_class = ~np.isnan(speeds_kmh(tags, profile))
    keys = ("foot", "access") if walks else ("motorcar", "motor_vehicle", "vehicle", "access")
    verdict = pd.Series("", index=tags.index)
    for key in keys:  # the most special key that says anything decides
        verdict = verdict.where(verdict != "", _verdicts(tags[key]))
    opened = open_by_class & (verdict != "no").to_numpy(bool)
    if walks:
        explicit = (_verdicts(tags["foot"]) == "yes").to_numpy(bool)
        opened &= ~(tags["motorroad"] == "yes").to_numpy(bool) | explicit
        direction = tags["oneway:foot"]
    else:
        round_way = tags["junction"].isin(("roundabout", "circular")) & (tags["oneway"] == "")
        if profile.ride_kmh is not None:
            opened &= ~(tags["motorroad"] == "yes").to_numpy(bool)
        motorway = tags["highway"].isin(("motorway", "motorway_link")) & (tags["oneway"] == "")
        direction = tags["oneway"].mask(round_way | motorway, "yes")
    ahead = direction.isin(("yes", "true", "1")).to_numpy(bool)
    against = direction.isin(("-1", "reverse")).to_numpy(bool)
    return opened & ~against, opened & ~ahead


def _verdicts(values: pd.Series) -> pd.Series:
    # a country has a million ways and a dozen values
    return values.map({value: _verdict(value) for value in values.unique()})


def _verdict(value: str) -> str:
    """Say what an access tag means: ``yes``, ``no``, or nothing known; of several values one yes opens."""
    values = {part.strip() for part in value.split(";")}
    if values & YES:
        return "yes"
    return "no" if values <= NO else ""


def _components(
    streets: Streets, forward: Bools, backward: Bools
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    n = len(streets.node_id)
    tail = np.concatenate((streets.u[forward], streets.v[backward]))
    head = np.concatenate((streets.v[forward], streets.u[backward]))
    graph: Any = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n, n)).tocsr()
    _, label = connected_components(graph, directed=True, connection="strong")
    inside = (forward | backward) & (label[streets.u] == label[streets.v])
    # numbered by the first edge of each in file order, so the numbers mean the same in every run
    found, first = np.unique(label[streets.u][inside], return_index=True)
    number = np.full(n + 1, -1, np.int32)
    number[found[np.argsort(first)]] = np.arange(len(found), dtype=np.int32)
    component = np.where(inside, number[label[streets.u]], -1).astype(np.int32)
    size = np.bincount(component[inside], weights=streets.length_m[inside], minlength=len(found) or 1)
    return component, np.where(inside, size[np.maximum(component, 0)], 0.0)


def in_scope(streets: Streets, box: Bounds | None) -> Bools:
    """Say which edges have a vertex in a box of degrees; all of them where there is no box."""
    if box is None:
        return np.ones(streets.edge_n, bool)
    west, south, east, north = box
    hit = (streets.lon >= west) & (streets.lon <= east) & (streets.lat >= south) & (streets.lat <= north)
    return np.add.reduceat(hit.astype(np.int64), streets.offset[:-1]) > 0 if streets.edge_n else hit[:0]
