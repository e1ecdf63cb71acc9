"""Whose the land is: homestead rights cancelled, ownership updated, contract rights on the new fields."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.plots import PER_MU
from analysis.quota import done_m2
from geo.problems import Problem
from layers.houses import STAGES, stage_number

RIGHTS = [
    "collective", "owner_level", "plots", "accepted_mu", "retained_mu", "homestead_right_cancelled_n",
    "ownership_updated_mu", "contract_registered_mu", "contract_certified_mu", "disputed_mu", "crossing_plots",
    "area_unknown_n",
]  # fmt: skip

REFORESTED = ("退耕还林", "还林还草", "公益林", "生态林")
"""Parts of the names of subsidies for land that was given back to forest."""

TILLED = ("耕地地力", "种粮", "粮食直补", "农资综合")
"""Parts of the names of subsidies for land that is tilled."""


def rights(homesteads: pd.DataFrame) -> pd.DataFrame:
    """
    Add up by original collective what became of rights; the denominator is accepted land.

    Land under retained production houses goes back to the original collective too and stands beside.

    Parameters
    ----------
    homesteads
        ``collective``, ``owner_level`` (31, 32 or 33 of QSXZ, '' where not known), ``area_m2``, ``reclaimed_m2``,
        ``stage``, ``way``, ``registered``, ``certified`` and ``changed`` (nullable), ``disputed``, ``crossing``.

    Returns
    -------
    rights
        ``RIGHTS``, a row a collective; plots of no collective stand under ``''``. What is accepted has its
        homestead right cancelled; of what no ledger has a column for nothing is said (NaN).
    """
    area = homesteads["area_m2"].fillna(0.0).to_numpy(np.float64)
    done = np.nan_to_num(done_m2(homesteads))
    accepted = stage_number(homesteads["stage"]) >= STAGES.index("accepted")
    flags = {
        name: homesteads[name].astype("float64").to_numpy(np.float64)
        for name in ("registered", "certified", "changed")
    }
    rows = pd.DataFrame(
        {
            "plots": 1, "accepted_mu": done * accepted,
            "retained_mu": area * (homesteads["way"] == "retained").to_numpy(bool),
            "homestead_right_cancelled_n": accepted.astype(np.int64),
            "ownership_updated_mu": done * accepted * flags["changed"],
            "contract_registered_mu": done * accepted * flags["registered"],
            "contract_certified_mu": done * accepted * flags["certified"],
            "disputed_mu": area * homesteads["disputed"].to_numpy(bool),
            "crossing_plots": homesteads["crossing"].astype("int64"),
            "area_unknown_n": homesteads["area_m2"].isna().astype("int64"),
        },
        index=homesteads.index,
    )  # fmt: skip
    for name in [column for column in RIGHTS if column.endswith("_mu")]:
        rows[name] /= PER_MU
    by = homesteads["collective"].to_numpy(object)
    table = rows.groupby(by).sum(min_count=1)
    levels = homesteads.groupby(by)["owner_level"].agg(lambda codes: next((c for c in sorted(codes) if c), ""))
    return table.assign(owner_level=levels).rename_axis("collective").reset_index()[RIGHTS]


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
    forest = rows["subsidy"].map(lambda text: any(word in str(text) for word in REFORESTED))
    tilled = rows["subsidy"].map(lambda text: any(word in str(text) for word in TILLED))
    key = ["collective", "kind", "area_mu"]
    twice = rows.assign(forest=forest, tilled=tilled)[(forest ^ tilled) & (rows["collective"] != "")]
    pairs = twice[twice["area_mu"].notna()].groupby(key, dropna=False)[["forest", "tilled"]].transform("any")
    same = pairs.all(axis=1).reindex(rows.index, fill_value=False) if len(pairs) else pd.Series(False, rows.index)
    why = pd.Series(np.select([forest & tilled, same], ["both", "same"], default=""), index=rows.index)
    found = rows.assign(why=why)[why != ""]
    problems = [
        Problem.fault("subsidy_twice", layer="contract_land", file=row.file, row=row.row, value=row.subsidy)
        for row in found.itertuples()
    ]
    return found[columns].reset_index(drop=True), problems
