"""One page that opens without a network: a folium map with everything it needs inside."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Element, MacroElement
from jinja2 import Template
from numpy.typing import NDArray
from xstatic.pkg import leaflet

from analysis.access import STATUSES
from geo.io import Bounds, Raster, bounds_of, shaded_png
from geo.network import Streets, in_scope
from layers.catalog import Catalog
from layers.places import KINDS as PLACE_KINDS
from outputs.messages import Messages
from outputs.themes import Theme, page_themes

MODES = ("walk", "ebike", "bus", "drive")
MOST_PLOTS = 60_000
"""More polygons than this make the page slow to open."""

SEEN_M = 10.0
"""A shorter way from a point to the street is not drawn."""

_STREET_STYLE = (
    (("motorway", "trunk", "primary"), "#b5651d", 2.4),
    (("secondary", "tertiary"), "#8d8d8d", 1.8),
    ((), "#b4b4b4", 0.9),
)
_SIMPLIFY_DEG = 0.00004  # about 4 m: less than a line's width at any zoom the page is read at


@dataclass(frozen=True, slots=True, eq=False)
class MapInput:
    """
    Finished tables that the page shows; ``persona`` colours the lists. Terrain and homesteads may be None.

    ``joins`` are lines from points to where they meet the streets on foot, with ``kind`` and ``distance_m``.
    ``themes`` are what else places can be coloured by.
    """

    name: str
    places: pd.DataFrame
    access: pd.DataFrame
    circles: pd.DataFrame
    persona: str
    facilities: pd.DataFrame
    streets: Streets | None
    homesteads: gpd.GeoDataFrame | None
    terrain: Raster | None
    joins: gpd.GeoDataFrame
    catalog: Catalog
    date: str
    version: str
    themes: tuple[Theme, ...] = ()


def write_map(given: MapInput, path: Path, messages: Messages) -> None:
    """
    Write the page.

    Nothing in it refers to another file or host, and its content policy forbids that a browser fetches any.
    """
    data = page_data(given, messages)
    bounds = data["bounds"]
    middle = [(bounds[0][0] + bounds[1][0]) / 2, (bounds[0][1] + bounds[1][1]) / 2]
    page = folium.Map(middle, tiles=None, zoom_start=11, prefer_canvas=True)
    page._id = "yike"  # noqa: SLF001  folium names its map at random; a fixed name makes equal runs equal pages
    page.default_js, page.default_css = [], []
    root: Any = page.get_root()
    files = resources.files("outputs.page")
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    head = [
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{_escaped(messages.say('map.title', name=given.name))}</title>",
        f"<style>{_leaflet_css()}\n{(files / 'map.css').read_text('utf-8')}</style>",
        f"<script>{_leaflet_js()}</script>",
    ]
    for number, piece in enumerate(head):
        root.header.add_child(Element(piece), name=f"yike_{number}")
    script = (files / "map.js").read_text("utf-8").rstrip()
    page.add_child(_Script(f"{script}({page.get_name()}, {_for_script(data)});"))
    path.write_text(root.render(), "utf-8")


class _Script(MacroElement):
    """A script that runs once folium's map is there."""

    _template = Template("{% macro script(this, kwargs) %}{{ this.text }}{% endmacro %}")

    def __init__(self, text: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca has no types here
        self._id = "script"
        self.text = text


def _leaflet_js() -> str:
    text = (Path(leaflet.BASE_DIR) / "leaflet.js").read_text("utf-8")
    return re.sub(r"//# sourceMappingURL=\S+\s*$", "", text).replace("</script", "<\\/script")


def _leaflet_css() -> str:
    folder = Path(leaflet.BASE_DIR)

    def inline(found: re.Match[str]) -> str:
        picture = folder / found.group(1)
        return f"url(data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()})"

    text = (folder / "leaflet.css").read_text("utf-8")
    return re.sub(r"url\((images/[\w.-]+)\)", inline, text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _for_script(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def page_data(given: MapInput, messages: Messages) -> dict[str, Any]:
    """Put together what the page's script draws; JSON only, NaN as null."""
    catalog = given.catalog
    categories = catalog.in_access()
    places = given.places[given.places["lon"].notna()]
    deciding = given.access[given.access["deciding"]]
    facilities, facility_row = _facilities(given.facilities, [c.id for c in categories])
    lists = list(catalog.lists)
    walked = given.circles[given.circles["persona"] == given.persona]
    settled = given.places.loc[given.places["place_kind"] == "settlement", "place_id"]
    lacking = deciding["met"].eq(False).fillna(False) & deciding["place_id"].isin(settled)
    lack = deciding[lacking].groupby("category").size()
    known = set(deciding.loc[deciding["status"] != "no_data", "category"])
    say = messages.say
    speeds = "、" if messages.language == "zh" else ", "
    persona = catalog.personas[given.persona]
    words: dict[str, Any] = {key: say(f"map.{key}") for key in _WORDS}
    personas = [
        getattr(p, f"name_{messages.language}") + f" {catalog.travel_profile(p.id, 'walk').flat_kmh:g}"
        for p in catalog.personas.values()
    ]
    words |= {
        "title": say("map.title", name=given.name),
        "speeds": say("map.speeds", speeds=speeds.join(personas), function=_function(given.access, messages)),
        "made": say("map.made", date=given.date, version=given.version),
        "modes": [say(f"mode.{mode}") for mode in MODES],
        "kinds": [say(f"map.{kind}") for kind in ("places", "households", "hosts")],
        "met_of": messages.words["map"]["met_of"],
        "list_note": say("map.list_note", persona=getattr(persona, f"name_{messages.language}")),
    }
    plots, notes = _plots(given.homesteads, messages)
    if len(places) < len(given.places):
        notes.append(say("map.unplaced", n=len(given.places) - len(places)))
    return {
        "words": words,
        "statuses": list(STATUSES),
        "status_names": {status: say(f"status.{status}") for status in STATUSES},
        "lists": [{"name": getattr(catalog.lists[n], f"name_{messages.language}")} for n in lists],
        "categories": [
            {
                "name": messages.category(catalog, c.id),
                "lack": int(lack.get(c.id, 0)),
                "hidden": c.id not in known,
            }
            for c in categories
        ],
        "places": _places(places, deciding, walked, lists, [c.id for c in categories], facility_row, messages),
        "facilities": facilities,
        "streets": [] if given.streets is None else _streets(given.streets, _scope(places)),
        "themes": page_themes(given.themes, list(places["place_id"]), messages),
        "joins": _joins(given.joins),
        "plots": plots,
        "relief": _relief(given.terrain),
        "bounds": _latlon(_scope(places)),
        "first": "t0" if given.themes and given.themes[0].kind == "change" else "l0",
        "notes": notes,
    }


_WORDS = (
    "stamp", "choose", "by_list", "by_category", "by_theme", "places", "facilities", "streets", "homesteads",
    "relief", "ways", "joins",
    "people", "unknown_people", "time", "limit", "distance", "facility", "status", "category", "all_met",
    "most_met", "few_met", "none_judged", "deciding", "projected", "osm", "search", "close",
    "default_mark", "gap", "missing", "far", "households", "hosts", "straight",
    "plot_area", "plot_slope", "plots_by", "mu",
)  # fmt: skip


def _function(access: pd.DataFrame, messages: Messages) -> str:
    names = [
        messages.words["walk_function"][name] for name in sorted(set(access["walk_function"])) if name != "flat"
    ]
    return messages.say("map.graded", names="、".join(names)) if names else messages.say("map.level")


def _records(frame: pd.DataFrame) -> Iterator[Any]:
    return iter(frame.itertuples(index=False))


def _round(value: Any, digits: int) -> float | None:
    return None if pd.isna(value) else round(float(value), digits)


def _scope(places: pd.DataFrame) -> Bounds:
    box = bounds_of(shapely.points(places["lon"].to_numpy(float), places["lat"].to_numpy(float)))
    pad = max(0.01, 0.05 * max(box[2] - box[0], box[3] - box[1]))
    return box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad


def _latlon(box: Bounds) -> list[list[float]]:
    return [[box[1], box[0]], [box[3], box[2]]]


def _facilities(facilities: pd.DataFrame, ids: list[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    number = {name: i for i, name in enumerate(ids)}
    shown = facilities[facilities["category"].isin(ids) & facilities["lon"].notna()]
    out: list[dict[str, Any]] = []
    rows: dict[str, int] = {}
    for row in _records(shown):
        if row.facility_id in rows:
            out[rows[row.facility_id]]["of"].append(number[row.category])
            continue
        rows[row.facility_id] = len(out)
        at = [round(row.lon, 6), round(row.lat, 6)]
        out.append({"id": row.facility_id, "name": row.facility_name, "at": at, "of": [number[row.category]]})
    return out, rows


def _places(
    places: pd.DataFrame,
    deciding: pd.DataFrame,
    circles: pd.DataFrame,
    lists: list[str],
    categories: list[str],
    facility_row: dict[str, int],
    messages: Messages,
) -> list[dict[str, Any]]:
    status = {name: i for i, name in enumerate(STATUSES)}
    rows: dict[str, dict[str, list[Any]]] = {}
    for r in _records(deciding):
        rows.setdefault(r.place_id, {})[r.category] = [
            status[r.status], _round(r.time_min, 2), _round(r.threshold_min, 1), _round(r.distance_m, 0),
            facility_row.get(r.facility_id, -1), int(r.certainty in ("U", "P")), MODES.index(r.mode),
            _round(r.straight_m, 0),
        ]  # fmt: skip
    number = {name: i for i, name in enumerate(categories)}
    judged = {
        (r.place_id, r.list): [
            int(r.met_n), int(r.total_n), int(r.unknown_n), int(r.list_n),
            *([number[name] for name in cell.split(";") if name] for cell in (r.missing, r.far)),
            int(r.no_standard_n),
        ]
        for r in _records(circles)
    }  # fmt: skip
    out = []
    for p in _records(places):
        about = [p.county, p.town, p.village, messages.say(f"profile.{p.profile}")]
        about += [messages.say(f"mode.{p.usual_mode}")] if p.usual_mode else []
        about += (
            [messages.say(f"position_source.{p.position_source}")] if p.position_source == "village_centre" else []
        )
        out.append(
            {
                "name": p.place_name,
                "kind": PLACE_KINDS.index(p.place_kind),
                "about": " ".join(part for part in about if part),
                "at": [round(p.lon, 6), round(p.lat, 6)],
                "people": _round(p.pop, 1),
                "rows": [rows[p.place_id][c] for c in categories],
                "circles": [judged.get((p.place_id, name)) for name in lists],
            }
        )
    return out


def _streets(streets: Streets, scope: Bounds) -> list[dict[str, Any]]:
    inside = in_scope(streets, scope)
    classes = streets.tags["highway"].to_numpy(object)[streets.way]
    base = np.array([str(name).removesuffix("_link") for name in classes], dtype=object)
    lines = shapely.simplify(streets.lines()[inside], _SIMPLIFY_DEG)
    drawn = np.zeros(int(inside.sum()), bool)
    out = []
    for names, colour, weight in _STREET_STYLE:
        mine = (np.isin(base[inside], names) if names else ~drawn) & ~drawn
        drawn |= mine
        out.append({"colour": colour, "weight": weight, "lines": [_steps(line) for line in lines[mine]]})
    return out[::-1]


def _joins(joins: gpd.GeoDataFrame) -> list[list[int]]:
    """The ways of places to the street, where they can be seen."""
    shown = joins["kind"].eq("place") & (joins["distance_m"] >= SEEN_M)
    return [_steps(line) for line in joins.geometry[shown]]


def _steps(shape: shapely.Geometry) -> list[int]:
    xy = np.rint(shapely.get_coordinates(shape) * 1e6).astype(np.int64)
    steps: NDArray[np.int64] = np.diff(xy, axis=0, prepend=np.zeros((1, 2), np.int64))
    return [int(v) for v in steps.reshape(-1)]


WAY_COLOURS = {"consolidate": "#8c510a", "reclaim": "#dfc27d", "regreen": "#35978f", "retained": "#762a83",
               "hold": "#aaaaaa"}  # fmt: skip
SLOPE_COLOURS = {"1": "#ffffcc", "2": "#c2e699", "3": "#78c679", "4": "#238443", "5": "#d7301f",
                 "unknown": "#aaaaaa"}  # fmt: skip
STAGE_COLOURS = {"overdue": "#d7301f", "standing": "#fdae61", "demolished": "#fee08b", "reclaimed": "#a6d96a",
                 "self_checked": "#66bd63", "accepted": "#1a9850", "changed": "#4575b4", "certified": "#313695",
                 "unknown": "#aaaaaa"}  # fmt: skip
CHECK_COLOURS = {"yes": "#d7301f", "no": "#dddddd"}


def _plots(homesteads: gpd.GeoDataFrame | None, messages: Messages) -> tuple[dict[str, Any] | None, list[str]]:
    """Outlines of plots, what is told of each, and the ways to colour them."""
    if homesteads is None or not len(homesteads):
        return None, []
    if len(homesteads) > MOST_PLOTS:
        return None, [messages.say("map.too_many", n=len(homesteads))]
    parts, owner = shapely.get_parts(homesteads.geometry.to_numpy(), return_index=True)
    polygon = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    parts, owner = parts[polygon], owner[polygon]
    rings = shapely.get_exterior_ring(parts)
    holes = {int(at): [_steps(ring) for ring in parts[at].interiors]
             for at in np.flatnonzero(shapely.get_num_interior_rings(parts))}  # fmt: skip
    words = messages.words
    # who stands too long is a stage of its own
    stages = homesteads["stage"].where(homesteads["stage"] != "", "unknown")
    stages = stages.mask(homesteads["overdue"].fillna(False).astype(bool), "overdue")
    known_stages = words["plot_stage"] | words["house_stage"]
    codes = {
        "way": (homesteads["way"], words["way"], WAY_COLOURS),
        "stage": (stages, known_stages, STAGE_COLOURS),
        "slope": (homesteads["slope_class"].astype("str").fillna("unknown"), words["slope"], SLOPE_COLOURS),
        "check": (homesteads["field_check"].map({True: "yes", False: "no"}), words["plot_check"], CHECK_COLOURS),
    }
    by = []
    if (stages == "unknown").all():  # no ledger
        del codes["stage"]
    for name, (column, known, colours) in codes.items():
        present = [code for code in colours if (column == code).any()]
        number = {code: place for place, code in enumerate(present)}
        classes = [
            {"name": known[code], "colour": colours[code], "n": int((column == code).sum())} for code in present
        ]
        by.append({"name": words["plots_by"][name], "classes": classes, "of": [number[code] for code in column]})
    slopes = _slopes(homesteads, words["slope"])
    told = [
        [
            row.homestead_id,
            _round(row.area_m2, 1),
            slope,
            words["way"][row.way],
            row.reasons,
            "" if stage == "unknown" else known_stages[stage],
        ]
        for row, slope, stage in zip(homesteads.itertuples(), slopes, stages, strict=True)
    ]
    unseen = len(homesteads) - len(set(owner.tolist()))
    notes = [messages.say("map.no_outline", n=unseen)] if unseen else []
    drawn = {"rings": [_steps(ring) for ring in rings], "holes": holes, "owner": owner.tolist()}
    return drawn | {"told": told, "by": by}, notes


def _slopes(homesteads: gpd.GeoDataFrame, words: Mapping[str, str]) -> list[str]:
    """The mean slope, or the class where a slope map tells no more."""
    classes = homesteads["slope_class"].astype("str").fillna("unknown").map(words)
    means = homesteads["slope_deg_mean"]
    return [f"{mean:.1f}°" if mean == mean else name for mean, name in zip(means, classes, strict=True)]


def _relief(terrain: Raster | None) -> dict[str, Any] | None:
    if terrain is None:
        return None
    png, bounds = shaded_png(terrain)
    return {"png": "data:image/png;base64," + base64.b64encode(png).decode(), "bounds": _latlon(bounds)}
