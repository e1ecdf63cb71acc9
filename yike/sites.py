"""``yike site``: what would close a gap, worked out on what the project reads; tables and a scenario of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.remedies import GOALS, Proposal, candidate_rows, propose, scenario_edits
from analysis.siting import NoSites
from geo import io
from geo.problems import Problem, Stop
from layers import candidates as candidate_layer
from layers.catalog import Catalog
from layers.ledgers import some
from outputs.messages import Messages
from yike.pipeline import Given, asked_of, box_of, crossed, rows_of, terrain_in
from yike.project import Project
from yike.run import require_apart


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """A proposal, the candidates that it chose among (with what forbids others), and doubts in reading them."""

    category: str
    proposal: Proposal
    candidates: pd.DataFrame
    problems: tuple[Problem, ...]


def find_sites(
    project: Project, given: Given, *, category: str, new: int, goal: str, growing: bool, time_limit_s: float
) -> Sites:
    """
    Propose sites, see ``analysis.remedies.propose``.

    Parameters
    ----------
    project, given
        The project and the values of its stages: what was read, ``people_at``, and the hillside if there is one.
    category, new, goal, growing, time_limit_s
        As in ``propose``.

    Raises
    ------
    Stop
        The list of candidates cannot be read; the goal is none or does not fit; there are no candidates, or none
        that could help anybody; nothing was found in time.
    """
    catalog, file = project.catalog(), project.file
    if goal not in GOALS:
        raise Stop(Problem.stop("site_goal", file=file, goal=goal, goals="、".join(GOALS)))
    if category in catalog.schools and goal != "cover":
        raise Stop(Problem.stop("site_goal", file=file, goal=goal, goals="cover"))
    if not new and not growing and goal != "all":
        raise Stop(Problem.stop("site_asks_nothing", file=file))
    if growing and category not in catalog.schools:
        raise Stop(Problem.stop("site_grows_schools", file=file, category=category))
    places, facilities, asked = asked_of(project, catalog, given)
    candidates, problems = _candidates(project, catalog, given)
    if category not in asked["sourced"]:
        problems.append(Problem.doubt("site_no_data", file=file.name, layer="facilities", category=category))
    allowed = candidates[candidates["forbidden"] == ""].reset_index(drop=True)
    if not len(allowed) and new > 0:
        raise Stop(Problem.stop("site_no_candidates", file=file, n=len(candidates)))
    added = candidate_rows(allowed, category, list(facilities.columns))
    whole = pd.concat([facilities, added], ignore_index=True)
    asked["open_ground"] = crossed(catalog, given, whole)
    named = allowed.assign(facility_id=added["facility_id"].to_numpy(object))
    try:
        found = propose(
            places, whole, named, category=category, new=new, goal=goal, growing=growing,
            time_limit_s=time_limit_s, **asked,
        )  # fmt: skip
    except NoSites as none:
        codes = {
            "unreached": Problem.stop("site_reaches_nobody", file=file, n=len(allowed)),
            "p": Problem.stop("site_too_many", file=file, new=new, n=len(allowed)),
            "time": Problem.stop("site_time", file=file, seconds=f"{time_limit_s:g}"),
        }
        raise Stop(codes[none.reason]) from none
    if found.untold:
        ids = some(list(found.untold))
        problems.append(
            Problem.doubt("site_seats_unknown", file=file.name, layer="facilities", n=len(found.untold), ids=ids)
        )
    if found.uncounted:
        n, ids = len(found.uncounted), some(list(found.uncounted))
        problems.append(Problem.doubt("site_pupils_unknown", file=file.name, layer="settlements", n=n, ids=ids))
    return Sites(category, found, candidates, tuple(problems))


def _candidates(project: Project, catalog: Catalog, given: Given) -> tuple[pd.DataFrame, list[Problem]]:
    rules, own = catalog.remedies, None
    problems: list[Problem] = []
    if project.candidates is not None:
        raw, crs, _ = rows_of(project.candidates, catalog, file=project.label(project.candidates.path))
        own, problems = candidate_layer.from_table(raw, catalog, crs=crs, box=box_of(given))
    layers = {
        name: given.get(f"form_{name}", {}).get("frame") for name in (*rules.forbidden, "villages", "plan_parcels")
    }
    gathered = candidate_layer.gathered(
        given["people_at"]["places"], layers["villages"], layers["plan_parcels"], own
    )
    zones = {name: layers[name] for name in rules.forbidden if layers[name] is not None}
    judged = candidate_layer.judged(gathered, zones, terrain_in(given), limit_deg=rules.slope_deg)
    return candidate_layer.apart(judged, least_m=rules.apart_m), problems


def write_sites(sites: Sites, folder: Path, catalog: Catalog, messages: Messages, *, title: str) -> None:
    """Write ``remedies``, ``curve`` and ``candidates`` as tables, the first two as sheets, and a scenario."""
    require_apart(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"remedies": sites.proposal.remedies, "curve": sites.proposal.curve, "candidates": sites.candidates}
    for name, table in tables.items():
        io.write_parquet(table, folder / f"{name}.parquet")
    shown = readable(sites.proposal.remedies, catalog, messages)
    rows = [
        tuple(messages.heading(str(name)) for name in shown.columns),
        *shown.itertuples(index=False, name=None),
    ]
    io.write_table([[_cell(value) for value in row] for row in rows], folder / "remedies.xlsx")
    (folder / "scenario.toml").write_text(scenario_text(sites.proposal, catalog, title), "utf-8")


def readable(remedies: pd.DataFrame, catalog: Catalog, messages: Messages) -> pd.DataFrame:
    """Put words for codes."""
    name = f"name_{messages.language}"
    out = remedies.drop(columns="facility_id")
    out["category"] = out["category"].map({c.id: getattr(c, name) for c in catalog.categories.values()})
    out["action"] = out["action"].map(messages.words["action"])
    return out


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and np.isnan(value) else value


def scenario_text(proposal: Proposal, catalog: Catalog, title: str) -> str:
    """Write a proposal as a scenario file."""
    lines = ["[scenario]", f"name = {json.dumps(title, ensure_ascii=False)}", ""]
    for edit in scenario_edits(proposal, catalog):
        lines += [
            "[[edit]]",
            *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in edit.items()),
            "",
        ]
    # JSON leaves this one sign as it is, TOML does not allow it
    return "\n".join(lines).replace("\x7f", "\\u007f")
