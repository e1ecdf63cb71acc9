"""Where something could be built: villages, settlements, parcels, a list of one's own; and what forbids it."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geo import crs as systems
from geo.io import Bounds, Raster, RawTable
from geo.problems import Problem
from geo.terrain import heights_at, slope_deg
from layers.catalog import Catalog
from layers.ledgers import name_columns, positions

COLUMNS = ("candidate_id", "candidate_name", "lon", "lat", "source", "forbidden")
"""``source`` is ``own``, ``parcel``, ``settlement`` or ``village``; ``forbidden`` what forbids it, or ''."""


def from_table(raw: RawTable, catalog: Catalog, *, crs: str, box: Bounds) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Read a list of sites of one's own (idle buildings, say): names and positions; every row comes out.

    Raises
    ------
    geo.problems.Stop
        No row has a known heading, or there are no positions.
    """
    ledger = name_columns(raw, catalog.headers, sections=("facility", "zone", "common"))
    lon, lat, faults = positions(ledger, crs=crs, box=box)
    named = ledger.text("name")
    frame = pd.DataFrame({"candidate_name": named, "lon": lon, "lat": lat})
    frame["candidate_id"] = [f"own-{row}" for row in frame.index]
    frame["candidate_name"] = named.where(named != "", frame["candidate_id"])
    return frame.assign(source="own").reset_index(drop=True), [*ledger.problems, *faults]


def gathered(
    places: pd.DataFrame,
    villages: gpd.GeoDataFrame | None,
    parcels: gpd.GeoDataFrame | None,
    own: pd.DataFrame | None,
) -> pd.DataFrame:
    """Put candidates together: one's own first, then parcels, settlements and villages (a point inside each)."""
    parts = [] if own is None else [own]
    for source, layer in (("parcel", parcels), ("village", villages)):
        if layer is not None and len(layer):
            parts.append(_inside(layer, source))
    settled = places[places["place_kind"].isin(["settlement", "host"])]
    homes = pd.DataFrame(
        {"candidate_id": settled["place_id"], "candidate_name": settled["place_name"], "lon": settled["lon"],
         "lat": settled["lat"], "source": "settlement"}
    )  # fmt: skip
    whole = pd.concat([*parts, homes], ignore_index=True)
    order = {name: number for number, name in enumerate(("own", "parcel", "settlement", "village"))}
    whole = whole[whole["lon"].notna()].sort_values(
        ["source", "candidate_id"], key=lambda c: c.map(order) if c.name == "source" else c.astype("str"),
        kind="stable", ignore_index=True,
    )  # fmt: skip
    return whole.assign(forbidden="")


def apart(candidates: pd.DataFrame, *, least_m: float) -> pd.DataFrame:
    """
    Leave out who is nearer than so many metres to one that is kept.

    Those that nothing forbids are kept first, then the others, each in the order of rows.
    """
    if not len(candidates):
        return candidates
    plane = systems.zone(float(candidates["lon"].median()))
    at = candidates[["lon", "lat"]].to_numpy(np.float64)
    near = KDTree(np.column_stack(systems.project(at[:, 0], at[:, 1], plane)))
    kept = np.zeros(len(at), bool)
    for row in np.argsort((candidates["forbidden"] != "").to_numpy(bool), kind="stable"):
        kept[row] = not kept[near.query_ball_point(near.data[row], least_m)].any()
    return candidates[kept].reset_index(drop=True)


def _inside(layer: gpd.GeoDataFrame, source: str) -> pd.DataFrame:
    shaped = layer[layer.geometry.notna() & ~layer.geometry.is_empty].reset_index(drop=True)
    points = shaped.geometry.representative_point()
    ids = [f"{source}-{number}" for number in range(1, len(shaped) + 1)]
    names = shaped["name"].astype("str") if "name" in shaped else pd.Series(ids)
    names = names.where(names != "", pd.Series(ids))
    return pd.DataFrame(
        {"candidate_id": ids, "candidate_name": names, "lon": points.x, "lat": points.y, "source": source}
    )


def judged(
    candidates: pd.DataFrame, zones: Mapping[str, gpd.GeoDataFrame], terrain: Raster | None, *, limit_deg: float
) -> pd.DataFrame:
    """
    Say what forbids each candidate: the names of zones that it lies in or on the rim of, and ``slope``.

    Ground is too steep from ``limit_deg`` on, between the cells round a candidate; without terrain nothing is
    said.
    """
    at = shapely.points(candidates["lon"].to_numpy(np.float64), candidates["lat"].to_numpy(np.float64))
    why: list[list[str]] = [[] for _ in at]
    for name, layer in zones.items():
        tree = shapely.STRtree(layer.geometry.to_numpy())
        for number in np.unique(tree.query(at, predicate="intersects")[0]):
            why[number].append(name)
    if terrain is not None:
        lon, lat = candidates["lon"].to_numpy(np.float64), candidates["lat"].to_numpy(np.float64)
        steep = heights_at(slope_deg(terrain), lon, lat) >= limit_deg
        for number in np.flatnonzero(steep):
            why[number].append("slope")
    return candidates.assign(forbidden=[";".join(names) for names in why])
