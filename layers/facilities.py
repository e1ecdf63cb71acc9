"""What serves people: facilities of the catalogue's categories, from OSM and from tables."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import KDTree

from geo import crs as systems
from geo.io import Bounds, RawTable
from geo.problems import Problem, Stop
from geo.profile import TagRule
from geo.snap import nearest_line_m
from layers.catalog import Catalog, Category
from layers.doors import by_kind, doors_text, gates_on
from layers.ledgers import HIDDEN, Ledger, name_columns, plain, positions, some
from layers.shapes import DISAGREE_M, matched_shapes, off_shape

SCHOOL_NUMBERS = ("classes", "enrolled", "boarding_beds")
"""What only schools have."""

HEALTH_NUMBERS = ("doctors", "nurses", "beds")
"""What only institutions of care have."""

COLUMNS = (
    "facility_id", "category", "facility_name", "lon", "lat", "operating", "why_not", "code", "capacity",
    "runs_a_day", "file", "row", "merged_n", "merged_ids", "doors",
    *SCHOOL_NUMBERS, *HEALTH_NUMBERS,
)  # fmt: skip
"""
Of every frame of facilities here: one row a facility and category; lon and lat NaN where unusable.

``operating`` on the day asked for, ``why_not`` in the words of the source; ``capacity`` and ``runs_a_day`` (of a
bus stop) NaN where not known; ``merged_ids`` of the rows that are this facility. ``doors`` says where one comes
in, a multipoint in degrees as text; '' where no other place than the position is known, see ``layers.doors``.
"""

SECTIONS = ("facility", "school", "health", "jobs", "common")


def osm_rules(catalog: Catalog) -> list[TagRule]:
    """
    All rules of the categories one travels to, each once, the plain tags that hint at unnamed ones, and gates.

    ``KEYS`` are the tags that ``from_osm`` needs besides.
    """
    rules = [rule for category in catalog.in_access() for rule in category.osm]
    return list({rule.text: rule for rule in (*rules, *_hints(rules), *catalog.doors.gates)}.values())


KEYS = ("access", "foot")
"""Tags of gates that say who may pass."""


def _hints(rules: list[TagRule]) -> list[TagRule]:
    """The tags of rules that also ask for a name; a tag of any value says too little to be a hint."""
    asked = [rule.anchor for rule in rules if len(rule.conditions) > 1 and rule.anchor.values]
    return [TagRule.parse(f"{anchor.key}={'|'.join(sorted(anchor.values))}") for anchor in asked]


PARTIAL_SHARE = 0.1
"""A source that leaves more than this of what might be of a category unsorted does not carry it whole [P]."""


def from_osm(
    features: gpd.GeoDataFrame, catalog: Catalog, *, file: str
) -> tuple[pd.DataFrame, list[Problem], set[str]]:
    """
    Sort OSM features into categories by their rules.

    A feature belongs to every category that a rule names, but within one ``family`` only to those whose rule
    has the most parts. A polygon stands at a point inside it and is come to by the gates on its outline, or else
    along it if its category is of the kind ``area``. Features of a kind that categories ask for, but
    that no rule sorts because their name says nothing, are counted in a doubt. A category of which they might
    be more than a tenth is not carried whole: who has one is known, who has none is not.

    Parameters
    ----------
    features
        What ``geo.osm.read_features`` read by ``osm_rules``, with the columns ``KEYS``.
    catalog
        The categories with their rules.
    file
        The name of the file, for the records.

    Returns
    -------
    facilities, problems, partial
        ``COLUMNS``; and the categories that are not carried whole.
    """
    by_rule: dict[str, list[Category]] = {}
    for category in catalog.in_access():
        for rule in category.osm:
            by_rule.setdefault(rule.text, []).append(category)
    rules = [rule for category in catalog.in_access() for rule in category.osm]
    parts = {rule.text: len(rule.conditions) for rule in rules}
    hints = {hint.text for hint in _hints(rules)} - set(by_rule)
    features, gates = _without_gates(features, catalog)
    outlines = features.geometry.to_numpy()
    ways_in = gates_on(outlines, gates)
    points = features.geometry.representative_point()
    rows = []
    unsorted: Counter[str] = Counter()
    columns = (features["osm_id"], features["name"], features["rules"], points.x, points.y)
    for number, (osm_id, name, held, lon, lat) in enumerate(zip(*columns, strict=True), start=1):
        found = _sorted(held, by_rule, parts)
        rows += [(osm_id, category, name, lon, lat, number) for category in found]
        if not found:
            unsorted.update(hints.intersection(held))
    problems = [
        Problem("osm_unsorted", "doubt", file=file, params=(("n", str(n)), ("tag", text)))
        for text, n in sorted(unsorted.items())
    ]
    named = ["facility_id", "category", "facility_name", "lon", "lat", "row"]
    frame = pd.DataFrame(rows, columns=named).astype({"lon": "float64", "lat": "float64"})
    own = frame["row"].to_numpy(np.int64) - 1
    frame["doors"] = ways_in[own]
    frame["doors"] = by_kind(frame["doors"], frame["category"], outlines[own], catalog)
    frame = _completed(frame.assign(file=file))
    shapeless = frame.loc[frame["lon"].isna(), "facility_id"].unique()
    if len(shapeless):
        problems.append(Problem.doubt("osm_shapeless", file=file, n=len(shapeless), ids=some(list(shapeless))))
    return frame, problems, _partial(frame, catalog, unsorted)


def _without_gates(features: gpd.GeoDataFrame, catalog: Catalog) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Part the points by which one may come in from what else was read."""
    rules = {rule.text for rule in catalog.doors.gates}
    gate = features["rules"].map(lambda held: not rules.isdisjoint(held)).to_numpy(bool)
    only = features["rules"].map(rules.issuperset).to_numpy(bool)
    shut = features[list(KEYS)].isin(catalog.doors.closed).any(axis=1).to_numpy(bool)
    at = features.geometry.to_numpy()
    return features[~only], at[gate & ~shut & (shapely.get_type_id(at) == 0)]


def _partial(frame: pd.DataFrame, catalog: Catalog, unsorted: Counter[str]) -> set[str]:
    found = frame["category"].value_counts()
    partial = set()
    for category in catalog.in_access():
        hints = {hint.text for hint in _hints(list(category.osm))}
        left = sum(unsorted[hint] for hint in hints)
        if left > PARTIAL_SHARE * (left + int(found.get(category.id, 0))):
            partial.add(category.id)
    return partial


TWICE_M = 150.0
"""Two of one category and name within this distance are one: the facts' rule for duplicates [P]."""


def merged(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Put the facilities of several sources together, each one counted once.

    Of one category, two rows are one facility if two sources give them the same code; or if both are within
    150 m (the rim belongs to it) and the names are equal or one ends with the other (a county or town before
    it), but not two rows of one file with two codes. Of several rows this must hold for each two of them: a
    chain of equal names is no facility. Nearest rows join first, so the order of rows decides nothing.

    The row with a code is kept, then the one of the earlier source; what it lacks is taken from the others, and
    one that does not operate in any of them does not.

    Returns
    -------
    facilities, problems
        ``COLUMNS``. Doubts: how many rows of a file are of facilities that an earlier one has; one named twice in
        a file; two capacities for one facility, with the one that is kept; an id that two facilities share,
        which gets its file.
    """
    frames = [part.assign(source=number) for number, part in enumerate(parts)]
    columns = [*COLUMNS, "source"]
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    if not len(whole):
        return whole[list(COLUMNS)], []
    one, said = _same(whole)
    uncoded = (whole["code"] == "").to_numpy()
    first = np.lexsort((whole["row"].to_numpy(np.int64), said, whole["source"], uncoded, one))
    ordered = whole.iloc[first].assign(one=one[first])
    problems = _said_of_merging(ordered)
    text = ["facility_name", "code", "doors"]
    known = ordered.assign(**{name: ordered[name].replace("", None) for name in text})
    by = known.groupby("one", sort=False)
    kept = by.first()  # of each column the first that is there
    kept[text] = kept[text].fillna("")
    kept["operating"] = by["operating"].all()
    kept["why_not"] = by["why_not"].agg(lambda texts: next((text for text in texts if text), ""))
    for name in ("facility_id", "file", "row", "source"):
        kept[name] = by[name].nth(0).to_numpy()
    located = known[known["lon"].notna()].groupby("one", sort=False)[["lon", "lat"]].nth(0)
    kept[["lon", "lat"]] = located.set_axis(known.loc[located.index, "one"]).reindex(kept.index)
    kept["merged_n"] = by.size()
    kept["merged_ids"] = by["facility_id"].agg(lambda ids: ";".join(dict.fromkeys(ids.astype("str"))))
    order = pd.Series(first, ordered["one"].to_numpy()).groupby(level=0).min()
    kept = kept.loc[order.sort_values().index].reset_index(drop=True)  # as the sources have them
    kept, clashes = _ids_apart(kept)
    return kept[list(COLUMNS)], problems + clashes


def _same(whole: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """
    Number the facilities: rows of one number are one facility; and give each row's place by what it says.

    Rows of one code are a group. Groups join, nearest first, where each two of what comes together agree.
    """
    code = whole["code"].str.upper()
    told = ["category", "source", "facility_name", "code", "lon", "lat", "capacity"]
    rank = whole.assign(code=code).groupby(told, dropna=False).ngroup().to_numpy()
    pairs, apart_m = _alike(whole)
    agree = {(int(i), int(j)) for i, j in pairs}
    group = np.arange(len(whole))
    lonely = whole.index[code == ""]
    for _, members in whole.drop(index=lonely).groupby(["category", code]):
        own = members.groupby("source").groups.values()
        # a code that one source gives to two facilities tells nothing
        if all((int(i), int(j)) in agree for rows in own for i, j in combinations(sorted(rows), 2)):
            group[members.index] = members.index[0]
    codes: dict[int, set[tuple[int, str]]] = {}
    for number, source, own_code in zip(group.tolist(), whole["source"], code, strict=True):
        codes.setdefault(number, set()).update([(source, own_code)] if own_code else [])
    distance: dict[tuple[int, int], float] = {}
    for (i, j), metres in zip(pairs, apart_m, strict=True):
        two = _ordered(int(group[i]), int(group[j]))
        # two codes of one file are two facilities; those of two files may be of two registers
        clash = any(a == b and one != other for a, one in codes[two[0]] for b, other in codes[two[1]])
        if two[0] != two[1] and not clash:
            distance[two] = min(float(metres), distance.get(two, np.inf))
    nearest = sorted(distance, key=lambda two: (round(distance[two], 3), sorted(rank[list(two)])))
    cluster: dict[int, tuple[int, ...]] = {number: (number,) for number in codes}
    for a, b in nearest:
        here, there = cluster[a], cluster[b]
        if here != there and all(_ordered(*two) in distance for two in product(here, there)):
            cluster |= dict.fromkeys((*here, *there), (*here, *there))
    return np.array([min(cluster[number]) for number in group.tolist()], np.int64), rank


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a <= b else (b, a)


def _alike(whole: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Find the pairs of rows (the smaller first) of one category with agreeing names within 150 m, and how far."""
    names = whole["facility_name"].map(plain)
    placed = whole["lon"].notna() & (names != "")
    if not placed.any():
        return np.zeros((0, 2), np.int64), np.zeros(0)
    plane = systems.zone(float(whole.loc[placed, "lon"].median()))
    lon, lat = whole["lon"].to_numpy(float), whole["lat"].to_numpy(float)
    xy = np.column_stack(systems.project(lon, lat, plane))
    found = [np.zeros((0, 2), np.int64)]
    rows = np.arange(len(whole))
    for _, at in pd.Series(rows[placed]).groupby(whole.loc[placed, "category"].to_numpy()):
        near = KDTree(xy[at]).query_pairs(TWICE_M * 1.01, output_type="ndarray")  # the plane stretches
        found.append(np.sort(at.to_numpy()[near], axis=1))
    pairs = np.concatenate(found)
    named = [_one_name(names[i], names[j]) for i, j in pairs]
    pairs = pairs[np.array(named, bool)]
    i, j = pairs[:, 0], pairs[:, 1]
    metres = systems.geodesic_m(lon[i], lat[i], lon[j], lat[j])
    return pairs[metres <= TWICE_M], metres[metres <= TWICE_M]


def _one_name(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return short == long or (len(short) >= _NAME_PART and long.endswith(short))


_NAME_PART = 4
"""The shortest name that may stand for a longer one that ends with it."""


def _said_of_merging(ordered: pd.DataFrame) -> list[Problem]:
    again = ordered["one"].duplicated()
    before = ordered.groupby("one")["source"].transform("first")
    first_row = ordered.groupby("one")["row"].transform("first")
    problems = []
    apart = ordered[again & (ordered["source"] != before)]
    for file, rows in apart.groupby("file", sort=False):
        shown = some(list(rows["facility_name"]))
        problems.append(Problem.doubt("facility_merged", file=file, n=len(rows), rows=shown))
    here = ordered.assign(other=first_row)[again & (ordered["source"] == before)]
    mapped = here["facility_id"].str.fullmatch(r"[nwr]\d+")  # objects of OSM, which have no row to take out
    for file, rows in here[mapped].groupby("file", sort=False):
        ids = some(list(rows["facility_id"]))
        problems.append(Problem.doubt("osm_facility_twice", file=file, n=len(rows), ids=ids))
    for row in here[~mapped].itertuples():
        doubt = Problem.doubt("facility_twice", file=row.file, other=row.other)
        problems.append(replace(doubt, row=int(str(row.row)), value=str(row.facility_name)))
    several = ordered["one"].isin(ordered.loc[again, "one"])
    for _, rows in ordered[ordered["capacity"].notna() & several].groupby("one"):
        if (rows["capacity"] != rows["capacity"].iloc[0]).any():
            kept, other = rows.iloc[0], rows[rows["capacity"] != rows["capacity"].iloc[0]].iloc[0]
            told = {name: f"{one['capacity']:g}" for name, one in (("kept", kept), ("other", other))}
            params = tuple(sorted((told | {"file": kept["file"], "name": kept["facility_name"]}).items()))
            problems.append(
                Problem("capacity_differs", "doubt", file=str(other["file"]), row=int(other["row"]), params=params)
            )
    return problems


def _ids_apart(kept: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Give an id that another facility of another source has the name of its file.

    A school may be of two kinds: rows of one id and name within 150 m are one facility, at one place.
    """
    kept = kept.copy()
    problems = []
    for _, rows in kept[kept["facility_id"].duplicated(keep=False)].groupby("facility_id", sort=False):
        first = rows.iloc[0]
        for number, row in rows.iloc[1:].iterrows():
            apart = float(systems.geodesic_m([first["lon"]], [first["lat"]], [row["lon"]], [row["lat"]])[0])
            named = _one_name(plain(first["facility_name"]), plain(row["facility_name"]))
            if row["source"] == first["source"] or (named and not apart > TWICE_M):
                if np.isfinite(first["lon"]):
                    kept.loc[number, ["lon", "lat"]] = first[["lon", "lat"]].to_numpy()
                continue
            kept.loc[number, "facility_id"] = f"{row['facility_id']}@{row['file']}#{row['source'] + 1}"
            params = (("other", str(first["file"])),)
            problems.append(Problem("id_in_two_sources", "doubt", file=str(row["file"]), row=int(row["row"]),
                                    value=str(row["facility_id"]), params=params))  # fmt: skip
    return kept, problems


def with_shapes(
    facilities: pd.DataFrame, frame: gpd.GeoDataFrame, catalog: Catalog, *, file: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Match a layer of gates and outlines to facilities, by id, code or else by name.

    Points are gates: one comes in there and nowhere else. A polygon without any is an outline, along which one
    comes in if the category is of the kind ``area``. A facility without a position gets a point inside its shapes.
    Doubts: shapes of no facility, and a position more than 500 m from its shapes, where the shapes are believed.
    """
    once = facilities.drop_duplicates("facility_id")
    by_code = once[once["code"] != ""].drop_duplicates("code", keep=False).set_index("code")["facility_id"]
    by_name = once.drop_duplicates("facility_name", keep=False).set_index("facility_name")["facility_id"]
    ids = pd.Series(once["facility_id"].to_numpy(), index=once["facility_id"])
    codes, names = (
        [word for section in SECTIONS for word in (field, *catalog.headers[section].get(field, ()))]
        for field in ("code", "name")
    )
    lookups = [(("facility_id", "id"), ids), (codes, by_code), (codes, ids), (names, by_name)]
    shapes, problems = matched_shapes(frame, lookups, file=file)
    out = facilities.copy()
    for name, own in shapes.groupby("owner", sort=False):
        rows = out.index[out["facility_id"] == name]
        parts = shapely.get_parts(own.geometry.to_numpy())
        gates, whole = parts[shapely.get_type_id(parts) == 0], shapely.union_all(own.geometry.to_numpy())
        if len(gates):
            out.loc[rows, "doors"] = doors_text(shapely.get_coordinates(gates))
        else:
            area = np.full(len(rows), whole, object)
            out.loc[rows, "doors"] = by_kind(out.loc[rows, "doors"], out.loc[rows, "category"], area, catalog)
        about = out.loc[rows[0]]
        inner = whole.representative_point()
        away = float(nearest_line_m([about["lon"]], [about["lat"]], [whole])[0])
        if away > DISAGREE_M:
            problems.append(off_shape(about, name=about["facility_name"], distance_m=away, file=file))
        if not away <= DISAGREE_M:
            out.loc[rows, ["lon", "lat"]] = [inner.x, inner.y]
    return out, problems


def _sorted(held: tuple[str, ...], by_rule: dict[str, list[Category]], parts: dict[str, int]) -> list[str]:
    best: dict[str, int] = {}
    size: dict[str, int] = {}
    family: dict[str, str] = {}
    for text in held:
        for category in by_rule.get(text, ()):
            size[category.id] = max(size.get(category.id, 0), parts[text])
            family[category.id] = category.family
            if category.family:
                best[category.family] = max(best.get(category.family, 0), parts[text])
    return [name for name in size if size[name] >= best.get(family[name], 0)]


def _completed(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a source does not have, as not known."""
    blank: dict[str, Any] = {"operating": True, "why_not": "", "code": "", "capacity": np.nan, "doors": ""}
    blank |= dict.fromkeys((*SCHOOL_NUMBERS, *HEALTH_NUMBERS), np.nan)
    blank |= {"runs_a_day": np.nan, "merged_n": 1, "merged_ids": frame["facility_id"]}
    return frame.assign(**{name: value for name, value in blank.items() if name not in frame})[list(COLUMNS)]


def from_table(
    raw: RawTable, catalog: Catalog, *, crs: str, box: Bounds, category: str | None, code: str | None = None,
    as_of: dt.date | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:  # fmt: skip
    """
    Read facilities from a table; every row comes out.

    Without ``category`` each row names its own: by id or Chinese name in its kind column, or with ``code`` =
    ``amap`` by the map provider's type code and, where a code holds several kinds, its name. One that names
    none is a fault and keeps an empty category. A repeated code gets its row as suffix and a fault.

    A row does not operate if its status says so, if it opened after ``as_of`` or closed by then; a status that
    says nothing known is a doubt and operates.

    Raises
    ------
    Stop
        The table has no headings that are known or no positions, or neither a category nor a kind column.
    """
    ledger = name_columns(raw, catalog.headers, sections=SECTIONS)
    # schools and clinics name their kind in columns of their own
    kinds = ("amap_code",) if code == "amap" else ("kind", "stage", "level")
    kind = next((field for field in kinds if field in ledger.frame), "")
    if category is None and not kind:
        wanted = "typecode" if code == "amap" else "类别"
        raise Stop(Problem("column_missing", "stop", file=raw.file, sheet=raw.sheet, params=(("wanted", wanted),)))
    problems = list(ledger.problems)
    lon, lat, faults = positions(ledger, crs=crs, box=box)
    problems += faults
    frame = pd.DataFrame(index=ledger.frame.index)
    frame["facility_id"], faults = ledger.ids("code")
    problems += faults
    frame["code"] = ledger.text("code").replace(HIDDEN, "")  # what was blotted out tells no two apart
    if category is not None:
        frame["category"] = category
    elif code == "amap":
        return _amap(ledger, frame.assign(lon=lon, lat=lat), catalog, problems)
    else:
        frame["category"], faults = _kinds(ledger, kind, catalog)
        problems += faults
    frame["facility_name"] = ledger.text("name")
    frame["lon"], frame["lat"] = lon, lat
    for field in ("capacity", "runs_a_day", *SCHOOL_NUMBERS):
        frame[field], faults = _not_negative(ledger, field)
        problems += faults
    own, faults = _of_care(ledger, catalog, frame)
    problems += faults
    frame = frame.assign(**own)
    frame["operating"], frame["why_not"], faults = _operating(ledger, catalog, as_of)
    problems += faults
    frame["file"], frame["row"] = raw.file, frame.index
    return _completed(frame).reset_index(drop=True), problems


def _not_negative(ledger: Ledger, field: str) -> tuple[pd.Series, list[Problem]]:
    """Numbers of a column; one below 0 is a fault and not known."""
    numbers, problems = ledger.numbers(field)
    wrong = numbers < 0
    faults = [ledger.fault("number_negative", int(r), field, f"{numbers[r]:g}") for r in numbers.index[wrong]]
    return numbers.mask(wrong), [*problems, *faults]


def _of_care(ledger: Ledger, catalog: Catalog, frame: pd.DataFrame) -> tuple[dict[str, pd.Series], list[Problem]]:
    """Doctors (else all staff), nurses and beds (else authorised ones) of who gives care, and of nobody else."""
    read = {name: _not_negative(ledger, name) for name in ("doctors", "staff", "nurses", "beds_open", "beds",
                                                    "beds_authorised")}  # fmt: skip
    number = {name: values for name, (values, _) in read.items()}
    beds = number["beds_open"].fillna(number["beds"]).fillna(number["beds_authorised"])
    found = {
        "doctors": number["doctors"].fillna(number["staff"]), "nurses": number["nurses"],
        # a heading that says beds only may be of either
        "beds": beds.fillna(frame["boarding_beds"]),
    }  # fmt: skip
    cares = frame["category"].isin({name for level in catalog.care.values() for name in level.categories})
    own = {name: values.where(cares) for name, values in found.items()}
    own["boarding_beds"] = frame["boarding_beds"].mask(cares)
    return own, [problem for _, faults in read.values() for problem in faults]


def _operating(
    ledger: Ledger, catalog: Catalog, as_of: dt.date | None
) -> tuple[pd.Series, pd.Series, list[Problem]]:
    status = ledger.text("status")
    said = status.map(lambda cell: catalog.says("operating", cell))
    (opened, faults), (closed, more) = ledger.dates("build_year"), ledger.dates("closed")
    problems = [*faults, *more]
    unknown = status.index[(status != "") & said.isna()]
    if len(unknown):
        words = some(list(dict.fromkeys(status[unknown])))
        problems.append(ledger.doubt("status_unknown", "status", n=len(unknown), words=words))
    why = status.where(said == False, "")  # noqa: E712  (None is not no)
    dated = opened.notna() | closed.notna()
    if as_of is None and dated.any():
        problems.append(ledger.doubt("as_of_missing", "closed", n=int(dated.sum())))
    if as_of is not None:
        later = opened.map(lambda day: day is not None and day > as_of)
        gone = closed.map(lambda day: day is not None and day <= as_of)
        why = why.mask((why == "") & later, ledger.text("build_year")).mask(
            (why == "") & gone, ledger.text("closed")
        )
    idle = int((why != "").sum())
    if idle:
        rows = some(list(why.index[why != ""]))
        problems.append(ledger.doubt("not_operating", "status", n=idle, rows=rows))
    return why == "", why, problems


def _amap(
    ledger: Ledger, frame: pd.DataFrame, catalog: Catalog, problems: list[Problem]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Sort a map provider's rows into every category of their codes whose name they bear."""
    names, codes = ledger.text("name"), ledger.text("amap_code")
    sorters = [(c.id, frozenset(c.amap), c.amap_name) for c in catalog.in_access() if c.amap]
    rows = []
    for row, name, cell in zip(codes.index, names, codes, strict=True):
        held = set(re.split(r"[|;,]", cell))
        found = [
            category for category, known, pattern in sorters
            if known & held and (pattern is None or pattern.search(name))
        ]  # fmt: skip
        rows += [(row, category) for category in found or [""]]
    unsorted = [row for row, category in rows if not category]
    if unsorted:
        n, shown = len(unsorted), some(sorted({codes[row] for row in unsorted}))
        problems.append(ledger.doubt("amap_unsorted", "amap_code", n=n, codes=shown))
    at = pd.Index([row for row, _ in rows])
    out = frame.loc[at].assign(
        category=[category for _, category in rows], facility_name=names[at], file=ledger.file, row=at
    )
    return _completed(out).reset_index(drop=True), problems


def _kinds(ledger: Ledger, field: str, catalog: Catalog) -> tuple[pd.Series, list[Problem]]:
    words = {part: c.id for c in catalog.categories.values() for part in short_names(c)}
    words |= {name: c.id for c in catalog.categories.values() for name in (c.id, c.name_zh, c.name_en)}
    kind = ledger.text(field)
    found = kind.map(lambda word: words.get(word, ""))
    problems = [ledger.fault("category_unknown", int(row), field, kind[row]) for row in found.index[found == ""]]
    return found, problems


def short_names(category: Category) -> list[str]:
    """
    Give the Chinese names that people use for a category: without what stands in brackets, each on its own.

    Examples
    --------
    >>> from layers import catalog
    >>> own = catalog.load().categories
    >>> short_names(own["pharmacy"]), short_names(own["convenience_store"])
    (['药店'], ['便利店', '便民商店'])
    """
    return re.sub(r"\(.*?\)", "", category.name_zh).split("/")


def ranks(facilities: pd.DataFrame) -> np.ndarray:
    """Order facilities by id, for ties; equal ids (one facility in two categories) in row order."""
    order = np.argsort(facilities["facility_id"].to_numpy(str), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank
