"""The rise and fall of streets over the terrain, and what walking over it costs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import MatrixRankWarning, spsolve

from geo.io import Raster
from geo.network import Streets
from geo.terrain import averaged, heights_at
from geo.walking import WalkFunction

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_M = 30.0
"""The shortest step along an edge over which a grade is taken; an edge that is shorter is one step."""

STEEPEST = 1.0
"""No grade of a mapped way is taken for steeper than 45°: what is, is a wall that the terrain blurs."""


@dataclass(frozen=True, slots=True, eq=False)
class Grades:
    """
    Heights along edges, at equal steps of at least 30 m from u to v.

    Edge ``e`` has the heights ``height_m[offset[e]:offset[e + 1]]``, the first at ``u`` and the last at ``v``.
    ``void_m`` is how much of it has no terrain: there the ground is taken as straight between what is known, and
    as level where nothing is. ``level`` marks bridges and tunnels, which are straight between their ends.
    """

    offset: Ints
    height_m: NDArray[np.float32]
    length_m: Floats
    void_m: Floats
    level: Bools

    def turned(self) -> Grades:
        """The same heights upside down, so that up is down."""
        return replace(self, height_m=-self.height_m)

    def steps(self) -> tuple[Ints, Floats]:
        """The edge of each step, and its grade from u to v."""
        count = np.diff(self.offset) - 1
        edge = np.repeat(np.arange(len(count)), count)
        start = np.arange(len(edge)) + edge  # one height more than steps an edge
        rise = np.diff(self.height_m.astype(np.float64))[start]
        run = (self.length_m / np.maximum(count, 1))[edge]
        with np.errstate(divide="ignore", invalid="ignore"):
            grade = np.where(run > 0, rise / run, 0.0)
        return edge, np.clip(np.nan_to_num(grade), -STEEPEST, STEEPEST)

    def slowness(self, function: WalkFunction) -> tuple[Floats, Floats]:
        """How many times longer than on level ground each edge takes on foot, from u to v and from v to u."""
        edge, grade = self.steps()
        count = np.diff(self.offset) - 1
        n = np.maximum(count, 1)
        ahead, against = (
            np.bincount(edge, weights=function.slowness(sign * grade), minlength=len(count)) / n
            for sign in (1, -1)
        )
        return ahead, against

    def slowness_to(self, function: WalkFunction, edge: Ints, fraction: Floats) -> tuple[Floats, Floats]:
        """
        The part of ``slowness`` that lies between u and a place on an edge, there and back.

        Parameters
        ----------
        function
            How people walk.
        edge, fraction
            Rows of edges and where on each, 0 at u to 1 at v; 1 gives the whole.
        """
        own, place = np.unique(edge, return_inverse=True)
        count = np.diff(self.offset)[own] - 1
        first = np.repeat(self.offset[own] - np.append(0, np.cumsum(count + 1))[:-1], count + 1)
        part = Grades(
            np.append(0, np.cumsum(count + 1)), self.height_m[first + np.arange(len(first))], self.length_m[own],
            self.void_m[own], self.level[own],
        )  # fmt: skip
        of, grade = part.steps()
        step0 = np.append(0, np.cumsum(count))[:-1]
        at = fraction * count[place]
        whole = np.minimum(at.astype(np.int64), count[place] - 1)
        ahead, against = (_up_to(function.slowness(sign * grade), of, step0[place] + whole, at - whole)
                          / count[place] for sign in (1, -1))  # fmt: skip
        return ahead, against


def _up_to(cost: Floats, edge: Ints, step: Ints, rest: Floats) -> Floats:
    """Sum the costs of an edge's steps before one step, and the part of that one."""
    before = np.cumsum(cost) - cost
    first = np.flatnonzero(np.diff(edge, prepend=-1))
    start = before[first][edge]
    return np.asarray(before[step] - start[step] + rest * cost[step], np.float64)


def grades_of(streets: Streets, ground: Raster) -> Grades:
    """
    Take the heights of every edge from terrain that was averaged over some 30 m.

    Heights belong to positions: where two edges meet they have one height, and an edge that is cut in two rises
    as it did. The last step of averaging is between the four nearest cells. A height with no terrain around it is
    filled along its edge.

    Parameters
    ----------
    streets
        The graph; nothing is changed.
    ground
        Heights in metres, in degrees or in true metres, NaN where there are none.

    Raises
    ------
    geo.problems.CRSUnitError
        The raster is in neither degrees nor true metres.
    """
    # to a thousandth of a step, so that a length of just so many steps has them whatever its last bits say
    count = np.maximum((streets.length_m / STEP_M + 1e-3).astype(np.int64), 1)
    offset = np.append(0, np.cumsum(count + 1))
    edge = np.repeat(np.arange(streets.edge_n), count + 1)
    fraction = (np.arange(offset[-1]) - offset[:-1][edge]) / count[edge]
    lon, lat = streets.along(edge, fraction)
    height = heights_at(averaged(ground), lon, lat)
    level = streets.raised
    inner = level[edge] & (fraction > 0) & (fraction < 1)
    void = np.isnan(height) & ~inner
    share = np.bincount(edge, weights=void, minlength=streets.edge_n) / np.maximum(count + 1, 1)
    height[inner] = np.nan
    height = _over_bridges(streets, level, height, offset)
    height = _filled(height, edge, fraction)
    return Grades(offset, height.astype(np.float32), streets.length_m, share * streets.length_m, level)


def _over_bridges(streets: Streets, level: Bools, height: Floats, offset: Ints) -> Floats:
    """
    Lift the junctions in the middle of a bridge, where only bridges meet, off the ground under it.

    Each is as high as a straight deck would be: the mean of its neighbours, the nearer ones weighing more.
    """
    n = len(streets.node_id)
    ground = np.zeros(n, bool)
    ground[streets.u[~level]] = ground[streets.v[~level]] = True
    ends = np.bincount(streets.u, minlength=n) + np.bincount(streets.v, minlength=n)
    free = ~ground & (ends > 1)
    own = np.flatnonzero(level & (streets.length_m > 0) & (free[streets.u] | free[streets.v]))
    if not len(own):
        return height
    node = np.full(n, np.nan)
    node[streets.u[own]], node[streets.v[own]] = height[offset[own]], height[offset[own + 1] - 1]
    number = np.cumsum(free) - 1
    u, v, weight = streets.u[own], streets.v[own], 1.0 / streets.length_m[own]
    size = int(free.sum())
    system, right = coo_array((size, size)).tolil(), np.zeros(size)
    for a, b, w in zip(np.append(u, v), np.append(v, u), np.append(weight, weight), strict=True):
        if free[a] and (free[b] or np.isfinite(node[b])):
            system[number[a], number[a]] += w
            if free[b]:
                system[number[a], number[b]] -= w
            else:
                right[number[a]] += w * node[b]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MatrixRankWarning)  # a bridge that stands on no ground stays where it was
        lifted = np.atleast_1d(spsolve(system.tocsc(), right))
    found = np.where(free, np.append(lifted, 0.0)[np.where(free, number, size)], node)
    out = height.copy()
    for end, at in ((streets.u, offset[:-1]), (streets.v, offset[1:] - 1)):
        moved = level & free[end] & np.isfinite(found[end])
        out[at[moved]] = found[end[moved]]
    return out


def _filled(height: Floats, edge: Ints, fraction: Floats) -> Floats:
    """Fill heights between those known of the same edge, straight, and level beyond; 0 where none is known."""
    known = np.isfinite(height)
    some = np.zeros(int(edge[-1]) + 1 if len(edge) else 0, bool)
    some[edge[known]] = True
    if not known.any():
        return np.zeros(len(height))
    at = edge * 3.0 + fraction  # an edge fills a third of its stretch of the scale
    where, value = at[known], height[known]
    # each edge's first and last known heights go on, level, to the ends of its stretch
    own = edge[known]
    first, last = np.flatnonzero(np.diff(own, prepend=-1)), np.flatnonzero(np.diff(own, append=-1))
    where = np.concatenate((where, own[first] * 3.0 - 0.5, own[last] * 3.0 + 1.5))
    value = np.concatenate((value, value[first], value[last]))
    order = np.argsort(where, kind="stable")
    found = np.interp(at, where[order], value[order])
    return np.where(some[edge], found, 0.0)
