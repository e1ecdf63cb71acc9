"""The quarter-hour circle: how much of each list a place has, must have, and reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import crs as systems
from geo.grades import Grades
from geo.network import Streets, use_streets
from geo.rings import Surface
from geo.snap import Snapper
from layers.catalog import Catalog

URBAN_ONLY = "gb50180_"
"""The tiers of GB 50180 are for towns; a rural place is not judged by them."""

UNKNOWN = ("no_data", "outside_data")

COLUMNS = [
    "place_id", "persona", "list", "met_n", "total_n", "unknown_n", "no_standard_n", "list_n",
    "exist_met_n", "exist_n", "missing", "far", "unknown",
]  # fmt: skip
"""Of ``circles``; see ``judge_circles``."""

SHARES = [
    "place_kind", "by", "name", "list", "persona", "places_n", "judged_n", "all_met_n", "people", "people_all_met",
    "people_all_met_share", "people_unknown_n", "met_share_mean", "exist_met_n", "exist_n", "missing_n",
    "people_share_low", "people_share_high",
]  # fmt: skip
"""Of ``shares``; see ``circle_shares``."""


def judge_circles(
    access: pd.DataFrame, places: pd.DataFrame, *, catalog: Catalog, personas: Sequence[str]
) -> pd.DataFrame:
    """
    Count, list by list, what a persona has within the place's own standard.

    A category is asked in the mode that decides for the place, if it is the persona's own category; another
    persona walks. What no source carries is unknown, never missing, and neither met nor counted in ``total_n``;
    so is what has no standard for the way that is asked. A place outside the data has everything unknown.

    What a place must have of its own (its people, moved and host, reach the category's ``min_population``) and
    has not in time is ``missing``; what it only must reach and does not is ``far``. Below that number nobody is
    told to build one.

    Returns
    -------
    circles
        One row a place, persona and list that applies to its profile: ``met_n`` of ``total_n`` that could be
        judged, ``unknown_n`` (no data), ``no_standard_n``, ``list_n`` (all of the list: the three add up), of
        which ``exist_met_n`` of ``exist_n`` are those it must have; ``missing``, ``far`` and ``unknown`` name
        the categories, joined by ``;``.
    """
    own = {category.id: category.persona for category in catalog.categories.values()}
    asked = access["persona"].isin(personas)
    mine = access["persona"] == access["category"].map(own)
    # its own persona in the deciding mode; any other on foot
    rows = access[asked & np.where(mine, access["deciding"], access["mode"] == "walk")]
    profile = places.set_index("place_id")["profile"]
    parts = []
    for name in catalog.lists:
        listed = rows[rows["category"].isin(catalog.on_list(name))]
        if name.startswith(URBAN_ONLY):
            listed = listed[listed["place_id"].map(profile) != "rural"]
        if len(listed):
            parts.append(_judged(listed, name))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    circles = pd.concat(parts, ignore_index=True)
    order = pd.Series(range(len(places)), index=places["place_id"]).reindex(circles["place_id"]).to_numpy()
    return circles.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def _judged(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    unknown = rows["status"].isin(UNKNOWN)
    unruled = ~unknown & rows["threshold_min"].isna()
    judged = ~unknown & ~unruled
    met = judged & (rows["status"] == "served")
    must = judged & (rows["requirement"] == "exist")
    lacks = judged & ~met
    keys = ["place_id", "persona", "list"]
    table = rows[["place_id", "persona"]].assign(
        list=name, met_n=met, total_n=judged, unknown_n=unknown, no_standard_n=unruled, list_n=True,
        exist_met_n=must & met, exist_n=must,
    )  # fmt: skip
    counted = table.groupby(keys, sort=False).sum().astype("int64")
    for column, chosen in (("missing", lacks & must), ("far", lacks & ~must), ("unknown", unknown)):
        words = rows["category"].where(chosen)
        named = table[keys].assign(words=words)[chosen].groupby(keys, sort=False)["words"]
        joined = {key: ";".join(group) for key, group in named}
        counted[column] = pd.array([joined.get(key, "") for key in counted.index], dtype="str")
    return counted.reset_index()[COLUMNS]


RING_MIN = (5, 10, 15)
"""The minutes that rings are drawn for."""


def circle_rings(
    places: pd.DataFrame,
    *,
    streets: Streets,
    catalog: Catalog,
    grades: Grades | None = None,
    persona: str = "adult",
    closed: NDArray[np.object_] | None = None,
) -> gpd.GeoDataFrame:
    """
    Draw what is reached on foot from each settlement in 5, 10 and 15 minutes, the rim belonging to it.

    A picture, not a count: people and facilities are counted at points. Drawn from one surface of time, up to
    250 m from a street.

    Parameters
    ----------
    places
        ``layers.places.COLUMNS``; those that are settlements and have a position are drawn.
    streets, catalog, grades, closed
        As in ``measure_access``.
    persona
        Who walks.

    Returns
    -------
    rings
        ``place_id, place_name, persona, minutes, area_m2`` and polygons in degrees, the smallest first; none for
        a place that meets no street.
    """
    asked = places[(places["place_kind"] == "settlement") & places["lon"].notna()]
    profile = catalog.travel_profile(persona, "walk", level=grades is None)
    usage = use_streets(streets, profile, grades)
    at = asked["lon"].to_numpy(np.float64), asked["lat"].to_numpy(np.float64)
    plane = systems.zone(float(at[0].mean()) if len(asked) else 0.0)
    walls = () if closed is None else closed
    snaps = Snapper(streets, usage, profile=profile, plane=plane, closed=walls).snap(*at)
    surface = Surface(streets, usage, profile=profile, plane=plane, around=at, limit_min=max(RING_MIN))
    rings = surface.rings(snaps, minutes=RING_MIN)
    rings = rings[~rings.geometry.is_empty].reset_index(drop=True)
    named = asked.iloc[rings["row"].to_numpy()]
    about = {
        "place_id": named["place_id"].to_numpy(),
        "place_name": named["place_name"].to_numpy(),
        "persona": persona,
    }
    about |= {"minutes": rings["minutes"], "area_m2": systems.area_m2(rings.geometry.to_numpy())}
    return gpd.GeoDataFrame(about, geometry=rings.geometry)


def circle_shares(
    circles: pd.DataFrame, places: pd.DataFrame, *, strata: Mapping[str, str] | None = None, county: str = ""
) -> pd.DataFrame:
    """
    Add up circles for settlements, households and hosts apart, each by size class, profile and stratum.

    Averages hide the small ones, so each class stands for itself. A share is of the people whose circle could
    be judged. Places at a village's centre may be a kilometre off: ``people_share_low`` counts them as not met
    and ``people_share_high`` as met.

    Parameters
    ----------
    circles, places
        ``judge_circles`` and what it was asked about.
    strata, county
        Of each county the stratum it is counted in, and whose places are that name no county.

    Returns
    -------
    shares
        One row a kind of place, class, list and persona (``by`` is all, size_class, profile or stratum; only
        settlements have a size): ``places_n``, those judged (at least half of the list could be: one of
        thirteen that is met says nothing of a circle), those with all met;
        ``people`` of the judged and ``people_all_met``; ``people_unknown_n`` places judged whose people are not
        known; ``met_share_mean``, weighted by people (NaN for nobody); ``missing_n`` categories that must exist
        and do not.
    """
    about = places.set_index("place_id")[
        ["place_kind", "size_class", "profile", "county", "pop", "position_source"]
    ]
    about["stratum"] = about["county"].map(lambda name: (strata or {}).get(name or county, "none"))
    about["all"] = "all"
    rows = circles.join(about, on="place_id")
    judged = (rows["total_n"] > 0) & (2 * rows["total_n"] >= rows["list_n"])
    whole = judged & (rows["met_n"] == rows["total_n"])
    people = rows["pop"].where(judged, 0.0).fillna(0.0)
    coarse = rows["position_source"] == "village_centre"
    table = rows[["place_kind", "list", "persona"]].assign(
        places_n=1, judged_n=judged, all_met_n=whole, people=people, people_all_met=people.where(whole, 0.0),
        people_unknown_n=judged & rows["pop"].isna(),
        weighted=people * (rows["met_n"] / rows["total_n"].where(judged)).fillna(0.0),
        exist_met_n=rows["exist_met_n"], exist_n=rows["exist_n"], missing_n=rows["exist_n"] - rows["exist_met_n"],
        low=people.where(whole & ~coarse, 0.0), high=people.where(whole | coarse, 0.0),
    )  # fmt: skip
    parts = []
    for by in ("all", "size_class", "profile", "stratum"):
        named = table.assign(by=by, name=rows[by].replace("", "unknown"))
        if by == "size_class":
            named = named[rows["place_kind"] == "settlement"]
        parts.append(
            named.groupby(["place_kind", "by", "name", "list", "persona"], sort=False).sum().reset_index()
        )
    shares = pd.concat(parts, ignore_index=True)
    some = shares["people"].where(shares["people"] > 0)
    shares["met_share_mean"] = shares["weighted"] / some
    for name, part in (("all_met_share", "people_all_met"), ("share_low", "low"), ("share_high", "high")):
        shares[f"people_{name}"] = shares[part] / some
    return shares.astype(dict.fromkeys(("judged_n", "all_met_n", "people_unknown_n"), "int64"))[SHARES]
