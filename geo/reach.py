"""
Travel time between points over streets.

Points are joined to the middle of edges, so the graph that is searched is the street graph with every edge cut
at the points on it, and with the ways over open ground to it. The cuts are made on whole milliseconds from the
start of the edge, so that the time between two points on an edge does not depend on what else lies between them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo._kernels.search import LONGEST_MS, UNREACHED
from geo.connectors import Barred, Pairs, Ways, straight_pairs, straight_ways
from geo.graph import Graph, Nearest, Sources
from geo.network import Streets, Usage
from geo.profile import TravelProfile
from geo.snap import Snaps

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MS_PER_MIN = 60_000.0
BOARDED, OFF_STREET = -1, -2
"""What stands for an edge where a bus is boarded or left, and on open ground."""

STOP_BESIDE_M = 50.0
"""How far a stop may stand from the road that its bus runs on [P]."""


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    """Arcs with what they are made of: a stretch of an edge, ``BOARDED`` or ``OFF_STREET``."""

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

    ``usage`` is the bus's own. A stop is a facility (``stop``, its row) and stands on the road at ``on_road``;
    ``wait_ms`` is what boarding there costs. Rows are stops. One rides along roads from stop to stop, whatever
    the lines: no county has its timetables.
    """

    usage: Usage
    stop: Ints
    on_road: Snaps
    wait_ms: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """How homes and facilities come to the streets and to each other without them; ``homes_n`` and so on count."""

    homes_n: int
    facilities_n: int
    homes: Ways
    facilities: Ways
    pairs: Pairs

    @classmethod
    def straight(
        cls, homes: Snaps, facilities: Snaps, homes_at: tuple[Floats, Floats],
        facilities_at: tuple[Floats, Floats], profile: TravelProfile, barred: Barred | None = None,
    ) -> Crossing:  # fmt: skip
        """Straight legs at walking speed, see ``Journeys.straight``; ``barred`` as in ``straight_pairs``."""
        pairs = Pairs.none()
        if profile.mode != "drive":
            pairs = straight_pairs(homes, facilities, homes_at, facilities_at, barred=barred)
        counts = len(homes.edge), len(facilities.edge)
        return cls(*counts, straight_ways(homes), straight_ways(facilities), pairs)

    def of_owners(self, owner: Ints, n: int) -> Crossing:
        """
        Let ``n`` facilities be come to by any of their doors, which are the facilities here.

        The way there and the way back may be by two doors: a round trip is to one facility.
        """
        ends = self.facilities.of_owners(owner).within(np.inf)
        return replace(self, facilities_n=n, facilities=ends, pairs=self.pairs.of_owners(owner))

    def turned(self) -> Crossing:
        """The same walked the other way round."""
        return replace(
            self, homes=self.homes.turned(), facilities=self.facilities.turned(), pairs=self.pairs.turned()
        )


class Journeys:
    """
    The travel times of one profile between homes and facilities.

    A point is left at one node and come to at another, so that no way leads through a point.

    Parameters
    ----------
    streets, usage, profile
        The graph and who travels on it.
    crossing
        How both meet it.
    rides
        Buses that the walker of ``usage`` may take.
    """

    def __init__(
        self, streets: Streets, usage: Usage, *, profile: TravelProfile, crossing: Crossing,
        rides: Rides | None = None,
    ) -> None:  # fmt: skip
        self._profile = profile
        ways = (crossing.homes, crossing.facilities)
        edge, fraction = (np.concatenate([getattr(w, name) for w in ways]) for name in ("edge", "fraction"))
        node, cut_edge, cut_fraction = _nodes(usage, edge, fraction)
        arcs = _cut(streets, usage, cut_edge, cut_fraction)
        n, m = crossing.homes_n, crossing.facilities_n
        first = usage.node_n + len(cut_edge)
        self._node_n = first + 2 * (n + m)
        left, come, f_come, f_left = np.split(np.arange(first, self._node_n), np.cumsum((n, n, m)))
        split = len(crossing.homes.edge)
        legs = [
            self._legs(crossing.homes, node[:split], left, come),
            self._legs(crossing.facilities, node[split:], f_left, f_come),
            self._across(crossing.pairs, left, come, f_left, f_come),
        ]
        arcs = arcs.and_(*legs)
        self._symmetric = usage.symmetric and rides is None and _alike(*ways, crossing.pairs)
        # by whether one goes from home to facility; -1 where no way at all leads
        told = [np.concatenate([getattr(leg, name) for leg in legs]) for name in ("tail", "head")]
        self._home = {True: _used(left, told[0]), False: _used(come, told[1])}
        self._facility = {True: _used(f_come, told[1]), False: _used(f_left, told[0])}
        if rides is not None:
            arcs = self._with_rides(streets, rides, arcs)
        self._arcs = arcs
        self._out = Graph.pack(arcs.tail, arcs.head, arcs.ms, arcs.m, self._node_n)
        self._in = Graph.pack(arcs.head, arcs.tail, arcs.ms, arcs.m, self._node_n)

    @classmethod
    def straight(
        cls, streets: Streets, usage: Usage, *, profile: TravelProfile, homes: Snaps, facilities: Snaps,
        homes_at: tuple[Floats, Floats], facilities_at: tuple[Floats, Floats], rides: Rides | None = None,
    ) -> Journeys:  # fmt: skip
        """
        Join points to the streets by straight legs at walking speed, on level ground.

        Where a home and a facility are nearer to each other than to any street, the straight way between them
        counts.

        Parameters
        ----------
        streets, usage, profile, rides
            As for the class.
        homes, facilities, homes_at, facilities_at
            Where both meet the streets, and where they are: longitude and latitude.
        """
        crossing = Crossing.straight(homes, facilities, homes_at, facilities_at, profile)
        return cls(streets, usage, profile=profile, crossing=crossing, rides=rides)

    def _legs(self, ways: Ways, node: Ints, left: Ints, come: Ints) -> _Arcs:
        """Arcs from points to streets and back."""
        out = ways.outward
        tail, head = np.where(out, left[ways.point], node), np.where(out, node, come[ways.point])
        return _off_street(tail, head, self._walk_ms(ways.level_m), ways.m)

    def _across(self, pairs: Pairs, left: Ints, come: Ints, f_left: Ints, f_come: Ints) -> _Arcs:
        """Arcs between homes and facilities."""
        out = pairs.outward
        tail = np.where(out, left[pairs.home], f_left[pairs.facility])
        head = np.where(out, f_come[pairs.facility], come[pairs.home])
        return _off_street(tail, head, self._walk_ms(pairs.level_m), pairs.m)

    def _with_rides(self, streets: Streets, rides: Rides, arcs: _Arcs) -> _Arcs:
        """Lay the roads of the bus as a second floor above the streets, joined to them at the stops."""
        node, cut_edge, cut_fraction = _nodes(rides.usage, rides.on_road.edge, rides.on_road.fraction)
        above_ground = _cut(streets, rides.usage, cut_edge, cut_fraction)
        floor = self._node_n
        self._node_n += rides.usage.node_n + len(cut_edge)
        come, left = (self._facility[inward][rides.stop] for inward in (True, False))
        # a stop stands by its road; one in a field is met by no bus
        joined = (come >= 0) & (left >= 0) & (node >= 0) & (rides.on_road.distance_m <= STOP_BESIDE_M)
        above, no_m = node[joined] + floor, np.zeros(joined.sum())
        lifted = replace(above_ground, tail=above_ground.tail + floor, head=above_ground.head + floor)
        boarding = _off_street(come[joined], above, rides.wait_ms[joined], no_m, BOARDED)
        return arcs.and_(lifted, boarding, _off_street(above, left[joined], no_m.astype(np.int64), no_m, BOARDED))

    def _walk_ms(self, metres: Floats) -> Ints:
        return np.rint(metres / self._profile.flat_kmh * 3600.0).astype(np.int64)

    def nearest(self, rows: Ints, *, rank: Ints, direction: str) -> Reached:
        """
        Find each home's nearest of some facilities.

        Ties in whole milliseconds go to the facility of the smallest ``rank``. A round trip is to one and the
        same facility; of two whose slower way takes equally long, the one whose other way is quicker. The ways
        between points and streets are walked and counted at both ends.

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
            In the order of travel: ``edge`` (``BOARDED`` where a bus is boarded or left, ``OFF_STREET`` over open
            ground), ``from_fraction`` and ``to_fraction`` along it, ``ms`` and ``m``. Empty where there is no way.
        """
        start, end = (self._home[inward][home], self._facility[inward][facility])[:: 1 if inward else -1]
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
        ends, starts = self._home[inward], self._facility[inward][rows]
        source = np.flatnonzero(starts >= 0)
        wanted = np.zeros(self._node_n, bool)
        homes = ends if stop_at is None else ends[stop_at]
        wanted[homes[homes >= 0]] = True
        nothing = np.zeros(len(source), np.int64), np.zeros(len(source))
        found = graph.nearest(Sources(starts[source], *nothing, source), wanted=wanted)
        here = np.maximum(ends, 0)
        met = (ends >= 0) & (found.rank[here] >= 0)
        return (
            np.where(met, found.ms[here], UNREACHED),
            np.where(met, found.rank[here], -1).astype(np.int32),
            np.where(met, found.m[here], np.nan),
        )

    def _other_way(self, rows: Ints, chosen: NDArray[np.int32], *, inward: bool) -> Ints:
        """Time of the opposite direction to the facility each home has chosen; one search a facility chosen."""
        time = np.full(len(chosen), UNREACHED, np.int64)
        for place in np.unique(chosen[chosen >= 0]):
            one = rows[[place]]
            mine = np.flatnonzero(chosen == place)
            time[mine] = self._search(one, inward=inward, stop_at=mine)[0][mine]
        return time

    def _round_trip(self, rows: Ints, *, worse: bool) -> Reached:
        """
        Find the best way there and back to one and the same facility, exactly.

        No facility is nearer there than the nearest there, nor back than the nearest back: where these are one,
        it is the best. Elsewhere all facilities are looked at that are near enough both ways to be better.
        """
        (to_ms, to_at, to_m), (back_ms, back_at, back_m) = (
            self._search(rows, inward=inward) for inward in (True, False)
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
        facility = np.full(len(chosen), -1, np.int64)
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
        while min(self._home[inward][home] for inward in (True, False)) >= 0:
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

    def within(self, rows: Ints, *, limit_min: float, inward: bool = True) -> pd.DataFrame:
        """
        List every pair of a home and one of some facilities that is within a limit, whose rim belongs to it.

        Parameters
        ----------
        rows
            Rows of the facilities asked for.
        limit_min
            Minutes.
        inward
            From home to facility, else from facility to home.

        Returns
        -------
        table
            ``home`` and ``facility`` (rows), ``time_min`` and ``distance_m``; home by home, the nearest first and
            of equally near ones the earlier in ``rows``. A pair that is not there is further.
        """
        homes = np.flatnonzero(self._home[inward] >= 0)
        limit_ms = np.full(len(homes), min(np.floor(limit_min * MS_PER_MIN + 1e-6), float(LONGEST_MS)), np.int64)
        pairs = self._one_way(np.asarray(rows, np.int64), homes, limit_ms, inward=inward)
        pairs = pairs.sort_values(["home", "ms", "place"], ignore_index=True)
        return pd.DataFrame(
            {"home": pairs["home"], "facility": np.asarray(rows, np.int64)[pairs["place"].to_numpy(np.int64)],
             "time_min": pairs["ms"] / MS_PER_MIN, "distance_m": pairs["m"]}
        )  # fmt: skip

    def _one_way(self, rows: Ints, homes: Ints, limit_ms: Ints, *, inward: bool) -> pd.DataFrame:
        """The facilities (as places in ``rows``) that each of some homes has within its limit, one way."""
        graph = self._out if inward else self._in
        start, ends = self._home[inward][homes], self._facility[inward][rows]
        place = np.full(self._node_n, -1, np.int64)
        place[ends[ends >= 0]] = np.flatnonzero(ends >= 0)
        nothing = np.zeros(len(homes), np.int64), np.zeros(len(homes))
        row, node, ms, metres = graph.within(start, *nothing, limit_ms=limit_ms, ends=place >= 0)
        return pd.DataFrame({"home": homes[row], "place": place[node], "ms": ms, "m": metres})

    def _both_ways(self, rows: Ints, homes: Ints, limit_ms: Ints) -> _Pairs:
        """The facilities that each of some homes reaches within its limit, there and back."""
        legs = [self._one_way(rows, homes, limit_ms, inward=inward) for inward in (True, False)]
        both = legs[0].merge(legs[1], on=["home", "place"], suffixes=("_to", "_back"), how="inner")
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


def _off_street(tail: Ints, head: Ints, ms: Ints, m: Floats, edge: int = OFF_STREET) -> _Arcs:
    nothing = np.zeros(len(tail))
    return _Arcs(tail, head, ms, m, np.full(len(tail), edge), nothing, nothing)


def _used(nodes: Ints, ends: Ints) -> Ints:
    """The nodes that are among the ends of arcs, and -1 for those that no way leads to or from."""
    return np.where(np.isin(nodes, ends), nodes, -1)


def _alike(homes: Ways, facilities: Ways, pairs: Pairs) -> bool:
    """Every way off the street takes as long there as back."""
    rows = [np.column_stack((w.point, w.edge, w.fraction, w.level_m)) for w in (homes, facilities)]
    rows.append(np.column_stack((pairs.home, pairs.facility, pairs.level_m)))
    for both, outward in zip(rows, (homes.outward, facilities.outward, pairs.outward), strict=True):
        there, back = both[outward], both[~outward]
        there, back = (values[np.lexsort(values.T)] for values in (there, back))
        if not np.array_equal(there, back):
            return False
    return True


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
