"""The project file: read, checked with all faults at once, resolved into one frozen value."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo import crs as systems
from geo.problems import CRSUnitError, Problem, Stop
from geo.profile import TagRule
from geo.walking import DEFAULT, WALK_FUNCTIONS
from layers import catalog as catalogue
from layers.catalog import Catalog
from layers.edits import Scenario, read_scenario
from outputs.messages import LANGUAGES

PEOPLE_LIMIT_M = 2000.0
"""How far people of a raster may live from the settlement they are counted at: half an hour on foot [P]."""


@dataclass(frozen=True, slots=True)
class Source:
    """
    One file of a layer and how to read it.

    ``osm`` is '' or, for OSM files, what to take; ``code`` says whose type codes sort the rows (``amap``). The
    ``path`` of a ledger may be a folder of tables.
    """

    path: Path
    sheet: str | None = None
    layer: str | None = None
    crs: str | None = None
    category: str | None = None
    osm: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """
    Where streets come from: ``kind`` is osm, roads (lines of a survey), graphml or place (asked online).

    ``ferries`` says whether people take those of the OSM file.
    """

    kind: str
    source: Source | None = None
    place: str = ""
    ferries: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """
    A resolved project file.

    Paths are absolute. ``service`` is a file, a box (west, south, east, north) or None. ``forms`` are the
    ledgers and layers of ``layers/catalog/ledgers.toml``; ``strata`` names the stratum of each county.
    ``walk_function`` and ``raw`` say how grades change a walk, see ``Catalog.walking``. ``standards``,
    ``categories``, ``cover`` (how much longer a metre takes by class of land cover), ``seats`` (of schools that
    tell none), ``pupils`` (per 1,000 people, by stage, where no ages are known) and ``staff`` (doctors of
    institutions of care that tell none) are what differs from the catalogue; ``costs`` are of a new site, a class
    (``unit``) and a bed, in 10,000 yuan, and ``candidates`` a list of sites, both for ``yike site``.
    ``reclamation`` is what differs from the catalogue of old homesteads, ``prices`` are what a mu of quota is
    worth in scenarios, in 10,000 yuan. ``scenario`` holds edits of what the files say.
    """

    file: Path
    name: str
    network: Network
    settlements: tuple[Source, ...]
    language: str = "zh"
    adcode: str = ""
    as_of: dt.date | None = None
    audience: str = "internal"
    crs: str = "auto"
    service: Source | tuple[float, float, float, float] | None = None
    settlement_shapes: Source | None = None
    households: tuple[Source, ...] = ()
    hosts: tuple[Source, ...] = ()
    facilities: tuple[Source, ...] = ()
    facility_shapes: Source | None = None
    forms: Mapping[str, Source] = dataclasses.field(default_factory=dict)
    homesteads: Source | None = None
    people: Path | None = None
    people_limit_m: float = PEOPLE_LIMIT_M
    dem: tuple[Path, ...] = ()
    landcover: Path | None = None
    circle_personas: tuple[str, ...] = ("adult", "elderly")
    met_share: float | None = None
    walk_function: str = DEFAULT
    raw: bool = False
    strata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    standards: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    categories: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    cover: Mapping[int, float] = dataclasses.field(default_factory=dict)
    seats: Mapping[str, float] = dataclasses.field(default_factory=dict)
    pupils: Mapping[str, float] = dataclasses.field(default_factory=dict)
    staff: Mapping[str, float] = dataclasses.field(default_factory=dict)
    costs: Mapping[str, float] = dataclasses.field(default_factory=dict)
    candidates: Source | None = None
    reclamation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    prices: Mapping[str, float] = dataclasses.field(default_factory=dict)
    scenario: Scenario = dataclasses.field(default_factory=Scenario)

    def catalog(self) -> Catalog:
        """The catalogue with this project's own values."""
        own = catalogue.load().with_overrides(self.standards, self.categories)
        own = own.with_ferries() if self.network.ferries else own
        own = dataclasses.replace(own, cover={**own.cover, **self.cover}, default_seats=self.seats,
                                  default_staff=self.staff)  # fmt: skip
        own = dataclasses.replace(own, remedies=dataclasses.replace(own.remedies, costs=self.costs))
        own = dataclasses.replace(own, reclamation=own.reclamation.with_overrides(self.reclamation))
        local = {name: dataclasses.replace(own.stages[name], per_1000=n) for name, n in self.pupils.items()}
        own = dataclasses.replace(own, stages={**own.stages, **local})
        return own.walking(self.walk_function, raw=self.raw)

    def changed(self, path: Path) -> Project:
        """
        The same project with the edits of a scenario file.

        Raises
        ------
        Stop
            The file cannot be read, or an edit says what cannot be, see ``layers.edits.read_scenario``.
        """
        catalog = self.catalog()
        scenario = read_scenario(path, catalog)
        try:
            catalog.with_overrides(scenario.standards, {})
        except Stop as stop:
            raise Stop([dataclasses.replace(p, file=path.name) for p in stop.problems]) from stop
        return dataclasses.replace(self, standards={**self.standards, **scenario.standards}, scenario=scenario)

    def resolved(self) -> dict[str, Any]:
        """The whole configuration as JSON values; files by their path relative to the project file."""
        whole: dict[str, Any] = self.plain({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        return {key: value for key, value in whole.items() if key != "file"}

    def plain(self, value: Any) -> Any:
        """A part of the configuration as JSON values; files by their path relative to the project file."""
        if isinstance(value, Path):
            return self.relative(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: self.plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        if isinstance(value, list | tuple):
            return [self.plain(item) for item in value]
        if isinstance(value, Mapping):
            return {str(key): self.plain(item) for key, item in value.items()}
        return value if value is None or isinstance(value, str | int | float | bool) else str(value)

    def label(self, path: Path) -> str:
        """How records name a file: by its name, and where two inputs have that name by the path to it."""
        alike = [other for other in self.input_files() if other.name == path.name]
        return self.relative(path) if len(alike) > 1 else path.name

    def relative(self, path: Path) -> str:
        """A file as the project file could name it: from its folder on, so that it means the same elsewhere."""
        try:
            return Path(os.path.relpath(path, self.file.parent)).as_posix()
        except ValueError:  # on another drive
            return path.as_posix()

    def input_files(self) -> list[Path]:
        """Every file that is read, each once, in the order of the project file."""
        roads = [self.network.source.path] if self.network.source is not None else []
        paths = [*roads, *(source.path for source in self.sources()), *self.dem]
        paths += [path for path in (self.people, self.landcover) if path]
        return list(dict.fromkeys(paths))

    def sources(self) -> list[Source]:
        """Every table or layer that is read, in the order of the project file."""
        single = (self.settlement_shapes, self.facility_shapes, self.homesteads, self.service, self.candidates)
        people = (*self.settlements, *self.households, *self.hosts)
        named = (source for source in single if isinstance(source, Source))
        return [*people, *self.facilities, *named, *self.forms.values()]


NETWORKS = ("osm", "roads", "graphml", "place")

_KEYS: dict[str, tuple[str, ...]] = {
    "project": ("name", "language", "adcode", "as_of", "audience", "crs"),
    "area": ("service",),
    "layers": (
        "settlements",
        "settlement_shapes",
        "households",
        "hosts",
        "facilities",
        "facility_shapes",
        "homesteads",
        "people",
        "candidates",
    ),
    "network": (*NETWORKS, "ferries"),
    "terrain": ("dem", "landcover"),
    "landcover": (),
    "seats": (),
    "pupils": (),
    "staff": (),
    "costs": (),
    "reclamation": (),
    "quota": (),
    "run": ("circle_personas", "met_share", "walk_function", "raw"),
    "strata": (),
    "standards": (),
    "categories": (),
}
_FORM_KEYS = {"table": ("path", "sheet"), "layer": ("path", "layer", "crs")}
_SOURCE_KEYS = {
    "settlements": ("path", "sheet", "layer", "crs", "osm"),
    "settlement_shapes": ("path", "layer", "crs"),
    "facility_shapes": ("path", "layer", "crs"),
    "households": ("path", "sheet", "layer", "crs"),
    "hosts": ("path", "sheet", "layer", "crs"),
    "facilities": ("path", "sheet", "layer", "crs", "osm", "category", "code"),
    "roads": ("path", "layer", "crs"),
    "homesteads": ("path", "layer", "crs", "osm"),
    "service": ("path", "layer", "crs"),
    "candidates": ("path", "sheet", "layer", "crs"),
    "people": ("path", "limit_m"),
}


class _Reader:
    """Collects faults while values are taken out of the parsed file."""

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self.path = path
        self.data = data
        self.problems: list[Problem] = []

    def wrong(self, key: str, value: object, wanted: str) -> None:
        self.problems.append(Problem.stop("key_wrong", file=self.path, key=key, value=value, wanted=wanted))

    def unknown(self, key: str, known: tuple[str, ...]) -> None:
        near = difflib.get_close_matches(key.rsplit(".", 1)[-1], known, n=3, cutoff=0.5) or list(known)
        self.problems.append(Problem.stop("key_unknown", file=self.path, key=key, near="、".join(near)))

    def take(self, table: str, key: str, kind: type, default: Any, wanted: str) -> Any:
        value = self.data.get(table, {}).get(key, default)
        if value is default or (isinstance(value, kind) and not isinstance(value, bool)):
            return value
        self.wrong(f"{table}.{key}", value, wanted)
        return default

    def file(self, key: str, text: object) -> Path:
        if not isinstance(text, str) or not text:
            self.wrong(key, text, '"…"')
            return self.path
        try:
            path = (self.path.parent / text).resolve()
            path.exists()
        except (OSError, ValueError):  # too long for a name, or with a character that no name may hold
            shown = text.replace("\0", "␀")
            self.wrong(key, shown if len(shown) <= 60 else shown[:60] + "…", '"….xlsx"')
            return self.path
        return path

    def sources(self, name: str, given: Any) -> tuple[Source, ...]:
        entries = given if isinstance(given, list) else [given]
        return tuple(s for s in (self.source(name, entry) for entry in entries) if s is not None)

    def source(self, name: str, given: Any, keys: tuple[str, ...] | None = None) -> Source | None:
        keys = keys or _SOURCE_KEYS[name]
        entry = {"path": given} if isinstance(given, str) else given
        if not isinstance(entry, dict):
            self.wrong(f"layers.{name}", given, '{ path = "…" }')
            return None
        for key in entry:
            if key not in keys:
                self.unknown(f"layers.{name}.{key}", keys)
        osm = self._osm(name, entry)
        path = entry.get("path")
        if path is None and osm:
            path = self.data.get("network", {}).get("osm")
        if path is None:
            self.problems.append(
                Problem.stop("key_missing", file=self.path, key=f"layers.{name}.path", wanted='path = "…"')
            )
            return None
        path, layer = _parted(path)
        text = {key: entry.get(key) for key in ("sheet", "layer", "crs", "category", "code")}
        text["layer"] = text["layer"] or layer
        for key, value in text.items():
            if value is not None and not isinstance(value, str):
                self.wrong(f"layers.{name}.{key}", value, '"…"')
                text[key] = None
        if text["crs"] is not None:
            self.system(text["crs"])
        if text["code"] not in (None, "amap"):
            self.wrong(f"layers.{name}.code", text["code"], '"amap"')
        return Source(self.file(f"layers.{name}.path", path), osm=osm, **text)

    def _osm(self, name: str, entry: Mapping[str, Any]) -> str:
        """What to take of an OSM file: '' for nothing, ``true`` for what the layer asks for, or a rule."""
        osm = entry.get("osm", "")
        if osm is True:
            osm = "true"
        elif osm:
            try:
                TagRule.parse(osm)
            except (ValueError, AttributeError):
                self.wrong(f"layers.{name}.osm", osm, 'true, "building=*"')
                osm = "true"
        for key in ("category", "code"):
            if osm and key in entry:  # OSM's own tags sort its objects
                self.wrong(f"layers.{name}.{key}", entry[key], f'osm = true | {key} = "…"')
        return str(osm or "")

    def system(self, name: str) -> str:
        try:
            return systems.system(name)
        except Stop as stop:
            self.problems += [dataclasses.replace(p, file=self.path.name) for p in stop.problems]
            return systems.DEGREES


def _parted(path: object) -> tuple[object, str | None]:
    """Take the layer off ``三调.gdb:DLTB``; a drive letter is no layer."""
    if isinstance(path, str):
        found = re.fullmatch(r"(.+\.(?:gdb|gpkg)):([^/\\]+)", path, re.IGNORECASE)
        if found:
            return found.group(1), found.group(2)
    return path, None


def load_project(path: Path) -> Project:
    """
    Read a project file.

    Raises
    ------
    Stop
        Missing, not TOML, unknown keys, wrong values, missing keys: all of them at once.
    """
    path = path.resolve()
    if not path.is_file():
        raise Stop(Problem.stop("project_missing", file=path))
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # no TOML, no text, or a number of thousands of digits
        raise Stop(Problem.stop("project_syntax", file=path, reason=error)) from error
    reader = _Reader(path, data)
    reader.data = _tame(reader, data)
    _check_keys(reader)
    project = _project(reader)
    try:
        catalog = catalogue.load().with_overrides(project.standards, project.categories)
    except Stop as stop:
        reader.problems += [dataclasses.replace(p, file=path.name) for p in stop.problems]
        catalog = catalogue.load()
    _check_names(reader, project, catalog)
    if reader.problems:
        raise Stop(reader.problems)
    return project


def _tame(reader: _Reader, value: Any, key: str = "") -> Any:
    """Take whole numbers that TOML does not have, of more than 64 bits, for a fault and for 0."""
    if isinstance(value, dict):
        return {name: _tame(reader, inner, f"{key}.{name}".lstrip(".")) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tame(reader, inner, key) for inner in value]
    if isinstance(value, int) and abs(value) >= 2**63:
        reader.wrong(key, f"{value:.3g}" if abs(value) < 2**1000 else "…", "< 2^63")
        return 0
    return value


def _check_keys(reader: _Reader) -> None:
    known = _KEYS | {"layers": (*_KEYS["layers"], *catalogue.load().ledgers)}
    for table, content in reader.data.items():
        if table not in _KEYS:
            reader.unknown(table, tuple(_KEYS))
        elif not isinstance(content, dict):
            reader.wrong(table, content, f"[{table}]")
        elif known[table]:
            for key in content:
                if key not in known[table]:
                    reader.unknown(f"{table}.{key}", known[table])
    for table in list(reader.data):
        if not isinstance(reader.data[table], dict):
            reader.data = {**reader.data, table: {}}
    if "settlements" not in reader.data.get("layers", {}):
        wanted = 'settlements = "….xlsx"'
        reader.problems.append(
            Problem.stop("key_missing", file=reader.path, key="[layers] settlements", wanted=wanted)
        )
    named = [key for key in NETWORKS if key in reader.data.get("network", {})]
    if not named:
        wanted = 'osm = "….osm.pbf"'
        reader.problems.append(Problem.stop("key_missing", file=reader.path, key="[network] osm", wanted=wanted))
    elif len(named) > 1:
        reader.wrong("network", "、".join(named), "osm | roads | graphml | place")


def _project(reader: _Reader) -> Project:
    take, layers = reader.take, reader.data.get("layers", {})
    people = layers.get("people")
    people_entry = {"path": people} if isinstance(people, str) else people
    if people is not None and not isinstance(people_entry, dict):
        reader.wrong("layers.people", people, '"….tif"')
    limit = PEOPLE_LIMIT_M
    if isinstance(people_entry, dict):
        for key in people_entry:
            if key not in _SOURCE_KEYS["people"]:
                reader.unknown(f"layers.people.{key}", _SOURCE_KEYS["people"])
        limit = people_entry.get("limit_m", PEOPLE_LIMIT_M)
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
            reader.wrong("layers.people.limit_m", limit, "> 0")
            limit = PEOPLE_LIMIT_M
    dem = take("terrain", "dem", (list, str), [], '["….tif"]')  # type: ignore[arg-type]
    as_of = take("project", "as_of", dt.date, None, "2026-06-30")
    personas = take("run", "circle_personas", list, ["adult", "elderly"], '["adult", "elderly"]')
    return Project(
        file=reader.path,
        name=take("project", "name", str, reader.path.stem, '"…"'),
        language=take("project", "language", str, "zh", '"zh", "en"'),
        adcode=str(take("project", "adcode", (str, int), "", '"513431"')),  # type: ignore[arg-type]
        as_of=as_of.date() if isinstance(as_of, dt.datetime) else as_of,
        audience=take("project", "audience", str, "internal", '"internal"'),
        crs=take("project", "crs", str, "auto", '"auto", "EPSG:4543"'),
        service=_service(reader),
        network=_network(reader),
        settlements=_settlements(reader),
        settlement_shapes=_one(reader, "settlement_shapes"),
        facility_shapes=_one(reader, "facility_shapes"),
        households=reader.sources("households", layers.get("households", [])),
        hosts=reader.sources("hosts", layers.get("hosts", [])),
        facilities=reader.sources("facilities", layers.get("facilities", [])),
        forms=_forms(reader),
        homesteads=_one(reader, "homesteads"),
        people=reader.file("layers.people", people_entry.get("path")) if isinstance(people_entry, dict) else None,
        people_limit_m=float(limit),
        landcover=_landcover(reader, covered=bool(dem)),
        cover=_cover(reader),
        seats=_numbers(reader, "seats", catalogue.load().schools, 1, MOST_SEATS, whole=True),
        pupils=_numbers(reader, "pupils", tuple(catalogue.load().stages), 0, MOST_PUPILS),
        costs=_numbers(reader, "costs", tuple(catalogue.load().remedies.weights), 0, MOST_COST),
        candidates=_one(reader, "candidates"),
        reclamation=_reclamation(reader),
        prices=_numbers(reader, "quota", tuple(catalogue.load().reclamation.prices), 0, MOST_COST),
        staff=_numbers(reader, "staff", _caring(), 0, MOST_STAFF),
        dem=tuple(reader.file("terrain.dem", p) for p in ([dem] if isinstance(dem, str) else dem)),
        circle_personas=tuple(str(p) for p in personas),
        met_share=_met_share(reader),
        walk_function=_walk_function(reader),
        raw=_raw(reader),
        strata={str(k): str(v) for k, v in reader.data.get("strata", {}).items()},
        standards=dict(reader.data.get("standards", {})),
        categories=dict(reader.data.get("categories", {})),
    )


def _settlements(reader: _Reader) -> tuple[Source, ...]:
    given = reader.data.get("layers", {}).get("settlements", "?")
    if given == []:
        reader.wrong("layers.settlements", "[]", '"….xlsx"')
    return reader.sources("settlements", given) or (Source(reader.path),)


def _one(reader: _Reader, name: str) -> Source | None:
    layers = reader.data.get("layers", {})
    return reader.source(name, layers[name]) if name in layers else None


def _forms(reader: _Reader) -> dict[str, Source]:
    found = {}
    for name, form in catalogue.load().ledgers.items():
        if name in reader.data.get("layers", {}):
            source = reader.source(name, reader.data["layers"][name], _FORM_KEYS[form.form])
            if source is not None:
                found[name] = source
    return found


def _network(reader: _Reader) -> Network:
    given = reader.data.get("network", {})
    kind = next((key for key in NETWORKS if key in given), "osm")
    ferries = given.get("ferries", False)
    if not isinstance(ferries, bool) or (ferries and kind != "osm"):  # only OSM has them
        reader.wrong("network.ferries", ferries, "true | false, osm = …")
    if kind == "place":
        return Network("place", place=reader.take("network", "place", str, "", '"昭觉县, 四川"'))
    if kind == "roads":
        return Network("roads", reader.source("roads", given["roads"]))
    return Network(kind, Source(reader.file(f"network.{kind}", given.get(kind, "?"))), ferries=ferries is True)


def _landcover(reader: _Reader, *, covered: bool) -> Path | None:
    given = reader.data.get("terrain", {}).get("landcover")
    if given is not None and not covered:  # without terrain nobody walks over open ground
        reader.wrong("terrain.landcover", given, 'dem = ["….tif"]')
    return None if given is None else reader.file("terrain.landcover", given)


MOST_COVER = 20.0
"""Nothing that is walked over at all takes longer than this, times open ground."""


def _cover(reader: _Reader) -> dict[int, float]:
    found = {}
    for code, factor in reader.data.get("landcover", {}).items():
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if (
            code.isdecimal()
            and len(code) <= 9
            and number
            and (factor == 0 or 1 / MOST_COVER <= factor <= MOST_COVER)
        ):
            found[int(code)] = float(factor)
        else:
            reader.wrong(f"landcover.{code}", factor, f"10 = 0 | {1 / MOST_COVER:g} … {MOST_COVER:g}")
    return found


def _numbers(
    reader: _Reader, table: str, known: Sequence[str], least: int, most: int, *, whole: bool = False
) -> dict[str, float]:
    """A table of numbers by name."""
    kinds = int if whole else (int, float)
    found = {}
    for name, number in reader.data.get(table, {}).items():
        if name not in known:
            reader.unknown(f"{table}.{name}", tuple(known))
        elif isinstance(number, bool) or not isinstance(number, kinds) or not least <= number <= most:
            reader.wrong(f"{table}.{name}", number, f"{least} … {most}")
        else:
            found[name] = float(number)
    return found


def _reclamation(reader: _Reader) -> dict[str, Any]:
    """What differs from the catalogue of old homesteads, checked."""
    found = dict(reader.data.get("reclamation", {}))
    try:
        catalogue.load().reclamation.with_overrides(found)
    except Stop as stop:
        reader.problems += [dataclasses.replace(problem, file=reader.path.name) for problem in stop.problems]
        return {}
    return found


MOST_PUPILS = 500
"""Of a thousand people, no more are of one stage of schooling."""

MOST_SEATS = 10_000
"""No school has more."""

MOST_COST = 1_000_000
"""Nothing that is built costs more, in 10,000 yuan."""

MOST_STAFF = 10_000
"""No institution of care has more."""


def _caring() -> tuple[str, ...]:
    return tuple(name for level in catalogue.load().care.values() for name in level.categories)


def _met_share(reader: _Reader) -> float | None:
    share = reader.data.get("run", {}).get("met_share")
    if share is None or (isinstance(share, int | float) and not isinstance(share, bool) and 0 < share <= 1):
        return None if share is None else float(share)
    reader.wrong("run.met_share", share, "0 < … ≤ 1")
    return None


def _walk_function(reader: _Reader) -> str:
    name = reader.take("run", "walk_function", str, DEFAULT, "、".join(WALK_FUNCTIONS))
    if name in WALK_FUNCTIONS:
        return str(name)
    reader.wrong("run.walk_function", name, "、".join(WALK_FUNCTIONS))
    return DEFAULT


def _raw(reader: _Reader) -> bool:
    raw = reader.data.get("run", {}).get("raw", False)
    if not isinstance(raw, bool):
        reader.wrong("run.raw", raw, "true, false")
    return raw is True


def _service(reader: _Reader) -> Source | tuple[float, float, float, float] | None:
    given = reader.data.get("area", {}).get("service")
    if given is None:
        return None
    if isinstance(given, str | dict):
        return reader.source("service", given)
    numbers = isinstance(given, list) and len(given) == 4 and all(type(v) in (int, float) for v in given)
    if not numbers or not (-360 <= given[0] < given[2] <= 360 and -90 <= given[1] < given[3] <= 90):
        reader.wrong("area.service", given, '"….shp", [west, south, east, north]')
        return None
    west, south, east, north = (float(v) for v in given)
    return west, south, east, north


def _check_names(reader: _Reader, project: Project, catalog: Catalog) -> None:
    if project.language not in LANGUAGES:
        reader.wrong("project.language", project.language, '"zh", "en"')
    if project.audience != "internal":
        reader.wrong("project.audience", project.audience, '"internal"')
    if not project.circle_personas:
        reader.wrong("run.circle_personas", [], '["adult"]')
    for persona in project.circle_personas:
        if persona not in catalog.personas:
            reader.unknown(f"run.circle_personas: {persona}", tuple(catalog.personas))
    for source in project.facilities:
        if source.category is not None and source.category not in catalog.categories:
            near = "、".join(difflib.get_close_matches(source.category, list(catalog.categories), n=3, cutoff=0.4))
            reader.problems.append(
                Problem.stop("category_not_known", file=reader.path, category=source.category, near=near or "—")
            )
    if project.crs != "auto":
        system = reader.system(project.crs)
        try:
            systems.require_metres(system, what="crs")
        except CRSUnitError as error:
            reader.problems.append(Problem.stop("crs_not_metres", file=reader.path, crs=project.crs, reason=error))
