"""
The policy as data: categories, standards, personas, roads, lists and headings, read from the TOML beside this.

A planner adds a category or moves a threshold by a row of data. Everything is checked when it is loaded, all
faults at once. A project overrides single values; the result is one frozen ``Catalog``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

from geo.problems import Problem, Stop
from geo.profile import RoadRule, TagRule, TravelProfile

Profile = Literal["urban", "park", "rural"]
PROFILES: tuple[Profile, ...] = ("urban", "park", "rural")
DIRECTIONS = ("to_facility", "from_facility", "round_trip_mean", "round_trip_worse")
MODES = ("walk", "usual_mode", "drive")
KINDS = ("point", "line", "area", "attribute")
CERTAINTIES = ("V", "H", "U", "P")
LIMITS = ("walk_min", "drive_min", "radius_m")


@dataclass(frozen=True, slots=True)
class Category:
    """
    One kind of facility. ``deciding_mode``, ``substitutes`` and ``min_population`` are by profile.

    ``in_access`` is false for what nobody walks to (a sewer, an old homestead).
    """

    id: str
    name_zh: str
    name_en: str
    group: str
    tier: str
    kind: str
    in_access: bool
    policy_items: tuple[str, ...]
    lists: tuple[str, ...]
    family: str
    osm: tuple[TagRule, ...]
    amap: tuple[str, ...]
    persona: str
    direction: str
    deciding_mode: Mapping[str, str]
    substitutes: Mapping[str, tuple[str, ...]]
    min_population: Mapping[str, int]
    min_population_source: str
    capacity: str


@dataclass(frozen=True, slots=True)
class Standard:
    """Thresholds of one category in one profile; None where there is none. ``certainty`` is V, H, U or P."""

    walk_min: float | None
    drive_min: float | None
    radius_m: float | None
    certainty: str
    source: str

    def limit_min(self, mode: str) -> float | None:
        """The threshold of a mode in minutes."""
        return self.drive_min if mode == "drive" else self.walk_min


NO_STANDARD = Standard(None, None, None, "", "")


@dataclass(frozen=True, slots=True)
class Persona:
    """Who walks, and how fast on level ground."""

    id: str
    name_zh: str
    name_en: str
    flat_kmh: float
    certainty: str


@dataclass(frozen=True, slots=True)
class SizeClass:
    """A class of settlements by people; the lower bound belongs to it."""

    id: str
    name_zh: str
    name_en: str
    from_people: int
    certainty: str


@dataclass(frozen=True, slots=True)
class CircleList:
    """A list that a circle is judged by."""

    id: str
    name_zh: str
    name_en: str
    source: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """All data of the policy, checked; keyed by id."""

    categories: Mapping[str, Category]
    standards: Mapping[tuple[str, str], Standard]
    personas: Mapping[str, Persona]
    roads: tuple[RoadRule, ...]
    lists: Mapping[str, CircleList]
    size_classes: tuple[SizeClass, ...]
    profile_words: Mapping[str, tuple[str, ...]]
    osm_place: Mapping[str, str]
    headers: Mapping[str, Mapping[str, tuple[str, ...]]]

    def standard(self, category: str, profile: str) -> Standard:
        """The thresholds of a category in a profile; all None where it has none."""
        return self.standards.get((category, profile), NO_STANDARD)

    def in_access(self) -> list[Category]:
        """The categories that one travels to."""
        return [category for category in self.categories.values() if category.in_access]

    def on_list(self, name: str) -> list[str]:
        """The ids of the categories of a list, in catalogue order."""
        return [category.id for category in self.categories.values() if name in category.lists]

    def travel_profile(self, persona: str, mode: str) -> TravelProfile:
        """How a persona travels in a mode."""
        kind: Literal["walk", "drive"] = "drive" if mode == "drive" else "walk"
        return TravelProfile(persona, kind, self.personas[persona].flat_kmh, self.roads)

    def size_class(self, people: float) -> str:
        """
        Name the size class of a number of people, '' where it is unknown.

        Examples
        --------
        >>> catalog = load()
        >>> [catalog.size_class(n) for n in (199, 200, 10_000)], catalog.size_class(float("nan"))
        (['micro', 'small', 'huge'], '')
        """
        return next((c.id for c in self.size_classes if people >= c.from_people), "")

    def profile_of(self, words: str) -> str:
        """
        Read a settlement's profile from what a ledger says of its kind, '' where it says nothing known.

        Examples
        --------
        >>> load().profile_of("城镇集中安置"), load().profile_of("是")
        ('urban', '')
        """
        return next((p for p, known in self.profile_words.items() if any(w in words for w in known)), "")

    def with_overrides(self, standards: Mapping[str, Any], categories: Mapping[str, Any]) -> Catalog:
        """
        Apply a project's own values.

        Parameters
        ----------
        standards
            ``"primary_school.rural.walk_min" = 40``; the certainty of a moved standard is the project's (P).
        categories
            ``"primary_school.osm" = ["amenity=school"]``.

        Raises
        ------
        Stop
            A key names nothing that there is, or a value is of the wrong kind; all of them at once.
        """
        problems: list[Problem] = []
        moved = dict(self.standards)
        for key, value in standards.items():
            parts = key.split(".")
            known = len(parts) == 3 and parts[0] in self.categories and parts[1] in PROFILES and parts[2] in LIMITS
            if not known:
                problems.append(Problem.stop("override_unknown", table="standards", key=key))
            elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                problems.append(Problem.stop("override_value", key=key, value=value, wanted="> 0"))
            else:
                at = (parts[0], parts[1])
                source = f"project file: {key} = {value}"
                changed: dict[str, Any] = {parts[2]: float(value), "certainty": "P", "source": source}
                moved[at] = replace(moved.get(at, NO_STANDARD), **changed)
        own = dict(self.categories)
        for key, value in categories.items():
            name, _, field = key.partition(".")
            if name not in own or field != "osm":
                problems.append(Problem.stop("override_unknown", table="categories", key=key))
                continue
            try:
                own[name] = replace(own[name], osm=_rules(value))
            except (ValueError, TypeError, AttributeError) as error:
                problems.append(Problem.stop("override_value", key=key, value=value, wanted=error))
        if problems:
            raise Stop(problems)
        return replace(self, standards=moved, categories=own)


def load() -> Catalog:
    """
    Read the catalogue that is shipped.

    Raises
    ------
    Stop
        A row is faulty: unknown unit, kind or list, a standard without source, and so on; all at once.
    """
    names = ("categories", "standards", "personas", "roads", "lists", "settlements", "headers")
    folder = resources.files("layers.catalog")
    return build({name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in names})


def build(data: Mapping[str, Mapping[str, Any]]) -> Catalog:
    """Make a catalogue of parsed TOML, see ``load``."""
    problems = [
        *_category_faults(data),
        *_standard_faults(data["standards"], {row.get("id") for row in data["categories"]["category"]}),
    ]
    if problems:
        raise Stop(problems)
    categories = [_category(row) for row in data["categories"]["category"]]
    standards = {
        (name, profile): _standard(row)
        for name, profiles in data["standards"].items()
        for profile, row in profiles.items()
    }
    return Catalog(
        categories={category.id: category for category in categories},
        standards=standards,
        personas={name: Persona(id=name, **row) for name, row in data["personas"].items()},
        roads=tuple(
            RoadRule(name, row["walk"], _number(row.get("drive_kmh")))
            for name, row in data["roads"]["roads"].items()
        ),
        lists={name: CircleList(id=name, **row) for name, row in data["lists"].items()},
        size_classes=tuple(SizeClass(**row) for row in data["settlements"]["size_class"]),
        profile_words={p: tuple(words) for p, words in data["settlements"]["profiles"].items()},
        osm_place=dict(data["settlements"]["osm_place"]),
        headers={
            ledger: {field: tuple(words) for field, words in fields.items()}
            for ledger, fields in data["headers"].items()
        },
    )


def _standard(row: Mapping[str, Any]) -> Standard:
    walk, drive, radius = (_number(row.get(limit)) for limit in LIMITS)
    return Standard(walk, drive, radius, certainty=row["certainty"], source=row["source"])


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _rules(texts: Any) -> tuple[TagRule, ...]:
    if not isinstance(texts, list):
        raise TypeError('["key=value", …]')
    return tuple(TagRule.parse(text) for text in texts)


def _category(row: Mapping[str, Any]) -> Category:
    return Category(
        id=row["id"], name_zh=row["name_zh"], name_en=row["name_en"], group=row["group"], tier=row["tier"],
        kind=row["kind"], in_access=row["in_access"], policy_items=tuple(row["policy_items"]),
        lists=tuple(row["lists"]), family=row.get("family", ""), osm=_rules(row["osm"]),
        amap=tuple(row["amap"]), persona=row["persona"], direction=row["direction"],
        deciding_mode=row["deciding_mode"],
        substitutes={p: tuple(ids) for p, ids in row.get("substitutes", {}).items()},
        min_population=row.get("min_population", {}),
        min_population_source=row.get("min_population_source", ""), capacity=row.get("capacity", ""),
    )  # fmt: skip


def _category_faults(data: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    rows = data["categories"]["category"]
    ids = [row.get("id") for row in rows]
    faults: list[tuple[str, str, object]] = [
        (str(name), "id", "twice") for name in set(ids) if ids.count(name) > 1
    ]
    for row in rows:
        name = str(row.get("id"))
        allowed: dict[str, tuple[object, ...]] = {
            "kind": KINDS, "direction": DIRECTIONS, "persona": tuple(data["personas"]),
        }  # fmt: skip
        faults += [(name, key, row.get(key)) for key, known in allowed.items() if row.get(key) not in known]
        faults += [(name, "lists", one) for one in row.get("lists", ["?"]) if one not in data["lists"]]
        modes = row.get("deciding_mode", {})
        faults += [(name, f"deciding_mode.{p}", modes.get(p)) for p in PROFILES if modes.get(p) not in MODES]
        faults += [
            (name, "substitutes", one)
            for others in row.get("substitutes", {}).values()
            for one in others
            if one not in ids
        ]
        if row.get("min_population") and not row.get("min_population_source"):
            faults.append((name, "min_population_source", ""))
        try:
            _rules(row.get("osm"))
        except (ValueError, TypeError) as error:
            faults.append((name, "osm", error))
    return [Problem.stop("catalog_row", row=a, key=b, value=c) for a, b, c in faults]


def _standard_faults(standards: Mapping[str, Any], ids: set[Any]) -> list[Problem]:
    faults: list[tuple[str, str, object]] = []
    for name, profiles in standards.items():
        if name not in ids:
            faults.append((name, "id", name))
        for profile, row in profiles.items():
            at = f"{name}.{profile}"
            if profile not in PROFILES:
                faults.append((at, "profile", profile))
            if not row.get("source"):
                faults.append((at, "source", ""))
            if row.get("certainty") not in CERTAINTIES:
                faults.append((at, "certainty", row.get("certainty")))
            faults += [(at, key, row[key]) for key in row if key not in (*LIMITS, "certainty", "source")]
            faults += [(at, key, row[key]) for key in LIMITS if key in row and not row[key] > 0]
    return [Problem.stop("catalog_row", row=a, key=b, value=c) for a, b, c in faults]
