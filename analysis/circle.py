"""The quarter-hour circle: how much of each list a place has on foot."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from layers.catalog import Catalog

URBAN_ONLY = "gb50180_"
"""The tiers of GB 50180 are for towns; a rural place is not judged by them."""


def judge_circles(
    access: pd.DataFrame, places: pd.DataFrame, *, catalog: Catalog, personas: Sequence[str]
) -> pd.DataFrame:
    """
    Count, list by list, what a persona reaches on foot within the place's own standard.

    What no source carries is unknown, never missing, and neither met nor counted in ``total_n``; so is what
    has no standard on foot in the place's profile. A place outside the data has everything unknown.

    Returns
    -------
    circles
        One row a place, persona and list that applies to its profile: ``met_n`` of ``total_n``, ``unknown_n``
        (no data), ``no_standard_n``, ``list_n`` (all of the list: the four add up), ``missing``.
    """
    walked = access[access["mode"] == "walk"]
    profile = places.set_index("place_id")["profile"]
    parts = []
    for name in catalog.lists:
        wanted = catalog.on_list(name)
        rows = walked[walked["category"].isin(wanted) & walked["persona"].isin(personas)]
        if name.startswith(URBAN_ONLY):
            rows = rows[rows["place_id"].map(profile) != "rural"]
        if len(rows):
            parts.append(_judged(rows, name))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    circles = pd.concat(parts, ignore_index=True)
    order = pd.Categorical(circles["place_id"], categories=list(dict.fromkeys(places["place_id"])), ordered=True)
    return circles.iloc[order.argsort(kind="stable")].reset_index(drop=True)


COLUMNS = [
    "place_id",
    "persona",
    "list",
    "met_n",
    "total_n",
    "unknown_n",
    "no_standard_n",
    "list_n",
    "missing",
]


def _judged(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    unknown = rows["status"].isin(["no_data", "outside_data"])
    unruled = ~unknown & rows["threshold_min"].isna()
    met = (rows["status"] == "served").astype("int64")
    missing = ~unknown & ~unruled & (met == 0)
    counted = rows[["place_id", "persona"]].assign(
        list=name,
        met_n=met,
        total_n=(~unknown & ~unruled).astype("int64"),
        unknown_n=unknown.astype("int64"),
        no_standard_n=unruled.astype("int64"),
        list_n=1,
        missing=rows["category"].where(missing, ""),
    )
    how = dict.fromkeys(COLUMNS[3:8], "sum") | {"missing": lambda cells: ";".join(c for c in cells if c)}
    return counted.groupby(["place_id", "persona", "list"], sort=False, as_index=False).agg(how)[COLUMNS]
