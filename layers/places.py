"""Where people live: settlements, scattered households and hosts, from ledgers, layers or OSM's places."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs as systems
from geo.io import Bounds, RawTable
from geo.problems import Problem, Stop
from geo.profile import TagRule
from layers.catalog import Catalog
from layers.ledgers import Ledger, name_columns, plain, positions, some
from layers.shapes import DISAGREE_M, matched_shapes, off_shape

PEOPLE = ("pop", "pop_resident", "pop_registered", "pop_host")
AGES = ("age_0_2", "age_3_5", "age_6_8", "age_9_11", "age_12_14")
COLUMNS = (
    "place_id", "place_kind", "place_name", "county", "town", "village", "size_class", "profile",
    *PEOPLE, "position_source", "position_error_m", "pop_source", "usual_mode", "lon", "lat", "file", "row",
    *AGES, "ages_source",
)  # fmt: skip
"""
Of every frame of places here; people NaN where not known, lon and lat NaN where no position can be used.

``ages_source`` is ``ledger``, ``split`` (6 to 11 were known together and are halved) or '' for no ages.
"""

OSM_RULE = "place=city|town|village|hamlet"
KINDS = ("settlement", "household", "host")
"""Settlements, scattered households, and the people who lived there before."""

GRID_M = 50.0
"""How far apart the points stand that a settlement's ground is counted at [P]."""


def from_ledger(
    raw: RawTable, catalog: Catalog, *, crs: str, box: Bounds, kind: str = "settlement",
    villages: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:  # fmt: skip
    """
    Read a ledger of settlements, households or host people; every row comes out.

    A repeated ``place_id`` gets its row number as suffix and a fault; a row without one is named by its row.
    A kind that names no profile is taken as rural, with a doubt. A row without a position of its own is placed
    at the middle of its village, if ``villages`` (see ``layers.forms.gazetteer``) has one and only one of its
    code, or of its town and name: ``village_centre``, with the village's radius as ``position_error_m``.

    Returns
    -------
    places, problems
        ``COLUMNS``, one row per row of the ledger in its order.

    Raises
    ------
    Stop
        The table has no headings that are known, no name column, or nothing that says where its rows are.
    """
    ledger = name_columns(raw, catalog.headers, sections=(kind, "common"))
    if kind == "settlement" and "name" not in ledger.frame and "id" not in ledger.frame:
        raise Stop(
            Problem("column_missing", "stop", file=raw.file, sheet=raw.sheet, params=(("wanted", "安置点名称"),))
        )
    problems = list(ledger.problems)
    lon, lat, faults = _positions(ledger, crs, box, villages)
    frame = pd.DataFrame(index=ledger.frame.index)
    frame["place_id"], more = ledger.ids("id")
    problems += more
    frame["place_kind"] = kind
    frame["place_name"] = ledger.text("name").mask(lambda s: s == "", frame["place_id"])
    for field in ("county", "town", "village"):
        frame[field] = ledger.text(field)
    people = {field: _people(ledger, field) for field in PEOPLE}
    for field, (numbers, more) in people.items():
        frame[field] = numbers
        problems += more
    ages, more = _ages(ledger)
    frame = frame.join(ages)
    problems += more
    if kind == "host":  # all their people are the host's own
        frame["pop"] = frame["pop"].fillna(frame["pop_host"])
        frame["pop_host"] = 0.0
    frame["pop_source"] = np.where(frame["pop"].notna(), "ledger", "")
    for field, default, read in (("type", "rural", catalog.profile_of), ("usual_mode", "", catalog.mode_of)):
        frame[field], more = _worded(ledger, field, default, read)
        problems += more
    frame = frame.rename(columns={"type": "profile"})
    frame["lon"], frame["lat"] = lon, lat
    frame["position_source"] = np.where(np.isfinite(lon), "surveyed", "none")
    frame["position_error_m"] = np.nan
    if villages is not None:
        frame, located = _at_villages(ledger, frame, villages)
        problems += located
        placed = frame.index[frame["lon"].notna()]
        # what the ledger lacks is no fault where the village says it; a wrong number stays one
        faults = [p for p in faults if p.code != "position_missing" or p.row not in placed]
    frame["file"], frame["row"] = raw.file, frame.index
    frame = _with_size(frame, catalog)
    return frame[list(COLUMNS)].reset_index(drop=True), problems + faults


def _positions(
    ledger: Ledger, crs: str, box: Bounds, villages: pd.DataFrame | None
) -> tuple[np.ndarray, np.ndarray, list[Problem]]:
    try:
        return positions(ledger, crs=crs, box=box)
    except Stop as stop:
        # a ledger without any is read by its villages, as most are
        without = all(problem.code == "no_positions" for problem in stop.problems)
        if villages is None or not without or not {"village", "admin_code"} & set(ledger.frame):
            raise
    nowhere = np.full(len(ledger.frame), np.nan)
    missing = [ledger.fault("position_missing", int(row), "lon", "") for row in ledger.frame.index]
    return nowhere, nowhere.copy(), missing


def _worded(
    ledger: Ledger, field: str, default: str, read: Callable[[str], str]
) -> tuple[pd.Series, list[Problem]]:
    """A column of words as the catalogue knows them; in a doubt, how many say nothing known."""
    words = ledger.text(field)
    found = words.map(read)
    unknown = words.index[(found == "") & ((words != "") | (field == "type"))]
    if field == "type":
        found = found.replace("", default)
    if not len(unknown):
        return found, []
    # a ledger without such a column has no rows to look at
    n, rows = len(unknown), some(list(unknown)) if field in ledger.frame else "—"
    if field == "type":
        return found, [ledger.doubt("profile_assumed", field, n=n, rows=rows)]
    return found, [ledger.doubt("mode_unknown", field, n=n, rows=rows)]


def _at_villages(
    ledger: Ledger, frame: pd.DataFrame, villages: pd.DataFrame
) -> tuple[pd.DataFrame, list[Problem]]:
    by_code = villages[villages["code"] != ""].drop_duplicates("code", keep=False).set_index("code")
    villages = villages[villages["name"] != ""]
    by_name = villages.drop_duplicates(["town", "name"], keep=False).set_index(["town", "name"])
    unique = villages.drop_duplicates("name", keep=False).set_index("name")
    code = ledger.text("admin_code")
    town, village = frame["town"].map(plain), frame["village"].map(plain)
    found: dict[object, pd.Series] = {}
    for row in frame.index[frame["lon"].isna()]:
        if code[row] in by_code.index:
            found[row] = by_code.loc[code[row]]
        elif (town[row], village[row]) in by_name.index:
            found[row] = by_name.loc[(town[row], village[row])]
        elif town[row] == "" and village[row] in unique.index:
            found[row] = unique.loc[village[row]]
    out = frame.copy()
    for row, at in found.items():
        out.loc[row, ["lon", "lat", "position_error_m"]] = [at["lon"], at["lat"], at["error_m"]]
        out.loc[row, "position_source"] = "village_centre"
    problems = []
    if found:
        problems.append(ledger.doubt("placed_at_village", "village", n=len(found), rows=some(list(found))))
    return out, problems


def joined(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Put places of several files and kinds under each other; one that an earlier file has is not taken again.

    Places of one id are one if they are of one kind and their names agree (one may end with the other) or they
    lie within 500 m; where names are not known, in one village of one town too. Others are places of their own
    that were given the same number: the later gets its file as suffix, and a doubt counts them.

    A doubt names what the two files say of one place where they disagree: people, or positions over 500 m apart.
    """
    whole = pd.concat(parts, ignore_index=True)
    problems = _same_name_elsewhere(whole)
    rows = whole.to_dict("records")
    known: dict[object, list[int]] = {}
    again, renamed = np.zeros(len(rows), bool), whole["place_id"].copy()
    shared: dict[tuple[str, str], list[object]] = {}
    for number, row in enumerate(rows):
        alike = known.setdefault(row["place_id"], [])
        one = next((rows[other] for other in alike if _one_place(rows[other], row)), None)
        again[number] = one is not None
        if one is not None:
            problems += _told_of_both(one, row)
        elif alike:
            renamed[number] = f"{row['place_id']}@{row['file']}#{row['row']}"
            shared.setdefault((rows[alike[0]]["file"], row["file"]), []).append(row["place_id"])
        if one is None:
            alike.append(number)
    for (other, file), ids in shared.items():
        problems.append(Problem.doubt("place_ids_shared", file=file, n=len(ids), other=other, ids=some(ids)))
    return whole.assign(place_id=renamed)[~again].reset_index(drop=True), problems


def _one_place(one: Mapping[Hashable, Any], other: Mapping[Hashable, Any]) -> bool:
    if one["place_kind"] != other["place_kind"]:
        return False
    apart = _apart_m(one, other)
    names = [plain(place["place_name"]) for place in (one, other) if place["place_name"] != place["place_id"]]
    if len(names) == 2 and (names[0].endswith(names[1]) or names[1].endswith(names[0])):
        return True
    if np.isfinite(apart) or len(names) == 2:
        return bool(apart <= DISAGREE_M)
    return all(plain(one[field]) == plain(other[field]) for field in ("town", "village"))


def _apart_m(one: Mapping[Hashable, Any], other: Mapping[Hashable, Any]) -> float:
    return float(systems.geodesic_m([one["lon"]], [one["lat"]], [other["lon"]], [other["lat"]])[0])


def _told_of_both(one: Mapping[Hashable, Any], row: Mapping[Hashable, Any]) -> list[Problem]:
    told = (("file", str(one["file"])), ("name", str(row["place_name"])))
    doubt = Problem("place_in_two_files", "doubt", file=str(row["file"]), row=int(row["row"]), params=told)
    problems = []
    for column, kept, other in _disagreements(one, row):
        params = tuple(sorted((*told, ("kept", kept), ("other", other))))
        disagree = Problem("sources_disagree", "doubt", file=doubt.file, row=doubt.row, column=column)
        problems.append(replace(disagree, params=params))
    return problems or [doubt]


def _same_name_elsewhere(whole: pd.DataFrame) -> list[Problem]:
    """Doubt settlements of one name and two ids within 1 km in two files: both are kept."""
    problems = []
    own = whole[(whole["place_kind"] == "settlement") & whole["lon"].notna()]
    for name, twins in own.groupby("place_name", sort=False):
        one, rest = twins.iloc[:1], twins.iloc[1:]
        rest = rest[(rest["place_id"] != one["place_id"].iloc[0]) & (rest["file"] != one["file"].iloc[0])]
        if not len(rest):
            continue
        start = (np.repeat(one["lon"].to_numpy(), len(rest)), np.repeat(one["lat"].to_numpy(), len(rest)))
        near = systems.geodesic_m(*start, rest["lon"], rest["lat"]) <= 1_000
        if near.any():
            ids = "、".join([*one["place_id"], *rest.loc[near, "place_id"]])
            problems.append(Problem.doubt("place_twice", file=rest["file"].iloc[0], name=name, ids=ids))
    return problems


def _disagreements(one: Mapping[Hashable, Any], other: Mapping[Hashable, Any]) -> list[tuple[str, str, str]]:
    found = []
    people = (one["pop"], other["pop"])
    if people[0] != people[1] and not np.isnan(people).all():
        said = ["—" if np.isnan(number) else f"{number:g}" for number in people]
        found.append(("pop", said[0], said[1]))
    if _apart_m(one, other) > DISAGREE_M:
        at = [f"{place['lon']:.5f}, {place['lat']:.5f}" for place in (one, other)]
        found.append(("lon", at[0], at[1]))
    return found


def points_of(places: pd.DataFrame, shapes: gpd.GeoDataFrame | None = None) -> pd.DataFrame:
    """
    Say where the people of each place live: one point, or those of its shapes.

    Parameters
    ----------
    places
        ``COLUMNS``.
    shapes
        ``place_id`` and geometry in degrees: points are entrances, one polygon, of whatever parts, is the ground
        of a settlement (people are spread over it evenly, a point every 50 m), several are buildings.

    Returns
    -------
    points
        ``point_id, place_id, lon, lat, share``, in the order of places; the shares of a place add up to 1.
    """
    alone = places[["place_id", "lon", "lat"]].assign(point_id=places["place_id"], share=1.0)
    if shapes is None or not len(shapes):
        return alone[["point_id", "place_id", "lon", "lat", "share"]].reset_index(drop=True)
    parts = [alone[~alone["place_id"].isin(shapes["place_id"])]]
    for name, own in shapes.groupby("place_id", sort=False):
        at = _spread(own.geometry.to_numpy())
        ids = [f"{name}·{number}" for number in range(1, len(at) + 1)]
        parts.append(
            pd.DataFrame(
                {"point_id": ids, "place_id": name, "lon": at[:, 0], "lat": at[:, 1], "share": 1 / len(at)}
            )
        )
    order = pd.Series(range(len(places)), index=places["place_id"])
    points = pd.concat(parts, ignore_index=True)
    points = points.iloc[order.reindex(points["place_id"]).argsort(kind="stable").to_numpy()]
    return points[["point_id", "place_id", "lon", "lat", "share"]].reset_index(drop=True)


def _spread(shapes: np.ndarray) -> np.ndarray:
    parts = shapely.get_parts(shapes)
    polygons = parts[shapely.get_dimensions(parts) == 2]
    if not len(polygons):
        return np.asarray(shapely.get_coordinates(parts), np.float64)
    if len(shapes) > 1:  # buildings
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(polygons)), np.float64)
    ground = shapes[0]
    west, south, east, north = shapely.bounds(ground)
    plane = systems.zone((west + east) / 2)
    (x0, x1), (y0, y1) = systems.project([west, east], [south, north], plane)
    columns, rows = _steps(x0, x1), _steps(y0, y1)
    x, y = (grid.reshape(-1) for grid in np.meshgrid(columns, rows))
    lon, lat = systems.to_degrees(x, y, plane.to_wkt())
    inside = shapely.contains_xy(ground, lon, lat)
    if not inside.any():  # smaller than the grid
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(polygons)), np.float64)
    return np.column_stack((lon[inside], lat[inside]))


def _steps(low: float, high: float) -> np.ndarray:
    """Marks every 50 m around the middle of a stretch, so that where it stands does not matter."""
    n = np.floor((high - low) / GRID_M)
    return np.asarray(low + (high - low - GRID_M * n) / 2 + GRID_M * np.arange(n + 1), np.float64)


def with_shapes(
    places: pd.DataFrame, frame: gpd.GeoDataFrame, catalog: Catalog, *, file: str
) -> tuple[pd.DataFrame, gpd.GeoDataFrame, list[Problem]]:
    """
    Match a layer of shapes to settlements, by id or else by name.

    A settlement without a position gets the middle of its shapes. Doubts: shapes of no settlement, and a
    ledger's position more than 500 m from its shapes, where the shapes are believed.

    Returns
    -------
    places, shapes, problems
        ``shapes`` has ``place_id`` and geometry.
    """
    by_id = pd.Series(places["place_id"].to_numpy(), index=places["place_id"])
    by_name = places.drop_duplicates("place_name", keep=False).set_index("place_name")["place_id"]
    known = catalog.headers["settlement"]
    lookups = [(("place_id", "id", *known["id"]), by_id), (("name", *known["name"]), by_name)]
    shapes, problems = matched_shapes(frame, lookups, file=file)
    shapes = shapes.rename(columns={"owner": "place_id"})
    out = places.copy()
    for name, geometry in shapes.dissolve("place_id").geometry.items():
        row = out.index[out["place_id"] == name][0]
        middle = geometry.representative_point()
        lon, lat = out.loc[row, ["lon", "lat"]].astype("float64")
        away = systems.geodesic_m([lon], [lat], [middle.x], [middle.y])[0]
        far = np.isfinite(away) and away > DISAGREE_M and not geometry.contains(shapely.Point(lon, lat))
        vague = out.loc[row, "position_source"] == "village_centre"  # it is expected to lie beside its people
        if far and not vague:
            about = out.loc[row]
            problems.append(off_shape(about, name=about["place_name"], distance_m=float(away), file=file))
        if far or vague or not np.isfinite(lon):
            out.loc[row, ["lon", "lat"]] = [middle.x, middle.y]
            out.loc[row, "position_source"], out.loc[row, "position_error_m"] = "shape", np.nan
    return out, shapes, problems


def _people(ledger: Ledger, field: str) -> tuple[pd.Series, list[Problem]]:
    people, problems = ledger.numbers(field)
    negative = people < 0
    problems += [ledger.fault("people_negative", int(r), field, people[r]) for r in people.index[negative]]
    return people.mask(negative), problems


def _ages(ledger: Ledger) -> tuple[pd.DataFrame, list[Problem]]:
    """Children by band; where only those of 6 to 11 are known together, halved, the odd one to the younger."""
    read = {field: _people(ledger, field) for field in (*AGES, "age_6_11")}
    frame = pd.DataFrame({field: numbers for field, (numbers, _) in read.items()})
    together = frame.pop("age_6_11")
    split = together.notna() & frame["age_6_8"].isna() & frame["age_9_11"].isna()
    frame["age_6_8"] = frame["age_6_8"].mask(split, np.ceil(together / 2))
    frame["age_9_11"] = frame["age_9_11"].mask(split, np.floor(together / 2))
    known = frame.notna().any(axis=1)
    frame["ages_source"] = np.where(split, "split", np.where(known, "ledger", ""))
    return frame, [problem for _, problems in read.values() for problem in problems]


def _with_size(frame: pd.DataFrame, catalog: Catalog) -> pd.DataFrame:
    # a class of settlements: neither a household nor who lived there before is of any size
    sizes = frame["pop"].map(catalog.size_class)
    return frame.assign(size_class=sizes.where(frame["place_kind"] == "settlement", ""))


def with_people(places: pd.DataFrame, people: np.ndarray, catalog: Catalog) -> pd.DataFrame:
    """Fill in people counted from a raster where the ledger has none, and the size class that follows."""
    empty = places["pop"].isna() & np.isfinite(people)
    filled = places.assign(
        pop=places["pop"].where(~empty, people),
        pop_source=places["pop_source"].where(~empty, "raster_nearest"),
    )
    return _with_size(filled, catalog)


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
    return RawTable(file, "", tuple(rows), is_layer=True)


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
    for field in ("county", "town", "village", "usual_mode", "pop_source", "ages_source"):
        frame[field] = ""
    for field in (*PEOPLE, *AGES, "position_error_m"):
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
