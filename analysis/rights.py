"""Whose the land is: homestead rights cancelled, ownership updated, contract rights on the new fields."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from analysis.plots import PER_MU
from analysis.quota import done_m2, own_m2
from geo.problems import Problem
from layers.houses import STAGES, stage_number
from layers.ledgers import collective_core, plain

RIGHTS = [
    "collective", "owner_level", "plots", "accepted_mu", "retained_mu", "retained_other_mu",
    "homestead_right_cancelled_n", "ownership_updated_mu", "ownership_unknown_mu", "contract_registered_mu",
    "contract_certified_mu", "contract_unknown_mu", "disputed_mu", "crossing_plots", "area_unknown_n",
]  # fmt: skip

REFORESTED = ("退耕还林", "还林还草", "公益林", "生态林")
"""Parts of the names of subsidies for land that was given back to forest."""

TILLED = ("耕地地力", "种粮", "粮食直补", "农资综合")
"""Parts of the names of subsidies for land that is tilled."""

NOT_DRAWN = re.compile(r"未[享领发兑补纳]|不[享领再]|没有|^无|无$|停发|停止|取消|已退出")
"""Words that say of a subsidy that it is not drawn."""


def rights(homesteads: pd.DataFrame) -> pd.DataFrame:
    """
    Add up by original collective what became of rights; the denominator is accepted land.

    Land under retained production houses goes back to the original collective too and stands beside, apart from
    that of other houses that stay. Names that differ only in the word for a collective are one.

    Parameters
    ----------
    homesteads
        ``collective``, ``owner_level`` (31, 32 or 33 of QSXZ, '' where not known), ``area_m2``, ``overlap_m2``,
        ``reclaimed_m2``, ``stage``, ``way``, ``exception``, ``registered``, ``certified`` and ``changed``
        (nullable), ``disputed``, ``crossing``.

    Returns
    -------
    rights
        ``RIGHTS``, a row a collective; plots of no collective stand under ``''``. What is accepted must have its
        homestead right cancelled, and is NaN where the stage of no plot is told. What is updated, registered and
        certified is NaN where of no accepted plot it is told; ``ownership_unknown_mu`` and ``contract_unknown_mu``
        are the accepted land of which it is not.
    """
    area = np.nan_to_num(own_m2(homesteads))
    # a plot wholly on the ground of others is one drawn twice, and no right of its own
    there = (own_m2(homesteads) > 0) | homesteads["area_m2"].isna().to_numpy(bool)
    done = np.nan_to_num(done_m2(homesteads))
    stage = stage_number(homesteads["stage"])
    accepted = stage >= STAGES.index("accepted")
    updated, registered, certified = (
        np.where(accepted, done * homesteads[name].astype("float64").to_numpy(np.float64), np.nan)
        for name in ("changed", "registered", "certified")
    )
    stays = area * (homesteads["way"] == "retained").to_numpy(bool)
    produces = (homesteads["exception"] == "production").to_numpy(bool)
    rows = pd.DataFrame(
        {
            "plots": 1, "accepted_mu": np.where(stage >= 0, done * accepted, np.nan),
            "retained_mu": stays * produces, "retained_other_mu": stays * ~produces,
            "homestead_right_cancelled_n": (accepted & there).astype(np.int64),
            "ownership_updated_mu": updated, "ownership_unknown_mu": done * (accepted & np.isnan(updated)),
            "contract_registered_mu": registered, "contract_certified_mu": certified,
            "contract_unknown_mu": done * (accepted & np.isnan(registered)),
            "disputed_mu": area * homesteads["disputed"].to_numpy(bool),
            "crossing_plots": homesteads["crossing"].astype("int64"),
            "area_unknown_n": homesteads["area_m2"].isna().astype("int64"),
        },
        index=homesteads.index,
    )  # fmt: skip
    for name in [column for column in RIGHTS if column.endswith("_mu")]:
        rows[name] /= PER_MU
    core = {name: collective_core(name) for name in homesteads["collective"].unique()}
    even = homesteads["collective"].map(core).astype("object")
    # every village has a first group
    alone = even.map(lambda name: bool(re.fullmatch(r"第?[0-9一二三四五六七八九十]+(村民小)?[组社队]", str(name))))
    within = homesteads.reindex(columns=["town", "village"], fill_value="").agg("".join, axis=1)
    by = (within.where(alone, "") + even).to_numpy(object)
    table = rows.groupby(by).sum(min_count=1)
    told = ["ownership_updated_mu", "contract_registered_mu", "contract_certified_mu"]
    table[told] = table[told].mask(table["accepted_mu"] == 0, 0.0)
    cancelled = table["homestead_right_cancelled_n"].astype("Int64")
    table["homestead_right_cancelled_n"] = cancelled.mask(table["accepted_mu"].isna())
    of = homesteads.groupby(by)
    levels = of["owner_level"].agg(lambda codes: next((c for c in sorted(codes) if c), ""))
    names = (
        homesteads.assign(collective=within.where(alone, "") + homesteads["collective"])
        .groupby(by)["collective"]
        .agg(lambda written: written.mode().iloc[0])
    )
    return table.assign(owner_level=levels, collective=names).reset_index(drop=True)[RIGHTS]


def double_claims(contract_land: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Find land that draws a subsidy for tilling and one for forest.

    Parameters
    ----------
    contract_land
        Of the form ``contract_land``: ``collective``, ``kind``, ``area`` in m², ``subsidy``.

    Returns
    -------
    claims, problems
        ``collective``, ``kind``, ``area_mu``, ``subsidy``, ``why``: ``both`` in one row, ``same`` land
        (collective, kind and area) under both in two rows. One fault a row.
    """
    columns = ["collective", "kind", "area_mu", "subsidy", "why"]
    if not len(contract_land) or "subsidy" not in contract_land:
        return pd.DataFrame(columns=columns), []
    rows = contract_land.copy()
    for name in ("collective", "kind"):
        rows[name] = rows.get(name, "")
    rows["area_mu"] = rows["area"] / PER_MU if "area" in rows else np.nan
    forest, tilled = (rows["subsidy"].map(lambda text, own=words: _draws(str(text), own))
                      for words in (REFORESTED, TILLED))  # fmt: skip
    even = rows.assign(collective=rows["collective"].map(collective_core), kind=rows["kind"].map(plain))
    key = ["collective", "kind", "area_mu"]
    twice = even.assign(forest=forest, tilled=tilled)[(forest ^ tilled) & (rows["collective"] != "")]
    pairs = twice[twice["area_mu"].notna()].groupby(key, dropna=False)[["forest", "tilled"]].transform("any")
    same = pairs.all(axis=1).reindex(rows.index, fill_value=False) if len(pairs) else pd.Series(False, rows.index)
    why = pd.Series(np.select([forest & tilled, same], ["both", "same"], default=""), index=rows.index)
    found = rows.assign(why=why)[why != ""]
    # what stands in brackets may name somebody
    found = found.assign(subsidy=found["subsidy"].astype("str").str.replace(r"[(（].*?[)）]", "", regex=True))
    problems = [
        Problem.fault("subsidy_twice", layer="contract_land", file=row.file, row=row.row, value=row.subsidy)
        for row in found.itertuples()
    ]
    return found[columns].reset_index(drop=True), problems


def _draws(text: str, words: tuple[str, ...]) -> bool:
    """Whether a cell names one of some subsidies as drawn."""
    parts = re.split(r"[、，,;；。\s]+", text)
    return any(word in part and not NOT_DRAWN.search(part) for part in parts for word in words)
