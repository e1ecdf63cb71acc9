"""增减挂钩: what quota a project has earned, what it used, what is left, and whether it may be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.plots import PER_MU
from geo.problems import Problem
from layers.catalog import Catalog
from layers.houses import STAGES, stage_number
from layers.ledgers import same_id, some, unique_ids

Floats = NDArray[np.float64]

QUOTA = [
    "unit_level", "unit_id", "potential_mu", "demolished_mu", "reclaimed_mu", "accepted_mu",
    "accepted_farmland_net_mu", "accepted_barred_mu", "accepted_other_agri_mu", "excluded_unused_mu",
    "excluded_unmapped_mu", "excluded_no_project_mu", "resettlement_in_project_mu", "other_new_use_mu",
    "farmland_occupied_mu", "farmland_balance_mu", "quality_balance", "reserved_mu", "surplus_mu",
    "sold_in_province_mu", "sold_cross_province_mu", "remaining_mu", "usable", "return_due_date", "approval_no",
    "ledger_cleared_mu", "unknown_n",
]  # fmt: skip

AGRICULTURAL = ("garden", "forest", "grass", "other_agri")
"""Land that earns quota beside farmland: 其他农用地 in the wide sense."""

_ADDS = QUOTA[2:12]
_USES = ["resettlement_in_project_mu", "other_new_use_mu", "farmland_occupied_mu", "reserved_mu",
         "sold_in_province_mu", "sold_cross_province_mu", "ledger_cleared_mu"]  # fmt: skip
_COLUMNS = {
    "resettlement": "resettlement_in_project_mu", "other_new_use": "other_new_use_mu",
    "farmland_occupied": "farmland_occupied_mu", "reserved": "reserved_mu",
    "sold_in_province": "sold_in_province_mu", "sold_cross_province": "sold_cross_province_mu",
    "cleared": "ledger_cleared_mu",
}  # fmt: skip


def done_m2(homesteads: pd.DataFrame) -> Floats:
    """
    Say how much of each plot is done where it is: what the ledger says, else all; never more than the plot.

    NaN where the area of the plot is not known.
    """
    area = homesteads["area_m2"].to_numpy(np.float64)
    told = homesteads[["reclaimed_m2", "regreened_m2"]].sum(axis=1, min_count=1).to_numpy(np.float64)
    return np.where(np.isnan(told), area, np.minimum(told, area))


def earned(homesteads: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """
    Say what each plot earns or could earn.

    Only the construction land of the survey that no other plot or project claims can earn (``quota_area_m2``),
    and only what is accepted has. Accepted farmland is net of ridges: what the ledger says is new farmland, else
    its area less the rate of ridges; of a plot partly eligible the eligible part of both. Land accepted as a
    class that is no agricultural land (0404 other grass) is excluded, and so is what the survey shows as no
    construction land.

    Parameters
    ----------
    homesteads
        ``project_id`` ('' for none), ``area_m2``, ``quota_area_m2`` (NaN without a survey), ``stage``, ``way``,
        ``slope_source``, ``done_class`` ('' where it is not told what a plot became), ``reclaimed_m2``,
        ``regreened_m2`` and ``new_farmland_m2`` (NaN where the ledger does not tell), and ``ridge_rate``.
    catalog
        Land classes.

    Returns
    -------
    earned
        Index of ``homesteads``, the first ten numbers of ``QUOTA`` in mu; NaN where there is no survey for what
        needs one.
    """
    scheme = catalog.land["third_survey"]
    area = homesteads["area_m2"].to_numpy(np.float64)
    eligible = homesteads["quota_area_m2"].to_numpy(np.float64)
    share = np.divide(eligible, area, out=np.full(len(area), np.nan), where=area > 0)
    stage = stage_number(homesteads["stage"])
    is_use = homesteads["done_class"].map(lambda code: scheme.use_of(str(code)) if code else "").to_numpy(object)
    done = done_m2(homesteads)
    # what the ledger calls given back to green is no farmland, whatever the rest is
    tilled, green = (
        homesteads[name].fillna(0.0).to_numpy(np.float64) for name in ("reclaimed_m2", "regreened_m2")
    )
    leafy = np.divide(green, tilled + green, out=np.zeros(len(area)), where=tilled + green > 0)
    fresh = homesteads["new_farmland_m2"].to_numpy(np.float64)
    field = done * (1 - leafy)
    net = np.where(
        np.isnan(fresh), field * (1 - homesteads["ridge_rate"].to_numpy(np.float64)), np.minimum(fresh, field)
    )
    open_ = ~homesteads["way"].isin(["retained", "hold"]).to_numpy(bool)
    accepted = stage >= STAGES.index("accepted")
    told = stage >= 0
    out = pd.DataFrame(index=homesteads.index)
    # what waits for its ground to be known may still be one
    unseen = (homesteads["way"] == "hold").to_numpy(bool) & (homesteads["slope_source"] == "").to_numpy(bool)
    out["potential_mu"] = np.where(unseen, np.nan, np.where(open_, eligible, eligible * 0.0))
    out["demolished_mu"] = area * (stage >= 1)
    out["reclaimed_mu"] = done * (stage >= 2)
    out["accepted_mu"] = done * accepted
    out["accepted_farmland_net_mu"] = net * share * (accepted & (is_use == "farmland"))
    agrarian = np.where(np.isin(is_use, AGRICULTURAL), done, done * leafy)
    out["accepted_other_agri_mu"] = agrarian * share * accepted
    unused = np.isin(is_use, ("farmland", *AGRICULTURAL))
    out["excluded_unused_mu"] = done * (1 - leafy) * share * (accepted & ~unused)
    # what became of an accepted plot that no ledger says is not for us to say
    unsaid = accepted & (is_use == "")
    for name in ("accepted_farmland_net_mu", "accepted_other_agri_mu", "excluded_unused_mu"):
        out[name] = out[name].mask(unsaid)
    out["excluded_unmapped_mu"] = done * (1 - share) * accepted
    for name in [
        str(name) for name in out if name != "potential_mu"
    ]:  # without a ledger nobody knows what is done
        out[name] = out[name].where(told)
    barred = (homesteads["way"] == "regreen").to_numpy(bool)
    out["accepted_barred_mu"] = out["accepted_farmland_net_mu"].where(
        barred, out["accepted_farmland_net_mu"] * 0.0
    )
    # what is of no approved project earns nothing
    lone = (homesteads["project_id"] == "").to_numpy(bool)
    earns = ["accepted_farmland_net_mu", "accepted_other_agri_mu", "accepted_barred_mu"]
    out["excluded_no_project_mu"] = out[earns[:2]].sum(axis=1, skipna=False).where(lone, 0.0)
    for name in earns:
        out[name] = out[name].mask(lone & out[name].notna(), 0.0)
    out /= PER_MU
    unknown = np.isnan(area) | np.isnan(eligible) | unseen | ~told | unsaid
    return out[_ADDS].assign(unknown_n=unknown.astype(np.int64))


def quota(
    homesteads: pd.DataFrame, projects: pd.DataFrame | None, catalog: Catalog, *, as_of: dt.date | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Balance the quota of each project and each county.

    Surplus = accepted farmland net + accepted other agricultural land − resettlement inside the project − other
    new use − reserved; remaining = surplus − sold. It may not be used while less farmland came than was taken, in
    area or in grade.

    Parameters
    ----------
    homesteads
        As for ``earned``, and ``county`` and ``quality`` (grade of accepted farmland, 1 the best).
    projects
        Of the form ``quota_projects``, areas in m²; None where there is no such ledger: of what was used nothing
        is known, and there is no surplus.
    catalog
        Land classes.
    as_of
        The day on which land must be given back, or later; None asks nothing.

    Returns
    -------
    quota, problems
        ``QUOTA``; of ``unknown_n`` plots area, survey, stage, slope or what was made of them is not known: they
        have no part in sums. ``ledger_cleared_mu`` is what the ledger of projects calls cleared, to stand beside
        ours. ``accepted_barred_mu`` is the part of accepted farmland where gates let only green
        grow. Plots of no project stand under ``''`` of the level project. ``quality_balance`` is the mean grade
        that was taken less that of what came (negative: what came is worse), NaN where not known. Problems: a
        project that no ledger of projects knows, plots of no project that are accepted, grades that are unknown,
        more sold than there is, and a day of return before ``as_of`` with less accepted than was taken.
    """
    gains = earned(homesteads, catalog)
    gains["grade_sum"] = homesteads["quality"] * gains["accepted_farmland_net_mu"]
    gains["graded_mu"] = gains["accepted_farmland_net_mu"].where(homesteads["quality"].notna(), 0.0)
    used = _used(projects)
    problems = _doubts(homesteads, used, known=projects is not None)
    by_project = gains.groupby(homesteads["project_id"].to_numpy(object)).sum(min_count=1)
    names = [*used.index, *(name for name in by_project.index if name not in used.index)]
    one = by_project.reindex(names).join(used.reindex(names))
    # a project without plots has earned nothing, if it is known of every plot whose it is
    whole_known = not (homesteads["stage"] == "").any()
    one.loc[~one.index.isin(by_project.index), [*_ADDS, "unknown_n"]] = 0.0 if whole_known else np.nan
    where = homesteads.groupby("project_id")["county"].agg(
        lambda names: names.mode().iloc[0] if len(names) else ""
    )
    # where its plots lie goes before what a ledger calls the county, which may be written otherwise
    county = pd.Series([where.get(name, "") for name in one.index], index=one.index, dtype="object")
    county = county.where(county != "", one["county"])
    numbers = [*_ADDS, *_USES, "grade_sum", "graded_mu", "occupied_grade_sum", "unknown_n"]
    own = homesteads["county"].to_numpy(object)
    sums = gains.groupby(own).sum(min_count=1)
    # what one project of a county does not tell, the county does not know
    named = one.index != ""
    of_county = county[named].fillna("").to_numpy(object)
    spent = one.loc[named, [*_USES, "occupied_grade_sum"]].groupby(of_county).sum(skipna=False)
    whole = sums.join(spent, how="outer")
    tables = [_balanced(one[[*numbers, "return_due_date", "approval_no"]], "project"), _balanced(whole, "county")]
    table = pd.concat(tables, ignore_index=True)[QUOTA]
    return table, [*problems, *grades_unknown(table), *_overdrawn(table, as_of)]


def _overdrawn(table: pd.DataFrame, as_of: dt.date | None) -> list[Problem]:
    own = table[table["unit_level"] == "project"]
    sold = own["sold_in_province_mu"] + own["sold_cross_province_mu"]
    came = own["accepted_farmland_net_mu"] + own["accepted_other_agri_mu"]
    late = own["return_due_date"].map(lambda day: as_of is not None and isinstance(day, dt.date) and day < as_of)
    oversold = own[(sold > 0) & (own["remaining_mu"] < 0)]
    owed = own[late.astype(bool) & (own["surplus_mu"] < 0) & came.notna()]
    told = []
    if len(oversold):
        told.append(Problem.doubt("quota_oversold", file="", layer="quota_projects", n=len(oversold),
                                  names=some(list(oversold["unit_id"]))))  # fmt: skip
    if len(owed):
        told.append(Problem.doubt("quota_return_overdue", file="", layer="quota_projects", n=len(owed),
                                  names=some(list(owed["unit_id"]))))  # fmt: skip
    return told


def _used(projects: pd.DataFrame | None) -> pd.DataFrame:
    """What each project took, in mu; what a ledger leaves out of reserved, sold and other new use is nothing."""
    given = pd.DataFrame(columns=["project_id"]) if projects is None else projects
    out = pd.DataFrame(index=pd.Index(_ids(given)))

    def numbers(field: str) -> Floats:
        return given[field].to_numpy(np.float64) if field in given else np.full(len(given), np.nan)

    for field, column in _COLUMNS.items():
        out[column] = numbers(field) / PER_MU
    # a ledger that tells all new land tells what it leaves out of settling or of other use; none is below nothing
    whole = numbers("new_use") / PER_MU
    settled, other = out["resettlement_in_project_mu"], out["other_new_use_mu"]
    out["other_new_use_mu"] = other.fillna((whole - settled).where(lambda rest: rest >= 0))
    rest = whole - other.fillna(0.0)
    out["resettlement_in_project_mu"] = settled.fillna(rest.where(rest >= 0))
    for column in ("other_new_use_mu", "reserved_mu", "sold_in_province_mu", "sold_cross_province_mu"):
        out[column] = out[column].fillna(0.0)
    # of nothing taken the grade does not matter
    grade = np.where(out["farmland_occupied_mu"] == 0, 0.0, numbers("occupied_quality"))
    out["occupied_grade_sum"] = grade * out["farmland_occupied_mu"]
    for name, field in {"county": "county", "return_due_date": "return_due", "approval_no": "approval_no"}.items():
        out[name] = given[field].to_numpy(object) if field in given else ""
    return out


def project_ids(said: pd.Series, projects: pd.DataFrame | None) -> pd.Series:
    """
    Name projects by their ids: a ledger of houses may call them by name.

    What no project is called stays as it is.
    """
    if projects is None:
        return said
    ids = _ids(projects)
    names = projects.get("project", ids).astype("str").map(same_id)
    once = ~names.duplicated(keep=False) & (names != "")
    known = dict(zip(names[once], ids[once], strict=True)) | {same_id(name): name for name in ids}
    return said.map(lambda text: known.get(same_id(str(text)), str(text)) if text else "")


def _ids(projects: pd.DataFrame) -> pd.Series:
    """Of a ledger without numbers its projects are called by name."""
    blank = pd.Series("", index=projects.index)
    named = next((projects[n] for n in ("project_id", "project") if n in projects), blank).astype("str")
    return unique_ids(named, otherwise=pd.Series(named.index, index=named.index).astype("str"))[0]


def _balanced(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    out = rows.copy()
    out["unit_level"], out["unit_id"] = level, out.index.astype("str")
    out = out.reindex(columns=[*out.columns, *({"return_due_date", "approval_no"} - set(out.columns))])
    came = out["accepted_farmland_net_mu"] + out["accepted_other_agri_mu"]
    out["farmland_balance_mu"] = out["accepted_farmland_net_mu"] - out["farmland_occupied_mu"]
    taken = out["occupied_grade_sum"] / out["farmland_occupied_mu"].where(out["farmland_occupied_mu"] > 0)
    fresh = out["grade_sum"] / out["graded_mu"].where(out["graded_mu"] > 0)
    out["quality_balance"] = taken - fresh
    spent = out[["resettlement_in_project_mu", "other_new_use_mu", "reserved_mu"]].sum(axis=1, skipna=False)
    out["surplus_mu"] = came - spent
    out["remaining_mu"] = out["surplus_mu"] - out["sold_in_province_mu"] - out["sold_cross_province_mu"]
    short = (out["farmland_balance_mu"] < 0) | (out["quality_balance"] < 0)
    known = out["farmland_balance_mu"].notna()
    out["usable"] = (~short).astype("boolean").mask(~known & ~short)
    return out


def _doubts(homesteads: pd.DataFrame, used: pd.DataFrame, *, known: bool) -> list[Problem]:
    problems = []
    accepted = stage_number(homesteads["stage"]) >= STAGES.index("accepted")
    lone = accepted & (homesteads["project_id"] == "")
    if lone.any():
        problems.append(
            Problem.doubt("accepted_without_project", file="", layer="house_ledger", n=int(lone.sum()))
        )
    strange = sorted(set(homesteads["project_id"]) - set(used.index) - {""})
    if known and strange:
        problems.append(
            Problem.doubt(
                "project_unknown", file="", layer="quota_projects", n=len(strange), names="、".join(strange[:8])
            )
        )
    return problems


def grades_unknown(table: pd.DataFrame) -> list[Problem]:
    """Name projects that took farmland and of which no grades are known: they are judged by area only."""
    own = table[(table["unit_level"] == "project") & (table["farmland_occupied_mu"] > 0)]
    lone = own.loc[own["quality_balance"].isna(), "unit_id"]
    if not len(lone):
        return []
    return [
        Problem.doubt("quality_unknown", file="", layer="quota_projects", n=len(lone), names="、".join(lone[:8]))
    ]


def worth(table: pd.DataFrame, prices: Mapping[str, float]) -> pd.DataFrame:
    """
    Say what the remaining quota of each county would bring at some prices: a scenario, never a promise.

    Parameters
    ----------
    table
        Of ``quota``.
    prices
        10,000 yuan a mu, by the name of the scenario.

    Returns
    -------
    worth
        ``unit_level, unit_id, scenario, per_mu, remaining_mu, usable, worth`` in 10,000 yuan; NaN where the quota
        may not be used or is less than nothing.
    """
    rows = []
    for name, per_mu in prices.items():
        own = table[["unit_level", "unit_id", "remaining_mu", "usable"]].assign(scenario=name, per_mu=per_mu)
        may = own["usable"].fillna(False).astype(bool) & (own["remaining_mu"] > 0)
        rows.append(own.assign(worth=(own["remaining_mu"] * per_mu).where(may)))
    columns = ["unit_level", "unit_id", "scenario", "per_mu", "remaining_mu", "usable", "worth"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)
