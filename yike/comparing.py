"""``yike compare``: what differs between two run folders, as tables, sheets and a map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from analysis import compare
from geo import crs as systems
from geo import io
from geo.problems import Problem, Stop
from layers import catalog as catalogue
from layers.edits import COST, named_facility
from outputs.map import MapInput, write_map
from outputs.messages import Messages
from outputs.themes import themes_of
from outputs.workbook import BookInput, write_comparison
from yike.run import Run, require_apart
from yike.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """
    The tables ``changes``, ``change_sums``, ``seat_changes`` and ``care_changes``; who compared; and doubts.

    ``cost`` is what the second run's scenario costs more than the first's, NaN if neither tells any.
    """

    was: Run
    now: Run
    cost: float
    tables: dict[str, pd.DataFrame]
    problems: tuple[Problem, ...]


def compare_runs(was: Path, now: Path) -> Comparison:
    """
    Hold two runs against each other.

    Raises
    ------
    Stop
        A folder is no run, or has no table ``access``.
    """
    problems = [
        Problem.stop("not_a_run", file=folder)
        for folder in (was, now)
        if not (folder / "run.json").is_file() or not (folder / "tables" / "access.parquet").is_file()
    ]
    if problems:
        raise Stop(problems)
    one, other = Run(was), Run(now)
    catalog, spent = catalogue.load(), [*_costs(other, 1.0), *_costs(one, -1.0)]
    cost = sum(each for each, _ in spent) if spent else float("nan")
    by_category = {name: _spent_on(spent, {name}) for name in set().union(*(own for _, own in spent))}
    changes = compare.changes(one.access, other.access)
    tables = {"change_sums": compare.sums(changes, cost=by_category)}
    of_stage: dict[str, set[str]] = {}
    for band in catalog.bands:
        of_stage.setdefault(band.stage, set()).update(band.categories)
    by_stage = {stage: _spent_on(spent, own) for stage, own in of_stage.items()}
    both = {name for name in ("seats", "care_levels") if all(has(run, name) for run in (one, other))}
    if "seats" in both:
        tables["seat_changes"] = compare.seat_changes(one.table("seats"), other.table("seats"), cost=by_stage)
    if "care_levels" in both:
        tables["care_changes"] = compare.care_changes(one.table("care_levels"), other.table("care_levels"))
    told = tables | {"changes": changes[changes["change"] != "same"]}
    return Comparison(one, other, cost, told, tuple(_doubts(one, other)))


def _costs(run: Run, sign: float) -> list[tuple[float, set[str]]]:
    """What the edits of a run's scenario cost, and of which categories the facility of each is."""
    facilities = run.table("facilities")
    edits = record(run.folder)["project"].get("scenario", {}).get("edits", ())
    told = []
    for edit in edits:
        if COST in edit:
            rows = named_facility(facilities, str(edit.get("facility", "")))
            own = {edit["category"]} if "category" in edit else set(facilities.loc[rows, "category"])
            told.append((sign * float(edit[COST]), own))
    return told


def _spent_on(costs: list[tuple[float, set[str]]], categories: set[str]) -> float:
    """Add up what facilities of any of some categories cost, NaN if nothing was spent on them."""
    own = [cost for cost, of in costs if of & categories]
    return sum(own) if own else float("nan")


def _doubts(was: Run, now: Run) -> list[Problem]:
    """What makes two runs hard to hold against each other: of another county, or of other places."""
    file = now.folder.name
    names = [record(run.folder)["project"]["name"] for run in (was, now)]
    doubts = []
    if names[0] != names[1]:
        doubts.append(Problem.doubt("compare_other_county", file=file, was=names[0], now=names[1]))
    ids = [set(run.places["place_id"]) for run in (was, now)]
    if ids[0] != ids[1]:
        gone, new = len(ids[0] - ids[1]), len(ids[1] - ids[0])
        doubts.append(Problem.doubt("compare_other_places", file=file, gone=gone, new=new))
    return doubts


def record(folder: Path) -> dict[str, Any]:
    """The ``run.json`` of a run."""
    found: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    return found


def has(run: Run, table: str) -> bool:
    """Say whether a run has a table."""
    return (run.folder / "tables" / f"{table}.parquet").is_file()


def write_differences(found: Comparison, folder: Path, messages: Messages, *, cache: Path | None = None) -> None:
    """Write a comparison: ``tables``, ``workbook.xlsx`` and ``map.html``; streets if a cache still has them."""
    require_apart(folder)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, table in found.tables.items():
        io.write_parquet(table, folder / "tables" / f"{name}.parquet")
    told = record(found.now.folder)
    project = told["project"]
    name = "：".join(text for text in (project["name"], project.get("scenario", {}).get("name", "")) if text)
    catalog = catalogue.load().with_overrides(project["standards"], project["categories"])
    now, places = found.now, found.now.places
    tables = {"places": places, "facilities": now.table("facilities"), **found.tables}
    book = BookInput(name, tables, catalog, {}, told["date"], told["yike"])
    write_comparison(book, folder / "workbook.xlsx", messages)
    if not has(now, "circles"):
        return
    kept = Store(cache).load(told["stages"]["network"])
    nothing = gpd.GeoDataFrame({"kind": [], "distance_m": []}, geometry=[], crs=systems.DEGREES)
    themes = {name: now.table(name) for name in ("seats", "care") if has(now, name)} | {
        "changes": found.tables["changes"]
    }
    given = MapInput(
        name, places, now.access, now.circles, project["circle_personas"][0], now.table("facilities"),
        None if kept is None else kept["streets"], None, None, nothing, catalog, told["date"], told["yike"],
        tuple(themes_of(themes, catalog, messages)),
    )  # fmt: skip
    write_map(given, folder / "map.html", messages)
