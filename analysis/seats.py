"""School seats: who has one within reach once everybody who can be placed is placed, and what is short."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack, cast

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from analysis.access import Asked, Ground, Standing, counting, prepared
from analysis.assignment import Assignment, assign
from analysis.districts import district_schools, in_own_district
from geo.profile import Mode
from geo.reach import Journeys, Reached, decided_min
from layers.catalog import PROFILES, Catalog
from layers.places import AGES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
YEARS = (0, 3, 6)
"""Years from now that are told: as many as a band of age has."""

SEATS = [
    "place_id", "stage", "view", "year", "pupils", "pupils_source", "day_placed", "board_placed", "bus_placed",
    "unplaced_distance", "unplaced_capacity", "time_mean_min", "time_max_min", "status",
]  # fmt: skip
SCHOOLS = [
    "facility_id", "facility_name", "pool_id", "stage", "view", "year", "capacity", "capacity_source",
    "capacity_ceiling", "placed", "spare", "boarding_beds", "boarders", "beds_short", "seat_value", "bed_value",
    "classes_short",
]  # fmt: skip
CUTS = ["stage", "view", "year", "places", "facilities", "pupils", "seats", "beds", "short", "classes_short"]

METHODS = ("nearest_only", "in_order", "two_step", "optimum_by_day", "optimum")
"""Ways to say how many have no seat: of other tools, and ours without and with boarding."""

VIEWS = ("as_enrolled", "intake_only", "free_optimum")
"""
How much moves: nobody, so that a school has no more than are enrolled there and those of its district; the first
grade of each year from now on; everybody. The first two only where enrolment or districts are known.
"""
SEAT_STATUSES = ("ok", "pupils_unknown", "no_position", "outside_data", "seats_unknown", "no_data")


@dataclass(frozen=True, slots=True, eq=False)
class Seats:
    """The tables ``seats``, ``schools``, ``cuts`` and ``methods``."""

    seats: pd.DataFrame
    schools: pd.DataFrame
    cuts: pd.DataFrame
    methods: pd.DataFrame


def place_pupils(
    places: pd.DataFrame, facilities: pd.DataFrame, *, districts: gpd.GeoDataFrame | None = None,
    **asked: Unpack[Asked],
) -> Seats:  # fmt: skip
    """
    Give every pupil a seat whom any order of filling schools could give one, and say what is short.

    All stages are placed together, because a nine-year school's seats serve two. Placed are first as many as can
    be within the limit of their profile and mode; of all ways to do that one with the fewest boarders, then the
    fewest beyond a comfortable time, then the least time in all. A pupil of a band that may board takes a bed and
    a seat of a school within an hour by car. Who lives at a place of several points is counted at them.

    Three views differ in who moves. ``free_optimum``: everybody, the least that can be short. ``as_enrolled``:
    nobody; a school has no more pupils than are enrolled, whatever seats it has, and only of its district. As no
    file says who is enrolled where, it is told as favourably as the enrolment allows, and who came before the
    first grade of this year has a seat before it. ``intake_only``: they keep these, and the first grades from this
    year on take what is left, in any district.

    Parameters
    ----------
    places, facilities, **asked
        As in ``analysis.access.measure_access``; places with ``layers.places.AGES``.
    districts
        See ``analysis.districts``.

    Returns
    -------
    seats, schools, cuts, methods
        ``seats`` has a row a place, stage, view and year (0, 3, 6 from now, by ageing the bands): ``day_placed``,
        ``board_placed``, ``bus_placed`` (nobody yet: no county has its school buses), ``unplaced_distance`` (no
        school that one may go to within the limit, at any capacity) and ``unplaced_capacity`` add up to
        ``pupils``; all NaN unless ``status`` is ``ok``. ``pupils_source`` is of ``ledger``, ``split``, ``ratio``
        (from people, see ``layers/catalog/stages.toml``) or ''. Else it is ``pupils_unknown``, ``no_position``,
        ``outside_data``, ``seats_unknown``: a school in reach tells no number of seats, and who has none
        elsewhere may sit there; or ``no_data``: no source carries schools of the stage whole, and who has no seat
        may have one at a school that is not known.
        ``schools`` has a row a school, stage, view and year. The capacities of stages that share a school add up
        to its seats. ``seat_value`` and ``bed_value`` say how many more pupils one more would place;
        ``classes_short`` how many classes those without a seat would fill at the school that is nearest to them,
        and ``beds_short`` how many of them would board there.
        ``cuts`` prove the shortage: those ``places`` reach only those ``facilities``, and their pupils are more
        than the seats (and beds, for who can only board) by ``short``; none for a stage of which schools may be
        missing. With ``intake_only`` they are of the first
        grades and of what is left for these.
        ``methods`` says by stage how many other ways of counting leave without a seat today, see ``methods``; NaN
        for a stage of which schools may be missing.
    """
    catalog = asked["catalog"]
    facilities = counting(facilities, catalog)
    points, standing, ground = prepared(places, facilities, asked)
    schools = school_pools(facilities, catalog)
    ways = _ways(ground, standing, schools, catalog)
    ways["stays"], bound = True, districts is not None and len(districts) > 0
    if districts is not None and bound:
        members = district_schools(districts, schools, facilities, catalog)
        ways["stays"] = in_own_district(ways, *standing.points_at, districts, members)
    enrolled = bound or bool(schools["enrolled"].notna().any())
    views = VIEWS if enrolled else VIEWS[-1:]
    lost = pd.Series(standing.lost())
    tables: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]] = []
    for year in YEARS:
        asks = _Asks.of(
            places, points, schools, ways, catalog, year, lost, parted=enrolled, sourced=asked["sourced"]
        )
        found = asks.answers(views)
        tables += [asks.tables(view, found[view], catalog) for view in views]
        if year == YEARS[0]:
            now = methods(found[VIEWS[-1]].groups, found[VIEWS[-1]].arcs, asks.room, catalog)
            now["unplaced"] = now["unplaced"].mask(now["stage"].isin(asks.unknown))
    seats, taken, cuts = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    return Seats(seats, taken, cuts, now)


@dataclass(frozen=True, slots=True, eq=False)
class SchoolQuestion:
    """
    Pupils of today and the ways that they may take.

    ``groups`` has ``people``, ``place_id`` and ``stage``; ``arcs`` ``group``, ``pool`` and ``boards``; ``schools``
    is of ``school_pools``, whose rows ``room`` and ``beds`` are of.
    """

    groups: pd.DataFrame
    arcs: pd.DataFrame
    schools: pd.DataFrame
    room: Ints
    beds: Ints
    untold: list[str]
    """Schools in reach that tell no seats: they count as full."""
    uncounted: pd.DataFrame
    """``place_id`` and ``stage`` where pupils of some age are not known: those count as none."""


def school_question(places: pd.DataFrame, facilities: pd.DataFrame, **asked: Unpack[Asked]) -> SchoolQuestion:
    """Ask who could go where if everybody may move, see ``place_pupils``."""
    catalog = asked["catalog"]
    facilities = counting(facilities, catalog)
    points, standing, ground = prepared(places, facilities, asked)
    schools = school_pools(facilities, catalog)
    ways = _ways(ground, standing, schools, catalog).assign(stays=True)
    asks = _Asks.of(
        places,
        points,
        schools,
        ways,
        catalog,
        YEARS[0],
        pd.Series(standing.lost()),
        parted=False,
        sourced=asked["sourced"],
    )
    untold = schools["facility_id"].iloc[sorted(set(asks.unsure["pool"]))].tolist()
    missing = asks.told[asks.told["pupils"].isna()]
    uncounted = pd.DataFrame(
        {"place_id": places["place_id"].to_numpy(object)[missing["place_row"]], "stage": missing["stage"]}
    ).drop_duplicates(ignore_index=True)
    return SchoolQuestion(asks.groups, asks.arcs, schools, asks.room, asks.beds, untold, uncounted)


OBJECTIVES = ("as_boarder", "beyond", "ms", "stage_row")
"""
What is to be little among those who are placed, the first before the second. The last decides what nothing else
does: where two stages would sit as well in one school, the younger sit.
"""


def methods(groups: pd.DataFrame, arcs: pd.DataFrame, room: Ints, catalog: Catalog) -> pd.DataFrame:
    """
    Count who has no seat in the ways of other tools beside the optimum, on the same pupils, schools and times.

    ``nearest_only``: each goes to the nearest school within the limit, and those beyond its seats have none, the
    furthest first. ``in_order``: school after school, the largest first (equal ones by id), takes the nearest who
    have none yet until it is full. ``two_step``: the seats of a school are shared by all who reach it, and who has
    less than one in all lacks the rest (two-step floating catchment). ``optimum_by_day`` and ``optimum``: ours,
    with nobody boarding, and as in ``seats``.

    Parameters
    ----------
    groups
        ``stage``, ``people`` and ``unplaced``, whom the optimum leaves without a seat.
    arcs
        ``group, pool, boards`` and ``OBJECTIVES``.
    room
        Of each pool.
    catalog
        The order of stages.

    Returns
    -------
    table
        ``method, stage, pupils, unplaced``.

    References
    ----------
    Luo and Wang 2003 (two-step floating catchment); AccessMod 5 (schools in an order).
    """
    people = groups["people"].to_numpy(np.int64)
    day = arcs[~arcs["boards"].to_numpy(bool)].sort_values(["ms", "group", "pool"], kind="stable")
    nearest = day.drop_duplicates("group")
    order = np.lexsort((np.arange(len(room)), -room))
    rank = np.empty(len(room), np.int64)
    rank[order] = np.arange(len(room))
    in_order = day.assign(rank=rank[day["pool"].to_numpy(np.int64)]).sort_values("rank", kind="stable")
    reach = np.bincount(day["pool"], people[day["group"]], len(room))
    each = room / np.maximum(reach, 1.0)
    share = np.bincount(day["group"], each[day["pool"].to_numpy(np.int64)], len(people))
    by_day = assign(people, room, day, objectives=OBJECTIVES).placed
    placed = {
        "nearest_only": _filled(people, room, nearest), "in_order": _filled(people, room, in_order),
        "two_step": np.minimum(share, 1.0) * people,
        "optimum_by_day": np.bincount(day["group"], by_day, len(people)),
        "optimum": people - groups["unplaced"].to_numpy(np.int64),
    }  # fmt: skip
    parts = [
        groups[["stage"]].assign(method=name, pupils=people, unplaced=people - placed[name]) for name in METHODS
    ]
    table = pd.concat(parts, ignore_index=True).groupby(["method", "stage"]).sum().reset_index()
    rows = {name: number for number, name in enumerate((*METHODS, *catalog.stages))}
    return table.sort_values(["stage", "method"], key=lambda c: c.map(rows), ignore_index=True)


def _filled(people: Ints, room: Ints, arcs: pd.DataFrame) -> Ints:
    """Go through arcs in their order, each taking as many as are left and as there is room for."""
    left, free = people.copy(), room.copy()
    for group, pool in zip(arcs["group"].to_numpy(np.int64), arcs["pool"].to_numpy(np.int64), strict=True):
        taken = min(left[group], free[pool])
        left[group] -= taken
        free[pool] -= taken
    return people - left


def pupils(places: pd.DataFrame, catalog: Catalog, *, year: int = 0) -> pd.DataFrame:
    """
    Count the children of each band at each place in some years: those of the ledger grow older.

    Where a ledger has no ages, people are taken by a fallback ratio: those of the place, and, where there are no
    places of hosts, who lived at a settlement before, because they send their children to the same schools.
    Parts of a child are carried on to the next place by id: small places have as many in all as their people say.

    Returns
    -------
    table
        ``place_row, place_id, band, stage, pupils`` (whole, NaN where not known), ``pupils_source``.
    """
    hosts = (places["place_kind"] == "host").any()
    before = places["pop_host"].fillna(0.0) * float(not hosts)
    parts = []
    for band in catalog.bands:
        stage = catalog.stages[band.stage]
        name = band.id
        for _ in range(year // 3):
            name = next((other.younger for other in catalog.bands if other.id == name), "")
        told = places[name] if name in AGES else pd.Series(np.nan, index=places.index)
        share = stage.per_1000 / 1000 * 3 / stage.years
        host, by_ratio = (_whole(share * people, places["place_id"]) for people in (before, places["pop"]))
        # children not yet born are as many as the ratio says only where all are
        known = places[list(AGES)].notna().any(axis=1)
        number = np.rint(told).fillna(by_ratio.mask(known)) + host
        source = np.where(told.notna(), places["ages_source"], np.where(number.notna(), "ratio", ""))
        two = told.notna().to_numpy(bool) & (host > 0).to_numpy(bool)
        source = np.where(two, [f"{one};ratio" for one in source], source)
        parts.append(
            pd.DataFrame(
                {"place_row": np.arange(len(places)), "place_id": places["place_id"].to_numpy(object),
                 "band": band.id, "stage": band.stage, "pupils": number.to_numpy(np.float64),
                 "pupils_source": source}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _whole(exact: pd.Series, ids: pd.Series) -> pd.Series:
    """Whole numbers that add up as the exact ones do, in the order of ids; NaN stays."""
    order = np.argsort(ids.to_numpy(str), kind="stable")
    so_far = np.floor(np.cumsum(exact.fillna(0.0).to_numpy(np.float64)[order]) + 0.5 + 1e-9)
    out = np.empty(len(exact))
    out[order] = np.diff(so_far, prepend=0.0)
    return pd.Series(out, index=exact.index).mask(exact.isna())


def school_pools(facilities: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """
    Say how many seats each school has, by the seats it tells, or else its classes.

    Returns
    -------
    schools
        One row a school, in the order of ids: ``facility_id``, ``facility_name``, ``rows`` (its rows in
        ``facilities``), ``seats`` and ``ceiling`` (NaN where not known), ``capacity_source`` (``seats``,
        ``classes``, ``rule`` or ''), ``beds`` (0 where not told), ``enrolled`` (NaN where not told), ``stages``
        (which it takes).
    """
    own = facilities[facilities["category"].isin(catalog.schools)].reset_index(names="at")
    first = {
        name: stage for stage in reversed(list(catalog.stages.values())) for name in _taken_by(catalog, stage.id)
    }
    size, most = (
        own["category"].map({name: getattr(stage, what) for name, stage in first.items()}).astype("float64")
        for what in ("class_size", "class_ceiling")
    )
    told, classes = (own[name].where(own[name] >= 0) for name in ("capacity", "classes"))
    own["seats"] = told.fillna(classes * size)
    # a class holds at most so many; what is told goes before if it is more
    own["ceiling"] = np.fmax((classes * most).fillna(told / size * most), own["seats"])
    own["capacity_source"] = np.where(told.notna(), "seats", np.where(own["seats"].notna(), "classes", ""))
    by_rule = own["category"].map(catalog.default_seats).astype("float64").where(own["seats"].isna())
    own["capacity_source"] = own["capacity_source"].mask(by_rule.notna(), "rule")
    own["seats"], own["ceiling"] = own["seats"].fillna(by_rule), own["ceiling"].fillna(by_rule)
    own["taking"] = own["category"].map(
        {name: [s for s in catalog.stages if name in _taken_by(catalog, s)] for name in catalog.schools}
    )
    own["enrolled"] = own["enrolled"].where(own["enrolled"] >= 0)
    own["beds"] = own["boarding_beds"].where(own["boarding_beds"] >= 0, 0.0)
    # one school listed under two kinds has its seats once
    ordered = own.sort_values(["facility_id", "seats"], ascending=[True, False], kind="stable")
    by = ordered.groupby("facility_id", sort=True)
    table = by.agg(
        facility_name=("facility_name", "first"), rows=("at", list), seats=("seats", "first"),
        ceiling=("ceiling", "first"), capacity_source=("capacity_source", "first"), beds=("beds", "max"),
        enrolled=("enrolled", "max"),
        stages=("taking", lambda lists: [s for s in catalog.stages if any(s in own for own in lists)]),
    )  # fmt: skip
    return table.reset_index()


def _taken_by(catalog: Catalog, stage: str) -> list[str]:
    return [name for band in catalog.bands if band.stage == stage for name in band.categories]


def _whole_schools(catalog: Catalog, stage: str) -> frozenset[str]:
    """The categories that take all bands of a stage; who lists only others has not said what there is."""
    taking = [set(band.categories) for band in catalog.bands if band.stage == stage]
    return frozenset(set.intersection(*taking))


def _ways(ground: Ground, standing: Standing, schools: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Which points reach which schools within the limit: ``point, band, school, boards, ms, limit_min``."""
    school_of = np.full(len(standing.rank), -1, np.int64)
    for number, rows in enumerate(schools["rows"]):
        school_of[rows] = number
    parts = []
    for stage in catalog.stages.values():
        category = catalog.categories[stage.category]
        deciding = standing.deciding(category, catalog)[standing.owner]
        for mode in ["walk", *sorted(set(deciding) - {"walk"})]:
            journeys, _, _ = ground.journeys(category.persona, cast(Mode, mode))
            # whoever usually rides may walk as well
            may = np.ones(len(deciding), bool) if mode == "walk" else deciding == mode
            for band, name in ((b, c) for b in catalog.bands if b.stage == stage.id for c in b.categories):
                limit = limits_of(name, mode, standing, catalog)
                pairs = pairs_within(journeys, standing.rows([name]), category.direction, limit)
                pairs = pairs[may[pairs["point"]]]
                parts.append(pairs.assign(band=band.id, boards=False))
    ground.journeys("adult", "walk")
    journeys, _, _ = ground.journeys("adult", "drive")
    beds = schools["beds"].to_numpy(np.float64)
    weekly = np.full(len(standing.owner), catalog.boarding_limit_min)
    for band in catalog.bands:
        rows = standing.rows(band.categories) if band.boards else np.zeros(0, np.int64)
        rows = rows[beds[school_of[rows]] > 0]
        pairs = pairs_within(journeys, rows, "to_facility", weekly)
        parts.append(pairs.assign(band=band.id, boards=True))
    ways = pd.concat(parts, ignore_index=True)
    ways["school"] = school_of[ways.pop("facility")]
    keys = ["point", "band", "school", "boards"]
    ways = ways.sort_values([*keys, "ms"], kind="stable").drop_duplicates(keys).reset_index(drop=True)
    return ways.assign(stage=ways["band"].map({band.id: band.stage for band in catalog.bands}))


def limits_of(category: str, mode: str, standing: Standing, catalog: Catalog) -> Floats:
    """The limit of each point to a category in a mode, NaN for none."""
    limits = [catalog.standard(category, name).limit_min(mode) for name in PROFILES]
    of_profile = np.array([np.nan if limit is None else limit for limit in limits])
    return of_profile[standing.profile[standing.owner]]


def pairs_within(journeys: Journeys, rows: Ints, direction: str, limit: Floats) -> pd.DataFrame:
    """Points and facilities that are within the limit of the point, whose rim belongs to it."""
    most = float(np.nanmax(limit, initial=0.0))
    # the mean of two ways may be within the limit where one of them is not
    most *= 2 if direction == "round_trip_mean" else 1
    keys = ["home", "facility"]
    ways = {
        name: journeys.within(rows, limit_min=most, inward=inward)[[*keys, "time_min"]]
        for name, inward in (("to", True), ("back", False))
        # of one way the other is not asked for
        if direction != {"to": "from_facility", "back": "to_facility"}[name]
    }
    if len(ways) == 2:
        both = ways["to"].merge(ways["back"], on=keys, how="inner", suffixes=("_to", "_back"))
    else:
        ((name, one),) = ways.items()
        both = one.rename(columns={"time_min": f"time_min_{name}"})
    nothing = np.full(len(both), np.nan)
    to_min, back_min = (
        both[f"time_min_{name}"].to_numpy(np.float64) if name in ways else nothing for name in ("to", "back")
    )
    time = decided_min(Reached(np.zeros(len(both), np.int64), to_min, back_min, nothing), direction)
    frame = pd.DataFrame(
        {"point": both["home"].to_numpy(np.int64), "facility": both["facility"].to_numpy(np.int64)}
    )
    frame["ms"] = np.ceil(time * 60_000.0 - 1e-6)
    frame["limit_min"] = limit[frame["point"]]
    # twice the milliseconds, because the mean of two ways may end on half of one
    within = np.rint(time * 120_000) <= np.rint(frame["limit_min"].to_numpy(np.float64) * 120_000)
    return pd.DataFrame(frame[within])


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """
    One view of one year: groups with ``unplaced``, how many of them are ``far`` and who ``maybe`` has a seat that
    no school tells; arcs with ``placed``.

    ``asked``, ``room`` and ``beds`` are what ``found`` was found for: those who could move, and what was free.
    """

    groups: pd.DataFrame
    arcs: pd.DataFrame
    found: Assignment
    asked: Ints
    room: Ints
    beds: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Asks:
    """
    The pupils of one year and the ways that they may take; ``stays`` marks those of their own district.

    Of a group, those of the first grades from now on are a group of their own (``new``), if ``parted``.
    """

    year: int
    told: pd.DataFrame
    groups: pd.DataFrame
    arcs: pd.DataFrame
    unsure: pd.DataFrame
    """Ways to schools that tell no seats."""
    unknown: frozenset[str]
    """Stages of which schools may be missing."""
    schools: pd.DataFrame
    lost: pd.Series
    room: Ints
    beds: Ints

    @classmethod
    def of(
        cls, places: pd.DataFrame, points: pd.DataFrame, schools: pd.DataFrame, ways: pd.DataFrame,
        catalog: Catalog, year: int, lost: pd.Series, *, parted: bool, sourced: frozenset[str],
    ) -> _Asks:  # fmt: skip
        told = pupils(places, catalog, year=year)
        bands = [band.id for band in catalog.bands]
        # in the order of ids, so that the order of rows decides nothing
        rank = np.empty(len(points), np.int64)
        rank[np.argsort(points["point_id"].to_numpy(str), kind="stable")] = np.arange(len(points))
        found_at = told[told["place_row"].map(lost) == ""]
        groups = _groups(found_at, places, points, bands).assign(rank=lambda g: rank[g["point"]])
        groups = _parted(groups, catalog, year) if parted else groups.assign(new=False)
        groups = groups.sort_values(["rank", "band_row", "new"], ignore_index=True)
        own = groups[["point", "band", "new"]].reset_index(names="group")
        arcs = ways.merge(own, on=["point", "band"], how="inner").astype({"new": "int64"})
        comfort = arcs["stage"].map({name: one.comfort_share for name, one in catalog.stages.items()})
        late = arcs["ms"] > comfort.astype("float64") * arcs["limit_min"] * 60_000
        arcs["beyond"] = (late & ~arcs["boards"]).astype(np.int64)
        arcs["as_boarder"] = arcs["boards"].astype(np.int64)
        arcs["stage_row"] = (
            arcs["stage"].map({name: row for row, name in enumerate(catalog.stages)}).astype(np.int64)
        )
        arcs = arcs.rename(columns={"school": "pool"}).astype({"ms": "int64"})
        known = schools["seats"].notna().to_numpy(bool)[arcs["pool"]]
        return cls(
            year, told, groups, arcs[known].reset_index(drop=True), arcs[~known],
            frozenset(name for name in catalog.stages if not sourced & _whole_schools(catalog, name)),
            schools, lost,
            room=np.floor(schools["seats"].fillna(0.0)).to_numpy(np.int64),
            beds=schools["beds"].fillna(0.0).to_numpy(np.int64),
        )  # fmt: skip

    def answers(self, views: Sequence[str]) -> dict[str, _Answer]:
        """Place them, in one view after the other."""
        found: dict[str, _Answer] = {}
        every, new = self.groups["people"].to_numpy(np.int64), self.groups["new"].to_numpy(bool)
        if "as_enrolled" in views:
            there = self.schools["enrolled"].fillna(np.inf).clip(lower=0.0).to_numpy(np.float64)
            room = np.minimum(self.room, there).astype(np.int64)
            stay = self._placed(every, room, self.beds, own=True)
            # where enrolment holds, a seat more is for nobody
            held = np.where(there < self.room, 0, stay.found.pool_value)
            stay = dataclasses.replace(stay, found=dataclasses.replace(stay.found, pool_value=held))
            found["as_enrolled"] = stay
            kept = stay.arcs["placed"].to_numpy(np.int64) * (1 - stay.arcs["new"].to_numpy(np.int64))
            pool, boards = stay.arcs["pool"], stay.arcs["boards"].to_numpy(bool)
            room = self.room - _sum_of(kept, pool, len(self.room))
            beds = self.beds - _sum_of(kept * boards, pool, len(self.beds))
            moved = self._placed(every * new, room, beds)
            both = moved.arcs["placed"].to_numpy(np.int64).copy()
            both[np.flatnonzero(self.arcs["stays"])] += kept
            left = {
                name: moved.groups[name].where(new, stay.groups[name]) for name in ("unplaced", "far", "maybe")
            }
            found["intake_only"] = dataclasses.replace(
                moved, groups=moved.groups.assign(**left), arcs=moved.arcs.assign(placed=both)
            )
        found["free_optimum"] = self._placed(every, self.room, self.beds)
        return found

    def _placed(self, people: Ints, room: Ints, beds: Ints, *, own: bool = False) -> _Answer:
        """Place whom there is room for, if ``own`` in their own district only."""
        arcs, unsure = (ways[ways["stays"] | (not own)] for ways in (self.arcs, self.unsure))
        arcs = arcs.reset_index(drop=True)
        found = assign(people, room, arcs, beds=beds, objectives=("new", *OBJECTIVES) if own else OBJECTIVES)
        arcs = arcs.assign(placed=found.placed)
        left = people - _sum_of(arcs["placed"], arcs["group"], len(people))
        maybe = self.groups.index.isin(unsure["group"])
        some = maybe | self.groups.index.isin(arcs["group"])
        groups = self.groups.assign(unplaced=left, far=np.where(some, 0, left), maybe=maybe)
        return _Answer(groups, arcs, found, people, room, beds)

    def tables(
        self, view: str, answer: _Answer, catalog: Catalog
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The rows of ``seats``, ``schools`` and ``cuts``."""
        own = (
            _seats_of(self.told, answer.groups, answer.arcs, catalog, self.lost, self.unknown),
            _schools_of(self.schools, answer.groups, answer.arcs, answer.found, catalog),
            _cuts_of(self.schools, answer, catalog, self.unknown),
        )
        seats, schools, cuts = (table.assign(view=view, year=self.year) for table in own)
        return seats[SEATS], schools[SCHOOLS], cuts[CUTS]


def _sum_of(numbers: ArrayLike, rows: ArrayLike, n: int) -> Ints:
    return np.bincount(np.asarray(rows, np.int64), np.asarray(numbers, np.float64), n).astype(np.int64)


def _parted(groups: pd.DataFrame, catalog: Catalog, year: int) -> pd.DataFrame:
    """Part off those of each group who are of a first grade from this year on; of three grades of a band alike."""
    bands = [[band.id for band in catalog.bands if band.stage == stage] for stage in catalog.stages]
    before = {band: 3 * n for own in bands for n, band in enumerate(own)}
    grades = np.clip(year + 1 - groups["band"].map(before).to_numpy(np.float64), 0.0, 3.0)
    begun = np.floor(groups["people"] * grades / 3 + 0.5).astype("int64")
    parts = [groups.assign(people=groups["people"] - begun, new=False), groups.assign(people=begun, new=True)]
    whole = pd.concat(parts, ignore_index=True)
    return whole[whole["people"] > 0]


def _groups(told: pd.DataFrame, places: pd.DataFrame, points: pd.DataFrame, bands: Sequence[str]) -> pd.DataFrame:
    """Part the pupils of each place and band among its points, in whole ones."""
    row = pd.Series(np.arange(len(places)), index=places["place_id"])
    own = points[["point_id", "share"]].assign(
        point=np.arange(len(points)), place_row=row[points["place_id"]].to_numpy(np.int64)
    )
    some = told[told["pupils"] > 0][["place_row", "place_id", "band", "stage", "pupils"]]
    table = some.merge(own, on="place_row").sort_values(["place_row", "band", "point_id"], ignore_index=True)
    exact = table["pupils"] * table["share"]
    whole = np.floor(exact + 1e-9)
    by = [table["place_row"], table["band"]]
    left = (table["pupils"] - whole.groupby(by).transform("sum")).round()
    # what is over goes to the points with the largest parts of one
    part = (exact - whole).groupby(by).rank(method="first", ascending=False)
    table["people"] = (whole + (part <= left)).astype(np.int64)
    table["band_row"] = table["band"].map({name: number for number, name in enumerate(bands)})
    columns = ["point", "place_row", "place_id", "band", "band_row", "stage", "people"]
    return table.loc[table["people"] > 0, columns]


def _seats_of(
    told: pd.DataFrame, groups: pd.DataFrame, arcs: pd.DataFrame, catalog: Catalog, lost: pd.Series,
    unknown: frozenset[str],
) -> pd.DataFrame:  # fmt: skip
    keys = ["place_row", "stage"]
    per = told.groupby(keys, sort=False)
    table = per.agg(place_id=("place_id", "first"), pupils=("pupils", lambda p: p.sum(skipna=False)))
    table["pupils_source"] = per["pupils_source"].agg(
        lambda s: ";".join(sorted(set(";".join(s).split(";")) - {""}))
    )
    own = groups[keys].iloc[arcs["group"]].reset_index(drop=True).assign(
        placed=arcs["placed"].to_numpy(), boards=arcs["boards"].to_numpy(bool), ms=arcs["ms"].to_numpy()
    )  # fmt: skip
    own = own[own["placed"] > 0]
    day = own[~own["boards"]]
    table["day_placed"] = day.groupby(keys)["placed"].sum()
    table["board_placed"] = own[own["boards"]].groupby(keys)["placed"].sum()
    table["bus_placed"] = 0.0
    far = groups["far"]
    table["unplaced_distance"] = far.groupby([groups[k] for k in keys]).sum()
    table["unplaced_capacity"] = (groups["unplaced"] - far).groupby([groups[k] for k in keys]).sum()
    parts = ["day_placed", "board_placed", "bus_placed", "unplaced_distance", "unplaced_capacity"]
    table[parts] = table[parts].fillna(0.0)
    minutes = (day["ms"] * day["placed"]).groupby([day[k] for k in keys]).sum() / 60_000
    table["time_mean_min"] = minutes / table["day_placed"]
    table["time_max_min"] = day.groupby(keys)["ms"].max() / 60_000
    maybe = (groups["unplaced"].where(groups["maybe"], 0)).groupby([groups[k] for k in keys]).sum()
    table["status"] = "ok"
    table.loc[maybe.index[maybe > 0], "status"] = "seats_unknown"
    short = (table["unplaced_distance"] + table["unplaced_capacity"]) > 0
    missing = table.index.get_level_values("stage").isin(unknown)
    table["status"] = table["status"].mask(missing & short, "no_data")
    nowhere = pd.Series(lost.to_numpy()[table.index.get_level_values("place_row")], index=table.index)
    table["status"] = table["status"].mask(nowhere != "", nowhere)
    table.loc[table["pupils"].isna(), "status"] = "pupils_unknown"
    unsaid = [*parts, "time_mean_min", "time_max_min"]
    table[unsaid] = table[unsaid].mask(table["status"] != "ok")
    order = {name: number for number, name in enumerate(catalog.stages)}
    return table.reset_index().sort_values(
        keys, key=lambda c: c.map(order) if c.name == "stage" else c, kind="stable"
    )


def _schools_of(
    schools: pd.DataFrame, groups: pd.DataFrame, arcs: pd.DataFrame, found: Assignment, catalog: Catalog
) -> pd.DataFrame:
    own = arcs[["pool", "placed", "boards"]].rename(columns={"pool": "school"})
    own = own.assign(stage=groups["stage"].to_numpy()[arcs["group"]])
    placed = own.groupby(["school", "stage"])["placed"].sum()
    boarders = own[own["boards"]].groupby(["school", "stage"])["placed"].sum()
    stages = schools["stages"].explode()
    table = pd.DataFrame({"school": stages.index.to_numpy(np.int64), "stage": stages.to_numpy(object)})
    index = pd.MultiIndex.from_frame(table)
    table["placed"] = placed.reindex(index).fillna(0).to_numpy(np.float64)
    table["boarders"] = boarders.reindex(index).fillna(0).to_numpy(np.float64)
    about = schools.iloc[table["school"]].reset_index(drop=True)
    for name in ("facility_id", "facility_name", "capacity_source"):
        table[name] = about[name]
    table["pool_id"], table["boarding_beds"] = table["facility_id"], about["beds"]
    # what is left over stands with the first stage
    used = table.groupby("school")["placed"].transform("sum")
    lead = ~table["school"].duplicated()
    spare = np.floor(about["seats"]) - used
    table["spare"] = spare.where(lead, 0.0).mask(about["seats"].isna())
    table["capacity"] = table["placed"] + table["spare"]
    table["capacity_ceiling"] = (table["placed"] + (np.floor(about["ceiling"]) - used).where(lead, 0.0)).mask(
        about["ceiling"].isna()
    )
    table["seat_value"] = found.pool_value[table["school"]]
    table["bed_value"] = found.bed_value[table["school"]]
    wanting = arcs.assign(left=groups["unplaced"].to_numpy()[arcs["group"]], stage=own["stage"].to_numpy())
    wanting = wanting[wanting["left"] > 0].sort_values(["group", "boards", "ms", "pool"]).drop_duplicates("group")
    number, in_bed = (
        rows.groupby(["pool", "stage"])["left"].sum().reindex(index).fillna(0).to_numpy(np.float64)
        for rows in (wanting, wanting[wanting["boards"].to_numpy(bool)])
    )
    table["beds_short"] = in_bed
    size = table["stage"].map({name: stage.class_size for name, stage in catalog.stages.items()}).astype("float64")
    table["classes_short"] = np.ceil(number / size)
    return table


def _cuts_of(schools: pd.DataFrame, answer: _Answer, catalog: Catalog, unknown: frozenset[str]) -> pd.DataFrame:
    """The proofs of shortage: what hangs together of the groups and schools that the shortage lies in."""
    arcs, found, room, beds = answer.arcs, answer.found, answer.room, answer.beds
    groups = answer.groups.assign(people=answer.asked)
    n, m = len(groups), len(schools)
    held = arcs[found.short_group[arcs["group"]]]
    ends = (held["group"].to_numpy(np.int64), n + held["pool"].to_numpy(np.int64))
    graph = sparse.coo_array((np.ones(len(held), np.int8), ends), shape=(n + m, n + m))
    _, part = csgraph.connected_components(graph, directed=False)
    size = {name: stage.class_size for name, stage in catalog.stages.items()}
    rows = []
    for number in np.unique(part[n:][found.short_pool | found.short_bed]):
        own = groups[(part[:n] == number) & found.short_group]
        pools, bed = found.short_pool & (part[n:] == number), found.short_bed & (part[n:] == number)
        people, seats, bed_n = int(own["people"].sum()), int(room[pools].sum()), int(beds[bed].sum())
        if people <= seats + bed_n or not unknown.isdisjoint(own["stage"]):
            continue
        stages = [name for name in size if name in set(own["stage"])]
        short = people - seats - bed_n
        rows.append((
            ";".join(stages), ";".join(sorted(own["place_id"].unique())),
            ";".join(schools["facility_id"][pools | bed]), people, seats, bed_n, short,
            int(np.ceil(short / max(size[name] for name in stages))),
        ))  # fmt: skip
    columns = ["stage", "places", "facilities", "pupils", "seats", "beds", "short", "classes_short"]
    return pd.DataFrame(rows, columns=columns).sort_values(["short", "facilities"], ascending=[False, True])
