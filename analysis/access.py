"""Who reaches what, in how many minutes, and what stands in the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import KDTree

from geo import crs as systems
from geo.connectors import OpenGround, Pairs, Ways, cross_open_ground, first_min, snaps_of
from geo.grades import Grades
from geo.hillside import Hillside
from geo.network import Streets, Usage, use_streets
from geo.profile import Mode, TravelProfile, fastest_kmh
from geo.reach import Crossing, Journeys, Reached, Rides, decided_min
from geo.snap import Snapper, Snaps, keep_together, nearest_of
from layers.catalog import PROFILES, Catalog, Category, Standard
from layers.doors import door_table
from layers.facilities import ranks
from layers.places import points_of

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
REQUIREMENTS = ("exist", "reach", "unknown")
"""Must a place have one of its own, is only the way to one judged, or are its people not known."""

UNJUDGED = ("no_standard", "no_data", "outside_data")
"""Statuses that are neither met nor missed."""

STATUSES = (
    "served", "beyond_limit", "no_standard", "no_facility", "no_data",
    "unreachable", "off_network", "outside_data",
)  # fmt: skip


CIRCLE_PERSONAS = ("adult", "elderly")
"""Who is asked about the lists, if nobody else is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """The tables ``access`` and ``snaps``."""

    access: pd.DataFrame
    snaps: pd.DataFrame


def measure_access(
    places: pd.DataFrame,
    facilities: pd.DataFrame,
    *,
    streets: Streets,
    catalog: Catalog,
    sourced: frozenset[str],
    points: pd.DataFrame | None = None,
    circle_personas: Sequence[str] = CIRCLE_PERSONAS,
    met_share: float | None = None,
    grades: Grades | None = None,
    open_ground: OpenGround | None = None,
    closed: Shapes | None = None,
    categories: Collection[str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Access:
    """
    Measure every place against every category one travels to.

    The limit belongs to the circle: a time of exactly the threshold is served. A time is compared in whole
    milliseconds. For each category there is a row for its own persona in its deciding mode; rows for the
    personas of the circle on foot, if it is on a list; and a row by car where it has a threshold for that.

    A facility of several doors is come to by whichever is quickest, there and back each by its own; ``straight_m``
    is to the nearest.

    A place of several points answers with the point up to which ``met_share`` of its people are as quick or
    quicker: its time, status and facility stand in the row, so that ``met`` means that at least that share is
    served; ``people_met`` counts the people of every point that is.

    Where the profile lets other categories stand in (``substitutes``), the nearest of all counts, and
    ``served_by`` names the category it is of. What the category itself has no source for is then known only
    where a stand-in serves.

    Parameters
    ----------
    places
        ``layers.places.COLUMNS``; ``place_id`` unique.
    facilities
        ``layers.facilities.COLUMNS``; what does not operate is no facility. Without ``doors`` each has one.
    streets
        Everything of the network that was read; its box is the extent of the data.
    catalog
        Categories, standards and personas, with the project's own values.
    sourced
        Categories that some source carries whole. One that is not among them is known only where it serves; so is
        one whose every row lacks a position: the rows prove that there is something, and not where.
    points
        Where the people of each place live, see ``layers.places.points_of``, which is the default.
    circle_personas
        Who is asked about the categories of the lists, on foot.
    met_share
        The share of a place's people that makes it served; the catalogue's by default.
    grades
        Heights along the streets, see ``geo.grades``; without them the ground is level.
    open_ground
        What the points and facilities reach off the streets, see ``cross``; without it straight legs.
    closed
        Shapes in degrees that straight legs do not cross: waters, coasts, motorways.
    categories
        What is asked of; all that one travels to by default.
    progress
        Called with a category's id before it is searched.

    Returns
    -------
    tables
        ``access`` in the order of places, then catalogue; ``snaps`` of places and facilities by persona and mode.
    """
    facilities = counting(facilities, catalog)
    points = points_of(places) if points is None else points
    standing = Standing.of(places, points, facilities, streets, catalog, met_share or catalog.met_share)
    parts: list[dict[str, NDArray[Any]]] = []
    snaps: list[pd.DataFrame] = []
    ground = Ground(streets, catalog, standing, grades, open_ground, closed)
    for (persona, mode), every in _questions(catalog, circle_personas, standing).items():
        journeys, homes, ends = ground.journeys(persona, mode)
        snaps += [
            _snap_rows(points["point_id"], "place", ground.profile, homes, ground.crossing.homes, streets),
            _snap_rows(
                facilities["facility_id"], "facility", ground.profile, ends, ground.crossing.facilities, streets
            ),
        ]
        for category in every:
            if categories is not None and category.id not in categories:
                continue
            progress(category.id)
            asked = _Question(
                category, ground.profile, journeys, ground.walking, homes, ends.found, standing, catalog, sourced
            )
            parts.append(_ask(asked))
    snap_table = pd.concat(snaps, ignore_index=True).drop_duplicates(["point_id", "kind", "persona", "mode"])
    snap_table = snap_table.reset_index(drop=True)
    if not parts:  # nothing was asked
        return Access(pd.DataFrame(columns=["category"]), snap_table)
    access = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    access = access.sort_values(
        ["place_row", "category_row", "mode", "persona"], kind="stable", ascending=[True, True, False, True]
    )
    access = access.drop(columns=["place_row", "category_row"]).reset_index(drop=True)
    access = access.astype({"met": "boolean", "straight_met": "boolean"})
    return Access(access, snap_table)


def with_measured(access: pd.DataFrame, new: pd.DataFrame, places: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """
    Put what was measured of some categories in the place of what ``access`` says of them.

    Parameters
    ----------
    access, new
        Tables ``access`` of the same places; ``new`` of some categories.
    places, catalog
        The order of rows.
    """
    if not len(new):
        return access
    kept = access[~access["category"].isin(set(new["category"]))]
    whole = pd.concat([kept, new], ignore_index=True)
    ranks_of = {
        "place_id": list(places["place_id"]), "category": list(catalog.categories),
        "mode": sorted(set(whole["mode"]), reverse=True), "persona": sorted(set(whole["persona"])),
    }  # fmt: skip
    ranks_in = [pd.Index(values).get_indexer(whole[name]) for name, values in reversed(ranks_of.items())]
    return whole.iloc[np.lexsort(ranks_in)].reset_index(drop=True)


class Asked(TypedDict, total=False):
    """What ``measure_access`` asks for beside places and facilities, for those who ask again."""

    streets: Required[Streets]
    catalog: Required[Catalog]
    sourced: Required[frozenset[str]]
    points: pd.DataFrame | None
    circle_personas: Sequence[str]
    met_share: float | None
    grades: Grades | None
    open_ground: OpenGround | None
    closed: Shapes | None


def prepared(
    places: pd.DataFrame, facilities: pd.DataFrame, asked: Asked
) -> tuple[pd.DataFrame, Standing, Ground]:
    """The points of places, and what is asked about and travelled over; facilities are those that count."""
    catalog, streets, given = asked["catalog"], asked["streets"], asked.get("points")
    points = points_of(places) if given is None else given
    standing = Standing.of(
        places, points, facilities, streets, catalog, asked.get("met_share") or catalog.met_share
    )
    ground = Ground(streets, catalog, standing, asked.get("grades"), asked.get("open_ground"), asked.get("closed"))
    return points, standing, ground


def counting(facilities: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    """What operates and is of a category that is known."""
    kept = facilities["category"].isin(catalog.categories) & facilities["operating"]
    return facilities[kept].reset_index(drop=True)


def cross(
    points: pd.DataFrame, facilities: pd.DataFrame, *, streets: Streets, catalog: Catalog, grades: Grades,
    hillside: Hillside,
) -> OpenGround:  # fmt: skip
    """
    Find the ways of points and facilities over open ground, for ``measure_access`` on the same rows.

    Parameters
    ----------
    points, facilities, streets, catalog, grades
        As in ``measure_access``.
    hillside
        The ground, see ``geo.hillside``.
    """
    facilities = counting(facilities, catalog)
    doors = door_table(facilities)
    walkers = [catalog.travel_profile(name, "walk", level=False) for name in catalog.personas]
    profile = max(walkers, key=lambda walker: walker.off_street_limit_m)
    car = catalog.travel_profile(profile.persona, "drive", level=False)
    west, _, east, _ = streets.data_box
    homes_at, facilities_at = (
        (frame["lon"].to_numpy(np.float64), frame["lat"].to_numpy(np.float64)) for frame in (points, doors)
    )
    found = cross_open_ground(
        streets, use_streets(streets, profile, grades), hillside, profile=profile,
        car=use_streets(streets, car, grades), plane=systems.zone((west + east) / 2), homes_at=homes_at,
        facilities_at=facilities_at, least_m=min(walker.off_street_limit_m for walker in walkers),
    )  # fmt: skip
    return found.of_owners(doors["facility"].to_numpy(np.int64))


def _questions(
    catalog: Catalog, personas: Sequence[str], standing: Standing
) -> dict[tuple[str, Mode], list[Category]]:
    found: dict[tuple[str, Mode], list[Category]] = {}
    for category in catalog.in_access():
        limits = [catalog.standard(category.id, p) for p in PROFILES]
        drives = "drive" in category.deciding_mode.values() or any(s.drive_min is not None for s in limits)
        asked: set[tuple[str, Mode]] = {(category.persona, "walk")}
        asked |= {(category.persona, cast(Mode, mode)) for mode in standing.modes(category, catalog)}
        asked |= {(category.persona, "drive")} if drives else set()
        asked |= {(persona, "walk") for persona in personas} if category.lists else set()
        for question in sorted(asked):
            found.setdefault(question, []).append(category)
    # by persona, and each on foot before anything that it walks to
    return {question: found[question] for question in sorted(found, key=lambda q: (q[0], q[1] != "walk", q[1]))}


def deciding_mode(category: Category, profile: str, usual: str, standard: Standard) -> str:
    """
    Say in which mode a place is judged: the rule of its profile, which may be its own usual one.

    A usual mode that rides decides only where the standard has a limit for it; a limit for walking is never
    ridden. '' is a usual mode that is not known: walking.

    Examples
    --------
    >>> from layers import catalog
    >>> own = catalog.load()
    >>> clinic, limit = own.categories["village_clinic"], own.standard("village_clinic", "rural")
    >>> [deciding_mode(clinic, "rural", usual, limit) for usual in ("", "walk", "ebike", "bus")]
    ['walk', 'walk', 'ebike', 'bus']
    >>> deciding_mode(clinic, "urban", "bus", limit)
    'walk'
    """
    rule = category.deciding_mode[profile]
    if rule != "usual_mode":
        return rule
    return usual if usual not in ("", "walk") and standard.drive_min is not None else "walk"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What does not change from question to question. Rows are places, points, facilities or doors, as said."""

    place_id: NDArray[np.object_]
    people: Floats
    """Of each place; ``host`` beside it counts for existence only."""
    needing: Floats
    profile: NDArray[np.int64]
    """Of each place, its place in ``PROFILES``."""
    usual: NDArray[np.object_]
    owner: NDArray[np.int64]
    """Of each point, the row of its place; points of a place stand together, in the order of places."""
    share: Floats
    met_share: float
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    categories: NDArray[np.object_]
    """Of each facility, and at the end '' for none."""
    runs: Floats
    rank: NDArray[np.int64]
    rows_of: Mapping[str, NDArray[np.int64]]
    """The facilities of a category that have a position."""
    listed: frozenset[str]
    """Categories with a facility, placed or not."""
    order: Mapping[str, int]
    plane: CRS
    points_at: tuple[Floats, Floats]
    doors_at: tuple[Floats, Floats]
    door_of: NDArray[np.int64]
    """Of each door, the row of its facility."""
    outside: NDArray[np.bool_]
    """Of each point."""
    to_cut_m: Floats

    @classmethod
    def of(
        cls, places: pd.DataFrame, points: pd.DataFrame, facilities: pd.DataFrame, streets: Streets,
        catalog: Catalog, met_share: float,
    ) -> Standing:  # fmt: skip
        """Lay out what is asked about; ``points`` hold every place, in the order of places."""
        row = pd.Series(range(len(places)), index=places["place_id"])
        owner = np.asarray(row.reindex(points["place_id"]), np.int64)
        if (np.diff(owner) < 0).any() or len(np.unique(owner)) < len(places):
            raise ValueError("points must hold every place, in the order of places")
        lon, lat = points["lon"].to_numpy(np.float64), points["lat"].to_numpy(np.float64)
        west, south, east, north = streets.data_box
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        edges = [
            systems.geodesic_m(lon, lat, np.full(len(lon), west), lat),
            systems.geodesic_m(lon, lat, np.full(len(lon), east), lat),
            systems.geodesic_m(lon, lat, lon, np.full(len(lon), south)),
            systems.geodesic_m(lon, lat, lon, np.full(len(lon), north)),
        ]
        located = np.flatnonzero(facilities["lon"].notna().to_numpy(bool))
        doors = door_table(facilities)
        category = facilities["category"].to_numpy(object)
        people = places["pop"].to_numpy(np.float64)
        return cls(
            place_id=places["place_id"].to_numpy(object),
            people=people,
            needing=people + places["pop_host"].fillna(0.0).to_numpy(np.float64),
            profile=np.array([PROFILES.index(name) for name in places["profile"]], np.int64),
            usual=places["usual_mode"].to_numpy(object),
            owner=owner,
            share=points["share"].to_numpy(np.float64),
            met_share=met_share,
            ids=np.append(facilities["facility_id"].to_numpy(object), ""),
            names=np.append(facilities["facility_name"].to_numpy(object), ""),
            categories=np.append(category, ""),
            runs=facilities["runs_a_day"].to_numpy(np.float64),
            rank=ranks(facilities),
            rows_of={name: located[category[located] == name] for name in set(category[located])},
            listed=frozenset(category),
            order={name: number for number, name in enumerate(catalog.categories)},
            plane=systems.zone((west + east) / 2),
            points_at=(lon, lat),
            doors_at=(doors["lon"].to_numpy(np.float64), doors["lat"].to_numpy(np.float64)),
            door_of=doors["facility"].to_numpy(np.int64),
            outside=~inside,
            to_cut_m=np.minimum.reduce(edges) if streets.cut else np.full(len(lon), np.inf),
        )

    def lost(self) -> NDArray[np.object_]:
        """Why nothing can be said of each place: ``no_position``, ``outside_data``, or '' where something can."""
        n = len(self.people)
        placed = np.isfinite(self.points_at[0])
        some, inside = (np.bincount(self.owner, which, n) > 0 for which in (placed, placed & ~self.outside))
        return np.where(~some, "no_position", np.where(~inside, "outside_data", "")).astype(object)

    def deciding(self, category: Category, catalog: Catalog) -> NDArray[np.object_]:
        """The mode in which each place is judged."""
        known: dict[tuple[int, str], str] = {}
        for profile, usual in {*zip(self.profile.tolist(), self.usual.tolist(), strict=True)}:
            name = PROFILES[profile]
            standard = catalog.standard(category.id, name)
            known[profile, usual] = deciding_mode(category, name, usual, standard)
        pairs = zip(self.profile.tolist(), self.usual.tolist(), strict=True)
        return np.array([known[pair] for pair in pairs], object)

    def modes(self, category: Category, catalog: Catalog) -> set[str]:
        """The modes in which some place is judged."""
        return set(self.deciding(category, catalog))

    def rows(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The placed facilities of some categories, in file order."""
        none = np.zeros(0, np.int64)
        return np.sort(np.concatenate([none, *(self.rows_of.get(name, none) for name in names)]))


class Ground:
    """Who travels where: graph, joins and journeys of one persona and mode after the other."""

    def __init__(
        self, streets: Streets, catalog: Catalog, standing: Standing, grades: Grades | None,
        open_ground: OpenGround | None = None, closed: Shapes | None = None,
    ) -> None:  # fmt: skip
        self._closed: Shapes = np.zeros(0, object) if closed is None else closed
        self._streets, self._catalog, self._standing, self._grades = streets, catalog, standing, grades
        self._open = open_ground
        self.profile = catalog.travel_profile("adult", "walk", level=grades is None)
        self._usage: Usage
        self._on_foot: Usage
        self._walked: tuple[Snaps, Snaps, Crossing]
        self._walked_doors: Snaps
        self.walking: Journeys
        self.crossing: Crossing

    def journeys(self, persona: str, mode: Mode) -> tuple[Journeys, Snaps, Snaps]:
        """Prepare the journeys of a persona in a mode; the same persona on foot comes first."""
        self.profile = self._catalog.travel_profile(persona, mode, level=self._grades is None)
        if mode == "bus":  # on foot to the stop and from it
            homes, ends, self.crossing = self._walked
            return self._journeys(self._on_foot, self._rides()), homes, ends
        usage = self._usage = use_streets(self._streets, self.profile, self._grades)
        homes, ends, self.crossing = self._met_by(usage)
        journeys = self._journeys(usage)
        if mode == "walk":
            self._on_foot, self._walked, self.walking = usage, (homes, ends, self.crossing), journeys
        return journeys, homes, ends

    def _met_by(self, usage: Usage) -> tuple[Snaps, Snaps, Crossing]:
        """Where points and facilities meet the streets, and how."""
        standing, drives = self._standing, self.profile.mode == "drive"
        facilities_n = len(standing.rank)
        if self._open is not None:
            cars = (self._open.car_homes, self._open.car_facilities)
            both = cars if drives else (self._open.homes, self._open.facilities)
            limit_m = self.profile.off_street_limit_m
            ways = (both[0].within(limit_m), both[1].within(limit_m))
            placed = np.zeros(facilities_n, bool)
            placed[standing.door_of] = np.isfinite(standing.doors_at[0])
            homes = snaps_of(ways[0], np.isfinite(standing.points_at[0]), self._streets, usage)
            ends = snaps_of(ways[1], placed, self._streets, usage)
            pairs = Pairs.none() if drives else self._open.pairs
            return homes, ends, Crossing(len(homes.edge), len(ends.edge), ways[0], ways[1], pairs)
        snapper = Snapper(self._streets, usage, profile=self.profile, plane=standing.plane, closed=self._closed)
        homes, doors = snapper.snap(*standing.points_at), snapper.snap(*standing.doors_at)
        if drives:
            homes = keep_together(homes, self._walked[0], on_foot=self._on_foot)
            doors = keep_together(doors, self._walked_doors, on_foot=self._on_foot)
        elif self.profile.mode == "walk":
            self._walked_doors = doors
        at = (standing.points_at, standing.doors_at)
        crossing = Crossing.straight(homes, doors, *at, self.profile, snapper.barred)
        ends = nearest_of(doors, standing.door_of, facilities_n)
        return homes, ends, crossing.of_owners(standing.door_of, facilities_n)

    def _rides(self) -> Rides:
        mode, standing = self._catalog.modes["bus"], self._standing
        stops = standing.rows(["bus_stop", "coach_station"])
        stops = stops[standing.runs[stops] >= mode.min_runs_a_day]
        usage = use_streets(self._streets, self.profile, self._grades)
        door = np.flatnonzero(np.isin(standing.door_of, stops))
        snapper = Snapper(self._streets, usage, profile=self.profile, plane=standing.plane)
        on_road = snapper.snap(standing.doors_at[0][door], standing.doors_at[1][door])
        on_road = nearest_of(on_road, np.searchsorted(stops, standing.door_of[door]), len(stops))
        headway_min = mode.service_day_min / standing.runs[stops]
        wait_ms = np.rint(headway_min / 2 * 60_000.0).astype(np.int64)
        ends = self._walked[1]
        on_foot = Snaps(*(getattr(ends, name)[stops] for name in Snaps.__dataclass_fields__))
        return Rides(usage, stops, keep_together(on_road, on_foot, on_foot=self._on_foot), wait_ms)

    def turned(self) -> Journeys:
        """The last journeys but buses on streets and open ground turned round, so that there is back."""
        turned = self.crossing.turned()
        return Journeys(self._streets, self._usage.turned(), profile=self.profile, crossing=turned)

    def _journeys(self, usage: Usage, rides: Rides | None = None) -> Journeys:
        return Journeys(self._streets, usage, profile=self.profile, crossing=self.crossing, rides=rides)


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """One category asked of all points by one persona in one mode."""

    category: Category
    profile: TravelProfile
    journeys: Journeys
    walking: Journeys
    """The same persona on foot."""
    homes: Snaps
    on_street: NDArray[np.bool_]
    standing: Standing
    catalog: Catalog
    sourced: frozenset[str]

    def standards(self) -> list[Standard]:
        """The standard of each profile."""
        return [self.catalog.standard(self.category.id, name) for name in PROFILES]

    def limits(self, mode: str) -> Floats:
        """The threshold of each point's profile in a mode, NaN for none."""
        limits = [standard.limit_min(mode) for standard in self.standards()]
        of_profile = np.array([np.nan if limit is None else limit for limit in limits])
        return of_profile[self.standing.profile[self.standing.owner]]

    def known(self, name: str) -> bool:
        """Say whether a source tells where the facilities of a category are."""
        standing = self.standing
        return name in self.sourced and (name in standing.rows_of or name not in standing.listed)


def _ask(question: _Question) -> dict[str, NDArray[Any]]:
    """One question for all places: the columns of ``access`` as arrays; verdicts as 1, 0 and NaN."""
    category, profile, standing = question.category, question.profile, question.standing
    n = len(standing.people)
    standards = question.standards()
    radius = np.array([np.nan if s.radius_m is None else s.radius_m for s in standards])[standing.profile]
    decides = standing.deciding(category, question.catalog) == profile.mode
    decides &= profile.persona == category.persona

    at_point = _AtPoints.of(question)
    row = at_point.deciding(standing)
    threshold = at_point.threshold[row]
    straight = at_point.straight_m[row]
    time, status = at_point.time[row], at_point.status[row]
    judged = ~np.isin(status, UNJUDGED) & ~np.isnan(threshold)
    met = np.where(judged, (status == "served").astype(np.float64), np.nan)
    served = np.bincount(standing.owner, standing.share * (at_point.status == "served"), n)
    straight_met = np.where(np.isnan(straight) | np.isnan(radius), np.nan, (straight <= radius).astype(np.float64))
    # the last entry stands for none
    chosen = np.where(at_point.chosen[row] >= 0, at_point.chosen[row], len(standing.ids) - 1)
    columns = {
        "place_id": standing.place_id,
        "category": _repeated(category.id, n),
        "persona": _repeated(profile.persona, n),
        "mode": _repeated(profile.mode, n),
        "deciding": decides,
        "mode_assumed": _mode_assumed(category, standing),
        "rode": at_point.rode[row],
        "requirement": _requirement(category, standing),
        "facility_id": standing.ids[chosen],
        "facility_name": standing.names[chosen],
        "served_by": standing.categories[chosen],
        "time_to_min": at_point.to_min[row],
        "time_back_min": at_point.back_min[row],
        "time_min": time,
        "distance_m": at_point.distance_m[row],
        "straight_m": straight,
        "threshold_min": threshold,
        "radius_m": radius,
        "status": status,
        "met": met,
        "straight_met": straight_met,
        "people": standing.people,
        "people_met": np.where(np.isnan(met), np.nan, standing.people * np.minimum(served, 1.0)),
        "edge_affected": _edge_affected(time, threshold, profile, standing, row)
        & ~np.isin(status, ("no_data", "outside_data")),
        "walk_function": _repeated(_named(profile, question.catalog), n),
        "certainty": np.array([s.certainty for s in standards], object)[standing.profile],
        "place_row": np.arange(n),
        "category_row": np.full(n, standing.order[category.id]),
    }
    if profile.mode == "walk":
        return columns
    # a row by car says something only where there is a threshold, or it decides; one by bus only where it does
    kept = decides | (~np.isnan(threshold) & (profile.mode == "drive"))
    return {name: values[kept] for name, values in columns.items()}


def _named(profile: TravelProfile, catalog: Catalog) -> str:
    """Name the walking function of a row, with ``_raw`` where it walks at its own speed."""
    return f"{catalog.walk_function}_raw" if catalog.raw_speed else profile.walk_function


def _mode_assumed(category: Category, standing: Standing) -> NDArray[np.bool_]:
    """Mark the places whose usual mode would decide and is not known."""
    asked = np.array([category.deciding_mode[name] == "usual_mode" for name in PROFILES])[standing.profile]
    return np.asarray(asked & (standing.usual == ""), np.bool_)


def _requirement(category: Category, standing: Standing) -> NDArray[np.object_]:
    """
    Say what is asked of a place: to have one of its own, or a way to one.

    The number of people from which one must exist belongs to those who must have it.
    """
    of_profile = np.array([category.min_population.get(name, np.inf) for name in PROFILES], np.float64)
    least = of_profile[standing.profile]
    # where there is no standard, nothing says what having one would mean
    least = np.where(
        np.array([name in category.no_standard for name in PROFILES])[standing.profile], np.inf, least
    )
    found = np.where(standing.needing >= least, "exist", "reach").astype(object)
    found[np.isnan(standing.needing) & np.isfinite(least)] = "unknown"
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _AtPoints:
    """
    What a question found, one row a point.

    Who rides only where that is quicker than walking all the way has ridden (``rode``); else it was a walk, and
    the limit for walking holds: an hour on foot is no hour by bus.
    """

    chosen: NDArray[np.int64]
    to_min: Floats
    back_min: Floats
    time: Floats
    distance_m: Floats
    straight_m: Floats
    status: NDArray[np.object_]
    threshold: Floats
    rode: NDArray[np.bool_]

    @classmethod
    def of(cls, question: _Question) -> _AtPoints:
        """Search once for each set of categories that may serve, which differs by profile."""
        standing, category = question.standing, question.category
        profile_of = standing.profile[standing.owner]
        n = len(profile_of)
        sets: dict[tuple[str, ...], list[int]] = {}
        for number in np.unique(profile_of).tolist():
            others = category.substitutes.get(PROFILES[number], ())
            sets.setdefault((category.id, *others), []).append(number)
        chosen = np.full(n, -1, np.int64)
        to, back, metres, straight = (np.full(n, np.nan) for _ in range(4))
        status, threshold = np.full(n, "", object), question.limits(question.profile.mode)
        rode = np.full(n, question.profile.mode != "walk")
        for names, profiles in sets.items():
            mine = np.isin(profile_of, profiles)
            usable = standing.rows(names)
            rank, direction = standing.rank[usable], category.direction
            reached = question.journeys.nearest(usable, rank=rank, direction=direction)
            if question.profile.mode in ("ebike", "bus"):
                on_foot = question.walking.nearest(usable, rank=rank, direction=direction)
                walk_min = decided_min(on_foot, direction)
                walked = ~np.isnan(walk_min) & ~(decided_min(reached, direction) < walk_min)
                # an e-bike joins the streets that it may be ridden on; from elsewhere walking may be quicker
                reached = _either(walked, on_foot, reached)
                rode[mine] = ~walked[mine]
                threshold = np.where(mine & walked, question.limits("walk"), threshold)
            status[mine] = _status(question, names, usable, reached, threshold)[mine]
            chosen[mine] = reached.facility[mine]
            straight[mine] = _straight_m(standing, usable)[mine]
            for values, found in (
                (to, reached.to_min), (back, reached.back_min), (metres, reached.distance_m),
            ):  # fmt: skip
                values[mine] = found[mine]
        # beyond the data nothing is said, though a street may pass near by; nor where only a stand-in is known
        # and does not serve
        blank = np.isin(status, ("outside_data", "no_data"))
        chosen[blank] = -1
        for values in (to, back, metres):
            values[blank] = np.nan
        straight[status == "no_data"] = np.nan
        time = decided_min(Reached(chosen, to, back, metres), category.direction)
        return cls(chosen, to, back, time, metres, straight, status, threshold, rode)

    def deciding(self, standing: Standing) -> NDArray[np.int64]:
        """The row of each place's deciding point: so many of its people are as quick that they are the share."""
        if len(standing.owner) == len(standing.people):
            return np.arange(len(standing.people))
        served = self.status == "served"
        order = np.lexsort((np.arange(len(served)), np.nan_to_num(self.time, nan=np.inf), ~served, standing.owner))
        owner = standing.owner[order]
        total = np.cumsum(standing.share[order])
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        within = total - np.repeat(np.append(0.0, total)[first], np.diff(np.append(first, len(owner))))
        # the last point decides where rounding keeps the sum below the share
        reached = np.flatnonzero(within >= standing.met_share - 1e-9)
        _, which = np.unique(owner[reached], return_index=True)
        return np.asarray(order[reached[which]], np.int64)


def _either(which: NDArray[np.bool_], one: Reached, other: Reached) -> Reached:
    fields = (f.name for f in dataclasses.fields(Reached))
    return Reached(*(np.where(which, getattr(one, name), getattr(other, name)) for name in fields))


def _repeated(text: str, n: int) -> NDArray[np.object_]:
    return np.full(n, text, object)


def _status(
    question: _Question, names: Sequence[str], usable: NDArray[np.int64], reached: Reached, threshold: Floats
) -> NDArray[np.object_]:
    time = decided_min(reached, question.category.direction)
    # twice the milliseconds, because the mean of two ways may end on half of one
    took, limit = np.nan_to_num(time, nan=np.inf), np.nan_to_num(threshold, nan=-1.0)
    within = np.rint(took * 120_000) <= np.rint(limit * 120_000)
    status = np.where(np.isnan(threshold), "no_standard", np.where(within, "served", "beyond_limit"))
    status = status.astype(object)
    status[np.isnan(time)] = "unreachable"
    status[np.isnan(time) & (question.homes.status == "off_network")] = "off_network"
    if not question.on_street[usable].any():
        status[np.isnan(time)] = "no_facility"
    if not question.known(names[0]):
        status[status != "served"] = "no_data"
    outside = question.standing.outside | (question.homes.status == "no_position")
    return np.where(outside & (status != "no_data"), "outside_data", status)


def _straight_m(standing: Standing, rows: NDArray[np.int64]) -> Floats:
    lon, lat = standing.points_at
    straight = np.full(len(lon), np.nan)
    here = np.flatnonzero(np.isfinite(lon))
    if not len(rows) or not len(here):
        return straight
    door = np.flatnonzero(np.isin(standing.door_of, rows))
    there_lon, there_lat = standing.doors_at[0][door], standing.doors_at[1][door]
    tree = KDTree(np.column_stack(systems.project(there_lon, there_lat, standing.plane)))
    _, nearest = tree.query(np.column_stack(systems.project(lon[here], lat[here], standing.plane)))
    straight[here] = systems.geodesic_m(lon[here], lat[here], there_lon[nearest], there_lat[nearest])
    return straight


def _edge_affected(
    time: Floats, threshold: Floats, profile: TravelProfile, standing: Standing, row: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """
    Flag where something nearer could lie beyond a cut side of the data.

    The straight line at the highest speed there is bounds the time to the cut from below, so this flags too
    many rather than too few. What matters is the time found, and the threshold where nothing is.
    """
    to_cut_min = standing.to_cut_m[row] / (fastest_kmh(profile) * 1000.0 / 60.0)
    # what lies beyond the cut can only be nearer than what was found; where nothing was, within the limit
    horizon = np.where(np.isnan(time), np.nan_to_num(threshold, nan=np.inf), time)
    return np.asarray((to_cut_min < horizon) & np.isfinite(to_cut_min))


def _snap_rows(
    ids: pd.Series, kind: str, profile: TravelProfile, snaps: Snaps, ways: Ways, streets: Streets
) -> pd.DataFrame:
    to_min, back_min = first_min(ways, len(ids), profile.flat_kmh)
    way = streets.tags["way_id"].to_numpy(np.int64)[streets.way[np.maximum(snaps.edge, 0)]]
    return pd.DataFrame(
        {
            "point_id": ids.to_numpy(),
            "kind": kind,
            "persona": profile.persona,
            "mode": profile.mode,
            "distance_m": snaps.distance_m,
            "leg_to_min": to_min,
            "leg_back_min": back_min,
            "edge_id": pd.array(np.where(snaps.found, snaps.edge, 0), dtype="Int64"),
            "way_id": pd.array(np.where(snaps.found, way, 0), dtype="Int64"),
            "component": snaps.component,
            "snap_lon": snaps.lon,
            "snap_lat": snaps.lat,
            "status": snaps.status,
        }
    ).assign(edge_id=lambda f: f["edge_id"].where(snaps.found), way_id=lambda f: f["way_id"].where(snaps.found))
