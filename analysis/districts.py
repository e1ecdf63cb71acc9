"""School districts: which schools a pupil may go to where everybody stays in their own."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.catalog import Catalog
from layers.facilities import short_names
from layers.ledgers import plain

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def district_schools(
    districts: gpd.GeoDataFrame, schools: pd.DataFrame, facilities: pd.DataFrame, catalog: Catalog
) -> pd.DataFrame:
    """
    Say which schools belong to which district, stage by stage.

    A district has the schools that its ``lead`` names, by name or id, and those that lie in it and that no
    district names; its rim belongs to it. It is of the stages of the kind that it tells, or else of those of the
    schools that it names, or else of all that its schools take.

    Parameters
    ----------
    districts
        Polygons in degrees; ``lead`` and ``kind`` where the layer has them.
    schools
        As ``analysis.seats.school_pools`` gives.
    facilities
        The frame that ``rows`` of ``schools`` point to.
    catalog
        Stages and what they are called.

    Returns
    -------
    table
        ``district`` and ``school`` (rows of both) and ``stage``; with a ``school`` of -1 where a district of that
        stage has none.
    """
    at = facilities.iloc[[rows[0] for rows in schools["rows"]]]
    where = shapely.points(at["lon"].to_numpy(np.float64), at["lat"].to_numpy(np.float64))
    shapes = districts.geometry.to_numpy()
    told = [_named(text, schools) for text in districts.get("lead", pd.Series("", index=districts.index))]
    named = np.zeros(len(schools), bool)
    named[[number for own in told for number in own]] = True
    words = _stage_words(catalog)
    kinds = [
        [stage for word, stage in words.items() if word and word in plain(str(text))]
        for text in districts.get("kind", pd.Series("", index=districts.index))
    ]
    rows = []
    for district, (own, kind) in enumerate(zip(told, kinds, strict=True)):
        # a position that is not known lies nowhere
        inside = np.flatnonzero(shapely.intersects(shapes[district], where) & ~named)
        of = kind or [s for n in own for s in schools["stages"].iloc[n]]
        of = of or [s for n in inside for s in schools["stages"].iloc[n]]
        for stage in dict.fromkeys(of):
            has = [n for n in (*own, *inside.tolist()) if stage in schools["stages"].iloc[n]]
            rows += [(district, stage, n) for n in has or [-1]]
    return pd.DataFrame(rows, columns=["district", "stage", "school"])


def unknown_leads(districts: gpd.GeoDataFrame, schools: pd.DataFrame) -> list[str]:
    """Name the leads of districts that no school bears; see ``district_schools``."""
    leads = districts.get("lead", pd.Series("", index=districts.index)).fillna("").astype("str")
    return [text for text in leads if text.strip() and not _named(text, schools)]


def _stage_words(catalog: Catalog) -> dict[str, str]:
    words = {plain(stage.name_zh): stage.id for stage in catalog.stages.values()}
    for stage in catalog.stages.values():
        words |= {plain(word): stage.id for word in short_names(catalog.categories[stage.category])}
    return words


def _named(text: object, schools: pd.DataFrame) -> list[int]:
    """The schools that a cell names, by name or id, several parted by commas and the like."""
    parts = [plain(part) for part in re.split(r"[、,，;；/]", str(text or "")) if part.strip()]
    names = [{plain(name), plain(number)} for name, number in
             zip(schools["facility_name"], schools["facility_id"], strict=True)]  # fmt: skip
    return [number for number, own in enumerate(names) if own & set(parts)]


def in_own_district(
    ways: pd.DataFrame, lon: Floats, lat: Floats, districts: gpd.GeoDataFrame, members: pd.DataFrame
) -> Bools:
    """
    Say which ways stay in their own district.

    Who lives in no district of a stage goes to any school; who lives in several, to those of all of them.

    Parameters
    ----------
    ways
        ``point``, ``school`` and ``stage``.
    lon, lat
        Of each point.
    districts, members
        As of ``district_schools``.
    """
    tree = shapely.STRtree(districts.geometry.to_numpy())
    point, district = tree.query(shapely.points(lon, lat), predicate="intersects")
    lives = pd.DataFrame({"point": point, "district": district}).merge(members, on="district")
    bound = pd.MultiIndex.from_frame(lives[["point", "stage"]])
    open_to = pd.MultiIndex.from_frame(lives[["point", "stage", "school"]])
    free = ~pd.MultiIndex.from_frame(ways[["point", "stage"]]).isin(bound)
    return np.asarray(free | pd.MultiIndex.from_frame(ways[["point", "stage", "school"]]).isin(open_to), bool)
