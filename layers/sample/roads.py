"""The county's streets: valley roads, few bridges, towns of blocks, roads that wind up the flanks, and a far bank."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from layers.sample.ground import RIVER_M, STEP_M, Floats, Ground

BRIDGELESS_X = (-8_000, 16_000)
"""Valleys south of the river that reach the main road only along the far bank, over a neighbour's bridge."""


@dataclass(slots=True, eq=False)
class Roads:
    """Nodes in metres, numbered from 0, and ways as node numbers with their tags."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    ways: list[tuple[list[int], dict[str, str]]] = field(default_factory=list)

    def node(self, x: float, y: float) -> int:
        """Add a node; its number."""
        self.x.append(float(x))
        self.y.append(float(y))
        return len(self.x) - 1

    def line(self, xy: Floats) -> list[int]:
        """Add nodes one after the other."""
        return [self.node(x, y) for x, y in xy]

    def way(self, nodes: list[int], **tags: str) -> None:
        """Add a way."""
        self.ways.append((nodes, tags))

    def at(self, node: int) -> tuple[float, float]:
        """Where a node is, in metres."""
        return self.x[node], self.y[node]


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A town or a village: its middle, and the nodes of its lanes, where people and what serves them stand."""

    centre: int
    lanes: tuple[int, ...]
    hamlets: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The streets and what stands on them; ``far_bank`` are lanes that no bridge reaches."""

    roads: Roads
    towns: tuple[Spot, ...]
    villages: tuple[Spot, ...]
    far_bank: tuple[int, ...]
    across: int
    """The node of the main road that faces the far bank."""
    rivers: tuple[Floats, ...]


def lay_roads(ground: Ground, rng: np.random.Generator, *, towns: int, villages: int) -> Layout:
    """Lay out streets, towns and villages; the county town is the first town."""
    roads = Roads()
    main = ground.valleys[0]
    main_nodes = roads.line(main.xy)
    roads.way(main_nodes, highway="secondary", name="样例大道")
    bottoms = [main_nodes, *_side_valleys(roads, ground, main_nodes)]
    middle = int(np.argmin(np.abs(main.xy[:, 0])))
    found = [_town(roads, main_nodes, main_nodes[middle], columns=13, rows=6, block=150.0, north=True)]
    seats = _spread(bottoms[1:], towns - 1)
    found += [_town(roads, nodes, node, columns=5, rows=3, block=120.0, north=False) for nodes, node in seats]
    spots = _villages(roads, bottoms[1:], rng, villages, seats={node for _, node in seats})
    far_bank = _far_bank(roads, main.xy[middle])
    rivers = [np.column_stack((main.xy[:, 0], main.xy[:, 1] - RIVER_M))]
    rivers += [valley.xy[5:] + np.array((120.0, 0.0)) for valley in ground.valleys[1:]]
    return Layout(roads, tuple(found), tuple(spots), far_bank, main_nodes[middle + 8], tuple(rivers))


def _side_valleys(roads: Roads, ground: Ground, main_nodes: list[int]) -> list[list[int]]:
    """Valley roads; to the south over a bridge, or along the far bank to the neighbour that has one."""
    main_x = ground.valleys[0].xy[:, 0]
    out: list[list[int]] = []
    southern: dict[float, int] = {}
    parted: dict[float, int] = {}
    for valley in ground.valleys[1:]:
        from_x = float(valley.xy[0, 0])
        start = main_nodes[int(np.argmin(np.abs(main_x - from_x)))]
        nodes = roads.line(valley.xy[1:])
        if valley.side > 0:
            roads.way([start, *nodes], highway="tertiary")
            out.append(nodes)
            continue
        if from_x in BRIDGELESS_X:
            parted[from_x] = nodes[3]
        else:  # the river runs between the second and the third point
            roads.way([start, *nodes[:2]], highway="tertiary")
            roads.way(nodes[1:4], highway="tertiary", bridge="yes", layer="1")
            southern[from_x] = nodes[3]
        roads.way(nodes[3:], highway="tertiary")
        out.append(nodes[3:])
    for from_x, here in parted.items():
        there = southern[min(southern, key=lambda x: abs(x - from_x))]
        n = max(3, int(abs(roads.x[there] - roads.x[here]) / STEP_M))
        xy = np.linspace(roads.at(there), roads.at(here), n)
        roads.way([there, *roads.line(xy[1:-1]), here], highway="unclassified")
    return out


def _town(
    roads: Roads, valley: list[int], start: int, *, columns: int, rows: int, block: float, north: bool
) -> Spot:
    """A grid of streets beside a node of the valley road, north or east of it; the second row is one-way."""
    x0, y0 = roads.at(start)
    along, away = np.array([(1.0, 0.0), (0.0, 1.0)]) if north else np.array([(0.0, 1.0), (1.0, 0.0)])
    around = np.array([roads.at(node) for node in valley]) - (x0, y0)
    left = -(columns // 2) * block
    # the road winds; the first row keeps clear of it
    clear = float((around[np.abs(around @ along) <= -left + 60.0] @ away).max()) + 60.0
    grid = {}
    for i in range(columns):
        for j in range(rows):
            x, y = (x0, y0) + along * (left + i * block) + away * (clear + j * block * 0.8)
            grid[i, j] = roads.node(x, y)
    middle = columns // 2
    roads.way([start, *(grid[middle, j] for j in range(rows))], highway="residential")
    for i in range(columns):
        if i != middle:
            roads.way([grid[i, j] for j in range(rows)], highway="residential")
    for j in range(rows):
        one_way = {"oneway": "yes"} if j == 1 else {}
        roads.way([grid[i, j] for i in range(columns)], highway="residential", **one_way)
    return Spot(grid[middle, 1], tuple(grid.values()))


def _spread(bottoms: list[list[int]], n: int) -> list[tuple[list[int], int]]:
    """Valleys and nodes for towns: in the side valleys one after the other, in their middle, then further up."""
    seats = []
    for turn in (0.45, 0.8, 0.2):
        seats += [(nodes, nodes[int(turn * len(nodes))]) for nodes in bottoms]
    return seats[:n]


def _villages(
    roads: Roads, bottoms: list[list[int]], rng: np.random.Generator, n: int, *, seats: set[int]
) -> list[Spot]:
    """Villages along the side valleys, on the bottom or up a winding road, by turns on both sides."""
    spots: list[Spot] = []
    each = int(np.ceil(n / len(bottoms)))
    for nodes in bottoms:
        step = (len(nodes) - 1 - FIRST_VILLAGE) / max(each - 1, 1)
        for number in range(each):
            if len(spots) == n:
                break
            start = nodes[min(int(FIRST_VILLAGE + number * step), len(nodes) - 1)]
            east = 1.0 if number % 2 else -1.0
            if any(abs(start - seat) < TOWN_NODES for seat in seats):
                east = -1.0  # towns lie to the east of the road
            climb = 0.0 if number % 3 == 0 else rng.uniform(500, 1_500)
            spots.append(_village(roads, start, east, climb, rng))
    return spots


FIRST_VILLAGE, TOWN_NODES = 12, 16
"""How many steps from the main road the first village lies, and how near to a town none lies on its side."""


def _village(roads: Roads, start: int, east: float, climb_m: float, rng: np.random.Generator) -> Spot:
    """A winding road of ``climb_m`` away from the valley, a lane, two paths to hamlets, and the hamlets above."""
    x, y = roads.at(start)
    away = np.arange(60.0, climb_m + 1, 60.0)
    bend = np.minimum(away / 500.0, 1.0) * 150.0 * np.sin(away / 150.0)
    nodes = [start, *(roads.node(x + east * a, y + b) for a, b in zip(away, bend, strict=True))]
    if len(nodes) > 1:
        roads.way(nodes, highway="unclassified")
    x, y = roads.at(nodes[-1])
    lane = [nodes[-1], *(roads.node(x + east * d, y) for d in np.arange(50.0, 401.0, 50.0))]
    roads.way(lane, highway="track")
    lanes, hamlets = list(lane), []
    for up in (1.0, -1.0):
        length = rng.uniform(350, 750)
        path = [lane[4], *(roads.node(roads.x[lane[4]] + east * 0.3 * d, roads.y[lane[4]] + up * d)
                           for d in np.arange(50.0, length, 50.0))]  # fmt: skip
        roads.way(path, highway="path")
        lanes += path[1:]
        end = roads.at(path[-1])
        hamlets.append((end[0] + east * rng.uniform(60, 200), end[1] + up * rng.uniform(60, 200)))
    hamlets.append((x + east * rng.uniform(500, 900), y + rng.uniform(-150, 150)))
    return Spot(nodes[-1], tuple(lanes), tuple(hamlets))


def _far_bank(roads: Roads, middle: Floats) -> tuple[int, ...]:
    """Lanes on the far bank without a bridge: over 2 km of them, so they are a network of their own."""
    x0, y0 = middle[0] + 700.0, middle[1] - RIVER_M
    rows = [[roads.node(x0 + d, y0 - below) for d in np.arange(0.0, 1_001.0, STEP_M)] for below in (150.0, 350.0)]
    for row in rows:
        roads.way(row, highway="track")
    for first, second in zip(*rows, strict=True):
        roads.way([first, second], highway="path")
    return tuple(rows[0])
