"""What serves people: facilities of the catalogue's categories, from OSM and from tables."""

from __future__ import annotations

import re
from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.io import Bounds, RawTable
from geo.problems import Problem, Stop
from geo.profile import TagRule
from layers.catalog import Catalog, Category
from layers.ledgers import Ledger, name_columns, positions, some

COLUMNS = ("facility_id", "category", "facility_name", "lon", "lat", "file", "row")
"""Of every frame of facilities here: one row a facility and category; lon and lat NaN where unusable."""

SECTIONS = ("facility", "school", "health", "jobs", "common")


def osm_rules(catalog: Catalog) -> list[TagRule]:
    """All rules of the categories one travels to, each once, and the plain tags that hint at unnamed ones."""
    rules = [rule for category in catalog.in_access() for rule in category.osm]
    return list({rule.text: rule for rule in (*rules, *_hints(rules))}.values())


def _hints(rules: list[TagRule]) -> list[TagRule]:
    """The tags of rules that also ask for a name; a tag of any value says too little to be a hint."""
    asked = [rule.anchor for rule in rules if len(rule.conditions) > 1 and rule.anchor.values]
    return [TagRule.parse(f"{anchor.key}={'|'.join(sorted(anchor.values))}") for anchor in asked]


def from_osm(features: gpd.GeoDataFrame, catalog: Catalog, *, file: str) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Sort OSM features into categories by their rules.

    A feature belongs to every category that a rule names, but within one ``family`` only to those whose rule
    has the most parts. A polygon stands at a point inside it. Features of a kind that categories ask for, but
    that no rule sorts because their name says nothing, are counted in a doubt.

    Parameters
    ----------
    features
        What ``geo.osm.read_features`` read by ``osm_rules``.
    catalog
        The categories with their rules.
    file
        The name of the file, for the records.
    """
    by_rule: dict[str, list[Category]] = {}
    for category in catalog.in_access():
        for rule in category.osm:
            by_rule.setdefault(rule.text, []).append(category)
    rules = [rule for category in catalog.in_access() for rule in category.osm]
    parts = {rule.text: len(rule.conditions) for rule in rules}
    hints = {hint.text for hint in _hints(rules)} - set(by_rule)
    points = features.geometry.representative_point()
    rows = []
    unsorted: Counter[str] = Counter()
    columns = (features["osm_id"], features["name"], features["rules"], points.x, points.y)
    for number, (osm_id, name, held, lon, lat) in enumerate(zip(*columns, strict=True), start=1):
        found = _sorted(held, by_rule, parts)
        rows += [(osm_id, category, name, lon, lat, file, number) for category in found]
        if not found:
            unsorted.update(hints.intersection(held))
    problems = [
        Problem("osm_unsorted", "doubt", file=file, params=(("n", str(n)), ("tag", text)))
        for text, n in sorted(unsorted.items())
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"lon": "float64", "lat": "float64"})
    shapeless = frame.loc[frame["lon"].isna(), "facility_id"].unique()
    if len(shapeless):
        problems.append(Problem.doubt("osm_shapeless", file=file, n=len(shapeless), ids=some(list(shapeless))))
    return frame, problems


def joined(parts: list[pd.DataFrame]) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Put the facilities of several sources under each other; ids stay apart.

    An id that an earlier source has too gets its file, and a doubt.
    """
    taken: dict[str, str] = {}
    problems: list[Problem] = []
    renamed = []
    for number, part in enumerate(parts, start=1):
        clash = part["facility_id"].isin(taken)
        for row in part[clash].drop_duplicates("facility_id").itertuples():
            params = (("other", taken[str(row.facility_id)]),)
            problems.append(
                Problem("id_in_two_sources", "doubt", file=str(row.file), row=int(str(row.row)),
                        value=str(row.facility_id), params=params)
            )  # fmt: skip
        own = part["facility_id"].where(~clash, part["facility_id"] + "@" + part["file"] + f"#{number}")
        taken |= dict(zip(own, part["file"], strict=True))
        renamed.append(part.assign(facility_id=own))
    columns = list(COLUMNS)
    whole = pd.concat(renamed, ignore_index=True) if renamed else pd.DataFrame(columns=columns)
    return whole, problems


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


def from_table(
    raw: RawTable, catalog: Catalog, *, crs: str, box: Bounds, category: str | None
) -> tuple[pd.DataFrame, list[Problem]]:
    """
    Read facilities from a table; every row comes out.

    Without ``category`` each row names its own by id or Chinese name in its kind column; one that names none
    is a fault and keeps an empty category. A repeated code gets its row as suffix and a fault.

    Raises
    ------
    Stop
        The table has no headings that are known or no positions, or neither a category nor a kind column.
    """
    ledger = name_columns(raw, catalog.headers, sections=SECTIONS)
    if category is None and "kind" not in ledger.frame:
        raise Stop(Problem("column_missing", "stop", file=raw.file, sheet=raw.sheet, params=(("wanted", "类别"),)))
    problems = list(ledger.problems)
    lon, lat, faults = positions(ledger, crs=crs, box=box)
    problems += faults
    frame = pd.DataFrame(index=ledger.frame.index)
    frame["facility_id"], faults = ledger.ids("code")
    problems += faults
    if category is not None:
        frame["category"] = category
    else:
        frame["category"], faults = _kinds(ledger, catalog)
        problems += faults
    frame["facility_name"] = ledger.text("name")
    frame["lon"], frame["lat"] = lon, lat
    frame["file"], frame["row"] = raw.file, frame.index
    return frame[list(COLUMNS)].reset_index(drop=True), problems


def _kinds(ledger: Ledger, catalog: Catalog) -> tuple[pd.Series, list[Problem]]:
    words = {part: c.id for c in catalog.categories.values() for part in short_names(c)}
    words |= {name: c.id for c in catalog.categories.values() for name in (c.id, c.name_zh, c.name_en)}
    kind = ledger.text("kind")
    found = kind.map(lambda word: words.get(word, ""))
    problems = [ledger.fault("category_unknown", int(row), "kind", kind[row]) for row in found.index[found == ""]]
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
