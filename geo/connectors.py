"""
The ways on foot between points and streets, and between points: over open ground, around what is closed.

They are worked out once for whoever walks by one function, in metres of a level path that take as long; a
persona's own speed makes minutes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import KDTree

from geo import crs as systems
from geo._kernels.hill import connect
from geo.hillside import PAD, Hillside, slowness_table
from geo.network import Streets, Usage
from geo.profile import TravelProfile
from geo.snap import MAIN_COMPONENT_M, At, Snapper, Snaps

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Barred = Callable[[At, At], Bools]

BY_THE_STREET_M = 30.0
"""Who stands no further from a street stands by it: a cell of the ground sees nothing between [P]."""

UNIT = 10_000
"""Costs are counted in tenths of a millimetre of a level path."""

SLACK = UNIT // 2
"""A way over open ground that streets beat by less than half a metre is kept: times round to milliseconds."""

_KINDS: dict[str, Any] = {
    "point": np.int64, "edge": np.int64, "home": np.int64, "facility": np.int64, "fraction": np.float64,
    "level_m": np.float64, "m": np.float64, "outward": np.bool_, "minor": np.bool_,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """
    Ways over open ground, one row a way.

    ``outward`` ones lead from home to facility, or from a point to the street; the others back. ``level_m`` are
    metres on a level path that take as long, ``m`` is its length.
    """

    outward: Bools
    level_m: Floats
    m: Floats

    def frame(self) -> pd.DataFrame:
        """The same as a table."""
        return pd.DataFrame({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def of(cls, frame: pd.DataFrame | Mapping[str, Any]) -> Self:
        """Take them from the columns of a table."""
        return cls(**{f.name: np.asarray(frame[f.name], _KINDS[f.name]) for f in fields(cls)})

    def rows(self, which: Bools | Ints) -> Self:
        """Some of them."""
        return replace(self, **{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def and_(self, *others: Self) -> Self:
        """These and others, one after the other."""
        every = (self, *others)
        return replace(
            self, **{f.name: np.concatenate([getattr(one, f.name) for one in every]) for f in fields(self)}
        )

    def turned(self) -> Self:
        """The same ways walked the other way round."""
        return replace(self, outward=~self.outward)

    def as_paths(self) -> Self:
        """The same ways walked as quickly as a level path."""
        return replace(self, level_m=np.minimum(self.level_m, self.m))


@dataclass(frozen=True, slots=True, eq=False)
class Ways(_Rows):
    """
    Ways between points and streets, any number a point.

    ``point`` is the row of the point; the way ends at ``fraction`` of ``edge``. ``minor`` ones lead to a part of
    the network under 2 km, for want of better.
    """

    point: Ints
    edge: Ints
    fraction: Floats
    minor: Bools

    def within(self, limit_m: float) -> Ways:
        """Those of at most ``limit_m`` level metres; minor ones only where a point has no others both ways."""
        near = self.level_m <= limit_m
        real = near & ~self.minor
        both = self.rows(real).both_ways(int(self.point.max(initial=-1)) + 1)
        return self.rows(real | (near & self.minor & ~both[self.point]))

    def both_ways(self, n: int) -> Bools:
        """Say which of ``n`` points have a way out and a way back."""
        out, back = (np.bincount(self.point[self.outward == way], minlength=n) > 0 for way in (True, False))
        return out & back

    def of_owners(self, owner: Ints) -> Ways:
        """The ways of those who own the points: one may come in by any of several doors."""
        return replace(self, point=owner[self.point])


def first_min(ways: Ways, n: int, flat_kmh: float) -> tuple[Floats, Floats]:
    """Minutes of ``n`` points to the street that each comes to first, and back from the first; NaN for none."""
    out = []
    for outward in (True, False):
        own = ways.rows(ways.outward == outward)
        least = np.full(n, np.nan)
        np.fmin.at(least, own.point, own.level_m / flat_kmh * 0.06)
        out.append(least)
    return out[0], out[1]


def straight_ways(snaps: Snaps) -> Ways:
    """The straight ways between points and where they meet the streets, as long as they are."""
    met = np.flatnonzero(snaps.found)
    both = np.concatenate((met, met))
    metres = snaps.distance_m[both]
    outward = np.repeat([True, False], len(met))
    minor = snaps.status[both] == "minor"
    return Ways(outward, metres, metres, both, snaps.edge[both], snaps.fraction[both], minor)


def snaps_of(ways: Ways, placed: Bools, streets: Streets, usage: Usage) -> Snaps:
    """
    Give each point the street that it comes to first, as if it met the streets there alone.

    Parameters
    ----------
    ways
        Those that count, see ``Ways.within``.
    placed
        Which points have a position.
    streets, usage
        The graph and who travels on it.
    """
    n = len(placed)
    own = np.flatnonzero(ways.outward)
    own = own[np.lexsort((ways.edge[own], ways.level_m[own], ways.minor[own], ways.point[own]))]
    point, first = np.unique(ways.point[own], return_index=True)
    own = own[first]
    edge, component = np.full(n, -1, np.int64), np.full(n, -1, np.int32)
    fraction, lon, lat, metres = (np.full(n, np.nan) for _ in range(4))
    edge[point], fraction[point], metres[point] = ways.edge[own], ways.fraction[own], ways.m[own]
    component[point] = usage.component[ways.edge[own]]
    lon[point], lat[point] = streets.along(ways.edge[own], ways.fraction[own])
    status = np.where(placed, "off_network", "no_position").astype(object)
    status[point] = np.where(ways.minor[own], "minor", "ok")
    return Snaps(edge, fraction, lon, lat, metres, component, status)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(_Rows):
    """Ways between homes and facilities that touch no street, by the rows of both."""

    home: Ints
    facility: Ints

    def of_owners(self, owner: Ints) -> Pairs:
        """The same for facilities that own the ones here, which are their doors."""
        return replace(self, facility=owner[self.facility])

    @classmethod
    def none(cls) -> Pairs:
        """No pairs at all."""
        return cls.of(dict.fromkeys((field.name for field in fields(cls)), ()))


def straight_pairs(
    homes: Snaps, facilities: Snaps, homes_at: At, facilities_at: At, *, barred: Barred | None = None
) -> Pairs:
    """
    Pair homes and facilities on one part of the network, nearer to each other than their ways to it together.

    Such a straight way meets no street: a street on it would be at most as far from both ends. Nor does it meet
    anything closed, which ``barred`` knows.
    """
    home, facility = np.flatnonzero(homes.found), np.flatnonzero(facilities.found)
    i, j, straight = _nearer_than_streets(
        homes_at, facilities_at, home, facility, homes.distance_m[home], facilities.distance_m[facility]
    )
    # two parts of the network that do not meet are parted by something: a place cut off stays cut off
    one = homes.component[i] == facilities.component[j]
    if barred is not None:
        here, there = ((at[0][rows], at[1][rows]) for at, rows in ((homes_at, i), (facilities_at, j)))
        one &= ~barred(here, there)
    return _both_ways(i[one], j[one], straight[one], straight[one], straight[one])


def _nearer_than_streets(
    homes_at: At, facilities_at: At, home: Ints, facility: Ints, leg: Floats, far_leg: Floats
) -> tuple[Ints, Ints, Floats]:
    """
    Find the pairs that are nearer to each other than both are to a street together.

    Parameters
    ----------
    homes_at, facilities_at
        Longitude and latitude of all.
    home, facility, leg, far_leg
        Rows of those asked about, and metres of each to the street.

    Returns
    -------
    home, facility, straight_m
        Rows, home by home, and the geodesic between.
    """
    if not len(home) or not len(facility):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    plane = systems.zone(float(np.median(homes_at[0][home])))
    a, b = (
        np.column_stack(systems.project(at[0][rows], at[1][rows], plane))
        for at, rows in ((homes_at, home), (facilities_at, facility))
    )
    # the longer leg of the two reaches over half of the way
    both = np.unique(
        np.concatenate((_pairs_of(KDTree(b).query_ball_point(a, 2.04 * leg)),
                        _pairs_of(KDTree(a).query_ball_point(b, 2.04 * far_leg))[:, ::-1])), axis=0
    )  # fmt: skip
    i, j = home[both[:, 0]], facility[both[:, 1]]
    straight = systems.geodesic_m(homes_at[0][i], homes_at[1][i], facilities_at[0][j], facilities_at[1][j])
    short = straight < leg[both[:, 0]] + far_leg[both[:, 1]]
    return i[short], j[short], straight[short]


def _pairs_of(rows: Sequence[Sequence[int]]) -> Ints:
    """Rows and what each holds, one pair a line."""
    sizes = [len(row) for row in rows]
    held = np.concatenate([np.zeros(0, np.int64), *(np.asarray(row, np.int64) for row in rows)])
    return np.column_stack((np.repeat(np.arange(len(rows)), sizes), held)).astype(np.int64)


def _both_ways(home: Ints, facility: Ints, there_m: Floats, back_m: Floats, m: Floats) -> Pairs:
    """Pairs there and back; one that is infinite is none."""
    outward = np.repeat([True, False], len(home))
    level = np.concatenate((there_m, back_m))
    pairs = Pairs(outward, level, np.tile(m, 2), np.tile(home, 2), np.tile(facility, 2))
    return pairs.rows(np.isfinite(level))


@dataclass(frozen=True, slots=True, eq=False)
class OpenGround:
    """What homes and facilities reach on foot before they are on a street; ``car_*`` are the ways to a car."""

    homes: Ways
    facilities: Ways
    car_homes: Ways
    car_facilities: Ways
    pairs: Pairs

    def frames(self) -> dict[str, pd.DataFrame]:
        """The same as tables, by name."""
        return {field.name: getattr(self, field.name).frame() for field in fields(self)}

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame]) -> OpenGround:
        """Take them from tables."""
        names = ("homes", "facilities", "car_homes", "car_facilities")
        homes, ends, car_homes, car_ends = (Ways.of(frames[name]) for name in names)
        return cls(homes, ends, car_homes, car_ends, Pairs.of(frames["pairs"]))

    def only(self, homes: Ints, facilities: Ints) -> OpenGround:
        """The ways of some rows of both, in the order given, as if only they were there."""

        def taken(ways: Ways, rows: Ints) -> Ways:
            place = pd.Series(np.arange(len(rows)), index=rows).reindex(ways.point)
            kept = place.notna().to_numpy(bool)
            return replace(ways.rows(kept), point=place.to_numpy(np.float64)[kept].astype(np.int64))

        both = self.pairs.frame()
        for name, rows in (("home", homes), ("facility", facilities)):
            both[name] = both[name].map(pd.Series(np.arange(len(rows)), index=rows))
        return OpenGround(
            taken(self.homes, homes), taken(self.facilities, facilities), taken(self.car_homes, homes),
            taken(self.car_facilities, facilities), Pairs.of(both.dropna()),
        )  # fmt: skip

    def of_owners(self, owner: Ints) -> OpenGround:
        """The ways of facilities where those here are of their doors."""
        ends, car_ends = self.facilities.of_owners(owner), self.car_facilities.of_owners(owner)
        return replace(self, facilities=ends, car_facilities=car_ends, pairs=self.pairs.of_owners(owner))

    def as_paths(self) -> OpenGround:
        """The same ways walked as quickly as level paths."""
        return OpenGround(*(getattr(self, field.name).as_paths() for field in fields(self)))


def cross_open_ground(
    streets: Streets, usage: Usage, hillside: Hillside, *, profile: TravelProfile, car: Usage, plane: CRS,
    homes_at: At, facilities_at: At, least_m: float,
) -> OpenGround:  # fmt: skip
    """
    Find the ways between points, streets and other points over open ground, both ways.

    A point within 30 m of a street has the straight way to it. From any other one search over the cells goes as
    far as ``profile`` may walk to a street, and the ways are kept that no way along streets beats; the straight
    way to the nearest street is among them. Nobody steps onto a bridge or out of a tunnel in its middle. A part of
    the network under 2 km is met only by points without another in ``least_m``. To a car one walks over open
    ground and along streets, to the first edge that cars use.

    Parameters
    ----------
    streets, usage, profile
        The graph and who walks on it, with grades.
    hillside
        The ground.
    car
        Who drives.
    plane
        A plane of metres.
    homes_at, facilities_at
        Longitude and latitude.
    least_m
        How far in level metres the slowest persona walks to a street.
    """
    limit_m = profile.off_street_limit_m
    snapper = Snapper(streets, usage, profile=profile, plane=plane)
    homes, facilities = (_Points.of(at, snapper, hillside, profile) for at in (homes_at, facilities_at))
    near = _near(streets, [homes, facilities], limit_m, plane)
    usable = (usage.forward | usage.backward) & near & ~streets.ferry
    main = usable & (usage.component_m >= MAIN_COMPONENT_M)
    found: list[Ways] = []
    real, rest = (_Net(streets, usage, hillside, np.flatnonzero(edges)) for edges in (main, usable & ~main))
    for points in (facilities, homes):
        ways = real.ways(points, limit_m, minor=False)
        lost = points.placed & ~ways.within(least_m).both_ways(len(points.placed))
        found.append(ways.and_(rest.ways(points.only(lost), limit_m, minor=True)))
    over = real.pairs(homes, facilities, found[0].rows(~found[0].minor), limit_m)
    pairs = over.and_(_beside(homes, facilities, hillside, profile))
    cars = [_to_cars(points, (real, rest), car, limit_m) for points in (homes, facilities)]
    return OpenGround(found[1], found[0], cars[0], cars[1], pairs)


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Points with their straight way to the nearest street (infinite where barred) and the cells around them."""

    where: At
    placed: Bools
    snaps: Snaps
    out_m: Floats
    back_m: Floats
    cell: Ints
    """Nine cells a point, as the kernels number them; -1 outside the grid."""
    cell_out_m: Floats
    cell_back_m: Floats
    cell_m: Floats

    @classmethod
    def of(cls, at: At, snapper: Snapper, hillside: Hillside, profile: TravelProfile) -> _Points:
        snaps, function = snapper.snap(*at), profile.function
        out, back, _ = hillside.straight(at, (snaps.lon, snaps.lat), function=function)
        row, column = hillside.cells(*at)
        inside = row >= 0
        around = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
        rows = np.where(inside[:, None], row[:, None] + around[:, 0], -1).reshape(-1)
        columns = np.where(inside[:, None], column[:, None] + around[:, 1], -1).reshape(-1)
        each = tuple(np.repeat(values, len(around)) for values in at)
        costs = hillside.straight((each[0], each[1]), hillside.middles(rows, columns), function=function)
        height, width = hillside.ground.values.shape
        kept = (rows >= 0) & (columns >= 0) & (rows < height) & (columns < width)
        cell = np.where(kept, (rows + PAD) * hillside.height.shape[1] + columns + PAD, -1)
        shape = (len(row), len(around))
        return cls(
            at, np.isfinite(at[0]) & np.isfinite(at[1]), snaps, np.where(snaps.found, out, np.inf),
            np.where(snaps.found, back, np.inf), cell.reshape(shape), *(cost.reshape(shape) for cost in costs),
        )  # fmt: skip

    @property
    def by_the_street(self) -> Bools:
        """Who stands by a street of a real part of the network, with nothing between."""
        real = self.snaps.status == "ok"
        open_ = np.isfinite(self.out_m + self.back_m)
        return np.asarray(real & open_ & (self.snaps.distance_m <= BY_THE_STREET_M), np.bool_)

    def xy(self, rows: Bools | Ints, plane: CRS) -> Floats:
        """Some of them in the metres of a plane."""
        return np.column_stack(systems.project(self.where[0][rows], self.where[1][rows], plane))

    def only(self, which: Bools) -> _Points:
        """The same, but those that are not asked for are nowhere."""
        return replace(self, placed=self.placed & which)


def _near(streets: Streets, points: Sequence[_Points], limit_m: float, plane: CRS) -> Bools:
    """The edges that may lie within the limit of some point: with room, by blocks of the plane."""
    xy = np.concatenate([p.xy(p.placed, plane) for p in points])
    blocks = np.unique(np.floor(xy / limit_m), axis=0)
    near = np.zeros(streets.edge_n, bool)
    if len(blocks) and streets.edge_n:
        low, high = (blocks - 1.1) * limit_m, (blocks + 2.1) * limit_m
        boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
        near[shapely.STRtree(streets.lines(plane)).query(boxes)[1]] = True
    return near


DOOR_M = 12.0
"""How often along a street its nearest place to the middle of a cell is looked for."""


class _Net:
    """Streets cut at the places where cells open onto them, as the kernel takes them."""

    def __init__(self, streets: Streets, usage: Usage, hillside: Hillside, edges: Ints) -> None:
        self.streets, self.usage, self.hillside = streets, usage, hillside
        self._slow = slowness_table(usage.function)
        self._cells = hillside.height.size
        self._packs: dict[bool, tuple[Any, ...]] = {}  # by whether ways lead outward; asked for again and again
        self._doors(edges)
        self._arcs(edges)

    def _doors(self, edges: Ints) -> None:
        """One door for each edge in each cell, at its place nearest to the middle of the cell."""
        streets, hillside, usage = self.streets, self.hillside, self.usage
        own = edges[~streets.raised[edges]]
        count = np.ceil(streets.length_m[own] / DOOR_M).astype(np.int64) + 1
        which = np.repeat(np.arange(len(own)), count)
        part = (np.arange(len(which)) - (np.cumsum(count) - count)[which]) / np.maximum(count - 1, 1)[which]
        edge, fraction = own[which], streets.to_the_centimetre(own[which], part)
        lon, lat = streets.along(edge, fraction)
        row, column = hillside.cells(lon, lat)
        middle = hillside.middles(row, column)
        away = systems.geodesic_m(lon, lat, *middle)
        cell = (row + PAD) * hillside.height.shape[1] + column + PAD
        order = np.lexsort((fraction, away, cell, edge))
        order = order[row[order] >= 0]
        first = np.diff(edge[order], prepend=-1).astype(bool) | np.diff(cell[order], prepend=-1).astype(bool)
        chosen = order[first]
        self.edge, self.fraction, cell = edge[chosen], fraction[chosen], cell[chosen]
        costs = hillside.straight(
            tuple(v[chosen] for v in middle), (lon[chosen], lat[chosen]), function=usage.function
        )
        inner = (self.fraction > 0) & (self.fraction < 1)
        self.node = np.where(self.fraction <= 0, usage.u[self.edge], usage.v[self.edge]).astype(np.int64)
        self.node[inner] = usage.node_n + np.arange(inner.sum())
        self.node_n = usage.node_n + int(inner.sum())
        self._door = (cell, self.node, *costs)

    def _arcs(self, edges: Ints) -> None:
        """Arcs between the doors of each edge and its ends, in units; parallel ones stay."""
        usage = self.usage
        inner = np.flatnonzero((self.fraction > 0) & (self.fraction < 1))
        ends = np.zeros(len(edges))
        edge = np.concatenate((edges, self.edge[inner], edges))
        where = np.concatenate((ends, self.fraction[inner], ends + 1))
        node = np.concatenate((usage.u[edges], self.node[inner], usage.v[edges])).astype(np.int64)
        order = np.lexsort((where, edge))
        self._on_edge, self._on_at, self._on_node = edge[order], where[order], node[order]
        self._on_ahead, self._on_against = self.so_far(self._on_edge, self._on_at)
        same = np.flatnonzero(self._on_edge[:-1] == self._on_edge[1:])
        e, m = self._on_edge[same], np.diff(self._on_at)[same] * self.streets.length_m[self._on_edge[same]]
        ahead, against = np.diff(self._on_ahead)[same], np.diff(self._on_against)[same]
        a, b, go, come = self._on_node[same], self._on_node[same + 1], usage.forward[e], usage.backward[e]
        self._arc = (
            np.concatenate((a[go], b[come])), np.concatenate((b[go], a[come])),
            np.concatenate((ahead[go], against[come])), np.concatenate((m[go], m[come])),
        )  # fmt: skip

    def so_far(self, edge: Ints, fraction: Floats) -> tuple[Floats, Floats]:
        """Level metres between u and a place on an edge, ahead and against it."""
        if self.usage.grades is None or not len(edge):
            length = self.streets.length_m[edge] * fraction
            return length, length
        ahead, against = self.usage.grades.slowness_to(self.usage.function, edge, fraction)
        return ahead * self.streets.length_m[edge], against * self.streets.length_m[edge]

    def beside(self, edge: Ints, fraction: Floats) -> tuple[Ints, Ints, Floats, Floats, Floats, Bools, Bools]:
        """
        Find the two nodes next to places on edges, before and after each.

        Returns
        -------
        place, node, to_m, from_m, m, may_go, may_come
            Row of the place; level metres from the place to the node and from the node to the place, the length
            between, and whether one may go there and come from there.
        """
        key = self._on_edge + self._on_at * 0.5  # exact order: an edge fills half of its stretch of the scale
        after = np.minimum(np.searchsorted(key, edge + fraction * 0.5), len(key) - 1)
        known = np.flatnonzero((self._on_edge[after] == edge) if len(key) else np.zeros(0, bool))
        after = np.where(self._on_at[after[known]] <= 0, after[known] + 1, after[known])
        place, at = np.concatenate((known, known)), np.concatenate((after - 1, after))
        ahead, against = self.so_far(edge[place], fraction[place])
        up, down = self._on_ahead[at] - ahead, self._on_against[at] - against
        later = np.repeat([False, True], len(known))
        to_m, from_m = np.where(later, up, -down), np.where(later, down, -up)
        e = edge[place]
        go, come = self.usage.forward[e], self.usage.backward[e]
        m = np.abs(self._on_at[at] - fraction[place]) * self.streets.length_m[e]
        here = self._on_at[at] == fraction[place]  # who meets a node need not move along the edge
        return (place, self._on_node[at], np.maximum(to_m, 0), np.maximum(from_m, 0), m,
                np.where(later, go, come) | here, np.where(later, come, go) | here)  # fmt: skip

    def _packed(self, *, outward: bool, more: Sequence[pd.DataFrame] = (), doors: Sequence[pd.DataFrame] = (),
                nodes: int = 0) -> tuple[Any, ...]:  # fmt: skip
        """The streets for the kernel: arcs by tail (turned round for ways inward) and doors by cell."""
        plain = not more and not doors
        if plain and outward in self._packs:
            return self._packs[outward]
        tail, head, cost, m = self._arc if outward else (self._arc[1], self._arc[0], *self._arc[2:])
        arcs = pd.concat([pd.DataFrame({"tail": tail, "head": head, "cost": cost, "m": m}), *more])
        cell, node, there, back, length = self._door
        own = pd.DataFrame({"tail": cell, "head": node, "cost": there if outward else back, "m": length})
        ways = pd.concat([own, *doors])
        ways = ways[np.isfinite(ways["cost"].to_numpy(np.float64))]
        packed: list[Any] = []
        for frame, n in ((arcs, self.node_n + nodes), (ways, self._cells)):
            order = np.argsort(frame["tail"].to_numpy(np.int64), kind="stable")
            count = np.bincount(frame["tail"].to_numpy(np.int64), minlength=n)
            units = np.minimum(np.rint(frame["cost"].to_numpy(np.float64)[order] * UNIT), 2**30)
            packed += [np.append(0, np.cumsum(count)), frame["head"].to_numpy(np.int32)[order],
                       units.astype(np.int32), frame["m"].to_numpy(np.float32)[order]]  # fmt: skip
        if plain:
            self._packs[outward] = tuple(packed)
        return tuple(packed)

    def _seeds(self, points: _Points, which: Ints, *, outward: bool) -> tuple[Any, ...]:
        """Where the search of each point begins: the cells around it, and the street that it faces."""
        each = points.cell.shape[1]
        into = points.cell_out_m if outward else points.cell_back_m
        cells = pd.DataFrame(
            {"point": np.repeat(which, each), "node": points.cell[which].ravel(), "cost": into[which].ravel(),
             "m": points.cell_m[which].ravel()}
        )  # fmt: skip
        leg = (points.out_m if outward else points.back_m)[which]
        met = np.isfinite(leg)
        place, node, to_m, from_m, m, may_go, may_come = self.beside(
            points.snaps.edge[which[met]], points.snaps.fraction[which[met]]
        )
        street = pd.DataFrame(
            {"point": which[met][place], "node": node + self._cells,
             "cost": leg[met][place] + (to_m if outward else from_m),
             "m": points.snaps.distance_m[which[met]][place] + m}
        )[may_go if outward else may_come]  # fmt: skip
        seeds = pd.concat([cells, street])
        seeds = seeds[(seeds["node"] >= 0) & np.isfinite(seeds["cost"])].sort_values("point", kind="stable")
        count = np.bincount(seeds["point"].to_numpy(np.int64), minlength=len(points.placed))
        return (
            np.append(0, np.cumsum(count)), seeds["node"].to_numpy(np.int64),
            np.rint(seeds["cost"].to_numpy(np.float64) * UNIT).astype(np.int64), seeds["m"].to_numpy(np.float32),
        )  # fmt: skip

    def _search(
        self, points: _Points, which: Ints, limit_m: float, *, outward: bool, ends: Bools | None = None,
        more: Sequence[pd.DataFrame] = (), doors: Sequence[pd.DataFrame] = (), nodes: int = 0,
    ) -> tuple[Ints, Ints, Floats, Floats]:  # fmt: skip
        """Ask the kernel, on two cores; point, node, level metres and metres."""
        if not len(which):
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        hillside = self.hillside
        grid = (hillside.height, hillside.factor, hillside.shut, hillside.width_m, hillside.height_m, float(UNIT))
        streets = self._packed(outward=outward, more=more, doors=doors, nodes=nodes)
        seeds = self._seeds(points, which, outward=outward)
        limit = int(limit_m * UNIT + 0.5)
        shift = max(5, round(np.log2(UNIT * max(float(np.median(hillside.width_m)), 1.0))))
        ring = (1 << ((limit >> shift) + 2).bit_length()) - 1
        is_end = np.zeros(1, bool) if ends is None else ends
        halves = [half for half in (which[::2], which[1::2]) if len(half)]

        def one(half: Ints) -> Any:
            return connect(
                grid, streets, self._slow, seeds, half, limit, 16, not outward, shift, ring, SLACK, is_end,
                ends is not None,
            )  # fmt: skip

        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(one, halves))
        kinds = (np.int64, np.int64, np.float64, np.float64)
        point, node, cost, m = (
            np.concatenate([part[k].astype(kind) for part in parts]) for k, kind in enumerate(kinds)
        )
        order = np.lexsort((node, point))
        return point[order], node[order], cost[order] / UNIT, m[order]

    def ways(self, points: _Points, limit_m: float, *, minor: bool) -> Ways:
        """The ways of points to these streets and back."""
        door = np.full(self.node_n, -1, np.int64)
        door[self.node[::-1]] = np.arange(len(self.node))[::-1]
        on_these = points.placed & np.isin(points.snaps.edge, self._on_edge)
        asked = (
            np.flatnonzero(points.placed & ~points.by_the_street) if len(self._on_edge) else np.zeros(0, np.int64)
        )
        parts = []
        for outward in (True, False):
            leg = points.out_m if outward else points.back_m
            own = np.flatnonzero(on_these & (leg <= limit_m))
            faced, at = points.snaps.edge[own], points.snaps.fraction[own]
            straight = (leg[own], points.snaps.distance_m[own], own, faced, at)
            point, node, cost, m = self._search(points, asked, limit_m, outward=outward)
            row = door[node]
            over = (cost, m, point, self.edge[row], self.fraction[row])
            for level, length, who, edge, fraction in (straight, over):
                n = len(who)
                parts.append(Ways(np.full(n, outward), level, length, who, edge, fraction, np.full(n, minor)))
        return parts[0].and_(*parts[1:])

    def pairs(self, homes: _Points, facilities: _Points, ways: Ways, limit_m: float) -> Pairs:
        """Ways over open ground between homes and facilities off the street, that no way by street beats."""
        asked = np.flatnonzero(homes.placed & ~homes.by_the_street)
        those = np.flatnonzero(facilities.placed & ~facilities.by_the_street)
        number = np.full(len(facilities.placed), -1, np.int64)
        number[those] = self.node_n + np.arange(len(those))
        parts = []
        for outward in (True, False):
            own = ways.rows((ways.outward != outward) & (number[ways.point] >= 0))
            place, node, to_m, from_m, m, may_go, may_come = self.beside(own.edge, own.fraction)
            # from the street to the facility on the way out, and for the way back all turned round
            near = pd.DataFrame(
                {"tail": node, "head": number[own.point[place]],
                 "cost": own.level_m[place] + (from_m if outward else to_m), "m": own.m[place] + m}
            )[may_come if outward else may_go]  # fmt: skip
            each = facilities.cell.shape[1]
            cost = (facilities.cell_back_m if outward else facilities.cell_out_m)[those].ravel()
            doors = pd.DataFrame(
                {"tail": facilities.cell[those].ravel(), "head": np.repeat(number[those], each), "cost": cost,
                 "m": facilities.cell_m[those].ravel()}
            )  # fmt: skip
            point, end, level, length = self._search(
                homes, asked, limit_m, outward=outward, more=[near], doors=[doors[doors["tail"] >= 0]],
                nodes=len(those),
            )  # fmt: skip
            met = end >= self.node_n
            home, facility = point[met], those[end[met] - self.node_n]
            parts.append(Pairs(np.full(len(home), outward), level[met], length[met], home, facility))
        return parts[0].and_(parts[1])

    def to_car(self, points: _Points, car: Usage, limit_m: float) -> Ways:
        """The way of each point to the first of these edges that cars use, and back from the first."""
        drives = (car.forward | car.backward) & (car.component_m >= MAIN_COMPONENT_M)
        door = np.full(self.node_n, -1, np.int64)
        rows = np.flatnonzero(drives[self._on_edge])[::-1]
        door[self._on_node[rows]] = rows
        faces = points.placed & points.snaps.found
        faces[faces] = drives[points.snaps.edge[faces]]
        there = faces & points.by_the_street
        asked = np.flatnonzero(points.placed & ~there) if len(rows) else np.zeros(0, np.int64)
        parts = []
        for outward in (True, False):
            leg = np.where(faces, points.out_m if outward else points.back_m, np.inf)
            point, node, cost, m = self._search(points, asked, limit_m, outward=outward, ends=door >= 0)
            row = door[node]
            straight = np.flatnonzero(leg <= limit_m)
            near = pd.DataFrame(
                {"point": np.concatenate((straight, point)),
                 "edge": np.concatenate((points.snaps.edge[straight], self._on_edge[row])),
                 "fraction": np.concatenate((points.snaps.fraction[straight], self._on_at[row])),
                 "outward": outward, "level_m": np.concatenate((leg[straight], cost)),
                 "m": np.concatenate((points.snaps.distance_m[straight], m)), "minor": False}
            )  # fmt: skip
            parts.append(near.sort_values(["point", "level_m"], kind="stable").drop_duplicates("point"))
        return Ways.of(pd.concat(parts))


def _to_cars(points: _Points, nets: tuple[_Net, _Net], car: Usage, limit_m: float) -> Ways:
    """The ways to a car, along streets that hang together, and else along what there is."""
    ways = nets[0].to_car(points, car, limit_m)
    lost = points.placed & ~ways.both_ways(len(points.placed))
    return ways.and_(nets[1].to_car(points.only(lost), car, limit_m))


def _beside(homes: _Points, facilities: _Points, hillside: Hillside, profile: TravelProfile) -> Pairs:
    """The straight ways between homes and facilities that are shorter than both their ways to a street."""
    own, other = (np.flatnonzero(points.placed) for points in (homes, facilities))
    legs = (
        np.nan_to_num(points.snaps.distance_m[rows], nan=profile.off_street_limit_m)
        for points, rows in ((homes, own), (facilities, other))
    )
    i, j, _ = _nearer_than_streets(homes.where, facilities.where, own, other, *legs)
    here, away = (homes.where[0][i], homes.where[1][i]), (facilities.where[0][j], facilities.where[1][j])
    return _both_ways(i, j, *hillside.straight(here, away, function=profile.function))
