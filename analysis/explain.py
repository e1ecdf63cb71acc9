"""Why a place has the time that it has: the way, its grades, the legs off the street, and who would be next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.access import Ground, Standing, cross, measure_access
from geo.connectors import first_min
from geo.grades import Grades
from geo.hillside import Hillside
from geo.network import Streets
from geo.reach import OFF_STREET
from geo.snap import Snaps
from layers.catalog import Catalog
from layers.places import points_of

NEXT_N = 5
"""How many facilities are told, the one travelled to among them."""


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """
    The answer of ``access`` for one place and category, and how it comes about.

    ``verdict`` is the deciding row of ``access``. ``legs`` has a row for each end: ``end`` (place, facility;
    across where the two are joined over open ground alone), ``distance_m``, ``time_min`` and ``status`` of its
    join to the street. ``way`` is the way there, street by
    street: ``way_id, street_name, highway, length_m, time_min, rise_m, grade_max`` (rise over run of the steepest
    step, in the direction of travel). ``nearest`` are the facilities that might serve, the quickest first:
    ``facility_id, facility_name, served_by, time_to_min, time_back_min, time_min, distance_m``.
    """

    verdict: pd.Series
    legs: pd.DataFrame
    way: pd.DataFrame
    nearest: pd.DataFrame


def explain(
    places: pd.DataFrame,
    facilities: pd.DataFrame,
    *,
    place_id: str,
    category: str,
    streets: Streets,
    catalog: Catalog,
    sourced: frozenset[str],
    points: pd.DataFrame | None = None,
    grades: Grades | None = None,
    hillside: Hillside | None = None,
    closed: NDArray[np.object_] | None = None,
    met_share: float | None = None,
) -> Explanation:
    """
    Explain the time of one place to one category.

    A place of several points is explained from the point that decides for it.

    Parameters
    ----------
    places, facilities, streets, catalog, sourced, points, grades, closed, met_share
        As in ``analysis.access.measure_access``.
    hillside
        The ground off the streets, see ``geo.hillside``; without it legs are straight.
    place_id, category
        What is asked about.

    Raises
    ------
    KeyError
        There is no such place, or no such category that one travels to.
    """
    one = places[places["place_id"] == place_id].reset_index(drop=True)
    if not len(one):
        raise KeyError(place_id)
    asked = {c.id: c for c in catalog.in_access()}[category]
    own = (points_of(places) if points is None else points).query("place_id == @place_id").reset_index(drop=True)
    kept = {
        category,
        *(name for names in asked.substitutes.values() for name in names),
        "bus_stop",
        "coach_station",
    }
    near = facilities[facilities["category"].isin(kept) & facilities["operating"]].reset_index(drop=True)
    whole = replace(catalog, categories={name: c for name, c in catalog.categories.items() if name in kept})
    crossed = None
    if grades is not None and hillside is not None:
        crossed = cross(own, near, streets=streets, catalog=whole, grades=grades, hillside=hillside)
    access = measure_access(
        one, near, streets=streets, catalog=whole, sourced=sourced, points=own, circle_personas=(),
        met_share=met_share, grades=grades, open_ground=crossed, closed=closed,
    ).access  # fmt: skip
    verdict = access[(access["category"] == category) & access["deciding"]].iloc[0]
    standing = Standing.of(one, own, near, streets, whole, met_share or catalog.met_share)
    ground = Ground(streets, whole, standing, grades, crossed, closed)
    journeys, homes, ends = ground.journeys(verdict["persona"], "walk")
    if verdict["rode"]:
        journeys, homes, ends = ground.journeys(verdict["persona"], verdict["mode"])
    names = [category, *asked.substitutes.get(str(one.loc[0, "profile"]), ())]
    rows = standing.rows(names)
    rows = rows[np.argsort(standing.rank[rows], kind="stable")]
    tables = [journeys.around(home, rows, direction=asked.direction, k=NEXT_N) for home in range(len(own))]
    home = _deciding(tables, verdict["time_min"])
    table = tables[home]
    at = table["facility"].to_numpy(np.int64)
    nearest = pd.DataFrame(
        {"facility_id": near["facility_id"].to_numpy()[at], "facility_name": near["facility_name"].to_numpy()[at],
         "served_by": near["category"].to_numpy()[at], "time_to_min": table["to_min"].to_numpy(),
         "time_back_min": table["back_min"].to_numpy(), "time_min": table["time_min"].to_numpy(),
         "distance_m": table["m"].to_numpy()}
    )  # fmt: skip
    inward = asked.direction != "from_facility"
    chosen = next((row for row in at if near.loc[row, "facility_id"] == verdict["facility_id"]), None)
    way = pd.DataFrame() if chosen is None else journeys.way(home, int(chosen), inward=inward)
    met = [(ends, int(chosen))] if chosen is not None else []
    legs = _legs_of(way, inward=inward) if len(way) else _joins_of([(homes, home), *met], ground)
    return Explanation(verdict, legs, _streets_of(way, streets, grades), nearest)


_LEG_COLUMNS = ["end", "distance_m", "time_min", "status"]


def _joins_of(joins: Sequence[tuple[Snaps, int]], ground: Ground) -> pd.DataFrame:
    """Where there is no way: how both ends come to the street that they meet first."""
    ways = (ground.crossing.homes, ground.crossing.facilities)
    rows = []
    for end, (snaps, row), own in zip(("place", "facility"), joins, ways, strict=False):
        to_min, _ = first_min(own, len(snaps.edge), ground.profile.flat_kmh)
        rows.append((end, snaps.distance_m[row], to_min[row], snaps.status[row]))
    return pd.DataFrame(rows, columns=_LEG_COLUMNS)


def _legs_of(way: pd.DataFrame, *, inward: bool) -> pd.DataFrame:
    """The ways off the street at both ends, or the one from point to point."""
    names = ["place", "facility"] if inward else ["facility", "place"]
    off = way[way["edge"] == OFF_STREET]
    if len(off) == 1:
        names = ["across"]
    rows = [(end, part["m"], part["ms"] / 60_000, "ok")
            for end, part in zip(names, (off.iloc[0], off.iloc[-1]), strict=False)]  # fmt: skip
    return pd.DataFrame(rows if inward else rows[::-1], columns=_LEG_COLUMNS)


def _deciding(tables: Sequence[pd.DataFrame], time_min: float) -> int:
    """The point whose best time is the one of the place."""
    best = np.array([table["time_min"].min() if len(table) else np.nan for table in tables])
    apart = np.abs(best - time_min)
    return int(np.nanargmin(apart)) if np.isfinite(apart).any() else 0


def _streets_of(way: pd.DataFrame, streets: Streets, grades: Grades | None) -> pd.DataFrame:
    """The way street by street: stretches of one way of the map that follow each other are one."""
    columns = ["way_id", "street_name", "highway", "length_m", "time_min", "rise_m", "grade_max"]
    way = way[way["edge"] >= 0] if len(way) else way
    if not len(way):
        return pd.DataFrame(columns=columns)
    edge = way["edge"].to_numpy(np.int64)
    number = streets.way[edge]
    tags = streets.tags.iloc[number]
    rise, steep = np.full(len(way), np.nan), np.full(len(way), np.nan)
    if grades is not None:
        ends = way[["from_fraction", "to_fraction"]].to_numpy(np.float64)
        for k, (e, (start, end)) in enumerate(zip(edge, ends, strict=True)):
            rise[k], steep[k] = _climb(grades, int(e), float(start), float(end))
    table = pd.DataFrame(
        {"way_id": tags["way_id"].to_numpy(), "street_name": tags["name"].to_numpy(object),
         "highway": tags["highway"].to_numpy(object), "length_m": way["m"].to_numpy(),
         "time_min": way["ms"].to_numpy() / 60_000, "rise_m": rise, "grade_max": steep,
         "part": np.cumsum(np.diff(number, prepend=-1) != 0)}
    )  # fmt: skip
    how = {"way_id": "first", "street_name": "first", "highway": "first", "length_m": "sum", "time_min": "sum"}
    kept = table.groupby("part", sort=False)
    out = kept.agg(how)
    out["rise_m"] = kept["rise_m"].sum(min_count=1)
    out["grade_max"] = kept["grade_max"].agg(
        lambda g: g.iloc[int(np.argmax(g.abs()))] if g.notna().all() else np.nan
    )
    return out.reset_index(drop=True)[columns]


def _climb(grades: Grades, edge: int, start: float, end: float) -> tuple[float, float]:
    """Metres up between two places on an edge, and the steepest grade on the way, up above 0."""
    heights = grades.height_m[grades.offset[edge] : grades.offset[edge + 1]].astype(np.float64)
    marks = np.linspace(0.0, 1.0, len(heights))
    between = marks[(marks > min(start, end)) & (marks < max(start, end))]
    at = np.concatenate(([start], between if end >= start else between[::-1], [end]))
    height = np.interp(at, marks, heights)
    run = np.abs(np.diff(at)) * grades.length_m[edge]
    grade = np.diff(height)[run > 0] / run[run > 0]
    return float(height[-1] - height[0]), float(grade[np.argmax(np.abs(grade))]) if len(grade) else 0.0
