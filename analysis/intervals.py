"""How sure a share is: measured again with one assumption changed at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.access import measure_access
from analysis.circle import circle_shares, judge_circles
from analysis.gaps import coverage
from geo.connectors import OpenGround, Ways
from geo.grades import Grades
from geo.network import Streets
from geo.walking import DEFAULT
from layers.catalog import Catalog

SPEED_SHARE = 0.2
"""By how much people may walk slower or faster than their speed on level ground."""

OTHER = "tobler"

VARIANTS = ("slower", "faster", "straight_legs", "other_function", "field_as_path")
KEYS = ["place_kind", "category", "list", "persona"]


def intervals(
    places: pd.DataFrame,
    facilities: pd.DataFrame,
    *,
    streets: Streets,
    catalog: Catalog,
    sourced: frozenset[str],
    points: pd.DataFrame | None = None,
    circle_personas: Sequence[str] = ("adult", "elderly"),
    met_share: float | None = None,
    grades: Grades | None = None,
    open_ground: OpenGround | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """
    Give the share of people served with its range when one assumption is changed at a time.

    The changes: everybody walks a fifth slower (``slower``) or faster (``faster``); one goes straight from the
    point to the nearest street and never over the hillside (``straight_legs``); grades count by another published
    function (``other_function``: Tobler's, or Irmischer and Clarke's where Tobler's is the run's own); a field is
    walked as quickly as a path (``field_as_path``). The ways over open ground stay those of the run.

    Parameters
    ----------
    places, facilities, streets, catalog, sourced, points, circle_personas, met_share, grades, open_ground
        As in ``analysis.access.measure_access``.
    progress
        Called with a change before it is measured.

    Returns
    -------
    intervals
        For each kind of place a row a category (its deciding persona and mode), and a row a list and persona:
        ``people_share`` as in ``coverage`` and, with all of a list met, in ``shares``; the least and the most of
        it (``people_share_low``, ``people_share_high``), and its value with each change. NaN where nobody can be
        judged, and for a change that is none: without terrain only speed changes.
    """

    def shares(catalog: Catalog, open_ground: OpenGround | None) -> pd.Series:
        access = measure_access(
            places, facilities, streets=streets, catalog=catalog, sourced=sourced, points=points,
            circle_personas=circle_personas, met_share=met_share, grades=grades, open_ground=open_ground,
        ).access  # fmt: skip
        return _shares(access, places, catalog, circle_personas)

    base = shares(catalog, open_ground)
    table = pd.DataFrame({"people_share": base})
    for name, other, ground in _changes(catalog, grades, open_ground):
        progress(name)
        table[name] = shares(other, ground).reindex(base.index)
    table = table.reindex(columns=["people_share", *VARIANTS]).astype("float64")
    table.insert(1, "people_share_low", table.min(axis=1))
    table.insert(2, "people_share_high", table.drop(columns="people_share_low").max(axis=1))
    return table.reset_index()


def _changes(
    catalog: Catalog, grades: Grades | None, open_ground: OpenGround | None
) -> Iterator[tuple[str, Catalog, OpenGround | None]]:
    """The changes that change anything."""
    if not catalog.raw_speed:
        for name, factor in (("slower", 1 - SPEED_SHARE), ("faster", 1 + SPEED_SHARE)):
            walkers = {
                key: dataclasses.replace(p, flat_kmh=p.flat_kmh * factor) for key, p in catalog.personas.items()
            }
            yield name, dataclasses.replace(catalog, personas=walkers), open_ground
    if open_ground is not None:
        yield "straight_legs", catalog, None
    if grades is not None:
        other = OTHER if catalog.walk_function != OTHER else DEFAULT
        yield "other_function", catalog.walking(other, raw=catalog.raw_speed), open_ground
    if open_ground is not None:
        yield "field_as_path", catalog, _as_paths(open_ground)


def _as_paths(open_ground: OpenGround) -> OpenGround:
    def level(ways: Ways) -> Ways:
        return dataclasses.replace(ways, level_m=np.minimum(ways.level_m, ways.m))

    ways = (open_ground.homes, open_ground.facilities, open_ground.car_homes, open_ground.car_facilities)
    one, two, three, four = (level(own) for own in ways)
    pairs = open_ground.pairs
    return OpenGround(
        one, two, three, four, dataclasses.replace(pairs, level_m=np.minimum(pairs.level_m, pairs.m))
    )


def _shares(access: pd.DataFrame, places: pd.DataFrame, catalog: Catalog, personas: Sequence[str]) -> pd.Series:
    """The share of people served by kind of place: of categories, and of lists with all of them met."""
    by_category = coverage(access, places).assign(list="", persona="")
    circles = circle_shares(judge_circles(access, places, catalog=catalog, personas=personas), places)
    by_list = circles[circles["by"] == "all"].assign(category="", people_share=circles["people_all_met_share"])
    both = pd.concat([by_category[[*KEYS, "people_share"]], by_list[[*KEYS, "people_share"]]])
    return both.set_index(KEYS)["people_share"]
