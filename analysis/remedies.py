"""What closes a gap: where to build, how many classes and beds to add, whom each step helps and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.access import Asked, Ground, Standing, counting, prepared
from analysis.assignment import assign
from analysis.expansion import Expansion, Pools, expand, in_turn
from analysis.seats import SchoolQuestion, limits_of, pairs_within, school_question
from analysis.siting import (
    TIME_LIMIT_S,
    NoSites,
    Sited,
    max_cover,
    p_center,
    p_median,
    set_cover,
    set_cover_with_backup,
)
from geo.profile import Mode
from layers.catalog import PROFILES, Catalog, Category

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOALS = ("cover", "all", "backup", "median", "center")
"""Most people within the limit; all with the fewest sites; twice; least time in all; the furthest nearest."""

STEPS = 8
"""How many steps of money the curve has."""

FAR_MIN = 240.0
"""Who reaches nothing in so many minutes counts as so far, for goals that count minutes."""

REMEDIES = [
    "rank", "category", "action", "facility_id", "facility_name", "x", "y", "units", "beds", "cost",
    "people_gained", "gap", "bound",
]  # fmt: skip
CURVE = ["new_n", "units", "beds", "cost", "people_placed", "people_gained", "cost_per_person"]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """
    The tables ``remedies`` and ``curve``, and the people in question: all, and served before and after.

    ``stages`` are those of the pupils in question, none for what is no school; ``value`` before and after is what
    the goals ``median`` and ``center`` seek, in minutes, and ``backup``, in people who have two, NaN for others.
    ``untold`` are schools in reach that tell no seats, and count as full; ``uncounted`` places of whose pupils not
    all are known: those that are not, are not among the people.
    """

    remedies: pd.DataFrame
    curve: pd.DataFrame
    stages: tuple[str, ...]
    people: float
    before: float
    after: float
    value_before: float
    value_after: float
    untold: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()


def candidate_rows(candidates: pd.DataFrame, category: str, columns: Sequence[str]) -> pd.DataFrame:
    """
    Make facilities of candidates, of no capacity yet, to be put under those that are there.

    Parameters
    ----------
    candidates
        ``layers.candidates.COLUMNS``.
    category
        What could be built.
    columns
        ``layers.facilities.COLUMNS``.
    """
    own = pd.DataFrame({name: pd.array([""] * len(candidates), dtype="str") for name in columns})
    for name in ("classes", "enrolled", "boarding_beds", "doctors", "nurses", "beds", "runs_a_day"):
        own[name] = np.nan
    own["facility_id"] = "new:" + candidates["candidate_id"].astype("str").reset_index(drop=True)
    own["merged_ids"] = own["facility_id"]
    own["facility_name"] = candidates["candidate_name"].astype("str").reset_index(drop=True)
    own["category"], own["operating"], own["capacity"] = category, True, 0.0
    own["lon"], own["lat"] = (candidates[name].to_numpy(np.float64) for name in ("lon", "lat"))
    own["row"], own["merged_n"] = 0, 1
    return own[list(columns)]


def propose(
    places: pd.DataFrame, facilities: pd.DataFrame, candidates: pd.DataFrame, *, category: str, new: int,
    goal: str = "cover", growing: bool = False, time_limit_s: float = TIME_LIMIT_S, **asked: Unpack[Asked],
) -> Proposal:  # fmt: skip
    """
    Propose new sites, and for schools classes and beds, so that a gap closes.

    Schools count seats: those who can be placed with ``new`` new schools of at most so many classes (see
    ``layers/catalog/remedies.toml``) are as many as can be, and of all ways to do that the cheapest is given; with
    ``growing`` schools that are there may grow too. All other categories count who is within the limit of their
    profile in the mode that decides (a limit's rim belongs to it), or by ``goal``.

    Parameters
    ----------
    places
        As in ``analysis.access.measure_access``.
    facilities
        What is there, and under it ``candidate_rows``; ``open_ground`` in ``asked`` must be of all of them.
    candidates
        Their ``facility_id`` stand in ``facilities``.
    category, new
        What, and how many at most; for the goals ``all`` and ``backup`` so many as it takes.
    goal
        One of ``GOALS``; schools know ``cover`` only.
    growing
        Whether schools may grow.
    time_limit_s
        After that the best that was found is given with its gap.

    Raises
    ------
    NoSites
        ``unreached``: no candidate is of use to anybody; ``p``: there are fewer candidates; ``time``.
    """
    catalog = asked["catalog"]
    if category in catalog.schools:
        question = _about(school_question(places, facilities, **asked), category, catalog)
        return _of_schools(question, facilities, candidates, catalog, category, new, growing, time_limit_s)
    return _of_sites(places, facilities, candidates, asked, category, new, goal, time_limit_s)


def _about(question: SchoolQuestion, category: str, catalog: Catalog) -> SchoolQuestion:
    """Keep the stages that a category is for, and those that share a school with them."""
    stages = {band.stage for band in catalog.bands if category in band.categories}
    shared = [set(own) for own in question.schools["stages"]]
    while more := set().union(*(own for own in shared if own & stages)) - stages:
        stages |= more
    kept = question.groups["stage"].isin(stages).to_numpy(bool)
    number = np.cumsum(kept) - 1
    arcs = question.arcs[kept[question.arcs["group"]]]
    arcs = arcs.assign(group=number[arcs["group"]]).reset_index(drop=True)
    return dataclasses.replace(question, groups=question.groups[kept].reset_index(drop=True), arcs=arcs)


def _of_schools(
    question: SchoolQuestion, facilities: pd.DataFrame, candidates: pd.DataFrame, catalog: Catalog, category: str,
    new: int, growing: bool, time_limit_s: float,
) -> Proposal:  # fmt: skip
    rules, schools = catalog.remedies, question.schools
    stages = list(dict.fromkeys(band.stage for band in catalog.bands if category in band.categories))
    is_new = schools["facility_id"].isin(set(candidates["facility_id"])).to_numpy(bool)
    takes = schools["stages"].map(lambda own: bool(set(own) & set(stages))).to_numpy(bool)
    told = schools["seats"].notna().to_numpy(bool)
    size = schools["stages"].map(lambda own: min(catalog.stages[stage].class_size for stage in own))
    grows = growing & takes & told & ~is_new
    pools = Pools(
        question.room, question.beds, size.to_numpy(np.int64),
        np.where(is_new, sum(rules.new[stage] for stage in stages), np.where(grows, rules.most_units, 0)),
        np.where(grows & (question.beds > 0), rules.most_beds, 0), is_new,
        *(rules.prices[name] for name in ("new", "unit", "bed")),
    )  # fmt: skip
    people = question.groups["people"].to_numpy(np.int64)
    if not np.isin(question.arcs["pool"], np.flatnonzero(is_new | grows)).any():
        raise NoSites("unreached")
    best = expand(people, question.arcs, pools, sites=new, time_limit_s=time_limit_s)
    before = int(assign(people, question.room, question.arcs, beds=question.beds).placed.sum())
    order, gained = in_turn(people, question.arcs, pools, best)
    at = facilities.drop_duplicates("facility_id").set_index("facility_id")
    known = bool(rules.costs) and rules.prices is rules.costs
    gap = max(best.gap, (best.bound - best.placed) / max(best.placed, 1))
    rows = []
    for rank, (pool, more) in enumerate(zip(order, gained, strict=True), start=1):
        name = schools["facility_id"].iloc[pool]
        units, beds = int(best.units[pool]), int(best.beds[pool])
        cost = units * pools.cost_unit + beds * pools.cost_bed + (pools.cost_new if is_new[pool] else 0.0)
        rows.append((
            rank, category, "build" if is_new[pool] else "enlarge", name, schools["facility_name"].iloc[pool],
            at.loc[name, "lon"], at.loc[name, "lat"], units, beds, cost if known else np.nan, float(more), gap,
            best.bound,
        ))  # fmt: skip
    table = pd.DataFrame(rows, columns=REMEDIES)
    budgets = np.linspace(0.0, best.cost, STEPS + 1)[1:-1]
    steps = [
        expand(people, question.arcs, pools, sites=new, budget=float(budget), time_limit_s=time_limit_s)
        for budget in budgets
    ]
    steps.append(best)
    return Proposal(
        table, _curve(steps, before, known=known), tuple(dict.fromkeys(question.groups["stage"])),
        float(people.sum()), float(before), float(best.placed),
        float("nan"), float("nan"), tuple(question.untold),
        tuple(dict.fromkeys(question.uncounted.loc[question.uncounted["stage"].isin(stages), "place_id"])),
    )  # fmt: skip


def _curve(steps: Sequence[Expansion], before: int, *, known: bool) -> pd.DataFrame:
    """How many are placed for how much, at best."""
    rows = [(0, 0, 0, 0.0 if known else np.nan, float(before), 0.0, np.nan)]
    for step in steps:
        cost = step.cost if known else np.nan
        gained = step.placed - before
        each = cost / gained if gained else np.nan
        rows.append((int(step.opened.sum()), int(step.units.sum()), int(step.beds.sum()), cost, float(step.placed),
                     float(gained), each))  # fmt: skip
    return pd.DataFrame(rows, columns=CURVE).drop_duplicates(["new_n", "units", "beds"], ignore_index=True)


def _of_sites(
    places: pd.DataFrame, facilities: pd.DataFrame, candidates: pd.DataFrame, asked: Asked, category: str,
    new: int, goal: str, time_limit_s: float,
) -> Proposal:  # fmt: skip
    catalog = asked["catalog"]
    facilities = counting(facilities, catalog)
    _, standing, ground = prepared(places, facilities, asked)
    kind = catalog.categories[category]
    share, minutes = _ways_to(ground, standing, kind, catalog, far=goal in ("median", "center"))
    is_new = np.asarray(facilities["facility_id"].isin(set(candidates["facility_id"])), np.bool_)
    owner = standing.owner
    people = np.nan_to_num(np.array(places["pop"], np.float64)[owner]) * standing.share
    judged = np.isfinite(standing.points_at[0]) & ~standing.outside & _has_limit(standing, kind, catalog)
    # who lives where no limit holds is not asked for
    people = np.where(judged, people, 0.0)
    there, could = share[:, ~is_new], share[:, is_new]
    served = np.asarray((there <= 1.0).any(axis=1), np.bool_)
    left = people > 0
    if goal in ("cover", "all"):
        left &= ~served
    if left.any() and not (could[left] <= 1.0).any() and goal not in ("median", "center"):
        raise NoSites("unreached")
    ids = facilities["facility_id"].to_numpy(object)[is_new]
    # whom neither what is there nor any candidate reaches cannot be asked how far they go
    asking = np.where((minutes < FAR_MIN).any(axis=1), people, 0.0) if goal in ("median", "center") else people
    sited, chosen = _chosen(goal, new, asking, served, share, minutes, is_new, time_limit_s)
    order, gained = _cover_in_turn(people, served, could, chosen, of_reach=goal in ("cover", "all"))
    at = facilities[is_new].reset_index(drop=True)
    cost = catalog.remedies.costs.get("new", np.nan)
    rows = [
        (rank, category, "build", ids[site], *at.loc[site, ["facility_name", "lon", "lat"]], 1, 0, cost, more,
         sited.gap, sited.bound)
        for rank, (site, more) in enumerate(zip(order, gained, strict=True), start=1)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=REMEDIES)
    before = float(people[served].sum())
    so_far = before + np.concatenate(([0.0], np.cumsum(gained)))
    curve = pd.DataFrame(
        {"new_n": np.arange(len(so_far)), "units": np.arange(len(so_far)), "beds": 0,
         "cost": cost * np.arange(len(so_far)), "people_placed": so_far, "people_gained": so_far - before}
    )  # fmt: skip
    curve["cost_per_person"] = curve["cost"] / curve["people_gained"].where(curve["people_gained"] > 0)
    was, now = (
        _value(goal, asking, minutes[:, which], share[:, which])
        for which in (~is_new, ~is_new | _mask(is_new, chosen))
    )
    return Proposal(table, curve[CURVE], (), float(people.sum()), before, float(so_far[-1]), was, now)


def _mask(is_new: Bools, chosen: Ints) -> Bools:
    out = np.zeros(len(is_new), bool)
    out[np.flatnonzero(is_new)[chosen]] = True
    return out


def _value(goal: str, people: Floats, minutes: Floats, share: Floats) -> float:
    """Mean minutes, those of who is furthest, at most ``FAR_MIN``; people who have two; NaN for other goals."""
    own = people > 0
    if goal == "backup":
        return float(people[(share <= 1.0).sum(axis=1) >= 2].sum())
    if goal not in ("median", "center") or not own.any():
        return float("nan")
    near = np.minimum(minutes[own].min(axis=1, initial=FAR_MIN), FAR_MIN)
    return float((near * people[own]).sum() / people[own].sum()) if goal == "median" else float(near.max())


def _chosen(
    goal: str, new: int, people: Floats, served: Bools, share: Floats, minutes: Floats, is_new: Bools,
    time_limit_s: float,
) -> tuple[Sited, Ints]:  # fmt: skip
    """Solve the location model; the new sites by their column among the candidates."""
    candidates = np.flatnonzero(is_new)
    if goal in ("cover", "all"):
        left = np.flatnonzero(~served & (people > 0))
        could = share[np.ix_(left, candidates)]
        if not len(left) or not new:
            nobody = np.zeros(0, np.int64)
            return Sited(nobody, 0.0, 0.0, 0.0, nobody), nobody
        if goal == "all":
            sited = set_cover(could, 1.0, time_limit_s=time_limit_s)
        else:
            n = min(new, len(candidates))
            sited = max_cover(could, people[left], 1.0, n, time_limit_s=time_limit_s)
        return sited, sited.sites
    own = np.flatnonzero(people > 0)
    locked = np.flatnonzero(~is_new)
    if goal == "backup":
        usable = own[(share[own] <= 1.0).any(axis=1)]
        sited, _ = set_cover_with_backup(share[usable], 1.0, locked=locked.tolist(), time_limit_s=time_limit_s)
        number = {int(row): column for column, row in enumerate(candidates)}
        return sited, np.array([number[int(site)] for site in sited.sites if int(site) in number], np.int64)
    # all that are there are one: of them only the nearest counts; and a candidate only where it is nearer
    nearest = np.minimum(minutes[np.ix_(own, locked)].min(axis=1, initial=FAR_MIN), FAR_MIN)
    could = minutes[np.ix_(own, candidates)]
    costs = np.column_stack((nearest, np.where(could < nearest[:, None], could, np.inf)))
    p = 1 + min(new, len(candidates))
    if goal == "center":
        sited = p_center(costs, p, locked=[0], time_limit_s=time_limit_s)
    else:
        sited = p_median(costs, people[own], p, locked=[0], time_limit_s=time_limit_s)
    return sited, sited.sites[sited.sites > 0] - 1


def _cover_in_turn(
    people: Floats, served: Bools, could: Floats, chosen: Ints, *, of_reach: bool
) -> tuple[Ints, Floats]:
    """Put sites in an order, the one next that covers most more people; if ``of_reach`` only who covers any."""
    left, covered = chosen.tolist(), served.copy()
    order, gained = [], []
    while left:
        more = [float(people[~covered & (could[:, site] <= 1.0)].sum()) for site in left]
        best = int(np.argmax(more))
        site = left.pop(best)
        covered |= could[:, site] <= 1.0
        if not more[best] and of_reach:  # it helps nobody beyond those before it
            break
        order.append(site)
        gained.append(more[best])
    return np.array(order, np.int64), np.array(gained, np.float64)


def _has_limit(standing: Standing, kind: Category, catalog: Catalog) -> Bools:
    """Where there is a limit for walking, or for how the place goes."""
    deciding = standing.deciding(kind, catalog)[standing.owner]
    found = ~np.isnan(limits_of(kind.id, "walk", standing, catalog))
    for mode in set(deciding) - {"walk"}:
        found |= (deciding == mode) & ~np.isnan(limits_of(kind.id, mode, standing, catalog))
    return np.asarray(found, np.bool_)


def _ways_to(
    ground: Ground, standing: Standing, kind: Category, catalog: Catalog, *, far: bool
) -> tuple[Floats, Floats]:
    """Share of the limit, and minutes if ``far``, from each point to each facility; infinite where none is."""
    n, m = len(standing.owner), len(standing.rank)
    share, minutes = np.full((n, m), np.inf), np.full((n, m), np.inf)
    deciding = standing.deciding(kind, catalog)[standing.owner]
    profile = standing.profile[standing.owner]
    for mode in ["walk", *sorted(set(deciding) - {"walk"})]:
        journeys, _, _ = ground.journeys(kind.persona, cast(Mode, mode))
        may = np.ones(n, bool) if mode == "walk" else deciding == mode
        limit = np.where(may, limits_of(kind.id, mode, standing, catalog), np.nan)
        for number, name in enumerate(PROFILES):
            rows = standing.rows((kind.id, *kind.substitutes.get(name, ())))
            mine = np.where(profile == number, limit, np.nan)
            pairs = pairs_within(journeys, rows, kind.direction, mine)
            at = pairs["point"].to_numpy(np.int64), pairs["facility"].to_numpy(np.int64)
            # within the limit in milliseconds is within it, whatever a division makes of it
            own = np.minimum(
                pairs["ms"].to_numpy(np.float64) / 60_000 / pairs["limit_min"].to_numpy(np.float64), 1.0
            )
            share[at] = np.minimum(share[at], np.nan_to_num(own, nan=1.0))
            if far:
                there = np.where((profile == number) & may, FAR_MIN, np.nan)
                wide = pairs_within(journeys, rows, kind.direction, there)
                at = wide["point"].to_numpy(np.int64), wide["facility"].to_numpy(np.int64)
                minutes[at] = np.minimum(minutes[at], wide["ms"].to_numpy(np.float64) / 60_000)
    return share, minutes


def scenario_edits(proposal: Proposal, catalog: Catalog) -> list[dict[str, object]]:
    """Give a proposal as edits of a scenario, see ``layers.edits``."""
    edits: list[dict[str, object]] = []
    for row in proposal.remedies.to_dict("records"):
        category = str(row["category"])
        of_school = category in catalog.schools
        if row["action"] == "build":
            edit: dict[str, object] = {
                "do": "add", "category": category, "name": str(row["facility_name"]),
                "id": str(row["facility_id"]), "lon": float(row["x"]), "lat": float(row["y"]),
            }  # fmt: skip
            if of_school:
                size = int(catalog.class_size(category))
                edit |= {"capacity": int(row["units"]) * size, "classes": int(row["units"])}
        else:
            edit = {"do": "enlarge", "facility": str(row["facility_id"])}
            if row["units"]:
                edit["add_classes"] = int(row["units"])
            if row["beds"]:
                edit["add_boarding_beds"] = int(row["beds"])
        if not np.isnan(row["cost"]):
            edit["cost"] = float(row["cost"])
        edits.append(edit)
    return edits
