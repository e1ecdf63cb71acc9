"""The stages of old homesteads: houses, plots measured, what they become, demolition, quota and rights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from analysis.demolition import demolition, judged
from analysis.homesteads import (
    assemble,
    claims,
    crowded,
    done_assumed,
    done_beyond,
    done_otherwise,
    done_unread,
    unmatched,
    with_houses,
)
from analysis.origins import origins
from analysis.plots import STEEP_DEG, WILD, Land, measure_plots, village_of
from analysis.quota import own_m2, project_ids, quota, worth
from analysis.reclamation import (
    MAJORITY,
    Around,
    Site,
    by_slope_class,
    by_way,
    decide,
    differs_from_ground,
    distances,
    fire,
    moved,
    names_differ,
)
from analysis.rights import double_claims, rights
from geo import crs as systems
from geo import io
from geo.overlay import areal
from geo.problems import Problem, Stop
from geo.terrain import over_share, slope_by_tiles
from layers import catalog as catalogue
from layers.catalog import Catalog
from layers.houses import HOUSES, STAGES, houses, key_maker, match, stage_number, with_towns
from layers.ledgers import some
from yike.project import Project
from yike.secret import household_secret
from yike.stages import Stage, Work
from yike.store import Value

ZONES = ("permanent_farmland", "redline", "reserves", "hazards", "rivers")
"""Layers that gates may name."""


def key_of() -> Callable[[str], str] | None:
    """Give what turns an ID number into a key; None where no secret can be kept."""
    secret = household_secret()
    return None if secret is None else key_maker(secret)


def secret_mark() -> str:
    """What tells one secret from another without telling anything of it."""
    secret = household_secret()
    return "" if secret is None else hashlib.sha256(b"yike" + secret).hexdigest()[:12]


def plot_stages(project: Project, catalog: Catalog) -> list[Stage]:
    """Give the stages of old homesteads and houses, in order; none for a project that has neither."""
    asked = project.plain([catalog.reclamation, catalog.land])
    layers = tuple(f"form_{name}" for name in (*ZONES, "survey"))
    stages = []
    if "house_ledger" in project.forms:
        stages.append(
            Stage("houses", partial(_houses, project, catalog), needs=("form_house_ledger",),
                  also=("homesteads", "form_villages"), settings=[asked, str(project.as_of)], layer="house_ledger")
        )  # fmt: skip
    if project.homesteads is not None:
        around = ("form_survey", "form_slope_map", "form_collectives", "form_villages", "houses",
                  "form_quota_projects")  # fmt: skip
        stages += [
            Stage("plots", partial(_measured, project, catalog), needs=("homesteads",), also=around,
                  reads=project.dem, settings=[asked, project.crs, project.name], layer="homesteads"),
            Stage("reclamation", partial(_decided, catalog), needs=("homesteads", "plots"),
                  also=("houses", "network", "people_at", "form_quota_projects", *layers), settings=asked,
                  layer="homesteads"),
            Stage("quota", partial(_quota, project, catalog), needs=("reclamation",),
                  also=("form_quota_projects", "houses"), layer="quota_projects",
                  settings=[asked, project.plain(project.prices), str(project.as_of), project.name]),
            Stage("origins", partial(_origins, project, catalog), needs=("form_villages", "reclamation"),
                  also=("people_at", *layers), reads=project.dem, settings=asked, layer="villages"),
            Stage("rights", _rights, needs=("reclamation",), also=("form_contract_land",), layer="collectives"),
        ]  # fmt: skip
    if "house_ledger" in project.forms:
        stages.append(
            Stage("demolition", partial(_demolition, project, catalog), needs=("houses",), also=("reclamation",),
                  settings=[asked, project.name], layer="house_ledger")
        )  # fmt: skip
    return stages


def dem_there(files: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """
    Say which tiles of terrain can be read together, and what is wrong with the others: a fault where any can.

    Raises
    ------
    Stop
        None can.
    """
    there, problems = io.usable_tiles(files)
    if not there:
        raise Stop(problems)
    return there, [Problem(p.code, "fault", "terrain", p.file, params=p.params) for p in problems]


def _houses(project: Project, catalog: Catalog, at: Work) -> Value:
    ledger, villages = at.given["form_house_ledger"]["frame"], _frame(at, "villages")
    plots = at.given.get("homesteads", {}).get("plots")
    if plots is not None and villages is not None:
        there = village_of(plots.geometry.representative_point(), villages)
        plots = plots.assign(ground_town=there["town"], ground_village=there["village"])
    known = [frame["town"] for frame in (villages, plots, ledger) if frame is not None and "town" in frame]
    ledger = with_towns(ledger, {str(town) for towns in known for town in towns.unique()})
    read, problems = houses(ledger, catalog, as_of=project.as_of)
    if not len(read):
        nothing = [*HOUSES, "may_stay", "overdue", "should_demolish_ledger", "differs", "due_date"]
        return {"houses": pd.DataFrame(columns=nothing), "problems": tuple(problems)}
    found, doubts = judged(read, catalog, as_of=project.as_of)
    value: Value = {"houses": found, "problems": (*problems, *doubts)}
    if plots is None:
        return value
    if not (plots["house_id"] != "").any():  # a layer may call plots by the numbers of their houses
        plots = plots.assign(house_id=plots["homestead_id"])
    shapes = plots.geometry.to_numpy()
    area = np.where(areal(shapes), systems.area_m2(shapes), plots["ledger_area_m2"].to_numpy(np.float64))
    matched = match(plots, found, area_m2=area)
    told = (*unmatched(plots, found, matched), *crowded(plots, found))
    return value | {"matched": matched, "problems": (*value["problems"], *told)}


def _told(
    plots: gpd.GeoDataFrame, at: Work, catalog: Catalog, *, area_m2: pd.Series | None = None
) -> pd.DataFrame:
    own = at.given.get("houses", {})
    found = own.get("houses", pd.DataFrame())
    if not len(found):
        found = pd.DataFrame(columns=[*HOUSES, "may_stay", "overdue"])
    nothing = pd.DataFrame({"plot": [], "house": [], "matched_by": []})
    nothing = nothing.astype({"plot": "int64", "house": "int64", "matched_by": "object"})
    return with_houses(plots, found, own.get("matched", nothing), catalog, area_m2=area_m2)


def _frame(at: Work, name: str) -> gpd.GeoDataFrame | None:
    frame = at.given.get(f"form_{name}", {}).get("frame")
    return frame if frame is not None and len(frame) else None


def _measured(project: Project, catalog: Catalog, at: Work) -> Value:
    plots = at.given["homesteads"]["plots"]
    plane = None if project.crs == "auto" else CRS.from_user_input(systems.system(project.crs))
    told = _told(plots, at, catalog)
    names = ("slope_map", "survey", "collectives", "villages")
    slope_map, survey, collectives, villages = (_frame(at, name) for name in names)
    around = Land(slope_map=slope_map, survey=survey, collectives=collectives, villages=villages)
    ledger = told[["house_area_m2", "house_file", "house_row"]].set_axis(["area_m2", "file", "row"], axis=1)
    said = plots["collective"].where(plots["collective"] != "", told["house_collective"])
    plots = plots.assign(collective=said)
    claimed, _, _ = claims(plots, told, at.given.get("form_quota_projects", {}).get("frame"))
    problems: list[Problem] = []
    terrain: io.RasterFiles | None = None
    with ExitStack() as open_files:
        if project.dem:
            tiles, problems = dem_there(project.dem)
            unit_m, _ = io.height_unit_m(tiles[0])
            terrain = open_files.enter_context(io.RasterFiles(tiles))
            around = replace(around, terrain=terrain, unit_m=unit_m)
        found, doubts = measure_plots(
            plots, around, catalog, ledger=ledger, plane=plane, county=project.name,
            limits_deg=catalogue.load().reclamation.slope_limits(),
            claims=pd.DataFrame({"project": claimed, "stage": told["stage"]}),
        )  # fmt: skip
        if terrain is not None:
            lon, lat = (found[name].to_numpy(np.float64) for name in ("lon", "lat"))
            beyond = ~terrain.holds(lon, lat) & ~np.isnan(lon)
            problems = [*problems, *(
                Problem.doubt("plots_without_slope", file=file, layer="homesteads", n=len(own),
                              ids=some(list(own["homestead_id"])))
                for file, own in plots[beyond].groupby("file", sort=False)
            )]  # fmt: skip
    return {"measured": found, "problems": (*problems, *doubts)}


def _decided(catalog: Catalog, at: Work) -> Value:
    plots, measured = at.given["homesteads"]["plots"], at.given["plots"]["measured"]
    # ground that two plots share is parted once
    told = _told(plots, at, catalog, area_m2=measured["area_m2"] - measured["overlap_m2"])
    layers = {name: frame.geometry.to_numpy() for name in ZONES if (frame := _frame(at, name)) is not None}
    around = Around(layers, _frame(at, "survey"), _streets(at), layers.get("rivers"), _people(at))
    site = Site.of(plots, measured, around)
    site = site.with_measured(measured.join(distances(site)))
    stays, why = told["may_stay"].to_numpy(bool), told["exception"].to_numpy(object)

    def ways_by(rules: Catalog) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        fired, number = fire(site, rules)
        return decide(site, fired, number, rules, retained=stays, exception=why), fired, number

    ways, fired, asked = ways_by(catalog)
    projects = at.given.get("form_quota_projects", {}).get("frame")
    project, twice, problems = claims(plots, told, projects)
    table = assemble(site.measured, ways, told, project, twice)
    table["disputed"] = fired["disputed"].to_numpy(bool) if "disputed" in fired else False
    value: Value = {
        "homesteads": table,
        "ways": by_way(table),
        "slopes": by_slope_class(table),
        "fired": fired,
        "asked": asked,
        "problems": (
            *problems,
            *done_unread(plots, told),
            *done_otherwise(plots, table, catalog),
            *done_assumed(plots, told, table, catalog),
            *done_beyond(plots, table, pct=catalog.reclamation.differs_pct),
            *_not_asked(plots, fired, asked, catalog),
            *_named_otherwise(plots, table),
        ),
    }
    plain = catalogue.load()
    if catalog.reclamation != plain.reclamation:  # say which plots the project's own limits move
        was, _, _ = ways_by(plain)
        value["ways_moved"] = moved(was, table)
    return value


def _named_otherwise(plots: gpd.GeoDataFrame, own: pd.DataFrame) -> list[Problem]:
    """Say where most collectives are written otherwise than the layer of collectives writes them."""
    if "ground_collective" not in own or not len(own):
        return []
    differ = differs_from_ground(own)
    if not names_differ(differ):
        return []
    file = str(plots["file"].iloc[0])
    return [
        Problem.doubt("collective_names_differ", file=file, layer="collectives", n=int(differ.sum()), all=len(own))
    ]


def _not_asked(
    plots: gpd.GeoDataFrame, fired: pd.DataFrame, asked: pd.DataFrame, catalog: Catalog
) -> list[Problem]:
    """Name the gates that nothing could be asked of: no layer, or no number."""
    silent = [
        gate
        for name, gate in catalog.reclamation.gates.items()
        if asked[name].isna().all() and not fired[name].any()
    ]
    if not silent or not len(plots):
        return []
    file = str(plots["file"].iloc[0])
    return [
        Problem.doubt(
            "gates_not_asked",
            file=file,
            layer="homesteads",
            n=len(silent),
            names_zh="、".join(gate.named("zh") for gate in silent),
            names_en=", ".join(gate.named("en") for gate in silent),
        )
    ]


def _streets(at: Work) -> NDArray[np.object_] | None:
    if "network" not in at.given:
        return None
    streets = at.given["network"]["streets"]
    parts = np.repeat(np.arange(streets.edge_n), np.diff(streets.offset))
    return np.asarray(shapely.linestrings(np.column_stack((streets.lon, streets.lat)), indices=parts), np.object_)


def _people(at: Work) -> NDArray[np.object_] | None:
    places = at.given.get("people_at", {}).get("places")
    if places is None:
        return None
    known = places[places["lon"].notna() & (places["pop"] > 0)]
    return np.asarray(shapely.points(known["lon"].to_numpy(float), known["lat"].to_numpy(float)), np.object_)


def _quota(project: Project, catalog: Catalog, at: Work) -> Value:
    projects = at.given.get("form_quota_projects", {}).get("frame")
    table, problems = quota(
        at.given["reclamation"]["homesteads"], projects, catalog, as_of=project.as_of, county=project.name,
        without_plot=_accepted_without_plot(at.given.get("houses", {}), projects),
    )  # fmt: skip
    source = project.forms.get("quota_projects", project.forms.get("house_ledger", project.homesteads))
    file = "" if source is None else project.label(source.path)
    of_houses = project.forms.get("house_ledger")
    files = {"house_ledger": file if of_houses is None else project.label(of_houses.path)}
    value: Value = {
        "quota": table,
        "problems": tuple(replace(problem, file=files.get(problem.layer, file)) for problem in problems),
    }
    if project.prices:
        value["quota_worth"] = worth(table, project.prices)
    return value


def _accepted_without_plot(own: Value, projects: pd.DataFrame | None) -> pd.DataFrame | None:
    """What ``analysis.quota.quota`` asks of accepted houses that no plot is matched with; None where none is."""
    matched = own.get("matched")
    if matched is None or not len(matched):
        return None
    table: pd.DataFrame = own["houses"]
    lone = ~np.isin(np.arange(len(table)), matched["house"].to_numpy(np.int64))
    found = table[lone & (stage_number(table["stage"]) >= STAGES.index("accepted")) & ~table["may_stay"]]
    project = project_ids(found["quota_project"].astype("str"), projects)
    return pd.DataFrame({"project_id": project, "county": found["county"], "area_m2": found["plot_area"]})


def _origins(project: Project, catalog: Catalog, at: Work) -> Value:
    villages, survey = at.given["form_villages"]["frame"], _frame(at, "survey")
    places = at.given.get("people_at", {}).get("places")
    steep = np.full(len(villages), np.nan)
    steep_field: np.ndarray | None = None
    if project.dem:
        tiles, _ = dem_there(project.dem)
        unit_m, _ = io.height_unit_m(tiles[0])
        with io.RasterFiles(tiles) as files:
            under = slope_by_tiles(villages, files, limits_deg=[STEEP_DEG], unit_m=unit_m)
            steep = under[over_share(STEEP_DEG)].to_numpy(np.float64)
            if survey is not None:
                fields = slope_by_tiles(survey, files, limits_deg=[STEEP_DEG], unit_m=unit_m)
                share = fields[over_share(STEEP_DEG)]
                steep_field = (share > MAJORITY).astype("float64").mask(share.isna()).to_numpy(np.float64)
    resting = {name: frame.geometry.to_numpy() for name in ("hazards", "redline", "reserves")
               if (frame := _frame(at, name)) is not None}  # fmt: skip
    living = None if places is None else places[places["place_kind"] != "settlement"]
    table = origins(
        villages, at.given["reclamation"]["homesteads"], catalog, steep_share=steep, zones=resting, survey=survey,
        steep_field=steep_field, people=living,
    )  # fmt: skip
    return {"origins": table}


def _rights(at: Work) -> Value:
    value: Value = {"rights": rights(at.given["reclamation"]["homesteads"])}
    if "form_contract_land" in at.given:
        found, problems = double_claims(at.given["form_contract_land"]["frame"])
        value |= {"subsidy_claims": found, "problems": tuple(problems)}
    return value


def _demolition(project: Project, catalog: Catalog, at: Work) -> Value:
    own = at.given["houses"]
    table, matched = own["houses"].copy(), own.get("matched")
    told = table["plot_area"].to_numpy(np.float64)
    low, high = catalog.reclamation.plausible_m2
    wild = ~((told >= low / WILD) & (told <= high * WILD))
    area, way = np.where(wild, np.nan, told) / systems.M2_PER_MU, np.full(len(table), "", object)
    table["homestead_ids"], table["matched_by"] = "", ""
    if matched is not None and "reclamation" in at.given:
        plots = at.given["reclamation"]["homesteads"].iloc[matched["plot"].to_numpy(np.int64)]
        # ground that two plots share counts once
        plots = plots.assign(house=matched["house"].to_numpy(np.int64), own_mu=own_m2(plots) / systems.M2_PER_MU)
        by = plots.groupby("house")
        rows = np.array(list(by.groups), np.int64)
        size = by["own_mu"].sum(min_count=1).to_numpy(np.float64)
        # a point tells no ground: what the ledger says of the house goes before
        drawn = by["area_source"].agg(lambda sources: (sources == "polygon").all()).to_numpy(bool)
        area[rows] = np.where(np.isnan(size) | ~(drawn | np.isnan(area[rows])), area[rows], size)
        way[rows] = by["way"].first().to_numpy(object)
        table.iloc[rows, table.columns.get_loc("homestead_ids")] = (
            by["homestead_id"].agg(";".join).to_numpy(object)
        )
        table.iloc[rows, table.columns.get_loc("matched_by")] = by["matched_by"].first().to_numpy(object)
        for name in ("county", "town", "village"):
            own_name = by[name].first().reindex(range(len(table))).fillna("").to_numpy(object)
            table[name] = table[name].where(table[name] != "", own_name)
    # a workbook is of one township: where it says which of some houses, it is so of all
    told = table[table["town"] != ""].drop_duplicates(["file", "town"])
    town_of = dict(told.loc[~told["file"].duplicated(keep=False), ["file", "town"]].to_numpy().tolist())
    table["town"] = [
        town or town_of.get(file, "") for town, file in zip(table["town"], table["file"], strict=True)
    ]
    table["county"] = table["county"].where(table["county"] != "", project.name)
    table["area_mu"], table["way"] = area, way
    # what people wrote as they liked was read, and may name somebody
    shown = table.drop(columns=["household_keys", "reclaim_kind", "quality"])
    return {"houses": shown, "demolition": demolition(table)}
