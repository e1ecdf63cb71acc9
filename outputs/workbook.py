"""The workbook: what a planner reads and forwards, with names instead of ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from analysis.catchment import DEFAULT as CARE_METHOD
from analysis.intervals import VARIANTS
from layers.catalog import Catalog
from layers.places import KINDS
from outputs import land
from outputs.messages import Messages

_CODED = (
    "status", "mode", "profile", "certainty", "severity", "law", "place_kind", "position_source", "pop_source",
    "walk_function", "layer", "requirement", "why",
    "view", "capacity_source", "ages_source", "method", "level", "next_level", "subject",
)  # fmt: skip

MOST_ROWS = 20_000
"""More rows than this do not help a reader of a sheet; the sheet says where the rest is."""

_DIGITS = {
    "_min": "0.0", "_km": "#,##0.0", "_ha": "#,##0.0", "index": "0.00",
    **dict.fromkeys(("fragile", "overloaded", "overused"), "0.00"),
    "_m": "#,##0", "_m2": "#,##0.0", "_mu": "#,##0.000",
    "_short": "#,##0.0", "gini": "0.00", "palma": "0.0", "mean": "0.00",
    "_deg_mean": "0.0", "score": "0.00", "score_low": "0.00", "score_high": "0.00", "worth": "#,##0.0",
    **dict.fromkeys(("per_1000", "per_1000_2sfca"), "0.00"), "ratio": "0.00000",
    **dict.fromkeys(("share", "target", "_share", "_share_low", "_share_high", *VARIANTS), "0.0%"),
}  # fmt: skip
_PEOPLE = (
    "people", "people_met", "pop", "pop_resident", "pop_registered", "pop_host", "number", "pupils", "seats",
    "beds", "short", "placed", "spare", "capacity", "capacity_ceiling", "boarders", "boarding_beds", "day_placed",
    "board_placed", "bus_placed", "unplaced_distance", "unplaced_capacity", "unplaced", "people_reaching", "staff",
    "staff_reached", "beds_reached", "people_known", "people_within", "load", "people_below", "served_people",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class BookInput:
    """Finished tables and what the first sheet says of the run."""

    name: str
    tables: Mapping[str, pd.DataFrame]
    catalog: Catalog
    inputs: Mapping[str, str]
    date: str
    version: str


def write_workbook(given: BookInput, path: Path, messages: Messages) -> None:
    """Write the sheets in reading order; shown numbers are rounded by their format only."""
    named = {
        sheet: _readable(frame, given, messages)
        for sheet, frame in _sheets(given, messages).items()
    }  # fmt: skip
    with xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": False, "strings_to_formulas": False}) as book:
        _about(book, given, messages)
        for sheet, frame in named.items():
            _sheet(book, sheet, frame, messages)


def write_comparison(given: BookInput, path: Path, messages: Messages) -> None:
    """Write what differs between two runs, with names instead of ids."""
    names = given.tables["places"][["place_id", "place_kind", "place_name", "town"]]
    sheets = {name: given.tables[name] for name in ("change_sums", "seat_changes", "care_changes") if
              name in given.tables}  # fmt: skip
    sheets["changes"] = names.merge(given.tables["changes"], on="place_id", how="right")
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for sheet, frame in sheets.items():
            _sheet(book, sheet, _readable(frame, given, messages), messages)


def _sheets(given: BookInput, messages: Messages) -> dict[str, pd.DataFrame]:
    tables = given.tables
    about = ["place_id", "place_kind", "place_name", "town", "village", "profile", "position_error_m"]
    names = tables["places"][about]
    out: dict[str, pd.DataFrame] = {}
    if "gaps" in tables:
        gaps = names.merge(tables["gaps"], on="place_id", how="right")
        # settlements first, then households, then hosts; within each as they are, the most people first
        order = gaps["place_id"].map(tables["places"].set_index("place_id")["place_kind"]).map(KINDS.index)
        out["gaps"] = gaps.iloc[order.argsort(kind="stable").to_numpy()]
        out["coverage"] = tables["coverage"]
    if "intervals" in tables:
        out["intervals"] = tables["intervals"]
    if "seats" in tables:
        out["seats"] = names[["place_id", "place_name"]].merge(tables["seats"], on="place_id", how="right")
        out["methods"] = tables["methods"]
        out["schools"] = tables["schools"].drop(columns="pool_id")
        called = {
            "places": dict(tables["places"][["place_id", "place_name"]].to_numpy().tolist()),
            "facilities": dict(tables["schools"][["facility_id", "facility_name"]].to_numpy().tolist()),
        }
        out["cuts"] = tables["cuts"].assign(
            **{column: tables["cuts"][column].map(partial(_named, own, NAMED_N)) for column, own in called.items()}
        )
    if "care" in tables:
        out |= _care_sheets(tables, names)
    if "equity" in tables:
        out["equity"] = tables["equity"]
    if "circles" in tables:
        out["circles"] = names.merge(tables["circles"], on="place_id", how="right")
        out["shares"] = tables["shares"]
    out["places"] = tables["places"].drop(columns=["file", "row"])
    if "access" in tables:
        access = tables["access"]
        settled = tables["places"].loc[tables["places"]["place_kind"] == "settlement", "place_id"]
        shown = access[access["deciding"] & (access["status"] != "no_data") & access["place_id"].isin(settled)]
        out["access"] = names[["place_id", "place_name"]].merge(
            shown.drop(columns="deciding"), on="place_id", how="right"
        )
    if "facilities" in tables:
        out["facilities"] = tables["facilities"].drop(columns=["file", "row", "merged_ids", "doors"])
    out |= land.sheets(tables)
    for name in ("balance", "left_out", "slope_effect", "steepest", "problems", "laws"):
        if name in tables:
            table = folded(tables[name], messages) if name == "problems" else tables[name]
            out[name] = table.drop(columns="code", errors="ignore")
    return out


MANY_ROWS = 100
"""So many problems of one kind and file stand row by row in the workbook; the table has all."""


def folded(problems: pd.DataFrame, messages: Messages) -> pd.DataFrame:
    """Keep the first ``MANY_ROWS`` problems of each kind and file, and say in a row how many more there are."""
    kind = problems.groupby(["code", "file"], sort=False)
    place, size = kind.cumcount(), kind["code"].transform("size")
    shown = problems[place <= MANY_ROWS].copy()
    more = (place == MANY_ROWS)[shown.index]
    rest = (size - MANY_ROWS)[shown.index]
    shown.loc[more, "what"] = [messages.say("problems.more", n=f"{n:,}") for n in rest[more]]
    shown.loc[more, ["value", "column", "action"]] = ""
    shown["row"] = shown["row"].mask(more)
    return shown


def _care_sheets(tables: Mapping[str, pd.DataFrame], names: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Care by the method to go by, with what the two-step one would have said."""
    care = tables["care"]
    keys = ["place_id", "level"]
    other = care.loc[care["method"] == "2sfca", [*keys, "per_1000"]].rename(columns={"per_1000": "per_1000_2sfca"})
    own = care[care["method"] == CARE_METHOD].merge(other, on=keys)
    titles = dict(tables["grids"][["grid_id", "grid_name"]].to_numpy().tolist())
    own = own.assign(grid_name=own["grid_id"].map(titles)).drop(columns=["method", "grid_id", "ratio"])
    about = names[["place_id", "place_kind", "place_name", "town"]]
    return {
        "care_reach": tables["care_reach"], "care_levels": tables["care_levels"],
        "care": about.merge(own, on="place_id", how="right"),
        "grids": tables["grids"].drop(columns=["grid_id", "lead_facility_id"]),
        "referrals": tables["referrals"].drop(columns="next_facility_id"),
    }  # fmt: skip


NAMED_N = 12
"""So many places of a proof are named; the table has all."""


def _named(names: Mapping[str, str], most: int | None, ids: str) -> str:
    """Words for ids that are joined by semicolons, the first of them if there are many."""
    every = [one for one in ids.split(";") if one]
    told = "、".join(names.get(one) or one for one in every[:most])
    return told + (f"……（{len(every)}）" if most is not None and len(every) > most else "")


def _readable(frame: pd.DataFrame, given: BookInput, messages: Messages) -> pd.DataFrame:
    """Put names for ids and words for codes; columns keep their ids until the heading is written."""
    catalog, language = given.catalog, messages.language
    name = f"name_{language}"
    words = messages.words
    out = frame.copy()
    codes: dict[str, Mapping[str, str]] = {
        "category": {c.id: getattr(c, name) for c in catalog.categories.values()},
        **dict.fromkeys(("status_was", "status_is"), words["status"]),
        "change": words["change"],
        "served_by": {c.id: getattr(c, name) for c in catalog.categories.values()},
        "usual_mode": words["mode"],
        "by": words["by"],
        "persona": {p.id: getattr(p, name) for p in catalog.personas.values()},
        "list": {entry.id: getattr(entry, name) for entry in catalog.lists.values()},
        "size_class": {c.id: getattr(c, name) for c in catalog.size_classes},
        "slope_class": words["slope"],
        **{column: words[column] for column in _CODED if column in words},
        "next_level": words["level"],
        "source": words["grid_source"],
        "part": {**words["level"], **words["school_stage"]},
        **land.words_of(messages, catalog),
    }
    for column, known in codes.items():
        if column in out:
            out[column] = out[column].map(lambda code, known=known: known.get(code, code))
    if "facility_name" in out:
        out["facility_name"] = out["facility_name"].where(out["facility_name"] != "", out["facility_id"])
    category = codes["category"]
    for column in {"missing", "far", "unknown"} & set(out):
        out[column] = out[column].map(partial(_named, category, None))
    gates = {gate.id: gate.named(language) for gate in catalog.reclamation.gates.values()}
    for column in {"gates", "gates_was"} & set(out):
        out[column] = out[column].map(partial(_named, gates, None))
    for column, section in (("stage", "school_stage"), ("pupils_source", "pupils_source")):
        if column in out:
            out[column] = out[column].map(partial(_named, words[section], None))
    if "by" in frame:  # a class is named by the words of what it is a class of
        classes = {by: codes.get(by, {}) for by in frame["by"].unique()}
        named = zip(frame["by"], frame["name"], strict=True)
        out["name"] = [classes[by].get(one, words["class"].get(one, one)) for by, one in named]
    if "item" in out:
        out["item"] = out["item"].map(words["balance"])
    return out.drop(
        columns=[c for c in ("place_id", "facility_id", "deciding") if c in out and "place_name" in out]
    )


def _about(book: Any, given: BookInput, messages: Messages) -> None:
    sheet = book.add_worksheet(messages.say("book.about"))
    bold = book.add_format({"bold": True, "font_size": 14})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    red = book.add_format({"font_color": "#AA3333"})
    _printable(sheet)
    sheet.set_column(0, 0, 34, wrap)
    sheet.set_column(1, 1, 90, wrap)
    sheet.write(0, 0, messages.say("book.about_title", name=given.name), bold)
    sheet.write(1, 0, messages.say("map.stamp"), red)
    sheet.write(1, 1, messages.say("map.made", date=given.date, version=given.version))
    row = 3
    for text in messages.say("book.about_lines").splitlines():
        sheet.merge_range(row, 0, row, 1, text, wrap)
        row += 1
    row += 1
    sheet.write(row, 0, messages.say("book.speeds"))
    for persona in given.catalog.personas.values():
        said = messages.certainty(persona.certainty)
        kmh = given.catalog.travel_profile(persona.id, "walk").flat_kmh
        text = f"{getattr(persona, f'name_{messages.language}')} {kmh:g}（{said}）"
        sheet.write(row, 1, text)
        row += 1
    row += 1
    sheet.write(row, 0, messages.say("book.inputs"))
    for file, digest in given.inputs.items():
        sheet.write(row, 1, f"{file}  sha256 {digest[:16]}…")
        row += 1


def _sheet(book: Any, name: str, frame: pd.DataFrame, messages: Messages) -> None:
    sheet = book.add_worksheet(messages.say(f"book.{name}"))
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EEE8"})
    formats = {suffix: book.add_format({"num_format": code}) for suffix, code in _DIGITS.items()}
    whole = book.add_format({"num_format": "#,##0"})
    shown = frame.head(MOST_ROWS)
    for column, field in enumerate(shown.columns):
        sheet.write_string(0, column, messages.heading(str(field)), head)
        suffix = next((s for s in sorted(_DIGITS, key=len, reverse=True) if str(field).endswith(s)), "")
        style = whole if field in _PEOPLE else formats.get(suffix)
        cells = shown[field]
        for row, value in enumerate(cells, start=1):
            _cell(sheet, row, column, value, style)
        # a long heading stands in several lines
        widest = max([min(20, 2 * len(messages.heading(str(field))))] + [_width(v) for v in cells.head(300)])
        sheet.set_column(column, column, min(46, max(8, widest)))
    if len(frame) > MOST_ROWS:
        sheet.write(MOST_ROWS + 1, 0, messages.say("book.truncated", n=MOST_ROWS, table=name))
    sheet.freeze_panes(1, 1)
    _printable(sheet)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    if len(shown):
        sheet.autofilter(0, 0, len(shown), len(shown.columns) - 1)


def _printable(sheet: Any) -> None:
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    if isinstance(value, bool | np.bool_):
        sheet.write_string(row, column, "✓" if value else "✗")
    elif isinstance(value, int | float | np.number):
        if np.isfinite(value):
            sheet.write_number(row, column, float(value), style)
    elif value is not None and value is not pd.NA and value != "":
        sheet.write_string(row, column, str(value))


def _width(value: Any) -> int:
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text) + 1
