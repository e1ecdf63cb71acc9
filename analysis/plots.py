"""Old homesteads measured: true area, ground, land survey, whose they are, and what the ledger says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy import sparse, spatial
from scipy.sparse import csgraph

from geo import crs as systems
from geo.io import Raster, RasterFiles
from geo.overlay import areal, covered_m2, first_holding, most, only, overlaps, pieces
from geo.problems import Problem
from geo.terrain import SLOPE_CLASS_DEG, no_slope, over_share, slope_by_tiles, slope_deg, slope_under
from layers.catalog import Catalog
from layers.homesteads import LEAST_M2
from layers.houses import stage_number
from layers.ledgers import collective_core, one_name, some

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

STEEP_DEG = 25.0
"""The limit of the law; the survey's steepest class begins above it."""

STEEPEST = 5
"""That class."""

PER_MU = systems.M2_PER_MU

WILD = 10.0
"""So many times beyond what is plausible a ledger's area is a mistake of writing [P]."""


@dataclass(frozen=True, slots=True, eq=False)
class Land:
    """
    What lies around plots, in degrees, each as ``layers.forms`` reads it or None.

    ``terrain`` is a raster of heights in metres, or open files whose unit is ``unit_m`` metres.
    """

    terrain: Raster | RasterFiles | None = None
    unit_m: float = 1.0
    slope_map: gpd.GeoDataFrame | None = None
    survey: gpd.GeoDataFrame | None = None
    collectives: gpd.GeoDataFrame | None = None
    villages: gpd.GeoDataFrame | None = None


def ground_of(plots: gpd.GeoDataFrame, area_m2: Floats) -> Shapes:
    """
    Give the ground that each plot takes: its polygon, or round a point a circle of its area; None where unknown.

    Parameters
    ----------
    plots
        Of ``layers.homesteads.plots``.
    area_m2
        Of each plot, NaN where it is not known.
    """
    shapes: Shapes = plots.geometry.to_numpy().copy()
    points = np.flatnonzero((shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & (area_m2 > 0))
    at = spots(shapes[points])
    shapes[~areal(shapes)] = None
    if len(points):
        plane = systems.zone(float(np.median(shapely.get_x(at))))
        flat = systems.geometry_to_plane(at, plane)
        # as large as the circle is the polygon of 64 corners
        radius = np.sqrt(area_m2[points] / (32 * np.sin(2 * np.pi / 64)))
        rounds = shapely.buffer(flat, radius, quad_segs=16)
        shapes[points] = systems.geometry_to_degrees(rounds, plane.to_wkt())
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def spots(points: Shapes) -> Shapes:
    """
    Give points in degrees that stand at one place the same position: no homestead lies a step from another.

    Of a heap of points (each within ``STEP_M`` of another, up to three times that by chance of the cells, and all
    within ``HEAP_M``) it is that of the most western, whatever the order.
    """
    if not len(points):
        return points
    plane = systems.zone(float(np.median(shapely.get_x(points))))
    flat = shapely.get_coordinates(systems.geometry_to_plane(points, plane))
    cells, cell_of = np.unique(np.floor(flat / STEP_M).astype(np.int64), axis=0, return_inverse=True)
    pairs = spatial.cKDTree(cells).query_pairs(1.5, output_type="ndarray")  # the eight around
    near = sparse.coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(cells),) * 2)
    heap = csgraph.connected_components(near, directed=False)[1][cell_of.ravel()]
    # a row of points that goes on and on is no heap: its cells count one by one
    by = pd.DataFrame(flat, columns=["x", "y"]).groupby(heap)
    wide = ((by.transform("max") - by.transform("min")) > HEAP_M).any(axis=1).to_numpy(bool)
    kind = np.where(wide, -1 - cell_of.ravel(), heap)
    order = np.lexsort((flat[:, 1], flat[:, 0]))
    first = pd.Series(order).groupby(kind[order]).transform("first").to_numpy(np.int64)
    out = np.empty(len(points), object)
    out[order] = points[first]
    return out


STEP_M = 1.0
"""Cells of this size that hold points and touch are one place [P]."""

HEAP_M = 5.0
"""Points further apart are several places, whatever stands between them [P]."""


def measure_plots(
    plots: gpd.GeoDataFrame, land: Land, catalog: Catalog, *, ledger: pd.DataFrame | None = None,
    plane: CRS | None = None, county: str = "", limits_deg: Sequence[float] = (),
    claims: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:  # fmt: skip
    """
    Measure plots one by one.

    The survey's own slope map goes before terrain where it covers at least half of a plot. A slope of exactly a
    limit is not over it. Of a limit inside a class of the map terrain tells the share that is over it, within what
    the classes above and below leave open; without terrain it is NaN.

    Parameters
    ----------
    plots
        Of ``layers.homesteads.plots``, in degrees.
    land
        What lies around.
    catalog
        Limits of slope, land classes, what is plausible.
    ledger
        Of each plot ``area_m2`` as a ledger has it, for those of which the layer has none, and the ``file`` and
        ``row`` of that.
    plane
        Where the planar area beside is measured; None takes the CGCS2000 3° zone of the plots.
    county
        What it is called where neither layer nor villages say so.
    limits_deg
        More limits of slope than the catalogue's gates ask for.
    claims
        Of each plot ``project`` ('' for none) and ``stage``, which decide whose the ground is that plots share.

    Returns
    -------
    homesteads
        A row a plot, index as given. Areas in m² on the ellipsoid; ``area_source`` is ``polygon``, ``ledger`` for
        points and '' where none is known. ``slope_source`` is ``survey``, ``terrain`` or ''; a slope map tells
        classes and no mean, what terrain says is ``slope_terrain_deg`` then. Of the survey:
        ``survey_class`` with most of the area and its largest ``survey_patch``, ``survey_year``,
        ``construction_area_m2``, ``other_area_m2`` and ``unmapped_area_m2``, which add up to the area; NaN without
        a survey.
        ``farmland_area_m2`` is a part of the other.
        ``overlapped`` says that other plots share some of it; ``overlap_m2`` is what those before it have: of a
        project before those of none, outlines before points, further in stage before others, smaller ids first.
        ``free_construction_m2`` is the construction land without that, and without what a plot of another project
        shares; points have no more of a patch together than it holds. NaN is not known.
    problems
        Plots of no plausible size, slivers, overlaps, plots that are not in their collective, ledger areas that
        contradict the polygon.
    """
    rules = catalog.reclamation
    shapes = plots.geometry.to_numpy()
    outlined = areal(shapes)
    polygon = np.where(outlined, systems.area_m2(only(shapes, outlined)), np.nan)
    polygon[polygon < LEAST_M2] = np.nan
    own_area = plots["ledger_area_m2"].to_numpy(np.float64)
    told, source = own_area, plots[["file", "row"]]
    if ledger is not None:
        ours = ~np.isnan(own_area)
        told = np.where(ours, own_area, ledger["area_m2"].to_numpy(np.float64))
        kept = np.broadcast_to((ours | np.isnan(told))[:, None], source.shape)
        source = source.where(kept, ledger[["file", "row"]])
    # without an outline to hold against it, an area out of all proportion is none
    low, high = rules.plausible_m2
    usable = np.where((told >= low / WILD) & (told <= high * WILD), told, np.nan)
    area = np.where(outlined, polygon, np.where(plots.geometry.geom_type == "Point", usable, np.nan))
    ground = ground_of(plots, area)
    points = plots.geometry.representative_point()
    out = pd.DataFrame({name: plots[name] for name in ("homestead_id", "house_id")}, index=plots.index)
    out = out.join(_where(plots, points, polygon, land, county, rules.own_share))
    out["lon"], out["lat"] = points.x, points.y
    out["area_m2"], out["area_mu"] = area, area / PER_MU
    out["area_planar_m2"] = np.where(outlined, _planar_m2(plots, plane), np.nan)
    plausible = pd.array((area >= low) & (area <= high), dtype="boolean")
    out["area_plausible"] = pd.Series(plausible, index=out.index).mask(np.isnan(area))
    out["area_source"] = np.select(
        [outlined & ~np.isnan(polygon), ~np.isnan(area)], ["polygon", "ledger"], default=""
    )
    out["ledger_area_m2"] = told
    out["area_diff_pct"] = np.where(outlined, 100 * (told - polygon) / polygon, np.nan)
    out["soil_cm"], out["mended"] = plots["soil_cm"].to_numpy(np.float64), plots["mended"].to_numpy(bool)
    out = out.join(
        _slope(
            gpd.GeoDataFrame(geometry=ground, index=plots.index, crs=plots.crs), area, land,
            sorted({*catalog.reclamation.slope_limits(), *limits_deg}),
        )
    )  # fmt: skip
    out = out.join(_survey(ground, area, land.survey, plots.index))
    blank = pd.Series("", index=plots.index)
    project, stage = (blank, blank) if claims is None else (claims["project"], claims["stage"])
    whose = pd.factorize(project.to_numpy(object))[0]
    order = np.lexsort((
        out["homestead_id"].to_numpy(str), -stage_number(stage), ~outlined, (project == "").to_numpy(bool)
    ))  # fmt: skip
    rank = np.empty(len(out), np.int64)
    rank[order] = np.arange(len(out))
    shared = _shared(ground, outlined, plots, rank, whose, rules.overlap_m2)
    out["overlapped"] = np.isin(np.arange(len(out)), shared[["one", "other"]].to_numpy())
    one, other = (np.where(project == "", -1, whose)[shared[side]] for side in ("one", "other"))
    rivals = shared[(one != other) & (one >= 0) & (other >= 0)]
    out["overlap_m2"], out["free_construction_m2"] = _own_part(ground, area, shared, rivals, land.survey, out)
    crowded = np.zeros(len(out), bool)
    if land.survey is not None and "land_use" in land.survey and not outlined.all():
        free = out["free_construction_m2"].to_numpy(np.float64)
        held = _within_patches(ground, outlined, free, land.survey)
        crowded = held < free - EVEN_M2
        out["free_construction_m2"] = held
    problems = [*_doubts(plots, out, source, shared, crowded, catalog), *_slopes_differ(plots, out)]
    if ledger is not None:  # where the layer tells an area, too, both are held against the polygon
        away = np.abs(ledger["area_m2"].to_numpy(np.float64) - polygon)  # NaN is not more than anything
        beside = ~np.isnan(own_area) & (away > rules.differs_pct / 100 * polygon)
        problems += [
            Problem.doubt("plot_area_differs", file=str(file), layer="house_ledger", n=len(own),
                          ids=some(list(out.loc[own.index, "homestead_id"])), pct=f"{rules.differs_pct:g}")
            for file, own in ledger[beside].groupby("file", sort=False)
        ]  # fmt: skip
    return out, problems


EVEN_M2 = 0.01
"""Areas that differ by less are equal."""


def _shared(
    ground: Shapes, outlined: NDArray[np.bool_], plots: gpd.GeoDataFrame, rank: NDArray[np.int64],
    whose: NDArray[np.int64], least_m2: float,
) -> pd.DataFrame:  # fmt: skip
    """
    Find plots that share ground, who comes first in ``one``.

    Circles round points are a guess at the ground: points share some only at one place, or inside an outline.
    """
    found = overlaps(only(ground, outlined), least_m2=least_m2, rank=rank, kind=whose)
    points = np.flatnonzero(~outlined & ~shapely.is_missing(ground))
    if not len(points):
        return found
    points = points[np.argsort(rank[points])]
    at = plots.geometry.to_numpy().copy()
    at[points] = spots(at[points])
    inside, holder = shapely.STRtree(only(ground, outlined)).query(at[points], predicate="intersects")
    before, after = [holder], [points[inside]]
    size = shapely.area(ground)
    places = pd.Series(points).groupby([shapely.get_x(at[points]), shapely.get_y(at[points])])
    for own in places.groups.values():
        rows = points[own]
        if len(rows) > 1:  # what those before have together is the largest of their circles
            largest = np.maximum.accumulate(size[rows])
            first = np.maximum.accumulate(np.where(size[rows] == largest, np.arange(len(rows)), 0))
            before.append(rows[first[:-1]])
            after.append(rows[1:])
    a, b = np.concatenate(before), np.concatenate(after)
    a, b = np.where(rank[a] < rank[b], (a, b), (b, a))
    shares = systems.area_m2(shapely.intersection(ground[a], ground[b]))
    more = pd.DataFrame({"one": a, "other": b, "area_m2": shares})
    return pd.concat([found, more[shares >= least_m2]]).sort_values(["one", "other"], ignore_index=True)


def _own_part(
    ground: Shapes, area: Floats, shared: pd.DataFrame, rivals: pd.DataFrame, survey: gpd.GeoDataFrame | None,
    out: pd.DataFrame,
) -> tuple[Floats, Floats]:  # fmt: skip
    """What of each plot others before it have, and its construction land without that and without any rival's."""
    overlap, free = np.zeros(len(area)), out["construction_area_m2"].to_numpy(np.float64).copy()

    def without(pairs: pd.DataFrame) -> tuple[NDArray[np.int64], Shapes, Floats]:
        by = pairs.groupby("other")["one"].agg(list)
        rows = by.index.to_numpy(np.int64)
        union = np.array([*(shapely.union_all(ground[own]) for own in by), None], object)[:-1]
        rest = shapely.difference(ground[rows], union)
        return rows, rest, systems.area_m2(rest)

    rows, _, left = without(shared)
    overlap[rows] = np.maximum(area[rows] - left, 0.0)
    both = pd.concat([shared, rivals.rename(columns={"one": "other", "other": "one"})])
    rows, rest, left = without(both)
    if survey is not None and len(rows):
        free[rows] = _survey(rest, left, survey, pd.RangeIndex(len(rows)))["construction_area_m2"]
    return overlap, free


def _within_patches(ground: Shapes, outlined: NDArray[np.bool_], free: Floats, survey: gpd.GeoDataFrame) -> Floats:
    """Hold what points have of a patch of construction land together to what outlines leave of it."""
    built = survey[(survey["land_use"] == "construction").to_numpy(bool)].geometry.to_numpy()
    cut = pieces(ground, built)
    shape, patch, part = (cut[name].to_numpy() for name in ("shape", "zone", "area_m2"))
    whole = np.bincount(shape, part, len(ground))
    # of each piece what is left to earn on
    part = part * np.divide(free, whole, out=np.zeros(len(ground)), where=whole > 0)[shape]
    part = np.nan_to_num(part)
    taken = np.bincount(patch, part * outlined[shape], len(built))
    wanted = np.bincount(patch, part * ~outlined[shape], len(built))
    room = np.maximum(systems.area_m2(built) - taken, 0.0)
    share = np.minimum(np.divide(room, wanted, out=np.ones(len(built)), where=wanted > 0), 1.0)
    held = np.bincount(shape, part * np.where(outlined[shape], 1.0, share[patch]), len(ground))
    return np.where(outlined | np.isnan(free), free, np.minimum(held, free))


def _planar_m2(plots: gpd.GeoDataFrame, plane: CRS | None) -> Floats:
    if plots.geometry.isna().all() or not len(plots):
        return np.full(len(plots), np.nan)
    plane = plane or systems.zone(float(plots.geometry.bounds["minx"].median()))
    return np.asarray(plots.geometry.to_crs(plane).area, np.float64)


def _where(
    plots: gpd.GeoDataFrame, points: gpd.GeoSeries, area_m2: Floats, land: Land, county: str, own_share: float
) -> pd.DataFrame:
    """County, town, village, group and collective: as the layer says, else as the ground does."""
    out = pd.DataFrame({n: plots[n].astype("object") for n in ("county", "town", "village", "group")})
    if land.villages is not None and len(land.villages):
        there = village_of(points, land.villages)
        names = ["county", "town", "village"]
        out[names] = out[names].where(lambda t: t != "", there[names])
    out["county"] = out["county"].where(out["county"] != "", county)
    owner = plots["collective"].astype("object")
    out["collective"], out["owner_level"], out["own_share"], out["crossing"] = owner, "", np.nan, False
    if land.collectives is None or not len(land.collectives):
        return out
    outlined, zones = only(plots.geometry.to_numpy(), area_m2 > 0), land.collectives.geometry.to_numpy()
    blank = pd.Series("", index=land.collectives.index)
    about = pd.DataFrame({name: land.collectives.get(name, blank).astype("str").to_numpy(object)
                          for name in ("collective", "owner_code")})  # fmt: skip
    # all parcels of a collective are one; where it is not named each is
    lone = pd.Series(np.arange(len(about)).astype(str)).where(about["collective"] == "", "")
    number = pd.factorize(about["collective"] + "\x1f" + lone)[0]
    cut = pieces(outlined, zones, area_m2=area_m2)
    by_owner = cut.assign(zone=number[cut["zone"]]).groupby(["shape", "zone"])["area_m2"].sum()
    zone, within = most(by_owner.reset_index(), len(plots))
    # a point lies in whichever holds it
    held = first_holding(points.to_numpy(), zones)
    zone = np.where((zone < 0) & (held >= 0), number[held], zone)
    first = np.unique(number, return_index=True)[1]
    names, codes = ([*about[name].to_numpy(object)[first], ""] for name in ("collective", "owner_code"))
    lies_in = pd.Series(np.array(names, object)[zone], index=out.index)
    out["ground_collective"] = lies_in
    out["collective"] = owner.where(owner != "", lies_in)
    out["owner_level"] = np.array([str(code)[:2] for code in codes], object)[zone]
    # of the whole plot: what no collective has is nobody's
    share = np.where(area_m2 > 0, np.minimum(within / area_m2, 1.0), np.nan)
    # where the layer has neither the ground nor the owner it tells nothing
    cores = {collective_core(str(name)) for name in about["collective"]} - {""}
    written = {name: collective_core(str(name)) for name in owner.unique()}
    listed = owner.map(lambda name: any(one_name(written[name], core) for core in cores) if name else False)
    beyond = (zone < 0) & ~listed.to_numpy(bool)
    out["own_share"] = np.where(beyond, np.nan, share)
    out["crossing"] = out["own_share"] < own_share
    return out


def village_of(points: gpd.GeoSeries, villages: gpd.GeoDataFrame) -> pd.DataFrame:
    """Say in which ``county``, ``town`` and ``village`` points lie, '' for none; index of the points."""
    near = first_holding(points.to_numpy(), villages.geometry.to_numpy())
    blank = pd.Series("", index=villages.index)
    out = pd.DataFrame(index=points.index)
    for name, columns in (("county", ("county",)), ("town", ("town",)), ("village", ("name", "village"))):
        told = next((villages[column] for column in columns if column in villages), blank).to_numpy(object)
        out[name] = pd.Series(np.where(near >= 0, told[near], ""), points.index, dtype="object")
    return out


def _slope(ground: gpd.GeoDataFrame, area: Floats, land: Land, limits: Sequence[float]) -> pd.DataFrame:
    limits = sorted({*limits, *(rim for limit in limits for rim in rims(limit) if 0 < rim < 90)})
    if land.terrain is None:
        out = no_slope(ground, limits_deg=limits)
    elif isinstance(land.terrain, RasterFiles):
        out = slope_by_tiles(ground, land.terrain, limits_deg=limits, unit_m=land.unit_m)
    else:
        out = slope_under(ground, slope_deg(land.terrain), limits_deg=limits, heights=land.terrain)
    out["slope_source"] = np.where(out["slope_deg_mean"].notna(), "terrain", "")
    out["slope_terrain_deg"] = out["slope_deg_mean"]
    if land.slope_map is None or "slope_class" not in land.slope_map:
        return out
    told = pd.to_numeric(land.slope_map["slope_class"], errors="coerce")
    known = land.slope_map[told.between(1, STEEPEST)]
    cut = pieces(ground.geometry.to_numpy(), known.geometry.to_numpy())
    cut["slope_class"] = told[known.index].to_numpy(np.float64)[cut["zone"]]
    by = cut.groupby(["shape", "slope_class"])["area_m2"].sum().unstack()  # noqa: PD010
    by = by.reindex(index=range(len(ground)), columns=range(1, STEEPEST + 1)).fillna(0.0)
    whole = by.sum(axis=1).to_numpy(np.float64)
    covered = whole >= 0.5 * area
    over = {0.0: np.ones(len(by)), 90.0: np.zeros(len(by))}
    for number, rim in enumerate(SLOPE_CLASS_DEG, start=2):
        above = by.loc[:, number:].sum(axis=1).to_numpy(np.float64)
        over[rim] = np.divide(above, whole, out=np.zeros(len(by)), where=whole > 0)
    for limit in limits:
        most_, least = (over[rim] for rim in rims(limit))
        # within a class terrain is asked, which the classes on both sides hold in bounds
        share = np.clip(out[over_share(limit)].to_numpy(np.float64), least, most_)
        share = np.where(most_ == least, least, share)
        out[over_share(limit)] = out[over_share(limit)].where(~covered, share)
    out["slope_class"] = out["slope_class"].where(~covered, by.to_numpy().argmax(axis=1) + 1).astype("Int64")
    out["slope_known_share"] = out["slope_known_share"].where(~covered, np.minimum(whole / area, 1.0))
    out["slope_source"] = np.where(covered, "survey", out["slope_source"])
    out["slope_deg_mean"] = out["slope_deg_mean"].where(~covered)
    return out


def rims(limit_deg: float) -> tuple[float, float]:
    """
    Give the rims of the survey's slope classes around a limit, 0 and 90 at the ends; of a rim itself twice.

    Examples
    --------
    >>> rims(15.0), rims(20.0), rims(30.0), rims(1.0)
    ((15.0, 15.0), (15.0, 25.0), (25.0, 90.0), (0.0, 2.0))
    """
    every = (0.0, *SLOPE_CLASS_DEG, 90.0)
    return max(rim for rim in every if rim <= limit_deg), min(rim for rim in every if rim >= limit_deg)


def _survey(ground: Shapes, area: Floats, survey: gpd.GeoDataFrame | None, index: pd.Index) -> pd.DataFrame:
    out = pd.DataFrame(index=index)
    for name in ("survey_scheme", "survey_class", "survey_patch"):
        out[name] = ""
    for name in (
        "survey_year", "construction_area_m2", "other_area_m2", "unmapped_area_m2", "farmland_area_m2",
    ):  # fmt: skip
        out[name] = np.nan
    if survey is None or "land_use" not in survey:
        return out
    cut = pieces(ground, survey.geometry.to_numpy(), area_m2=area)
    about = survey.reset_index(drop=True)
    cut["use"] = about["land_use"].to_numpy(object)[cut["zone"]]
    cut["code"] = about["class_code"].astype("str").to_numpy(object)[cut["zone"]]
    n = len(ground)
    is_field, is_built = (cut["use"] == use for use in ("farmland", "construction"))
    whole, fields, rest = (
        np.bincount(cut["shape"], cut["area_m2"] * which, n).astype(np.float64)
        for which in (True, is_field, ~is_built)
    )
    # where patches overlap ground counts once, and is no construction land if another patch says otherwise
    several = np.unique(cut.loc[cut["shape"].duplicated(), "shape"])
    zones, use = survey.geometry.to_numpy(), about["land_use"].to_numpy(object)
    union = covered_m2(ground[several], zones)
    lapped = several[whole[several] - union > EVEN_M2]
    whole[several] = union
    fields[lapped] = covered_m2(ground[lapped], zones[use == "farmland"])
    rest[lapped] = covered_m2(ground[lapped], zones[use != "construction"])
    known = np.where(np.isnan(area), np.nan, 0.0)
    out["construction_area_m2"] = np.maximum(whole - rest, 0.0) + known
    out["farmland_area_m2"], out["other_area_m2"] = fields + known, rest + known
    out["unmapped_area_m2"] = np.maximum(area - whole, 0.0)
    by_class = cut.groupby(["shape", "code"])["area_m2"].sum().reset_index()
    top = by_class.sort_values(["area_m2", "code"], ascending=[False, True]).drop_duplicates("shape")
    out["survey_class"] = top.set_index("shape")["code"].reindex(range(n)).fillna("").to_numpy(object)
    out["survey_scheme"] = np.where(out["survey_class"] != "", about["scheme"].iloc[0] if len(about) else "", "")
    # the patch is one of that class
    zone, _ = most(cut[cut["code"] == out["survey_class"].to_numpy(object)[cut["shape"]]], n)
    if "patch" in about:
        out["survey_patch"] = np.array([*about["patch"].astype("str"), ""], object)[zone]
    if "survey_year" in about:
        out["survey_year"] = np.append(about["survey_year"].to_numpy(np.float64), np.nan)[zone]
    return out


def slopes_apart(measured: pd.DataFrame) -> NDArray[np.bool_]:
    """Say of which plots slope map and terrain tell classes that are not even next to each other."""
    terrain = np.searchsorted(SLOPE_CLASS_DEG, measured["slope_terrain_deg"].to_numpy(np.float64)) + 1
    told = measured["slope_class"].astype("float64").to_numpy(np.float64)
    both = (measured["slope_source"] == "survey") & measured["slope_terrain_deg"].notna()
    apart: NDArray[np.bool_] = both.to_numpy(bool) & (np.abs(told - terrain) > 1)
    return apart


def _slopes_differ(plots: gpd.GeoDataFrame, out: pd.DataFrame) -> list[Problem]:
    """Name plots of which slope map and terrain say classes that are not even next to each other."""
    apart = slopes_apart(out)
    return [
        Problem.doubt("slopes_differ", file=file, layer="slope_map", n=len(own),
                      ids=some(list(own["homestead_id"])))
        for file, own in plots[apart].groupby("file", sort=False)
    ]  # fmt: skip


def _doubts(
    plots: gpd.GeoDataFrame, out: pd.DataFrame, source: pd.DataFrame, shared: pd.DataFrame,
    crowded: NDArray[np.bool_], catalog: Catalog,
) -> list[Problem]:  # fmt: skip
    rules = catalog.reclamation
    told = plots[["file", "row"]].join(out[["homestead_id", "area_m2", "ledger_area_m2"]])
    outlined = (out["area_source"] == "polygon").to_numpy(bool)
    ratio = told["ledger_area_m2"] / told["area_m2"]
    unit = outlined & (((ratio / PER_MU - 1).abs() < 0.05) | ((ratio * PER_MU - 1).abs() < 0.05)).to_numpy(bool)
    differs = outlined & ~unit & (out["area_diff_pct"].abs() > rules.differs_pct).to_numpy(bool)
    sliver = outlined & _is_sliver(plots, outlined, rules.sliver_m)
    odd = outlined & ~sliver & ~out["area_plausible"].fillna(True).to_numpy(bool)
    problems = [
        Problem.fault("plot_area_unit", layer="homesteads", file=row.file, row=int(row.row),
                      value=f"{row.ledger_area_m2:,.2f}", area=f"{row.area_m2:,.1f}", plot=row.homestead_id)
        for row in source.join(told.drop(columns=["file", "row"]))[unit].itertuples()
    ]  # fmt: skip
    problems += [
        Problem.fault("plot_sliver", layer="homesteads", file=row.file, row=row.row, value=f"{row.area_m2:.1f}")
        for row in told[sliver].itertuples()
    ]
    low, high = rules.plausible_m2
    away = (out[["lon", "lat"]] - out[["lon", "lat"]].median()).abs().max(axis=1) > FAR_DEG
    for file, own in told[away].groupby("file", sort=False):
        problems.append(Problem.doubt("plots_far", file=file, layer="homesteads", n=len(own),
                                      ids=some(list(own["homestead_id"]))))  # fmt: skip
    for file, own in told[odd].groupby("file", sort=False):
        problems.append(Problem.doubt("plot_size", file=file, layer="homesteads", n=len(own), low=f"{low:g}",
                                      high=f"{high:g}", ids=some(list(own["homestead_id"]))))  # fmt: skip
    for file, own in told[differs].groupby("file", sort=False):
        ids = some(list(own["homestead_id"]))
        problems.append(Problem.doubt("plot_area_differs", file=file, layer="homesteads", n=len(own), ids=ids,
                                      pct=f"{rules.differs_pct:g}"))  # fmt: skip
    for file, own in told[crowded].groupby("file", sort=False):
        problems.append(Problem.doubt("points_crowded", file=file, layer="homesteads", n=len(own),
                                      ids=some(list(own["homestead_id"]))))  # fmt: skip
    names = told["homestead_id"].to_numpy(object)
    pairs = told.iloc[shared["other"]].assign(
        other=names[shared["one"]], shared=shared["area_m2"].to_numpy(np.float64)
    )
    problems += [
        Problem.fault("plots_overlap", layer="homesteads", file=row.file, row=row.row, value=row.homestead_id,
                      other=row.other, area=f"{row.shared:,.1f}")
        for row in pairs.itertuples()
    ]  # fmt: skip
    return problems


FAR_DEG = 2.0
"""A plot so far from the middle of all of them is in another part of the country [P]."""

ROUNDNESS = 0.45
"""Of a circle 1, of a square 0.79, of five squares in a row 0.44: what is less is long and thin."""


def _is_sliver(plots: gpd.GeoDataFrame, outlined: NDArray[np.bool_], sliver_m: float) -> NDArray[np.bool_]:
    """Say which plots are thin strips: narrow in the mean, and long."""
    out = np.zeros(len(plots), bool)
    if outlined.any():
        own = plots.geometry[outlined]
        flat = systems.geometry_to_plane(own.to_numpy(), systems.zone(float(own.bounds["minx"].median())))
        area, around = shapely.area(flat), shapely.length(flat)
        out[outlined] = (2 * area < sliver_m * around) & (4 * np.pi * area < ROUNDNESS * around**2) & (area > 0)
    return out
