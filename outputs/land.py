"""Old homesteads in words: why a plot became what it did, and the sheets that an officer reads."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from layers.catalog import Catalog
from outputs.messages import Messages

_UNITS = {
    "slope": "{:.1f}°", "altitude": "{:,.0f} m", "soil": "{:.0f} cm", "beside": "{:.0f} m", "field": "{:.0f} m",
    "isolated": "{:.2f} {mu}", "inside": "{:.0%}", "surrounded": "{:.0%}", "disputed": "{:.0%}",
}  # fmt: skip
"""How the number of a gate is written, by how it is measured."""

SHOWN = [
    "homestead_id", "house_id", "town", "village", "group", "area_m2", "area_mu", "ledger_area_m2",
    "slope_deg_mean", "slope_over_25_share", "slope_class", "slope_source", "survey_class", "construction_area_m2",
    "quota_area_m2", "stage", "way", "way_done", "target_class", "net_farmland_mu", "score", "score_low",
    "score_high", "cluster_id", "piece_mu", "reasons", "field_check", "exception", "approval_no", "project_id",
    "collective",
]  # fmt: skip
"""What the sheet of plots has; the table has all."""

_HOUSES = [
    "house_id", "households_n", "town", "village", "homestead_ids", "matched_by", "exception", "approval",
    "should_demolish", "should_demolish_ledger", "differs", "stage", "demolish_date", "due_date", "overdue",
    "area_mu",
]  # fmt: skip

_RENAMED = {"stage": "house_stage"}
"""``stage`` is that of schooling on other sheets."""


def with_words(homesteads: pd.DataFrame, catalog: Catalog, messages: Messages) -> pd.DataFrame:
    """Put a column ``reasons`` in words before the coded one."""
    told = homesteads["reason_codes"].map({
        text: in_words(text, catalog, messages) for text in homesteads["reason_codes"].unique()
    })  # fmt: skip
    out = homesteads.copy()
    out.insert(list(out.columns).index("reason_codes"), "reasons", told)
    return out


def in_words(codes: str, catalog: Catalog, messages: Messages) -> str:
    """Tell reasons, joined as in the table, in a language; a star marks limits that are project defaults."""
    parts = []
    gates = catalog.reclamation.gates
    for part in (code for code in codes.split(";") if code):
        code, _, number = part.partition(":")
        if code in gates:
            # a star marks what is no printed rule
            told = gates[code].named(messages.language) + "*" * (gates[code].certainty in ("U", "P"))
            known = number not in ("", "nan")
            # a slope map tells no degrees but how much of the area is steep
            of_area = known and gates[code].measure == "slope" and float(number) <= 1
            unit = _UNITS["inside" if of_area else gates[code].measure]
            shown = unit.format(float(number), mu=messages.say("unit.mu")) if known else ""
            parts.append(messages.say("reason.number", told=told, number=shown) if shown else told)
        else:
            parts.append(messages.say(f"reason.{code}"))
    return ("；" if messages.language == "zh" else "; ").join(parts)


def sheets(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give the sheets of old homesteads and houses that there are tables for, in reading order."""
    out: dict[str, pd.DataFrame] = {}
    for name in (
        "ways",
        "ways_moved",
        "demolition",
        "quota",
        "quota_worth",
        "rights",
        "subsidy_claims",
        "origins",
    ):
        if name in tables and len(tables[name]):
            out[name] = tables[name].rename(columns={"unknown_n": "plots_unknown_n"})
    if "demolition" in out:  # county, town and village stand apart
        out["demolition"] = out["demolition"].drop(columns="unit_id")
    if "slopes" in tables:
        out["slopes"] = tables["slopes"]
    if "homesteads" in tables and "reasons" in tables["homesteads"]:
        plots = tables["homesteads"]
        # what somebody must look at first
        order = plots["field_check"].astype(int).sort_values(ascending=False, kind="stable").index
        out["homesteads"] = plots.loc[order, SHOWN].rename(columns=_RENAMED)
    if "houses" in tables:
        out["houses"] = tables["houses"][_HOUSES].rename(columns=_RENAMED)
    return out


def words_of(messages: Messages, catalog: Catalog) -> dict[str, Mapping[str, str]]:
    """Give words for the codes of these sheets, by column."""
    words = messages.words
    names = {code: f"{code} {name}" for code, name in catalog.land["third_survey"].names.items()}
    return {
        **dict.fromkeys(("way", "way_was", "way_done"), words["way"]),
        **{name: words[name] for name in ("slope_source", "area_source", "matched_by", "exception", "house_stage",
                                          "unit_level")},
        **dict.fromkeys(("target_class", "survey_class", "done_class"), names),
        "owner_level": words["owner_level"],
        "unit_id": {"": words["unit"]["no_project"]},
        "scenario": {p.id: getattr(p, f"name_{messages.language}") for p in catalog.reclamation.prices.values()},
    }  # fmt: skip
