"""
Where lines meet: shared vertices, ends on other lines, crossings on the level, and what comes near.

Lines of a survey carry no node numbers, so whether two of them hang together is worked out from their
positions and from what is known of bridges, tunnels and layers. Nothing is moved: lines keep their vertices,
get new ones on themselves where others meet them, and say which vertices are one node. All is in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SAME_M = 0.01
"""Vertices this near are one vertex: text formats and Shapefiles keep positions to about a centimetre."""
MEET_M = 1.0
"""An end this near to another line, or to another end, touches it."""
NEAR_M = 20.0
"""An end this near to another line that it does not touch may have been meant to."""
_PARALLEL = 1e-6
"""Lines whose directions differ by less than this, in radians, have no crossing that can be placed."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """
    Lines by their vertices in a plane of metres, no vertex twice in a row.

    ``offset`` (n + 1) parts ``x`` and ``y``; ``structure`` is 0 for a line on the ground, another number for
    each kind of structure (bridge, tunnel), ``layer`` the OSM layer.
    """

    x: Floats
    y: Floats
    offset: Ints
    structure: Ints
    layer: Ints

    @property
    def of_line(self) -> Ints:
        """The line of each vertex."""
        return np.repeat(np.arange(len(self.offset) - 1), np.diff(self.offset))

    @property
    def is_end(self) -> Bools:
        """Whether a vertex is the first or last of its line."""
        found = np.zeros(len(self.x), bool)
        found[self.offset[:-1]] = found[self.offset[1:] - 1] = True
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Noded:
    """
    The lines with the vertices they got, and the node of each vertex.

    Vertex ``k`` lies on the way from given vertex ``base[k]`` to the next, at ``share[k]`` of it (0 for the
    vertex itself), on node ``node[k]``. ``crossed`` are vertices (of these) at which two lines that only
    crossed were joined, one for each crossing; ``near`` the given vertices that are loose ends near a line.
    """

    base: Ints
    share: Floats
    offset: Ints
    node: Ints
    crossed: Ints
    near: Ints


class _On(NamedTuple):
    """Places on segments: the given vertex before, and the share of the way to the next."""

    segment: Ints
    share: Floats


def node_lines(lines: Lines) -> Noded:
    """
    Say where lines hang together.

    Both limits belong to what they allow: an end at exactly ``MEET_M`` touches. A line on the ground is joined
    to others on the ground at vertices they share, where an end touches it, and where one of the same layer
    crosses it. A structure is joined at its own ends, and in its middle only to an end of a line of the same
    structure and layer.
    """
    tree = _Segments(lines)
    touching, near = _touches(lines, tree)
    crossing_a, crossing_b = _crossings(lines, tree)
    given = len(lines.x)
    requests = [touching[1], crossing_a, crossing_b]
    segment = np.concatenate([on.segment for on in requests])
    share = np.concatenate([on.share for on in requests])
    element, new = _elements(lines, _On(segment, share))
    of_touch, of_a, of_b = np.split(element, np.cumsum([len(on.segment) for on in requests])[:-1])
    crossed = np.unique(np.sort(np.column_stack((of_a, of_b)), axis=1), axis=0)
    joins = np.concatenate(
        (_shared_vertices(lines), _shared_ends(lines), np.column_stack((touching[0], of_touch)), crossed)
    )
    total = given + len(new.segment)
    graph = coo_array((np.ones(len(joins), np.int8), (joins[:, 0], joins[:, 1])), shape=(total, total))
    _, label = connected_components(graph, directed=False)

    place = np.concatenate((np.arange(given, dtype=np.float64), new.segment + new.share))
    order = np.argsort(place, kind="stable")
    base = np.concatenate((np.arange(given), new.segment))[order]
    count = np.bincount(lines.of_line[base], minlength=len(lines.offset) - 1)
    rank = np.empty(total, np.int64)
    rank[order] = np.arange(total)
    only_crossed = crossed[(crossed >= given).any(axis=1)]  # two vertices there were a shared vertex already
    return Noded(
        base=base, share=np.concatenate((np.zeros(given), new.share))[order],
        offset=np.concatenate(([0], np.cumsum(count))), node=label[order].astype(np.int64),
        crossed=rank[only_crossed.max(axis=1)] if len(only_crossed) else np.zeros(0, np.int64),
        near=_loose(lines, label, base=np.concatenate((np.arange(given), new.segment)), near=near),
    )  # fmt: skip


class _Segments:
    """Every step from a vertex to the next of its line, with a tree to find them by place."""

    def __init__(self, lines: Lines) -> None:
        of_line = lines.of_line
        self.start: Ints = np.flatnonzero(of_line[:-1] == of_line[1:])
        self.line: Ints = of_line[self.start]
        x, y = lines.x, lines.y
        ends = np.stack((np.column_stack((x, y))[self.start], np.column_stack((x, y))[self.start + 1]), axis=1)
        self.tree = shapely.STRtree(shapely.linestrings(ends))
        self.boxes = shapely.box(*np.concatenate((ends.min(axis=1) - SAME_M, ends.max(axis=1) + SAME_M), axis=1).T)


def _alike(lines: Lines, line_a: Ints, line_b: Ints) -> Bools:
    same = lines.structure[line_a] == lines.structure[line_b]
    return np.asarray(same & (lines.layer[line_a] == lines.layer[line_b]), bool)


def _shared_vertices(lines: Lines) -> Ints:
    """Pair vertices of lines on the ground at one place; what structures share, they share at ends."""
    pairs = _near_pairs(lines.x, lines.y, SAME_M)
    one, other = pairs[:, 0], pairs[:, 1]
    line_a, line_b = lines.of_line[one], lines.of_line[other]
    # two vertices in a row of one line are two vertices, however near
    follows = (line_a == line_b) & (np.abs(one - other) == 1)
    return np.asarray(pairs[~follows & (lines.structure[line_a] == 0) & (lines.structure[line_b] == 0)], np.int64)


def _shared_ends(lines: Lines) -> Ints:
    ends = np.flatnonzero(lines.is_end)
    return np.asarray(ends[_near_pairs(lines.x[ends], lines.y[ends], MEET_M)], np.int64)


def _near_pairs(x: Floats, y: Floats, limit_m: float) -> Ints:
    pairs = cKDTree(np.column_stack((x, y))).query_pairs(limit_m, output_type="ndarray")
    return np.asarray(pairs, np.int64).reshape(-1, 2)


def _touches(lines: Lines, tree: _Segments) -> tuple[tuple[Ints, _On], tuple[Ints, Ints]]:
    """
    Find the ends that lie on the middle of a line, and those that lie near one.

    Returns
    -------
    touching, near
        The ends with their places on the lines; the ends with the numbers of the lines.
    """
    end, segment, share, away = _beside(lines, tree)
    line, other = lines.of_line[end], lines.of_line[segment]
    keep = (lines.structure[other] == 0) | _alike(lines, line, other)
    # the line that an end belongs to comes back to it only from some way off
    keep &= (line != other) | (_along_m(lines, end, segment, share) > 2 * MEET_M)
    end, segment, share, away, other = (v[keep] for v in (end, segment, share, away, other))
    order = np.lexsort((away, other, end))
    end, segment, share, away, other = (v[order] for v in (end, segment, share, away, other))
    nearest = np.ones(len(end), bool)
    nearest[1:] = (end[1:] != end[:-1]) | (other[1:] != other[:-1])
    # where it is at the other's end too, the ends are joined
    at_end = np.zeros(len(end), bool)
    for tip in (lines.offset[other], lines.offset[other + 1] - 1):
        at_end |= (_distance_m(lines, end, tip) <= MEET_M) & (tip != end)
    on = nearest & (away <= MEET_M) & ~at_end
    near = nearest & (away > MEET_M) & ~at_end & (lines.of_line[end] != other)
    return (end[on], _On(segment[on], share[on])), (end[near], other[near])


def _beside(lines: Lines, tree: _Segments) -> tuple[Ints, Ints, Floats, Floats]:
    """Pair ends with the segments near them: end, segment, share of the foot on the segment, metres to it."""
    ends = np.flatnonzero(lines.is_end)
    points = shapely.points(lines.x[ends], lines.y[ends])
    which, found = tree.tree.query(points, predicate="dwithin", distance=NEAR_M)
    end, segment = ends[which], tree.start[found]
    dx, dy = lines.x[segment + 1] - lines.x[segment], lines.y[segment + 1] - lines.y[segment]
    px, py = lines.x[end] - lines.x[segment], lines.y[end] - lines.y[segment]
    share = np.clip((px * dx + py * dy) / (dx * dx + dy * dy), 0.0, 1.0)
    away = np.hypot(px - share * dx, py - share * dy)
    return end, segment, share, away


def _along_m(lines: Lines, end: Ints, segment: Ints, share: Floats) -> Floats:
    """Measure along a line from an end of it to a place on it; of no meaning for places on other lines."""
    step = np.zeros(len(lines.x))
    step[1:] = np.hypot(np.diff(lines.x), np.diff(lines.y))
    gone = np.cumsum(step)
    return np.abs(gone[segment] + share * step[segment + 1] - gone[end])


def _distance_m(lines: Lines, one: Ints, other: Ints) -> Floats:
    return np.hypot(lines.x[one] - lines.x[other], lines.y[one] - lines.y[other])


def _crossings(lines: Lines, tree: _Segments) -> tuple[_On, _On]:
    """Find where two lines on the ground and of one layer, or two parts of one, cross away from their ends."""
    one, other = tree.tree.query(tree.boxes)  # by their boxes
    a, b = tree.line[one], tree.line[other]
    # a line crosses itself too, but not where one segment follows another
    keep = (one + 1 < other) | ((one < other) & (a != b))
    keep &= (lines.structure[a] == 0) & (lines.structure[b] == 0) & (lines.layer[a] == lines.layer[b])
    p, q, a, b = tree.start[one[keep]], tree.start[other[keep]], a[keep], b[keep]
    px, py, qx, qy = lines.x[p], lines.y[p], lines.x[q], lines.y[q]
    dx, dy, ex, ey = lines.x[p + 1] - px, lines.y[p + 1] - py, lines.x[q + 1] - qx, lines.y[q + 1] - qy
    long, wide = np.hypot(dx, dy), np.hypot(ex, ey)
    turn = dx * ey - dy * ex
    crosses = np.abs(turn) > _PARALLEL * long * wide
    turn = np.where(crosses, turn, 1.0)
    t = ((qx - px) * ey - (qy - py) * ex) / turn
    u = ((qx - px) * dy - (qy - py) * dx) / turn
    # a vertex that lies on the other line to a centimetre is on it
    for share, length in ((t, long), (u, wide)):
        crosses &= (share * length >= -SAME_M) & ((share - 1) * length <= SAME_M)
    at_x, at_y = px + t * dx, py + t * dy
    for line in (a, b):
        for tip in (lines.offset[line], lines.offset[line + 1] - 1):
            # an end so near has been joined as an end
            crosses &= np.hypot(at_x - lines.x[tip], at_y - lines.y[tip]) > MEET_M
    t, u = np.clip(t, 0.0, 1.0), np.clip(u, 0.0, 1.0)
    return _On(p[crosses], t[crosses]), _On(q[crosses], u[crosses])


def _elements(lines: Lines, on: _On) -> tuple[Ints, _On]:
    """
    Give each place a vertex: the given one that is there, or a new one, the same for places at one spot.

    Returns
    -------
    element, new
        The vertex of each place, new ones numbered after the given; where the new ones are.
    """
    segment, share = on
    length = _distance_m(lines, segment, segment + 1)
    element = np.full(len(segment), -1, np.int64)
    element[share * length <= SAME_M] = segment[share * length <= SAME_M]
    last = (1 - share) * length <= SAME_M
    element[last] = segment[last] + 1
    fresh = np.flatnonzero(element < 0)
    order = fresh[np.lexsort((share[fresh], segment[fresh]))]
    first = np.ones(len(order), bool)
    apart = (share[order][1:] - share[order][:-1]) * length[order][1:]
    first[1:] = (segment[order][1:] != segment[order][:-1]) | (apart > SAME_M)
    element[order] = len(lines.x) + np.cumsum(first) - 1
    return element, _On(segment[order][first], share[order][first])


def _loose(lines: Lines, label: Ints, *, base: Ints, near: tuple[Ints, Ints]) -> Ints:
    """Choose, of ends near lines, those on which nothing hangs and whose line does not meet the other."""
    end, other = near
    loose = np.bincount(label)[label[end]] == 1
    end, other = end[loose], other[loose]
    shape = (len(lines.offset) - 1, int(label.max()) + 1 if len(label) else 0)
    through = coo_array((np.ones(len(label), np.int64), (lines.of_line[base], label)), shape=shape).tocsr()
    met = through[lines.of_line[end]].multiply(through[other]).sum(axis=1)
    return np.unique(end[np.asarray(met).ravel() == 0])
