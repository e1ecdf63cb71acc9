"""Where people live: settlements from a ledger, a vector file or OSM's places."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.io import Bounds, RawTable
from geo.problems import Problem, Stop
from geo.profile import TagRule
from layers.catalog import Catalog
from layers.ledgers import Ledger, name_columns, plain, positions, some

PEOPLE = ("pop", "pop_resident", "pop_registered", "pop_host")
COLUMNS = (
    "place_id", "place_kind", "place_name", "county", "town", "village", "size_class", "profile",
    *PEOPLE, "position_source", "position_error_m", "pop_source", "usual_mode", "lon", "lat", "file", "row",
)  # fmt: skip
"""Of every frame of places here; people NaN where not known, lon and lat NaN where no position can be used."""

OSM_RULE = "place=city|town|village|hamlet"


def from_ledger(raw: RawTable, catalog: Catalog, *, crs: str, box: Bounds) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Read a settlement ledger; every row comes out.

    A repeated ``place_id`` gets its row number as suffix and a fault; a row without one is named by its row.
    A kind that names no profile is taken as rural, with a doubt.

    Returns
    -------
    places, problems
        ``COLUMNS``, one row per row of the ledger in its order.

    Raises
    ------
    Stop
        The table has no headings that are known, no name column or no positions.
    """
    ledger = name_columns(raw, catalog.headers, sections=("settlement", "common"))
    if "name" not in ledger.frame and "id" not in ledger.frame:
        raise Stop(
            Problem("column_missing", "stop", file=raw.file, sheet=raw.sheet, params=(("wanted", "安置点名称"),))
        )
    problems = list(ledger.problems)
    lon, lat, faults = positions(ledger, crs=crs, box=box)
    problems += faults
    frame = pd.DataFrame(index=ledger.frame.index)
    frame["place_id"], faults = ledger.ids("id")
    problems += faults
    frame["place_kind"] = "settlement"
    frame["place_name"] = ledger.text("name").mask(lambda s: s == "", frame["place_id"])
    for field in ("county", "town", "village", "usual_mode"):
        frame[field] = ledger.text(field)
    for field in PEOPLE:
        frame[field], faults = _people(ledger, field)
        problems += faults
    frame["pop_source"] = np.where(frame["pop"].notna(), "ledger", "")
    kind = ledger.text("type")
    frame["profile"] = kind.map(catalog.profile_of)
    unknown = frame.index[frame["profile"] == ""]
    if len(unknown):
        problems.append(ledger.doubt("profile_assumed", "type", n=len(unknown), rows=some(list(unknown))))
    frame["profile"] = frame["profile"].replace("", "rural")
    frame["position_source"] = np.where(np.isfinite(lon), "surveyed", "none")
    frame["position_error_m"] = np.nan
    frame["lon"], frame["lat"] = lon, lat
    frame["file"], frame["row"] = raw.file, frame.index
    frame = _with_size(frame, catalog)
    return frame[list(COLUMNS)].reset_index(drop=True), problems


def _people(ledger: Ledger, field: str) -> tuple[pd.Series, list[Problem]]:
    people, problems = ledger.numbers(field)
    negative = people < 0
    problems += [ledger.fault("people_negative", int(r), field, people[r]) for r in people.index[negative]]
    return people.mask(negative), problems


def _with_size(frame: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    return frame.assign(size_class=frame["pop"].map(catalog.size_class))


def with_people(places: pd.DataFrame, people: np.ndarray, catalog: Catalog) -> pd.DataFrame:
    """Fill in people counted from a raster where the ledger has none, and the size class that follows."""
    empty = places["pop"].isna() & np.isfinite(people)
    filled = places.assign(
        pop=places["pop"].where(~empty, people),
        pop_source=places["pop_source"].where(~empty, "raster_nearest"),
    )
    return _with_size(filled, catalog)


def from_vector(
    frame: gpd.GeoDataFrame, catalog: Catalog, *, file: str, box: Bounds
) -> tuple[pd.DataFrame, list[Problem]]:
    """Read settlements from a layer with the fields of a ledger, see ``from_ledger`` and ``as_rows``."""
    return from_ledger(as_rows(frame, catalog, file=file), catalog, crs="WGS-84", box=box)


POSITION_FIELDS = ("lon", "lat", "easting", "northing", "x_or_y", "crs")


def as_rows(frame: gpd.GeoDataFrame, catalog: Catalog, *, file: str) -> RawTable:
    """
    Turn features into the rows of a table with ``lon`` and ``lat``; a polygon stands at a point inside it.

    A feature's shape says where it is; columns that say so too are left out.
    """
    inside = frame.geometry.representative_point()
    attributes = frame.drop(columns=frame.geometry.name)
    told = {
        plain(word) for field in POSITION_FIELDS for word in (field, *catalog.headers["common"].get(field, ()))
    }
    own = [name for name in attributes.columns if plain(str(name)) not in told]
    text = attributes[own].astype("str").mask(attributes[own].isna(), "")
    rows = [(*(str(name) for name in own), "lon", "lat")]
    for cells, point in zip(text.itertuples(index=False, name=None), inside, strict=True):
        at = ("", "") if point is None or point.is_empty else (repr(point.x), repr(point.y))
        rows.append((*cells, *at))
    return RawTable(file, "", tuple(rows))


def osm_rules() -> list[TagRule]:
    """What to ask of an OSM file for ``from_osm``."""
    return [TagRule.parse(OSM_RULE)]


def from_osm(features: gpd.GeoDataFrame, catalog: Catalog, *, file: str) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Take OSM's cities, towns, villages and hamlets for settlements; their people are not known from there.

    ``features`` has the column ``place``. One mapped both as a point and as an outline comes once for each
    object; a doubt names places of one name within 1 km.
    """
    rules = set(features["rules"].map(lambda held: OSM_RULE in held).to_numpy().nonzero()[0])
    chosen = features.iloc[sorted(rules)]
    points = chosen.geometry.representative_point()
    frame = pd.DataFrame({"place_id": chosen["osm_id"].to_numpy(), "place_name": chosen["name"].to_numpy()})
    frame["place_name"] = frame["place_name"].mask(frame["place_name"] == "", frame["place_id"])
    frame["place_kind"] = "settlement"
    for field in ("county", "town", "village", "usual_mode", "pop_source"):
        frame[field] = ""
    for field in (*PEOPLE, "position_error_m"):
        frame[field] = np.nan
    frame["profile"] = chosen["place"].map(catalog.osm_place).to_numpy()
    frame["lon"], frame["lat"] = points.x.to_numpy(), points.y.to_numpy()
    frame["position_source"] = np.where(frame["lon"].notna(), "osm", "none")
    frame["file"], frame["row"] = file, range(1, len(frame) + 1)
    frame = _with_size(frame, catalog)[list(COLUMNS)]
    return frame, _near_twins(frame, file)


def _near_twins(frame: pd.DataFrame, file: str) -> list[Problem]:
    problems = []
    for name, twins in frame.groupby("place_name"):
        spread = max(float(np.ptp(twins["lon"])), float(np.ptp(twins["lat"])))
        if len(twins) > 1 and spread < 0.01:
            params = (("ids", "、".join(twins["place_id"])), ("name", str(name)))
            problems.append(Problem("place_twice", "doubt", file=file, params=params))
    return problems


def within(places: pd.DataFrame, area: shapely.Geometry) -> pd.Series:
    """Say which places lie in an area in degrees (its rim belongs to it); False without a position."""
    points = shapely.points(places["lon"].to_numpy(np.float64), places["lat"].to_numpy(np.float64))
    return pd.Series(shapely.intersects(area, points), index=places.index, name="within")
