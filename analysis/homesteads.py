"""The table of old homesteads: what was measured, what the ledger says, what each should become and may earn."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from analysis.quota import project_ids
from geo.problems import Problem
from geo.terrain import over_share
from layers.catalog import Catalog
from layers.catalog.land import Done
from layers.houses import DONE, MANY_PLOTS, STAGES, by_number, grade_of, stage_number
from layers.ledgers import same_id, some

FIRST = [
    "homestead_id", "house_id", "county", "town", "village", "group", "collective", "lon", "lat", "area_m2",
    "area_mu", "area_planar_m2", "area_source", "ledger_area_m2", "area_diff_pct", "slope_deg_mean",
    "slope_over_25_share", "slope_source", "survey_scheme", "survey_class", "construction_area_m2",
    "quota_eligible", "stage", "way", "way_done", "target_scheme", "target_class", "net_farmland_mu", "score",
    "cluster_id", "gates", "reason_codes", "field_check", "exception", "approval_no", "project_id",
    "demolish_date", "accept_date", "overdue", "review_state",
]  # fmt: skip
"""The columns that other programs may rely on; others come after, and ``reasons`` in words before their codes."""

_OF_HOUSE = {
    "stage": "stage", "exception": "exception", "approval": "approval_no", "demolish_date": "demolish_date",
    "accept_date": "accept_date", "households_n": "households_n",
}  # fmt: skip


def with_houses(
    plots: gpd.GeoDataFrame, houses: pd.DataFrame, matched: pd.DataFrame, catalog: Catalog, *,
    area_m2: pd.Series | None = None,
) -> pd.DataFrame:  # fmt: skip
    """
    Give each plot what the ledger says of its house.

    Parameters
    ----------
    plots
        Of ``layers.homesteads.plots``.
    houses
        Of ``analysis.demolition.judged``.
    matched
        Of ``layers.houses.match``.
    catalog
        What words for what was done mean.
    area_m2
        Of each plot, by which what was done with a house of several is parted; None parts it evenly.

    Returns
    -------
    told
        Index of ``plots``; ``matched_by`` is '' for a plot of no house, whose ``stage`` is '' too. What was
        done with a house of several plots is parted among them; their own areas are NaN.
        ``own_house_id`` is the ledger's, ``house_file`` and ``house_row`` where it stands first; ``done_assumed``
        that what a plot became is of no class that the ledger names.
    """
    matched = matched.set_index(plots.index[matched["plot"].to_numpy(np.int64)])
    house = matched["house"].reindex(plots.index)
    of = houses.iloc[house.dropna().astype(int)].set_axis(house.dropna().index)
    out = pd.DataFrame(index=plots.index)
    out["matched_by"] = matched["matched_by"].reindex(plots.index).fillna("")
    out["own_house_id"] = of["house_id"].reindex(plots.index).fillna("")
    out["house_file"] = of["file"].reindex(plots.index).fillna("")
    out["house_row"] = of["row"].reindex(plots.index).astype("Int64")
    for name, column in _OF_HOUSE.items():
        values = of[name].reindex(plots.index)
        dated = name.endswith("_date")
        out[column] = values.astype("object").where(values.notna(), None) if dated else values
    for column in ("stage", "exception", "approval_no"):
        out[column] = out[column].fillna("").astype("object")
    flags = {name: name for name in ("may_stay", "overdue", "registered", "certified")} | {
        "land_changed": "changed"
    }
    for name, flag in flags.items():
        out[flag] = of[name].reindex(plots.index).astype("boolean")
    out["may_stay"] = out["may_stay"].fillna(False)
    alone = ~house.duplicated(keep=False)
    both = (of["reclaim_area"] > 0) & (of["regreen_area"] > 0)
    read = {words: catalog.reclamation.done_of(words) for words in of["reclaim_kind"].unique()}
    done = [_done(read[words], parted) for words, parted in zip(of["reclaim_kind"], both, strict=True)]
    assumed = [one is not None and one.assumed for one in done]
    out["done_assumed"] = pd.Series(assumed, of.index, dtype="boolean").reindex(plots.index).fillna(False)
    for column, name in (("way_done", "way"), ("done_class", "land_class")):
        words = ["" if one is None else str(getattr(one, name)) for one in done]
        out[column] = pd.Series(words, of.index, dtype="object").reindex(plots.index).fillna("")
    number = stage_number(out["stage"])
    # what nobody can read, and what is accepted and not said
    spoken = (of["reclaim_kind"].reindex(plots.index).fillna("") != "").to_numpy(bool)
    fresh = (of["new_farmland_area"].reindex(plots.index) > 0).to_numpy(bool)
    asked = (spoken & (number >= DONE)) | (number >= STAGES.index("accepted"))
    out["done_unread"] = (out["way_done"] == "").to_numpy(bool) & asked & ~fresh
    out.loc[number < DONE, ["way_done", "done_class"]] = ""
    areas = {
        "reclaimed_m2": "reclaim_area",
        "regreened_m2": "regreen_area",
        "new_farmland_m2": "new_farmland_area",
    }
    size = pd.Series(1.0, index=plots.index) if area_m2 is None else area_m2
    size = size.mask(size.isna().groupby(house.fillna(-1)).transform("any").astype(bool), 1.0)
    size = size.mask(size.groupby(house).transform("sum") == 0, 1.0)
    part = size / size.groupby(house).transform("sum")
    for column, name in areas.items():
        out[column] = (of[name].reindex(plots.index) * part).astype("float64")
    out["house_area_m2"] = of["plot_area"].reindex(plots.index).where(alone)
    out["project_twice"] = of["project_twice"].reindex(plots.index).astype("boolean").fillna(False).astype(bool)
    out["quality"] = of["quality"].map(grade_of).astype("float64").reindex(plots.index)
    out["house_project"] = of["quota_project"].reindex(plots.index).fillna("")
    out["house_collective"] = of["collective"].reindex(plots.index).fillna("")
    return out


def _done(kinds: tuple[Done, ...], parted: bool) -> Done | None:
    """The one kind of what was done; of field and green the field, where the areas of both are told."""
    if len(kinds) == 1:
        return kinds[0]
    fields = [one for one in kinds if one.way in ("reclaim", "consolidate")]
    green = [one for one in kinds if one.way == "regreen"]
    return fields[0] if parted and len(fields) == len(green) == 1 and len(kinds) == 2 else None


def claims(
    plots: gpd.GeoDataFrame, told: pd.DataFrame, projects: pd.DataFrame | None = None
) -> tuple[pd.Series, pd.Series, list[Problem]]:
    """
    Say whose project each plot is, and of which two projects claim it.

    Returns
    -------
    project, claimed_twice, problems
        By id where ``projects`` (of the form ``quota_projects``) knows it, '' for none: the ledger's where layer
        and ledger differ, which is a fault. A house whose households name two is claimed twice, too.
    """
    layer, ledger = (
        project_ids(said.astype("str"), projects) for said in (plots["project"], told["house_project"])
    )
    both = (layer != "") & (ledger != "") & (layer.map(same_id) != ledger.map(same_id))
    problems = [
        Problem.fault("project_twice", layer="homesteads", file=row.file, row=row.row, value=row.homestead_id,
                      one=row.project, other=ledger[row.Index])
        for row in plots[both].itertuples()
    ]  # fmt: skip
    return ledger.where(ledger != "", layer), both | told["project_twice"], problems


def assemble(
    measured: pd.DataFrame, ways: pd.DataFrame, told: pd.DataFrame, project: pd.Series, claimed: pd.Series
) -> pd.DataFrame:
    """
    Put the table together.

    A plot may earn quota if the survey shows some of it as construction land that no other plot has and no second
    project claims; ``quota_area_m2`` is how much. Both are unknown without a survey.

    Parameters
    ----------
    measured, ways
        Of ``analysis.plots.measure_plots`` and ``analysis.reclamation.decide``.
    told, project, claimed
        Of ``with_houses`` and ``claims``.
    """
    out = measured.join(ways).join(
        told.drop(columns=["house_project", "house_collective", "house_area_m2", "project_twice", "done_unread",
                           "done_assumed", "house_file", "house_row"])
    )  # fmt: skip
    out["house_id"] = out["own_house_id"].where(out["own_house_id"] != "", out["house_id"])
    out["project_id"] = project
    free = out["free_construction_m2"]
    out["quota_area_m2"] = free.mask(claimed & free.notna(), 0.0)
    out["quota_eligible"] = pd.Series(out["quota_area_m2"] > 0, dtype="boolean").mask(out["quota_area_m2"].isna())
    out["claimed_twice"] = claimed
    out["review_state"] = "proposed"
    # a limit of 90 degrees is none
    out = out.drop(columns=["own_house_id", over_share(90.0)], errors="ignore")
    return out[[*FIRST, *(name for name in out.columns if name not in FIRST)]]


def unmatched(plots: gpd.GeoDataFrame, houses: pd.DataFrame, matched: pd.DataFrame) -> list[Problem]:
    """Name plots of no house and houses of no plot, a doubt a file."""
    problems = []
    lone = plots[~np.isin(np.arange(len(plots)), matched["plot"].to_numpy(np.int64))]
    for file, own in lone.groupby("file", sort=False):
        problems.append(Problem.doubt("plots_without_house", file=file, layer="homesteads", n=len(own),
                                      ids=some(list(own["homestead_id"]))))  # fmt: skip
    gone = houses[~np.isin(np.arange(len(houses)), matched["house"].to_numpy(np.int64))]
    for file, own in gone.groupby("file", sort=False):
        problems.append(Problem.doubt("houses_without_plot", file=file, layer="house_ledger", n=len(own),
                                      ids=some(list(own["house_id"]))))  # fmt: skip
    return problems


def crowded(plots: gpd.GeoDataFrame, houses: pd.DataFrame) -> list[Problem]:
    """Name houses whose number more plots bear than a house has, a doubt a file; they are matched with none."""
    n = by_number(plots, houses)["house"].value_counts()
    many = houses.iloc[n.index[n > MANY_PLOTS]]
    return [
        Problem.doubt("house_many_plots", file=file, layer="house_ledger", n=len(own), most=int(n.max()),
                      ids=some(list(own["house_id"])))
        for file, own in many.groupby("file", sort=False)
    ]  # fmt: skip


def done_beyond(plots: gpd.GeoDataFrame, homesteads: pd.DataFrame, *, pct: float) -> list[Problem]:
    """Name plots of which the ledger says that more was done than there is, by more than so many per cent."""
    told = homesteads[["reclaimed_m2", "regreened_m2"]].sum(axis=1, min_count=1)
    beyond = (told > (1 + pct / 100) * homesteads["area_m2"]).to_numpy(bool)
    return [
        Problem.doubt(
            "done_beyond", file=file, layer="homesteads", n=len(own), ids=some(list(own["homestead_id"]))
        )
        for file, own in plots[beyond].groupby("file", sort=False)
    ]


def done_unread(plots: gpd.GeoDataFrame, told: pd.DataFrame) -> list[Problem]:
    """Name plots of which nobody can tell what they became, a doubt a file."""
    return [
        Problem.doubt(
            "done_kind_unknown", file=file, layer="homesteads", n=len(own), ids=some(list(own["homestead_id"]))
        )
        for file, own in plots[told["done_unread"].to_numpy(bool)].groupby("file", sort=False)
    ]


def done_otherwise(plots: gpd.GeoDataFrame, homesteads: pd.DataFrame, catalog: Catalog) -> list[Problem]:
    """Name plots that were made farmland where the gates let nothing but green grow, a doubt a file."""
    uses = homesteads["done_class"].map(lambda code: catalog.land["third_survey"].use_of(code) if code else "")
    tilled = (uses == "farmland") & (homesteads["way"] == "regreen")
    return [
        Problem.doubt(
            "done_otherwise", file=file, layer="homesteads", n=len(own), ids=some(list(own["homestead_id"]))
        )
        for file, own in plots[tilled.to_numpy(bool)].groupby("file", sort=False)
    ]


def done_assumed(
    plots: gpd.GeoDataFrame, told: pd.DataFrame, homesteads: pd.DataFrame, catalog: Catalog
) -> list[Problem]:
    """Name plots that count as fields by a word that names no class, where the ground is for orchards at best."""
    aims = homesteads["target_class"].map(lambda code: catalog.land["third_survey"].use_of(code) if code else "")
    fields = homesteads["way"].isin(["consolidate", "reclaim"]) & (aims != "") & (aims != "farmland")
    done = stage_number(homesteads["stage"]) >= DONE
    lone = told["done_assumed"].to_numpy(bool) & done & ~(homesteads["new_farmland_m2"] > 0).to_numpy(bool)
    rows = fields.to_numpy(bool) & lone
    return [
        Problem.doubt("done_class_assumed", file=file, layer="homesteads", n=len(own),
                      mu=f"{homesteads.loc[own.index, 'area_mu'].sum():,.2f}", ids=some(list(own["homestead_id"])))
        for file, own in plots[rows].groupby("file", sort=False)
    ]  # fmt: skip
