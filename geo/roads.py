"""
Streets from other sources than an OSM file: road lines of a survey, a graph that OSMnx saved, OSM online.

Each gives the value that ``geo.osm.read_ways`` gives, so that nothing behind it knows where streets come from.
What a source cannot tell is a doubt beside it.
"""

from __future__ import annotations

import ast
import math
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import crs as systems
from geo.io import bounds_of, require
from geo.noding import Lines, Noded, node_lines
from geo.osm import WAY_TAGS, OsmWays
from geo.problems import Problem, Stop

KEPT = tuple(dict.fromkeys((*WAY_TAGS, "bridge", "tunnel")))
"""What is kept of a street: what every source keeps, and what it stands on."""

_NO = frozenset({"", "no", "0", "false", "f", "n", "否", "无"})
"""How a field says that a line is no bridge, no tunnel or no one-way street."""
_ONEWAY = {"f": "yes", "t": "-1", "y": "yes", "是": "yes"}
"""How fields that are not OSM's say one way: ``F`` (along) and ``T`` (against) are those of Geofabrik's files."""
_SHOWN = 5
"""How many words or positions a doubt names."""

# --- lines of a survey ------------------------------------------------------------------------------------


def ways_of_lines(
    frame: gpd.GeoDataFrame,
    *,
    classes: Mapping[str, str],
    class_fields: Sequence[str],
    default_class: str,
    name_fields: Sequence[str] = (),
    file: object = "",
) -> tuple[OsmWays, list[Problem]]:
    """
    Take road lines as streets that hang together where the lines meet.

    They meet at shared vertices; where an end lies at most 1 m from an end or from the middle of another; and
    where two cross of which neither is a bridge or a tunnel and whose ``layer`` is equal. In its middle a
    bridge or tunnel meets nothing but ends of its own kind and layer. No gap is closed and no vertex moved.

    Parameters
    ----------
    frame
        Lines in degrees. Columns called as tags of OSM (``highway``, ``oneway``, ``bridge``, ``layer``, …) are
        these tags, whatever their case.
    classes
        From a word or code of a class field to a class of OSM.
    class_fields, name_fields
        Where class and name stand; the first of them that the frame has is used.
    default_class
        The class of a line whose word is unknown or missing.
    file
        What problems name.

    Returns
    -------
    ways, problems
        One way a line, or a part of one, with the number of its row (the first is 1) as ``way_id``; no box. And
        the doubts: lines without class, crossings that were joined, ends that nearly meet, rows without line.

    Examples
    --------
    >>> shapes = shapely.from_wkt(["LINESTRING (102 28, 102 28.01)", "POINT (102 28)"])
    >>> roads = gpd.GeoDataFrame({"等级": ["县道", "便道"]}, geometry=shapes)
    >>> ways, doubts = ways_of_lines(
    ...     roads, classes={"县道": "tertiary"}, class_fields=["等级"], default_class="unclassified"
    ... )
    >>> ways.tags["highway"].tolist(), [doubt.code for doubt in doubts]
    (['tertiary'], ['roads_without_line'])
    """
    shapes, row, problems = _parts(frame.geometry.to_numpy(), file)
    fields = _Fields(frame.iloc[np.unique(row)])
    tags, level, doubts = _tags_of_fields(
        fields, classes=classes, class_fields=class_fields, default_class=default_class,
        name_fields=name_fields, file=file,
    )  # fmt: skip
    which = np.searchsorted(np.unique(row), row)
    tags, level = tags.iloc[which].reset_index(drop=True), level.iloc[which]
    tags.insert(0, "way_id", (row + 1).astype(np.int64))
    problems += doubts
    if not len(shapes):
        return OsmWays(
            tags, np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), None
        ), problems
    lonlat, of_line = shapely.get_coordinates(shapes, return_index=True)
    lon, lat = lonlat.T
    x, y = systems.project(lon, lat, systems.zone((lon.min() + lon.max()) / 2))
    offset = np.concatenate(([0], np.cumsum(np.bincount(of_line))))
    structure, layer = level["structure"].to_numpy(np.int64), level["layer"].to_numpy(np.int64)
    noded = node_lines(Lines(x, y, offset, structure, layer))
    problems += _meeting_doubts(noded, lonlat, file)
    at = _placed(noded, lonlat)
    return OsmWays(tags, noded.offset, noded.node + 1, at[:, 0].copy(), at[:, 1].copy(), None), problems


def _parts(
    geometry: NDArray[np.object_], file: object
) -> tuple[NDArray[np.object_], NDArray[np.int64], list[Problem]]:
    """Split shapes into their lines, on the flat; the lines, the row of each, and the doubt about rows without."""
    shapes, row = shapely.get_parts(shapely.force_2d(geometry), return_index=True)
    shapes, inner = shapely.get_parts(shapes, return_index=True)  # a collection may hold lines of several parts
    row = row[inner]
    is_line = np.isin(shapely.get_type_id(shapes), (1, 2)) & np.isfinite(shapely.bounds(shapes)).all(axis=1)
    shapes, row = shapely.remove_repeated_points(shapes[is_line]), row[is_line]
    long = shapely.get_num_coordinates(shapes) > 1
    long &= shapely.length(shapes) > 0
    shapes, row = shapes[long], row[long]
    without = np.setdiff1d(np.arange(len(geometry)), row) + 1
    if not len(without):
        return shapes, row, []
    rows = "、".join(str(number) for number in without[:_SHOWN])
    return shapes, row, [Problem.doubt("roads_without_line", file=file, n=len(without), rows=rows)]


class _Fields:
    """Columns by name, whatever its case, as text: '' where nothing is known, whole numbers without point."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        # of two columns whose names differ in case only, the first
        self._names = {str(name).casefold(): name for name in reversed(frame.columns)}

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def __getitem__(self, name: str) -> pd.Series[str]:
        if name not in self:
            return pd.Series("", index=self._frame.index, dtype=object)
        column = self._frame[self._names[name.casefold()]]
        return pd.Series([_text(cell) for cell in column], index=column.index, dtype=object)

    def first(self, names: Sequence[str]) -> pd.Series[str]:
        """Take the first of some columns that is there."""
        return self[next((name for name in names if name in self), "")]


def _text(cell: Any) -> str:
    if cell is None or cell is pd.NA or cell != cell:  # the last is true of NaN only
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _tags_of_fields(
    fields: _Fields, *, classes: Mapping[str, str], class_fields: Sequence[str], default_class: str,
    name_fields: Sequence[str], file: object,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Problem]]:  # fmt: skip
    """Work out the tags of rows and on what level they lie; and the doubts about their classes."""
    tags = pd.DataFrame({key: fields[key] for key in KEPT}, dtype=object)
    for key in ("bridge", "tunnel"):
        tags[key] = tags[key].map(lambda text: "" if text.casefold() in _NO else text)
    tags["oneway"] = tags["oneway"].map(lambda text: _ONEWAY.get(text.casefold(), text))
    tags["name"] = fields.first([*name_fields, "name"])
    word = fields.first(class_fields)
    known = {text.casefold(): name for text, name in classes.items()}
    found = word.map(lambda text: known.get(text.casefold(), ""))
    given = tags["highway"] != ""
    problems = []
    unknown = ~given & (found == "") & (word != "")
    if unknown.any():
        words = "、".join(word[unknown].drop_duplicates().iloc[:_SHOWN])
        problems.append(
            Problem.doubt("roads_class_unknown", file=file, n=int(unknown.sum()), words=words, taken=default_class)
        )
    missing = ~given & (word == "")
    if missing.any():
        fields_asked = "、".join(class_fields)
        problems.append(
            Problem.doubt(
                "roads_class_missing", file=file, n=int(missing.sum()), fields=fields_asked, taken=default_class
            )
        )
    tags["highway"] = tags["highway"].where(given, found.mask(found == "", default_class))
    layer = pd.to_numeric(fields["layer"], errors="coerce").fillna(0.0).round().astype(np.int64)
    structure = np.where(tags["bridge"] != "", 1, np.where(tags["tunnel"] != "", 2, 0))
    return tags, pd.DataFrame({"structure": structure, "layer": layer}), problems


def _placed(noded: Noded, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place the vertices of noded lines: the given ones where they were, new ones between their neighbours."""
    after = np.minimum(noded.base + 1, len(lonlat) - 1)
    share = noded.share[:, None]
    return np.where(share > 0, lonlat[noded.base] * (1 - share) + lonlat[after] * share, lonlat[noded.base])


def _meeting_doubts(noded: Noded, lonlat: NDArray[np.float64], file: object) -> list[Problem]:
    doubts = []
    if len(noded.crossed):
        where = _where(_placed(noded, lonlat)[noded.crossed])
        doubts.append(Problem.doubt("roads_crossings_noded", file=file, n=len(noded.crossed), where=where))
    if len(noded.near):
        where = _where(lonlat[noded.near])
        doubts.append(Problem.doubt("roads_nearly_meet", file=file, n=len(noded.near), where=where))
    return doubts


def _where(lonlat: NDArray[np.float64]) -> str:
    return "；".join(f"{lon:.6f},{lat:.6f}" for lon, lat in lonlat[:_SHOWN])


# --- a graph of OSMnx -------------------------------------------------------------------------------------


_At = tuple[float, float]
_AGAINST = ("-1", "reverse", "T")
"""What OSMnx takes for one way against the direction of the way."""
_ACCESS = ("access", "foot", "vehicle", "motor_vehicle", "motorcar", "motorroad", "oneway:foot")
_PATHS = ("footway", "path", "pedestrian", "steps")


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """One edge of a graph: its nodes, the positions from the first to the second, what it carries."""

    u: Any
    v: Any
    course: tuple[_At, ...]
    data: Mapping[str, Any]

    def turned(self) -> _Edge:
        """Look at it from the other end."""
        return _Edge(self.v, self.u, self.course[::-1], self.data)


def ways_of_graphml(path: Path) -> tuple[OsmWays, list[Problem]]:
    """
    Read a street graph that OSMnx saved, simplified or not, in degrees or in a plane.

    The two edges of a two-way street are one street; an edge without such a twin is a one-way street in its
    direction. Of several values that merging put into one edge the first counts. A bend of an edge is a node of
    its own, so that nothing is joined there.

    Returns
    -------
    ways, problems
        Ways without a box: the graph does not say what it was cut to. And the doubts about what such a graph
        does not hold, or no longer: tags that OSMnx did not keep, one-way streets, paths, single classes.

    Raises
    ------
    Stop
        The file is missing or of another kind; it is no GraphML; its nodes have no positions, its edges no
        ``highway``.
    """
    require(path, "graph")
    graph = _read_graph(path)
    edges = _edges(graph, path)
    if not any("highway" in edge.data for edge in edges):
        raise Stop(Problem.stop("graphml_without_streets", file=path))
    streets, oneway = _streets_once(edges)
    tags = _tags_of_edges(streets, oneway)
    ways = _ways_of_edges(streets, tags)
    lon, lat = _in_degrees(graph, ways.lon, ways.lat, path)
    return replace(ways, lon=lon, lat=lat), _graph_doubts(streets, tags, path)


def _read_graph(path: Path) -> Any:
    import networkx as nx

    try:
        return nx.read_graphml(path, force_multigraph=True)
    except (ParseError, nx.NetworkXException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Stop(Problem.stop("graphml_unreadable", file=path, reason=error)) from error


def _edges(graph: Any, path: Path) -> list[_Edge]:
    """List the edges with their positions; of a graph without directions, two-way streets in both."""
    nodes = {node: (data.get("x"), data.get("y")) for node, data in graph.nodes(data=True)}
    edges = []
    try:
        at = {node: (_number(x), _number(y)) for node, (x, y) in nodes.items()}
        lost = sum(not np.isfinite(position).all() for position in at.values())
        if lost:
            raise Stop(Problem.stop("graphml_without_positions", file=path, n=lost))
        for one, other, data in graph.edges(data=True):
            u, v = (one, other) if graph.is_directed() else (data.get("from", one), data.get("to", other))
            edge = _Edge(u, v, _course(at[u], at[v], data.get("geometry")), data)
            edges.append(edge)
            if not graph.is_directed() and not _is_true(data.get("oneway")):
                edges.append(edge.turned())
    except (ValueError, KeyError, shapely.errors.ShapelyError) as error:
        raise Stop(Problem.stop("graphml_unreadable", file=path, reason=error)) from error
    return edges


def _number(given: Any) -> float:
    return math.nan if given is None else float(given)


def _course(start: _At, end: _At, geometry: Any) -> tuple[_At, ...]:
    """Give the positions from one node to the other; a line that runs the other way is turned."""
    if geometry is None:
        return start, end
    line = shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry
    at = [(float(x), float(y)) for x, y in shapely.get_coordinates(line)]
    if len(at) < 2:
        return start, end
    if np.hypot(*np.subtract(at[0], end)) + np.hypot(*np.subtract(at[-1], start)) < (
        np.hypot(*np.subtract(at[0], start)) + np.hypot(*np.subtract(at[-1], end))
    ):
        at.reverse()
    return tuple(at)


def _values(value: Any) -> list[Any]:
    """Give the values of an attribute, of which merging may have made a list, in memory or as text."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        with suppress(SyntaxError, ValueError):
            value = ast.literal_eval(value)
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _first(value: Any) -> str:
    text = str(_values(value)[0]) if value is not None and _values(value) else ""
    return "" if text in ("nan", "None") else text


def _is_true(value: Any) -> bool:
    return "True" in map(str, _values(value))


def _streets_once(edges: Sequence[_Edge]) -> tuple[list[_Edge], list[str]]:
    """
    Keep one edge of each pair of twins, the one in the direction of the way; with what is one-way about each.

    In a graph without any truth value under ``oneway`` each edge is the way itself with its own tag (OSMnx's
    ``all_oneway``), turned against its direction where that is ``-1``.
    """
    pairs: dict[Any, tuple[list[_Edge], list[_Edge]]] = {}
    for edge in edges:
        turned = edge.course[::-1]
        ahead = edge.course <= turned
        key = edge.course if ahead else turned, frozenset(map(str, _values(edge.data.get("osmid"))))
        pairs.setdefault(key, ([], []))[0 if ahead else 1].append(edge)
    told = any(str(v) in ("True", "False") for edge in edges for v in _values(edge.data.get("oneway")))
    if not told and not any(there and back for there, back in pairs.values()):
        tagged = [(edge, _first(edge.data.get("oneway"))) for edge in edges]
        return [e.turned() if tag in _AGAINST else e for e, tag in tagged], [
            "-1" if tag in _AGAINST else tag for _, tag in tagged
        ]
    streets, oneway = [], []
    for there, back in pairs.values():
        both = min(len(there), len(back))
        for one, other in zip(there, back, strict=False):
            streets.append(other if _is_true(one.data.get("reversed")) else one)
        streets += there[both:] + back[both:]
        oneway += [""] * both + ["yes"] * (len(there) + len(back) - 2 * both)
    return streets, oneway


def _tags_of_edges(streets: Sequence[_Edge], oneway: Sequence[str]) -> pd.DataFrame:
    """Give each street its row of tags, the first of several values; ``way_id`` is 0 where none is known."""
    tags = pd.DataFrame(
        {key: [_first(edge.data.get(key)) for edge in streets] for key in KEPT}, columns=list(KEPT), dtype=object
    )
    tags["oneway"] = list(oneway)
    ids = pd.to_numeric(
        pd.Series([_first(edge.data.get("osmid")) for edge in streets], dtype=object), errors="coerce"
    )
    tags.insert(0, "way_id", ids.fillna(0).astype(np.int64))
    return tags


def _ways_of_edges(streets: Sequence[_Edge], tags: pd.DataFrame) -> OsmWays:
    """Join edges of equal tags end to end into ways, as they were; every bend becomes a node of its own."""
    number = _numbers(streets)
    free = max(number.values(), default=0) + 1
    ends = [(number[edge.u], number[edge.v]) for edge in streets]
    node_id: list[int] = []
    at: list[_At] = []
    offset, first = [0], []
    for chain in _chains(ends, list(tags.itertuples(index=False, name=None))):
        first.append(chain[0])
        node_id.append(ends[chain[0]][0])
        at.append(streets[chain[0]].course[0])
        for step in chain:
            bends = len(streets[step].course) - 2
            node_id += [*range(free, free + bends), ends[step][1]]
            free += bends
            at += streets[step].course[1:]
        offset.append(len(node_id))
    lonlat = np.array(at, np.float64).reshape(-1, 2)
    return OsmWays(
        tags.iloc[first].reset_index(drop=True), np.array(offset, np.int64), np.array(node_id, np.int64),
        lonlat[:, 0].copy(), lonlat[:, 1].copy(), None,
    )  # fmt: skip


def _numbers(streets: Sequence[_Edge]) -> dict[Any, int]:
    """Number the nodes: by their OSM ids if all have one, else from 1."""
    nodes = dict.fromkeys(node for edge in streets for node in (edge.u, edge.v))
    with suppress(ValueError):
        ids = {node: int(str(node)) for node in nodes}
        if all(0 < number < 2**62 for number in ids.values()):
            return ids
    return {node: n for n, node in enumerate(nodes, start=1)}


def _chains(ends: Sequence[tuple[int, int]], kinds: Sequence[Any]) -> list[list[int]]:
    """Follow edges of one kind from node to node, through nodes at which just two of the kind meet in line."""
    starts: dict[Any, int] = {}
    degree: Counter[Any] = Counter()
    for edge, ((u, v), kind) in enumerate(zip(ends, kinds, strict=True)):
        starts[kind, u] = edge
        degree[kind, u] += 1
        degree[kind, v] += 1
    after = [
        starts.get((kind, v)) if degree[kind, v] == 2 else None for (_, v), kind in zip(ends, kinds, strict=True)
    ]
    followed = {edge for edge in after if edge is not None}
    meeting = Counter(node for pair in ends for node in pair)
    taken: set[int] = set()
    chains = []
    # first those with a beginning, then the rings, from a node at which others meet them
    for begin in sorted(range(len(ends)), key=lambda edge: (edge in followed, meeting[ends[edge][0]] == 2)):
        chain: list[int] = []
        link: int | None = begin
        while link is not None and link not in taken:
            taken.add(link)
            chain.append(link)
            link = after[link]
        if chain:
            chains.append(chain)
    return chains


def _in_degrees(
    graph: Any, x: NDArray[np.float64], y: NDArray[np.float64], path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    crs = graph.graph.get("crs")
    if crs is None and not ((np.abs(x) <= 180) & (np.abs(y) <= 90)).all():
        raise Stop(Problem.stop("crs_missing", file=path))
    return systems.to_degrees(x, y, systems.system(str(crs or systems.DEGREES)))


def _graph_doubts(streets: Sequence[_Edge], tags: pd.DataFrame, path: Path) -> list[Problem]:
    doubts = []
    mixed = sum(len(_values(edge.data.get("highway"))) > 1 for edge in streets)
    if mixed:
        doubts.append(Problem.doubt("graphml_mixed_class", file=path, n=mixed))
    unkept = [key for key in _ACCESS if not any(key in edge.data for edge in streets)]
    if unkept:
        doubts.append(Problem.doubt("graphml_tags_missing", file=path, tags="、".join(unkept)))
    if (tags["oneway"] == "").all():
        doubts.append(Problem.doubt("graphml_without_oneway", file=path))
    if not tags["highway"].isin(_PATHS).any():
        doubts.append(Problem.doubt("graphml_without_paths", file=path, classes="、".join(_PATHS)))
    return doubts


# --- OSM online -------------------------------------------------------------------------------------------


def ways_of_place(name: str, *, overpass_url: str | None = None, nominatim_url: str | None = None) -> OsmWays:
    """
    Ask OpenStreetMap for the streets of a place, through OSMnx.

    One request for the outline of the place, one for its streets (more if it is very large); nothing is kept
    on disk and OSMnx is left as it was. Streets are cut where they leave the outline, not the box.

    Parameters
    ----------
    name
        The place as a person would search for it.
    overpass_url, nominatim_url
        Other servers than OSMnx's settings name.

    Returns
    -------
    ways
        Every street that is in use, with all its tags; the box is that of the outline.

    Raises
    ------
    Stop
        A server does not answer or not in full, there is no such place, it has no outline, or no streets.
    """
    import osmnx as ox
    from osmnx._errors import InsufficientResponseError

    if not name.strip():
        raise Stop(Problem.stop("place_not_found", place=name))
    servers = {"overpass_url": overpass_url, "nominatim_url": nominatim_url}
    with _quiet_osmnx(ox.settings, {key: url for key, url in servers.items() if url is not None}):
        try:
            outline = shapely.make_valid(ox.geocoder.geocode_to_gdf(name).geometry.iloc[0])
        except InsufficientResponseError as error:
            raise Stop(Problem.stop("place_not_found", place=name)) from error
        except OSError as error:
            raise Stop(Problem.stop("place_offline", place=name, reason=error)) from error
        except TypeError as error:
            raise Stop(Problem.stop("place_without_outline", place=name)) from error
        except (KeyError, ValueError) as error:
            raise Stop(Problem.stop("place_answer_unreadable", place=name, reason=error)) from error
        try:
            graph = ox.graph.graph_from_polygon(outline, network_type="all", simplify=False, retain_all=True)
        except OSError as error:
            raise Stop(Problem.stop("place_offline", place=name, reason=error)) from error
        except ValueError as error:  # no element in the answer, or no node within the outline
            raise Stop(Problem.stop("place_empty", place=name)) from error
        except (KeyError, TypeError) as error:
            raise Stop(Problem.stop("place_answer_unreadable", place=name, reason=error)) from error
    streets, oneway = _streets_once(_edges(graph, Path(name)))
    if not streets:
        raise Stop(Problem.stop("place_empty", place=name))
    ways = _ways_of_edges(streets, _tags_of_edges(streets, oneway))
    return replace(ways, box=bounds_of(np.array([outline], dtype=object)))


@contextmanager
def _quiet_osmnx(settings: Any, servers: Mapping[str, str]) -> Iterator[None]:
    """
    Set OSMnx up to ask for nothing but streets with their tags, and to say when it was not answered.

    Afterwards everything is as it was, the resolver of host names too, which OSMnx replaces. Left alone it
    would wait for ever on a busy server, ask Google for host names, and take half an answer for a whole one.
    """
    wanted: dict[str, Any] = {
        **servers, "use_cache": False, "cache_only_mode": False, "all_oneway": True, "overpass_rate_limit": False,
        "doh_url_template": None, "useful_tags_way": list(KEPT),
        "requests_kwargs": {**settings.requests_kwargs, "hooks": {"response": _whole_answer}},
    }  # fmt: skip
    before = {key: getattr(settings, key) for key in wanted}
    resolver = socket.getaddrinfo
    try:
        for key, value in wanted.items():
            setattr(settings, key, value)
        yield
    finally:
        for key, value in before.items():
            setattr(settings, key, value)
        socket.getaddrinfo = resolver


def _whole_answer(response: Any, **_: Any) -> None:
    """Raise an OSError for an answer that is a refusal, no JSON, or only a part of what was asked for."""
    if not response.ok:
        response.close()
        response.raise_for_status()
    if response.is_redirect:
        return
    answer = response.json()
    for word in ("remark", "error"):
        if isinstance(answer, dict) and word in answer:
            raise OSError(str(answer[word]))
