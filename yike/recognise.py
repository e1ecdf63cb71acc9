"""Looking through a folder and proposing a project file: every guess is written down as one."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geo import io
from geo.io import RawTable
from geo.problems import Problem, Stop
from layers import catalog as catalogue
from layers.catalog import Catalog
from layers.facilities import SECTIONS, short_names
from layers.ledgers import HEADING_ROWS, plain, written_down
from outputs.messages import Messages

PROJECT_FILE = "yike.toml"

# what a file is named tells more of a raster or an outline than anything inside it
_TERRAIN = re.compile(r"dem|dsm|srtm|(?<![a-z])aster|astgtm|高程|地形|\.hgt", re.IGNORECASE)
_PEOPLE = re.compile(r"ppp|pop|人口", re.IGNORECASE)
_PLOTS = re.compile(r"宅基地|旧房|拆旧|图斑|homestead|building", re.IGNORECASE)
_SHAPES = re.compile(r"安置.*(范围|用地|楼栋|出入口)", re.IGNORECASE)
_ROADS = re.compile(r"道路|公路|路网|路中心|roads?", re.IGNORECASE)
_AREA = re.compile(r"边界|行政区|县界|范围|boundary|county|area", re.IGNORECASE)


@dataclass(slots=True)
class _Found:
    """Lines of the project file by layer, each with the reason of the guess."""

    settlements: list[tuple[str, str]] = field(default_factory=list)
    facilities: list[tuple[str, str]] = field(default_factory=list)
    unnamed: list[tuple[str, str]] = field(default_factory=list)
    households: list[tuple[str, str]] = field(default_factory=list)
    hosts: list[tuple[str, str]] = field(default_factory=list)
    shapes: list[tuple[str, str]] = field(default_factory=list)
    homesteads: list[tuple[str, str]] = field(default_factory=list)
    forms: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    roads: list[tuple[str, str]] = field(default_factory=list)
    graphs: list[str] = field(default_factory=list)
    service: list[tuple[str, str]] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)
    osm: list[str] = field(default_factory=list)
    dem: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def propose(folder: Path, words: Messages) -> str:
    """
    Write the text of a project file for a folder.

    Files that cannot be opened or are not recognised are named in it, so that nobody wonders.

    Raises
    ------
    Stop
        There is no such folder, or no file in it is of a kind that can be read.
    """
    if not folder.is_dir():
        raise Stop(Problem.stop("folder_missing", file=folder.resolve()))
    files = sorted(path for path in folder.rglob("*") if _is_input(path) and not _hidden(path, folder))
    if not any(io.kind(path) for path in files):
        wanted = " ".join((*io.OSM, *io.VECTOR, *io.TABLE, *io.RASTER))
        raise Stop(Problem.stop("folder_nothing", file=folder.resolve(), wanted=wanted))
    catalog = catalogue.load()
    found = _Found()
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            taken = _sort(path, name, found, catalog, words)
        except Stop as stop:
            found.skipped.append(words.sentence(stop.problems[0]))
            continue
        if not taken and path.suffix.lower() not in (".shx", ".dbf", ".prj", ".cpg", ".toml"):
            found.skipped.append(name)
    return _text(folder, found, words)


def _is_input(path: Path) -> bool:
    return path.is_file() or path.suffix.lower() == ".gdb"


def _hidden(path: Path, folder: Path) -> bool:
    # lock files of Office, what a geodatabase is made of and the run folders of this program are nobody's input
    parts = path.relative_to(folder).parts
    return any(p.lower().endswith(".gdb") for p in parts[:-1]) or any(
        p.startswith((".", "~$")) or p.endswith("-run") for p in parts
    )


def _sort(path: Path, name: str, found: _Found, catalog: Catalog, words: Messages) -> bool:
    kind = io.kind(path)
    if kind == "osm":
        found.osm.append(name)
    elif kind == "graph":
        found.graphs.append(name)
    elif kind == "raster" and _TERRAIN.search(path.name):
        found.dem.append(name)
    elif kind == "raster" and _PEOPLE.search(path.name):
        found.people.append((_quoted(name), words.say("init.by_ending")))
    elif kind == "vector":
        taken = [_vector(name, layer, found, catalog, words) for layer in io.list_layers(path)]
        return any(taken)
    elif kind == "table":
        taken = [_sheet(path, name, sheet, found, catalog, words) for sheet in io.sheet_names(path)]
        return any(taken)
    else:
        return False
    return True


def _sheet(path: Path, name: str, sheet: str, found: _Found, catalog: Catalog, words: Messages) -> bool:
    try:
        raw = io.read_table(path, sheet=sheet or None)
    except Stop as stop:
        if all(problem.code == "table_empty" for problem in stop.problems):
            return False  # Excel adds empty sheets by itself
        raise
    return _by_fields(_best_heading(raw, catalog), {"path": name, "sheet": sheet}, found, catalog, words)


def _best_heading(raw: RawTable, catalog: Catalog) -> Sequence[str]:
    known = {plain(word) for fields in catalog.headers.values() for words in fields.values() for word in words}
    return max(written_down(raw)[:HEADING_ROWS], key=lambda row: sum(plain(cell) in known for cell in row))


def _vector(name: str, layer: io.LayerInfo, found: _Found, catalog: Catalog, words: Messages) -> bool:
    entry = {"path": name, "layer": layer.name if name.lower().endswith((".gpkg", ".gdb")) else ""}
    polygon = "Polygon" in layer.geometry
    named = f"{name} {layer.name}"
    described = f"{named} {' '.join(layer.fields)}"
    if not layer.has_crs:
        entry["crs"] = "CGCS2000"
    if layer.geometry and _SHAPES.search(named):
        found.shapes.append((_inline(entry), words.say("init.by_ending")))
        return True
    if "LineString" in layer.geometry and _ROADS.search(named):
        found.roads.append((_inline(entry), words.say("init.by_ending")))
        return True
    form = _form_of_layer(named, layer, catalog)
    if form:
        found.forms.setdefault(form, []).append(entry)
        return True
    if polygon and _PLOTS.search(described):
        why = words.say("init.by_fields", what=words.say("init.homesteads"))
        found.homesteads.append((_inline(entry), why))
        return True
    if polygon and _AREA.search(f"{name} {layer.name}"):
        found.service.append((_inline(entry), words.say("init.by_ending")))
        return True
    # a feature has its position in its shape
    return bool(layer.geometry) and _by_fields((*layer.fields, "lon", "lat"), entry, found, catalog, words)


def _by_fields(
    heading: Iterable[str], entry: dict[str, str], found: _Found, catalog: Catalog, words: Messages
) -> bool:
    """Sort a table by its headings: a name of its own and a position, and which ledger has most of the rest."""
    cells = {plain(cell) for cell in heading if cell}
    hits = {section: _hits(cells, fields) for section, fields in catalog.headers.items()}
    placed = {"lon", "lat"} <= hits["common"] or {"easting", "northing"} <= hits["common"]
    placed |= sum(cell in {plain(w) for w in catalog.headers["common"]["x_or_y"]} for cell in cells) == 2
    located = placed or {"village", "admin_code"} & hits["common"]
    for kind, wanted, entries in (
        ("household", {"id", "pop"}, found.households), ("host", {"name", "pop_host"}, found.hosts),
    ):  # fmt: skip
        if wanted <= hits[kind] and located and hits[kind] & _OWN[kind]:
            why = words.say("init.by_fields", what=words.say(f"place_kind.{kind}"))
            entries.append((_inline(entry), why))
            return True
    if not placed:
        return _as_form(cells, hits, entry, found, catalog)
    settlement = hits["settlement"] if "name" in hits["settlement"] else set()
    facility = max((hits[s] for s in SECTIONS if s != "common" and "name" in hits[s]), key=len, default=set())
    if len(settlement) >= 2 and len(settlement) >= len(facility):
        why = words.say("init.by_fields", what=words.say("map.places"))
        found.settlements.append((_inline(entry), why))
    elif facility:
        why = words.say("init.by_fields", what=words.say("map.facilities"))
        if "amap_code" in hits["facility"]:
            entry |= {"code": "amap", "crs": "GCJ-02"}  # that provider's tables are in no other
        elif not facility & {"kind", "stage", "level"}:
            entry["category"] = _category_in(entry["path"] + entry.get("sheet", ""), catalog)
        if entry.get("category", "?"):
            found.facilities.append((_inline(entry), why))
        else:  # a wrong category would give neat wrong numbers, so nobody is counted until a person names it
            found.unnamed.append((_inline(entry | {"category": "?"}), words.say("init.category")))
    else:
        return False
    return True


_OWN = {"household": {"id"}, "host": {"name"}}
"""Fields by which a table is known to be of households or of hosts."""


def _as_form(
    cells: set[str], hits: Mapping[str, set[str]], entry: dict[str, str], found: _Found, catalog: Catalog
) -> bool:
    """Take a table without positions for the ledger that knows most of its headings, three at least."""
    known = {name: len(hits[form.section]) for name, form in catalog.ledgers.items() if form.form == "table"}
    best = max(known, key=lambda name: known[name])
    if known[best] < 3 or 2 * known[best] < len(cells) - len(hits["common"]):
        return False
    found.forms.setdefault(best, []).append(entry)
    return True


def _form_of_layer(named: str, layer: io.LayerInfo, catalog: Catalog) -> str:
    """The form whose words stand in the name of a file or layer, the longest of them; '' where none does."""
    if {"DLBM", "地类编码"} & set(layer.fields):
        return "survey"
    kinds = {"polygon": "Polygon", "line": "LineString"}
    words = [
        (word, name)
        for name, form in catalog.ledgers.items()
        if form.form == "layer" and kinds[form.shapes] in layer.geometry
        for word in form.file_words
        if word.lower() in named.lower()
    ]
    return max(words, key=lambda pair: len(pair[0]), default=("", ""))[1]


def _category_in(text: str, catalog: Catalog) -> str:
    """The category whose Chinese name stands in a file's name, the longest of them; '' where none does."""
    named = [(part, c.id) for c in catalog.in_access() for part in short_names(c) if part in text]
    return max(named, key=lambda pair: len(pair[0]), default=("", ""))[1]


def _hits(cells: set[str], section: Mapping[str, tuple[str, ...]]) -> set[str]:
    return {name for name, known in section.items() if cells & {plain(word) for word in (name, *known)}}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML string


def _inline(entry: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {_quoted(value)}" for key, value in entry.items() if value) + " }"


def _text(folder: Path, found: _Found, words: Messages) -> str:
    def guess(why: str) -> str:
        return f"  # {words.say('init.guess', why=why)}"

    def one(key: str, entries: list[tuple[str, str]]) -> list[str]:
        # the first is taken, the others wait behind a mark
        return [f"{'' if n == 0 else '# '}{key} = {text}{guess(why)}" for n, (text, why) in enumerate(entries)]

    by_ending = words.say("init.by_ending")
    lines = [f"# {words.say('init.title')}", "", "[project]", f"name = {_quoted(folder.resolve().name)}"]
    today = dt.datetime.now(tz=dt.UTC).astimezone().date().isoformat()
    lines += [f'language = "{words.language}"', f"as_of = {today}{guess(words.say('init.today'))}", ""]
    if found.service:
        lines += ["[area]", *one("service", found.service), ""]
    from_osm = [("{ osm = true }", words.say("init.from_osm"))] if found.osm else []
    lines += ["[layers]", *one("settlements", found.settlements or from_osm)]
    lines += [*one("settlement_shapes", found.shapes), *one("households", found.households)]
    lines += [*one("hosts", found.hosts), "facilities = ["]
    lines += [f"  {text},{guess(why)}" for text, why in (*found.facilities, *from_osm)]
    lines += [f"  # {text},{guess(why)}" for text, why in found.unnamed]
    lines += ["]", *one("homesteads", found.homesteads), *one("people", found.people)]
    for name, entries in found.forms.items():
        lines += one(name, [(text, words.say(f"layer.{name}")) for text in _form_files(entries)])
    networks = [("osm", _quoted(name)) for name in found.osm] + [
        ("graphml", _quoted(name)) for name in found.graphs
    ]
    networks += [("roads", text) for text, _ in found.roads]
    lines += ["", "[network]"]
    lines += [
        f"{'' if n == 0 else '# '}{key} = {text}{guess(by_ending)}" for n, (key, text) in enumerate(networks)
    ]
    if not networks:
        lines.append(f"# {words.say('init.no_network')}")
    if found.dem:
        lines += ["", "[terrain]", f"dem = [{', '.join(_quoted(name) for name in found.dem)}]{guess(by_ending)}"]
    if found.skipped:
        lines += ["", f"# {words.say('init.skipped')}", *(f"#   {name}" for name in found.skipped)]
    return "\n".join(lines) + "\n"


def _form_files(entries: list[dict[str, str]]) -> list[str]:
    """How a ledger is written: a folder where all of a subfolder's workbooks are of it, else its file."""
    parents = {entry["path"].rpartition("/")[0] for entry in entries}
    if len(entries) > 1 and len(parents) == 1 and "" not in parents:
        return [_quoted(f"{parents.pop()}/")]
    return [_inline(entry) for entry in entries]
