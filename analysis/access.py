"""Who reaches what, in how many minutes, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from scipy.spatial import KDTree

from geo import crs as systems
from geo.network import Streets, use_streets
from geo.profile import TravelProfile
from geo.reach import Journeys, decided_min
from geo.snap import Snapper, Snaps, keep_together
from layers.catalog import PROFILES, Catalog, Category
from layers.facilities import ranks

Floats = NDArray[np.float64]
WALK_FUNCTION = "flat"
"""The walking function in force; slope does not enter yet, and every table says so."""

UNJUDGED = ("no_standard", "no_data", "outside_data")
"""Statuses that are neither met nor missed."""

STATUSES = (
    "served", "beyond_limit", "no_standard", "no_facility", "no_data",
    "unreachable", "off_network", "outside_data",
)  # fmt: skip


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
    circle_personas: Sequence[str] = ("adult", "elderly"),
    progress: Callable[[str], None] = lambda _: None,
) -> Access:
    """
    Measure every place against every category one travels to.

    The limit belongs to the circle: a time of exactly the threshold is served. A time is compared in whole
    milliseconds. For each category there is a row for its own persona in its deciding mode; rows for the
    personas of the circle on foot, if it is on a list; and a row by car where it has a threshold for that.

    Parameters
    ----------
    places
        ``layers.places.COLUMNS``; ``place_id`` unique.
    facilities
        ``layers.facilities.COLUMNS``.
    streets
        Everything of the network that was read; its box is the extent of the data.
    catalog
        Categories, standards and personas, with the project's own values.
    sourced
        Categories that some source carries. One whose every row lacks a position is unknown all the same: the
        rows prove that there is something, and not where.
    circle_personas
        Who is asked about the categories of the lists, on foot.
    progress
        Called with a category's id before it is searched.

    Returns
    -------
    tables
        ``access`` in the order of places, then catalogue; ``snaps`` of places and facilities by persona and mode.
    """
    facilities = facilities[facilities["category"].isin(catalog.categories)].reset_index(drop=True)
    questions = _questions(catalog, circle_personas)
    standing = _Standing.of(places, facilities, streets, catalog)
    parts: list[dict[str, NDArray[Any]]] = []
    snaps: list[pd.DataFrame] = []
    for (persona, mode), categories in questions.items():
        profile = catalog.travel_profile(persona, mode)
        usage = use_streets(streets, profile)
        snapper = Snapper(streets, usage, profile=profile, plane=standing.plane)
        homes, ends = snapper.snap(*standing.places_at), snapper.snap(*standing.facilities_at)
        if mode == "walk":
            on_foot, walked = usage, (homes, ends)
        else:  # the same persona on foot came before
            homes = keep_together(homes, walked[0], on_foot=on_foot)
            ends = keep_together(ends, walked[1], on_foot=on_foot)
        snaps += [
            _snap_rows(places["place_id"], "place", profile, homes, streets),
            _snap_rows(facilities["facility_id"], "facility", profile, ends, streets),
        ]
        journeys = Journeys(
            streets, usage, profile=profile, homes=homes, facilities=ends,
            homes_at=standing.places_at, facilities_at=standing.facilities_at,
        )  # fmt: skip
        for category in categories:
            progress(category.id)
            parts.append(_ask(category, profile, journeys, homes, ends.found, standing, catalog, sourced))
    access = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    access = access.sort_values(
        ["place_row", "category_row", "mode", "persona"], kind="stable", ascending=[True, True, False, True]
    )
    access = access.drop(columns=["place_row", "category_row"]).reset_index(drop=True)
    access = access.astype({"met": "boolean", "straight_met": "boolean"})
    snap_table = pd.concat(snaps, ignore_index=True).drop_duplicates(["point_id", "kind", "persona", "mode"])
    return Access(access, snap_table.reset_index(drop=True))


def _questions(catalog: Catalog, personas: Sequence[str]) -> dict[tuple[str, str], list[Category]]:
    found: dict[tuple[str, str], list[Category]] = {}
    for category in catalog.in_access():
        limits = [catalog.standard(category.id, p) for p in category.deciding_mode]
        drives = "drive" in category.deciding_mode.values() or any(s.drive_min is not None for s in limits)
        asked = {(category.persona, "walk")}
        asked |= {(category.persona, "drive")} if drives else set()
        asked |= {(persona, "walk") for persona in personas} if category.lists else set()
        for question in sorted(asked):
            found.setdefault(question, []).append(category)
    # by persona, and each on foot before by car
    return {question: found[question] for question in sorted(found, key=lambda q: (q[0], q[1] != "walk"))}


def deciding_mode(category: Category, profile: str) -> str:
    """
    Say whether walking or driving decides; a settlement's usual mode is walking until its ledger says more.

    Examples
    --------
    >>> from layers import catalog
    >>> own = catalog.load().categories
    >>> deciding_mode(own["village_clinic"], "rural"), deciding_mode(own["fire_station"], "rural")
    ('walk', 'drive')
    """
    return "drive" if category.deciding_mode[profile] == "drive" else "walk"


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """What does not change from question to question."""

    place_id: NDArray[np.object_]
    people: Floats
    profile: NDArray[np.int64]
    """Of each place, its place in ``PROFILES``."""
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    """Of each facility, and at the end '' for none."""
    rank: NDArray[np.int64]
    rows_of: Mapping[str, NDArray[np.int64]]
    """The facilities of a category that have a position."""
    listed: frozenset[str]
    """Categories with a facility, placed or not."""
    order: Mapping[str, int]
    plane: CRS
    places_at: tuple[Floats, Floats]
    facilities_at: tuple[Floats, Floats]
    outside: NDArray[np.bool_]
    to_cut_m: Floats

    @classmethod
    def of(cls, places: pd.DataFrame, facilities: pd.DataFrame, streets: Streets, catalog: Catalog) -> _Standing:
        lon, lat = places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64)
        west, south, east, north = streets.data_box
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        edges = [
            systems.geodesic_m(lon, lat, np.full(len(lon), west), lat),
            systems.geodesic_m(lon, lat, np.full(len(lon), east), lat),
            systems.geodesic_m(lon, lat, lon, np.full(len(lon), south)),
            systems.geodesic_m(lon, lat, lon, np.full(len(lon), north)),
        ]
        at = (facilities["lon"].to_numpy(np.float64), facilities["lat"].to_numpy(np.float64))
        located = np.flatnonzero(np.isfinite(at[0]))
        category = facilities["category"].to_numpy(object)
        return cls(
            place_id=places["place_id"].to_numpy(object),
            people=places["pop"].to_numpy(np.float64),
            profile=np.array([PROFILES.index(name) for name in places["profile"]], np.int64),
            ids=np.append(facilities["facility_id"].to_numpy(object), ""),
            names=np.append(facilities["facility_name"].to_numpy(object), ""),
            rank=ranks(facilities),
            rows_of={name: located[category[located] == name] for name in set(category[located])},
            listed=frozenset(category),
            order={name: number for number, name in enumerate(catalog.categories)},
            plane=systems.zone((west + east) / 2),
            places_at=(lon, lat),
            facilities_at=at,
            outside=~inside,
            to_cut_m=np.minimum.reduce(edges) if streets.cut else np.full(len(lon), np.inf),
        )


def _ask(
    category: Category,
    profile: TravelProfile,
    journeys: Journeys,
    homes: Snaps,
    on_street: NDArray[np.bool_],
    standing: _Standing,
    catalog: Catalog,
    sourced: frozenset[str],
) -> dict[str, NDArray[Any]]:
    """One question for all places: the columns of ``access`` as arrays; verdicts as 1, 0 and NaN."""
    n = len(standing.people)
    standards = [catalog.standard(category.id, name) for name in PROFILES]
    limits = [standard.limit_min(profile.mode) for standard in standards]
    threshold = np.array([np.nan if limit is None else limit for limit in limits])[standing.profile]
    radius = np.array([np.nan if s.radius_m is None else s.radius_m for s in standards])[standing.profile]
    decides = np.array([deciding_mode(category, name) == profile.mode for name in PROFILES])[standing.profile]
    decides &= profile.persona == category.persona

    usable = standing.rows_of.get(category.id, np.zeros(0, np.int64))
    reached = journeys.nearest(usable, rank=standing.rank[usable], direction=category.direction)
    time = decided_min(reached, category.direction)
    status = _status(
        time, threshold, homes=homes, outside=standing.outside,
        known=category.id in sourced and (len(usable) > 0 or category.id not in standing.listed),
        any_=bool(on_street[usable].any()),
    )  # fmt: skip
    # beyond the data nothing is said, though a street may pass near by
    for values in (time, reached.to_min, reached.back_min, reached.distance_m):
        values[status == "outside_data"] = np.nan
    chosen = np.where(status == "outside_data", -1, reached.facility)
    judged = ~np.isin(status, UNJUDGED) & ~np.isnan(threshold)
    met = np.where(judged, (status == "served").astype(np.float64), np.nan)
    straight = _straight_m(standing, usable)
    straight_met = np.where(np.isnan(straight) | np.isnan(radius), np.nan, (straight <= radius).astype(np.float64))
    # the last entry stands for none
    name_of = np.where(chosen >= 0, chosen, len(standing.ids) - 1)
    columns = {
        "place_id": standing.place_id,
        "category": _repeated(category.id, n),
        "persona": _repeated(profile.persona, n),
        "mode": _repeated(profile.mode, n),
        "deciding": decides,
        "facility_id": standing.ids[name_of],
        "facility_name": standing.names[name_of],
        "time_to_min": reached.to_min,
        "time_back_min": reached.back_min,
        "time_min": time,
        "distance_m": reached.distance_m,
        "straight_m": straight,
        "threshold_min": threshold,
        "radius_m": radius,
        "status": status,
        "met": met,
        "straight_met": straight_met,
        "people": standing.people,
        "people_met": standing.people * met,
        "edge_affected": _edge_affected(time, threshold, profile, standing)
        & ~np.isin(status, ("no_data", "outside_data")),
        "walk_function": _repeated(WALK_FUNCTION, n),
        "certainty": np.array([s.certainty for s in standards], object)[standing.profile],
        "place_row": np.arange(n),
        "category_row": np.full(n, standing.order[category.id]),
    }
    if profile.mode == "drive":  # a row by car says something only where there is a threshold, or it decides
        kept = decides | ~np.isnan(threshold)
        return {name: values[kept] for name, values in columns.items()}
    return columns


def _repeated(text: str, n: int) -> NDArray[np.object_]:
    return np.full(n, text, object)


def _status(
    time: Floats, threshold: Floats, *, homes: Snaps, outside: NDArray[np.bool_], known: bool, any_: bool
) -> NDArray[np.object_]:
    n = len(time)
    # twice the milliseconds, because the mean of two ways may end on half of one
    took, limit = np.nan_to_num(time, nan=np.inf), np.nan_to_num(threshold, nan=-1.0)
    within = np.rint(took * 120_000) <= np.rint(limit * 120_000)
    status = np.where(np.isnan(threshold), "no_standard", np.where(within, "served", "beyond_limit"))
    status = status.astype(object)
    status[np.isnan(time)] = "unreachable"
    status[homes.status == "off_network"] = "off_network"
    if not any_:
        status[:] = "no_facility"
    status[outside | (homes.status == "no_position")] = "outside_data"
    return status if known else np.full(n, "no_data", object)


def _straight_m(standing: _Standing, rows: NDArray[np.int64]) -> Floats:
    lon, lat = standing.places_at
    straight = np.full(len(lon), np.nan)
    here = np.flatnonzero(np.isfinite(lon))
    if not len(rows) or not len(here):
        return straight
    there_lon, there_lat = standing.facilities_at[0][rows], standing.facilities_at[1][rows]
    tree = KDTree(np.column_stack(systems.project(there_lon, there_lat, standing.plane)))
    _, nearest = tree.query(np.column_stack(systems.project(lon[here], lat[here], standing.plane)))
    straight[here] = systems.geodesic_m(lon[here], lat[here], there_lon[nearest], there_lat[nearest])
    return straight


def _edge_affected(
    time: Floats, threshold: Floats, profile: TravelProfile, standing: _Standing
) -> NDArray[np.bool_]:
    """
    Flag where something nearer could lie beyond a cut side of the data.

    The straight line at the highest speed there is bounds the time to the cut from below, so this flags too
    many rather than too few. What matters is the longer of the time found and the threshold.
    """
    fastest = max([profile.flat_kmh] + [r.drive_kmh or 0.0 for r in profile.roads if profile.mode == "drive"])
    to_cut_min = standing.to_cut_m / (fastest * 1000.0 / 60.0)
    horizon = np.fmax(np.nan_to_num(time, nan=np.inf), np.nan_to_num(threshold, nan=0.0))
    return np.asarray((to_cut_min < horizon) & np.isfinite(standing.to_cut_m))


def _snap_rows(ids: pd.Series, kind: str, profile: TravelProfile, snaps: Snaps, streets: Streets) -> pd.DataFrame:
    way = streets.tags["way_id"].to_numpy(np.int64)[streets.way[np.maximum(snaps.edge, 0)]]
    return pd.DataFrame(
        {
            "point_id": ids.to_numpy(),
            "kind": kind,
            "persona": profile.persona,
            "mode": profile.mode,
            "distance_m": snaps.distance_m,
            "edge_id": pd.array(np.where(snaps.found, snaps.edge, 0), dtype="Int64"),
            "way_id": pd.array(np.where(snaps.found, way, 0), dtype="Int64"),
            "component": snaps.component,
            "snap_lon": snaps.lon,
            "snap_lat": snaps.lat,
            "status": snaps.status,
        }
    ).assign(edge_id=lambda f: f["edge_id"].where(snaps.found), way_id=lambda f: f["way_id"].where(snaps.found))
