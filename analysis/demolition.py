"""应拆尽拆: which old houses must go, which are gone, what became of their plots, and who is late."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.problems import Problem
from layers.catalog import Catalog
from layers.houses import STAGES, stage_number
from layers.ledgers import some

UNITS = ("village", "town", "county")
MEASURES = ("should_demolish", "demolished", "should_reclaim", "reclaimed", "accepted")
"""Two denominators, 应拆 and 应复垦, and what is done of each."""

DEMOLITION = [
    "unit_level", "unit_id", "county", "town", "village", "houses_n", "households_n", "area_mu",
    *(f"{name}_{unit}" for name in MEASURES for unit in ("n", "households_n", "mu")),
    "demolished_share", "reclaimed_share", "accepted_share",
    "area_unknown_n", "overdue_n", "overdue_unknown_n", "ledger_differs_n", "reclaim_differs_n", "stage_unknown_n",
]  # fmt: skip


def judged(houses: pd.DataFrame, catalog: Catalog, *, as_of: dt.date | None) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Say of each old house whether it must go, whether it may stay, and whether it is late.

    It must go unless there is none, or a reason to stay is known and, where that needs one, its approval has a
    number. Late is a house that must go and stands more than so many years after its people moved in; the day
    itself is not late.

    Parameters
    ----------
    houses
        Of ``layers.houses.houses``.
    catalog
        Exceptions and years.
    as_of
        The day; None if it is not known, and nobody then is known to be late.

    Returns
    -------
    judged, problems
        ``houses`` and ``should_demolish_ledger`` (what the ledger says), ``should_demolish`` (ours), ``differs``
        (both say, and not the same), ``reclaim_differs`` (the ledger says that it need not be reclaimed, and it
        must go), ``may_stay``, ``due_date``, ``overdue`` (NA where no day is known, or whether
        it stands). Problems: retained without the number of an approval, ledgers that differ from us, nobody's day
        of moving in.
    """
    out = houses.copy()
    rules = catalog.reclamation
    reason = out["exception"].to_numpy(object)
    needs = np.array([name in rules.exceptions and rules.exceptions[name].approval for name in reason], bool)
    approved = (out["approval"] != "").to_numpy(bool)
    stood = stage_number(out["stage"]) < STAGES.index("demolished")
    stays = (reason != "") & (~needs | approved) & (stood | (reason == "none"))  # what is gone does not stay
    # what is demolished was a house, unless its reason says that there is none
    none = (reason == "none") | (~out["old_house"].fillna(True).to_numpy(bool) & stood)
    out["exception"] = np.where(none & (reason == ""), "none", reason)
    out["should_demolish_ledger"] = out["should_demolish"]
    out["should_demolish"] = ~stays & ~none
    out["may_stay"] = stays & ~none & (reason != "none")
    said = out["should_demolish_ledger"]
    out["differs"] = (said.notna() & (said.fillna(False) != out["should_demolish"])).to_numpy(bool)
    # what must go must be reclaimed; a ledger that says no stands beside
    out["reclaim_differs"] = (out["reclaim_req"].eq(False).fillna(False) & out["should_demolish"]).to_numpy(bool)
    due_days = [_later(day, rules.overdue_years) for day in out["move_in_date"]]
    out["due_date"] = pd.Series(due_days, index=out.index, dtype="object")
    stands = (out["stage"] == "standing") & out["should_demolish"]
    unsaid = (out["stage"] == "") & out["should_demolish"]
    late = pd.Series([None if day is None or as_of is None else day < as_of for day in due_days], index=out.index,
                     dtype="boolean")  # fmt: skip
    out["overdue"] = late.mask(unsaid & late.fillna(True)).where(stands | unsaid, False)
    problems = [
        Problem.fault(
            "retained_without_approval", layer="house_ledger", file=row.file, row=row.row, value=row.house_id
        )
        for row in out[needs & ~approved].itertuples()
    ]
    # the county recognises these one by one; what shows it is not always a number
    bare = pd.Series(out["may_stay"].to_numpy(bool) & ~needs & ~approved, index=out.index)
    kept_gone = pd.Series((reason != "") & (reason != "none") & ~stood, index=out.index)
    for file, own in out.groupby("file", sort=False):
        ids = own["house_id"]
        for which, doubt in (
            (out["differs"], Problem.doubt("should_demolish_differs", file=file, layer="house_ledger")),
            (out["reclaim_differs"], Problem.doubt("should_reclaim_differs", file=file, layer="house_ledger")),
            (kept_gone, Problem.doubt("kept_but_gone", file=file, layer="house_ledger")),
            (bare, Problem.doubt("exception_unproved", file=file, layer="house_ledger")),
        ):
            named = list(ids[which[own.index]])
            if named:
                problems.append(replace(doubt, params=(("ids", some(named)), ("n", str(len(named))))))
    unknown = stands & out["due_date"].isna()
    for file, own in out[unknown].groupby("file", sort=False):
        problems.append(Problem.doubt("move_in_unknown", file=file, layer="house_ledger", n=len(own)))
    return out, problems


def _later(day: dt.date | None, years: float) -> dt.date | None:
    """So many years later, to the month; the 29th of February is the 28th in other years."""
    return None if day is None else (pd.Timestamp(day) + pd.DateOffset(months=round(12 * years))).date()


def demolition(houses: pd.DataFrame) -> pd.DataFrame:
    """
    Count houses, their households and the area of their plots, by village, town and county.

    Parameters
    ----------
    houses
        Of ``judged``, with ``county``, ``town``, ``village``, ``area_mu`` (of the plot, NaN where not known) and
        ``way`` of its plot ('' for none).

    Returns
    -------
    demolition
        ``DEMOLITION``, counties first; shares are of houses, NaN where none must. What must be reclaimed is what
        must go and may not stay; a plot whose way is still open is among it. ``unit_id`` is the name, towns and
        villages after the county's and town's, joined by ``/``. An area counts where it is known
        (``area_unknown_n``: houses of which it is not); a house of unknown stage is demolished nowhere.
    """
    if not len(houses):
        return pd.DataFrame(columns=DEMOLITION)
    stage = stage_number(houses["stage"])
    due = houses["should_demolish"].to_numpy(bool)
    which: dict[str, NDArray[np.bool_]] = {
        "should_demolish": due, "demolished": due & (stage >= 1),
        "should_reclaim": due & (houses["way"] != "retained").to_numpy(bool),
    }  # fmt: skip
    which["reclaimed"] = which["should_reclaim"] & (stage >= 2)
    which["accepted"] = which["should_reclaim"] & (stage >= STAGES.index("accepted"))
    rows = pd.DataFrame(
        {"houses_n": 1, "households_n": houses["households_n"], "area_mu": houses["area_mu"].fillna(0.0)},
        index=houses.index,
    )
    for name, mask in which.items():
        rows[f"{name}_n"] = mask.astype(np.int64)
        rows[f"{name}_households_n"] = mask * houses["households_n"]
        rows[f"{name}_mu"] = mask * rows["area_mu"]
    rows["area_unknown_n"] = houses["area_mu"].isna().astype("int64")
    rows["overdue_n"] = houses["overdue"].fillna(False).astype("int64")
    rows["overdue_unknown_n"] = houses["overdue"].isna().astype("int64")
    rows["ledger_differs_n"] = houses["differs"].astype("int64")
    rows["reclaim_differs_n"] = houses["reclaim_differs"].astype("int64")
    rows["stage_unknown_n"] = (houses["stage"] == "").astype("int64")
    parts = []
    for level in reversed(UNITS):
        names = ["county", "town", "village"][: 3 - UNITS.index(level)]
        unit = houses[names].astype("str").agg("/".join, axis=1)
        by = rows.groupby(unit.rename("unit_id"))
        table = by.sum().join(houses[names].groupby(unit).first()).reset_index()
        parts.append(table.assign(unit_level=level))
    out = pd.concat(parts, ignore_index=True)
    out[["county", "town", "village"]] = out.reindex(columns=["county", "town", "village"]).fillna("")
    of = {"demolished": "should_demolish", "reclaimed": "should_reclaim", "accepted": "should_reclaim"}
    for done, owed in of.items():
        out[f"{done}_share"] = out[f"{done}_n"] / out[f"{owed}_n"].where(out[f"{owed}_n"] > 0)
    return out[DEMOLITION]
