"""Old homesteads (旧宅基地) as plots."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geo.problems import Problem
from layers.ledgers import unique_ids, without_personal

ID_FIELDS = ("homestead_id", "宅基地编号", "编号", "bsm", "BSM", "osm_id", "id")


def plots(frame: gpd.GeoDataFrame, *, file: str) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    """
    Name the plots of a layer; every feature comes out.

    The id is the first of the fields people use for it, else the number of the feature. Faults: a repeated id
    (gets the feature's number as suffix), a feature without a shape, a polygon that crosses itself (kept, its
    parts made simple).

    Returns
    -------
    plots, problems
        ``homestead_id``, ``file``, ``row`` and geometry in degrees.
    """
    frame = frame.set_axis(pd.RangeIndex(1, len(frame) + 1))  # numbered from the first, as a person counts them
    number = pd.Series(frame.index, index=frame.index)
    field = next((name for name in ID_FIELDS if name in frame.columns), None)
    given = frame[field].astype("str").fillna("") if field else number.astype("str")
    given = given.mask(given.isin(["nan", "None", "<NA>"]), "").map(without_personal)
    ids, twice = unique_ids(given, otherwise=number.astype("str"))
    geometry = frame.geometry
    empty = geometry.isna() | geometry.is_empty
    crossing = ~empty & ~geometry.is_valid
    problems = [
        *_faults("id_repeated", file, number[twice], field or "", given[twice]),
        *_faults("shape_missing", file, number[empty], "geometry", ids[empty]),
        *_faults("shape_crossing", file, number[crossing], "geometry", ids[crossing]),
    ]
    flat = int((~empty & ~geometry.geom_type.isin(["Polygon", "MultiPolygon"])).sum())
    if flat:
        problems.append(Problem.doubt("shape_without_area", file=file, n=flat, all=len(frame)))
    named = {"homestead_id": ids, "file": file, "row": number}
    out = gpd.GeoDataFrame(named, geometry=mended(geometry, crossing), crs=frame.crs).reset_index(drop=True)
    return out, problems


def mended(geometry: gpd.GeoSeries, crossing: pd.Series) -> gpd.GeoSeries:
    """
    Make the shapes that cross themselves simple; the others are as they were.

    Only what has an area is kept of a mended polygon: a spike that encloses nothing is dropped.
    """
    out = geometry.copy()
    out[crossing] = geometry[crossing].make_valid(method="structure", keep_collapsed=False)
    return out


def _faults(code: str, file: str, rows: pd.Series, column: str, values: pd.Series) -> list[Problem]:
    return [
        Problem(code, "fault", file=file, row=int(row), column=column, value=str(value))
        for row, value in zip(rows, values, strict=True)
    ]
