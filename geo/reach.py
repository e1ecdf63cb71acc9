"""
Travel time between points over streets.

Points are joined to the middle of edges, so the graph that is searched is the street graph with every edge cut
at the points on it. The cuts are made on whole milliseconds from the start of the edge, so that the time
between two points on an edge does not depend on what else lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo import crs as systems
from geo._kernels.search import LONGEST_MS, UNREACHED
from geo.graph import Graph, Nearest, Sources
from geo.network import Streets, Usage
from geo.profile import TravelProfile
from geo.snap import Snaps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MS_PER_MIN = 60_000.0
STOP_BESIDE_M = 50.0
"""How far a stop may stand from the road that its bus runs on [P]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    """Arcs with what they are made of: a stretch of an edge, or (-1) the step between a stop and its bus."""

    tail: Ints
    head: Ints
    ms: Ints
    m: Floats
    edge: Ints
    from_fraction: Floats
    to_fraction: Floats

    def and_(self, *others: _Arcs) -> _Arcs:
        """These and others, one after the other."""
        names = [field.name for field in fields(self)]
        return _Arcs(*(np.concatenate([getattr(one, name) for one in (self, *others)]) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """
    For each home the answer to one question; one row a home.

    ``facility`` is the row of the facility, -1 where none is reached. ``to_min`` is from home to facility,
    ``back_min`` from facility to home, in minutes; ``distance_m`` is the length of the way that decided. NaN
    where not reached; ``back_min`` (or ``to_min``) alone may be NaN where there is a way in one direction only.
    """

    facility: Ints
    to_min: Floats
    back_min: Floats
    distance_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rides:
    """
    Rides between stops, for a walker who takes the bus.

    ``usage`` is the bus's own. A stop is met on foot at ``on_foot`` and stands on the road at ``on_road``;
    ``wait_ms`` is what boarding there costs. Rows are stops. One rides along roads from stop to stop, whatever
    the lines: no county has its timetables.
    """

    usage: Usage
    on_foot: Snaps
    on_road: Snaps
    wait_ms: Ints


class Journeys:
    """
    The travel times of one profile between homes and facilities.

    Parameters
    ----------
    streets, usage, profile
        The graph and who travels on it.
    homes, facilities
        Where both meet it, with their true positions in degrees (``at``: longitude and latitude).
    rides
        Buses that the walker of ``usage`` may take.
    """

    def __init__(
        self,
        streets: Streets,
        usage: Usage,
        *,
        profile: TravelProfile,
        homes: Snaps,
        facilities: Snaps,
        homes_at: tuple[Floats, Floats],
        facilities_at: tuple[Floats, Floats],
        rides: Rides | None = None,
    ) -> None:
        self._symmetric = usage.symmetric and rides is None
        self._profile = profile
        on_foot = [homes, facilities, *([rides.on_foot] if rides is not None else [])]
        edge = np.concatenate([snaps.edge for snaps in on_foot])
        fraction = np.concatenate([snaps.fraction for snaps in on_foot])
        node, cut_edge, cut_fraction = _nodes(usage, edge, fraction)
        arcs = _cut(streets, usage, cut_edge, cut_fraction)
        self._node_n = usage.node_n + len(cut_edge)
        n, m = len(homes.edge), len(facilities.edge)
        self._home, self._facility = node[:n], node[n : n + m]
        if rides is not None:
            arcs = self._with_rides(streets, rides, arcs, node[n + m :])
        self._arcs = arcs
        self._out = Graph.pack(arcs.tail, arcs.head, arcs.ms, arcs.m, self._node_n)
        self._in = Graph.pack(arcs.head, arcs.tail, arcs.ms, arcs.m, self._node_n)
        self._home_leg = self._leg(homes.distance_m)
        self._facility_leg = self._leg(facilities.distance_m)
        self._beside = _beside(homes, facilities, homes_at, facilities_at) if profile.mode != "drive" else None

    def _with_rides(self, streets: Streets, rides: Rides, arcs: _Arcs, at_stop: Ints) -> _Arcs:
        """Lay the roads of the bus as a second floor above the streets, joined to them at the stops."""
        node, cut_edge, cut_fraction = _nodes(rides.usage, rides.on_road.edge, rides.on_road.fraction)
        above_ground = _cut(streets, rides.usage, cut_edge, cut_fraction)
        floor = self._node_n
        self._node_n += rides.usage.node_n + len(cut_edge)
        # a stop stands by its road; one in a field is met by no bus
        joined = (at_stop >= 0) & (node >= 0) & (rides.on_road.distance_m <= STOP_BESIDE_M)
        below, above = at_stop[joined], node[joined] + floor
        leg_ms, leg_m = self._leg(rides.on_foot.distance_m[joined])
        lifted = replace(above_ground, tail=above_ground.tail + floor, head=above_ground.head + floor)
        nowhere = np.full(len(below), -1), np.zeros(len(below)), np.zeros(len(below))
        boarding = _Arcs(below, above, leg_ms + rides.wait_ms[joined], leg_m, *nowhere)
        return arcs.and_(lifted, boarding, _Arcs(above, below, leg_ms, leg_m, *nowhere))

    def _leg(self, distance_m: Floats) -> tuple[Ints, Floats]:
        metres = np.nan_to_num(distance_m)
        return self._walk_ms(metres), metres

    def _walk_ms(self, metres: Floats) -> Ints:
        return np.rint(metres / self._profile.flat_kmh * 3600.0).astype(np.int64)

    def nearest(self, rows: Ints, *, rank: Ints, direction: str) -> Reached:
        """
        Find each home's nearest of some facilities.

        Ties in whole milliseconds go to the facility of the smallest ``rank``. A round trip is to one and the
        same facility; of two whose slower way takes equally long, the one whose other way is quicker. The leg
        between point and street is walked at both ends and counted; where a home and a facility are nearer to
        each other than to any street, the straight way between them counts.

        Parameters
        ----------
        rows
            Rows of the facilities asked for.
        rank
            Their order for ties, one per row.
        direction
            ``to_facility``, ``from_facility``, ``round_trip_mean`` or ``round_trip_worse``.
        """
        rows, rank = np.asarray(rows, np.int64), np.asarray(rank, np.int64)
        order = np.argsort(rank, kind="stable")
        rows = rows[order]
        if direction.startswith("round_trip") and not self._symmetric:
            return self._round_trip(rows, worse=direction == "round_trip_worse")
        inward = direction != "from_facility"
        time, chosen, metres = self._search(rows, inward=inward)
        time, chosen, metres = self._straight(rows, time, chosen, metres)
        other = time if self._symmetric else self._other_way(rows, chosen, inward=not inward)
        there, back = (time, other) if inward else (other, time)
        met = chosen >= 0
        facility = np.where(met, rows[np.maximum(chosen, 0)] if len(rows) else -1, -1)
        return Reached(facility, _minutes(there), _minutes(back), np.where(met, metres, np.nan))

    def way(self, home: int, facility: int, *, inward: bool = True) -> pd.DataFrame:
        """
        Follow the quickest way between a home and a facility, stretch by stretch.

        Of equally quick ways the shortest.

        Parameters
        ----------
        home, facility
            Their rows.
        inward
            From home to facility, else from facility to home.

        Returns
        -------
        way
            In the order of travel: ``edge`` (-1 where a bus is boarded or left), ``from_fraction`` and
            ``to_fraction`` along it, ``ms`` and ``m``; without the legs off the street. Empty where the two meet
            the streets at one place, and where there is no way.
        """
        start, end = (self._home[home], self._facility[facility])[:: 1 if inward else -1]
        chosen: list[int] = []
        if start >= 0 and end >= 0:
            wanted = np.zeros(self._node_n, bool)
            wanted[end] = True
            found = self._out.nearest(Sources.at([start]), wanted=wanted)
            if found.ms[end] < UNREACHED:
                chosen = self._traced(found, int(start), int(end))
        rows = np.array(chosen[::-1], np.int64)
        names = ("edge", "from_fraction", "to_fraction", "ms", "m")
        return pd.DataFrame({name: getattr(self._arcs, name)[rows] for name in names})

    def _traced(self, found: Nearest, start: int, end: int) -> list[int]:
        """
        Go back from the end along arcs that take just what the labels differ by; the arcs, the last first.

        Where arcs of no time lead round in circles, a step that leads nowhere is taken back.
        """
        into = np.argsort(self._arcs.head, kind="stable")  # the order of the arcs of ``_in``
        chosen: list[int] = []
        seen = {end}
        open_ = [self._tight(found, end, into)]
        while open_:
            node = int(self._arcs.tail[chosen[-1]]) if chosen else end
            if node == start:
                break
            arc = next((a for a in open_[-1] if int(self._arcs.tail[a]) not in seen), None)
            if arc is None:
                open_.pop()
                chosen = chosen[:-1]
                continue
            seen.add(int(self._arcs.tail[arc]))
            chosen.append(arc)
            open_.append(self._tight(found, int(self._arcs.tail[arc]), into))
        return chosen

    def _tight(self, found: Nearest, node: int, into: Ints) -> list[int]:
        """The arcs on which a quickest way may come to a node, the one of the shortest first."""
        arcs = into[self._in.indptr[node] : self._in.indptr[node + 1]]
        before = self._arcs.tail[arcs]
        tight = (found.ms[before] < UNREACHED) & (found.ms[before] + self._arcs.ms[arcs] == found.ms[node])
        apart = np.abs(found.m[before] + self._arcs.m[arcs] - found.m[node])
        return [int(arc) for arc in arcs[np.argsort(np.where(tight, apart, np.inf), kind="stable")[: tight.sum()]]]

    def _search(
        self, rows: Ints, *, inward: bool, stop_at: Ints | None = None
    ) -> tuple[Ints, NDArray[np.int32], Floats]:
        """Label homes with time, place in ``rows`` and metres; inward: from home to facility."""
        graph = self._in if inward else self._out
        source = np.flatnonzero(self._facility[rows] >= 0)
        leg_ms, leg_m = self._facility_leg[0][rows[source]], self._facility_leg[1][rows[source]]
        wanted = np.zeros(self._node_n, bool)
        homes = self._home[self._home >= 0] if stop_at is None else self._home[stop_at]
        wanted[homes] = True
        found = graph.nearest(Sources(self._facility[rows[source]], leg_ms, leg_m, source), wanted=wanted)
        here = np.maximum(self._home, 0)
        met = (self._home >= 0) & (found.rank[here] >= 0)
        home_ms, home_m = self._home_leg
        return (
            np.where(met, found.ms[here] + home_ms, UNREACHED),
            np.where(met, found.rank[here], -1).astype(np.int32),
            np.where(met, found.m[here] + home_m, np.nan),
        )

    def _straight(
        self, rows: Ints, time: Ints, chosen: NDArray[np.int32], metres: Floats
    ) -> tuple[Ints, NDArray[np.int32], Floats]:
        if self._beside is None or not len(self._beside[0]):
            return time, chosen, metres
        home, facility, straight_m = self._beside
        place = np.full(len(self._facility), -1, np.int64)
        place[rows] = np.arange(len(rows))
        asked = place[facility] >= 0
        home, rank, straight_m = home[asked], place[facility[asked]], straight_m[asked]
        ms = self._walk_ms(straight_m)
        order = np.lexsort((straight_m, rank, ms, home))
        home, first = np.unique(home[order], return_index=True)
        rank, straight_m, ms = rank[order][first], straight_m[order][first], ms[order][first]
        now = chosen[home]
        better = (now < 0) | (ms < time[home]) | ((ms == time[home]) & (rank <= now))
        time, chosen, metres = time.copy(), chosen.copy(), metres.copy()
        time[home[better]], chosen[home[better]] = ms[better], rank[better]
        metres[home[better]] = straight_m[better]
        return time, chosen, metres

    def _other_way(self, rows: Ints, chosen: NDArray[np.int32], *, inward: bool) -> Ints:
        """Time of the opposite direction to the facility each home has chosen; one search a facility chosen."""
        time = np.full(len(chosen), UNREACHED, np.int64)
        for place in np.unique(chosen[chosen >= 0]):
            one = rows[[place]]
            mine = np.flatnonzero((chosen == place) & (self._home >= 0))
            found, met, metres = self._search(one, inward=inward, stop_at=mine)
            found, _, _ = self._straight(one, found, met, metres)
            mine = np.flatnonzero(chosen == place)
            time[mine] = found[mine]
        return time

    def _round_trip(self, rows: Ints, *, worse: bool) -> Reached:
        """
        Find the best way there and back to one and the same facility, exactly.

        No facility is nearer there than the nearest there, nor back than the nearest back: where these are one,
        it is the best. Elsewhere all facilities are looked at that are near enough both ways to be better.
        """
        n = len(self._home)
        (to_ms, to_at, to_m), (back_ms, back_at, back_m) = (
            self._straight(rows, *self._search(rows, inward=inward)) for inward in (True, False)
        )
        chosen = np.where(to_at == back_at, to_at, -1)
        unlike = np.flatnonzero((to_at >= 0) & (back_at >= 0) & (to_at != back_at))
        # one that is not found within the limit both ways is further than the limit one way
        limit = np.maximum(to_ms, back_ms)
        while len(unlike):
            found = self._both_ways(rows, unlike, limit[unlike])
            total = found.to_ms + found.back_ms
            slower = np.maximum(found.to_ms, found.back_ms)
            # of equally slow ones the one that takes less in all, then the smallest rank
            first = np.lexsort((found.place, total, slower) if worse else (found.place, total))
            first = first[np.argsort(found.home[first], kind="stable")]
            home, at = np.unique(found.home[first], return_index=True)
            best = first[at]
            beyond = limit[home] + (0 if worse else np.minimum(to_ms, back_ms)[home])
            sure = (slower if worse else total)[best] <= beyond
            home, best = home[sure], best[sure]
            chosen[home], to_ms[home], back_ms[home] = found.place[best], found.to_ms[best], found.back_ms[best]
            to_m[home], back_m[home] = found.to_m[best], found.back_m[best]
            unlike = np.setdiff1d(unlike, home)
            unlike = unlike[limit[unlike] < LONGEST_MS]
            limit[unlike] = np.minimum(2 * limit[unlike] + 60_000, LONGEST_MS)
        met = chosen >= 0
        facility = np.full(n, -1, np.int64)
        facility[met] = rows[chosen[met]]
        there, back = (np.where(met, _minutes(ms), np.nan) for ms in (to_ms, back_ms))
        way = np.where(to_ms >= back_ms, to_m, back_m) if worse else (to_m + back_m) / 2
        return Reached(facility, there, back, np.where(met, way, np.nan))

    def around(self, home: int, rows: Ints, *, direction: str, k: int) -> pd.DataFrame:
        """
        List the nearest of some facilities from one home, with both ways to each.

        Returns
        -------
        table
            ``facility`` (its row), ``to_min``, ``back_min``, ``time_min`` (what decides) and ``m`` (of the way
            there, or back where that decides), the nearest first; fewer than ``k`` where fewer are reached both
            ways. Of equally near ones the earlier in ``rows``.
        """
        one, rows = np.array([home], np.int64), np.asarray(rows, np.int64)
        limit = np.array([15 * 60_000], np.int64)
        table = pd.DataFrame({name: np.zeros(0) for name in ("facility", "to_min", "back_min", "time_min", "m")})
        while self._home[home] >= 0:
            pairs = self._both_ways(rows, one, limit)
            reached = Reached(rows[pairs.place], _minutes(pairs.to_ms), _minutes(pairs.back_ms), pairs.to_m)
            table = pd.DataFrame(
                {"facility": reached.facility, "to_min": reached.to_min, "back_min": reached.back_min,
                 "time_min": decided_min(reached, direction), "place": pairs.place,
                 "m": pairs.back_m if direction == "from_facility" else pairs.to_m}
            )  # fmt: skip
            table = table.sort_values(["time_min", "place"], ignore_index=True).drop(columns="place").head(k)
            # one that is near there and far back is found late: nobody's way back takes four times as long
            enough = len(table) == min(k, len(rows)) and limit[0] >= 4 * MS_PER_MIN * table["time_min"].max()
            if enough or limit[0] >= LONGEST_MS:
                break
            limit = np.minimum(4 * limit, LONGEST_MS)
        return table

    def _both_ways(self, rows: Ints, homes: Ints, limit_ms: Ints) -> _Pairs:
        """The facilities that each of some homes reaches within its limit, there and back."""
        place = np.full(len(self._facility), -1, np.int64)
        place[rows] = np.arange(len(rows))
        at = rows[self._facility[rows] >= 0]
        at = at[np.argsort(self._facility[at], kind="stable")]
        ends = np.zeros(self._node_n, bool)
        ends[self._facility[at]] = True
        legs = []
        for graph in (self._out, self._in):
            start_ms, start_m = self._home_leg[0][homes], self._home_leg[1][homes]
            row, node, ms, metres = graph.within(
                self._home[homes], start_ms, start_m, limit_ms=limit_ms, ends=ends
            )
            # each facility at the node
            low = np.searchsorted(self._facility[at], node)
            count = np.searchsorted(self._facility[at], node, side="right") - low
            which = np.repeat(np.arange(len(node)), count)
            one = at[low[which] + np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)]
            legs.append(pd.DataFrame({
                "home": homes[row[which]], "place": place[one], "ms": ms[which] + self._facility_leg[0][one],
                "m": metres[which] + self._facility_leg[1][one],
            }))  # fmt: skip
        both = legs[0].merge(legs[1], on=["home", "place"], suffixes=("_to", "_back"), how="outer")
        if self._beside is not None:
            home, facility, straight_m = self._beside
            own = np.isin(home, homes) & (place[facility] >= 0)
            aside = pd.DataFrame({"home": home[own], "place": place[facility[own]], "m": straight_m[own]})
            aside["ms"] = self._walk_ms(straight_m[own])
            both = both.merge(aside, on=["home", "place"], how="outer")
            for side in ("to", "back"):
                straight = both["ms"].le(both[f"ms_{side}"].fillna(np.inf)) & both["ms"].notna()
                both[f"m_{side}"] = both[f"m_{side}"].mask(straight, both["m"])
                both[f"ms_{side}"] = both[f"ms_{side}"].mask(straight, both["ms"])
        both = both[both["ms_to"].notna() & both["ms_back"].notna()]
        whole = (both[name].to_numpy(np.int64) for name in ("home", "place", "ms_to", "ms_back"))
        return _Pairs(*whole, *(both[name].to_numpy(np.float64) for name in ("m_to", "m_back")))


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Homes and facilities (as places in the rows asked for) with the ways between them."""

    home: Ints
    place: Ints
    to_ms: Ints
    back_ms: Ints
    to_m: Floats
    back_m: Floats


def _minutes(ms: Ints) -> Floats:
    return np.where(ms < UNREACHED, ms / MS_PER_MIN, np.nan)


def decided_min(reached: Reached, direction: str) -> Floats:
    """
    Give the time that counts for a direction, in minutes; NaN where a leg it needs is missing.

    Examples
    --------
    >>> one = Reached(np.array([0]), np.array([10.0]), np.array([14.0]), np.array([700.0]))
    >>> [float(decided_min(one, d)[0]) for d in ("to_facility", "round_trip_mean", "round_trip_worse")]
    [10.0, 12.0, 14.0]
    """
    if direction == "to_facility":
        return reached.to_min
    if direction == "from_facility":
        return reached.back_min
    if direction == "round_trip_mean":
        return (reached.to_min + reached.back_min) / 2
    return np.maximum(reached.to_min, reached.back_min)


def _beside(
    homes: Snaps, facilities: Snaps, homes_at: tuple[Floats, Floats], facilities_at: tuple[Floats, Floats]
) -> tuple[Ints, Ints, Floats]:
    """
    Pair homes and facilities on one part of the network, nearer to each other than their ways to it together.

    Such a straight way meets no street: a street on it would be at most as far from both ends.
    """
    home = np.flatnonzero(homes.found)
    facility = np.flatnonzero(facilities.found)
    if not len(home) or not len(facility):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    plane = systems.zone(float(np.median(homes_at[0][home])))
    xy_home = np.column_stack(systems.project(homes_at[0][home], homes_at[1][home], plane))
    xy_facility = np.column_stack(systems.project(facilities_at[0][facility], facilities_at[1][facility], plane))
    # what a facility can add is at most its own leg, so one radius per home is enough
    radius = (homes.distance_m[home] + facilities.distance_m[facility].max()) * 1.02
    near = KDTree(xy_facility).query_ball_point(xy_home, radius, return_sorted=True)
    size = np.array([len(rows) for rows in near], np.int64)
    i = np.repeat(home, size)
    j = facility[np.concatenate([np.asarray(rows, np.int64) for rows in near])]
    straight = systems.geodesic_m(homes_at[0][i], homes_at[1][i], facilities_at[0][j], facilities_at[1][j])
    short = straight < homes.distance_m[i] + facilities.distance_m[j]
    # two parts of the network that do not meet are parted by something: a place cut off stays cut off
    short &= homes.component[i] == facilities.component[j]
    return i[short], j[short], straight[short]


def _nodes(usage: Usage, edge: Ints, fraction: Floats) -> tuple[Ints, Ints, Floats]:
    """
    Give each point its node: a junction where it meets the end of an edge, else one node a place on an edge.

    Points that meet an edge at one place share a node, or a one-way street would part them by a round.
    """
    node = np.full(len(edge), -1, np.int64)
    on = edge >= 0
    node[on] = np.where(fraction[on] == 0.0, usage.u[edge[on]], usage.v[edge[on]])
    inner = np.flatnonzero(on & (fraction > 0.0) & (fraction < 1.0))
    places, which = np.unique(np.column_stack((edge[inner], fraction[inner])), axis=0, return_inverse=True)
    node[inner] = usage.node_n + which.reshape(-1)
    return node, places[:, 0].astype(np.int64), np.asarray(places[:, 1], np.float64)


def _cut(streets: Streets, usage: Usage, edge: Ints, fraction: Floats) -> _Arcs:
    """Cut edges at points and give the arcs between what then lies on them."""
    edges = np.flatnonzero(usage.forward | usage.backward)
    at = np.concatenate((edges, edge, edges))
    where = np.concatenate((np.zeros(len(edges)), fraction, np.ones(len(edges))))
    stage = np.repeat([0, 1, 2], [len(edges), len(edge), len(edges)])
    new = usage.node_n + np.arange(len(edge))
    node = np.concatenate((usage.u[edges], new, usage.v[edges])).astype(np.int64)
    order = np.lexsort((where, stage, at))
    at, where, node = at[order], where[order], node[order]
    same = at[:-1] == at[1:]
    a, b, e = node[:-1][same], node[1:][same], at[:-1][same]
    from_, to = where[:-1][same], where[1:][same]

    def up_to(where: Floats) -> list[Ints]:
        """What lies between u and a place on each edge, ahead and against it."""
        inner = np.flatnonzero((where > 0.0) & (where < 1.0))
        out = [np.where(where > 0.0, whole[e], 0) for whole in (usage.forward_ms, usage.backward_ms)]
        for ms, part in zip(out, usage.part_ms(e[inner], where[inner]), strict=True):
            ms[inner] = part
        return out

    there, back = (end - start for start, end in zip(up_to(from_), up_to(to), strict=True))
    length = (to - from_) * streets.length_m[e]
    ahead, against = usage.forward[e], usage.backward[e]
    tail = np.concatenate((a[ahead], b[against]))
    head = np.concatenate((b[ahead], a[against]))
    cost = np.concatenate((there[ahead], back[against]))
    metres = np.concatenate((length[ahead], length[against]))
    starts, ends = np.concatenate((from_[ahead], to[against])), np.concatenate((to[ahead], from_[against]))
    return _Arcs(tail, head, cost, metres, np.concatenate((e[ahead], e[against])), starts, ends)
