"""What else the map can be coloured by: kinds of gap in seats, care by level, and what two runs differ in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.catchment import DEFAULT as CARE_METHOD
from analysis.seats import VIEWS
from layers.catalog import Catalog
from outputs.messages import Messages

GREEN, PALE, ORANGE, RED, PURPLE, BLUE, GREY, LIGHT = (
    "#009e73", "#8fd0b9", "#e69f00", "#d55e00", "#7a1f1f", "#0072b2", "#9a9a9a", "#dddddd",
)  # fmt: skip
CLASSES: dict[str, dict[str, str]] = {
    "seats": {"seated": GREEN, "far": ORANGE, "full": PURPLE, "far_and_full": RED, "nobody": LIGHT,
              "unknown": GREY},
    "care": {"enough": GREEN, "short": ORANGE, "none": PURPLE, "no_rule": BLUE, "unknown": GREY},
    "change": {"gained": GREEN, "nearer": PALE, "same": LIGHT, "further": ORANGE, "lost": PURPLE, "unknown": GREY},
}  # fmt: skip
"""Kinds of themes, their classes, and the colours of these."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A class and a sentence for each place by its id; others are ``unknown``."""

    kind: str
    name: str
    classes: Mapping[str, str]
    told: Mapping[str, str]


def themes_of(tables: Mapping[str, pd.DataFrame], catalog: Catalog, messages: Messages) -> list[Theme]:
    """Make the themes of the tables that are there: ``seats``, ``care`` and ``changes``."""
    out = []
    if "changes" in tables:
        out += _of_changes(tables["changes"], catalog, messages)
    if "seats" in tables:
        out += _of_seats(tables["seats"], catalog, messages)
    if "care" in tables:
        out += _of_care(tables["care"], catalog, messages)
    return out


def _of_seats(seats: pd.DataFrame, catalog: Catalog, messages: Messages) -> list[Theme]:
    """Of today, as enrolled where that is known, else at best."""
    view = next(name for name in (*VIEWS[:1], VIEWS[-1]) if (seats["view"] == name).any())
    own = seats[(seats["view"] == view) & (seats["year"] == 0)]
    out = []
    for name, stage in catalog.stages.items():
        rows = own[own["stage"] == name]
        far, full = rows["unplaced_distance"] > 0, rows["unplaced_capacity"] > 0
        kind = np.select(
            [rows["status"] != "ok", rows["pupils"] == 0, far & full, far, full],
            ["unknown", "nobody", "far_and_full", "far", "full"], default="seated",
        )  # fmt: skip
        told = [
            messages.say(
                "theme.seats_told",
                pupils=f"{row.pupils:,.0f}",
                far=f"{row.unplaced_distance:,.0f}",
                full=f"{row.unplaced_capacity:,.0f}",
            )
            if row.status == "ok"
            else messages.say(f"status.{row.status}")
            for row in rows.itertuples()
        ]
        title = messages.say("theme.seats_of", stage=getattr(stage, f"name_{messages.language}"),
                             view=messages.say(f"view.{view}"))  # fmt: skip
        out.append(_theme("seats", title, rows["place_id"], kind, told))
    return out


def _of_care(care: pd.DataFrame, catalog: Catalog, messages: Messages) -> list[Theme]:
    out = []
    for name, level in catalog.care.items():
        rows = care[(care["level"] == name) & (care["method"] == CARE_METHOD)]
        short = (rows["staff_short"] > 1e-9) | (rows["beds_short"] > 1e-9)
        # what a standard asks for and nobody tells is not enough
        untold = pd.Series(level.staff_per_1000 is not None, rows.index) & rows["staff_short"].isna()
        untold |= pd.Series(level.beds_per_1000 is not None, rows.index) & rows["beds_short"].isna()
        unruled = level.staff_per_1000 is None and level.beds_per_1000 is None
        reached = (rows["per_1000"] > 0) | (rows["beds_per_1000"] > 0)
        kind = np.select(
            [(rows["status"] != "ok") | untold, ~reached, np.full(len(rows), unruled), short],
            ["unknown", "none", "no_rule", "short"], default="enough",
        )  # fmt: skip
        told = [
            messages.say(
                "theme.care_told",
                staff=_number(row.per_1000),
                beds=_number(row.beds_per_1000),
                minutes=_number(row.nearest_min, 1),
            )
            for row in rows.itertuples()
        ]
        title = messages.say("theme.care_of", level=getattr(level, f"name_{messages.language}"))
        out.append(_theme("care", title, rows["place_id"], kind, told))
    return out


def _of_changes(changes: pd.DataFrame, catalog: Catalog, messages: Messages) -> list[Theme]:
    """Of each category in which something differs, the one with the most people first."""
    other = changes[changes["change"] != "same"]
    order = other.groupby("category")["people"].sum().sort_values(ascending=False, kind="stable")
    out = []
    for category in order.index:
        rows = changes[changes["category"] == category]
        told = [
            messages.say("theme.change_told", was=_number(row.time_was_min, 1), now=_number(row.time_is_min, 1))
            for row in rows.itertuples()
        ]
        title = messages.say("theme.change_of", category=messages.category(catalog, str(category)))
        out.append(_theme("change", title, rows["place_id"], rows["change"].to_numpy(object), told))
    return out


def _theme(kind: str, name: str, ids: pd.Series, classes: Iterable[Any], told: Sequence[str]) -> Theme:
    return Theme(
        kind, name, dict(zip(ids, (str(one) for one in classes), strict=True)), dict(zip(ids, told, strict=True))
    )


def _number(value: Any, digits: int = 2) -> str:
    return "—" if pd.isna(value) else f"{float(value):,.{digits}f}"


def page_themes(themes: Sequence[Theme], ids: Sequence[str], messages: Messages) -> list[dict[str, Any]]:
    """Give themes as the page's script takes them, in the order of places."""
    out = []
    for theme in themes:
        names = list(CLASSES[theme.kind])
        number = {name: place for place, name in enumerate(names)}
        out.append({
            "name": theme.name,
            "classes": [{"name": messages.say(f"theme.{theme.kind}_{name}"), "colour": CLASSES[theme.kind][name]}
                        for name in names],
            "of": [number[theme.classes.get(place, "unknown")] for place in ids],
            "told": [theme.told.get(place, "") for place in ids],
        })  # fmt: skip
    return out
