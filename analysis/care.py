"""Care: who reaches which level of it, how many doctors and beds there are for them, and in which grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack, cast

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.access import Asked, Ground, Standing, counting, prepared
from analysis.catchment import DEFAULT, METHODS, Catchment, NotSettled, catchment, rational_agents
from analysis.grids import GivenGrids, draw_grids, read_grids
from analysis.seats import pairs_within
from geo import crs as systems
from geo.profile import Mode
from geo.reach import decided_min
from layers.catalog import CareLevel, Catalog

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CARE_METHODS = (*METHODS, "raam")
"""Ways to say how much of a supply each place has; ``DEFAULT`` is the one to go by."""

CARE = [
    "place_id", "level", "method", "people", "nearest_min", "facility_id", "facility_name", "ratio", "per_1000",
    "nurses_per_1000", "beds_per_1000", "staff_short", "beds_short", "grid_id", "status",
]  # fmt: skip
LEVELS = [
    "level", "method", "people", "people_reaching", "staff", "staff_reached", "nurses", "nurses_reached", "beds",
    "beds_reached", "staff_per_1000", "nurses_per_1000", "beds_per_1000", "standard_staff", "standard_beds",
    "staff_short", "beds_short", "untold_n", "people_unsaid", "untold_beds_n", "people_beds_unsaid",
]  # fmt: skip
REACH = ["level", "people", "people_known", "people_within", "within_min", "share", "target", "met", "status"]
GRIDS = [
    "grid_id", "grid_name", "source", "lead_facility_id", "lead_name", "places_n", "people", "load",
    "time_max_min", "several_n",
]  # fmt: skip
REFERRALS = ["facility_id", "facility_name", "level", "next_level", "next_facility_id", "next_name", "drive_min"]
CARE_STATUSES = ("ok", "people_unknown", "no_position", "outside_data", "staff_unknown", "no_data")


@dataclass(frozen=True, slots=True, eq=False)
class Care:
    """The tables ``care``, ``care_levels``, ``care_reach``, ``referrals`` and ``grids``; what was ``given``."""

    care: pd.DataFrame
    care_levels: pd.DataFrame
    care_reach: pd.DataFrame
    referrals: pd.DataFrame
    grids: pd.DataFrame
    given: GivenGrids | None


@dataclass(frozen=True, slots=True, eq=False)
class LevelCare:
    """The rows of ``care`` (without grids), ``care_levels`` and ``referrals`` of one level."""

    care: pd.DataFrame
    care_levels: pd.DataFrame
    referrals: pd.DataFrame


def measure_care(
    places: pd.DataFrame, facilities: pd.DataFrame, *, grids: gpd.GeoDataFrame | None = None,
    **asked: Unpack[Asked],
) -> Care:  # fmt: skip
    """
    Measure care level by level, see ``layers/catalog/care.toml``.

    A place goes on foot or as it usually rides, to the county's hospitals by car; a way counts by its share of the
    limit of its mode, whose rim belongs to it. Those who live at a settlement beside the moved draw on the same
    doctors and count among its people, where no places of hosts are known.

    Parameters
    ----------
    places, facilities, **asked
        As in ``analysis.access.measure_access``; facilities with ``layers.facilities.HEALTH_NUMBERS``.
    grids
        Polygons of care grids; without them grids are drawn.

    Returns
    -------
    care
        A row a place, level and method: ``nearest_min`` to the nearest institution (NaN: none is reached), what
        the method says (``ratio``), staff and beds per 1,000 people, and how many would be missing by the
        standard. Of these all are NaN unless ``status`` is ``ok``: ``staff_unknown`` is a place that reaches an
        institution which tells no staff, ``no_data`` any place where no source carries the level whole.
    care_levels
        A row a level and method, with what all have and lack together, NaN where one institution does not tell
        it; ``people_unsaid`` live at places of which nothing is said, ``people_beds_unsaid`` at such of which
        nothing is said of beds: neither are among those who lack.
    care_reach
        How many are within the minutes of the target of a level, and of any. With the status ``no_data`` some
        institutions may not be known: the share is then at least so much, and only a target that is met is so.
    referrals
        The next institution of the level above by car, from each of a level below.
    grids
        A row a grid; ``load`` is people per doctor of who leads it.
    """
    catalog = asked["catalog"]
    levels = [measure_level(level, places, facilities, **asked) for level in catalog.care.values()]
    table, grid_id, given = care_grids(places, facilities, grids=grids, **asked)
    return joined_care(levels, table, grid_id, places, catalog, given)


def joined_care(
    levels: Sequence[LevelCare], grids: pd.DataFrame, grid_id: pd.Series, places: pd.DataFrame, catalog: Catalog,
    given: GivenGrids | None = None,
) -> Care:  # fmt: skip
    """Put levels and grids together, see ``measure_care``; ``grid_id`` is of each place by its id."""
    care, sums, referrals = (
        pd.concat([getattr(one, name) for one in levels], ignore_index=True)
        for name in ("care", "care_levels", "referrals")
    )
    care["grid_id"] = care["place_id"].map(grid_id)
    order = {
        "place_id": pd.Series(np.arange(len(places)), places["place_id"]),
        "level": {name: number for number, name in enumerate(catalog.care)},
        "method": {name: number for number, name in enumerate(CARE_METHODS)},
    }
    rows = np.lexsort([care[name].map(order[name]).to_numpy(np.int64) for name in ("method", "level", "place_id")])
    care = care.iloc[rows].reset_index(drop=True)
    return Care(care[CARE], sums[LEVELS], _reach(care, catalog), referrals[REFERRALS], grids, given)


def measure_level(
    level: CareLevel, places: pd.DataFrame, facilities: pd.DataFrame, **asked: Unpack[Asked]
) -> LevelCare:
    """Measure one level of care, see ``measure_care``."""
    catalog = asked["catalog"]
    facilities = counting(facilities, catalog)
    _, standing, ground = prepared(places, facilities, asked)
    one = _Level.of(level, ground, standing, facilities, catalog, asked["sourced"])
    care, sums = one.told(_people_of(places), standing)
    return LevelCare(care, sums, _referrals(level, facilities, catalog, asked))


def care_grids(
    places: pd.DataFrame, facilities: pd.DataFrame, *, grids: gpd.GeoDataFrame | None = None,
    **asked: Unpack[Asked],
) -> tuple[pd.DataFrame, pd.Series, GivenGrids | None]:  # fmt: skip
    """
    Check care grids, or draw them if none are given, see ``measure_care``.

    Returns
    -------
    grids, grid_id, given
        The table; the grid of each place by its id, '' for none; and what the layer says.
    """
    catalog = asked["catalog"]
    facilities = counting(facilities, catalog)
    _, standing, ground = prepared(places, facilities, asked)
    table, grid_id, given = _grids(places, _people_of(places), standing, ground, facilities, grids, catalog)
    return table, pd.Series(grid_id, places["place_id"].to_numpy(object)), given


def _people_of(places: pd.DataFrame) -> Floats:
    """Who draws on care at each place: with those who lived there before, if they are no places of their own."""
    hosts = (places["place_kind"] == "host").any()
    before = np.nan_to_num(places["pop_host"].to_numpy(np.float64)) * (not hosts)
    return np.asarray(places["pop"].to_numpy(np.float64) + before, np.float64)


def _institutions(rows: Ints, facilities: pd.DataFrame, catalog: Catalog) -> tuple[Ints, dict[str, Floats]]:
    """
    One row an institution, though it stands in several categories, and its ``staff``, ``nurses`` and ``beds``.

    Doctors are those that it tells, or else what the project says such a one has; NaN where nothing is told.
    """
    about = facilities.iloc[rows]
    names = {"staff": "doctors", "nurses": "nurses", "beds": "beds"}
    told = pd.DataFrame({own: about[name].where(about[name] >= 0) for own, name in names.items()})
    told["rule"] = about["category"].map(catalog.default_staff).astype("float64")
    have = told.groupby(about["facility_id"].to_numpy(object), sort=False).first()
    have["staff"] = have["staff"].fillna(have["rule"])
    once = ~about["facility_id"].duplicated().to_numpy(bool)
    return rows[once], {own: have[own].to_numpy(np.float64) for own in names}


_PER_1000 = {"staff": "per_1000", "nurses": "nurses_per_1000", "beds": "beds_per_1000"}


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """One level: its institutions, what they have, who reaches them and how near the nearest is."""

    level: CareLevel
    known: bool
    """Whether a source carries some category of it whole."""
    rows: Ints
    have: dict[str, Floats]
    """Its ``staff``, ``nurses`` and ``beds``, each by institution."""
    ways: pd.DataFrame
    """``client`` (a point), ``site`` (of ``rows``) and ``time_min``, which is the share of the limit."""
    nearest: Ints
    nearest_min: Floats
    """Of each point."""
    first: tuple[Ints, Ints]
    """Points and institutions in the order of their ids, which decides where several answers are as good."""

    @classmethod
    def of(
        cls, level: CareLevel, ground: Ground, standing: Standing, facilities: pd.DataFrame, catalog: Catalog,
        sourced: frozenset[str],
    ) -> _Level:  # fmt: skip
        rows, have = _institutions(standing.rows(level.categories), facilities, catalog)
        first = catalog.categories[level.categories[0]]
        own = standing.usual[standing.owner]
        rides = {"drive"} if level.mode == "drive" else set(own) - {"", "walk"}
        n = len(own)
        nearest, best = np.full(n, -1, np.int64), np.full(n, np.inf)
        parts = []
        for mode in ["walk", *sorted(rides)]:
            journeys, _, _ = ground.journeys(first.persona, cast(Mode, mode))
            limit_min = level.ride_min if mode != "walk" or level.walk_min is None else level.walk_min
            mine = np.full(n, mode == "walk" or level.mode == "drive") | (own == mode)
            limit = np.where(mine, limit_min, np.nan)
            pairs = pairs_within(journeys, rows, first.direction, limit)
            parts.append(pairs.assign(share=pairs["ms"] / 60_000.0 / limit_min))
            found = journeys.nearest(rows, rank=standing.rank[rows], direction=first.direction)
            time = np.where(mine, np.nan_to_num(decided_min(found, first.direction), nan=np.inf), np.inf)
            nearest, best = np.where(time < best, found.facility, nearest), np.minimum(time, best)
        ways = pd.concat(parts, ignore_index=True).sort_values(["point", "facility", "share"], kind="stable")
        ways = ways.drop_duplicates(["point", "facility"])
        number = pd.Series(np.arange(len(rows)), index=rows)
        table = pd.DataFrame(
            {"client": ways["point"].to_numpy(np.int64), "site": number.reindex(ways["facility"]).to_numpy(),
             "time_min": np.minimum(ways["share"].to_numpy(np.float64), 1.0)}
        ).astype({"site": "int64"})  # fmt: skip
        return cls(
            level, not sourced.isdisjoint(level.categories), rows, have, table, nearest,
            np.where(np.isfinite(best), best, np.nan),
            (np.argsort(standing.place_id[standing.owner].astype(str), kind="stable"),
             np.argsort(standing.rank[rows])),
        )  # fmt: skip

    def shares(self, people: Floats, supply: Floats, method: str) -> Catchment:
        """What a method makes of a supply; what is not known counts as nothing."""
        amount = np.nan_to_num(supply)
        if method == "raam":
            homes, sites = self.first
            turned = self.ways.assign(
                client=np.argsort(homes)[self.ways["client"]], site=np.argsort(sites)[self.ways["site"]]
            )
            access, ratio = np.full(len(homes), np.nan), np.full(len(sites), np.nan)
            try:
                found, _ = rational_agents(people[homes], amount[sites], turned, limit_min=1.0, tau_min=1.0)
            except NotSettled:  # nothing is said by this method; the others stand
                return Catchment(access, ratio, access)
            access[homes], ratio[sites] = found.access, found.ratio
            return Catchment(access, ratio, access)
        return catchment(people, amount, self.ways, limit_min=1.0, method=method)

    def total(self, supply: Floats) -> float:
        """Add up; what is not known in part is not known."""
        return float(supply.sum()) if self.known else float("nan")

    def told(self, people: Floats, standing: Standing) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rows of ``care`` and ``care_levels``."""
        n, level = len(people), self.level
        owner, share = standing.owner, standing.share
        at_point = np.nan_to_num(people[owner]) * share
        near = _deciding(self.nearest_min, self.nearest, standing)
        site = self.ways["site"].to_numpy(np.int64)
        client = self.ways["client"].to_numpy(np.int64)
        have = self.have
        lacks = {name: np.bincount(owner[client], np.isnan(s)[site], n) > 0 for name, s in have.items()}
        status = _status(people, standing, lacks["staff"], known=self.known)
        reaching = np.bincount(client, minlength=len(owner)) > 0
        seen = np.bincount(site, at_point[client], len(self.rows)) > 0
        chosen = np.where(near[1] >= 0, near[1], len(standing.ids) - 1)
        rows, levels = [], []
        due = {name: np.nan if least is None else float(least) for name, least in
               (("staff", level.staff_per_1000), ("beds", level.beds_per_1000))}  # fmt: skip
        for method in CARE_METHODS:
            found = {name: self.shares(at_point, supply, method) for name, supply in have.items()}
            values = {"ratio": found["staff"].access}
            values |= {column: 1000 * found[name].per_head for name, column in _PER_1000.items()}
            if method == "raam" and np.isnan(have["staff"]).any():
                # who would go to those that tell no doctors crowds the others instead
                values["ratio"] = values["per_1000"] = np.full(len(owner), np.nan)
            table = pd.DataFrame(
                {"place_id": standing.place_id, "level": level.id, "method": method, "people": people,
                 "nearest_min": near[0], "facility_id": standing.ids[chosen],
                 "facility_name": standing.names[chosen],
                 **{name: np.bincount(owner, each * share, n).astype(np.float64) for name, each in values.items()},
                 "status": status}
            )  # fmt: skip
            for name, column in _PER_1000.items():
                table[column] = table[column].where((status == "ok") & ~lacks[name])
            table["ratio"] = table["ratio"].where(status == "ok")
            for name, least in due.items():
                table[f"{name}_short"] = (least - table[_PER_1000[name]]).clip(lower=0.0) / 1000 * table["people"]
            rows.append(table)
            levels.append(
                (level.id, method, float(at_point.sum()), float(at_point[reaching].sum()),
                 *(self.total(of) for supply in have.values() for of in (supply, supply[seen])),
                 *(1000 * _over(self.total(supply), float(at_point.sum())) for supply in have.values()),
                 *due.values(), *(table[f"{name}_short"].sum(min_count=1) for name in due),
                 int(np.isnan(have["staff"]).sum()), float(np.nansum(people[status != "ok"])),
                 int(np.isnan(have["beds"]).sum()),
                 float(np.nansum(people[(status != "ok") | lacks["beds"]])))
            )  # fmt: skip
        return pd.concat(rows, ignore_index=True), pd.DataFrame(levels, columns=LEVELS)


def _over(a: float, b: float) -> float:
    return a / b if b > 0 else float("nan")


def _deciding(time: Floats, which: Ints, standing: Standing) -> tuple[Floats, Ints]:
    """The time of each place: so many of its people are as quick that they are the share that decides."""
    order = np.lexsort((np.arange(len(time)), np.nan_to_num(time, nan=np.inf), standing.owner))
    owner = standing.owner[order]
    total = pd.Series(standing.share[order]).groupby(owner).cumsum().to_numpy(np.float64)
    enough = np.flatnonzero(total >= standing.met_share - 1e-9)
    _, first = np.unique(owner[enough], return_index=True)
    row = order[enough[first]]
    return time[row], which[row]


def _status(people: Floats, standing: Standing, unknown: NDArray[np.bool_], *, known: bool) -> NDArray[np.object_]:
    lost = standing.lost()
    return np.select(
        [lost != "", np.isnan(people), unknown], [lost, "people_unknown", "staff_unknown"],
        default="ok" if known else "no_data",
    ).astype(object)  # fmt: skip


def _reach(care: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """Who is near to each level, and to whichever is nearest."""
    rules = catalog.care_rules
    own = care[care["method"] == DEFAULT]
    whole = set(catalog.care) - set(own.loc[own["status"] == "no_data", "level"])
    least = own.groupby("place_id", sort=False).agg(people=("people", "first"), nearest_min=("nearest_min", "min"),
                                         status=("status", "first"))  # fmt: skip
    rows = []
    for name, table in [*((level, own[own["level"] == level]) for level in catalog.care), ("any", least)]:
        known = ~table["status"].isin(["no_position", "outside_data", "people_unknown"])
        people, near = table["people"].where(known), table["nearest_min"] <= rules.within_min
        within, counted = float(people[near].sum()), float(people.sum())
        share = _over(within, counted)
        target = rules.people_share if name == "any" else np.nan
        status = "ok" if name in whole or (name == "any" and whole == set(catalog.care)) else "no_data"
        reached = share >= target
        met = reached if name == "any" and counted > 0 and (reached or status == "ok") else None
        people_n = float(table["people"].sum())
        rows.append((name, people_n, counted, within, rules.within_min, share, target, met, status))
    return pd.DataFrame(rows, columns=REACH).astype({"met": "boolean"})


@dataclass(frozen=True, slots=True, eq=False)
class _Partition:
    """Grids by row: ``of`` each place (-1: none), how many each place lies in, and who leads each (-1: nobody)."""

    of: Ints
    several: Ints
    ids: list[str]
    names: list[str]
    leads: list[int]
    """Rows of facilities."""
    source: str


def _grids(
    places: pd.DataFrame, people: Floats, standing: Standing, ground: Ground, facilities: pd.DataFrame,
    grids: gpd.GeoDataFrame | None, catalog: Catalog,
) -> tuple[pd.DataFrame, NDArray[np.object_], GivenGrids | None]:  # fmt: skip
    rows, have = _institutions(
        standing.rows(catalog.care[catalog.care_rules.lead].categories), facilities, catalog
    )
    doctors = have["staff"]
    time = _by_car(ground, standing, rows, catalog)
    read = None
    if grids is not None and len(grids):
        caring = [name for level in catalog.care.values() for name in level.categories]
        cares = facilities[facilities["category"].isin(caring)].drop_duplicates("facility_id")
        read = read_grids(grids, places, cares)
        parted = _given(grids, read, cares)
    else:
        parted = _drawn(places, people, rows, doctors, time, standing, facilities, catalog)
    number_of = {name: number for number, name in enumerate(facilities["facility_id"].iloc[rows])}
    table = []
    for grid, (name, title, row) in enumerate(zip(parted.ids, parted.names, parted.leads, strict=True)):
        mine = np.flatnonzero(parted.of == grid)
        if parted.source == "drawn" and not len(mine):
            continue
        about = ["" if row < 0 else str(facilities[name][row]) for name in ("facility_id", "facility_name")]
        heads, number = float(np.nansum(people[mine])), number_of.get(about[0], -1)
        staff = float(doctors[number]) if number >= 0 else np.nan
        minutes = time[mine, number] if number >= 0 else np.full(len(mine), np.nan)
        longest = float(np.max(minutes)) if len(mine) and np.isfinite(minutes).all() else np.nan
        several = int((parted.several[mine] > 1).sum())
        table.append((name, title, parted.source, *about, len(mine), heads, _over(heads, staff), longest, several))
    grid_id = np.asarray(np.array([*parted.ids, ""], object)[parted.of], np.object_)
    return pd.DataFrame(table, columns=GRIDS), grid_id, read


def _given(grids: gpd.GeoDataFrame, read: GivenGrids, cares: pd.DataFrame) -> _Partition:
    blank = pd.Series("", index=grids.index)
    ids = [str(text) or f"G{n:02d}" for n, text in enumerate(grids.get("id", blank), start=1)]
    leads = [int(cares.index[number]) if number >= 0 else -1 for number in read.lead]
    return _Partition(
        read.grid, read.several, ids, [str(text) for text in grids.get("name", blank)], leads, "given"
    )


def _drawn(
    places: pd.DataFrame, people: Floats, rows: Ints, staff: Floats, time: Floats, standing: Standing,
    facilities: pd.DataFrame, catalog: Catalog,
) -> _Partition:  # fmt: skip
    about = facilities.iloc[rows]
    at = [frame[["lon", "lat"]].to_numpy(np.float64) for frame in (places, about)]
    xy, lead_xy = (np.column_stack(systems.project(one[:, 0], one[:, 1], standing.plane)) for one in at)
    weight = staff if (staff > 0).all() else np.ones(len(about))
    # the order of rows decides nothing
    order = np.argsort(places["place_id"].to_numpy(str), kind="stable")
    first = np.argsort(about["facility_id"].to_numpy(str), kind="stable")
    drawn = draw_grids(
        xy[order], people[order], time[order][:, first], weight[first], lead_xy=lead_xy[first],
        limit_min=catalog.care_rules.limit_min,
    )  # fmt: skip
    of = np.empty(len(places), np.int64)
    of[order] = np.where(drawn >= 0, np.append(first, -1)[drawn], -1)
    ids, names = ([str(text) for text in about[name]] for name in ("facility_id", "facility_name"))
    return _Partition(of, np.zeros(len(of), np.int64), ids, names, [int(row) for row in rows], "drawn")


def _by_car(ground: Ground, standing: Standing, rows: Ints, catalog: Catalog) -> Floats:
    """Minutes of each place, of its furthest point, to each institution; NaN far beyond the limit."""
    persona = catalog.categories[catalog.care[catalog.care_rules.lead].categories[0]].persona
    modes: tuple[Mode, ...] = ("walk", "drive")
    least = np.full((len(standing.owner), len(rows)), np.nan)
    number = pd.Series(np.arange(len(rows)), index=rows)
    for mode in modes:
        journeys, _, _ = ground.journeys(persona, mode)
        pairs = journeys.within(rows, limit_min=4 * catalog.care_rules.limit_min)
        at = pairs["home"].to_numpy(np.int64), number.reindex(pairs["facility"]).to_numpy(np.int64)
        least[at] = np.fmin(least[at], pairs["time_min"].to_numpy(np.float64))
    worst = np.full((len(standing.people), len(rows)), -np.inf)
    np.maximum.at(worst, standing.owner, np.nan_to_num(least, nan=np.inf))
    return np.where(np.isfinite(worst), worst, np.nan)


def _referrals(low: CareLevel, facilities: pd.DataFrame, catalog: Catalog, asked: Asked) -> pd.DataFrame:
    """Whom the institutions of a level send on to, by car, on the streets; nobody is above the last."""
    levels = list(catalog.care.values())
    above = levels[levels.index(low) + 1 :]
    own = facilities[facilities["category"].isin(low.categories) & facilities["lon"].notna()]
    own = own.drop_duplicates("facility_id")
    if not above or not len(own):
        return pd.DataFrame(columns=REFERRALS)
    high = above[0]
    stands = own[["lon", "lat"]].assign(
        place_id=own["facility_id"], pop=1.0, pop_host=0.0, profile="rural", usual_mode="drive"
    )
    points = stands[["place_id", "lon", "lat"]].assign(point_id=stands["place_id"], share=1.0)
    standing = Standing.of(stands, points, facilities, asked["streets"], catalog, 1.0)
    ground = Ground(asked["streets"], catalog, standing, asked.get("grades"), closed=asked.get("closed"))
    ground.journeys("adult", "walk")
    journeys, _, _ = ground.journeys("adult", "drive")
    rows = standing.rows(high.categories)
    found = journeys.nearest(rows, rank=standing.rank[rows], direction="to_facility")
    chosen = np.where(found.facility >= 0, found.facility, len(standing.ids) - 1)
    about = {name: own[name].to_numpy(object) for name in ("facility_id", "facility_name")}
    return pd.DataFrame(
        {**about, "level": low.id, "next_level": high.id, "next_facility_id": standing.ids[chosen],
         "next_name": standing.names[chosen], "drive_min": found.to_min}
    )  # fmt: skip
