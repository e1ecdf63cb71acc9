"""Scenarios: an ordered list of edits of what is there, read with all faults at once, applied in their order."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo.network import Streets
from geo.problems import Problem, Stop
from layers.catalog import PROFILES, Catalog

NUMBERS = ("capacity", "classes", "enrolled", "boarding_beds", "doctors", "nurses", "beds")
"""What a facility may have more or less of."""

COST = "cost"
"""In 10,000 yuan; any edit may tell it."""

_ADDS = tuple(f"add_{name}" for name in NUMBERS)

ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "add": (("category", "name", "lon", "lat"), ("id", *NUMBERS)),
    "close": (("facility",), ()),
    "move": (("facility", "lon", "lat"), ()),
    "enlarge": (("facility",), (*NUMBERS, *_ADDS)),
    "close_road": (("way",), ()),
    "open_road": (("way",), ("highway",)),
    "standard": (("key", "value"), ()),
    "add_people": (("place", "people"), ()),
    "add_place": (("name", "people", "lon", "lat"), ("id", "profile", "usual_mode")),
}
"""What an edit must say, and what it may, by what it does."""

TEXTS = ("category", "name", "id", "facility", "highway", "key", "place", "profile", "usual_mode")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A list of edits, each a mapping with ``do``; one without edits is what is there."""

    name: str = ""
    edits: tuple[Mapping[str, Any], ...] = ()

    def of(self, *actions: str) -> tuple[Mapping[str, Any], ...]:
        """The edits that do one of some things, in order."""
        return tuple(edit for edit in self.edits if edit["do"] in actions)

    @property
    def facilities(self) -> tuple[Mapping[str, Any], ...]:
        """Edits of facilities."""
        return self.of("add", "close", "move", "enlarge")

    @property
    def places(self) -> tuple[Mapping[str, Any], ...]:
        """Edits of places."""
        return self.of("add_people", "add_place")

    @property
    def roads(self) -> tuple[Mapping[str, Any], ...]:
        """Edits of streets."""
        return self.of("close_road", "open_road")

    @property
    def cost(self) -> float:
        """What all edits cost that tell it, NaN if none does."""
        told = [float(edit[COST]) for edit in self.edits if COST in edit]
        return sum(told) if told else float("nan")

    @property
    def standards(self) -> dict[str, Any]:
        """Standards that are other, by key; the last says."""
        return {edit["key"]: edit["value"] for edit in self.of("standard")}


def read_scenario(path: Path, catalog: Catalog) -> Scenario:
    """
    Read a scenario file, see the README.

    Raises
    ------
    Stop
        Missing, no TOML, or edits that say too little, too much or what cannot be: all of them at once.
    """
    if not path.is_file():
        raise Stop(Problem.stop("scenario_missing", file=path))
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Stop(Problem.stop("project_syntax", file=path, reason=error)) from error
    problems = [
        Problem.stop("key_unknown", file=path, key=key, near="scenario、edit")
        for key in data
        if key not in ("scenario", "edit")
    ]
    about, edits = data.get("scenario", {}), data.get("edit", [])
    if not isinstance(about, dict) or not isinstance(edits, list) or not all(isinstance(e, dict) for e in edits):
        raise Stop(
            Problem.stop("key_wrong", file=path, key="scenario", value=about, wanted="[scenario] + [[edit]]")
        )
    if not isinstance(about.get("name", ""), str):
        problems.append(
            Problem.stop("key_wrong", file=path, key="scenario.name", value=about["name"], wanted='"…"')
        )
    problems += [
        Problem.stop("key_unknown", file=path, key=f"scenario.{key}", near="name")
        for key in about
        if key != "name"
    ]
    for number, edit in enumerate(edits, start=1):
        problems += _faults(path, number, edit, catalog)
    if problems:
        raise Stop(problems)
    return Scenario(str(about.get("name", path.stem)), tuple(edits))


def _faults(path: Path, number: int, edit: Mapping[str, Any], catalog: Catalog) -> list[Problem]:
    at = f"edit {number}"
    does = edit.get("do")
    if does not in ACTIONS:
        near = difflib.get_close_matches(str(does), ACTIONS, n=3, cutoff=0.5) or list(ACTIONS)
        return [Problem.stop("key_wrong", file=path, key=f"{at}.do", value=does, wanted="、".join(near))]
    must, may = ACTIONS[does]
    problems = [
        Problem.stop("key_missing", file=path, key=f"{at}.{key}", wanted=f"{key} = …")
        for key in must
        if key not in edit
    ]
    if does == "enlarge" and not set(may) & set(edit):
        problems.append(Problem.stop("key_missing", file=path, key=f"{at}.…", wanted="、".join(may)))
    if does == "standard" and {"key", "value"} <= set(edit) and isinstance(edit["key"], str):
        try:
            catalog.with_overrides({edit["key"]: edit["value"]}, {})
        except Stop as stop:
            problems += [replace(problem, file=path.name) for problem in stop.problems]
    for key, value in edit.items():
        if key == "do":
            continue
        if key not in (*must, *may, COST):
            near = difflib.get_close_matches(key, (*must, *may), n=3, cutoff=0.5) or [*must, *may]
            problems.append(Problem.stop("key_unknown", file=path, key=f"{at}.{key}", near="、".join(near)))
        elif wanted := _wanted(key, value, catalog):
            problems.append(Problem.stop("key_wrong", file=path, key=f"{at}.{key}", value=value, wanted=wanted))
    return problems


def _wanted(key: str, value: object, catalog: Catalog) -> str:
    """What a value should be, '' if it is."""
    if key in TEXTS:
        if not isinstance(value, str) or not value:
            return '"…"'
        if key == "category" and value not in {category.id for category in catalog.in_access()}:
            near = difflib.get_close_matches(value, list(catalog.categories), n=3, cutoff=0.4)
            return "、".join(near) or '"primary_school"'
        if key == "profile" and value not in PROFILES:
            return "、".join(PROFILES)
        if key == "usual_mode" and value not in {*catalog.modes, "walk"}:
            return "、".join(sorted({*catalog.modes, "walk"}))
        if key == "highway" and value not in {rule.name for rule in catalog.roads}:
            return "、".join(rule.name for rule in catalog.roads)
        return ""
    if key == "value":
        return ""
    low, high = {"lon": (-180, 180), "lat": (-90, 90), "way": (1, 2**62)}.get(key, (0, 10_000_000))
    whole = key == "way" or key in (*NUMBERS, *_ADDS)
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        return f"{low} … {high}"
    return ""


def edit_facilities(
    facilities: pd.DataFrame, edits: Sequence[Mapping[str, Any]], catalog: Catalog, *, file: str
) -> pd.DataFrame:
    """
    Add, close, move and enlarge facilities; an edit counts for every category of its facility.

    One that is moved has no doors but its new position. ``enlarge`` sets a number or adds to it; of what is not
    known nothing is added, but boarding beds that are not told are none, and classes bring as many seats as the
    standard says, to those that a school tells or the project's rule gives it. New ones come last, with the number
    of their edit as row.

    Raises
    ------
    Stop
        Facilities that are not there, with those whose id or name is nearest: all of them at once.
    """
    out = facilities.copy()
    problems: list[Problem] = []
    for number, edit in enumerate(edits, start=1):
        if edit["do"] == "add":
            row = _new_row(out, edit, number, file)
            if (out["facility_id"] == row["facility_id"].iloc[0]).any():
                problems.append(Problem.stop("scenario_id_taken", file=file, id=row["facility_id"].iloc[0]))
                continue
            out = pd.concat([out, row], ignore_index=True)
            continue
        rows = named_facility(out, edit["facility"])
        if not len(rows):
            near = difflib.get_close_matches(
                edit["facility"], [*out["facility_id"], *out["facility_name"]], n=5, cutoff=0.4
            )
            problems.append(Problem.stop("scenario_no_facility", file=file, facility=edit["facility"],
                                         near="、".join(dict.fromkeys(near)) or "—"))  # fmt: skip
            continue
        if edit["do"] == "close":
            out.loc[rows, "operating"], out.loc[rows, "why_not"] = False, file
        elif edit["do"] == "move":
            out.loc[rows, ["lon", "lat"]] = [float(edit["lon"]), float(edit["lat"])]
            out.loc[rows, "doors"] = ""
        else:
            out.loc[rows] = _enlarged(out.loc[rows], edit, catalog)
    if problems:
        raise Stop(problems)
    return out


def named_facility(facilities: pd.DataFrame, text: str) -> pd.Index[Any]:
    """Where in a table the facility is that an edit names: by its id, or by its name if no other has it."""
    rows = facilities.index[facilities["facility_id"] == text]
    named = facilities.index[facilities["facility_name"] == text]
    alone = len(set(facilities.loc[named, "facility_id"])) == 1
    return named if not len(rows) and alone else rows


def _enlarged(rows: pd.DataFrame, edit: Mapping[str, Any], catalog: Catalog) -> pd.DataFrame:
    """Set or add what an edit says."""
    out = rows.copy()
    out["boarding_beds"] = (
        out["boarding_beds"].fillna(0.0) if "add_boarding_beds" in edit else out["boarding_beds"]
    )
    for name in NUMBERS:
        if name in edit:
            out[name] = float(edit[name])
        if f"add_{name}" in edit:
            out[name] += float(edit[f"add_{name}"])
    if "classes" in edit and "capacity" not in edit:  # now its classes say how many it seats
        out["capacity"] = np.nan
    if "add_classes" in edit and "add_capacity" not in edit and "capacity" not in edit:
        ruled = out["category"].map(catalog.default_seats).astype("float64").where(rows["classes"].isna())
        size = out["category"].map(catalog.class_size).astype("float64")
        out["capacity"] = out["capacity"].fillna(ruled) + float(edit["add_classes"]) * size
    return out


def _new_row(facilities: pd.DataFrame, edit: Mapping[str, Any], number: int, file: str) -> pd.DataFrame:
    row: dict[str, Any] = {
        name: np.nan if facilities[name].dtype == np.float64 else "" for name in facilities.columns
    }
    name = str(edit.get("id", f"new:{number}"))
    row |= {
        "facility_id": name, "merged_ids": name, "category": edit["category"], "facility_name": edit["name"],
        "lon": float(edit["lon"]), "lat": float(edit["lat"]), "operating": True, "file": file, "row": number,
        "merged_n": 1,
    }  # fmt: skip
    row |= {key: float(edit[key]) for key in NUMBERS if key in edit}
    return pd.DataFrame([row]).astype(facilities.dtypes.to_dict())


def edit_places(
    places: pd.DataFrame, edits: Sequence[Mapping[str, Any]], catalog: Catalog, *, file: str
) -> pd.DataFrame:
    """
    Add people to places, and new settlements under them; ages grow as the people do.

    Raises
    ------
    Stop
        Places that are not there: all of them at once.
    """
    out = places.copy()
    ages = [name for name in out.columns if name.startswith("age_")]
    grew: list[Any] = []
    problems: list[Problem] = []
    for number, edit in enumerate(edits, start=1):
        if edit["do"] == "add_people":
            rows = out.index[(out["place_id"] == edit["place"])]
            named = out.index[out["place_name"] == edit["place"]]
            rows = rows if len(rows) else named if len(named) == 1 else rows
            if not len(rows):
                near = difflib.get_close_matches(
                    edit["place"], [*out["place_id"], *out["place_name"]], n=5, cutoff=0.4
                )
                problems.append(Problem.stop("place_unknown", file=file, place=edit["place"], n=len(named),
                                             near="、".join(dict.fromkeys(near)) or "—"))  # fmt: skip
                continue
            before = out.loc[rows, "pop"]
            if before.isna().any():
                problems.append(Problem.stop("scenario_people_unknown", file=file, place=edit["place"]))
                continue
            after = before + float(edit["people"])
            grown = (after / before).where(before > 0, 1.0)
            out.loc[rows, ages] = out.loc[rows, ages].mul(grown, axis=0)
            grew += list(rows)
            out.loc[rows, "pop"] = after
        else:
            row: dict[str, Any] = {name: np.nan if out[name].dtype == np.float64 else "" for name in out.columns}
            name = str(edit.get("id", f"new:{number}"))
            row |= {
                "place_id": name, "place_name": edit["name"], "place_kind": "settlement",
                "profile": edit.get("profile", "rural"), "usual_mode": edit.get("usual_mode", ""),
                "pop": float(edit["people"]), "lon": float(edit["lon"]), "lat": float(edit["lat"]),
                "position_source": "surveyed", "position_error_m": 0.0, "file": file, "row": number,
            }  # fmt: skip
            if (out["place_id"] == name).any():
                problems.append(Problem.stop("scenario_id_taken", file=file, id=name))
                continue
            out = pd.concat([out, pd.DataFrame([row]).astype(out.dtypes.to_dict())], ignore_index=True)
    if problems:
        raise Stop(problems)
    out.loc[grew, ages] = out.loc[grew, ages].round()
    sizes = out["pop"].map(catalog.size_class)
    return out.assign(size_class=sizes.where(out["place_kind"] == "settlement", ""))


ACCESS_KEYS = ("access", "foot", "bicycle", "motor_vehicle", "motorcar", "vehicle")
"""Tags of OSM that say who may use a street."""


def edit_roads(streets: Streets, edits: Sequence[Mapping[str, Any]], *, file: str) -> Streets:
    """
    Close streets to all, or open them to all, by the id of their way; ``highway`` makes one of another class.

    Raises
    ------
    Stop
        Ways that are not there: all of them at once.
    """
    tags = streets.tags.copy()
    problems = []
    for edit in edits:
        rows = tags.index[tags["way_id"] == edit["way"]]
        if not len(rows):
            problems.append(Problem.stop("scenario_no_way", file=file, way=edit["way"]))
            continue
        says = "no" if edit["do"] == "close_road" else "yes"
        for key in ACCESS_KEYS:
            if key in tags:
                tags.loc[rows, key] = says
        if "highway" in edit:
            tags.loc[rows, "highway"] = edit["highway"]
    if problems:
        raise Stop(problems)
    return replace(streets, tags=tags)


def touched_categories(
    scenario: Scenario, before: pd.DataFrame, after: pd.DataFrame, catalog: Catalog
) -> set[str] | None:
    """
    Say to which categories something may have changed; None for all.

    Those whose facilities are other than before, those that they stand in for, and those of other standards. Bus
    stops and stations change every way by bus.
    """
    if scenario.places or scenario.roads:
        return None
    key = ["facility_id", "category"]
    both = before.merge(after, on=key, how="outer", suffixes=("_was", "_is"), indicator=True)
    other = both["_merge"] != "both"
    for name in before.columns:
        if name in key or name in ("file", "row"):
            continue
        was, now = both[f"{name}_was"], both[f"{name}_is"]
        other |= (was != now) & ~(was.isna() & now.isna())
    changed = set(both.loc[other, "category"])
    if changed & {"bus_stop", "coach_station"}:
        return None
    changed |= {str(name).split(".")[0] for name in scenario.standards}
    stands_in = {
        category.id
        for category in catalog.categories.values()
        if any(changed & set(others) for others in category.substitutes.values())
    }
    return (changed | stands_in) & {category.id for category in catalog.in_access()}
