"""增减挂钩: what quota a project has earned, what it used, what is left, and whether it may be used."""

from __future__ import annotations

import datetime as dt
import re
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
    "unit_level", "unit_id", "county", "potential_mu", "demolished_mu", "reclaimed_mu", "accepted_mu",
    "accepted_farmland_net_mu", "accepted_barred_mu", "accepted_hold_mu", "accepted_ridges_mu",
    "accepted_other_agri_mu",
    "excluded_unused_mu", "excluded_unmapped_mu", "excluded_claimed_mu", "excluded_no_project_mu",
    "accepted_unknown_mu",
    "resettlement_in_project_mu", "other_new_use_mu", "farmland_occupied_mu", "farmland_balance_mu",
    "farmland_balance_open_mu", "quality_balance", "reserved_mu", "surplus_mu", "sold_in_province_mu",
    "sold_cross_province_mu", "remaining_mu", "usable", "return_due_date", "approval_no",
    "ledger_cleared_mu", "accepted_unknown_n", "unknown_n", "unit_name",
]  # fmt: skip

AGRICULTURAL = ("garden", "forest", "grass")
"""Land that earns quota beside farmland: 其他农用地 in the wide sense."""

_ADDS = QUOTA[3:17]
_USES = ["resettlement_in_project_mu", "other_new_use_mu", "farmland_occupied_mu", "reserved_mu",
         "sold_in_province_mu", "sold_cross_province_mu", "ledger_cleared_mu"]  # fmt: skip
_COLUMNS = {
    "resettlement": "resettlement_in_project_mu", "other_new_use": "other_new_use_mu",
    "farmland_occupied": "farmland_occupied_mu", "reserved": "reserved_mu",
    "sold_in_province": "sold_in_province_mu", "sold_cross_province": "sold_cross_province_mu",
    "cleared": "ledger_cleared_mu",
}  # fmt: skip


EVEN_MU = 0.01
"""Ledgers have two places."""

GRADED = 0.9
"""Of so much of the new farmland grades must be known to hold them against what was taken [P]."""


def own_m2(homesteads: pd.DataFrame) -> Floats:
    """Give the area of each plot without what plots before it have, so that no ground counts twice."""
    own = homesteads["area_m2"] - homesteads["overlap_m2"].fillna(0.0)
    return own.clip(lower=0.0).to_numpy(np.float64)


def done_m2(homesteads: pd.DataFrame) -> Floats:
    """
    Say how much of each plot is done where it is: what the ledger says, else all; never more than its own area.

    NaN where the area of the plot is not known.
    """
    area = own_m2(homesteads)
    told = homesteads[["reclaimed_m2", "regreened_m2"]].sum(axis=1, min_count=1).to_numpy(np.float64)
    return np.where(np.isnan(told), area, np.minimum(told, area))


def earned(homesteads: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """
    Say what each plot earns or could earn; ground that two plots share counts once.

    Only the construction land of the survey that no other plot or project claims can earn (``quota_area_m2``),
    and only what is accepted has. Accepted farmland is net of ridges: what the ledger says is new farmland, else
    its area less the rate of ridges; of a plot partly eligible the eligible part of both. Land accepted as a
    class that is no farmland, garden, forest or grass (0404 other grass, a road) is excluded, and so is what the
    survey shows as no construction land.

    Parameters
    ----------
    homesteads
        ``project_id`` ('' for none), ``area_m2``, ``overlap_m2``, ``construction_area_m2`` and ``quota_area_m2``
        (NaN without a survey), ``stage``, ``way``, ``slope_source``, ``way_done`` and ``done_class`` ('' where it
        is not told what a plot became), ``reclaimed_m2``, ``regreened_m2`` and ``new_farmland_m2`` (NaN where the
        ledger does not tell), and ``ridge_rate`` (NaN where no slope is known).
    catalog
        Land classes.

    Returns
    -------
    earned
        Index of ``homesteads``, the first fourteen numbers of ``QUOTA`` in mu; NaN where there is no survey for
        what needs one. ``accepted_unknown_mu`` is what is accepted in a project and earns nobody knows how much
        (its class, area, survey or ridges are not known), ``accepted_unknown_n`` counts it, and ``unknown_n`` all
        of which something is not known. ``accepted_mu`` of a known plot is farmland net, ridges (and
        what else of the field the ledger calls none), other agricultural land and what is excluded.
    """
    scheme = catalog.land["third_survey"]
    area = own_m2(homesteads)
    eligible = np.minimum(homesteads["quota_area_m2"].to_numpy(np.float64), area)
    built = np.minimum(homesteads["construction_area_m2"].to_numpy(np.float64), area)
    nothing = np.where(np.isnan(area) | np.isnan(eligible), np.nan, 0.0)
    share, built_share = (np.divide(part, area, out=nothing.copy(), where=area > 0) for part in (eligible, built))
    stage = stage_number(homesteads["stage"])
    fresh = homesteads["new_farmland_m2"].to_numpy(np.float64)
    is_use = homesteads["done_class"].map(lambda code: scheme.use_of(str(code)) if code else "").to_numpy(object)
    # a ledger that tells new farmland tells what it became; and what became no land to till is no class at all
    is_use = np.where((is_use == "") & (fresh > 0), "farmland", is_use)
    is_use = np.where((is_use == "") & (homesteads["way_done"] == "other").to_numpy(bool), "construction", is_use)
    done = done_m2(homesteads)
    # what the ledger calls given back to green is no farmland, whatever the rest is
    tilled, green = (
        homesteads[name].fillna(0.0).to_numpy(np.float64) for name in ("reclaimed_m2", "regreened_m2")
    )
    leafy = np.divide(green, tilled + green, out=np.zeros(len(area)), where=tilled + green > 0)
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
    out["accepted_farmland_net_mu"] = np.where(accepted & (is_use == "farmland"), net, 0.0) * share
    out["accepted_ridges_mu"] = np.where(accepted & (is_use == "farmland"), field - net, 0.0) * share
    agrarian = np.where(np.isin(is_use, AGRICULTURAL), done, done * leafy)
    out["accepted_other_agri_mu"] = agrarian * share * accepted
    unused = np.isin(is_use, ("farmland", *AGRICULTURAL))
    out["excluded_unused_mu"] = done * (1 - leafy) * share * (accepted & ~unused)
    # what became of an accepted plot that no ledger says is not for us to say
    unsaid = accepted & (is_use == "")
    for name in (
        "accepted_farmland_net_mu", "accepted_ridges_mu", "accepted_other_agri_mu", "excluded_unused_mu"
    ):  # fmt: skip
        out[name] = out[name].mask(unsaid)
    out["excluded_unmapped_mu"] = done * (1 - built_share) * accepted
    out["excluded_claimed_mu"] = done * (built_share - share) * accepted
    for name in [
        str(name) for name in out if name != "potential_mu"
    ]:  # without a ledger nobody knows what is done
        out[name] = out[name].where(told)
    nothing_of_it = out["accepted_farmland_net_mu"] * 0.0
    for name, way in (("accepted_barred_mu", "regreen"), ("accepted_hold_mu", "hold")):
        out[name] = out["accepted_farmland_net_mu"].where((homesteads["way"] == way).to_numpy(bool), nothing_of_it)
    # what is of no approved project earns nothing
    lone = (homesteads["project_id"] == "").to_numpy(bool)
    earns = ["accepted_farmland_net_mu", "accepted_other_agri_mu", "accepted_barred_mu", "accepted_hold_mu"]
    lost = out[earns[:2]].sum(axis=1, skipna=False)
    out["excluded_no_project_mu"] = lost.where(lone, 0.0)
    lacking = accepted & ~lone & lost.isna().to_numpy(bool)
    out["accepted_unknown_mu"] = np.where(lacking, np.nan_to_num(done), 0.0)
    for name in earns:
        out[name] = out[name].mask(lone & out[name].notna(), 0.0)
    out /= PER_MU
    unknown = np.isnan(area) | np.isnan(eligible) | unseen | ~told | unsaid | lacking
    return out[_ADDS].assign(accepted_unknown_n=lacking.astype(np.int64), unknown_n=unknown.astype(np.int64))


def quota(
    homesteads: pd.DataFrame, projects: pd.DataFrame | None, catalog: Catalog, *, as_of: dt.date | None = None,
    county: str = "", without_plot: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:  # fmt: skip
    """
    Balance the quota of each project and each county.

    Surplus = accepted farmland net + accepted other agricultural land − resettlement inside the project − other
    new use − reserved; remaining = surplus − sold. It may not be used while less farmland came than was taken, in
    area or in grade, nor below zero. Rows of one project are added up. A project is of the county with most of its
    plots, whole; a county is the sum of its projects and of its plots of none, and its quota may be used where
    that of all of them may.

    Parameters
    ----------
    homesteads
        As for ``earned``, and ``homestead_id``, ``county`` and ``quality`` (grade of accepted farmland, 1 the
        best).
    projects
        Of the form ``quota_projects``, areas in m²; None where there is no such ledger: of what was used nothing
        is known, and there is no surplus.
    catalog
        Land classes.
    as_of
        The day on which land must be given back, or later; None asks nothing.
    county
        Of projects of which neither plots nor ledger tell it.
    without_plot
        ``project_id``, ``county`` and ``area_m2`` of accepted houses that no plot is matched with: what they earn
        nobody knows.

    Returns
    -------
    quota, problems
        ``QUOTA``; of ``unknown_n`` plots area, survey, stage, slope or what was made of them is not known: they
        have no part in sums of what that tells. Where some of them are accepted (``accepted_unknown_n``) there is
        no balance and no surplus. ``ledger_cleared_mu`` is what the ledger of projects calls cleared, to stand
        beside ours. ``accepted_barred_mu`` is the part of accepted farmland where gates let only green
        grow, ``accepted_hold_mu`` the part on hold, and ``farmland_balance_open_mu`` the balance without both:
        below zero it is not known whether the quota may be used. Plots of no project stand under ``''`` of the
        level project. ``quality_balance`` is the mean grade that was taken less that of what came (negative: what
        came is worse), NaN unless grades of ``GRADED`` of what came are known. Problems: a project that no ledger
        of projects knows, or of several counties, more farmland taken than was built on, plots of no project that
        are accepted, grades that are unknown, columns that the ledger of projects lacks, more sold than there is,
        quota sold against a deficit of farmland, and a day of return before ``as_of`` with less accepted than was
        taken.
    """
    gains = earned(homesteads, catalog)
    gains["grade_sum"] = homesteads["quality"] * gains["accepted_farmland_net_mu"]
    gains["graded_mu"] = gains["accepted_farmland_net_mu"].where(homesteads["quality"].notna(), 0.0)
    whose = homesteads[["project_id", "county"]]
    if without_plot is not None and len(without_plot):
        unseen = without_plot[without_plot["project_id"] != ""]  # of no project it earns nothing
        area = unseen["area_m2"].fillna(0.0) / PER_MU
        more = pd.DataFrame({"accepted_unknown_mu": area, "accepted_unknown_n": 1, "unknown_n": 1})
        more = more.reindex(columns=gains.columns)
        gains = pd.concat([gains, more.astype(gains.dtypes)], ignore_index=True)
        whose = pd.concat([whose, unseen[["project_id", "county"]]], ignore_index=True)
    used, missing = _used(projects)
    problems = _doubts(homesteads, used, missing, known=projects is not None)
    by_project = gains.groupby(whose["project_id"].to_numpy(object)).sum(min_count=1)
    names = [*used.index, *(name for name in by_project.index if name not in used.index)]
    one = by_project.reindex(names).join(used.reindex(names))
    # a project without plots has earned nothing, where plots say whose they are at all
    told = bool((whose["project_id"] != "").any())
    counts = ["accepted_unknown_n", "unknown_n"]
    one.loc[~one.index.isin(by_project.index), [*_ADDS, *counts]] = 0.0 if told else np.nan
    own = whose["county"].where(whose["county"] != "", county)
    of_project = whose.assign(county=own)[whose["project_id"] != ""].groupby("project_id")["county"]
    several = of_project.nunique()
    several = several[several > 1]
    if len(several):
        problems.append(Problem.doubt("project_in_counties", file="", layer="quota_projects", n=len(several),
                                      names=some(list(several.index))))  # fmt: skip
    # where its plots lie goes before what a ledger calls the county, which may be written otherwise
    where = of_project.agg(lambda names: names.mode().iloc[0])
    said = one["county"].fillna("")
    one["county"] = pd.Series([where.get(name, "") for name in one.index], index=one.index, dtype="object")
    known = {_county_core(name): name for name in sorted({*where, county}) if name}
    said = said.map(lambda name: known.get(_county_core(str(name)), name))
    one["county"] = one["county"].where(one["county"] != "", said.where(said != "", county))
    numbers = [*_ADDS, *_USES, "grade_sum", "graded_mu", "occupied_grade_sum", *counts]
    named = one.index != ""
    lone = (whose["project_id"] == "").to_numpy(bool)
    sums = (
        pd.concat([one.loc[named, numbers].groupby(one.loc[named, "county"]).sum(min_count=1),
                   gains[lone].groupby(own[lone].to_numpy(object)).sum(min_count=1)])
        .groupby(level=0).sum(min_count=1)
    )  # fmt: skip
    # what one project of a county does not tell, the county does not know
    kept = [*_USES, "occupied_grade_sum"]
    spent = one.loc[named, kept].groupby(one.loc[named, "county"]).sum(skipna=False)
    whole = sums.drop(columns=kept, errors="ignore").join(spent, how="outer")
    projects_ = _balanced(one[[*numbers, "county", "return_due_date", "approval_no", "unit_name"]], "project")
    counties = _balanced(whole.assign(county=whole.index), "county")
    by_county = projects_.loc[named].groupby("county")["usable"]
    every = {name: own.array.all(skipna=False) for name, own in by_county}  # NA unless one may not
    balances = ["farmland_balance_mu", "farmland_balance_open_mu", "surplus_mu", "remaining_mu"]
    sums_ = projects_.loc[named].groupby("county")[balances].sum(skipna=False)
    counties[balances] = sums_.reindex(counties.index)
    counties["usable"] = pd.array([every.get(name, pd.NA) for name in counties.index], dtype="boolean")
    table = pd.concat([projects_, counties], ignore_index=True)[QUOTA]
    return table, [*problems, *grades_unknown(table), *_overdrawn(table, as_of)]


def _county_core(name: str) -> str:
    return re.sub(r"(自治县|县|市|区)$", "", name)


def _overdrawn(table: pd.DataFrame, as_of: dt.date | None) -> list[Problem]:
    own = table[table["unit_level"] == "project"]
    sold = own["sold_in_province_mu"] + own["sold_cross_province_mu"]
    came = own["accepted_farmland_net_mu"] + own["accepted_other_agri_mu"]
    late = own["return_due_date"].map(lambda day: as_of is not None and isinstance(day, dt.date) and day < as_of)
    oversold = own[(sold > 0) & (own["remaining_mu"] < 0)]
    stopped = own[(sold > 0) & (own["farmland_balance_mu"].lt(0) | own["quality_balance"].lt(0))]
    owed = own[late.astype(bool) & ((own["surplus_mu"] < 0) | (own["farmland_balance_mu"] < 0)) & came.notna()]
    told = []
    if len(oversold):
        told.append(Problem.doubt("quota_oversold", file="", layer="quota_projects", n=len(oversold),
                                  names=some(list(oversold["unit_id"]))))  # fmt: skip
    if len(stopped):
        told.append(Problem.doubt("quota_sold_stopped", file="", layer="quota_projects", n=len(stopped),
                                  names=some(list(stopped["unit_id"]))))  # fmt: skip
    if len(owed):
        told.append(Problem.doubt("quota_return_overdue", file="", layer="quota_projects", n=len(owed),
                                  names=some(list(owed["unit_id"]))))  # fmt: skip
    return told


def _used(projects: pd.DataFrame | None) -> tuple[pd.DataFrame, list[str]]:
    """
    What each project took, in mu, and the columns that are asked for and missing.

    An empty cell of what is reserved, sold or otherwise used is nothing; a cell that cannot be read, and a column
    that is not there, are not known. Who tells one kind of sale tells of the other by leaving it out.
    """
    given = pd.DataFrame(columns=["project_id"]) if projects is None else once(projects)
    given = given.set_index(_ids(given))
    out = pd.DataFrame(index=given.index)

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
    unread = given.get("unread", pd.Series("", index=given.index)).astype("str").str.split(";")
    sales = {"sold_in_province", "sold_cross_province"} & set(given.columns)
    missing = [name for name, there in (("reserved", "reserved" in given), ("sold_in_province", bool(sales)))
               if not there and projects is not None]  # fmt: skip
    for field in ("other_new_use", "reserved", "sold_in_province", "sold_cross_province"):
        column = _COLUMNS[field]
        # a whole that cannot be read leaves what it is made of open
        parts = {field, "new_use"} if field == "other_new_use" else {field}
        strange = unread.map(lambda fields, names=parts: bool(names & set(fields))).to_numpy(bool)
        gone = field in missing or (not sales and field.startswith("sold"))
        out[column] = out[column].where(strange | gone, out[column].fillna(0.0))
    # of nothing taken the grade does not matter
    grade = np.where(out["farmland_occupied_mu"] == 0, 0.0, numbers("occupied_quality"))
    out["occupied_grade_sum"] = grade * out["farmland_occupied_mu"]
    for name, field in {"county": "county", "return_due_date": "return_due", "approval_no": "approval_no",
                        "unit_name": "project"}.items():  # fmt: skip
        out[name] = given[field].to_numpy(object) if field in given else ""
    return _summed(out), missing


def _summed(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up the rows of each project, as of several blocks; what one row does not tell the whole does not."""
    first = pd.Series(rows.index, rows.index).groupby(rows.index.map(_number)).transform("first")
    whole = np.where(rows.index.map(_number) == "", rows.index, first)
    numbers = [*_USES, "occupied_grade_sum"]
    by = rows.groupby(whole, sort=False)
    out = by[numbers].sum(skipna=False)
    for name in ("county", "approval_no", "unit_name"):
        out[name] = by[name].agg(lambda own: next((str(word) for word in own if word), ""))
    due = {name: sorted(str(day) for day in own if day) for name, own in by["return_due_date"]}
    out["return_due_date"] = [dt.date.fromisoformat(due[name][0]) if due[name] else None for name in out.index]
    return out


def project_ids(said: pd.Series, projects: pd.DataFrame | None) -> pd.Series:
    """
    Name projects by their ids: a ledger of houses may call them by name or by the number of their approval.

    What no project is called stays as it is, in one spelling.
    """
    if projects is None:
        return said
    ids = _ids(projects)
    approvals = projects.get("approval_no", pd.Series("", index=ids.index)).astype("str").map(same_id)
    alone = (approvals != "") & (ids.map(_number).groupby(approvals).transform("nunique") == 1)
    first_of = alone & ~approvals.duplicated()
    approved = dict(zip(approvals[first_of], ids[first_of], strict=True))
    rows = pd.DataFrame({"id": ids, "name": projects.get("project", ids).astype("str").map(same_id),
                         "number": ids.map(_number)})[lambda t: t["name"] != ""]  # fmt: skip
    # a project may have several rows of one number; two numbers of one name are nobody's
    alone = rows.groupby("name")["number"].transform("nunique") == 1
    first = rows[alone].drop_duplicates("name")
    known = approved | dict(zip(first["name"], first["id"], strict=True)) | {same_id(name): name for name in ids}
    for text in said:  # one that no project is called goes by its first spelling
        known.setdefault(same_id(str(text)), str(text))
    return said.map(lambda text: known[same_id(str(text))] if text else "")


def once(projects: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows that say of a project what an earlier one says."""
    said = projects.drop(columns=["file", "row"], errors="ignore").astype("str")
    if "project_id" in said:
        said["project_id"] = said["project_id"].map(_number)
    return projects[~said.duplicated()]


def _number(project_id: str) -> str:
    """The number of a project without what tells its later rows apart."""
    return re.sub(r"(@[^#]*)?#\d+$", "", project_id)


def _ids(projects: pd.DataFrame) -> pd.Series:
    """Of a ledger without numbers its projects are called by name."""
    blank = pd.Series("", index=projects.index)
    named = next((projects[n] for n in ("project_id", "project") if n in projects), blank).astype("str")
    return unique_ids(named, otherwise=pd.Series(named.index, index=named.index).astype("str"))[0]


def _balanced(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    out = rows.copy()
    out["unit_level"], out["unit_id"] = level, out.index.astype("str")
    out = out.reindex(
        columns=[*out.columns, *({"return_due_date", "approval_no", "unit_name"} - set(out.columns))]
    )
    # what some accepted plots earn nobody knows: no sum with them is right
    fields, others = (
        out[name].mask(out["accepted_unknown_n"] > 0)
        for name in ("accepted_farmland_net_mu", "accepted_other_agri_mu")
    )
    came = fields + others
    out["farmland_balance_mu"] = fields - out["farmland_occupied_mu"]
    # a balance that rests on fields where only green may grow, or on disputed ones, is none to rely on
    out["farmland_balance_open_mu"] = (
        out["farmland_balance_mu"] - out["accepted_barred_mu"] - out["accepted_hold_mu"]
    )
    taken = out["occupied_grade_sum"] / out["farmland_occupied_mu"].where(out["farmland_occupied_mu"] > 0)
    graded = (out["graded_mu"] > 0) & (out["graded_mu"] >= GRADED * fields)
    fresh = out["grade_sum"] / out["graded_mu"].where(graded)
    out["quality_balance"] = taken - fresh
    spent = out[["resettlement_in_project_mu", "other_new_use_mu", "reserved_mu"]].sum(axis=1, skipna=False)
    out["surplus_mu"] = came - spent
    out["remaining_mu"] = out["surplus_mu"] - out["sold_in_province_mu"] - out["sold_cross_province_mu"]
    short = (out[["farmland_balance_mu", "quality_balance", "surplus_mu", "remaining_mu"]] < 0).any(axis=1)
    known = (out["farmland_balance_open_mu"] >= 0) & out["surplus_mu"].notna()
    out["usable"] = (~short).astype("boolean").mask(~known & ~short)
    return out


def _doubts(homesteads: pd.DataFrame, used: pd.DataFrame, missing: list[str], *, known: bool) -> list[Problem]:
    problems = []
    if missing:
        zh = {"reserved": "预留", "sold_in_province": "已流转（省内交易、跨省调剂）"}
        en = {"reserved": "what is reserved", "sold_in_province": "what was sold"}
        problems.append(Problem.doubt("quota_columns_missing", file="", layer="quota_projects",
                                      names_zh="、".join(zh[name] for name in missing),
                                      names_en=", ".join(en[name] for name in missing)))  # fmt: skip
    new = used["resettlement_in_project_mu"] + used["other_new_use_mu"]
    beyond = list(used.index[used["farmland_occupied_mu"] > new + EVEN_MU])
    if beyond:  # it is a part of what was built on
        problems.append(Problem.doubt("farmland_beyond", file="", layer="quota_projects", n=len(beyond),
                                      names=some([str(name) for name in beyond])))  # fmt: skip
    accepted = stage_number(homesteads["stage"]) >= STAGES.index("accepted")
    lone = accepted & (homesteads["project_id"] == "")
    if lone.any():
        problems.append(
            Problem.doubt(
                "accepted_without_project",
                file="",
                layer="house_ledger",
                n=int(lone.sum()),
                ids=some(list(homesteads.loc[lone, "homestead_id"])),
            )
        )
    strange = sorted(set(homesteads["project_id"]) - set(used.index) - {""})
    if known and strange:
        problems.append(
            Problem.doubt("project_unknown", file="", layer="quota_projects", n=len(strange), names=some(strange))
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
    Say what the remaining quota would bring at some prices: a scenario, never a promise.

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
