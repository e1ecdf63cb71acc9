"""Old homesteads (旧宅基地) as plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs as systems
from geo.overlay import areal, mended, only
from geo.problems import Problem
from layers.catalog import Catalog
from layers.forms import area_column_m2
from layers.ledgers import name_columns, some, unique_ids
from layers.places import as_rows

LEAST_M2 = 0.001
"""What encloses less is a line."""

TOLD = ("house_id", "household_key", "county", "town", "village", "group", "collective", "project")
"""What a layer may say of a plot in words, '' where it does not."""


def plots(
    frame: gpd.GeoDataFrame, catalog: Catalog, *, file: str, key_of: Callable[[str], str] | None = None
) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """
    Read the plots of a layer; every feature comes out.

    A feature without an id, or with one that another has, is named by its number. Faults: a repeated id (gets the
    feature's number as suffix), a feature without a shape, a polygon that crosses itself (kept, its parts made
    simple) or that has no area, an area that is none.

    Parameters
    ----------
    frame
        Features in degrees.
    catalog
        Headings of the section ``plot``.
    file
        As records name it.
    key_of
        Makes a keyed hash of an ID number, see ``layers.houses``.

    Returns
    -------
    plots, problems
        ``homestead_id``, ``TOLD``, ``ledger_area_m2`` and ``soil_cm`` (NaN where not told), ``mended`` (its
        outline crossed itself), ``file``, ``row`` and geometry in degrees.
    """
    frame = frame.reset_index(drop=True)
    raw = as_rows(frame, catalog, file=file)
    raw = replace(raw, rows=tuple(row[:-2] for row in raw.rows))  # the shape says where it is
    ledger = name_columns(raw, catalog.headers, sections=("plot", "common"), keyed="id_no", key_of=key_of)
    number = pd.Series(ledger.frame.index, index=ledger.frame.index)
    given = ledger.text("homestead_id")
    ids, twice = unique_ids(given, otherwise=number.astype("str"))
    geometry = _of_one_kind(frame.geometry).set_axis(ledger.frame.index)
    empty = geometry.isna() | geometry.is_empty
    geometry = geometry.where(~empty, None)
    crossing = ~empty & ~geometry.is_valid
    shapes = mended(geometry, crossing)
    polygon = ~empty & areal(geometry.to_numpy())
    nothing = polygon & (shapes.is_empty | (systems.area_m2(only(shapes.to_numpy(), polygon)) < LEAST_M2))
    column = ledger.headings.get("homestead_id", "")
    problems = [
        *_faults("id_repeated", file, number[twice], column, given[twice]),
        *_faults("shape_missing", file, number[empty], "geometry", ids[empty]),
        *_faults("shape_crossing", file, number[crossing & ~nothing], "geometry", ids[crossing & ~nothing]),
        *_faults("plot_no_area", file, number[nothing], "geometry", ids[nothing]),
    ]
    areas, soil = pd.Series(np.nan, index=ids.index), pd.Series(np.nan, index=ids.index)
    if "plot_area" in ledger.frame:
        areas, found = area_column_m2(ledger, "plot_area", "", plots=True)
        problems += found
    if "soil_cm" in ledger.frame:
        soil, found = ledger.numbers("soil_cm")
        problems += found
    headings = [str(name) for name in frame.columns if name != frame.geometry.name]
    if not column and headings:
        problems.append(Problem.doubt("plot_ids_missing", file=file, n=len(frame), names=some(headings)))
    flat = int((~empty & ~polygon & ~(areas > 0)).sum())
    if flat:
        problems.append(Problem.doubt("shape_without_area", file=file, n=flat, all=len(frame)))
    words = {"household_key": "id_no"} if key_of is not None else {"household_key": ""}
    told = {name: ledger.text(words.get(name, name)).astype("object") for name in TOLD}
    named = {"homestead_id": ids, **told, "ledger_area_m2": areas, "soil_cm": soil, "mended": crossing & ~nothing,
             "file": file, "row": number}  # fmt: skip
    return gpd.GeoDataFrame(named, geometry=shapes, crs=frame.crs).reset_index(drop=True), problems


def _of_one_kind(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    """Of a collection its polygons, of several points that are one the point; the others as they are."""
    kinds = geometry.geom_type
    out = geometry.copy()
    for at in np.flatnonzero(kinds == "GeometryCollection"):
        parts = shapely.get_parts(shapely.get_parts(geometry.iloc[at]))  # a part may be of several, too
        flat = parts[areal(parts)]
        if len(flat):
            simple = shapely.is_valid(flat).all()
            out.iloc[at] = shapely.union_all(flat) if simple else shapely.multipolygons(flat)
    single = (kinds == "MultiPoint").to_numpy(bool) & (shapely.get_num_geometries(geometry.to_numpy()) == 1)
    out[single] = shapely.get_geometry(geometry[single].to_numpy(), 0)
    return out


def _faults(code: str, file: str, rows: pd.Series, column: str, values: pd.Series) -> list[Problem]:
    return [
        Problem(code, "fault", file=file, row=int(row), column=column, value=str(value))
        for row, value in zip(rows, values, strict=True)
    ]
