"""How sure a share is: measured again with one assumption changed at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Unpack

import pandas as pd

from analysis.access import CIRCLE_PERSONAS, Asked, measure_access
from analysis.circle import circle_shares, judge_circles
from analysis.gaps import coverage
from geo.walking import DEFAULT
from layers.catalog import Catalog

SPEED_SHARE = 0.2
"""By how much people may walk slower or faster than their speed on level ground."""

OTHER = "tobler"

VARIANTS = ("slower", "faster", "straight_legs", "other_function", "field_as_path")
KEYS = ["place_kind", "category", "list", "persona"]


def intervals(
    access: pd.DataFrame, places: pd.DataFrame, facilities: pd.DataFrame, **asked: Unpack[Asked]
) -> pd.DataFrame:
    """
    Give the share of people served with its range when one assumption is changed at a time.

    The changes: everybody walks a fifth slower (``slower``) or faster (``faster``); one goes straight from the
    point to the nearest street and never over the hillside (``straight_legs``); grades count by another published
    function (``other_function``: Tobler's, or Irmischer and Clarke's where Tobler's is the run's own); a field is
    walked as quickly as a path (``field_as_path``). The ways over open ground stay those of the run.

    Parameters
    ----------
    access
        What ``measure_access`` says of all that follows.
    places, facilities, **asked
        As for ``analysis.access.measure_access``.

    Returns
    -------
    intervals
        For each kind of place a row a category (its deciding persona and mode), and a row a list and persona:
        ``people_share`` as in ``coverage`` and, with all of a list met, in ``shares``; the least and the most of
        it (``people_share_low``, ``people_share_high``), and its value with each change. NaN where nobody can be
        judged, and for a change that is none: without terrain only speed changes.
    """
    catalog, personas = asked["catalog"], asked.get("circle_personas", CIRCLE_PERSONAS)
    base = _shares(access, places, catalog, personas)
    table = pd.DataFrame({"people_share": base})
    for name, changed in _changes(asked):
        again = measure_access(places, facilities, **changed).access
        table[name] = _shares(again, places, changed["catalog"], personas).reindex(base.index)
    table = table.reindex(columns=["people_share", *VARIANTS]).astype("float64")
    table.insert(1, "people_share_low", table.min(axis=1))
    table.insert(2, "people_share_high", table.drop(columns="people_share_low").max(axis=1))
    return table.reset_index()


def _changes(asked: Asked) -> Iterator[tuple[str, Asked]]:
    """The changes that change anything."""
    catalog, open_ground = asked["catalog"], asked.get("open_ground")
    if not catalog.raw_speed:
        for name, factor in (("slower", 1 - SPEED_SHARE), ("faster", 1 + SPEED_SHARE)):
            yield name, {**asked, "catalog": catalog.at_speed(factor)}
    if open_ground is not None:
        yield "straight_legs", {**asked, "open_ground": None}
    if asked.get("grades") is not None:
        other = OTHER if catalog.walk_function != OTHER else DEFAULT
        yield "other_function", {**asked, "catalog": catalog.walking(other, raw=catalog.raw_speed)}
    if open_ground is not None:
        yield "field_as_path", {**asked, "open_ground": open_ground.as_paths()}


def _shares(access: pd.DataFrame, places: pd.DataFrame, catalog: Catalog, personas: Sequence[str]) -> pd.Series:
    """The share of people served by kind of place: of categories, and of lists with all of them met."""
    by_category = coverage(access, places).assign(list="", persona="")
    circles = circle_shares(judge_circles(access, places, catalog=catalog, personas=personas), places)
    by_list = circles[circles["by"] == "all"].assign(category="", people_share=circles["people_all_met_share"])
    both = pd.concat([by_category[[*KEYS, "people_share"]], by_list[[*KEYS, "people_share"]]])
    return both.set_index(KEYS)["people_share"]
