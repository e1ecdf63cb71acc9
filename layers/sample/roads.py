"""The county's streets: a valley road, a town of blocks, roads that wind up the flanks, and what is cut off."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from layers.sample.ground import valley_m

STEP_M = 100.0
TOWN_X = (-600, -400, -200, 0, 200, 400, 600)
TOWN_Y = (60, 210, 360, 510, 660)
CLIMBS = {-9_000: 3_200, -6_400: -2_600, -3_500: 4_000, 3_100: 3_600, 5_800: -3_000, 8_700: 2_800}
"""Where roads leave the valley road, and how far north (or south) they end."""

RIVER_SOUTH_M = 260.0
"""How far south of the valley road the river runs."""


@dataclass(slots=True)
class Roads:
    """Nodes in metres, ways as node numbers from 1 with their tags, and where buses stop."""

    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    ways: list[tuple[list[int], dict[str, str]]] = field(default_factory=list)
    stops: list[tuple[float, float]] = field(default_factory=list)

    def node(self, x: float, y: float) -> int:
        """Add a node; its number."""
        self.x.append(float(x))
        self.y.append(float(y))
        return len(self.x)

    def way(self, nodes: list[int], **tags: str) -> None:
        """Add a way."""
        self.ways.append((nodes, tags))


def build_roads() -> Roads:
    """Lay out the streets; always the same."""
    roads = Roads()
    along = np.arange(-11_000, 11_000 + STEP_M, STEP_M)
    valley = {int(x): roads.node(x, float(valley_m(x))) for x in along}
    roads.way(list(valley.values()), highway="secondary", name="样例大道")
    roads.stops = [(x, float(valley_m(x)) + 5) for x in range(-9_000, 9_001, 1_500)]
    _town(roads, valley)
    for x, reach in CLIMBS.items():
        _climb(roads, valley[x], x, reach)
    _far_bank(roads)
    river = [roads.node(x, float(valley_m(x)) - RIVER_SOUTH_M) for x in along]
    roads.way(river, waterway="river", name="样例河")
    return roads


def _town(roads: Roads, valley: dict[int, int]) -> None:
    grid = {(x, y): roads.node(x, float(valley_m(x)) + y) for x in TOWN_X for y in TOWN_Y}
    for x in TOWN_X:
        roads.way([valley[x], *(grid[x, y] for y in TOWN_Y)], highway="residential")
    for number, y in enumerate(TOWN_Y):
        one_way = {"oneway": "yes"} if number == 1 else {}
        roads.way([grid[x, y] for x in TOWN_X], highway="residential", **one_way)


def _climb(roads: Roads, start: int, x: int, reach: int) -> None:
    """Wind up (or down to the river and over a bridge) in bends that widen with the slope."""
    side = float(np.sign(reach))
    above: NDArray[np.float64] = np.arange(60.0, abs(reach) + 1, 60.0)
    bend = np.minimum(above / 800.0, 1.0) * 220.0 * np.sin(above / 160.0)
    nodes = [roads.node(x + b, float(valley_m(x)) + side * a) for a, b in zip(above, bend, strict=True)]
    if side < 0:  # the river lies between the fourth and the sixth node
        roads.way([start, *nodes[:4]], highway="unclassified")
        roads.way(nodes[3:6], highway="unclassified", bridge="yes", layer="1")
        roads.way(nodes[5:], highway="unclassified")
    else:
        roads.way([start, *nodes], highway="unclassified")
    lane = [nodes[-1], *(roads.node(x + d, float(valley_m(x)) + reach) for d in (150, 300, 450))]
    roads.way(lane, highway="track")


def _far_bank(roads: Roads) -> None:
    """Lanes on the far bank without a bridge: over 2 km of them, so they are a network of their own."""
    rows = [
        [roads.node(x, float(valley_m(x)) - RIVER_SOUTH_M - below) for x in range(1_000, 2_001, 100)]
        for below in (150, 350)
    ]
    for row in rows:
        roads.way(row, highway="track")
    for first, second in zip(*rows, strict=True):
        roads.way([first, second], highway="path")
