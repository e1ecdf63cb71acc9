"""Where people moved out of: how fragile, overloaded and overused the ground is, and where to restore it first."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from analysis.quota import own_m2
from geo import crs as systems
from geo.overlay import covered_m2, first_holding, pieces
from layers.catalog import Catalog

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

ORIGINS = [
    "town", "village", "admin_code", "area_ha", "plots_n", "plots_mu", "steep_share", "zone_share",
    "surveyed_share", "farmland_ha",
    "steep_farmland_ha", "people", "people_per_farmland_ha", "fragile", "overloaded", "overused", "index",
    "known_n", "priority",
]  # fmt: skip


SURVEYED = 0.5
"""So much of a village must be surveyed [P]."""


def origins(
    villages: gpd.GeoDataFrame, homesteads: pd.DataFrame, catalog: Catalog, *, steep_share: Floats,
    zones: Mapping[str, Shapes], survey: gpd.GeoDataFrame | None, steep_field: Floats | None,
    people: pd.DataFrame | None,
) -> pd.DataFrame:  # fmt: skip
    """
    Rank the villages that hold old homesteads by how much their ground needs rest.

    ``fragile`` is the larger of the share of steep ground and of ground in hazard zones, red lines and reserves.
    ``overloaded`` is 0 where a hectare of farmland feeds no more people than it can, 1 from twice as many on.
    ``overused`` is the share of farmland on steep ground; of both nothing is said where less than ``SURVEYED`` of
    a village is surveyed. The index is the mean of those that are known.

    Parameters
    ----------
    villages
        Of the form ``villages``, in degrees.
    homesteads
        ``lon``, ``lat``, ``area_m2`` and ``overlap_m2`` of plots.
    catalog
        What a hectare feeds, and from which index on a village is of the first and second priority.
    steep_share
        Of each village the share over 25 degrees, NaN where no terrain is.
    zones
        Ground that must rest, by name.
    survey, steep_field
        The land survey, and which of its patches lie on steep ground (1, else 0; NaN where nobody knows).
    people
        ``lon``, ``lat`` and ``pop`` of who lives or lived there; None where it is not known. A village without
        a row, or with one that tells no number, has nobody knows how many.

    Returns
    -------
    origins
        ``ORIGINS``, a row a village with plots, the highest index first; ``priority`` is 1, 2 or 3, NA where
        nothing is known. ``people`` are those of now: who has moved out is not among them.
    """
    rules = catalog.reclamation.origin
    shapes = villages.geometry.to_numpy()
    area = systems.area_m2(shapes)
    plots_in = _in(homesteads, shapes)
    blank = pd.Series("", index=villages.index)
    n = len(villages)
    out = pd.DataFrame(
        {
            "town": villages.get("town", blank).to_numpy(object),
            "village": villages.get("name", villages.get("village", blank)).to_numpy(object),
            "admin_code": villages.get("admin_code", blank).to_numpy(object),
            "area_ha": area / 10_000,
            "plots_n": np.bincount(plots_in[plots_in >= 0], minlength=n),
            "plots_mu": np.bincount(
                plots_in[plots_in >= 0], (np.nan_to_num(own_m2(homesteads)) / systems.M2_PER_MU)[plots_in >= 0], n
            ),
            "steep_share": steep_share,
        }
    )
    resting = [zone for zone in zones.values() if len(zone)]
    out["zone_share"] = covered_m2(shapes, np.concatenate(resting)) / area if resting else np.nan
    out["farmland_ha"], out["steep_farmland_ha"], told_ha = _fields(shapes, survey, steep_field)
    out["surveyed_share"] = np.nan
    if survey is not None:
        out["surveyed_share"] = np.minimum(covered_m2(shapes, survey.geometry.to_numpy()) / area, 1.0)
    out["people"] = np.nan
    if people is not None and len(people):
        living = people["pop"].groupby(_in(people, shapes)).sum(skipna=False)
        out["people"] = living.reindex(range(n)).to_numpy(np.float64)
    # what is not surveyed has as many fields as what is
    fields_ha = out["farmland_ha"] / out["surveyed_share"].where(out["surveyed_share"] > 0)
    out["people_per_farmland_ha"] = out["people"] / fields_ha.where(fields_ha > 0)
    partly = ~(out["surveyed_share"] >= SURVEYED)  # too little is surveyed to speak of a village's fields
    out["fragile"] = out[["steep_share", "zone_share"]].max(axis=1)
    out["overloaded"] = (out["people_per_farmland_ha"] / rules.feeds_per_ha - 1).clip(0.0, 1.0)
    out["overused"] = out["steep_farmland_ha"] / pd.Series(told_ha).where(told_ha > 0)
    of_fields = ["people_per_farmland_ha", "overloaded", "overused"]
    out[of_fields] = out[of_fields].mask(partly)
    parts = out[["fragile", "overloaded", "overused"]]
    out["index"], out["known_n"] = parts.mean(axis=1), parts.notna().sum(axis=1)
    levels = np.select([out["index"] >= rules.first, out["index"] >= rules.second], [1, 2], default=3)
    out["priority"] = pd.Series(levels, dtype="Int64").mask(out["index"].isna())
    kept = out[out["plots_n"] > 0].sort_values(["index", "admin_code"], ascending=[False, True])
    return kept[ORIGINS].reset_index(drop=True)


def _in(points: pd.DataFrame, shapes: Shapes) -> NDArray[np.int64]:
    """The first shape that holds each point, -1 for none."""
    at = shapely.points(points["lon"].to_numpy(np.float64), points["lat"].to_numpy(np.float64))
    return first_holding(np.asarray(at, np.object_), shapes)


def _fields(
    shapes: Shapes, survey: gpd.GeoDataFrame | None, steep_field: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Hectares of farmland in each shape, of those on steep ground, and those whose slope is known."""
    unknown = np.full(len(shapes), np.nan)
    if survey is None or "land_use" not in survey:
        return unknown, unknown, unknown
    own = (survey["land_use"] == "farmland").to_numpy(bool)
    cut = pieces(shapes, survey.geometry.to_numpy()[own])
    fields = covered_m2(shapes, survey.geometry.to_numpy()[own]) / 10_000
    if steep_field is None:
        return fields, unknown, unknown
    steep = steep_field[own][cut["zone"]]
    told = np.bincount(cut["shape"], cut["area_m2"] * ~np.isnan(steep), len(shapes)) / 10_000
    over = np.bincount(cut["shape"], cut["area_m2"] * np.nan_to_num(steep), len(shapes)) / 10_000
    return fields, np.where(told > 0, over, np.nan), told
