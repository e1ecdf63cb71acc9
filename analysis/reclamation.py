"""What each old homestead should become: gates first, then what joins to a piece, a target and a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy import sparse
from scipy.sparse import csgraph

from analysis.plots import PER_MU, ground_of, rims, slopes_apart
from geo import crs as systems
from geo.overlay import apart_m, covered_m2, first_come, joined
from geo.terrain import over_share
from layers.catalog import Catalog
from layers.catalog.land import WAYS, Gate, Reclamation
from layers.houses import DONE, stage_number
from layers.ledgers import collective_core, one_name

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

FAR_M = 10_000.0
"""How far one looks for the nearest field, water, road and people."""

WELL_KNOWN = 0.9
"""Where slope is known of less of a plot, somebody must look [P]."""

MAJORITY = 0.5
"""A gate of slope fires where more than this share of the area is over its limit."""

EVEN = 1e-6
"""Shares of cells are exact to a few parts in a hundred million; half is half."""

CLASS_DEG = (1.0, 4.0, 10.5, 20.0, 30.0)
"""The middle of each slope class, for the score where a slope map tells no more."""

NEAR_FIELD_M = 300.0
"""From so far a field of the survey tells what its ridges take [P]."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """
    What gates and the score ask of the surroundings, in degrees.

    ``layers`` are those that gates name, by name; one that is not there fires no gate. ``roads``, ``water`` and
    ``residents`` are lines, lines or areas, and points; None where they are not known.
    """

    layers: Mapping[str, Shapes]
    survey: gpd.GeoDataFrame | None = None
    roads: Shapes | None = None
    water: Shapes | None = None
    residents: Shapes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Plots on one plane: what they measure, where they are, and how far from what they ask for."""

    measured: pd.DataFrame
    ground: Shapes
    """In degrees, None where it is not known."""
    flat: Shapes
    """On the plane."""
    around: Around
    fields: Shapes
    """Farmland of the survey, on the plane."""
    rates: Floats
    """What ridges take of each."""
    forest: Shapes
    """Forest of the survey, on the plane."""
    planar: Mapping[str, Shapes]
    """The layers on the plane."""
    plane: CRS

    @classmethod
    def of(cls, plots: gpd.GeoDataFrame, measured: pd.DataFrame, around: Around) -> Site:
        """
        Bring plots and what lies around onto the plane of the plots.

        Parameters
        ----------
        plots
            Of ``layers.homesteads.plots``.
        measured
            Of ``analysis.plots.measure_plots``.
        around
            What lies around.
        """
        ground = ground_of(plots, measured["area_m2"].to_numpy(np.float64))
        lon = measured["lon"].dropna()
        plane = systems.zone(float(lon.median()) if len(lon) else 105.0)

        def flat(shapes: Shapes | None) -> Shapes:
            own = np.zeros(0, object) if shapes is None else shapes
            return np.asarray(systems.geometry_to_plane(own, plane), np.object_)

        use = np.zeros(0, object)
        shapes, rates = np.zeros(0, object), np.zeros(0)
        if around.survey is not None and "land_use" not in around.survey:
            around = replace(around, survey=None)  # without classes it tells nothing
        if around.survey is not None:
            use = around.survey["land_use"].to_numpy(object)
            shapes = flat(around.survey.geometry.to_numpy())
            rates = (around.survey["deduct_rate"].to_numpy(np.float64)
                     if "deduct_rate" in around.survey else np.full(len(use), np.nan))  # fmt: skip
            rates = np.where((rates >= 0) & (rates < 1), rates, np.nan)  # a share, or it is none
        return cls(
            measured, ground, flat(ground), around, shapes[use == "farmland"], rates[use == "farmland"],
            shapes[use == "forest"], {name: flat(layer) for name, layer in around.layers.items()}, plane,
        )  # fmt: skip

    def with_measured(self, measured: pd.DataFrame) -> Site:
        """The same with more that was measured."""
        return replace(self, measured=measured)

    @property
    def area_m2(self) -> Floats:
        """Of each plot, NaN where it is not known."""
        return self.measured["area_m2"].to_numpy(np.float64)


def distances(site: Site) -> pd.DataFrame:
    """
    Say how far each plot is from the nearest field, water, road and people.

    Returns
    -------
    distances
        Index of the plots; ``field_m``, ``water_m``, ``road_m``, ``residents_m``: 0 where they touch, ``FAR_M``
        where none is so near, NaN where the kind is not known at all.
    """
    out, around = pd.DataFrame(index=site.measured.index), site.around
    known = {"water_m": around.water, "road_m": around.roads, "residents_m": around.residents}
    flat = {"field_m": None if around.survey is None else site.fields} | {
        name: None if shapes is None else np.asarray(systems.geometry_to_plane(shapes, site.plane), np.object_)
        for name, shapes in known.items()
    }
    for name, shapes in flat.items():
        away = np.nan if shapes is None else np.minimum(apart_m(site.flat, shapes, within_m=FAR_M), FAR_M)
        out[name] = np.where(shapely.is_missing(site.flat), np.nan, away)
    # where nothing is surveyed the nearest field is not known
    out["field_m"] = out["field_m"].mask(unsurveyed(site.measured) & (out["field_m"] > NEAR_FIELD_M))
    return out


def fire(site: Site, catalog: Catalog) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Ask every gate of every plot.

    Returns
    -------
    fired, found
        Index of the plots, a column a gate: whether it fires, and the number that says so (degrees, share of the
        area, metres, cm), NaN where nothing is known; such a gate does not fire. Of what is looked for nearby,
        infinite where nothing is.
    """
    fired, found = pd.DataFrame(index=site.measured.index), pd.DataFrame(index=site.measured.index)
    for gate in catalog.reclamation.gates.values():
        which, number = _MEASURE[gate.measure](site, gate, catalog.reclamation)
        fired[gate.id], found[gate.id] = which, number
    gates = catalog.reclamation.gates.values()
    for gate in gates:
        if gate.measure == "beside":  # what lies inside is not beside
            inside = [other.id for other in gates if other.measure == "inside" and other.layer == gate.layer]
            fired[gate.id] &= ~fired[inside].any(axis=1)
    return fired, found


Fired = tuple[Bools, Floats]


def _slope(site: Site, gate: Gate, _: Reclamation) -> Fired:
    own = site.measured
    mean, share = (own[name].to_numpy(np.float64) for name in ("slope_terrain_deg", over_share(gate.over)))
    by_share = tells_share(own, gate.over)
    return np.where(by_share, share > MAJORITY + EVEN, mean > gate.over), np.where(by_share, share, mean)


def tells_share(own: pd.DataFrame, limit_deg: float) -> Bools:
    """
    Say of which plots the share of the area over a limit of slope decides, and not the mean.

    A slope map has no mean; and on terrain more than half may be over the limit though the mean is not.
    """
    surveyed = (own["slope_source"] == "survey").to_numpy(bool)
    mean, share = (own[name].to_numpy(np.float64) for name in ("slope_terrain_deg", over_share(limit_deg)))
    return surveyed | ((share > MAJORITY + EVEN) & ~(mean > limit_deg))


def _undecided(own: pd.DataFrame, limit_deg: float) -> Bools:
    """Say of which plots a slope map leaves open on which side of a limit inside a class most of the area is."""
    nothing, whole = pd.Series(0.0, index=own.index), pd.Series(1.0, index=own.index)
    lower, upper = rims(limit_deg)
    most = own[over_share(lower)] if lower > 0 else whole
    least = own[over_share(upper)] if upper < 90 else nothing
    open_ = (least <= MAJORITY + EVEN) & (most > MAJORITY + EVEN) & (lower < upper)
    return (open_ & (own["slope_source"] == "survey")).to_numpy(bool)


def _inside(site: Site, gate: Gate, _: Reclamation) -> Fired:
    zones = site.around.layers.get(gate.layer)
    if zones is None:
        return _unknown(site)
    area = site.area_m2
    inside = covered_m2(site.ground, zones, area_m2=area)
    share = np.divide(inside, area, out=np.full(len(area), np.nan), where=area > 0)
    return (share > 0) & (share >= gate.share - EVEN), share


def _beside(site: Site, gate: Gate, _: Reclamation) -> Fired:
    return _near(site, site.planar.get(gate.layer), gate.within_m)


def _field(site: Site, gate: Gate, _: Reclamation) -> Fired:
    near, away = _near(site, None if site.around.survey is None else site.fields, gate.within_m)
    return near, np.where(unsurveyed(site.measured) & ~near, np.nan, away)


def unsurveyed(measured: pd.DataFrame) -> Bools:
    """Say of which plots more than a tenth has no patch of the survey; what lies around is not known there."""
    share = measured["unmapped_area_m2"] / measured["area_m2"]
    return (share > 1 - WELL_KNOWN).to_numpy(bool)


def _near(site: Site, zones: Shapes | None, within_m: float) -> Fired:
    if zones is None:
        return _unknown(site)
    away = np.where(shapely.is_missing(site.flat), np.nan, apart_m(site.flat, zones, within_m=within_m))
    return np.isfinite(away), away


def _soil(site: Site, gate: Gate, _: Reclamation) -> Fired:
    soil = site.measured["soil_cm"].to_numpy(np.float64)
    return soil < gate.under, soil


def _altitude(site: Site, gate: Gate, _: Reclamation) -> Fired:
    height = site.measured["altitude_m"].to_numpy(np.float64)
    return height > gate.over, height


def _isolated(site: Site, gate: Gate, _: Reclamation) -> Fired:
    if site.around.survey is None:
        return _unknown(site)
    alone = ~np.isfinite(apart_m(site.flat, site.fields, within_m=gate.within_m))
    small, unseen = site.area_m2 < gate.under_mu * PER_MU, unsurveyed(site.measured)
    return alone & small & ~unseen, np.where(alone & unseen, np.nan, site.area_m2 / PER_MU)


def _surrounded(site: Site, gate: Gate, _: Reclamation) -> Fired:
    if site.around.survey is None:
        return _unknown(site)
    ring = shapely.difference(shapely.buffer(site.flat, gate.within_m, quad_segs=4), site.flat)
    tree = shapely.STRtree(site.forest)
    row, patch = tree.query(ring, predicate="intersects")
    order = np.lexsort((patch, row))
    row, patch = row[order], patch[order]
    seen, union = joined(row, shapely.intersection(ring[row], site.forest[patch]))
    covered, whole = np.zeros(len(ring)), shapely.area(ring)
    covered[seen] = shapely.area(union)
    share = np.divide(covered, whole, out=np.zeros(len(ring)), where=whole > 0)
    around, unseen = share >= gate.share, unsurveyed(site.measured) | shapely.is_missing(site.flat)
    return around, np.where(unseen & ~around, np.nan, share)


def _disputed(site: Site, _: Gate, rules: Reclamation) -> Fired:
    own = site.measured
    if "ground_collective" not in own:
        return _unknown(site)
    share = own["own_share"].to_numpy(np.float64)
    # where the owner is another, or none, how much lies on its ground tells nothing
    other = claimed_by_another(own) | (own["collective"] == "").to_numpy(bool)
    return other | (share < rules.own_share), np.where(other, np.nan, share)


def claimed_by_another(own: pd.DataFrame) -> Bools:
    """
    Say where the collective that is written is not the one whose ground it is.

    Where most of many plots differ, names are written in two ways: each stands for the ground that nearly all of
    its plots lie on, and for none where they lie here and there.
    """
    other = differs_from_ground(own)
    if not names_differ(other):
        return other
    told = own[(own["collective"] != "") & (own["ground_collective"] != "")]
    n = told.groupby(["collective", "ground_collective"]).size().sort_values(ascending=False)
    home = n.reset_index().drop_duplicates("collective").set_index("collective")["ground_collective"]
    sure = n.groupby("collective").max() >= WELL_KNOWN * n.groupby("collective").sum()
    means = own["collective"].map(home[sure])
    return other & (means.notna() & (means != own["ground_collective"])).to_numpy(bool)


def differs_from_ground(own: pd.DataFrame) -> Bools:
    """
    Say where the collective that is written is called otherwise than the one whose ground it is.

    A village alone is the same as with its town before it; where either is not known, nothing differs.
    """
    pairs = own[["collective", "ground_collective"]].drop_duplicates()
    same = {
        pair: not all(pair) or one_name(*(collective_core(str(name)) for name in pair))
        for pair in pairs.itertuples(index=False, name=None)
    }
    keys = zip(own["collective"], own["ground_collective"], strict=True)
    return np.array([not same[pair] for pair in keys], bool)


MANY = 20
"""From so many plots on it is the writing of names that differs where most do."""


def names_differ(other: Bools) -> bool:
    """Say whether so many collectives differ that their names are written in two ways."""
    return bool(len(other) >= MANY and other.sum() > len(other) / 2)


def _unknown(site: Site) -> Fired:
    n = len(site.measured)
    return np.zeros(n, bool), np.full(n, np.nan)


_MEASURE = {
    "slope": _slope, "inside": _inside, "beside": _beside, "field": _field, "soil": _soil, "altitude": _altitude,
    "isolated": _isolated, "surrounded": _surrounded, "disputed": _disputed,
}  # fmt: skip


def decide(
    site: Site, fired: pd.DataFrame, found: pd.DataFrame, catalog: Catalog, *, retained: Bools | None = None,
    exception: NDArray[np.object_] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """
    Decide the way of each plot and what it aims at.

    A house that may stay is ``retained``. A plot of unknown ground, or whose slope nothing tells, is ``hold``.
    Else the first outcome of the catalogue that fires and decides something decides. Who is left joins fields and
    each other to pieces: in one that holds a field and is worth working together the way is ``consolidate``, else
    ``reclaim``.

    Parameters
    ----------
    site
        The plots.
    fired, found
        Of ``fire``.
    catalog
        Outcomes, targets, weights.
    retained, exception
        Which plots' houses may stay, and why.

    Returns
    -------
    ways
        Index of the plots: ``way``, ``target_scheme``, ``target_class``, ``ridge_rate``, ``net_farmland_mu``,
        ``score``, ``score_least`` (the worst factor), ``score_low`` and ``score_high`` (weights moved),
        ``score_rank``, ``rank_low``, ``rank_high``, ``score_known`` (the weight of those known),
        ``cluster_id``, ``piece_mu``, ``gates`` (as the catalogue orders them), ``reason_codes`` (``code:number``,
        joined by ``;``: what decides, the other gates, why it is a field if none speaks against it, what is
        doubtful), ``check_codes`` (those of them for which somebody must look) and ``field_check``.
    """
    rules, own = catalog.reclamation, site.measured
    n = len(own)
    stays = np.zeros(n, bool) if retained is None else retained
    nowhere = np.isnan(site.area_m2) | shapely.is_missing(site.ground)
    level = (own["slope_source"] == "").to_numpy(bool)
    way = np.full(n, "", object)
    way[nowhere | level] = "hold"
    way[stays] = "retained"
    looked: list[str] = []
    for name, outcome in rules.outcomes.items():
        gates = [gate.id for gate in rules.gates.values() if gate.outcome == name]
        hit = fired[gates].any(axis=1).to_numpy(bool)
        looked += gates if outcome.check else []
        if outcome.way:
            way[hit & (way == "")] = outcome.way
    piece, piece_mu, with_field = _pieces(site, way == "", rules)
    way[(way == "") & with_field & (piece_mu >= rules.workable_mu)] = "consolidate"
    way[way == ""] = "reclaim"
    out = pd.DataFrame({"way": way}, index=own.index)
    out["cluster_id"] = np.where((piece != "") & (piece_mu >= rules.workable_mu), piece, "")
    out["piece_mu"] = piece_mu
    out["target_class"] = _targets(own, way, rules)
    out["target_scheme"] = np.where(out["target_class"] != "", "third_survey", "")
    out["ridge_rate"] = _ridges(site, rules)
    out["net_farmland_mu"] = _net_farmland(site, out["target_class"], out["ridge_rate"], catalog)
    near, nearness = _near_limit(own, rules)
    partly = (own["slope_known_share"] < WELL_KNOWN).to_numpy(bool) & ~level
    # slope is looked at where it could make another way
    by_slope = [gate.id for gate in rules.gates.values() if gate.measure == "slope"]
    deciding = [
        gate.id for gate in rules.gates.values() if rules.outcomes[gate.outcome].way and gate.id not in by_slope
    ]
    matters = ~fired[deciding].any(axis=1).to_numpy(bool) & ~stays
    lacking = pd.DataFrame({"no_area": nowhere, "no_slope": level & ~nowhere}, index=own.index)
    doubts: dict[str, Bools] = {
        "near_limit": near & matters, "slopes_differ": slopes_apart(own) & matters,
        "slope_in_part": partly & matters,
        "survey_in_part": unsurveyed(own) & ~stays, "no_polygon": (own["area_source"] == "ledger").to_numpy(bool),
        "overlapped": own["overlapped"].to_numpy(bool), "mended": own["mended"].to_numpy(bool),
        "size_odd": ~own["area_plausible"].fillna(True).to_numpy(bool),
    }  # fmt: skip
    out["gates"] = _words(fired, fired)
    shares = {gate.id: tells_share(own, gate.over) for gate in rules.gates.values() if gate.measure == "slope"}
    # what decides stands first
    first = list(rules.outcomes)
    ordered = fired[sorted(fired.columns, key=lambda name: first.index(rules.gates[str(name)].outcome))]
    told, silent = _words(ordered, found, shares), _words(lacking, lacking)
    dubious = pd.DataFrame(doubts, index=own.index)
    said = _words(dubious, dubious, texts={"near_limit": nearness})
    kept = np.where(stays, "exception_" + (np.full(n, "") if exception is None else exception).astype(object), "")
    joins = np.array([f"joins_field:{mu:.4g}" for mu in piece_mu], object)
    against = [*deciding, *by_slope, *looked]
    none = np.where(fired[against].any(axis=1), "no_other_limit", "no_limit")
    free = np.select([way == "consolidate", way == "reclaim"], [joins, none], default="")
    out["reason_codes"] = _joined(kept, silent, told, free, said)
    # a house that stays waits for nothing
    waits = lacking & (way == "hold")[:, None]
    out["check_codes"] = _joined(_words(waits, waits), _words(fired[looked], fired[looked]), said)
    out["field_check"] = out["check_codes"] != ""
    middle = own["slope_class"].map(dict(enumerate(CLASS_DEG, start=1))).astype("float64")
    scored = own.assign(piece_mu=piece_mu, slope_deg_mean=own["slope_deg_mean"].fillna(middle))
    ranked = _score(scored, rules)
    unknown = ["score", "score_low", "score_high", "score_rank", "rank_low", "rank_high"]
    ranked.loc[nowhere, unknown] = np.nan
    return out.join(ranked)


def _near_limit(own: pd.DataFrame, rules: Reclamation) -> tuple[Bools, NDArray[np.object_]]:
    """
    Say whether the ground is too near to a limit of slope to be decided from afar, rims included, and how near.

    ``mean°/limit`` where the mean tells it, ``share%/limit`` where the share does, ``/limit`` where a slope map
    leaves it open.
    """
    mean = own["slope_terrain_deg"].to_numpy(np.float64)
    near, how = np.zeros(len(own), bool), np.full(len(own), "", object)
    low, high = rules.check_share
    surveyed = (own["slope_source"] == "survey").to_numpy(bool)
    for limit in rules.slope_limits():
        if limit >= 90:
            continue
        share = own[over_share(limit)].to_numpy(np.float64)
        by_mean = ~surveyed & (np.abs(mean - limit) <= rules.check_margin_deg + EVEN)
        by_share = (share >= low - EVEN) & (share <= high + EVEN)
        open_ = _undecided(own, limit)
        for which, form in ((by_mean, "{mean:.4g}°/{limit:g}"), (by_share, "{share:.3g}%/{limit:g}"),
                            (open_, "/{limit:g}")):  # fmt: skip
            for at in np.flatnonzero(which & (how == "")):
                how[at] = form.format(mean=mean[at], share=100 * share[at], limit=limit)
        near |= by_mean | by_share | open_
    return near, how


def _joined(*codes: Sequence[str] | NDArray[np.object_]) -> list[str]:
    return [";".join(part for part in parts if part) for parts in zip(*codes, strict=True)]


def _words(
    fired: pd.DataFrame, found: pd.DataFrame, shares: Mapping[str, Bools] | None = None, *,
    texts: Mapping[str, NDArray[np.object_]] | None = None,
) -> list[str]:  # fmt: skip
    """
    Names of the columns that are true, joined; with the number where ``found`` holds numbers.

    ``shares`` says by column which of them are parts of 1 that stand as per cent, ``texts`` what stands behind a
    column instead of a number.
    """
    parts = np.full(len(fired), "", object)
    for name in fired.columns:
        which = fired[name].to_numpy(bool)
        if not which.any():
            continue
        if texts is not None and name in texts:
            text = f"{name}:" + texts[str(name)]
        elif found[name].dtype == bool:
            text = np.full(len(fired), str(name), object)
        else:
            of_one = (shares or {}).get(str(name), np.zeros(len(found), bool))
            numbers = [f"{100 * value:.4g}%" if one else f"{value:.4g}"
                       for value, one in zip(found[name], of_one, strict=True)]  # fmt: skip
            text = np.array([f"{name}:{number}" for number in numbers], object)
        parts = np.where(which, np.where(parts == "", text, parts + ";" + text), parts)
    return [str(part) for part in parts]


def _pieces(site: Site, open_: Bools, rules: Reclamation) -> tuple[NDArray[np.object_], Floats, Bools]:
    """
    Join plots and fields that are near to pieces.

    Returns
    -------
    piece, piece_mu, with_field
        Its name, of the smallest id in it ('' for plots that take no part); its area with the fields that it
        joins; and whether it holds any.
    """
    n, m = len(site.flat), len(site.fields)
    rows = np.flatnonzero(open_ & ~shapely.is_missing(site.flat))
    name, size = np.full(n, "", object), site.area_m2 / PER_MU
    with_field = np.zeros(n, bool)
    if not len(rows):
        return name, size, with_field
    # of points at one place the largest circle holds the others: it is asked for all of them
    within, asked = _largest(site, rows)
    a, b = shapely.STRtree(site.flat[asked]).query(site.flat[asked], predicate="dwithin", distance=rules.near_m)
    pairs = [(rows, within), (asked[a], asked[b])]
    if m:
        plot, field = shapely.STRtree(site.fields).query(
            site.flat[asked], predicate="dwithin", distance=rules.near_m
        )
        pairs.append((asked[plot], n + field))
    one, other = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    graph = sparse.coo_array((np.ones(len(one), np.int8), (one, other)), shape=(n + m, n + m))
    _, part = csgraph.connected_components(graph, directed=False)
    takes = np.zeros(n + m, bool)
    takes[rows] = True
    takes[other] = True  # only fields that a plot joins
    # whole square centimetres: their sum does not hang on the order
    # ground that two plots or two patches share counts once
    own, fields_m2 = (
        np.nan_to_num(site.area_m2 - site.measured["overlap_m2"].fillna(0.0).to_numpy(np.float64)),
        np.zeros(m),
    )
    joined_fields = np.flatnonzero(takes[n:])
    fields_m2[joined_fields] = first_come(site.fields[joined_fields])
    area = np.rint(1e4 * np.concatenate((own, fields_m2)))
    whole = np.bincount(part[takes], area[takes], part.max() + 1) / 1e4 / PER_MU
    fields = np.bincount(part[n:][takes[n:]], minlength=part.max() + 1)
    ids = site.measured["homestead_id"].to_numpy(str)
    order = np.argsort(ids[rows], kind="stable")[::-1]
    first = np.full(part.max() + 1, "", object)
    first[part[rows[order]]] = ids[rows[order]]  # the smallest is written last
    name[rows] = "C:" + first[part[rows]]
    size[rows] = whole[part[rows]]
    with_field[rows] = fields[part[rows]] > 0
    return name, size, with_field


def _largest(site: Site, rows: Ints) -> tuple[Ints, Ints]:
    """Of each of some plots the largest circle round its point, itself for an outline; and these, each once."""
    points = (site.measured["area_source"] == "ledger").to_numpy(bool)[rows]
    middles = np.rint(1e3 * shapely.get_coordinates(shapely.centroid(site.flat[rows]))).astype(np.int64)
    table = pd.DataFrame(middles, columns=["x", "y"]).assign(row=rows, area=site.area_m2[rows])
    # an outline is alone
    table["lone"] = np.where(points, -1, rows)
    order = table.sort_values(["area", "row"], ascending=[False, True])
    largest = order.groupby(["lone", "x", "y"])["row"].transform("first").reindex(table.index).to_numpy(np.int64)
    return largest, np.unique(largest)


def _targets(own: pd.DataFrame, way: NDArray[np.object_], rules: Reclamation) -> NDArray[np.object_]:
    steep = own["slope_class"].astype("float64").to_numpy(np.float64)
    soil, height, water = (own[name].to_numpy(np.float64) for name in ("soil_cm", "altitude_m", "water_m"))
    kind = np.select(
        [np.isin(way, ["consolidate", "reclaim"]), way == "regreen"], ["field", "regreen"], default=""
    )
    out = np.full(len(own), "", object)
    for row in rules.targets:
        fits = (kind == row.way) & (out == "") & ((steep <= row.slope_class) | np.isnan(steep))
        fits &= ~(soil < row.soil_cm) & ~(height > row.altitude_m)
        if np.isfinite(row.water_m):
            fits &= water <= row.water_m
        out[fits] = row.land_class
    return out


def _ridges(site: Site, rules: Reclamation) -> Floats:
    """What ridges take of a field there: as of the nearest field of the survey, else by slope class; else NaN."""
    steep = site.measured["slope_class"].astype("float64").to_numpy(np.float64)
    at = np.nan_to_num(steep, nan=1.0).astype(np.int64) - 1
    rate = np.where(np.isnan(steep), np.nan, np.array(rules.ridges)[at])
    known = np.flatnonzero(~np.isnan(site.rates))
    if len(known):
        row, near = shapely.STRtree(site.fields[known]).query_nearest(
            site.flat, max_distance=NEAR_FIELD_M, all_matches=False
        )
        rate[row] = site.rates[known][near]
    return rate


def _net_farmland(site: Site, target: pd.Series, rate: pd.Series, catalog: Catalog) -> Floats:
    """New farmland less ridges; none where the target is none, or a field or another plot has the ground."""
    scheme = catalog.land["third_survey"]
    farm = target.map(lambda code: scheme.use_of(code) == "farmland").to_numpy(bool)
    taken = site.measured[["farmland_area_m2", "overlap_m2"]].fillna(0.0).sum(axis=1).to_numpy(np.float64)
    fresh = np.maximum(site.area_m2 - taken, 0.0)
    net = fresh / PER_MU * (1 - rate.to_numpy(np.float64))
    return np.where(farm, net, np.where(np.isnan(site.area_m2), np.nan, 0.0))


def _score(own: pd.DataFrame, rules: Reclamation) -> pd.DataFrame:
    """The weighted sum of what is known, the worst factor, and how much both move with the weights."""
    factors = list(rules.factors.values())
    nothing = pd.Series(np.nan, index=own.index)
    values = np.column_stack([
        np.interp(own.get(f.column, nothing).to_numpy(np.float64), f.at, f.score) for f in factors
    ])  # fmt: skip
    known = ~np.isnan(values)
    weight = np.array([factor.weight for factor in factors])

    def summed(weights: Floats) -> Floats:
        whole = known @ weights
        parts = np.nan_to_num(values) @ weights
        return np.asarray(np.divide(parts, whole, out=np.full(len(own), np.nan), where=whole > 0), np.float64)

    score = summed(weight)
    moved = [score]
    for number in range(len(factors)):
        for sign in (-1.0, 1.0):
            other = weight.copy()
            other[number] *= 1 + sign * rules.weights_vary
            moved.append(summed(other))
    every = np.column_stack(moved)
    ranks = np.column_stack([pd.Series(-column).rank(method="min").to_numpy(np.float64) for column in every.T])
    worst = np.where(known, values, np.inf).argmin(axis=1)
    names = np.array([factor.id for factor in factors], object)
    return pd.DataFrame(
        {
            "score": score, "score_least": np.where(known.any(axis=1), names[worst], ""),
            "score_least_value": np.where(known.any(axis=1), np.where(known, values, np.inf).min(axis=1), np.nan),
            "score_low": every.min(axis=1), "score_high": every.max(axis=1), "score_rank": ranks[:, 0],
            "rank_low": ranks.min(axis=1), "rank_high": ranks.max(axis=1),
            "score_known": known @ weight / weight.sum(),
        },
        index=own.index,
    )  # fmt: skip


def by_way(homesteads: pd.DataFrame) -> pd.DataFrame:
    """
    Add up plots, area and net farmland by way; the areas are those of the plots.

    ``done_n`` and ``done_mu`` are reclaimed already, whatever was made of them; ``done_otherwise_n`` and
    ``done_otherwise_mu`` are those of them that became green instead of fields, fields instead of green, or
    neither.
    """
    done = stage_number(homesteads.get("stage", pd.Series("", index=homesteads.index))) >= DONE
    decided = homesteads["way"].isin(["consolidate", "reclaim", "regreen"])
    rows = homesteads.assign(plots_n=1, check_n=homesteads["field_check"].astype("int64"))
    way_done = homesteads.get("way_done", pd.Series("", index=homesteads.index))
    # 整理 and 复垦 both make fields; what is to become of 待定 is not said yet
    other = ((way_done == "regreen") != (homesteads["way"] == "regreen")) | (way_done == "other")
    otherwise = done & decided & (way_done != "") & other
    for name, which in (("done", done), ("done_otherwise", otherwise)):
        rows[f"{name}_n"], rows[f"{name}_mu"] = which.astype("int64"), rows["area_mu"].where(which, 0.0)
    columns = ["plots_n", "area_m2", "area_mu", "done_n", "done_mu", "done_otherwise_n", "done_otherwise_mu",
               "net_farmland_mu", "check_n"]  # fmt: skip
    table = rows.groupby("way")[columns].sum()
    return table.reindex([way for way in WAYS if way in table.index]).reset_index()


def by_slope_class(homesteads: pd.DataFrame) -> pd.DataFrame:
    """Add up plots and area by slope class, the unknown ones as their own row; the sums are those of the plots."""
    known = homesteads["slope_class"].astype("Int64")
    rows = homesteads.assign(slope_class=known.astype("str").fillna("unknown"), plots_n=1)
    rows["check_n"] = homesteads["field_check"].astype("int64")
    columns = ["plots_n", "area_m2", "area_mu", "check_n"]
    return rows.groupby("slope_class")[columns].sum().reset_index()


def moved(was: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """
    Name the plots whose way is another after a change of the catalogue.

    Parameters
    ----------
    was, now
        Of ``decide``, with ``homestead_id`` and ``area_m2``.

    Returns
    -------
    table
        ``homestead_id, area_m2, way_was, way, gates_was, gates``.
    """
    other = (was["way"] != now["way"]).to_numpy(bool)
    return pd.DataFrame(
        {"homestead_id": now["homestead_id"], "area_m2": now["area_m2"], "way_was": was["way"], "way": now["way"],
         "gates_was": was["gates"], "gates": now["gates"]}
    )[other].reset_index(drop=True)  # fmt: skip
