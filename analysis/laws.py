"""Laws that every run's results must obey, checked on the results themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.access import STATUSES, UNJUDGED

Tables = dict[str, pd.DataFrame]
Breach = Callable[[Tables, Sequence[str]], pd.Series]


@dataclass(frozen=True, slots=True)
class _Law:
    name: str
    table: str
    worst_of: Breach
    """By how much each row breaks it; 0 where it holds."""


def check_laws(tables: Tables, *, categories: Sequence[str]) -> pd.DataFrame:
    """
    Check each law on the tables that are there.

    Parameters
    ----------
    tables
        Finished tables by name.
    categories
        The ids of all categories that every place must have been measured against.

    Returns
    -------
    laws
        ``law, held, checked_n, worst`` (the largest breach, 0 if none) and ``rows`` (up to ten breaking rows).
    """
    rows = []
    for law in LAWS:
        if law.table in tables:
            breach = law.worst_of(tables, categories)
            broken = breach[breach > 0]
            named = ";".join(str(index) for index in broken.index[:10])
            worst = float(breach.max()) if len(breach) else 0.0
            rows.append((law.name, broken.empty, len(breach), worst, named))
    return pd.DataFrame(rows, columns=["law", "held", "checked_n", "worst", "rows"])


def _one_status(tables: Tables, _: Sequence[str]) -> pd.Series:
    return (~tables["access"]["status"].isin(STATUSES)).astype("float64")


def _every_place_once(tables: Tables, categories: Sequence[str]) -> pd.Series:
    access = tables["access"]
    twice = access.duplicated(["place_id", "category", "persona", "mode"]).astype("float64")
    wanted = pd.MultiIndex.from_product([tables["places"]["place_id"], categories])
    deciding = access[access["deciding"]]
    # each pair that is wanted once, and no other
    both = pd.DataFrame(
        {"due": pd.Series(1, index=wanted), "found": deciding.groupby(["place_id", "category"]).size()}
    )
    apart = (both["found"].fillna(0) - both["due"].fillna(0)).abs()
    return pd.concat([twice, apart.astype("float64")])


def _met_is_served(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"]
    judged = ~rows["status"].isin(UNJUDGED) & rows["threshold_min"].notna()
    served = (rows["status"] == "served").astype("float64").where(judged)
    met = rows["met"].astype("float64")
    return ((met != served) & ~(met.isna() & served.isna())).astype("float64")


def _people_met_are_people(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"]
    met = rows["met"].astype("float64")
    due = (rows["people_met"].notna() != (rows["people"] * met).notna()) * 1.0
    # a place of several points may have some of its people served and not be met, never all of them or none
    over = (rows["people_met"] - rows["people"]).clip(lower=0).where(lambda d: d > 1e-6 * rows["people"], 0.0)
    nobody = ((met == 1) & (rows["people_met"] <= 0) & (rows["people"] > 0)) * 1.0
    everybody = ((met == 0) & (rows["people_met"] >= rows["people"]) & (rows["people"] > 0)) * 1.0
    return pd.concat([due, over, nobody, everybody], axis=1).max(axis=1)


def _time_between_its_legs(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"].dropna(subset="time_min")
    legs = rows[["time_to_min", "time_back_min"]]
    below, above = legs.min(axis=1) - rows["time_min"], rows["time_min"] - legs.max(axis=1)
    negative = -legs.join(rows["time_min"]).min(axis=1)
    # a mean of two float64 may leave them by its last bit
    return pd.concat([below, above, negative], axis=1).max(axis=1).where(lambda d: d > 1e-9, 0.0)


def _served_in_time(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"]
    served = rows[rows["status"] == "served"]
    over = (served["time_min"] - served["threshold_min"]).fillna(np.inf)
    # limits are compared in half milliseconds; a limit that is none of them is rounded
    return over.where(over > 1 / 120_000, 0.0)


def _time_only_where_reached(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"]
    reached = rows["status"].isin(["served", "beyond_limit"])
    unreached = rows["status"].isin(["unreachable", "off_network", "no_facility", "no_data", "outside_data"])
    has_time = rows["time_min"].notna()
    return ((reached & ~has_time) | (unreached & has_time)).astype("float64")


def _no_shorter_than_straight(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["access"]
    both = rows[rows["time_min"].notna()]
    # the straight line to the nearest, which the one travelled to cannot beat; a centimetre for the projection
    return (both["straight_m"] - both["distance_m"] - 0.01).clip(lower=0)


def _circle_adds_up(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["circles"]
    named = {name: rows[name].map(lambda cell: len(cell.split(";")) if cell else 0) for name in
             ("missing", "far", "unknown")}  # fmt: skip
    parts = rows["total_n"] + rows["unknown_n"] + rows["no_standard_n"]
    apart = (parts - rows["list_n"]).abs() + (rows["unknown_n"] - named["unknown"]).abs()
    apart += (rows["total_n"] - rows["met_n"] - named["missing"] - named["far"]).abs()
    apart += (rows["exist_n"] - rows["exist_met_n"] - named["missing"]).abs()
    return apart.astype("float64")


def _shares_add_up(tables: Tables, _: Sequence[str]) -> pd.Series:
    columns = ["places_n", "people", "missing_n"]
    keys = ["place_kind", "list", "persona"]
    summed = tables["shares"].groupby(["by", *keys])[columns].sum().reset_index()
    whole = summed[summed["by"] == "all"].drop(columns="by")
    both = summed.merge(whole, on=keys, suffixes=("", "_all"))
    apart = pd.concat([(both[name] - both[f"{name}_all"]).abs() for name in columns], axis=1).max(axis=1)
    # sums of people over classes in another order
    return apart.where(apart > 1e-6, 0.0)


def _nobody_small_must_own(tables: Tables, _: Sequence[str]) -> pd.Series:
    """A missing category is one whose number of people the place reaches; so a place of nobody misses none."""
    rows, places = tables["circles"], tables["places"].set_index("place_id")
    people = (places["pop"] + places["pop_host"].fillna(0.0)).reindex(rows["place_id"]).to_numpy()
    return ((rows["exist_n"] > 0) & ~(people > 0)).astype("float64")


def _mu_are_metres(tables: Tables, _: Sequence[str]) -> pd.Series:
    rows = tables["homesteads"].dropna(subset="area_m2")
    # an area of 60 to 600 m² is far above what rounding of a float64 can do to it
    return (rows["area_mu"] * 2000 - rows["area_m2"] * 3).abs().where(lambda d: d > 1e-6, 0.0)


def _people_add_up(tables: Tables, _: Sequence[str]) -> pd.Series:
    number = tables["balance"].set_index("item")["number"]
    missing = abs(number["at_places"] + number["nowhere"] - number["raster_total"])
    # sums of some millions of float32 cells in float64: a thousandth of a person is far above their rounding
    return pd.Series([missing if missing > 1e-3 else 0.0], index=["raster"])


LAWS = (
    _Law("one_status", "access", _one_status),
    _Law("every_place_once", "access", _every_place_once),
    _Law("met_is_served", "access", _met_is_served),
    _Law("people_met_are_people", "access", _people_met_are_people),
    _Law("served_in_time", "access", _served_in_time),
    _Law("time_between_its_legs", "access", _time_between_its_legs),
    _Law("time_only_where_reached", "access", _time_only_where_reached),
    _Law("no_shorter_than_straight", "access", _no_shorter_than_straight),
    _Law("circle_adds_up", "circles", _circle_adds_up),
    _Law("shares_add_up", "shares", _shares_add_up),
    _Law("nobody_small_must_own", "circles", _nobody_small_must_own),
    _Law("mu_are_metres", "homesteads", _mu_are_metres),
    _Law("people_add_up", "balance", _people_add_up),
)
