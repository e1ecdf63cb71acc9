"""From a project to finished tables: reading everything, checking it together, measuring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from analysis.access import measure_access
from analysis.circle import judge_circles
from analysis.gaps import coverage, distance_gaps
from analysis.laws import check_laws
from analysis.reclamation import by_slope_class, survey_plots
from geo import crs as systems
from geo import io, osm
from geo.network import Streets, build_streets, use_streets
from geo.people import count_people
from geo.problems import CRSUnitError, Problem, Stop
from geo.profile import TagRule
from geo.snap import Snapper
from layers import facilities as facility_layer
from layers import homesteads as homestead_layer
from layers import places as place_layer
from layers.catalog import Catalog
from yike.project import Project, Source
from yike.stages import Stages

LOWEST_M, HIGHEST_M = -500.0, 9000.0
"""No ground is lower or higher; what is, is a no-data value that nobody declared, or not in metres."""

MARGIN_DEG = 0.02
"""How far around the places and plots terrain is read, about 2 km."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything a project names, read and checked."""

    project: Project
    catalog: Catalog
    streets: Streets
    area: shapely.Geometry | None
    places: pd.DataFrame
    facilities: pd.DataFrame
    sourced: frozenset[str]
    plots: gpd.GeoDataFrame | None
    people: io.Raster | None
    terrain: io.Raster | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Finished tables by name, with what the map needs beside them."""

    tables: dict[str, pd.DataFrame]
    plots: gpd.GeoDataFrame | None
    balance: dict[str, float]
    problems: tuple[Problem, ...]


def stage_names(project: Project, *, reading_only: bool = False) -> list[str]:
    """The stages that a project goes through, in order."""
    names = ["network", "places", "facilities"]
    names += ["homesteads"] if project.homesteads else []
    names += ["people"] if project.people else []
    names += ["terrain"] if project.dem else []
    if reading_only:
        return names
    names += ["access", "circles", "gaps"]
    names += ["plots"] if project.homesteads else []
    return [*names, "laws", "tables", "map", "workbook"]


def read_inputs(project: Project, stages: Stages) -> Inputs:
    """
    Read every file of a project.

    Raises
    ------
    Stop
        All whole-file faults of all files at once; or a network that touches no place, a raster that covers none.
    """
    stops: list[Problem] = []
    found = _layer_doubts(project)

    def tried(layer: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Stop as stop:
            stops.extend(problem.in_layer(layer) for problem in stop.problems)
            return None

    catalog = project.catalog()
    with stages.stage("network"):
        streets = tried("network", lambda: _streets(project))
        area = tried("area", lambda: _area(project))
    if streets is not None and not streets.cut:
        found.append(Problem.doubt("network_without_box", file=project.network, layer="network"))
    # without a network there is no extent to check positions against; the other files are still looked at
    box = streets.data_box if streets is not None else (-180.0, -90.0, 180.0, 90.0)
    features = _Features(project, catalog)
    if box[0] > 73 and box[2] < 136 and box[1] > 3 and box[3] < 54:
        found += _assumed_systems(project)
    with stages.stage("places"):
        places = tried("settlements", lambda: _places(project.settlements, catalog, box, features))
    facility_parts, sourced = [], set()
    with stages.stage("facilities"):
        for source in project.facilities:
            part = tried("facilities", partial(_facilities, source, catalog, box, features))
            if part is not None:
                facility_parts.append(part[0])
                found += [p.in_layer("facilities") for p in part[1]]
                sourced |= part[2]
    plots = people = terrain = None
    if project.homesteads is not None:
        with stages.stage("homesteads"):
            plots = tried("homesteads", lambda: _plots(project, area))
    if places is not None:
        found += [p.in_layer("settlements") for p in places[1]]
        kept = tried("settlements", lambda: _in_area(places[0], project, area, found))
    else:
        kept = None
    if plots is not None:
        found += [p.in_layer("homesteads") for p in plots[1]]
    if project.people is not None:
        with stages.stage("people"):
            people = tried("people", lambda: _people(project, area, kept))
    if project.dem:
        with stages.stage("terrain"):
            read = tried("terrain", lambda: _terrain(project, kept, None if plots is None else plots[0]))
            terrain, doubts = read if read is not None else (None, [])
            found += doubts
    if streets is not None and kept is not None:
        tried("network", lambda: _touching(project, streets, kept, catalog))
    if stops:
        # the network is asked for by several layers; and faults of rows may be what is behind a stop
        once = {replace(problem, layer=""): problem for problem in stops}
        raise Stop([*once.values(), *(problem for problem in found if problem.severity == "fault")])
    facilities, doubts = facility_layer.joined(facility_parts)
    found += [p.in_layer("facilities") for p in doubts]
    return Inputs(
        project=project, catalog=catalog, streets=streets, area=area, places=kept, facilities=facilities,
        sourced=frozenset(sourced), plots=None if plots is None else plots[0], people=people, terrain=terrain,
        problems=tuple(found),
    )  # fmt: skip


def _assumed_systems(project: Project) -> list[Problem]:
    """Name the tables in China that do not say what system they are in: map providers' are shifted by 500 m."""
    tables = [s for s in project.sources() if s.crs is None and not s.osm and io.kind(s.path) == "table"]
    return [Problem("crs_assumed", "doubt", file=source.path.name, sheet=source.sheet or "") for source in tables]


def _layer_doubts(project: Project) -> list[Problem]:
    """Say which layer is read of files that hold several and where none was chosen."""
    doubts = []
    for source in project.sources():
        if source.layer is None and not source.osm and io.kind(source.path) == "vector" and source.path.exists():
            try:
                names = [layer.name for layer in io.list_layers(source.path)]
            except Stop:
                continue  # said when the file is read
            if len(names) > 1:
                params = (("layer", names[0]), ("layers", "、".join(names)), ("n", str(len(names))))
                doubts.append(Problem("layer_chosen", "doubt", file=source.path.name, params=params))
    return doubts


class _Features:
    """OSM features for settlements and facilities, read in one pass a file."""

    def __init__(self, project: Project, catalog: Catalog) -> None:
        self._rules: dict[Any, list[TagRule]] = {}
        if project.settlements.osm:
            self._rules.setdefault(project.settlements.path, []).extend(place_layer.osm_rules())
        for source in project.facilities:
            if source.osm:
                self._rules.setdefault(source.path, []).extend(facility_layer.osm_rules(catalog))
        self._read: dict[Any, gpd.GeoDataFrame] = {}

    def of(self, source: Source) -> gpd.GeoDataFrame:
        if source.path not in self._read:
            rules = list({rule.text: rule for rule in self._rules[source.path]}.values())
            self._read[source.path] = osm.read_features(source.path, rules, keys=["place"])
        return self._read[source.path]


def _streets(project: Project) -> Streets:
    ways = osm.read_ways(project.network)
    if not len(ways.tags):
        raise Stop(Problem.stop("network_empty", file=project.network))
    return build_streets(ways)


def _area(project: Project) -> shapely.Geometry | None:
    if project.service is None:
        return None
    if isinstance(project.service, tuple):
        return shapely.box(*project.service)
    source = project.service
    frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
    whole = shapely.union_all(shapely.make_valid(frame.geometry.to_numpy()))
    if not shapely.area(whole) > 0:
        raise Stop(Problem.stop("area_no_polygon", file=source.path))
    return whole


def _places(
    source: Source, catalog: Catalog, box: io.Bounds, features: _Features
) -> tuple[pd.DataFrame, list[Problem]]:
    file = source.path.name
    if source.osm:
        chosen = features.of(source)
        held = chosen["rules"].map(lambda rules: place_layer.OSM_RULE in rules)
        return place_layer.from_osm(chosen[held.to_numpy(bool)], catalog, file=file)
    if io.kind(source.path) == "vector":
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        return place_layer.from_vector(frame, catalog, file=file, box=box)
    io.require(source.path, "table", "vector")
    raw = io.read_table(source.path, sheet=source.sheet)
    return place_layer.from_ledger(raw, catalog, crs=source.crs or "CGCS2000", box=box)


def _facilities(
    source: Source, catalog: Catalog, box: io.Bounds, features: _Features
) -> tuple[pd.DataFrame, list[Problem], set[str]]:
    file = source.path.name
    if source.osm:
        frame, problems = facility_layer.from_osm(features.of(source), catalog, file=file)
    elif io.kind(source.path) == "vector":
        layer = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        raw = place_layer.as_rows(layer, catalog, file=file)
        frame, problems = facility_layer.from_table(raw, catalog, crs="WGS-84", box=box, category=source.category)
    else:
        io.require(source.path, "table", "vector")
        raw = io.read_table(source.path, sheet=source.sheet)
        crs = source.crs or "CGCS2000"
        frame, problems = facility_layer.from_table(raw, catalog, crs=crs, box=box, category=source.category)
    named = {source.category} if source.category else set()
    return frame, problems, named | (set(frame["category"]) - {""})


def _plots(project: Project, area: shapely.Geometry | None) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    source = project.homesteads
    if source is None:
        raise ValueError("the project names no homesteads")
    if source.osm:
        rule = TagRule.parse("building=*" if source.osm == "true" else source.osm)
        frame = osm.read_features(source.path, [rule])
        if area is not None:
            frame = frame[shapely.intersects(area, frame.geometry.representative_point().to_numpy())]
    else:
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
    return homestead_layer.plots(frame.reset_index(drop=True), file=source.path.name)


def _in_area(
    places: pd.DataFrame, project: Project, area: shapely.Geometry | None, found: list[Problem]
) -> pd.DataFrame:
    if area is not None:
        inside = place_layer.within(places, area)
        if project.settlements.osm:
            places = places[inside].reset_index(drop=True)
        elif not inside.all():
            n = int((~inside & places["lon"].notna()).sum())
            if n:
                file = project.settlements.path
                found.append(Problem.doubt("place_outside_area", file=file, layer="settlements", n=n))
    if not len(places):
        raise Stop(Problem.stop("no_places", file=project.settlements.path))
    riding = places["usual_mode"].map(lambda mode: mode not in ("", "步行", "walk"))
    if riding.any():
        file = project.settlements.path
        found.append(Problem.doubt("usual_mode_walks", file=file, layer="settlements", n=int(riding.sum())))
    return places


def _box_of(frames: list[pd.DataFrame | gpd.GeoDataFrame | None], margin: float) -> io.Bounds | None:
    shapes = []
    for frame in frames:
        if isinstance(frame, gpd.GeoDataFrame):
            shapes.append(frame.geometry.to_numpy())
        elif frame is not None:
            known = frame[frame["lon"].notna()]
            shapes.append(shapely.points(known["lon"].to_numpy(np.float64), known["lat"].to_numpy(np.float64)))
    box = io.bounds_of(np.concatenate(shapes)) if shapes else (np.nan,) * 4
    if np.isnan(box[0]):
        return None
    return box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin


def _people(project: Project, area: shapely.Geometry | None, places: pd.DataFrame | None) -> io.Raster | None:
    if project.people is None:
        return None
    around = area if area is not None or places is None else _around(places, project.people_limit_m)
    raster = io.read_raster([project.people], within=None if around is None or around.is_empty else around.bounds)
    box = _box_of([places], 0.0)
    if box is not None and not io.touches(raster, box):
        raise Stop(Problem.stop("raster_covers_none", file=project.people))
    return raster


def _terrain(
    project: Project, places: pd.DataFrame | None, plots: gpd.GeoDataFrame | None
) -> tuple[io.Raster, list[Problem]]:
    box = _box_of([places, plots], MARGIN_DEG)
    raster = io.read_raster(list(project.dem), within=box)
    inner = _box_of([plots] if plots is not None and len(plots) else [places], 0.0)
    if inner is not None and not io.touches(raster, inner):
        raise Stop(Problem.stop("raster_covers_none", file=project.dem[0]))
    if not raster.crs.is_geographic:
        try:
            systems.require_metres(raster.crs.to_wkt(), what=project.dem[0].name)
        except CRSUnitError as error:
            raise Stop(Problem.stop("raster_not_metres", file=project.dem[0], reason=error)) from error
    with np.errstate(invalid="ignore"):
        wild = (raster.values < LOWEST_M) | (raster.values > HIGHEST_M)
    if not wild.any():
        return raster, []
    doubt = Problem.doubt("terrain_implausible", file=project.dem[0], layer="terrain", n=int(wild.sum()))
    return io.Raster(np.where(wild, np.nan, raster.values), raster.transform, raster.crs), [doubt]


def _touching(project: Project, streets: Streets, places: pd.DataFrame, catalog: Catalog) -> None:
    if not places["lon"].notna().any():
        raise Stop(Problem.stop("no_place_placed", file=project.settlements.path, n=len(places)))
    profile = catalog.travel_profile("adult", "walk")
    usage = use_streets(streets, profile)
    plane = systems.zone((streets.box[0] + streets.box[2]) / 2)
    snaps = Snapper(streets, usage, profile=profile, plane=plane).snap(
        places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64)
    )
    if not snaps.found.any():
        limit = f"{profile.off_street_limit_min:g}"
        raise Stop(Problem.stop("network_touches_no_place", file=project.network, n=len(places), limit=limit))


def compute(inputs: Inputs, stages: Stages) -> Results:
    """
    Measure everything that the inputs allow.

    Raises
    ------
    LawBroken
        A result contradicts a law; nothing of it is to be used.
    """
    project, catalog, places = inputs.project, inputs.catalog, inputs.places
    problems = list(inputs.problems)
    balance: dict[str, float] = {}
    if inputs.people is not None:
        places, more = _counted(inputs, balance)
        problems += more
    tables: dict[str, pd.DataFrame] = {"places": places}
    with stages.stage("access"):
        asked = sum(1 for _ in catalog.in_access())
        seen: dict[str, int] = {}

        def tell(category: str) -> None:
            seen.setdefault(category, len(seen) + 1)
            stages.teller.part(category, seen[category], asked)

        measured = measure_access(
            places, inputs.facilities, streets=inputs.streets, catalog=catalog, sourced=inputs.sourced,
            circle_personas=project.circle_personas, progress=tell,
        )  # fmt: skip
        tables |= {"access": measured.access, "snaps": measured.snaps}
    with stages.stage("circles"):
        tables["circles"] = judge_circles(
            measured.access, places, catalog=catalog, personas=project.circle_personas
        )
    with stages.stage("gaps"):
        tables["gaps"] = distance_gaps(measured.access)
        tables["coverage"] = coverage(measured.access)
    plots = None
    if inputs.plots is not None:
        with stages.stage("plots"):
            plane = None if project.crs == "auto" else CRS.from_user_input(systems.system(project.crs))
            tables["homesteads"] = survey_plots(inputs.plots, terrain=inputs.terrain, plane=plane)
            tables["slopes"] = by_slope_class(tables["homesteads"])
            plots = inputs.plots[["homestead_id", "geometry"]].join(
                tables["homesteads"].drop(columns="homestead_id")
            )
    if balance:
        tables["balance"] = pd.DataFrame({"item": list(balance), "number": list(balance.values())})
    with stages.stage("laws"):
        tables["laws"] = check_laws(tables, categories=[c.id for c in catalog.in_access()])
    broken = tables["laws"][~tables["laws"]["held"]]
    if len(broken):
        raise LawBroken(broken)
    return Results(tables, plots, balance, tuple(problems))


class LawBroken(Exception):
    """A result contradicts a law of ``analysis.laws``; ``broken`` holds the rows of the table ``laws``."""

    def __init__(self, broken: pd.DataFrame) -> None:
        self.broken = broken
        super().__init__("; ".join(f"{row.law} ({row.worst})" for row in broken.itertuples()))


def _counted(inputs: Inputs, balance: dict[str, float]) -> tuple[pd.DataFrame, list[Problem]]:
    places, project = inputs.places, inputs.project
    raster = inputs.people
    if raster is None or project.people is None:
        return places, []
    lon, lat = places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64)
    area = inputs.area if inputs.area is not None else _around(places, project.people_limit_m)
    counted = count_people(raster, lon, lat, limit_m=project.people_limit_m, within=area)
    filled = place_layer.with_people(places, counted.at_point, inputs.catalog)
    balance |= {
        "raster_total": counted.total,
        "at_places": float(np.nansum(counted.at_point)),
        "nowhere": counted.nowhere,
        "ledger": float(places["pop"].sum()),
        "places_unknown": float(filled["pop"].isna().sum()),
    }
    problems = []
    if counted.nowhere >= 1:
        problems.append(
            Problem.doubt(
                "people_beyond", file=project.people, layer="people", nowhere=f"{counted.nowhere:,.0f}",
                total=f"{counted.total:,.0f}", limit=f"{project.people_limit_m:g}",
            )
        )  # fmt: skip
    return filled, problems


def _around(places: pd.DataFrame, limit_m: float) -> shapely.Geometry:
    """Without a service area: the box of the places, with room for the limit (a degree is over 50 km)."""
    box = _box_of([places], 2 * limit_m / 100_000.0)
    return shapely.box(*box) if box is not None else shapely.Point()
