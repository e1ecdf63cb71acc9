"""What was left behind and what is planned: old homesteads, the land survey around them, zones and ledgers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
import shapely.affinity

from layers.sample.ground import Floats
from layers.sample.people import Home, Village
from layers.sample.roads import Layout

PLOTS_A_VILLAGE = 67


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """An old homestead: its outline in metres, its house, and how far things have gone."""

    id: str
    house: str
    village: Village
    outline: shapely.Polygon
    stage: int
    """0 stands, 1 demolished, 2 reclaimed, 3 accepted."""
    retained: bool
    trait: str = ""
    """What is planted in its outline, see ``TRAITS``."""
    soil_cm: int = 60


TRAITS = {-2: "crossing", -4: "flat", -6: "overlap", -8: "hole", -11: "repeated"}
"""By place in the list, counted from the last, what is planted in the outlines of plots."""

BEFORE = 3
"""So many places before it in the list stands the plot that one overlaps."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A patch of the land survey in metres, with its class and owner."""

    number: int
    code: str
    name: str
    outline: shapely.Polygon
    village: Village


def plots_of(villages: list[Village], rng: np.random.Generator) -> list[Plot]:
    """Houses of hamlets above the paths, turned this way and that, a row of them to a terrace."""
    plots: list[Plot] = []
    for village in villages:
        for number in range(PLOTS_A_VILLAGE):
            hamlet = village.spot.hamlets[number % len(village.spot.hamlets)]
            row, column = divmod(number // len(village.spot.hamlets), 5)
            x = hamlet[0] + column * 26.0 + rng.uniform(-3, 3)
            y = hamlet[1] + row * 24.0 + rng.uniform(-3, 3)
            width, depth, turn = rng.uniform(9, 18), rng.uniform(8, 13), rng.normal(0, 0.25)
            corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, depth / 2)
            rotated = corners @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
            name = f"{village.code[6:]}-{number + 1:03d}"
            stage = int(rng.choice(4, p=[0.2, 0.25, 0.25, 0.3]))
            retained = bool(rng.random() < 0.04)
            plots.append(Plot(f"ZJD{name}", f"JF{name}", village, shapely.Polygon(rotated + np.array((x, y))),
                              0 if retained else stage, retained, soil_cm=int(rng.integers(15, 95))))  # fmt: skip
    for at, trait in TRAITS.items():
        plots[at] = replace(plots[at], outline=_planted(trait, plots[at], plots[at - BEFORE]), trait=trait)
    return plots


def _planted(trait: str, plot: Plot, other: Plot) -> shapely.Polygon:
    """The true outline of a plot with something planted."""
    if trait == "overlap":
        return shapely.affinity.translate(other.outline, 4.0, 0.0)
    if trait == "hole":
        return shapely.difference(plot.outline, plot.outline.centroid.buffer(1.0, quad_segs=2))
    return plot.outline


def drawn(plot: Plot) -> shapely.Polygon:
    """The outline as somebody drew it: a corner that crosses itself, or a line for an area."""
    corners = shapely.get_coordinates(plot.outline)[:-1]
    if plot.trait == "crossing":
        first, second, last = corners[0], corners[1], corners[-1]
        near, far = first + 0.05 * (last - first), first + 0.05 * (second - first)
        return shapely.Polygon([near, *corners[1:], far])
    if plot.trait == "flat":
        return shapely.Polygon([corners[0], corners[1], corners[0]])
    return plot.outline


def survey_of(villages: list[Village]) -> list[Patch]:
    """Around each hamlet a patch of homesteads, a field beside it and a wood above."""
    patches: list[Patch] = []
    for village in villages:
        for x, y in village.spot.hamlets:
            yard = shapely.box(x - 15, y - 15, x + 120, y + 110)
            field = shapely.box(x - 150, y - 15, x - 15, y + 110)
            wood = shapely.box(x - 150, y + 110, x + 120, y + 260)
            for code, name, outline in (
                ("0702", "农村宅基地", yard),
                ("0103", "旱地", field),
                ("0301", "乔木林地", wood),
            ):
                patches.append(Patch(len(patches) + 1, code, name, outline, village))
    return patches


def village_shapes(villages: list[Village], layout: Layout, box: shapely.Polygon) -> list[shapely.Geometry]:
    """Every village's ground: what is nearer to its middle than to any other's, within the county."""
    points = shapely.MultiPoint([layout.roads.at(village.spot.centre) for village in villages])
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box))
    tree = shapely.STRtree(cells)
    which = [int(tree.query(point, predicate="within")[0]) for point in points.geoms]
    return [shapely.intersection(cells[number], box) for number in which]


def zones(villages: list[Village], box: shapely.Polygon) -> dict[str, list[shapely.Geometry]]:
    """Permanent farmland beside hamlets, a red line along the northern rim, hazards above some hamlets."""
    hamlets = [hamlet for village in villages for hamlet in village.spot.hamlets]
    west, _, east, north = box.bounds
    return {
        "permanent_farmland": [shapely.box(x - 150, y - 15, x - 60, y + 110) for x, y in hamlets[::2]],
        "redline": [shapely.box(west, north - 2_500, east, north)],
        "reserves": [shapely.box(east - 3_000, north - 3_000, east, north)],
        "hazards": [shapely.Point(x + 60, y + 90).buffer(80, quad_segs=4) for x, y in hamlets[::15]],
        "plan_parcels": [shapely.box(x - 200, y - 200, x + 100, y - 60) for x, y in hamlets[::20]],
        "urban_boundary": [shapely.box(-1_500, -200, 1_500, 1_500)],
    }


def pipes(layout: Layout, settlements: list[Home]) -> list[Floats]:
    """A water pipe from the county town to each settlement of a town."""
    roads, source = layout.roads, layout.roads.at(layout.towns[0].centre)
    return [np.array([source, roads.at(home.node)]) for home in settlements if home.kind == "城镇集中安置"]
