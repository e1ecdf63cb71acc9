"""Care grids: each place in exactly one, with one leading institution; those of a layer checked, or else drawn."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay, QhullError

from geo import crs as systems
from layers.ledgers import plain

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OVERLAP_M2 = 10_000.0
"""Grids that share less than a hectare do so because lines were drawn twice [P]."""


UNEVEN = 0.1
"""A grid that has no more than this above its share is even enough [P]."""


@dataclass(frozen=True, slots=True, eq=False)
class GivenGrids:
    """
    What a layer of grids says: ``grid`` of each place (-1 for none), in ``several`` how many it lies in.

    ``lead`` is the row of the institution that leads each grid, -1 where none of that name is known or several
    are; ``overlaps`` are pairs of grids that share land.
    """

    grid: Ints
    several: Ints
    lead: Ints
    overlaps: list[tuple[int, int]]


def read_grids(grids: gpd.GeoDataFrame, places: pd.DataFrame, institutions: pd.DataFrame) -> GivenGrids:
    """
    Check the grids of a layer as a partition; a place on a border, or in several grids, is of the first.

    Parameters
    ----------
    grids
        Polygons in degrees, with ``lead`` where the layer names who leads.
    places
        ``lon`` and ``lat``.
    institutions
        ``facility_id`` and ``facility_name``.
    """
    shapes = grids.geometry.to_numpy()
    at = shapely.points(places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64))
    tree = shapely.STRtree(shapes)
    place, grid = tree.query(at, predicate="intersects")
    first = np.full(len(places), len(grids), np.int64)
    np.minimum.at(first, place, grid)
    several = np.bincount(place, minlength=len(places)).astype(np.int64)
    a, b = tree.query(shapes, predicate="intersects")
    pairs = [(int(i), int(j)) for i, j in zip(a, b, strict=True) if i < j]
    common = np.array([*(shapely.intersection(shapes[i], shapes[j]) for i, j in pairs), None], object)[:-1]
    shared = [float(m2) for m2 in np.atleast_1d(systems.area_m2(common))]
    names = pd.Series(institutions["facility_name"].map(plain).to_numpy(object))
    ids = pd.Series(institutions["facility_id"].map(plain).to_numpy(object))
    lead = []
    for text in grids["lead"] if "lead" in grids else [""] * len(grids):
        found = np.flatnonzero(((names == plain(str(text))) | (ids == plain(str(text)))).to_numpy(bool))
        lead.append(int(found[0]) if len(found) == 1 and str(text) else -1)
    return GivenGrids(
        np.where(first == len(grids), -1, first), several, np.array(lead, np.int64),
        [pair for pair, m2 in zip(pairs, shared, strict=True) if m2 >= OVERLAP_M2],
    )  # fmt: skip


def draw_grids(
    xy: Floats, people: Floats, time_min: Floats, weight: Floats, *, lead_xy: Floats, limit_min: float
) -> Ints:
    """
    Draw a grid round each leading institution: contiguous, and as even in load as moves of single places make it.

    Each place begins with the institution that is nearest in time (in a straight line if none is reached), and
    what is cut off from the rest of its grid goes to a neighbour. Then, as long as a grid has over a tenth more
    than its share and it makes the squares of loads smaller, the place of such a grid goes over to a neighbouring
    one whose move does most, if its old grid stays whole, and the other institution is within the limit or no
    further than its nearest.

    Parameters
    ----------
    xy, people
        Of each place; in metres, NaN where it is not known: those are of no grid. People may be NaN: nobody.
    time_min
        Of each place to each institution, NaN or infinite where there is no way.
    weight
        How much each institution can bear, above 0: its doctors, or 1.
    lead_xy, limit_min
        Where the institutions are; how far one may be moved.

    Returns
    -------
    grid
        The institution of each place, -1 for none. An institution that is nearest to nobody has no grid.
    """
    grid = np.full(len(xy), -1, np.int64)
    here = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(here) or not len(weight):
        return grid
    time = np.where(np.isnan(time_min[here]), np.inf, time_min[here])
    apart = np.hypot(*(xy[here][:, None, :] - lead_xy[None, :, :]).transpose(2, 0, 1))
    far = np.asarray(~np.isfinite(time).any(axis=1), np.bool_)
    near = np.where(far[:, None], apart, time)
    own = near.argmin(axis=1)
    edges = neighbours(xy[here])
    roots = {int(g): int(np.flatnonzero(own == g)[near[own == g, g].argmin()]) for g in np.unique(own)}
    own = _joined(own, roots, edges, near)
    may = time <= np.maximum(limit_min, time.min(axis=1))[:, None]
    grid[here] = _balanced(own, roots, edges, np.nan_to_num(people[here]), weight, may)
    return grid


def neighbours(xy: Floats) -> Ints:
    """
    Say which places are neighbours: no third is in the circle over the line between them (Gabriel 1969).

    Who stand at one point are neighbours in the order of rows; all hang together.

    Returns
    -------
    edges
        Pairs of rows, the smaller first.
    """
    spots, first, spot = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    order = np.lexsort((np.arange(len(xy)), spot))
    same = np.diff(spot[order]) == 0
    chains = np.sort(np.column_stack((order[:-1][same], order[1:][same])), axis=1)
    if len(spots) < 2:
        return chains.astype(np.int64)
    pairs = first[_gabriel(spots)]
    return np.unique(np.sort(np.concatenate((chains, pairs)), axis=1), axis=0).astype(np.int64)


def _gabriel(spots: Floats) -> Ints:
    try:
        sides = Delaunay(spots).simplices if len(spots) > 2 else np.zeros((0, 3), np.int64)
    except QhullError:  # all on one line
        sides = np.zeros((0, 3), np.int64)
    pairs = np.concatenate([sides[:, [0, 1]], sides[:, [1, 2]], sides[:, [0, 2]]])
    corners = np.concatenate([sides[:, 2], sides[:, 0], sides[:, 1]])
    if not len(pairs):
        along = np.lexsort((spots[:, 1], spots[:, 0]))
        return np.sort(np.column_stack((along[:-1], along[1:])), axis=1)
    a, b, c = spots[pairs[:, 0]], spots[pairs[:, 1]], spots[corners]
    # a third place inside the circle sees the line under an obtuse angle
    inside = ((a - c) * (b - c)).sum(axis=1) < 0
    pairs = np.sort(pairs, axis=1)
    blocked = {tuple(pair) for pair in pairs[inside].tolist()}
    kept = sorted({tuple(pair) for pair in pairs.tolist()} - blocked)
    return _hung_together(np.array(kept, np.int64).reshape(-1, 2), np.unique(pairs, axis=0), spots)


def _hung_together(kept: Ints, every: Ints, spots: Floats) -> Ints:
    """Add the shortest sides that rounding took away, where without them something is cut off."""
    length = np.hypot(*(spots[every[:, 0]] - spots[every[:, 1]]).T)
    n = len(spots)
    tree = csgraph.minimum_spanning_tree(
        sparse.coo_array((np.maximum(length, 1e-9), (every[:, 0], every[:, 1])), shape=(n, n)).tocsr()
    ).tocoo()
    least = np.sort(np.column_stack((tree.row, tree.col)).astype(np.int64), axis=1)
    return np.unique(np.concatenate((kept, least)), axis=0)


def _whole(members: Ints, edges: Ints, n: int) -> Ints:
    """The part that each member hangs together with, numbered; -1 for others."""
    inside = np.zeros(n, bool)
    inside[members] = True
    own = edges[inside[edges[:, 0]] & inside[edges[:, 1]]]
    graph = sparse.coo_array((np.ones(len(own), np.int8), (own[:, 0], own[:, 1])), shape=(n, n))
    _, part = csgraph.connected_components(graph, directed=False)
    return np.where(inside, part, -1)


def _joined(own: Ints, roots: dict[int, int], edges: Ints, near: Floats) -> Ints:
    """Give what is cut off from its grid's root to the neighbouring grid that is nearest, one after the other."""
    own = own.copy()
    loose = np.zeros(len(own), bool)
    for g, root in roots.items():
        part = _whole(np.flatnonzero(own == g), edges, len(own))
        loose |= (own == g) & (part != part[root])
    both = np.concatenate((edges, edges[:, ::-1]))
    while loose.any():
        rim = both[loose[both[:, 0]] & ~loose[both[:, 1]]]
        if not len(rim):  # nothing hangs together with it
            break
        time = near[rim[:, 0], own[rim[:, 1]]]
        best = int(np.lexsort((own[rim[:, 1]], rim[:, 0], time))[0])
        place, beside = rim[best]
        own[place], loose[place] = own[beside], False
    return own


def _balanced(own: Ints, roots: dict[int, int], edges: Ints, people: Floats, weight: Floats, may: Bools) -> Ints:
    own = own.copy()
    fixed = np.zeros(len(own), bool)
    fixed[list(roots.values())] = True
    both = np.concatenate((edges, edges[:, ::-1]))
    load = np.bincount(own, people, len(weight))
    most = (1 + UNEVEN) * load.sum() / weight[list(roots)].sum() * weight
    while True:
        place, to = both[:, 0], own[both[:, 1]]
        here, q = own[place], people[place]
        gain = (load[here] ** 2 - (load[here] - q) ** 2) / weight[here] - (
            (load[to] + q) ** 2 - load[to] ** 2
        ) / weight[to]
        open_ = (here != to) & ~fixed[place] & may[place, to] & (gain > 1e-6) & (load[here] > most[here])
        rows = np.flatnonzero(open_)
        for row in rows[np.lexsort((to[rows], place[rows], -gain[rows]))]:
            rest = np.flatnonzero((own == here[row]) & (np.arange(len(own)) != place[row]))
            if len(np.unique(_whole(rest, edges, len(own))[rest])) == 1:
                load[here[row]] -= q[row]
                load[to[row]] += q[row]
                own[place[row]] = to[row]
                break
        else:
            return own
