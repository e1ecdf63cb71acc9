"""
From a project to finished tables, in stages: reading everything, checking it together, measuring.

Each stage is a ``Stage`` of ``yike.stages``: what it reads, what it stands on, what it takes from the project and
the catalogue. What is not named there must not matter to it, because it would not be noticed when it changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from analysis.access import Asked, counting, cross, measure_access, with_measured
from analysis.care import LevelCare, care_grids, joined_care, measure_level
from analysis.catchment import DEFAULT as CARE_METHOD
from analysis.circle import circle_rings, circle_shares, judge_circles
from analysis.districts import unknown_leads
from analysis.equity import equity
from analysis.gaps import coverage, distance_gaps
from analysis.grids import GivenGrids
from analysis.intervals import intervals
from analysis.laws import check_laws
from analysis.seats import VIEWS, place_pupils, school_pools
from analysis.streets import effect_of_grades, streets_left_out
from analysis.verify import verify
from geo import crs as systems
from geo import io, osm, roads
from geo.connectors import OpenGround
from geo.grades import Grades, grades_of
from geo.hillside import Hillside, cover_factors, lay_hillside, walking_grid
from geo.network import build_streets, ferries_adrift, in_scope, use_streets
from geo.people import count_people
from geo.problems import CRSUnitError, Problem, Stop
from geo.profile import TagRule
from geo.snap import Snapper
from geo.terrain import HIGHEST_M, LOWEST_M
from layers import facilities as facility_layer
from layers import forms
from layers import homesteads as homestead_layer
from layers import places as place_layer
from layers.catalog import Catalog
from layers.doors import by_kind
from layers.edits import Scenario, edit_facilities, edit_places, edit_roads
from layers.ledgers import some
from yike.plots import dem_there, key_of, plot_stages, secret_mark
from yike.project import MOST_SEATS, Project, Source
from yike.stages import WAS, Stage, Work
from yike.store import Value

MARGIN_DEG = 0.02
"""How far around the places and plots terrain is read, about 2 km."""

GRADES_DEG = 0.2
"""How far around the places terrain is read for the grades of streets, about 20 km: a walk of five hours."""

VOID_KM = 1.0
"""From so many kilometres of street without terrain on, a doubt says so."""

CHINA = (73.0, 3.0, 136.0, 54.0)
WHOLE_EARTH = (-180.0, -90.0, 180.0, 90.0)

Given = Mapping[str, Value]


class LawBroken(Exception):
    """A result contradicts a law of ``analysis.laws``; ``broken`` holds the rows of the table ``laws``."""

    def __init__(self, broken: pd.DataFrame) -> None:
        self.broken = broken
        super().__init__("; ".join(f"{row.law} ({row.worst})" for row in broken.itertuples()))


def reading_stages(project: Project) -> list[Stage]:
    """
    Give the stages that read and check every file of a project, in order.

    Each may stop for its own files. One that stands on others does without those that stopped, so that every
    fault of every file is told at once.
    """
    catalog = project.catalog()
    words = project.categories
    box = ("network",)
    labels = [label for path in project.input_files() if (label := project.label(path)) != path.name]

    def asked(*settings: object) -> object:
        return [project.plain(settings), labels]  # records name their file

    osm_files = _osm_files(project)
    features = ("features",) if osm_files else ()
    rows = (*project.settlements, *project.households, *project.hosts)
    stages = [
        Stage("network", partial(_network, project, catalog), reads=_network_files(project),
              settings=asked(project.network), layer="network"),
        Stage("area", partial(_area, project), reads=_files(project.service), settings=asked(project.service),
              layer="area"),
    ]  # fmt: skip
    for name, source in project.forms.items():
        if catalog.ledgers[name].form == "layer":
            work = partial(_form_layer, project, name, catalog)
            stages.append(Stage(f"form_{name}", work, reads=(source.path,), settings=asked(source), layer=name))
    if osm_files:
        work = partial(_features, project, catalog, osm_files)
        of_osm = [source for source in (*project.settlements, *project.facilities) if source.osm]
        stages.append(Stage("features", work, reads=osm_files, settings=asked(of_osm, words), layer="facilities"))
    stages += [
        Stage("places", partial(_places, project, catalog), needs=_needs(features, project.settlements),
              also=(*box, "area", "form_villages"),
              reads=_files(*(row for row in rows if not row.osm), project.settlement_shapes),
              settings=asked(rows, project.settlement_shapes), layer="settlements"),
        Stage("facilities", partial(_facilities, project, catalog), needs=_needs(features, project.facilities),
              also=box,
              reads=_files(*(row for row in project.facilities if not row.osm), project.facility_shapes),
              settings=asked(project.facilities, project.facility_shapes, words, project.as_of),
              layer="facilities"),
    ]  # fmt: skip
    for name, source in project.forms.items():
        if catalog.ledgers[name].form == "table":
            work = partial(_form_table, project, name, catalog)
            stages.append(
                Stage(f"form_{name}", work, also=("places",), reads=(source.path,),
                      settings=[asked(source), secret_mark() if catalog.ledgers[name].keyed else ""], layer=name)
            )  # fmt: skip
    if project.homesteads is not None:
        stages.append(
            Stage("homesteads", partial(_plots, project, catalog), also=("area",),
                  reads=_files(project.homesteads), settings=[asked(project.homesteads), secret_mark()],
                  layer="homesteads")
        )  # fmt: skip
    if project.people is not None:
        stages.append(
            Stage("people", partial(_people, project), also=("area", "places"), reads=(project.people,),
                  settings=project.people_limit_m, layer="people")
        )  # fmt: skip
    if project.dem:
        stages.append(
            Stage("terrain", partial(_terrain, project), also=("network", "places"),
                  reads=project.dem, settings=asked(project.dem), layer="terrain")
        )  # fmt: skip
        stages.append(Stage("grades", _grades, needs=("network", "terrain"), layer="terrain"))
    if project.landcover is not None:
        stages.append(
            Stage("cover", partial(_cover, project, catalog), needs=("terrain",), reads=(project.landcover,),
                  settings=project.plain(catalog.cover), layer="terrain")
        )  # fmt: skip
    if project.network.kind == "osm":
        stages.append(
            Stage("barriers", partial(_barriers, project), reads=_network_files(project),
                  settings=asked(project.network), layer="network")
        )  # fmt: skip
    layered = tuple(s.path for s in project.sources() if not s.osm and io.kind(s.path) == "vector")
    stages.append(
        Stage("check", partial(_check, project, catalog), needs=("network", "places"), also=("facilities",),
              reads=layered, settings=asked(project.sources(), project.as_of), layer="network")
    )  # fmt: skip
    return stages


def edited_stages(project: Project) -> dict[str, Stage]:
    """Give the stages that edit what others read, by the name of the stage that they take the place of."""
    scenario, file = project.scenario, project.scenario.name
    plain = project.plain
    edited = {}
    if scenario.roads:
        edited["network"] = Stage(
            "network", partial(_edited_network, scenario), needs=(f"{WAS}network",), settings=plain(scenario.roads)
        )
    if scenario.of("add_place"):
        edited["places"] = Stage(
            "places", partial(_edited_places, project, file), needs=(f"{WAS}places", f"{WAS}network"),
            settings=plain([scenario.of("add_place"), file]),
        )  # fmt: skip
    if scenario.facilities:
        edited["facilities"] = Stage(
            "facilities", partial(_edited_facilities, scenario, project.catalog()),
            needs=(f"{WAS}facilities", f"{WAS}network"),
            settings=plain([scenario.facilities, file, project.seats]),
        )  # fmt: skip
    return edited


def _edited_network(scenario: Scenario, at: Work) -> Value:
    was = at.given[f"{WAS}network"]
    streets = edit_roads(was["streets"], scenario.roads, file=scenario.name)
    return {**was, "streets": streets}


def _edited_places(project: Project, file: str, at: Work) -> Value:
    was = at.given[f"{WAS}places"]
    places = edit_places(was["places"], project.scenario.of("add_place"), project.catalog(), file=file)
    new = places.iloc[len(was["places"]) :]
    points = pd.concat([was["points"], place_layer.points_of(new)], ignore_index=True)
    doubts = _beyond(project.scenario.of("add_place"), at.given, file)
    return {**was, "places": places, "points": points, "problems": (*was.get("problems", ()), *doubts)}


def _edited_facilities(scenario: Scenario, catalog: Catalog, at: Work) -> Value:
    was = at.given[f"{WAS}facilities"]
    edited = edit_facilities(was["facilities"], scenario.facilities, catalog, file=scenario.name)
    doubts = _beyond(scenario.facilities, at.given, scenario.name)
    # what somebody would build is known to be there and nowhere else only if others were known
    return {**was, "facilities": edited, "problems": (*was.get("problems", ()), *doubts)}


def _beyond(edits: Sequence[Mapping[str, Any]], given: Given, file: str) -> list[Problem]:
    """Edits that put something where no data is."""
    west, south, east, north = given[f"{WAS}network"]["streets"].data_box
    told = [
        str(edit.get("name", edit.get("facility", ""))) for edit in edits
        if "lon" in edit and not (west <= edit["lon"] <= east and south <= edit["lat"] <= north)
    ]  # fmt: skip
    return [Problem.doubt("scenario_beyond", file=file, n=len(told), ids=some(told))] if told else []


def computing_stages(
    project: Project, *, verified: bool = False, touched: Collection[str] | None = None
) -> list[Stage]:
    """
    Give the stages that measure, in order; they need what ``reading_stages`` leaves.

    ``verified`` with the one that measures some places again. ``touched`` are the only categories that a scenario
    touches: of all others what was measured without it stands.
    """
    catalog = project.catalog()
    own = project.plain({"standards": project.standards, "categories": project.categories})
    personas = list(project.circle_personas)
    walking = [project.walk_function, project.raw]
    taught = project.plain(
        {key: value for key, value in project.standards.items() if key.split(".")[0] in catalog.schools}
    )
    rules = [catalog.care, catalog.care_rules, project.staff]
    caring = [project.plain(rules), own["categories"], walking]
    levels = tuple(f"care_{name}" for name in catalog.care)
    ground = ("network", "places", "facilities")
    off_street = ("grades", "open_ground", "barriers", "form_rivers")
    stages = [
        Stage("people_at", partial(_counted, project, catalog), needs=("places",), also=("area", "people"),
              settings=[project.people_limit_m, *project.plain(project.scenario.of("add_people"))]),
        Stage("hillside", _hillside, needs=("network", "terrain"), also=("barriers", "form_rivers", "cover")),
        Stage("open_ground", partial(_open_ground, catalog), needs=(*ground, "hillside", "grades"),
              settings=[walking, own["categories"]]),
        Stage("access", partial(_access, project, catalog), needs=(*ground, "people_at"),
              also=off_street, settings=[own, walking, personas, project.met_share]),
        Stage("circles", partial(_circles, project, catalog), needs=("access", "people_at"),
              settings=[own, personas, project.plain(project.strata), project.name]),
        Stage("gaps", _gaps, needs=("access", "people_at")),
        Stage("intervals", partial(_intervals, project, catalog), needs=(*ground, "people_at", "access"),
              also=off_street, settings=[own, walking, personas, project.met_share]),
        Stage("seats", partial(_seats, project, catalog), needs=(*ground, "people_at"),
              also=(*off_street, "form_school_districts"),
              settings=[taught, own["categories"], walking, project.plain([project.seats, project.pupils])]),
        *(
            Stage(f"care_{name}", partial(_care_level, project, catalog, name), needs=(*ground, "people_at"),
                  also=off_street, settings=caring)
            for name in catalog.care
        ),
        Stage("grids", partial(_care_grids, project, catalog), needs=(*ground, "people_at"),
              also=(*off_street, "form_care_grids"), settings=caring),
        Stage("care", partial(_care, catalog), needs=("people_at", "grids", *levels), settings=caring),
        Stage("equity", partial(_equity, catalog), needs=("people_at", "seats", "care"),
              settings=project.plain(catalog.care)),
        Stage("streets", partial(_streets, catalog), needs=("network",), also=("grades",), settings=walking),
        Stage("rings", partial(_rings, catalog), needs=("network", "places"),
              also=("grades", "barriers", "form_rivers"), settings=walking),
    ]  # fmt: skip
    land = plot_stages(project, catalog)
    stages += land
    tables = ("people_at", "access", "circles", "gaps", "rings", "seats", "care", "grids", *(s.name for s in land))
    if touched is not None:
        kinds = sorted(touched)
        stages = [
            replace(stage, work=partial(_access_of, project, catalog, kinds), needs=(*stage.needs, f"{WAS}access"),
                    settings=[stage.settings, kinds]) if stage.name == "access" else stage
            for stage in stages
        ]  # fmt: skip
    if verified:
        again = partial(_verified, project, catalog)
        stages.append(
            Stage("verify", again, needs=(*ground, "people_at"), also=off_street,
                  settings=[own, walking, personas, project.met_share])
        )  # fmt: skip
    laws = partial(_laws, catalog, project.met_share)
    stages.append(Stage("laws", laws, also=(*tables, "verify"), settings=[own, walking, project.met_share]))
    return stages


TABLES = {
    "places": "people_at", "access": "access", "snaps": "access", "circles": "circles", "shares": "circles",
    "gaps": "gaps", "coverage": "gaps", "homesteads": "reclamation", "ways": "reclamation",
    "slopes": "reclamation", "ways_moved": "reclamation", "houses": "demolition", "demolition": "demolition",
    "quota": "quota",
    "quota_worth": "quota", "rights": "rights", "subsidy_claims": "rights", "origins": "origins",
    "balance": "people_at",
    "laws": "laws", "left_out": "streets", "slope_effect": "streets", "steepest": "streets",
    "intervals": "intervals", "seats": "seats", "schools": "seats", "cuts": "seats", "methods": "seats",
    "care": "care", "care_levels": "care", "care_reach": "care", "referrals": "care", "grids": "grids",
    "equity": "equity",
}  # fmt: skip
"""Which stage leaves which table."""


def tables_of(values: Given) -> dict[str, pd.DataFrame]:
    """Collect the finished tables that are there."""
    return {
        table: values[stage][table]
        for table, stage in TABLES.items()
        if stage in values and table in values[stage]
    }


def terrain_in(values: Given) -> io.Raster | None:
    """Give the heights where people live and walk; None where there is no terrain."""
    found: io.Raster | None = values.get("terrain", {}).get("raster")
    return found


def grades_in(values: Given) -> Grades | None:
    """Give the heights along the streets; None where there is no terrain."""
    found: Grades | None = values.get("grades", {}).get("grades")
    return found


def problems_of(values: Given) -> list[Problem]:
    """Collect the faults and doubts of all stages."""
    own = [value for name, value in values.items() if not name.startswith(WAS)]
    # a tile of terrain is read by several stages and told of once
    return list(dict.fromkeys(problem for value in own for problem in value.get("problems", ())))


def _files(*sources: object) -> tuple[Path, ...]:
    return tuple(source.path for source in sources if isinstance(source, Source))


def _network_files(project: Project) -> tuple[Path, ...]:
    return _files(project.network.source)


def _osm_files(project: Project) -> tuple[Path, ...]:
    """A file that settlements and facilities are both taken from is asked for both at once."""
    sources = (*project.settlements, *project.facilities)
    return tuple(dict.fromkeys(source.path for source in sources if source.osm))


def _needs(features: tuple[str, ...], sources: tuple[Source, ...]) -> tuple[str, ...]:
    return features if any(source.osm for source in sources) else ()


def box_of(given: Given) -> io.Bounds:
    """The box that positions should lie in: that of the network."""
    # without a network there is no extent to check positions against; the other files are still looked at
    return given["network"]["streets"].data_box if "network" in given else WHOLE_EARTH


def _network(project: Project, catalog: Catalog, _: Work) -> Value:
    network, survey = project.network, catalog.survey_roads
    doubts: list[Problem] = []
    if network.kind == "place":
        ways = roads.ways_of_place(network.place)
    elif network.source is None:
        raise ValueError("the project names no network")
    elif network.kind == "graphml":
        ways, doubts = roads.ways_of_graphml(network.source.path)
    elif network.kind == "roads":
        source = network.source
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        ways, doubts = roads.ways_of_lines(
            frame, file=project.label(source.path), classes=survey.classes, class_fields=survey.fields,
            name_fields=survey.name_fields, default_class=survey.other,
        )  # fmt: skip
    else:
        ways = osm.read_ways(network.source.path, ferries=network.ferries)
    file = network.place if network.source is None else network.source.path
    if not len(ways.tags) and network.kind == "roads":
        raise Stop(Problem.stop("roads_no_lines", file=file))
    if not len(ways.tags):
        raise Stop(Problem.stop("network_empty", file=file))
    streets = build_streets(ways)
    if not streets.cut:
        doubts.append(Problem.doubt("network_without_box", file=file, layer="network"))
    adrift = ferries_adrift(streets)
    if len(adrift):
        ids = some(adrift)
        doubts.append(Problem.doubt("ferry_adrift", file=file, layer="network", n=len(adrift), ids=ids))
    return {"streets": streets, "problems": _in("network", doubts)}


def _area(project: Project, _: Work) -> Value:
    if project.service is None:
        return {"area": None}
    if isinstance(project.service, tuple):
        return {"area": shapely.box(*project.service)}
    source = project.service
    frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
    whole = shapely.union_all(shapely.make_valid(frame.geometry.to_numpy()))
    if not shapely.area(whole) > 0:
        raise Stop(Problem.stop("area_no_polygon", file=source.path))
    return {"area": whole}


def _form_layer(project: Project, name: str, catalog: Catalog, _: Work) -> Value:
    source = project.forms[name]
    try:
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
    except Stop as stop:
        return {"problems": _in(name, left_out(stop.problems))}
    read, problems = forms.read_layer_form(frame, catalog.ledgers[name], catalog, file=project.label(source.path))
    return {"frame": read, "problems": _in(name, problems)}


def _form_table(project: Project, name: str, catalog: Catalog, at: Work) -> Value:
    source = project.forms[name]
    named = forms.names_of(at.given["places"]["places"]) if "places" in at.given else forms.Names({}, {})
    frames: list[pd.DataFrame] = []
    problems: list[Problem] = []
    for path in io.tables_in(source.path):
        try:
            label = project.label(path) if path == source.path else path.name
            raw = dataclasses.replace(io.read_table(path, sheet=source.sheet), file=label)
            form = catalog.ledgers[name]
            hashed = key_of() if form.keyed else None
            if form.keyed and hashed is None:
                problems.append(Problem.doubt("no_secret", file=label))
            frame, found = forms.read_table_form(raw, form, catalog, settlements=named, key_of=hashed)
        except Stop as stop:  # the other workbooks of the folder are read all the same
            problems += left_out(stop.problems)
            continue
        frames.append(frame)
        problems += found
    whole, found = forms.together(frames, catalog.ledgers[name])
    return {"frame": whole, "problems": _in(name, problems + found)}


def left_out(problems: tuple[Problem, ...]) -> list[Problem]:
    """What would stop a run is a fault where the file is not needed: it is left out and the run goes on."""
    return [dataclasses.replace(problem, severity="fault") for problem in problems]


def _in(layer: str, problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(problem.in_layer(layer) for problem in problems)


def _features(project: Project, catalog: Catalog, files: tuple[Path, ...], _: Work) -> Value:
    """Everything that settlements and facilities ask of each OSM file, in one pass."""
    value: Value = {}
    for path in files:
        rules: list[TagRule] = []
        if any(source.osm and source.path == path for source in project.settlements):
            rules += place_layer.osm_rules()
        if any(source.osm and source.path == path for source in project.facilities):
            rules += facility_layer.osm_rules(catalog)
        once = list({rule.text: rule for rule in rules}.values())
        value[_feature_key(path, files)] = osm.read_features(path, once, keys=["place", *facility_layer.KEYS])
    return value


def _feature_key(path: Path, files: tuple[Path, ...]) -> str:
    return f"osm{files.index(path)}"  # two folders may hold files of one name


def _places(project: Project, catalog: Catalog, at: Work) -> Value:
    area = at.given["area"]["area"] if "area" in at.given else None
    villages = None
    if "frame" in at.given.get("form_villages", {}):
        villages = forms.gazetteer(at.given["form_villages"]["frame"])
    kinds = (("settlement", project.settlements), ("household", project.households), ("host", project.hosts))
    parts, problems = [], []
    for kind, sources in kinds:
        for source in sources:
            part, found = _place_source(source, kind, project, catalog, at.given, villages)
            if source.osm and area is not None:
                part = part[place_layer.within(part, area)].reset_index(drop=True)
            parts.append(part)
            problems += found
    places, found = place_layer.joined(parts)
    problems += found
    shapes = None
    if project.settlement_shapes is not None:
        source = project.settlement_shapes
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        places, shapes, found = place_layer.with_shapes(places, frame, catalog, file=project.label(source.path))
        problems += found
    if not len(places):
        raise Stop(Problem.stop("no_places", file=project.settlements[0].path))
    if area is not None:
        outside = ~place_layer.within(places, area) & places["lon"].notna()
        for file, rows in places[outside & ~places["position_source"].eq("osm")].groupby("file", sort=False):
            problems.append(Problem.doubt("place_outside_area", file=file, layer="settlements", n=len(rows)))
    points = place_layer.points_of(places, shapes)
    return {"places": places, "points": points, "problems": _in("settlements", problems)}


def _place_source(
    source: Source, kind: str, project: Project, catalog: Catalog, given: Given, villages: pd.DataFrame | None
) -> tuple[pd.DataFrame, list[Problem]]:
    file = project.label(source.path)
    if source.osm:
        chosen = given["features"][_feature_key(source.path, _osm_files(project))]
        held = chosen["rules"].map(lambda rules: place_layer.OSM_RULE in rules)
        return place_layer.from_osm(chosen[held.to_numpy(bool)], catalog, file=file)
    raw, crs, _ = rows_of(source, catalog, file=file)
    return place_layer.from_ledger(raw, catalog, crs=crs, box=box_of(given), kind=kind, villages=villages)


def rows_of(source: Source, catalog: Catalog, *, file: str) -> tuple[io.RawTable, str, np.ndarray | None]:
    """The rows of a table or of a layer under the name that records give the file, their system and shapes."""
    if io.kind(source.path) == "vector":
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        return place_layer.as_rows(frame, catalog, file=file), "WGS-84", frame.geometry.to_numpy()
    io.require(source.path, "table", "vector")
    raw = io.read_table(source.path, sheet=source.sheet)
    return dataclasses.replace(raw, file=file), source.crs or "CGCS2000", None


def _facilities(project: Project, catalog: Catalog, at: Work) -> Value:
    parts: list[pd.DataFrame] = []
    problems: list[Problem] = []
    stops: list[Problem] = []
    sourced: set[str] = set()
    for source in project.facilities:
        try:
            part, found, partial = _facility_source(source, project, catalog, at.given)
        except Stop as stop:
            stops += stop.problems
            continue
        parts.append(part)
        problems += found
        carried = ({source.category} if source.category else set()) | (set(part["category"]) - {""})
        sourced |= carried - partial
    if stops:
        raise Stop(stops)
    whole, found = facility_layer.merged(parts)
    if project.facility_shapes is not None:
        source = project.facility_shapes
        frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        whole, more = facility_layer.with_shapes(whole, frame, catalog, file=project.label(source.path))
        found += more
    return {"facilities": whole, "sourced": sorted(sourced), "problems": _in("facilities", problems + found)}


def _facility_source(
    source: Source, project: Project, catalog: Catalog, given: Given
) -> tuple[pd.DataFrame, list[Problem], set[str]]:
    file = project.label(source.path)
    if source.osm:
        features = given["features"][_feature_key(source.path, _osm_files(project))]
        return facility_layer.from_osm(features, catalog, file=file)
    raw, crs, shapes = rows_of(source, catalog, file=file)
    frame, problems = facility_layer.from_table(
        raw, catalog, crs=crs, box=box_of(given), category=source.category, code=source.code, as_of=project.as_of
    )
    if shapes is not None:  # features are numbered from 1
        own = shapes[frame["row"].to_numpy(np.int64) - 1]
        frame = frame.assign(doors=by_kind(frame["doors"], frame["category"], own, catalog))
    return frame, problems, set()


def _plots(project: Project, catalog: Catalog, at: Work) -> Value:
    source = project.homesteads
    area = at.given["area"]["area"] if "area" in at.given else None
    if source is None:
        raise ValueError("the project names no homesteads")
    if source.osm:
        rule = TagRule.parse("building=*" if source.osm == "true" else source.osm)
        frame = osm.read_features(source.path, [rule])
        if area is not None:
            frame = frame[shapely.intersects(area, frame.geometry.representative_point().to_numpy())]
    else:
        try:
            frame = io.read_vector(source.path, layer=source.layer, crs=source.crs)
        except Stop as stop:  # access does not stand on it, and its plots come out all the same
            try:
                bare = io.read_attributes(source.path, layer=source.layer)
            except Stop:
                bare = gpd.GeoDataFrame(geometry=[], crs=systems.DEGREES)
            plots, found = homestead_layer.plots(bare, catalog, file=project.label(source.path), key_of=key_of())
            told = [problem for problem in found if problem.code != "shape_missing"]  # said of all of them at once
            return {"plots": plots, "problems": _in("homesteads", [*left_out(stop.problems), *told])}
    file = project.label(source.path)
    plots, problems = homestead_layer.plots(frame.reset_index(drop=True), catalog, file=file, key_of=key_of())
    return {"plots": plots, "problems": _in("homesteads", problems)}


def _check(project: Project, catalog: Catalog, at: Work) -> Value:
    """What only shows when files are held together: systems not declared, and a network near no place."""
    streets, places = at.given["network"]["streets"], at.given["places"]["places"]
    problems = _layer_doubts(project)
    plane = systems.zone((streets.box[0] + streets.box[2]) / 2)
    profile = catalog.travel_profile("adult", "walk")
    snapper = Snapper(streets, use_streets(streets, profile), profile=profile, plane=plane)
    if not places["lon"].notna().any():
        raise Stop(Problem.stop("no_place_placed", file=project.settlements[0].path, n=len(places)))
    found = snapper.snap(places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64)).found
    if not found.any():
        limit = f"{profile.off_street_limit_min:g}"
        source = project.network.source
        file = project.network.place if source is None else source.path
        raise Stop(Problem.stop("network_touches_no_place", file=file, n=len(places), limit=limit))
    if _touch(streets.data_box, CHINA):
        frames = [places, *([at.given["facilities"]["facilities"]] if "facilities" in at.given else [])]
        problems += _undeclared_systems(project, pd.concat(frames)[["file", "lon", "lat"]], snapper)
    return {"problems": tuple(problems)}


def _touch(a: io.Bounds, b: io.Bounds) -> bool:
    return a[0] > b[0] and a[1] > b[1] and a[2] < b[2] and a[3] < b[3]


SHIFT_EVIDENCE_N = 15
"""From so many points on, how near they are to streets tells whether they are shifted [P]."""


def _undeclared_systems(project: Project, points: pd.DataFrame, snapper: Snapper) -> list[Problem]:
    """
    Look at the tables in China that do not say what system they are in: map providers' are shifted by 500 m.

    The evidence is how near the points come to streets as they stand and when read as GCJ-02. Nothing is
    converted.
    """
    problems = []
    for source in project.sources():
        if source.crs is not None or source.osm or io.kind(source.path) != "table":
            continue
        if source.path in {form.path for form in project.forms.values()}:
            continue  # it has no positions of its own
        file, sheet = project.label(source.path), source.sheet or ""
        own = points[(points["file"] == file) & points["lon"].notna()].drop_duplicates()
        lon, lat = own["lon"].to_numpy(np.float64), own["lat"].to_numpy(np.float64)
        asis, shifted = (np.nanmedian(_far(snapper, *at)) if len(own) else np.nan for at in (
            (lon, lat), systems.gcj02_to_wgs84(lon, lat)))  # fmt: skip
        layer = "facilities" if source in project.facilities else "settlements"
        doubt = Problem.doubt("crs_assumed", file=file, layer=layer)
        if len(own) >= SHIFT_EVIDENCE_N and asis * 2 < shifted:
            continue  # they lie by the streets as they stand
        if len(own) >= SHIFT_EVIDENCE_N and shifted * 2 < asis:
            told = {"asis": f"{asis:.0f}", "shifted": f"{shifted:.0f}"}
            doubt = Problem.doubt("crs_looks_shifted", file=file, layer=layer, n=len(own), **told)
        problems.append(dataclasses.replace(doubt, sheet=sheet))
    return problems


def _far(snapper: Snapper, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Metres from points to the street; one without any in reach is as far as the limit."""
    return np.nan_to_num(snapper.snap(lon, lat).distance_m, nan=2000.0)


def _layer_doubts(project: Project) -> list[Problem]:
    """Say which layer is read of files that hold several and where none was chosen."""
    doubts = []
    for source in project.sources():
        if source.layer is None and not source.osm and io.kind(source.path) == "vector":
            try:
                names = [layer.name for layer in io.list_layers(source.path)]
            except Stop:
                continue  # who reads it says so
            if len(names) > 1:
                params = (("layer", names[0]), ("layers", "、".join(names)), ("n", str(len(names))))
                doubts.append(Problem("layer_chosen", "doubt", file=project.label(source.path), params=params))
    return doubts


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


def _people(project: Project, at: Work) -> Value:
    if project.people is None:
        raise ValueError("the project names no people")
    area = at.given["area"]["area"] if "area" in at.given else None
    places = at.given["places"]["places"] if "places" in at.given else None
    around = area if area is not None or places is None else _around(places, project.people_limit_m)
    raster = io.read_raster([project.people], within=None if around is None or around.is_empty else around.bounds)
    box = _box_of([places], 0.0)
    if box is not None and not io.touches(raster, box):
        raise Stop(Problem.stop("raster_covers_none", file=project.people))
    return {"raster": raster}


def _terrain(project: Project, at: Work) -> Value:
    places = at.given["places"]["places"] if "places" in at.given else None
    tiles, faults = dem_there(project.dem)
    box = _box_of([places], MARGIN_DEG)
    if "network" in at.given:  # streets near the places rise and fall too
        streets, near = at.given["network"]["streets"], _box_of([places], GRADES_DEG)
        box = _joint(box, near if near is None else _common(near, streets.box))
    raster = io.read_raster(tiles, within=box)
    inner = _box_of([places], 0.0)
    if inner is not None and not io.touches(raster, inner):
        if project.homesteads is None:
            raise Stop(Problem.stop("raster_covers_none", file=project.dem[0]))
        # it may be of the villages that people left; the streets then lie on unknown ground
        doubt = Problem.doubt("terrain_only_of_plots", file=project.dem[0], layer="terrain")
        return {"problems": (*faults, doubt)}
    if not raster.crs.is_geographic:
        try:
            systems.require_metres(raster.crs.to_wkt(), what=project.dem[0].name)
        except CRSUnitError as error:
            raise Stop(Problem.stop("raster_not_metres", file=project.dem[0], reason=error)) from error
    raster, doubts = _in_metres(raster, tuple(tiles))
    doubts = (*faults, *doubts)
    with np.errstate(invalid="ignore"):
        wild = (raster.values < LOWEST_M) | (raster.values > HIGHEST_M)
    if wild.any():
        doubts += (Problem.doubt("terrain_implausible", file=project.dem[0], layer="terrain", n=int(wild.sum())),)
        raster = dataclasses.replace(raster, values=np.where(wild, np.nan, raster.values))
    return {"raster": raster, "problems": doubts}


def _in_metres(raster: io.Raster, files: tuple[Path, ...]) -> tuple[io.Raster, tuple[Problem, ...]]:
    """Turn heights in feet into metres, with a doubt; tiles in several units, or in an unknown one, stop."""
    told = [io.height_unit_m(path) for path in files]
    unit_m, unit = told[0]
    odd = [file for file, (other, _) in zip(files, told, strict=True) if other != unit_m]  # NaN is no unit
    if odd:
        names = "、".join(dict.fromkeys(name or "—" for _, name in told))
        raise Stop(Problem.stop("terrain_unit", file=odd[0], unit=names))
    if unit_m == 1.0:
        return raster, ()
    doubt = Problem.doubt("terrain_in_feet", file=files[0], layer="terrain", unit=unit)
    return dataclasses.replace(raster, values=(raster.values * unit_m).astype(np.float32)), (doubt,)


UNKNOWN_SHARE = 0.01
"""From so much of the land cover in classes that have no factor on, a doubt says so."""


def _cover(project: Project, catalog: Catalog, at: Work) -> Value:
    """Classes of land cover where there is terrain."""
    if project.landcover is None:
        raise ValueError("the project names no land cover")
    ground = terrain_in(at.given)
    if ground is None:
        return {}
    raster = io.read_raster([project.landcover], within=_degrees_of(ground))
    if not np.isfinite(raster.values).any():
        raise Stop(Problem.stop("raster_covers_none", file=project.landcover))
    factors = pd.DataFrame({"code": list(catalog.cover), "factor": list(catalog.cover.values())})
    codes, count = np.unique(raster.values[np.isfinite(raster.values)], return_counts=True)
    unknown = ~np.isin(codes, list(catalog.cover))
    share = float(count[unknown].sum() / count.sum())
    if share < UNKNOWN_SHARE:
        return {"raster": raster, "factors": factors}
    most = codes[unknown][np.argsort(-count[unknown], kind="stable")]
    told = some([f"{code:g}" for code in most])
    doubt = Problem.doubt(
        "cover_unknown", file=project.landcover, layer="terrain", codes=told, pct=f"{100 * share:.0f}"
    )
    return {"raster": raster, "factors": factors, "problems": (doubt,)}


def _common(a: io.Bounds, b: io.Bounds) -> io.Bounds | None:
    west, south, east, north = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return (west, south, east, north) if west < east and south < north else None


def _joint(a: io.Bounds | None, b: io.Bounds | None) -> io.Bounds | None:
    if a is None or b is None:
        return a or b
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _degrees_of(raster: io.Raster) -> io.Bounds:
    """The box of a raster in degrees."""
    outline = np.array([shapely.box(*raster.bounds)], object)
    return io.bounds_of(systems.geometry_to_degrees(outline, raster.crs.to_wkt()))


def _grades(at: Work) -> Value:
    """Heights along the streets; in a doubt, how much of them within the terrain's box has none."""
    streets, raster = at.given["network"]["streets"], terrain_in(at.given)
    if raster is None:
        return {}
    found = grades_of(streets, raster)
    void_km = float(found.void_m[in_scope(streets, _degrees_of(raster))].sum() / 1000)
    if void_km < VOID_KM:
        return {"grades": found}
    doubt = Problem.doubt("terrain_voids", layer="terrain", km=f"{void_km:,.1f}")
    return {"grades": found, "problems": (doubt,)}


NOT_CROSSED = ("waterway=river|canal", "waterway=riverbank", "natural=water", "natural=coastline")
"""What nobody wades through off the streets, unless it runs dry, or under the ground [P]."""

FENCED = ("motorway", "motorway_link")
"""Streets that nobody walks across but over or under them."""


def _barriers(project: Project, _: Work) -> Value:
    """Waters and coasts of the OSM file: what parts the hillside."""
    if project.network.source is None:
        raise ValueError("the project names no network")
    rules = [TagRule.parse(text) for text in NOT_CROSSED]
    found = osm.read_features(project.network.source.path, rules, keys=["intermittent", "seasonal", "tunnel"])
    wet = ~found["intermittent"].eq("yes") & ~found["seasonal"].eq("yes") & found["tunnel"].isin(("", "no"))
    lines = found[wet & found.geometry.notna() & (shapely.get_dimensions(found.geometry.to_numpy()) > 0)]
    return {"barriers": lines[["osm_id", "geometry"]].reset_index(drop=True)}


def _hillside(at: Work) -> Value:
    """Lay out the ground between the streets, with what is not crossed."""
    given = at.given
    ground = terrain_in(given)
    if ground is None:
        return {}
    grid = walking_grid(ground)
    closed = closed_in(given)
    cover = given.get("cover", {})
    factor = None
    if "raster" in cover:
        factors = cover["factors"]
        factor = cover_factors(grid, cover["raster"], dict(zip(factors["code"], factors["factor"], strict=True)))
    near = closed[shapely.intersects(closed, shapely.box(*_degrees_of(grid)))]
    return {"hillside": lay_hillside(grid, factor=factor, closed=near)}


def hillside_in(given: Given) -> Hillside | None:
    """Give the ground between the streets; None where there is no terrain."""
    found: Hillside | None = given.get("hillside", {}).get("hillside")
    return found


def closed_in(given: Given) -> np.ndarray:
    """Collect what nobody crosses off the streets, lines and areas in degrees."""
    streets = given["network"]["streets"]
    fenced = streets.tags["highway"].isin(FENCED) | (streets.tags["motorroad"] == "yes")
    closed = list(streets.lines(edges=fenced.to_numpy(bool)[streets.way] & ~streets.raised))
    for stage, name in (("barriers", "barriers"), ("form_rivers", "frame")):
        if name in given.get(stage, {}):
            closed += list(given[stage][name].geometry)
    shapes = np.array([*closed, None], object)[:-1]  # also where there is one only
    shapes = np.asarray(shapes[shapely.get_dimensions(shapes) > 0], object)
    areas = shapely.get_dimensions(shapes) == 2
    shapes[areas] = shapely.make_valid(shapes[areas])
    return shapes


def _open_ground(catalog: Catalog, at: Work) -> Value:
    found = crossed(catalog, at.given, at.given["facilities"]["facilities"])
    return {} if found is None else {**found.frames()}


def crossed(catalog: Catalog, given: Given, facilities: pd.DataFrame) -> OpenGround | None:
    """Find the ways off the streets of places and some facilities; None where there is no terrain."""
    hillside, grades = hillside_in(given), grades_in(given)
    if hillside is None or grades is None:
        return None
    return cross(
        given["places"]["points"], facilities, streets=given["network"]["streets"], catalog=catalog, grades=grades,
        hillside=hillside,
    )  # fmt: skip


def open_ground_in(given: Given) -> OpenGround | None:
    """Give the ways off the streets; None where there is no terrain."""
    return OpenGround.of(given["open_ground"]) if given.get("open_ground") else None


def _counted(project: Project, catalog: Catalog, at: Work) -> Value:
    more = project.scenario.of("add_people")
    places = at.given["places"]["places"]
    if "people" not in at.given or project.people is None:
        return {"places": edit_places(places, more, catalog, file=project.scenario.name) if more else places}
    raster = at.given["people"]["raster"]
    # the cells around a scattered household hold others than its own people; who will live in a new settlement
    # is told with it
    there = places.iloc[: len(places) - len(project.scenario.of("add_place"))]
    counting = (places["place_kind"] != "household") & places.index.isin(there.index)
    lon, lat = (places[name].where(counting).to_numpy(np.float64) for name in ("lon", "lat"))
    area = at.given["area"]["area"] if "area" in at.given else None
    area = area if area is not None else _around(there, project.people_limit_m)
    counted = count_people(raster, lon, lat, limit_m=project.people_limit_m, within=area)
    filled = place_layer.with_people(places, counted.at_point, catalog)
    filled = edit_places(filled, more, catalog, file=project.scenario.name) if more else filled
    balance = {
        "raster_total": counted.total,
        "at_places": float(np.nansum(counted.at_point)),
        "nowhere": counted.nowhere,
        "ledger": float(places["pop"].sum()),
        "places_unknown": float(filled["pop"].isna().sum()),
    }
    problems: tuple[Problem, ...] = ()
    if counted.nowhere >= 1:
        problems = (
            Problem.doubt(
                "people_beyond", file=project.people, layer="people", nowhere=f"{counted.nowhere:,.0f}",
                total=f"{counted.total:,.0f}", limit=f"{project.people_limit_m:g}",
            ),
        )  # fmt: skip
    table = pd.DataFrame({"item": list(balance), "number": list(balance.values())})
    return {"places": filled, "balance": table, "problems": problems}


def _around(places: pd.DataFrame, limit_m: float) -> shapely.Geometry:
    """Without a service area: the box of the places, with room for the limit (a degree is over 50 km)."""
    box = _box_of([places], 2 * limit_m / 100_000.0)
    return shapely.box(*box) if box is not None else shapely.Point()


def _access(project: Project, catalog: Catalog, at: Work) -> Value:
    every = len(catalog.in_access())
    seen: dict[str, int] = {}

    def tell(category: str) -> None:
        seen.setdefault(category, len(seen) + 1)
        at.teller.part(category, seen[category], every)

    places, facilities, asked = asked_of(project, catalog, at.given)
    measured = measure_access(places, facilities, **asked, progress=tell)
    return {"access": measured.access, "snaps": measured.snaps}


def _access_of(project: Project, catalog: Catalog, categories: Sequence[str], at: Work) -> Value:
    """Measure some categories anew; what was measured of the others stands."""
    places, facilities, asked = asked_of(project, catalog, at.given)
    measured = measure_access(places, facilities, **asked, categories=categories)
    whole = with_measured(at.given[f"{WAS}access"]["access"], measured.access, places, catalog)
    return {"access": whole, "snaps": measured.snaps}


def asked_of(project: Project, catalog: Catalog, given: Given) -> tuple[pd.DataFrame, pd.DataFrame, Asked]:
    """What is measured, and against what."""
    facilities = given["facilities"]
    asked: Asked = {
        "streets": given["network"]["streets"], "catalog": catalog,
        "sourced": frozenset(facilities["sourced"]), "points": given["places"]["points"],
        "circle_personas": project.circle_personas, "met_share": project.met_share,
        "grades": grades_in(given), "open_ground": open_ground_in(given),
        "closed": closed_in(given),
    }  # fmt: skip
    return given["people_at"]["places"], facilities["facilities"], asked


def _intervals(project: Project, catalog: Catalog, at: Work) -> Value:
    places, facilities, asked = asked_of(project, catalog, at.given)
    return {"intervals": intervals(at.given["access"]["access"], places, facilities, **asked)}


def _seats(project: Project, catalog: Catalog, at: Work) -> Value:
    places, facilities, asked = asked_of(project, catalog, at.given)
    districts = at.given.get("form_school_districts", {}).get("frame")
    found = place_pupils(places, facilities, districts=districts, **asked)
    now = found.seats[(found.seats["year"] == 0) & (found.seats["view"] == VIEWS[-1])]
    doubts = []
    without = places[places[list(place_layer.AGES)].isna().all(axis=1) & places["pop"].notna()]
    for file, rows in without.groupby("file", sort=False):
        count = f"{now.loc[now['place_id'].isin(rows['place_id']), 'pupils'].sum():,.0f}"
        doubts.append(
            Problem.doubt("pupils_by_ratio", file=str(file), layer="settlements", n=len(rows), pupils=count)
        )
    school = found.schools[found.schools["year"] == 0].drop_duplicates("facility_id", keep="last")
    unknown, many = school["capacity"].isna(), school["capacity"] > MOST_SEATS
    if unknown.any():
        named = some(list(school.loc[unknown, "facility_id"]))
        doubts.append(Problem.doubt("seats_unknown", layer="facilities", n=int(unknown.sum()), ids=named))
    if many.any():
        named = some(list(school.loc[many, "facility_id"]))
        doubts.append(Problem.doubt("seats_implausible", layer="facilities", n=int(many.sum()), ids=named))
    if districts is not None:
        lost = unknown_leads(districts, school_pools(counting(facilities, catalog), catalog))
        if lost:
            file = str(districts["file"].iloc[0])
            doubts.append(
                Problem.doubt(
                    "district_lead_unknown", file=file, layer="school_districts", n=len(lost), ids=some(lost)
                )
            )
    tables = {name: getattr(found, name) for name in ("seats", "schools", "cuts", "methods")}
    return {**tables, "problems": tuple(doubts)}


def _care_level(project: Project, catalog: Catalog, level: str, at: Work) -> Value:
    places, facilities, asked = asked_of(project, catalog, at.given)
    found = measure_level(catalog.care[level], places, facilities, **asked)
    own = facilities[facilities["category"].isin(catalog.care[level].categories) & facilities["operating"]]
    silent = own[own["doctors"].isna() & ~own["category"].isin(catalog.default_staff)]
    doubts = []
    if len(silent):
        named = some(list(silent["facility_id"]))
        doubts.append(Problem.doubt("staff_unknown", layer="facilities", n=len(silent), ids=named))
    tables = {name: getattr(found, name) for name in _OF_LEVEL}
    return {**tables, "problems": tuple(doubts)}


_OF_LEVEL = ("care", "care_levels", "referrals")


def _care_grids(project: Project, catalog: Catalog, at: Work) -> Value:
    places, facilities, asked = asked_of(project, catalog, at.given)
    layer = at.given.get("form_care_grids", {}).get("frame")
    table, grid_id, given = care_grids(places, facilities, grids=layer, **asked)
    doubts = [] if given is None else _grid_doubts(given, layer, places)
    of = pd.DataFrame({"place_id": grid_id.index.to_numpy(object), "grid_id": grid_id.to_numpy(object)})
    return {"grids": table, "grid_of": of, "problems": tuple(doubts)}


def _care(catalog: Catalog, at: Work) -> Value:
    levels = [
        LevelCare(*(at.given[f"care_{name}"][table] for table in _OF_LEVEL)) for name in catalog.care
    ]  # fmt: skip
    grids, of = at.given["grids"]["grids"], at.given["grids"]["grid_of"]
    places = at.given["people_at"]["places"]
    found = joined_care(levels, grids, of.set_index("place_id")["grid_id"], places, catalog)
    return {name: getattr(found, name) for name in ("care", "care_levels", "care_reach", "referrals")}


def _grid_doubts(read: GivenGrids, layer: gpd.GeoDataFrame, places: pd.DataFrame) -> list[Problem]:
    """What keeps a layer of grids from being a partition with one lead each."""
    file, ids = str(layer["file"].iloc[0]), places["place_id"].to_numpy(object)
    names = [str(name) for name in layer["name" if "name" in layer else "row"]]
    placed = places["lon"].notna().to_numpy(bool)
    told = (
        [f"{names[i]}–{names[j]}" for i, j in read.overlaps], list(ids[placed & (read.grid < 0)]),
        list(ids[read.several > 1]), [name for name, lead in zip(names, read.lead, strict=True) if lead < 0],
    )  # fmt: skip
    n, ids_of = [len(named) for named in told], [some(named) for named in told]
    doubts = (
        Problem.doubt("grid_overlap", file=file, layer="care_grids", n=n[0], ids=ids_of[0]),
        Problem.doubt("grid_without", file=file, layer="care_grids", n=n[1], ids=ids_of[1]),
        Problem.doubt("grid_several", file=file, layer="care_grids", n=n[2], ids=ids_of[2]),
        Problem.doubt("grid_lead_unknown", file=file, layer="care_grids", n=n[3], ids=ids_of[3]),
    )
    return [doubt for doubt, named in zip(doubts, told, strict=True) if named]


def _equity(catalog: Catalog, at: Work) -> Value:
    least = {
        name: level.staff_per_1000 for name, level in catalog.care.items() if level.staff_per_1000 is not None
    }
    table = equity(
        at.given["people_at"]["places"], at.given["care"]["care"], at.given["seats"]["seats"], least=least,
        care_method=CARE_METHOD, seats_view=VIEWS[-1],
    )  # fmt: skip
    return {"equity": table}


def _verified(project: Project, catalog: Catalog, at: Work) -> Value:
    places, facilities, asked = asked_of(project, catalog, at.given)
    return {"again": verify(places, facilities, **asked)}


def _circles(project: Project, catalog: Catalog, at: Work) -> Value:
    places = at.given["people_at"]["places"]
    access = at.given["access"]["access"]
    circles = judge_circles(access, places, catalog=catalog, personas=project.circle_personas)
    return {
        "circles": circles,
        "shares": circle_shares(circles, places, strata=project.strata, county=project.name),
    }


def _streets(catalog: Catalog, at: Work) -> Value:
    streets = at.given["network"]["streets"]
    value: Value = {"left_out": streets_left_out(streets, catalog)}
    grades = grades_in(at.given)
    if grades is not None:
        effect, steepest = effect_of_grades(streets, grades, catalog)
        value |= {"slope_effect": effect, "steepest": steepest}
    return value


def _rings(catalog: Catalog, at: Work) -> Value:
    streets, places = at.given["network"]["streets"], at.given["places"]["places"]
    rings = circle_rings(
        places, streets=streets, catalog=catalog, grades=grades_in(at.given), closed=closed_in(at.given)
    )
    return {"rings": rings}


def _gaps(at: Work) -> Value:
    access = at.given["access"]["access"]
    return {"gaps": distance_gaps(access), "coverage": coverage(access, at.given["people_at"]["places"])}


def _laws(catalog: Catalog, met_share: float | None, at: Work) -> Value:
    drawn = {"rings": at.given["rings"]["rings"]} if "rings" in at.given else {}
    laws = check_laws(tables_of(at.given) | drawn, catalog=catalog, met_share=met_share)
    if "verify" in at.given:
        laws = pd.concat([laws, at.given["verify"]["again"]], ignore_index=True)
    broken = laws[~laws["held"]]
    if len(broken):
        raise LawBroken(broken)
    return {"laws": laws}
