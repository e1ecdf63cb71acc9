"""Old homesteads in words: why a plot became what it did, and the sheets that an officer reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.reclamation import MAJORITY, tells_share
from layers.catalog import Catalog
from layers.catalog.land import Gate
from outputs.messages import Messages

_UNITS = {
    "slope": "{:.1f}°", "altitude": "{:,.0f} m", "soil": "{:.0f} cm", "beside": "{:.0f} m", "field": "{:.0f} m",
    "isolated": "{:.2f} {mu}", "inside": "{:.0%}", "surrounded": "{:.0%}", "disputed": "{:.0%}",
}  # fmt: skip
"""How the number of a gate is written, by how it is measured."""

SHOWN = [
    "homestead_id", "house_id", "town", "village", "group", "area_m2", "area_mu", "ledger_area_m2",
    "slope_terrain_deg", "slope_over_25_share", "slope_class", "slope_source", "survey_class",
    "construction_area_m2", "quota_area_m2", "stage", "way", "way_done", "target_class", "net_farmland_mu",
    "score", "score_low", "score_high", "cluster_id", "piece_mu", "reasons", "field_check", "checks", "exception",
    "approval_no", "project_id", "collective",
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
    """Put ``reasons`` and ``checks`` in words before the coded columns."""
    out = homesteads.copy()
    for name, coded in (("reasons", "reason_codes"), ("checks", "check_codes")):
        words = {text: in_words(text, catalog, messages) for text in homesteads[coded].unique()}
        out.insert(list(out.columns).index(coded), name, homesteads[coded].map(words))
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
            share = number.endswith("%")
            value = float(number.removesuffix("%") or "nan") / (100 if share else 1)
            shown = _shown(gates[code], value, messages, share=share)
            parts.append(messages.say("reason.number", told=told, number=shown) if shown else told)
        else:
            told = messages.say(f"reason.{code}")
            shown = _near(number, messages) if code == "near_limit" else ""
            shown = shown or (f"{float(number):.2f} {messages.say('unit.mu')}" if number else "")
            parts.append(messages.say("reason.number", told=told, number=shown) if shown else told)
    return ("；" if messages.language == "zh" else "; ").join(parts)


def _near(number: str, messages: Messages) -> str:
    """How near ground is to a limit of slope: ``mean°/limit``, ``share%/limit`` or ``/limit``."""
    found, _, limit = number.partition("/")
    how = "mean" if found.endswith("°") else "share" if found else "class"
    return messages.say(f"near.{how}", found=f"{float(found[:-1]):.1f}{found[-1]}" if found else "", limit=limit)


def _shown(gate: Gate, number: float, messages: Messages, *, share: bool = False) -> str:
    """The number of a gate with its unit, '' for none; of slope it may be a share of the area."""
    if not math.isfinite(number):
        return ""
    shown = _UNITS["inside" if share else gate.measure].format(number, mu=messages.say("unit.mu"))
    return messages.say("plot.within", share=shown) if gate.measure == "disputed" else shown


def told(row: pd.Series, gates: pd.DataFrame, catalog: Catalog, messages: Messages) -> Iterator[str]:
    """
    Say line by line what a plot is and why it is to become what it is.

    Parameters
    ----------
    row
        Of the table of homesteads.
    gates
        By the id of each gate ``fired`` and ``number``, NaN where it could not be asked.
    catalog, messages
        Names, sources and words.
    """
    say, words = messages.say, messages.words
    unknown = say("plot.unknown")

    def number(name: str, form: str = "{:,.1f}") -> str:
        return unknown if pd.isna(row[name]) else form.format(row[name])

    def word(section: str, code: object) -> str:
        return str(words[section].get(str(code), unknown))

    land = catalog.land["third_survey"].names
    where = "".join(str(row[name]) for name in ("town", "village", "group"))
    yield say("plot.title", plot=row["homestead_id"], where=where or unknown, owner=row["collective"] or unknown)
    if row["matched_by"]:
        late = say("plot.late") if pd.notna(row["overdue"]) and row["overdue"] else ""
        why, approval = word("exception", row["exception"]), row["approval_no"] or unknown
        kept = say("plot.kept", why=why, no=approval) if row["exception"] else ""
        by = word("matched_by", row["matched_by"])
        yield say("plot.house", house=row["house_id"], by=by, n=int(row["households_n"]), late=late, kept=kept,
                  stage=word("house_stage", row["stage"]))  # fmt: skip
    else:
        yield say("plot.no_house")
    yield say("plot.area", area=number("area_m2"), mu=number("area_mu", "{:.3f}"),
              source=word("area_source", row["area_source"]), ledger=number("ledger_area_m2"))  # fmt: skip
    yield say("plot.slope", mean=number("slope_terrain_deg"), share=number("slope_over_25_share", "{:.0%}"),
              klass=word("slope", row["slope_class"]),
              source=word("slope_source", row["slope_source"]))  # fmt: skip
    code = row["survey_class"]
    yield say("plot.survey", klass=f"{code} {land.get(code, '')}" if code else unknown,
              built=number("construction_area_m2"), earns=number("quota_area_m2"),
              project=row["project_id"] or say("unit.no_project"))  # fmt: skip
    target = row["target_class"]
    yield say("plot.way", way=word("way", row["way"]), net=number("net_farmland_mu", "{:.3f}"),
              target=f"{target} {land.get(target, '')}".strip() if target else say("plot.nothing"),
              check=say("plot_check.because", why=in_words(row["check_codes"], catalog, messages))
              if row["field_check"] else say("plot_check.no"))  # fmt: skip
    yield say("plot.reasons", reasons=in_words(row["reason_codes"], catalog, messages) or say("plot.nothing"))
    yield say("plot.apart", field=number("field_m"), water=number("water_m"), road=number("road_m"),
              people=number("residents_m"), piece=number("piece_mu", "{:.2f}"))  # fmt: skip
    factors = words["factor"]
    yield say("plot.score", score=number("score", "{:.2f}"), low=number("score_low", "{:.2f}"),
              high=number("score_high", "{:.2f}"), rank=number("score_rank", "{:,.0f}"),
              known=number("score_known", "{:.0%}"),
              least=factors.get(row["score_least"], unknown))  # fmt: skip
    yield say("plot.gates")
    for gate in catalog.reclamation.gates.values():
        fired, asked = bool(gates["fired"][gate.id]), float(gates["number"][gate.id])
        state = "fired" if fired else "unasked" if math.isnan(asked) else "passed"
        by_share = gate.measure == "slope" and gate.over < 90  # 90 degrees are no limit
        share = by_share and bool(tells_share(row.to_frame().T, gate.over)[0])
        yield say(
            "plot.gate", state=say(f"plot.{state}"), gate=gate.named(messages.language),
            number=(_shown(gate, asked, messages, share=share) if by_share or gate.measure != "slope" else "")
            or "—",
            limits=_limits(gate, catalog, messages) or "—",
            outcome=words["outcome"][gate.outcome], certainty=words["certainty"][gate.certainty],
            source=say("plot.source", source=gate.source.partition(" [")[0]) if gate.certainty == "V" else "",
        )  # fmt: skip


def _limits(gate: Gate, catalog: Catalog, messages: Messages) -> str:
    """The limits of a gate in words, '' for none."""
    if gate.measure == "disputed":
        return f"< {catalog.reclamation.own_share:.0%}"
    if gate.measure == "isolated":
        return f"< {gate.under_mu:g} {messages.say('unit.mu')}, > {gate.within_m:g} m"
    if gate.measure == "surrounded":
        return f"≥ {gate.share:.0%} ({gate.within_m:g} m)"
    if gate.measure == "slope":
        # by the mean, or by the share of the area that is steeper
        return "" if gate.over >= 90 else f"> {gate.over:g}°, > {MAJORITY:.0%}"
    parts = {
        "> {}": _shown(gate, gate.over, messages), "< {}": _shown(gate, gate.under, messages),
        "≤ {}": f"{gate.within_m:g} m", "≥ {}" if gate.share else "> {} ": f"{gate.share:.0%}",
    }  # fmt: skip
    return ", ".join(form.strip().format(told) for form, told in parts.items() if told and "nan" not in told)


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
    if "quota" in out:  # the name beside the number
        names = out["quota"].pop("unit_name")
        out["quota"].insert(2, "unit_name", names)
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
