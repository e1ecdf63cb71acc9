"""
The policy as data: categories, standards, personas and modes, roads and land classes, lists, ledgers and headings.

Read from the TOML beside this.

A planner adds a category or moves a threshold by a row of data. Everything is checked when it is loaded, all
faults at once. A project overrides single values; the result is one frozen ``Catalog``.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from geo.problems import Problem, Stop
from geo.profile import Mode, RoadRule, TagRule, TravelProfile
from geo.walking import DEFAULT, LEVEL, WALK_FUNCTIONS
from layers.catalog.land import Reclamation, build_reclamation, reclamation_faults

Profile = Literal["urban", "park", "rural"]
PROFILES: tuple[Profile, ...] = ("urban", "park", "rural")
DIRECTIONS = ("to_facility", "from_facility", "round_trip_mean", "round_trip_worse")
DECIDING = ("walk", "usual_mode", "drive")
KINDS = ("point", "line", "area", "attribute")
CERTAINTIES = ("V", "H", "U", "P")
LIMITS = ("walk_min", "drive_min", "radius_m")
LAND_USES = ("farmland", "garden", "forest", "grass", "other_agri", "construction", "unused")
FILES = ("categories", "groups", "standards", "personas", "modes", "roads", "lists", "settlements", "headers",
         "landuse", "ledgers", "words", "doors", "landcover", "stages", "care", "remedies",
         "reclamation")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Category:
    """
    One kind of facility. ``deciding_mode``, ``substitutes`` and ``min_population`` are by profile.

    ``in_access`` is false for what nobody walks to (a sewer, an old homestead). ``no_standard`` names the
    profiles in which no threshold is known. ``min_population`` is the number of people, moved and host, from
    which a settlement must have one of its own; below it, and where there is none, only reach is judged.
    ``amap_name`` is what a row of a map provider must be called besides its code, None where the code says
    enough.
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
    amap_name: re.Pattern[str] | None
    persona: str
    direction: str
    deciding_mode: Mapping[str, str]
    no_standard: tuple[str, ...]
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
        """The threshold of a mode in minutes: walking has its own, whatever rides or drives the other."""
        return self.walk_min if mode == "walk" else self.drive_min


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
class TravelMode:
    """
    A way to go about, and the words of ledgers for it.

    ``kmh`` is the speed of riding where that is not the street's. A bus is taken only from stops with
    ``min_runs_a_day``; the headway is ``service_day_min`` parted by the runs.
    """

    id: str
    name_zh: str
    name_en: str
    words: tuple[str, ...]
    certainty: str
    kmh: float | None = None
    min_runs_a_day: int = 0
    service_day_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """A group of categories and how many belong to it."""

    id: str
    name_en: str
    category_n: int


@dataclass(frozen=True, slots=True)
class LandScheme:
    """Land classes of one scheme: the use by prefix of the code, and names."""

    id: str
    name_zh: str
    use: Mapping[str, str]
    names: Mapping[str, str]
    source: str
    certainty: str

    def use_of(self, code: str) -> str:
        """
        Name the use of a code, suffixes and all; '' for one that the scheme does not know.

        Examples
        --------
        >>> survey = load().land["third_survey"]
        >>> [survey.use_of(code) for code in ("0702", "0201K", "1006", "08H2A", "0404", "99")]
        ['construction', 'garden', 'other_agri', 'construction', 'unused', '']
        """
        return next((self.use[code[:n]] for n in (4, 2) if code[:n] in self.use), "")


@dataclass(frozen=True, slots=True)
class LedgerForm:
    """How the columns of a ledger or a layer are read; all fields are those of its section of headings."""

    id: str
    name_zh: str
    name_en: str
    form: str
    section: str
    id_field: str = ""
    settlement: str = ""
    shapes: str = ""
    land_class: str = ""
    personal: tuple[str, ...] = ()
    keyed: str = ""
    """A personal column of which a keyed hash is kept, as ``household_key``."""
    numbers: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    plot_areas: tuple[str, ...] = ()
    units_needed: bool = False
    """Whether areas without a unit, in heading or title, are unread: nobody writes them in square metres."""
    dates: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    file_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SurveyRoads:
    """What the road lines of a survey call themselves, see ``roads.toml``."""

    fields: tuple[str, ...]
    name_fields: tuple[str, ...]
    classes: Mapping[str, str]
    other: str


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
    """A list that a circle is judged by, and how many categories are on it."""

    id: str
    name_zh: str
    name_en: str
    source: str
    category_n: int


@dataclass(frozen=True, slots=True)
class SchoolStage:
    """
    A stage of schooling. ``category`` says who goes there, how and how far; ``comfort_share`` of that is near.

    ``per_1000`` people is the fallback where no ages are known.
    """

    id: str
    name_zh: str
    name_en: str
    category: str
    years: int
    class_size: int
    class_ceiling: int
    per_1000: float
    comfort_share: float
    source: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Band:
    """
    Children of three years, who are of one stage and go to schools of some categories.

    ``younger`` is the band that will be this one in three years.
    """

    id: str
    stage: str
    younger: str
    categories: tuple[str, ...]
    boards: bool


@dataclass(frozen=True, slots=True)
class CareLevel:
    """
    A level of care: its institutions, how far people go there, and what 1,000 people should have (None: not said).

    ``mode`` is ``usual`` (on foot, or as the place usually rides) or ``drive``.
    """

    id: str
    name_zh: str
    name_en: str
    categories: tuple[str, ...]
    mode: str
    ride_min: float
    source: str
    certainty: str
    walk_min: float | None = None
    staff_per_1000: float | None = None
    beds_per_1000: float | None = None


@dataclass(frozen=True, slots=True)
class CareRules:
    """How many should be how near to any care, and how grids are drawn round the institutions of a level."""

    within_min: float
    people_share: float
    lead: str
    limit_min: float


@dataclass(frozen=True, slots=True)
class RemedyRules:
    """
    What may be built: classes of a new school by stage, by how much one that is there may grow, and where.

    ``weights`` compare a new site, a class and a bed where the project states no costs; ``costs`` are the
    project's own, in 10,000 yuan.
    """

    new: Mapping[str, int]
    weights: Mapping[str, float]
    most_units: int
    most_beds: int
    apart_m: float
    slope_deg: float
    forbidden: tuple[str, ...]
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def prices(self) -> Mapping[str, float]:
        """What counts: costs where all are stated, else weights."""
        return self.costs if set(self.weights) <= set(self.costs) else self.weights


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What of OSM is a way into an area, if its ``access`` or ``foot`` does not say ``closed``."""

    gates: tuple[TagRule, ...]
    closed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """
    All data of the policy, checked; keyed by id.

    ``walk_function`` and ``raw_speed`` say how people walk, see ``walking``.
    """

    categories: Mapping[str, Category]
    standards: Mapping[tuple[str, str], Standard]
    personas: Mapping[str, Persona]
    groups: Mapping[str, Group]
    modes: Mapping[str, TravelMode]
    roads: tuple[RoadRule, ...]
    ferries: tuple[RoadRule, ...]
    """Rules of what carries people over water, for ``with_ferries``."""
    survey_roads: SurveyRoads
    land: Mapping[str, LandScheme]
    ledgers: Mapping[str, LedgerForm]
    met_share: float
    lists: Mapping[str, CircleList]
    size_classes: tuple[SizeClass, ...]
    profile_words: Mapping[str, tuple[str, ...]]
    osm_place: Mapping[str, str]
    headers: Mapping[str, Mapping[str, tuple[str, ...]]]
    words: Mapping[str, Mapping[str, tuple[str, ...]]]
    stages: Mapping[str, SchoolStage]
    bands: tuple[Band, ...]
    boarding_limit_min: float
    care: Mapping[str, CareLevel]
    """Levels of care, the nearest first."""
    care_rules: CareRules
    remedies: RemedyRules
    reclamation: Reclamation
    doors: DoorRules
    cover: Mapping[int, float]
    """By class of land cover how many times longer a metre takes than on open ground; 0 is closed."""
    default_seats: Mapping[str, float] = field(default_factory=dict)
    """By category the seats of a school that tells none: a rule that the project states."""
    default_staff: Mapping[str, float] = field(default_factory=dict)
    """By category the doctors of an institution that tells none, by the same."""
    walk_function: str = DEFAULT
    raw_speed: bool = False

    def standard(self, category: str, profile: str) -> Standard:
        """The thresholds of a category in a profile; all None where it has none."""
        return self.standards.get((category, profile), NO_STANDARD)

    def in_access(self) -> list[Category]:
        """The categories that one travels to."""
        return [category for category in self.categories.values() if category.in_access]

    def on_list(self, name: str) -> list[str]:
        """The ids of the categories of a list, in catalogue order."""
        return [category.id for category in self.categories.values() if name in category.lists]

    def travel_profile(self, persona: str, mode: Mode, *, level: bool = False) -> TravelProfile:
        """How a persona travels in a mode, one of ``geo.profile.Mode``; ``level`` where no grades are known."""
        ride = self.modes[mode].kmh
        flat = WALK_FUNCTIONS[self.walk_function].flat_kmh if self.raw_speed else self.personas[persona].flat_kmh
        return TravelProfile(
            persona, mode, flat, self.roads, ride_kmh=ride, walk_function=LEVEL if level else self.walk_function
        )

    @property
    def schools(self) -> list[str]:
        """The categories that take pupils of some band, in the order of their names."""
        return sorted({name for band in self.bands for name in band.categories})

    def class_size(self, category: str) -> float:
        """How many pupils a class of a category of schools has, in the least of its stages; NaN for no school."""
        sizes = [self.stages[band.stage].class_size for band in self.bands if category in band.categories]
        return float(min(sizes)) if sizes else math.nan

    def with_ferries(self) -> Catalog:
        """The same where people take ferries."""
        return replace(self, roads=(*self.roads, *self.ferries))

    def walking(self, function: str, *, raw: bool = False) -> Catalog:
        """
        Choose how grades change a walk, one of ``geo.walking``; ``raw`` walks at the function's own speed.

        The function gives the shape and the persona the speed on level ground; with ``raw`` all personas walk as
        the function was published.
        """
        return replace(self, walk_function=function, raw_speed=raw)

    def at_speed(self, factor: float) -> Catalog:
        """Let everybody walk so many times as fast on level ground."""
        walkers = {key: replace(one, flat_kmh=one.flat_kmh * factor) for key, one in self.personas.items()}
        return replace(self, personas=walkers)

    def says(self, about: str, words: str) -> bool | None:
        """
        Read yes or no from a cell (``flag``, whole words) or a status (``operating``, parts of it).

        A no goes before a yes, because 未运营 holds 运营. None where it says nothing known.

        Examples
        --------
        >>> own = load()
        >>> [own.says("operating", w) for w in ("正常运营", "未运营", "在建", "")], own.says("flag", "已拆除")
        ([True, False, False, None], True)
        """
        known, cell = self.words[about], words.strip().lower()
        for answer in ("no", "yes"):
            for word in known[answer]:
                if cell == word or (about == "operating" and word in cell and (answer == "no" or len(word) > 1)):
                    return answer == "yes"
        return None

    def mode_of(self, words: str) -> str:
        """
        Read how people go about from what a ledger says, '' where it says nothing known.

        Examples
        --------
        >>> [load().mode_of(words) for words in ("摩托车", "步行", "农村客运班车", "骑马")]
        ['ebike', 'walk', 'bus', '']
        """
        return next((m.id for m in self.modes.values() if any(w in words.lower() for w in m.words)), "")

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


@cache
def load() -> Catalog:
    """
    Read the catalogue that is shipped; once, because a run asks for it a dozen times and it never changes.

    Raises
    ------
    Stop
        A row is faulty: unknown unit, kind or list, a standard without source, and so on; all at once.
    """
    folder = resources.files("layers.catalog")
    return build({name: tomllib.loads((folder / f"{name}.toml").read_text("utf-8")) for name in FILES})


def build(data: Mapping[str, Mapping[str, Any]]) -> Catalog:
    """Make a catalogue of parsed TOML, see ``load``."""
    faults = [
        *_category_faults(data),
        *_group_faults(data),
        *_standard_faults(data["standards"], data["categories"]["category"]),
        *_ledger_faults(data),
        *reclamation_faults(data["reclamation"], data["ledgers"]),
    ]
    if faults:
        raise Stop([Problem.stop("catalog_row", row=row, key=key, value=value) for row, key, value in faults])
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
        groups={row["id"]: Group(**row) for row in data["groups"]["group"]},
        modes={
            name: TravelMode(id=name, **(row | {"words": tuple(row["words"])}))
            for name, row in data["modes"].items()
        },
        survey_roads=_survey_roads(data["roads"]["survey"]),
        land={name: LandScheme(id=name, **row) for name, row in data["landuse"].items()},
        ledgers={name: _ledger(name, row) for name, row in data["ledgers"].items()},
        met_share=float(data["settlements"]["met_share"]["value"]),
        roads=_road_rules(data["roads"]["roads"]),
        ferries=_road_rules(data["roads"]["ferries"]),
        lists={name: CircleList(id=name, **row) for name, row in data["lists"].items()},
        size_classes=tuple(SizeClass(**row) for row in data["settlements"]["size_class"]),
        profile_words={p: tuple(words) for p, words in data["settlements"]["profiles"].items()},
        osm_place=dict(data["settlements"]["osm_place"]),
        headers={
            ledger: {field: tuple(words) for field, words in fields.items()}
            for ledger, fields in data["headers"].items()
        },
        words={
            about: {answer: tuple(words) for answer, words in answers.items()}
            for about, answers in data["words"].items()
        },
        stages={name: SchoolStage(id=name, **row) for name, row in data["stages"]["stage"].items()},
        bands=tuple(Band(**(row | {"categories": tuple(row["categories"])})) for row in data["stages"]["band"]),
        boarding_limit_min=float(data["stages"]["boarding"]["limit_min"]),
        care={
            name: CareLevel(id=name, **(row | {"categories": tuple(row["categories"])}))
            for name, row in data["care"]["level"].items()
        },
        remedies=RemedyRules(
            data["remedies"]["new"],
            data["remedies"]["weights"],
            **data["remedies"]["expansion"],
            **(data["remedies"]["candidates"] | {"forbidden": tuple(data["remedies"]["candidates"]["forbidden"])}),
        ),
        care_rules=CareRules(**data["care"]["target"], **data["care"]["grids"]),
        reclamation=build_reclamation(data["reclamation"]),
        cover={int(code): float(factor) for code, factor in data["landcover"]["worldcover"]["factor"].items()},
        doors=DoorRules(_rules(data["doors"]["osm"]["gates"]), frozenset(data["doors"]["osm"]["closed"])),
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


def _pattern(text: Any) -> re.Pattern[str] | None:
    return None if text is None else re.compile(text)


def _category(row: Mapping[str, Any]) -> Category:
    return Category(
        id=row["id"], name_zh=row["name_zh"], name_en=row["name_en"], group=row["group"], tier=row["tier"],
        kind=row["kind"], in_access=row["in_access"], policy_items=tuple(row["policy_items"]),
        lists=tuple(row["lists"]), family=row.get("family", ""), osm=_rules(row["osm"]),
        amap=tuple(row["amap"]), amap_name=_pattern(row.get("amap_name")),
        persona=row["persona"], direction=row["direction"],
        deciding_mode=row["deciding_mode"], no_standard=tuple(row.get("no_standard", ())),
        substitutes={p: tuple(ids) for p, ids in row.get("substitutes", {}).items()},
        min_population=row.get("min_population", {}),
        min_population_source=row.get("min_population_source", ""), capacity=row.get("capacity", ""),
    )  # fmt: skip


def _road_rules(rows: Mapping[str, Mapping[str, Any]]) -> tuple[RoadRule, ...]:
    return tuple(
        RoadRule(
            name, row["walk"], _number(row.get("drive_kmh")), _number(row.get("carry_kmh")),
            float(row.get("wait_min", 0)),
        )
        for name, row in rows.items()
    )  # fmt: skip


def _survey_roads(row: Mapping[str, Any]) -> SurveyRoads:
    return SurveyRoads(tuple(row["fields"]), tuple(row["name_fields"]), row["classes"], row["other"])


def _ledger(name: str, row: Mapping[str, Any]) -> LedgerForm:
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return LedgerForm(id=name, id_field=given.pop("id", ""), **given)


Faults = list[tuple[str, str, object]]
"""Row, key and value."""


def _category_faults(data: Mapping[str, Mapping[str, Any]]) -> Faults:
    rows = data["categories"]["category"]
    ids = [row.get("id") for row in rows]
    faults: Faults = [(str(name), "id", "twice") for name in set(ids) if ids.count(name) > 1]
    for row in rows:
        name = str(row.get("id"))
        allowed: dict[str, tuple[object, ...]] = {
            "kind": KINDS, "direction": DIRECTIONS, "persona": tuple(data["personas"]),
        }  # fmt: skip
        faults += [(name, key, row.get(key)) for key, known in allowed.items() if row.get(key) not in known]
        faults += [(name, "lists", one) for one in row.get("lists", ["?"]) if one not in data["lists"]]
        modes = row.get("deciding_mode", {})
        faults += [(name, f"deciding_mode.{p}", modes.get(p)) for p in PROFILES if modes.get(p) not in DECIDING]
        faults += [
            (name, "substitutes", one)
            for others in row.get("substitutes", {}).values()
            for one in others
            if one not in ids
        ]
        if row.get("min_population") and not row.get("min_population_source"):
            faults.append((name, "min_population_source", ""))
        if row.get("kind") == "line" and row.get("in_access"):
            faults.append((name, "in_access", "line"))  # nobody walks to a sewer
        for key, read in (("osm", _rules), ("amap_name", _pattern)):
            try:
                read(row.get(key))
            except (ValueError, TypeError, re.error) as error:
                faults.append((name, key, error))
    return faults


def _group_faults(data: Mapping[str, Mapping[str, Any]]) -> Faults:
    """Count the categories of each group and list, so that none goes missing unseen."""
    rows = data["categories"]["category"]
    due = {row["id"]: row["category_n"] for row in data["groups"]["group"]}
    faults: Faults = [
        (str(row.get("id")), "group", row.get("group")) for row in rows if row.get("group") not in due
    ]
    for name, n in due.items():
        found = sum(row.get("group") == name for row in rows)
        if found != n:
            faults.append((name, "category_n", f"{found} / {n}"))
    for name, entry in data["lists"].items():
        found = sum(name in row.get("lists", ()) for row in rows)
        if found != entry.get("category_n"):
            faults.append((name, "category_n", f"{found} / {entry.get('category_n')}"))
    return faults


def _standard_faults(standards: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> Faults:
    """Every category has a row in every profile or says that it has none; a row has a source and known units."""
    faults: Faults = []
    without = {row.get("id"): row.get("no_standard", ()) for row in rows}
    for name, none in without.items():
        for profile in PROFILES:
            given = profile in standards.get(str(name), {})
            if given == (profile in none):
                faults.append((f"{name}.{profile}", "no_standard", "twice" if given else "missing"))
    for name, profiles in standards.items():
        if name not in without:
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
            if not any(key in row for key in LIMITS):
                faults.append((at, "walk_min, drive_min, radius_m", ""))
    return faults


def _ledger_faults(data: Mapping[str, Mapping[str, Any]]) -> Faults:
    """Name the fields of a ledger that its section of headings does not have, and land uses that are none."""
    faults: Faults = []
    for name, row in data["ledgers"].items():
        known = {*data["headers"].get(row["section"], ()), *data["headers"]["common"]}
        own = [row.get(key, "") for key in ("id", "settlement", "land_class", "keyed")]
        lists = [value for key, value in row.items() if isinstance(value, list) and key != "file_words"]
        own += [field for fields in lists for field in fields]
        faults += [(name, row["section"], field) for field in own if field and field not in known]
    for name, scheme in data["landuse"].items():
        faults += [(f"{name}.{code}", "use", use) for code, use in scheme["use"].items() if use not in LAND_USES]
        if not scheme.get("source"):
            faults.append((name, "source", ""))
    return faults
