"""First answers to "who lacks what": the places that a category's deciding time leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd

LACKING = ("beyond_limit", "unreachable", "off_network", "no_facility")


def distance_gaps(access: pd.DataFrame) -> pd.DataFrame:
    """
    List the places that lack a category by distance, whatever its capacity.

    Only rows that decide, only where there is a threshold. What no source carries is no gap. ``requirement``
    says whether the place must have one of its own (``exist``) or needs a way to one (``reach``). Of a place of
    several points ``people_lacking`` are those who do not reach it in time.

    Returns
    -------
    gaps
        One row a place and category lacked, the most people first: the columns of ``access`` that say why, and
        ``over_min``, the minutes beyond the threshold (NaN where nothing is reached at all).
    """
    lack = access["deciding"] & access["status"].isin(LACKING) & access["threshold_min"].notna()
    columns = [
        "place_id", "category", "requirement", "persona", "mode", "status", "facility_id", "facility_name",
        "time_min", "threshold_min", "distance_m", "straight_m", "people", "people_lacking",
        "mode_assumed", "certainty",
    ]  # fmt: skip
    access = access.assign(people_lacking=access["people"] - access["people_met"])
    gaps = access.loc[lack, columns]
    gaps.insert(10, "over_min", gaps["time_min"] - gaps["threshold_min"])
    gaps = gaps.sort_values(["people", "place_id", "category"], ascending=[False, True, True], kind="stable")
    return gaps.reset_index(drop=True)


def coverage(access: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """
    Add up by category what the deciding rows say, for settlements, households and hosts apart.

    Shares are of the places (or people) that can be judged: with a standard, a source and a position. NaN where
    there are none. People that are not known count in no sum and are told by ``people_unknown_n``.

    Returns
    -------
    coverage
        One row a kind of place and category: ``judged_n, met_n, met_share, people, people_met, people_share``,
        ``people_unknown_n``, ``time_median_min`` of the places that reach it, and the number of places by status.
    """
    kind = access["place_id"].map(places.set_index("place_id")["place_kind"])
    rows = access.assign(place_kind=kind)[access["deciding"]]
    keys = ["place_kind", "category"]
    judged = rows["met"].notna()
    known = judged & rows["people"].notna()
    table = rows[keys].assign(
        places_n=1,
        judged_n=judged.astype("int64"),
        met_n=rows["met"].fillna(False).astype("int64"),
        people=rows["people"].where(known, 0.0),
        people_met=rows["people_met"].where(known, 0.0),
        people_unknown_n=(judged & ~known).astype("int64"),
    )
    total = table.groupby(keys, sort=False).sum()
    total["met_share"] = total["met_n"] / total["judged_n"].where(total["judged_n"] > 0)
    total["people_share"] = total["people_met"] / total["people"].where(total["people"] > 0)
    total["time_median_min"] = rows.groupby(keys, sort=False)["time_min"].median()
    by_status = pd.crosstab([rows["place_kind"], rows["category"]], rows["status"])
    total = total.join(by_status.add_prefix("n_")).astype({"met_share": np.float64, "people_share": np.float64})
    return total.reset_index()
