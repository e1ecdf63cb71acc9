"""Reading OpenStreetMap extracts: the streets with their tags, and the things that tag rules name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import crs as systems
from geo.io import Bounds, require
from geo.problems import Problem, Stop
from geo.profile import TagRule

WAY_TAGS = (
    "highway", "name", "access", "foot", "vehicle", "motor_vehicle", "motorcar", "motorroad", "oneway",
    "oneway:foot", "junction", "bridge", "tunnel", "service", "sidewalk", "sidewalk:both", "sidewalk:left",
    "sidewalk:right", "duration", "interval",
)  # fmt: skip
"""What is kept of a street."""

FERRY = "ferry"
"""What stands in ``highway`` for a way that is ``route=ferry`` and no street."""

BARRIER_TAGS = ("barrier", "access", "foot", "vehicle", "motor_vehicle", "motorcar")
"""What is kept of a barrier on a node of a street."""


@dataclass(frozen=True, slots=True, eq=False)
class OsmWays:
    """
    The ``highway=*`` ways of a file.

    ``tags`` has one row a way with ``way_id`` and the columns of ``WAY_TAGS`` ('' where not tagged);
    ``offset`` (n + 1) parts ``node_id``, ``lon`` and ``lat`` into the ways. ``box`` is the box the file says
    it was cut to, or None. ``barriers`` has a row a node with ``barrier``: ``node_id`` and ``BARRIER_TAGS``.
    """

    tags: pd.DataFrame
    offset: NDArray[np.int64]
    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    box: Bounds | None
    barriers: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["node_id", *BARRIER_TAGS]))


def _unreadable(path: Path, error: Exception) -> Stop:
    return Stop(Problem.stop("osm_unreadable", file=path, reason=str(error).splitlines()[0]))


def read_ways(path: Path, *, ferries: bool = False) -> OsmWays:
    """
    Read every way that carries ``highway``, whoever may use it, and the barriers on nodes.

    With ``ferries`` also ways that are ``route=ferry``, as if they were ``highway=ferry``.

    A node whose position the extract does not hold is skipped, as is a way with fewer than two nodes left.

    Raises
    ------
    Stop
        The file is missing, of another kind, cannot be read, or no way in it has a node with a position.
    """
    require(path, "osm")
    rows: list[tuple[Any, ...]] = []
    barriers: list[tuple[Any, ...]] = []
    counts: list[int] = [0]
    vertices = [np.zeros((0, 3))]
    seen = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder) / "ways.opl"
            box = _write_ways(path, text, ["highway", "barrier", *(["route"] if ferries else [])])
            with text.open(encoding="utf-8") as lines:
                while chunk := lines.readlines(_CHUNK_BYTES):
                    barriers += [row for line in chunk if line[0] == "n" and (row := _barrier(line))]
                    ways = [way for line in chunk if line[0] == "w" and (way := _way(line, ferries=ferries))]
                    seen += len(ways)
                    found = [way for way in ways if way[1] >= 2]
                    rows += [row for row, _, _ in found]
                    counts += [n for _, n, _ in found]
                    numbers = np.fromstring(" ".join(nodes for _, _, nodes in found), sep=" ")
                    vertices.append(numbers.reshape(-1, 3))
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise _unreadable(path, error) from error
    if seen and not rows:
        raise Stop(Problem.stop("osm_unplaced", file=path, n=seen))
    node_id, lon, lat = np.concatenate(vertices).T.copy()
    return OsmWays(
        tags=pd.DataFrame(rows, columns=["way_id", *WAY_TAGS]),
        offset=np.cumsum(counts, dtype=np.int64),
        node_id=node_id.astype(np.int64),  # below 2^53, so a float64 has held it exactly
        lon=lon,
        lat=lat,
        box=box,
        barriers=pd.DataFrame(barriers, columns=["node_id", *BARRIER_TAGS]).astype({"node_id": "int64"}),
    )


_CHUNK_BYTES = 1 << 25
_UNPLACED = re.compile(r"n-?\d+xy(,|$)")
_ESCAPED = re.compile(r"%([0-9a-f]+)%")


def _write_ways(path: Path, target: Path, keys: Sequence[str]) -> Bounds | None:
    """
    Write what has one of some keys, ways with the positions of their nodes, in osmium's line format.

    All in osmium: asking each node of each way for its id and position from here takes twice as long.
    """
    reader = osmium.io.Reader(str(path), osmium.osm.NODE | osmium.osm.WAY)
    placed = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    # a node that the extract lacks has no position, nor has one with the negative id of an editor
    placed.ignore_errors()
    lines = osmium.io.File(str(target), "opl,locations_on_ways=true,add_metadata=false")
    with osmium.SimpleWriter(lines) as writer:
        osmium.apply(reader, placed, osmium.filter.KeyFilter(*keys), writer)
    return _box(reader.header().box())


def _way(line: str, *, ferries: bool) -> tuple[tuple[Any, ...], int, str] | None:
    """
    Read one line: the row of tags, the number of placed nodes, and their "id lon lat id lon lat …".

    None for a way that is no street: a wall or a fence.
    """
    first, *fields = line.split()
    by_kind = {field[0]: field[1:] for field in fields}
    tags = dict(pair.split("=", 1) for pair in by_kind["T"].split(","))
    if ferries and tags.get("route") == "ferry":
        tags.setdefault("highway", FERRY)
    if "highway" not in tags:
        return None
    row = (int(first[1:]), *(_unescaped(tags.get(key, "")) for key in WAY_TAGS))
    nodes = _UNPLACED.sub("", by_kind["N"]).rstrip(",")
    return row, nodes.count("n"), nodes[1:].replace(",n", " ").replace("x", " ").replace("y", " ")


def _barrier(line: str) -> tuple[Any, ...] | None:
    """Read one line of a node: its id and what there is of ``BARRIER_TAGS``; None for a node without a barrier."""
    first, *fields = line.split()
    tags = dict(pair.split("=", 1) for pair in next(f[1:] for f in fields if f[0] == "T").split(","))
    return (
        (int(first[1:]), *(_unescaped(tags.get(key, "")) for key in BARRIER_TAGS)) if "barrier" in tags else None
    )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text) if "%" in text else text


def _box(box: Any) -> Bounds | None:
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return float(low.lon), float(low.lat), float(high.lon), float(high.lat)


def read_features(path: Path, rules: Sequence[TagRule], *, keys: Iterable[str] = ()) -> gpd.GeoDataFrame:
    """
    Read the nodes, closed ways and multipolygons to which at least one rule applies.

    Parameters
    ----------
    path
        The OSM file.
    rules
        What to look for.
    keys
        Tags to keep beside the name.

    Returns
    -------
    frame
        ``osm_id`` (``n12``, ``w7``, ``r3``), ``name``, ``rules`` (the texts of the rules that hold, a tuple),
        one column per kept tag ('' where absent), geometry in degrees: a point or the polygon. A way that is
        open, or whose outline is no polygon, comes as the line through the nodes that the file holds; a
        relation without an outline has no geometry. In file order. Of a tag with several values, parted by
        semicolons, nothing is found unless a rule asks for any value of its key.

    Raises
    ------
    Stop
        The file is missing, of another kind, or cannot be read.
    """
    kept = list(dict.fromkeys(keys))
    pairs = sorted({(r.anchor.key, value) for r in rules for value in r.anchor.values})
    wild = sorted({r.anchor.key for r in rules if not r.anchor.values})
    filters: list[Any] = [osmium.filter.TagFilter(*pairs)] if pairs else []
    filters += [osmium.filter.KeyFilter(*wild)] if wild else []
    found: dict[str, tuple[Any, ...]] = {}
    shapes: dict[str, str | bytes | None] = {}
    require(path, "osm")
    try:
        for chosen in filters:
            for thing in osmium.FileProcessor(str(path)).with_areas(chosen).with_filter(chosen):
                tags = {tag.k: tag.v for tag in thing.tags}
                held = tuple(rule.text for rule in rules if rule.holds(tags))
                if held:
                    name = _id(thing)
                    # a closed way comes twice, as itself and as the area that it encloses, if it encloses one
                    if shapes.get(name) is None:
                        shapes[name] = _shape(thing)
                        found[name] = (name, tags.get("name", ""), held, *(tags.get(key, "") for key in kept))
        shapes |= _lines(path, [int(name[1:]) for name in shapes if shapes[name] is None and name[0] == "w"])
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise _unreadable(path, error) from error
    frame = pd.DataFrame(list(found.values()), columns=["osm_id", "name", "rules", *kept], dtype=object)
    geometry = shapely.from_wkb(np.array([shapes[name] for name in found], dtype=object))
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=systems.DEGREES)


@dataclass(frozen=True, slots=True)
class Node:
    """An OSM node to be written."""

    id: int
    lon: float
    lat: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """An OSM way to be written, by the ids of its nodes."""

    id: int
    nodes: Sequence[int]
    tags: Mapping[str, str]


def write_osm(path: Path, nodes: Iterable[Node], ways: Iterable[Way], *, box: Bounds | None = None) -> None:
    """Write an OSM file of the kind that the ending names, over an old one; ``box`` is what it was cut to."""
    header = osmium.io.Header()
    if box is not None:
        low, high = osmium.osm.Location(box[0], box[1]), osmium.osm.Location(box[2], box[3])
        header.add_box(osmium.osm.Box(low, high))
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for node in nodes:
            writer.add_node(
                osmium.osm.mutable.Node(id=node.id, location=(node.lon, node.lat), tags=dict(node.tags))
            )
        for way in ways:
            writer.add_way(osmium.osm.mutable.Way(id=way.id, nodes=list(way.nodes), tags=dict(way.tags)))


_WKB = osmium.geom.WKBFactory()


def _id(thing: Any) -> str:
    if thing.is_area():
        return f"{'w' if thing.from_way() else 'r'}{thing.orig_id()}"
    return f"{'n' if thing.is_node() else 'w' if thing.is_way() else 'r'}{thing.id}"


def _shape(thing: Any) -> str | None:
    """Give the point or polygon of a thing as hexadecimal WKB, None where it has none of its own."""
    try:
        if thing.is_node():
            return str(_WKB.create_point(thing))
        if thing.is_area():
            return str(_WKB.create_multipolygon(thing))
    except (RuntimeError, osmium.InvalidLocationError):
        return None  # one bad outline in a file of a county is no fault of the file
    return None


def _lines(path: Path, ids: list[int]) -> dict[str, bytes | None]:
    """Draw ways through those of their nodes that the file holds; None where it holds none."""
    if not ids:
        return {}
    ways: Any = osmium.FileProcessor(str(path)).with_locations()
    ways = ways.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
    found: dict[str, bytes | None] = {}
    for way in ways.with_filter(osmium.filter.IdFilter(ids)):
        at = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
        shape = shapely.LineString(at) if len(at) > 1 else shapely.Point(at[0]) if at else None
        found[f"w{way.id}"] = None if shape is None else shapely.to_wkb(shape)
    return found
