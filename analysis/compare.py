"""What differs between two runs: who gained and who lost, in minutes, seats and money."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

CHANGES = [
    "place_id", "category", "people_was", "people", "status_was", "status_is", "time_was_min", "time_is_min",
    "people_met_was", "people_met_is", "change",
]  # fmt: skip
SUMS = [
    "category", "people_gained", "people_lost", "people_net", "nearer_n", "further_n", "person_min_saved",
    "cost", "cost_per_person",
]  # fmt: skip
SEATS = ["stage", "view", "year", "pupils_was", "pupils_is", "unplaced_was", "unplaced_is", "seated_more", "cost",
         "cost_per_pupil"]  # fmt: skip
CARE = ["level", "method", "staff_short_was", "staff_short_is", "beds_short_was", "beds_short_is",
        "people_unsaid_was", "people_unsaid_is", "people_beds_unsaid_was", "people_beds_unsaid_is"]  # fmt: skip

CHANGE_KINDS = ("gained", "lost", "nearer", "further", "same", "unknown")
"""Of a place: met now and not before, the reverse, quicker or slower, neither, or one of the runs does not say."""

LEAST_MIN = 0.001
"""A thousandth of a minute, 60 ms, is no change."""


def changes(was: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """
    Hold the deciding rows of two tables ``access`` against each other.

    Parameters
    ----------
    was, now
        Tables ``access`` before and after.

    Returns
    -------
    table
        ``CHANGES``, a row a place and category that either run has, in the order of ``now`` and then of what only
        ``was`` has; such a place is ``unknown``. Who is not reached has no time.
    """
    keys = ["place_id", "category"]
    kept = ["status", "met", "time_min", "people", "people_met"]
    one, other = (
        frame.loc[frame["deciding"], [*keys, *kept]].set_index(keys) for frame in (was, now)
    )  # fmt: skip
    index = other.index.append(one.index.difference(other.index, sort=False))
    one, other = one.reindex(index), other.reindex(index)
    met = [frame["met"].astype("float64") for frame in (one, other)]
    time = [frame["time_min"].where(frame["time_min"].notna(), np.inf) for frame in (one, other)]
    known = one["status"].notna() & other["status"].notna()
    unsaid = [frame["status"].isin(["no_data", "outside_data"]) for frame in (one, other)]
    known &= unsaid[0] == unsaid[1]
    judged = met[0].notna() & met[1].notna()
    with np.errstate(invalid="ignore"):
        less = (time[0] - time[1]).where(np.isfinite(time[0]) | np.isfinite(time[1]), 0.0)
    kind = np.select(
        [~known, judged & (met[0] < met[1]), judged & (met[0] > met[1]), less > LEAST_MIN, less < -LEAST_MIN],
        ["unknown", "gained", "lost", "nearer", "further"], default="same",
    )  # fmt: skip
    table = pd.DataFrame(
        {"people_was": one["people"], "people": other["people"], "status_was": one["status"].fillna(""),
         "status_is": other["status"].fillna(""), "time_was_min": one["time_min"],
         "time_is_min": other["time_min"],
         "people_met_was": one["people_met"], "people_met_is": other["people_met"], "change": kind},
        index=index,
    )  # fmt: skip
    return table.reset_index()[CHANGES]


def sums(table: pd.DataFrame, *, cost: Mapping[str, float] | None = None) -> pd.DataFrame:
    """
    Add up ``changes`` by category: who gained, who lost, and how many minutes all save together.

    Only places that both runs have count. People are those of now, by the share of their place that is met more or
    less: who came to live there gained nothing. Minutes count where both runs have a time and people are known.
    ``cost_per_person`` is the cost over the net gain, NaN where nobody gains.

    Parameters
    ----------
    table
        ``CHANGES``.
    cost
        By category what was spent on it, in 10,000 yuan; of others NaN.
    """
    both = table[table["change"] != "unknown"]
    was, now = both["people_met_was"] / both["people_was"], both["people_met_is"] / both["people"]
    more = ((now - was) * both["people"]).fillna(0.0)
    saved = ((both["time_was_min"] - both["time_is_min"]) * both["people"]).fillna(0.0)
    rows = both.assign(
        more=more.clip(lower=0.0), less=(-more).clip(lower=0.0), saved=saved,
        nearer=both["change"].isin(["nearer", "gained"]), further=both["change"].isin(["further", "lost"]),
    )  # fmt: skip
    by = rows.groupby("category", sort=False).agg(
        people_gained=("more", "sum"), people_lost=("less", "sum"), nearer_n=("nearer", "sum"),
        further_n=("further", "sum"), person_min_saved=("saved", "sum"),
    )  # fmt: skip
    by["people_net"] = by["people_gained"] - by["people_lost"]
    by["cost"] = by.index.to_series().map(dict(cost or {})).astype("float64")
    by["cost_per_person"] = by["cost"] / by["people_net"].where(by["people_net"] > 0)
    # rounding of a share is no person
    moved = (by[["people_gained", "people_lost", "nearer_n", "further_n"]] > 1e-6).any(axis=1)
    return by[moved].reset_index()[SUMS]


def seat_changes(was: pd.DataFrame, now: pd.DataFrame, *, cost: Mapping[str, float] | None = None) -> pd.DataFrame:
    """
    Hold two tables ``seats`` against each other, by stage, view and year.

    A place of which one of the runs says nothing is left out; one that only one run has counts there. ``cost`` is
    what was spent on schools of a stage, in 10,000 yuan; of others NaN.
    """
    keys = ["place_id", "stage", "view", "year"]
    told = [
        frame.assign(unplaced=frame["unplaced_distance"] + frame["unplaced_capacity"])[
            [*keys, "pupils", "unplaced"]
        ]
        for frame in (was, now)
    ]
    both = told[0].merge(told[1], on=keys, how="outer", suffixes=("_was", "_is"), indicator="of")
    said = (both["unplaced_was"].notna() | (both["of"] == "right_only")) & (
        both["unplaced_is"].notna() | (both["of"] == "left_only")
    )
    # a view that only one run has says nothing of what changed
    views = [set(frame[keys[1:]].itertuples(index=False, name=None)) for frame in told]
    shared = [key in (views[0] & views[1]) for key in both[keys[1:]].itertuples(index=False, name=None)]
    both = both[said & np.array(shared, bool)]
    by = both.groupby(keys[1:], sort=False)[["pupils_was", "pupils_is", "unplaced_was", "unplaced_is"]].sum()
    seated = by["pupils_is"] - by["unplaced_is"] - by["pupils_was"] + by["unplaced_was"]
    by["seated_more"] = seated
    by = by.reset_index()
    by["cost"] = by["stage"].map(dict(cost or {})).astype("float64")
    by["cost_per_pupil"] = by["cost"] / by["seated_more"].where(by["seated_more"] > 0)
    return by[SEATS]


def care_changes(was: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """
    Hold two tables ``care_levels`` against each other.

    Where more people are unsaid, fewer are counted among those who lack: the two must be read together.
    """
    keys = ["level", "method"]
    kept = [*keys, "staff_short", "beds_short", "people_unsaid", "people_beds_unsaid"]
    return was[kept].merge(now[kept], on=keys, suffixes=("_was", "_is"))[CARE]
