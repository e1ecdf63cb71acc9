"""
Streets as a graph: junctions, edges with their geodesic length, who may use them, and how long they take.

All parts are kept. Whether a part is cut off from the rest is counted per travel profile, never repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import crs as systems
from geo.graph import z_order
from geo.io import Bounds
from geo.osm import BARRIER_TAGS, FERRY, OsmWays
from geo.profile import FASTEST_FERRY_KMH, TravelProfile
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
    was cut to (``cut``: streets may go on outside), else the extent of the streets. ``barriers`` has a row a
    ``node`` with a barrier, and its tags.
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
    barriers: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["node", *BARRIER_TAGS]))

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

    @property
    def raised(self) -> Bools:
        """Edges on a bridge, in a tunnel or on water, off the ground between their ends."""
        bridge = ~self.tags["bridge"].isin(("", "no"))
        tunnel = ~self.tags["tunnel"].isin(("", "no", "building_passage"))
        return (bridge | tunnel).to_numpy(bool)[self.way] | self.ferry

    @property
    def ferry(self) -> Bools:
        """Edges on which a ferry carries everybody."""
        return (self.tags["highway"] == FERRY).to_numpy(bool)[self.way]

    def to_the_centimetre(self, edge: Ints, fraction: Floats) -> Floats:
        """Round places on edges, so that two points that face each other across a street meet it at one place."""
        steps = np.maximum(np.rint(self.length_m[edge] / 0.01), 1.0)
        return np.asarray(np.rint(fraction * steps) / steps, np.float64)

    def along(self, edge: Ints, fraction: Floats) -> tuple[Floats, Floats]:
        """Longitude and latitude of places on edges, 0 at u to 1 at v by length."""
        if not len(edge):
            return np.zeros(0), np.zeros(0)
        step = systems.geodesic_m(self.lon[:-1], self.lat[:-1], self.lon[1:], self.lat[1:])
        step[self.offset[1:-1] - 1] = 1.0  # a metre lies between the end of one edge and the next on the scale
        at = np.append(0.0, np.cumsum(step))
        start, end = at[self.offset[:-1]], at[self.offset[1:] - 1]
        where = start[edge] + fraction * (end - start)[edge]
        return np.interp(where, at, self.lon), np.interp(where, at, self.lat)

    def lines(self, plane: CRS | None = None, *, edges: Bools | None = None) -> NDArray[np.object_]:
        """The edges, or some of them, as lines, in degrees or in the metres of a plane."""
        which = np.repeat(np.arange(self.edge_n), np.diff(self.offset))
        lon, lat = self.lon, self.lat
        if edges is not None:
            own = edges[which]
            which, lon, lat = np.repeat(np.arange(edges.sum()), np.diff(self.offset)[edges]), lon[own], lat[own]
        xy = (lon, lat) if plane is None else systems.project(lon, lat, plane)
        return np.asarray(shapely.linestrings(np.column_stack(xy), indices=which), object)


def build_streets(ways: OsmWays) -> Streets:
    """
    Cut ways at every node that two of them, or one of them twice, pass through, and at barriers.

    Returns
    -------
    streets
        Every metre of every way once, in the order of the file; lengths are geodesic sums over the vertices.
    """
    total = len(ways.node_id)
    node_id, inverse, count = np.unique(ways.node_id, return_inverse=True, return_counts=True)
    first, last = ways.offset[:-1], ways.offset[1:] - 1
    breaks = (count[inverse] > 1) | np.isin(ways.node_id, ways.barriers["node_id"].to_numpy(np.int64))
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
        tags=ways.tags, box=box, cut=ways.box is not None, barriers=_on_streets(ways.barriers, node_id, number),
    )  # fmt: skip


def _on_streets(barriers: pd.DataFrame, node_id: Ints, number: Ints) -> pd.DataFrame:
    """The barriers that stand on a street, by the number of their node."""
    known = pd.Series(number, index=node_id).reindex(barriers["node_id"]).to_numpy(np.float64)
    own = barriers.drop(columns="node_id").assign(node=known)[known >= 0]
    return own.astype({"node": "int64"}).reset_index(drop=True)


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
    the ground is level); the others heed no grade. ``u`` and ``v`` are the ends of edges as this profile meets
    them, of ``node_n`` nodes: at a barrier that it cannot pass each edge ends by itself.
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
    u: NDArray[np.int32]
    v: NDArray[np.int32]
    node_n: int

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

    def turned(self) -> Usage:
        """The same profile on the same streets with every way turned round: up is down and there is back."""
        grades = None if self.grades is None else self.grades.turned()
        return replace(
            self, forward=self.backward, backward=self.forward, forward_ms=self.backward_ms,
            backward_ms=self.forward_ms, walked_ahead=self.walked_against, walked_against=self.walked_ahead,
            grades=grades,
        )  # fmt: skip

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
    nowhere = np.zeros(streets.edge_n, bool)
    on_land = ~streets.ferry
    if profile.mode == "walk":
        open_, times = _on_foot(streets, profile, grades)
        walked = [on_land, on_land]
    elif profile.mode == "ebike":
        # ridden where that is allowed, and pushed where one may walk, against a one-way street too
        walks, slow = _on_foot(streets, replace(profile, mode="walk"), grades)
        rides, quick = _on_wheels(streets, replace(profile, mode="bus"))
        walked = [on_land & (~r | (w & (s < q))) for r, w, s, q in zip(rides, walks, slow, quick, strict=True)]
        open_ = [r | w for r, w in zip(rides, walks, strict=True)]
        times = [np.where(pushed, s, q) for pushed, s, q in zip(walked, slow, quick, strict=True)]
    else:
        open_, times = _on_wheels(streets, profile)
        walked = [nowhere, nowhere]
    u, v, node_n = _ends(streets, profile)
    component, component_m = _components(streets.length_m, u, v, node_n, open_[0], open_[1])
    there, back = (np.where(ways, ms, 0) for ways, ms in zip(open_, times, strict=True))
    return Usage(
        open_[0], open_[1], there, back, component, component_m, walked[0], walked[1],
        WALK_FUNCTIONS[profile.walk_function], grades, u, v, node_n,
    )  # fmt: skip


WALLS = frozenset({"wall", "fence", "city_wall", "hedge", "retaining_wall"})
"""What nobody passes unless a tag lets him."""

STOPS_CARS = WALLS | frozenset({
    "block", "bollard", "chain", "cycle_barrier", "debris", "ditch", "full-height_turnstile", "horse_stile",
    "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier", "planter", "rope", "sliding_beam", "stile",
    "turnstile",
})  # fmt: skip
"""What a car does not pass unless a tag lets it; a gate it does."""


def closed_nodes(streets: Streets, profile: TravelProfile) -> Bools:
    """
    Say which nodes a profile cannot pass: a barrier of a kind that stops it, or one whose tags keep it out.

    An e-bike is pushed where one may walk. The most special tag that says anything goes before the kind.
    """
    closed, barriers = np.zeros(len(streets.node_id), bool), streets.barriers
    if not len(barriers):
        return closed
    on_foot = profile.mode in ("walk", "ebike")
    keys = ("foot", "access") if on_foot else ("motorcar", "motor_vehicle", "vehicle", "access")
    verdict = pd.Series("", index=barriers.index)
    for key in keys:
        verdict = verdict.where(verdict != "", _verdicts(barriers[key]))
    kind = barriers["barrier"].isin(WALLS if on_foot else STOPS_CARS)
    shut = (verdict == "no") | (kind & (verdict != "yes"))
    closed[barriers.loc[shut, "node"].to_numpy(np.int64)] = True
    return closed


def _ends(streets: Streets, profile: TravelProfile) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Give the ends of edges, each its own at a node that the profile cannot pass."""
    closed, n = closed_nodes(streets, profile), len(streets.node_id)
    out = []
    for ends in (streets.u, streets.v):
        own = closed[ends]
        moved = ends.copy()
        moved[own] = n + np.arange(own.sum())
        n += int(own.sum())
        out.append(moved)
    return out[0], out[1], n


def _on_foot(streets: Streets, profile: TravelProfile, grades: Grades | None) -> tuple[list[Bools], list[Ints]]:
    """Where one walks, ahead and against each edge, and the time that it takes."""
    on_carriageway = ~beside_a_footway(streets)
    open_ = [way[streets.way] & on_carriageway for way in allowed(streets.tags, profile)]
    level = _level_ms(streets, profile)
    if grades is None:
        return open_, [whole_ms(level)] * 2
    slowness = grades.slowness(WALK_FUNCTIONS[profile.walk_function])
    return open_, [whole_ms(np.where(streets.ferry, level, level * slow)) for slow in slowness]


def _on_wheels(streets: Streets, profile: TravelProfile) -> tuple[list[Bools], list[Ints]]:
    """Where one rides or drives, ahead and against each edge, and the time that it takes."""
    open_ = [way[streets.way] for way in allowed(streets.tags, profile)]
    return open_, [whole_ms(_level_ms(streets, profile))] * 2


def _level_ms(streets: Streets, profile: TravelProfile) -> Floats:
    level = np.asarray(streets.length_m / speeds_kmh(streets.tags, profile)[streets.way] * 3600.0, np.float64)
    ferry = np.flatnonzero(streets.ferry)
    if not len(ferry):
        return level
    # a ferry takes as long as its tags say from end to end, and is waited for once on the whole way
    way = streets.way[ferry]
    whole_m = np.bincount(streets.way, streets.length_m, len(streets.tags))[way]
    share = streets.length_m[ferry] / np.maximum(whole_m, 1e-9)
    told = _tagged_min(streets.tags["duration"])[way]
    sail = np.maximum(told * MS_PER_MIN, whole_m / FASTEST_FERRY_KMH * 3600.0) * share
    usual = max(rule.wait_min for rule in profile.roads) if profile.roads else 0.0
    wait = np.nan_to_num(_tagged_min(streets.tags["interval"])[way] / 2, nan=usual)
    level[ferry] = np.where(np.isnan(told), level[ferry], sail)
    level[ferry] += wait * MS_PER_MIN * share
    return level


MS_PER_MIN = 60_000.0


def _tagged_min(values: pd.Series) -> Floats:
    """Read minutes, hh:mm or hh:mm:ss; NaN for anything else."""
    parts = values.str.extract(r"^(?:(\d+):)?(\d+)(?::(\d\d))?$").astype("float64")
    minutes = parts[0].fillna(0.0) * 60 + parts[1] + parts[2].fillna(0.0) / 60
    return minutes.where(minutes > 0).to_numpy(np.float64)


def whole_ms(ms: Floats) -> Ints:
    """
    Round the time of each edge to whole milliseconds, 0 where there is no speed (NaN) and it is never used.

    This is the one place where time comes from. Rounded once, here; everything later is exact sums.
    """
    return np.rint(np.nan_to_num(ms)).astype(np.int64)


def speeds_kmh(tags: pd.DataFrame, profile: TravelProfile) -> Floats:
    """Give each way the profile's speed on level ground, NaN where its class carries no such traffic."""
    speeds: dict[str, float | None] = {r.name: r.drive_kmh for r in profile.roads}
    carried = {r.name: r.carry_kmh for r in profile.roads if r.carry_kmh}
    if profile.mode == "walk":
        speeds = {r.name: profile.flat_kmh if r.walk else None for r in profile.roads}
    elif profile.ride_kmh is not None:  # no faster than cars, and not where nobody may walk
        most = profile.ride_kmh
        speeds = {r.name: min(most, r.drive_kmh) if r.walk and r.drive_kmh else None for r in profile.roads}
    return tags["highway"].map(speeds | carried).to_numpy(np.float64, na_value=np.nan)


def allowed(tags: pd.DataFrame, profile: TravelProfile) -> tuple[Bools, Bools]:
    """
    Say in which direction each way is open to the profile: along its nodes, and against them.

    A class that carries none of this traffic stays shut. Walkers mind ``oneway:foot`` only, and motorroads
    unless ``foot`` says yes; cars mind ``oneway`` and roundabouts, and so do e-bikes and buses, which keep off
    motorroads. A ferry takes no vehicle unless its tags say so.
    """
    walks = profile.mode == "walk"
    open_by_class = ~np.isnan(speeds_kmh(tags, profile))
    keys = ("foot", "access") if walks else ("motorcar", "motor_vehicle", "vehicle", "access")
    verdict = pd.Series("", index=tags.index)
    for key in keys:  # the most special key that says anything decides
        verdict = verdict.where(verdict != "", _verdicts(tags[key]))
    opened = open_by_class & (verdict != "no").to_numpy(bool)
    if not walks:  # a ferry takes people; cars only if its tags say so
        opened &= ((tags["highway"] != FERRY) | (verdict == "yes")).to_numpy(bool)
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


FOOTWAYS = ("footway", "path", "pedestrian", "cycleway", "steps")
BESIDE_M, BESIDE_STEP_M = 25.0, 20.0
"""How near a footway runs along a carriageway to be its sidewalk, and how often that is looked at [P]."""


def beside_a_footway(streets: Streets) -> Bools:
    """
    Mark the edges whose sidewalks are mapped as ways of their own, and are there.

    Their tags say so (``sidewalk=separate`` or ``foot=use_sidewalk``), and along at least half of the edge a way
    for walkers lies within 25 m. Where none is mapped, one walks on the carriageway.
    """
    tags = streets.tags
    told = tags["foot"] == "use_sidewalk"
    for key in ("sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"):
        told = told | (tags[key] == "separate")
    footway = tags["highway"].isin(FOOTWAYS)
    shut = _verdicts(tags["foot"]).where(tags["foot"] != "", _verdicts(tags["access"])) == "no"
    found = np.zeros(streets.edge_n, bool)
    asked = np.flatnonzero((told & ~footway).to_numpy(bool)[streets.way])
    own = np.flatnonzero((footway & ~shut).to_numpy(bool)[streets.way])
    if not len(asked) or not len(own):
        return found
    lines = streets.lines(systems.zone((streets.box[0] + streets.box[2]) / 2))
    count = np.maximum((streets.length_m[asked] / BESIDE_STEP_M).astype(np.int64), 1)
    edge = np.repeat(np.arange(len(asked)), count)
    middle = (np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[edge]
    points = shapely.line_interpolate_point(lines[asked[edge]], middle, normalized=True)
    near = np.zeros(len(points), bool)
    near[shapely.STRtree(lines[own]).query(points, predicate="dwithin", distance=BESIDE_M)[0]] = True
    found[asked] = np.bincount(edge, weights=near, minlength=len(asked)) * 2 >= count
    return found


def left_out(streets: Streets, profile: TravelProfile) -> pd.DataFrame:
    """
    Say which streets a profile cannot use in either direction, and why.

    Returns
    -------
    table
        ``why`` (``class``: no such traffic there; ``motorroad``; ``access``: its tags keep it out; ``sidewalk``:
        one walks beside it), ``highway``, ``ways_n`` and ``length_km``, the most first.
    """
    tags = streets.tags
    open_ = np.logical_or(*allowed(tags, profile))
    by_class = ~np.isnan(speeds_kmh(tags, profile))
    by_access = np.logical_or(*allowed(tags.assign(motorroad=""), profile))
    why = np.where(open_, "", np.where(~by_class, "class", np.where(by_access, "motorroad", "access")))[
        streets.way
    ]
    if profile.mode == "walk":
        why = np.where((why == "") & beside_a_footway(streets), "sidewalk", why)
    frame = pd.DataFrame(
        {"why": why, "highway": tags["highway"].to_numpy()[streets.way], "way": streets.way,
         "length_km": streets.length_m / 1000}
    )  # fmt: skip
    kept = frame[frame["why"] != ""].groupby(["why", "highway"])
    table = kept.agg(ways_n=("way", "nunique"), length_km=("length_km", "sum")).reset_index()
    return table.sort_values(["length_km", "why", "highway"], ascending=[False, True, True], ignore_index=True)


def ferries_adrift(streets: Streets) -> list[str]:
    """Name the ferries that do not meet streets at two places: they carry nobody anywhere."""
    ferry = streets.ferry
    on_land = np.zeros(len(streets.node_id), bool)
    on_land[np.concatenate((streets.u[~ferry], streets.v[~ferry]))] = True
    ends = pd.DataFrame(
        {"way": np.tile(streets.way[ferry], 2), "node": np.concatenate((streets.u[ferry], streets.v[ferry]))}
    )
    met = (
        ends[on_land[ends["node"]]].groupby("way")["node"].nunique().reindex(np.unique(ends["way"]), fill_value=0)
    )
    return [f"w{streets.tags['way_id'].iloc[way]}" for way in met.index[met < 2]]


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
    length_m: Floats, u: NDArray[np.int32], v: NDArray[np.int32], n: int, forward: Bools, backward: Bools
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    tail = np.concatenate((u[forward], v[backward]))
    head = np.concatenate((v[forward], u[backward]))
    graph: Any = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n, n)).tocsr()
    _, label = connected_components(graph, directed=True, connection="strong")
    inside = (forward | backward) & (label[u] == label[v])
    # numbered by the first edge of each in file order, so the numbers mean the same in every run
    found, first = np.unique(label[u][inside], return_index=True)
    number = np.full(n + 1, -1, np.int32)
    number[found[np.argsort(first)]] = np.arange(len(found), dtype=np.int32)
    component = np.where(inside, number[label[u]], -1).astype(np.int32)
    size = np.bincount(component[inside], weights=length_m[inside], minlength=len(found) or 1)
    return component, np.where(inside, size[np.maximum(component, 0)], 0.0)


def in_scope(streets: Streets, box: Bounds | None) -> Bools:
    """Say which edges have a vertex in a box of degrees; all of them where there is no box."""
    if box is None:
        return np.ones(streets.edge_n, bool)
    west, south, east, north = box
    hit = (streets.lon >= west) & (streets.lon <= east) & (streets.lat >= south) & (streets.lat <= north)
    return np.add.reduceat(hit.astype(np.int64), streets.offset[:-1]) > 0 if streets.edge_n else hit[:0]
